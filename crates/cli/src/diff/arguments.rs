//! The command line of `oprof diff`.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;
use oprof_profile::NameStyle;
use oprof_report::{DiffBy, DiffSort, Normalise};

use crate::arguments::percent;
use crate::report::name_style;

const DIFF_EXAMPLES: &str = "\
Examples:
  oprof diff                         the last two recordings: oprof.data.old, oprof.data
  oprof diff before.data after.data --all
  oprof diff a1.data a2.data a3.data -- b1.data b2.data b3.data
  oprof diff base.data new.data --fail-above 10 --markdown >> \"$GITHUB_STEP_SUMMARY\"

A row is shown where it changed beyond chance. --fail-above tests what the total and each row cost in a run (with \
--normalise time, in a second), not their shares: exit status 4 says that one of them grew by more than PERCENT of what \
it was, or is new, beyond chance; what did is on stderr. 0 says that none did, 1 that oprof failed, 2 a wrong usage.";

#[derive(Debug, Args)]
#[command(after_help = DIFF_EXAMPLES, override_usage = "oprof diff [OPTIONS] [BEFORE AFTER]\n       \
    oprof diff [OPTIONS] BEFORE... -- AFTER...")]
pub(crate) struct DiffOptions {
    /// A recording or session before and one after; several with `--` between the sides
    #[arg(value_name = "RECORDING")]
    pub(crate) recordings: Vec<PathBuf>,
    /// One row for each symbol, image, app, command or line
    #[arg(long, value_name = "WHAT", default_value = "symbol", value_parser = by)]
    pub(crate) by: DiffBy,
    /// Compare this event; else the first that all have
    #[arg(short, long, value_name = "EVENT")]
    pub(crate) event: Option<String>,
    /// Compare shares of the total, events each second (time) or run
    #[arg(long, alias = "normalize", value_name = "BY", default_value = "total", value_parser = normalise)]
    pub(crate) normalise: Normalise,
    /// Show rows that changed no more than chance makes them, too
    #[arg(short, long)]
    pub(crate) all: bool,
    /// Leave out rows below this share on both sides
    #[arg(short, long, value_name = "PERCENT", default_value = "0", value_parser = percent, allow_negative_numbers = true)]
    pub(crate) threshold: f64,
    /// Exit with 4 where the total or a row grew by more than this
    #[arg(long, value_name = "PERCENT", value_parser = growth, allow_negative_numbers = true)]
    pub(crate) fail_above: Option<f64>,
    /// Of intervals and finds; or as a share of false finds: --alpha 0.05
    #[arg(long, value_name = "PERCENT", default_value = "95", value_parser = confidence, allow_negative_numbers = true)]
    pub(crate) confidence: f64,
    /// The same as a share of false finds: 0.05
    #[arg(hide = true, long, value_name = "SHARE", value_parser = alpha, conflicts_with = "confidence", allow_negative_numbers = true)]
    pub(crate) alpha: Option<f64>,
    /// Show so many rows at most
    #[arg(long, value_name = "N", value_parser = top, allow_negative_numbers = true)]
    pub(crate) top: Option<usize>,
    /// Sort by change (as it is), relative, before, after, chance or name
    #[arg(long, value_name = "WHAT", default_value = "change", hide_default_value = true, value_parser = sort)]
    pub(crate) sort: DiffSort,
    /// Print JSON
    #[arg(long, conflicts_with_all = ["csv", "markdown"])]
    pub(crate) json: bool,
    /// Print comma-separated values
    #[arg(long, conflicts_with = "markdown")]
    pub(crate) csv: bool,
    /// Print Markdown
    #[arg(long)]
    pub(crate) markdown: bool,
    /// Leave out the lines above the rows
    #[arg(short, long)]
    pub(crate) no_header: bool,
    /// Show whole paths
    #[arg(short = 'f', long)]
    pub(crate) long_filenames: bool,
    /// Find the images of OProfile's sessions below this directory, as if it were /
    #[arg(long, value_name = "DIR")]
    pub(crate) root: Option<PathBuf>,
    /// Demangle names: none, simple (without `std::`) or full
    #[arg(short = 'D', long, value_name = "STYLE", default_value = "full", value_parser = name_style)]
    pub(crate) demangle: NameStyle,
    /// Never start a pager
    #[arg(hide = true, long)]
    pub(crate) no_pager: bool,
}

/// What stands for `--` between recordings: no argument can hold a NUL.
const SEPARATOR: &str = "\0--";

/// The arguments of a command line, where `--` of `oprof diff` is no end of options but stands between the two sides:
/// options may come after it, as they may anywhere.
pub(crate) fn with_separators(arguments: impl Iterator<Item = OsString>) -> Vec<OsString> {
    let mut arguments: Vec<OsString> = arguments.collect();
    if arguments.get(1).is_some_and(|subcommand| subcommand == "diff") {
        for argument in arguments.iter_mut().filter(|argument| *argument == "--") {
            *argument = SEPARATOR.into();
        }
    }
    arguments
}

fn named<T: Copy>(text: &str, all: &[T], name: fn(T) -> &'static str) -> Result<T, String> {
    let names = || all.iter().map(|value| name(*value)).collect::<Vec<_>>().join(", ");
    let found = all.iter().copied().find(|value| name(*value) == text);
    found.ok_or_else(|| format!("use {}", names()))
}

fn by(text: &str) -> Result<DiffBy, String> {
    named(text, &DiffBy::ALL, DiffBy::name)
}

fn normalise(text: &str) -> Result<Normalise, String> {
    named(text, &Normalise::ALL, Normalise::name)
}

fn sort(text: &str) -> Result<DiffSort, String> {
    named(text, &DiffSort::ALL, DiffSort::name)
}

/// A growth in percent, which may be more than a hundred.
fn growth(text: &str) -> Result<f64, String> {
    match text.trim_end_matches('%').parse::<f64>() {
        Ok(percent) if (0.0..=1e6).contains(&percent) => Ok(percent),
        _ => Err("not a percentage from 0 to 1000000".to_owned()),
    }
}

fn confidence(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(percent) if (50.0..=99.9999).contains(&percent) => Ok(percent),
        _ => Err("not a percentage from 50 to 99.9999".to_owned()),
    }
}

fn alpha(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(share) if (0.000001..=0.5).contains(&share) => Ok(share),
        _ => Err("not a share from 0.000001 to 0.5".to_owned()),
    }
}

fn top(text: &str) -> Result<usize, String> {
    crate::arguments::positive(text, u64::from(u32::MAX)).map(|number| number as usize)
}

impl DiffOptions {
    /// The level at which changes are told from chance.
    pub(crate) fn level(&self) -> f64 {
        self.alpha.unwrap_or(1.0 - self.confidence / 100.0)
    }

    /// The recordings before and those after.
    ///
    /// # Errors
    /// What is wrong with them.
    pub(crate) fn sides(&self) -> Result<[Vec<PathBuf>; 2], String> {
        let sides: Vec<&[PathBuf]> = self.recordings.split(|path| path.as_os_str() == SEPARATOR).collect();
        match sides.as_slice() {
            [[]] => Ok([vec![PathBuf::from("oprof.data.old")], vec![PathBuf::from("oprof.data")]]),
            [[before, after]] => Ok([vec![before.clone()], vec![after.clone()]]),
            [[one]] => Err(format!(
                "'{}' is compared with what? Name a recording before and one after",
                one.display()
            )),
            [_] => Err("more than two recordings: put -- between those before and those after".to_owned()),
            [[], _] => Err("no recording stands before --".to_owned()),
            [_, []] => Err("no recording stands after --".to_owned()),
            [before, after] => Ok([before.to_vec(), after.to_vec()]),
            _ => Err("'--' stands twice: there are two sides".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::arguments::{Arguments, Subcommand};

    fn sides(arguments: &str) -> Result<String, String> {
        let words = ["oprof", "diff"].into_iter().chain(arguments.split_whitespace());
        let parsed = Arguments::try_parse_from(with_separators(words.map(OsString::from))).expect("valid");
        let Subcommand::Diff(options) = parsed.subcommand else { panic!("diff was asked for") };
        let sides = options.sides()?;
        let list = |side: &[PathBuf]| {
            side.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(" ")
        };
        Ok(sides.map(|side| list(&side)).join(" | "))
    }

    #[test]
    fn recordings_are_on_the_side_where_they_were_named() {
        assert_eq!(sides("").as_deref(), Ok("oprof.data.old | oprof.data"));
        assert_eq!(sides("a b").as_deref(), Ok("a | b"));
        assert_eq!(sides("a -- b").as_deref(), Ok("a | b"));
        assert_eq!(sides("a1 --all a2 -- b1 --top 3 b2 b3 -n").as_deref(), Ok("a1 a2 | b1 b2 b3"));
    }

    #[test]
    fn a_side_without_a_recording_is_a_mistake() {
        for (arguments, word) in [
            ("a", "with what"),
            ("a b c", "put --"),
            ("a b --", "after --"),
            ("-- a b", "before --"),
            ("--", "before --"),
        ] {
            assert!(sides(arguments).is_err_and(|why| why.contains(word)), "{arguments}");
        }
    }
}
