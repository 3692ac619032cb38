//! OProfile's sessions: one of 10,000 sample files, and, where they are beside this checkout, those that OProfile wrote.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use oprof_profile::session::{Header, native_bytes};

use crate::bench::Bench;
use crate::measure::{self, Measured, median};
use crate::quantity::Time;

pub(crate) fn run(bench: &Bench) -> Result<String> {
    let opreport = bench.path("opreport");
    symlink(bench.oprof.canonicalize()?, &opreport)?;
    let files = if bench.smoke { 50 } else { 10_000 };
    let session = bench.path("session");
    make_session(&session, &bench.oprof.canonicalize()?, files)?;
    let options = ["-l", "--merge", "all"];
    let mut parts = vec![
        measured(bench, "report", Command::new(&bench.oprof).arg("report").arg(&session))?,
        measured(
            bench,
            "opreport -l",
            Command::new(&opreport).args(options).arg("--session-dir").arg(&session),
        )?,
    ];
    let mut line = format!("{files} sample files: {}", parts.join("; "));
    fs::remove_dir_all(&session)?;
    if let Some(folder) = given(bench)? {
        parts.clear();
        for (name, options) in [("default", "-l"), ("cg", "-c")] {
            let mut command = Command::new(&opreport);
            command.arg(options).arg("--root").arg(folder.join("root"));
            command.arg("--session-dir").arg(folder.join("sessions").join(name));
            parts.push(measured(bench, &format!("opreport {options} of {name}"), &mut command)?);
        }
        line += &format!("; {}", parts.join("; "));
    }
    Ok(line)
}

/// Runs a report several times: its name, and the medians.
fn measured(bench: &Bench, name: &str, command: &mut Command) -> Result<String> {
    let mut runs: Vec<Measured> = Vec::new();
    for _ in 0..bench.repetitions(9) {
        let report = measure::run(command)?;
        ensure!(report.stdout.lines().count() > 3, "{name} printed no rows");
        runs.push(report);
    }
    Ok(format!(
        "{name} {}, CPU {}, peak memory {}",
        Time(median(runs.iter().map(|run| run.wall))),
        Time(median(runs.iter().map(|run| run.cpu))),
        median(runs.iter().map(|run| run.peak_memory)),
    ))
}

/// Writes a session of so many sample files, of processes that ran `program`, each with five images.
fn make_session(session: &Path, program: &Path, files: u32) -> Result<()> {
    let program = program.to_str().context("the path of oprof is not UTF-8")?;
    let images = [program, "/usr/lib/x.so", "/usr/lib/y.so", "/usr/lib/z.so", "/usr/lib/ld.so"];
    let header = Header { cpu_type: 69, event: 0x76, count: 100_000, ..Header::default() };
    for (image, number) in images.iter().zip(0..) {
        let folder = session.join(format!("samples/current/{{root}}{program}/{{dep}}/{{root}}{image}"));
        fs::create_dir_all(&folder)?;
        for process in 0..files / images.len() as u32 {
            let places = (0..40_u64).map(|place| (0x1_0000 + place * 0x371 + number * 7, 1 + place % 5));
            let bytes = native_bytes(&header, places)?;
            let pid = 1000 + process;
            fs::write(folder.join(format!("CPU_CLK_UNHALTED.100000.0.{pid}.{pid}.all")), bytes)?;
        }
    }
    Ok(())
}

/// OProfile's own sessions and their images, unpacked; `None` where they are not beside this checkout.
fn given(bench: &Bench) -> Result<Option<PathBuf>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/opreport");
    if !folder.join("sessions.tar.xz").is_file() {
        return Ok(None);
    }
    let place = bench.path("given");
    fs::create_dir(&place)?;
    for archive in ["sessions.tar.xz", "root.tar.xz"] {
        measure::run(Command::new("tar").arg("-xJf").arg(folder.join(archive)).arg("-C").arg(&place))?;
    }
    Ok(Some(place))
}
