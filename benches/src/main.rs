//! Measures oprof against perf, one line a case. README.md says what each line means.
//!
//! Every case runs its workload by turns bare, under `oprof record` and under `perf record`, and prints medians. The
//! workloads are hidden sub-commands of this same program: `oprof-benches workload NAME ...`.

use std::env;
use std::process::ExitCode;

use anyhow::{Result, bail};

use crate::bench::Bench;

mod bench;
mod case;
mod hostile;
mod measure;
mod oprof;
mod perf;
mod quantity;
mod recorder;
mod table;
mod turns;
mod workload;

/// A case: its name on the command line, and what measures it and returns the line to print.
type Case = (&'static str, fn(&Bench) -> Result<String>);

const CASES: [Case; 16] = [
    ("fork-storm", case::fork_storm::run),
    ("flat", case::flat::run),
    ("report", case::report::run),
    ("known-shares", case::known_shares::run),
    ("make-test-all", case::make_test_all::run),
    ("events", case::events::run),
    ("symbols", case::symbols::run),
    ("hostile", case::hostile::run),
    ("one-image", case::one_image::run),
    ("rings", case::rings::run),
    ("storm", case::storm::run),
    ("idle", case::idle::run),
    ("minutes", case::minutes::run),
    ("merge", case::merge::run),
    ("sessions", case::sessions::run),
    ("compare", case::compare::run),
];

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let result = match arguments.split_first() {
        Some((first, workload)) if first == "workload" => workload::run(workload).map(|()| true),
        _ => selected(&arguments).and_then(|(smoke, cases)| run(smoke, &cases)),
    };
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("oprof-benches: {error:#}");
            ExitCode::from(2)
        }
    }
}

/// Runs the cases one after the other and says whether all of them could be measured.
fn run(smoke: bool, cases: &[Case]) -> Result<bool> {
    let bench = Bench::new(smoke)?;
    eprintln!("{bench}");
    let mut measured = true;
    for (name, case) in cases {
        match case(&bench) {
            Ok(line) => println!("{name:<14} {line}"),
            Err(error) => {
                println!("{name:<14} not measured: {error:#}");
                measured = false;
            }
        }
    }
    Ok(measured)
}

/// Whether `--smoke` is among the arguments, and the cases they name: all when they name none.
fn selected(arguments: &[String]) -> Result<(bool, Vec<Case>)> {
    let mut smoke = false;
    let mut cases = Vec::new();
    for argument in arguments {
        if argument == "--smoke" {
            smoke = true;
        } else if let Some(case) = CASES.iter().find(|(name, _)| name == argument) {
            cases.push(*case);
        } else {
            let names = CASES.map(|(name, _)| name).join("|");
            bail!("unknown case {argument:?}\nusage: oprof-benches [--smoke] [{names}]...");
        }
    }
    if cases.is_empty() {
        cases = CASES.to_vec();
    }
    Ok((smoke, cases))
}
