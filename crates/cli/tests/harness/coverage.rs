//! The coverage lines that `oprof record` and `oprof report` print.

/// What the coverage line of a recording of one event says.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Coverage {
    pub(crate) line: String,
    /// The share of the event's total for which the samples stand, in percent.
    pub(crate) covered: Option<f64>,
    pub(crate) samples: u64,
    pub(crate) processes: u64,
    /// Those of them that got no sample.
    pub(crate) without_sample: u64,
}

impl Coverage {
    /// Reads what oprof said on stderr.
    #[track_caller]
    pub(crate) fn read(stderr: &str) -> Coverage {
        let lines: Vec<&str> =
            stderr.lines().filter_map(|line| line.strip_prefix("oprof: coverage: ")).collect();
        let [line] = lines.as_slice() else { panic!("one coverage line was expected:\n{stderr}") };
        let words: Vec<&str> = line.split([' ', ';', ',']).filter(|word| !word.is_empty()).collect();
        let before = |names: &[&str]| {
            let named = words.iter().enumerate().filter(|(_, word)| names.contains(word));
            named.map(|(at, _)| &words[..at]).find_map(number_at_end)
        };
        let covered = line.split_once(" % of ").and_then(|(front, _)| front.rsplit(' ').next()?.parse().ok());
        let processes = before(&["process", "processes"]).unwrap_or(0);
        let idle = line.split("; ").find_map(|part| part.strip_suffix(" without a sample"));
        let idle = idle.and_then(|part| part.split_once(", ")).map_or("0", |(_, idle)| idle);
        Coverage {
            line: (*line).to_owned(),
            covered,
            samples: before(&["sample", "samples"]).expect("the line tells the samples"),
            processes,
            without_sample: idle.replace(',', "").parse().expect("a number of processes"),
        }
    }
}

/// The number that these words end in; groups of three digits were split at their commas.
fn number_at_end(words: &[&str]) -> Option<u64> {
    let is_number = |word: &&&str| word.bytes().all(|byte| byte.is_ascii_digit());
    let count = words.iter().rev().take_while(is_number).count();
    words[words.len() - count..].concat().parse().ok()
}
