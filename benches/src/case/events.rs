//! The list of this machine's events, that of another processor, and the encoding of one event.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use oprof_events::System;
use oprof_events::processor::Identification;

use crate::bench::Bench;
use crate::measure::{self, median};
use crate::quantity::{Time, ratio};
use crate::recorder::Recorder;
use crate::turns::Turns;

/// A core PMU as the kernel describes Skylake's, so that every machine encodes the same events.
const SKYLAKE: [(&str, &str); 9] = [
    ("type", "4"),
    ("format/event", "config:0-7"),
    ("format/umask", "config:8-15"),
    ("format/edge", "config:18"),
    ("format/inv", "config:23"),
    ("format/cmask", "config:24-31"),
    ("format/ldlat", "config1:0-15"),
    ("format/frontend", "config1:0-23"),
    ("events/cpu-cycles", "event=0x3c"),
];
/// An event of the vendor's, one of OProfile's with a named unit mask, a generic one, and a mistake.
const EVENTS: [&str; 4] =
    ["BR_MISP_RETIRED.ALL_BRANCHES:400009", "uops_issued:2000003:stall_cycles", "branches:u", "uops_isued"];

pub(crate) fn run(bench: &Bench) -> Result<String> {
    let lists = Turns::of_recorders(bench, 9, |recorder| {
        let mut command = match recorder {
            Recorder::Oprof => Command::new(&bench.oprof),
            Recorder::Perf => Command::new("perf"),
        };
        measure::run(command.arg("list"))
    })?;
    let ours = lists.oprof(|list| list.wall);
    let mut line = format!("list {}", Time(ours));
    if bench.perf.is_ok() {
        let perfs = lists.perf(|list| list.wall);
        line += &format!(", perf {} ({})", Time(perfs), ratio(ours.as_secs_f64(), perfs.as_secs_f64()));
    }
    let foreign = (0..bench.repetitions(9)).map(|_| {
        let list = measure::run(Command::new(&bench.oprof).args(["list", "--cpu", "skylake", "-v"]))?;
        Ok(list.wall)
    });
    line += &format!("; list --cpu skylake -v {}", Time(median(foreign.collect::<Result<Vec<_>>>()?)));

    let devices = bench.path("sysfs");
    write_pmu(&devices.join("bus/event_source/devices/cpu"))?;
    for event in EVENTS {
        let times: Vec<_> = (0..bench.repetitions(99)).map(|_| time_of(&devices, event)).collect();
        line += &format!("; {event} {:.2} ms", median(times).as_secs_f64() * 1e3);
    }
    Ok(line)
}

/// How long it takes to resolve one event with nothing read before.
fn time_of(sysfs: &Path, event: &str) -> Duration {
    let start = Instant::now();
    let processor = Identification::new("GenuineIntel-6-5E-3");
    let resolved = System::at(sysfs, sysfs.join("none")).with_processor(processor).resolve(event);
    let time = start.elapsed();
    drop(std::hint::black_box(resolved));
    time
}

fn write_pmu(directory: &Path) -> Result<()> {
    for (file, text) in SKYLAKE {
        let path = directory.join(file);
        fs::create_dir_all(path.parent().expect("a file in a directory"))?;
        fs::write(&path, text).with_context(|| path.display().to_string())?;
    }
    Ok(())
}
