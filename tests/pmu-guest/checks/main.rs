//! Hardware sampling, checked on an emulated machine with a PMU: `tests/pmu-guest/run.sh` builds this for arm64, boots
//! the machine and runs it there. Elsewhere it says that it skips.
//!
//! The emulation counts every instruction, so that with one CPU it is known exactly what a program does: a cycle takes a
//! nanosecond and an instruction 16. Of two CPUs it is known only roughly.

#[path = "../../../crates/cli/tests/harness/mod.rs"]
mod harness;

mod check;
mod doctor;
mod figures;
mod frequencies;
mod losses;
mod periods;
mod privileges;
mod recorded;
mod refusals;
mod scopes;
mod setting;
mod several;
mod stat;
mod two_cpus;
mod workload;

use std::process::ExitCode;

use check::{Check, checks};

/// What is exact where instructions are.
const ONE_CPU: &[Check] = checks![
    periods::of_cycles,
    periods::of_instructions,
    periods::of_raw_events,
    periods::in_the_table,
    frequencies::of_cycles,
    frequencies::of_instructions,
    frequencies::of_raw_events,
    privileges::user_code_alone,
    privileges::kernel_code_alone,
    privileges::an_ordinary_user,
    scopes::cgroup,
    scopes::inherit,
    scopes::system,
    scopes::a_storm_of_short_processes,
    several::two_events,
    several::a_group,
    several::eleven_events,
    several::a_group_read_with_its_leader,
    several::a_group_that_takes_turns,
    several::a_weak_group_is_broken_up,
    refusals::counts_below_the_minimum,
    refusals::an_event_that_this_pmu_lacks,
    refusals::a_group_that_does_not_fit,
    refusals::a_level_that_this_pmu_lacks,
    refusals::a_group_whose_leader_cannot_be_inherited,
    losses::throttling,
    losses::a_buffer_that_is_too_small,
    doctor::events_are_listed_as_openable,
    doctor::the_doctor_finds_the_counters,
    doctor::names_of_the_vendor_open,
    stat::counts_are_exact,
    stat::eleven_are_scaled,
    stat::an_event_that_this_pmu_lacks,
];

/// What takes more than one.
const TWO_CPUS: &[Check] = checks![
    two_cpus::both_are_sampled_in_system_scope,
    two_cpus::a_group_runs_on_both,
    two_cpus::threads_inherit_on_both,
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match *arguments {
        ["workload", ref work @ ..] => workload::run(work),
        ["one-cpu", ref names @ ..] => check::run(ONE_CPU, names),
        ["two-cpus", ref names @ ..] => check::run(TWO_CPUS, names),
        _ => {
            harness::skipped("hardware sampling: tests/pmu-guest/run.sh checks it on an emulated machine");
            ExitCode::SUCCESS
        }
    }
}
