//! Probes: calls of a function of a program or library, and returns from it, which the kernel sees by a trap in the code.
//!
//! The kernel has them as the PMU `uprobe` (`perf_uprobe` in kernel/events/core.c), which takes a file and an offset in it.

use std::ffi::CString;
use std::path::Path;

use crate::config::{EventConfig, EventKind, Probe};
use crate::{Error, System, number};

/// Finds a function in a file: the offset of its first byte, or why there is none, as the end of a sentence.
#[derive(Debug, Clone, Copy)]
pub struct FunctionFinder(pub fn(&Path, &str) -> Result<u64, String>);

impl PartialEq for FunctionFinder {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::fn_addr_eq(self.0, other.0)
    }
}

impl Eq for FunctionFinder {}

impl System {
    /// Encodes `uprobe:PATH:PLACE`, where the place is an offset in the file or a function, `+` an offset where one is
    /// given.
    pub(crate) fn probe(
        &self,
        event: &str,
        is_return: bool,
        path: &str,
        place: &str,
    ) -> Result<EventConfig, Error> {
        let failed = |reason: String| Error::Probe { event: event.to_owned(), reason };
        let pmu = self.pmus().iter().find(|pmu| pmu.name == "uprobe");
        let pmu = pmu.ok_or_else(|| failed("this kernel has no probes (CONFIG_UPROBE_EVENTS)".to_owned()))?;
        let (offset, begins_function) = match number::parse(place) {
            Some(offset) => (offset, false),
            None => {
                let (function, behind) = match place.rsplit_once('+').map(|(f, n)| (f, number::parse(n))) {
                    Some((function, Some(behind))) => (function, behind),
                    _ => (place, 0),
                };
                if is_return && behind > 0 {
                    return Err(failed("a return has no offset; leave +OFFSET out".to_owned()));
                }
                let finder = self.function_finder();
                let finder = finder.ok_or_else(|| failed("give the offset in the file".to_owned()))?;
                let start = finder.0(Path::new(path), function).map_err(failed)?;
                let offset = start.checked_add(behind);
                let offset = offset.ok_or_else(|| failed("the offset is too large".to_owned()))?;
                (offset, behind == 0)
            }
        };
        let path = CString::new(path).map_err(|_| failed("the path has a NUL in it".to_owned()))?;
        let kind = if is_return { "uretprobe" } else { "uprobe" };
        let file = path.to_string_lossy();
        let name = format!("{kind}:{}:{place}", file.rsplit('/').next().unwrap_or(&file));
        let what = if is_return { "returns from" } else { "calls of" };
        Ok(EventConfig {
            description: format!("{what} {place} in {file}"),
            default_count: 1,
            min_count: 1,
            probe: Some(Probe { path, offset, begins_function }),
            // Bit 0 says that it is of the return (the format `retprobe`).
            ..EventConfig::new(&name, EventKind::Probe, pmu.pmu_type, u64::from(is_return))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finder(path: &Path, function: &str) -> Result<u64, String> {
        match (path.to_str(), function) {
            (Some("/bin/x"), "f") => Ok(0x1000),
            _ => Err(format!("no function {function}")),
        }
    }

    #[test]
    fn a_probe_is_a_file_and_an_offset() {
        let system = System::here().with_function_finder(FunctionFinder(finder));
        if !system.pmus().iter().any(|pmu| pmu.name == "uprobe") {
            println!("skipped: this kernel has no probes");
            return;
        }
        let place =
            |text: &str| system.resolve(text).map(|configs| (configs[0].config, configs[0].probe.clone()));
        let at = |offset| {
            let begins_function = offset == 0x1000;
            Some(Probe { path: c"/bin/x".to_owned(), offset, begins_function })
        };
        assert_eq!(place("uprobe:/bin/x:f"), Ok((0, at(0x1000))));
        assert_eq!(place("uretprobe:/bin/x:f"), Ok((1, at(0x1000))));
        assert_eq!(place("uprobe:/bin/x:f+0x10"), Ok((0, at(0x1010))));
        assert_eq!(place("uprobe:/bin/x:0x40:u"), Ok((0, at(0x40))));
        let unknown = place("uprobe:/bin/x:g").expect_err("it is not there").to_string();
        assert!(unknown.contains("no function g"), "{unknown}");
        assert!(place("uretprobe:/bin/x:f+1").is_err() && place("uprobe:/bin/x:f:5:1").is_err());
        let mut inside =
            system.resolve_all(&["uprobe:/bin/x:f+0x10,uprobe:/bin/x:f"]).expect("they are there");
        let notes = system.check_together(&mut inside).expect("they differ");
        assert!(notes.len() == 1 && notes[0].contains("f+0x10") && notes[0].contains("objdump"), "{notes:?}");
        let probe = &system.resolve("uprobe:/bin/x:f:7").expect("it is there")[0];
        assert_eq!((probe.name.as_str(), probe.count, probe.default_count), ("uprobe:x:f", Some(7), 1));
    }
}
