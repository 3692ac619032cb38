//! The machine and the moment of a recording.

use std::fs;
use std::time::{SystemTime, UNIX_EPOCH};

use oprof_profile::Run;

use crate::distribution::distribution;

/// The circumstances of a recording made now by this program.
pub(crate) fn run() -> Run {
    let system = rustix::system::uname();
    let text = |text: &std::ffi::CStr| text.to_string_lossy().into_owned();
    let cpu_info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    Run {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        host: text(system.nodename()),
        kernel_release: text(system.release()),
        architecture: text(system.machine()),
        cpu: cpu_name(&cpu_info).unwrap_or_default(),
        cpu_type: String::new(),
        cpu_mhz: cpu_mhz(&cpu_info).unwrap_or(0.0),
        cpus: oprof_collector::online_cpus().map_or(0, |cpus| cpus.len() as u32),
        working_directory: std::env::current_dir()
            .map(|path| path.to_string_lossy().into_owned())
            .unwrap_or_default(),
        started_unix: SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs()),
        distribution: distribution(),
        ..Run::default()
    }
}

/// The value of the first line of /proc/cpuinfo with this title.
fn field<'a>(cpu_info: &'a str, title: &str) -> Option<&'a str> {
    cpu_info.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        (name.trim() == title && !value.trim().is_empty()).then(|| value.trim())
    })
}

/// The name of the first CPU; architectures differ in the title that they give it.
fn cpu_name(cpu_info: &str) -> Option<String> {
    if let Some(name) =
        ["model name", "cpu model", "cpu", "Model", "uarch"].iter().find_map(|title| field(cpu_info, title))
    {
        return Some(name.to_owned());
    }
    // arm64 gives numbers alone.
    let implementer = field(cpu_info, "CPU implementer")?;
    Some(format!("Arm implementer {implementer} part {}", field(cpu_info, "CPU part")?))
}

/// The speed of the first CPU in MHz, as it was when asked.
fn cpu_mhz(cpu_info: &str) -> Option<f64> {
    let text = ["cpu MHz", "clock"].iter().find_map(|title| field(cpu_info, title))?;
    text.trim_end_matches("MHz").parse().ok().filter(|mhz: &f64| mhz.is_finite() && *mhz > 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cpu_is_named_on_every_architecture() {
        let x86 =
            "processor\t: 0\nvendor_id\t: AuthenticAMD\nmodel name\t: AMD EPYC 7763\ncpu MHz\t\t: 2445.426\n";
        assert_eq!(cpu_name(x86).as_deref(), Some("AMD EPYC 7763"));
        assert_eq!(cpu_mhz(x86), Some(2445.426));
        let power = "processor\t: 0\ncpu\t\t: POWER9, altivec supported\nclock\t\t: 2300.000000MHz\n";
        assert_eq!(cpu_name(power).as_deref(), Some("POWER9, altivec supported"));
        assert_eq!(cpu_mhz(power), Some(2300.0));
        let arm = "processor\t: 0\nCPU implementer\t: 0x41\nCPU part\t: 0xd0c\n";
        assert_eq!(cpu_name(arm).as_deref(), Some("Arm implementer 0x41 part 0xd0c"));
        assert_eq!(cpu_mhz(arm), None);
        assert_eq!(cpu_name(""), None);
    }
}
