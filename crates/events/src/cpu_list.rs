//! Lists of CPU numbers as the kernel writes them.

/// CPU numbers from here on are refused; the kernel's own limit (`NR_CPUS`) is 8192 or less.
const MAX_CPUS: u32 = 65_536;

/// Reads a list such as `0-3,8`, sorted and without repeats; the error says what is wrong. An empty text is an empty
/// list: the CPUs are offline.
pub(crate) fn parse(text: &str) -> Result<Vec<u32>, String> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(Vec::new());
    }
    let mut cpus = Vec::new();
    for range in text.split(',') {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        let (first, last) = cpu(first)
            .zip(cpu(last))
            .filter(|(first, last)| first <= last)
            .ok_or_else(|| format!("{range:?} is not a range of CPUs below {MAX_CPUS}"))?;
        cpus.extend(first..=last);
        // A file can repeat its ranges; the list never holds more than the CPUs there can be.
        if cpus.len() > MAX_CPUS as usize {
            return Err("CPUs are listed more than once".to_owned());
        }
    }
    cpus.sort_unstable();
    cpus.dedup();
    Ok(cpus)
}

/// One CPU's number.
fn cpu(text: &str) -> Option<u32> {
    text.bytes()
        .all(|b| b.is_ascii_digit())
        .then(|| text.parse().ok())
        .flatten()
        .filter(|&cpu| cpu < MAX_CPUS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_and_single_cpus() {
        assert_eq!(parse("0-3,8\n"), Ok(vec![0, 1, 2, 3, 8]));
        assert_eq!(parse("5,1-2,2"), Ok(vec![1, 2, 5]));
        assert_eq!(parse("\n"), Ok(vec![]));
    }

    #[test]
    fn absurd_lists_are_refused() {
        let again = vec!["0-65535"; 100].join(",");
        for bad in ["a", "1-", "-1", "3-1", "0-4294967295", "65536", "0,,1", &again] {
            assert!(parse(bad).is_err(), "{bad:.20}");
        }
    }
}
