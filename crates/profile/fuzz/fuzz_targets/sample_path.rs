//! The path of a sample file.
#![no_main]

use libfuzzer_sys::fuzz_target;
use oprof_profile::session::{PathPart, SamplePath};

/// The part of a path that names this.
fn written(part: &PathPart) -> String {
    match part {
        PathPart::File(path) => format!("{{root}}{path}"),
        PathPart::Kernel(name) => format!("{{kern}}/{name}"),
        PathPart::Memory { name, region } => {
            format!("{{anon:{name}}}/{}.{:#x}.{:#x}", region.pid, region.start, region.last)
        }
    }
}

fuzz_target!(|path: &str| {
    let Ok(of) = SamplePath::parse(path) else { return };
    let number = |number: Option<u32>| number.map_or("all".to_owned(), |number| number.to_string());
    let callee = of.callee.as_ref().map(|callee| format!("/{{cg}}/{}", written(callee))).unwrap_or_default();
    let again = format!(
        "{}/{{dep}}/{}{callee}/{}.{}.{}.{}.{}.{}",
        written(&of.app),
        written(&of.image),
        of.event,
        of.count,
        of.unit_mask,
        number(of.tgid),
        number(of.tid),
        number(of.cpu.map(u32::from)),
    );
    assert_eq!(SamplePath::parse(&again), Ok(of), "{again}");
});
