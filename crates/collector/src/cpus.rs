//! Which CPUs there are.

use std::fs;
use std::io;

use oprof_profile::Target;

use crate::Error;

/// The CPUs that are online, ascending (`/sys/devices/system/cpu/online`).
///
/// # Errors
/// Where sysfs cannot be read or says something else than a list.
pub fn online() -> io::Result<Vec<u32>> {
    let list = fs::read_to_string("/sys/devices/system/cpu/online")?;
    parse_list(list.trim())
        .ok_or_else(|| io::Error::other(format!("cannot understand the list of CPUs {list:?}")))
}

/// The CPUs that are the target: those that were asked for, else all that are online.
pub(crate) fn chosen(target: &Target) -> Result<Vec<u32>, Error> {
    let online = online().map_err(Error::system("list the CPUs"))?;
    let Target::Cpus(Some(wanted)) = target else { return Ok(online) };
    match wanted.iter().find(|cpu| !online.contains(cpu)) {
        Some(cpu) => Err(Error::NoSuchCpu { cpu: *cpu, online: list(&online) }),
        None => Ok(wanted.clone()),
    }
}

/// The numbers of a list such as `0-3,8`, ascending; `None` where it is not one.
pub fn parse_list(list: &str) -> Option<Vec<u32>> {
    /// More CPUs than any kernel is built for (NR_CPUS).
    const MOST: u32 = 1 << 16;
    let mut cpus = Vec::new();
    for part in list.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last): (u32, u32) = (first.parse().ok()?, last.parse().ok()?);
        if last >= MOST || first > last {
            return None;
        }
        cpus.extend(first..=last);
    }
    cpus.sort_unstable();
    cpus.dedup();
    Some(cpus)
}

/// Writes ascending numbers as such a list.
pub(crate) fn list(cpus: &[u32]) -> String {
    let mut ranges: Vec<(u32, u32)> = Vec::new();
    for &cpu in cpus {
        match ranges.last_mut() {
            Some((_, last)) if last.checked_add(1) == Some(cpu) => *last = cpu,
            _ => ranges.push((cpu, cpu)),
        }
    }
    let write = |&(first, last): &(u32, u32)| match first == last {
        true => first.to_string(),
        false => format!("{first}-{last}"),
    };
    ranges.iter().map(write).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::{list, parse_list};

    #[test]
    fn lists_of_cpus_are_ranges_and_numbers() {
        assert_eq!(parse_list("0"), Some(vec![0]));
        assert_eq!(parse_list("0-2,8,6-7"), Some(vec![0, 1, 2, 6, 7, 8]));
        assert_eq!(parse_list(""), None);
        assert_eq!(parse_list("0-4294967295"), None);
        assert_eq!(parse_list("a"), None);
        assert_eq!(parse_list("3-1"), None);
    }

    #[test]
    fn a_list_is_written_as_it_is_read() {
        for text in ["0", "0-3", "0-2,6-8,10", "1,3"] {
            assert_eq!(list(&parse_list(text).expect("a list")), text);
        }
    }
}
