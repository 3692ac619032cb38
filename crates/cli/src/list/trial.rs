//! Turns what the catalogue names into entries, by trying to open each.

use oprof_collector::Opening;
use oprof_events::{EventConfig, EventGroup, EventKind, ListedEvent, Origin, System};
use rayon::prelude::*;

use super::entry::{Entry, State};
use super::refusal::Machine;

/// Events of the scheduler, which happen in kernel code only (`perf_sw_event_sched` in the kernel's
/// include/linux/perf_event.h).
const IN_KERNEL_ONLY: [&str; 3] = ["context-switches", "cpu-migrations", "cgroup-switches"];

/// The catalogue's tracepoints and its other events, as far as they match the word.
pub(crate) fn catalogue(system: &System, word: &str) -> (Vec<ListedEvent>, Vec<ListedEvent>) {
    let word = word.to_lowercase();
    system
        .catalogue()
        .into_iter()
        .filter(|event| matches(event, &word))
        .partition(|event| matches!(event.group, EventGroup::Tracepoint(_)))
}

/// Its name, one of its other names, its description or its group is or holds the word, given in lower case.
fn matches(event: &ListedEvent, word: &str) -> bool {
    let mut texts = event.aliases.iter().chain([&event.name, &event.spec, &event.description]);
    texts.any(|text| text.to_lowercase().contains(word)) || label(&event.group).eq_ignore_ascii_case(word)
}

fn label(group: &EventGroup) -> String {
    match group {
        EventGroup::Hardware => "hardware".to_owned(),
        EventGroup::HardwareCache => "cache".to_owned(),
        EventGroup::Software => "software".to_owned(),
        EventGroup::Tracepoint(_) => "tracepoints".to_owned(),
        EventGroup::Pmu(name) => format!("PMU {name}"),
        EventGroup::UserTable(table) => format!("table {table}"),
        EventGroup::Vendor(cpu) => cpu.clone(),
        EventGroup::OProfile(cpu) => format!("OProfile {cpu}"),
        _ => "other".to_owned(),
    }
}

/// Encodes each event of another machine's processor, which cannot be tried.
pub(crate) fn untried(system: &System, listed: &[ListedEvent]) -> Vec<Entry> {
    let entry = |event: &ListedEvent| {
        let configs = system.resolve(&event.spec).unwrap_or_default();
        Entry::untried(event, label(&event.group), of_group(configs, &event.group))
    };
    listed.iter().map(entry).collect()
}

/// Those of the table that lists the event: on a hybrid part each kind of core has its own.
fn of_group(configs: Vec<EventConfig>, group: &EventGroup) -> Vec<EventConfig> {
    let is_of = |config: &EventConfig| match (group, &config.origin) {
        (EventGroup::Vendor(cpu), Origin::Vendor(origin))
        | (EventGroup::OProfile(cpu), Origin::OProfile(origin))
        | (EventGroup::UserTable(cpu), Origin::UserTable(origin)) => cpu == origin,
        _ => false,
    };
    match configs.iter().any(is_of) {
        true => configs.into_iter().filter(is_of).collect(),
        false => configs,
    }
}

/// Tries each event.
pub(crate) fn entries(system: &System, machine: &Machine, listed: &[ListedEvent]) -> Vec<Entry> {
    // In parallel, since each is looked up in sysfs anew, where large machines list hundreds.
    let entry = |event: &ListedEvent| {
        let (configs, state) = match system.resolve(&event.spec) {
            Ok(configs) => {
                let configs = of_group(configs, &event.group);
                let state = state(&configs, machine);
                (configs, state)
            }
            // What holds for every event of a processor's tables.
            Err(oprof_events::Error::NoPmu { .. }) => {
                (Vec::new(), State::Refused(machine.no_such_counter().to_owned()))
            }
            Err(error) => (Vec::new(), State::Refused(error.to_string())),
        };
        Entry { state, ..Entry::untried(event, label(&event.group), configs) }
    };
    crate::parallel::run(|| listed.par_iter().map(entry).collect())
}

/// An event that is not listed but can be typed.
pub(crate) fn typed(spec: &str, configs: Vec<EventConfig>, machine: &Machine) -> Entry {
    let first = configs.first();
    let group = match first.map(|config| &config.kind) {
        Some(EventKind::Hardware) => "hardware".to_owned(),
        Some(EventKind::HardwareCache) => "cache".to_owned(),
        Some(EventKind::Software) => "software".to_owned(),
        Some(EventKind::Tracepoint) => "tracepoint".to_owned(),
        Some(EventKind::Pmu { name }) => format!("PMU {name}"),
        Some(EventKind::Breakpoint) => "breakpoint".to_owned(),
        _ => "raw".to_owned(),
    };
    let description = first.map_or_else(String::new, |config| config.description.clone());
    let state = state(&configs, machine);
    Entry {
        name: spec.to_owned(),
        aliases: Vec::new(),
        description,
        group,
        table_event: None,
        configs,
        state,
    }
}

/// What the trial of an event shows; where several PMUs share it, one that takes it is enough.
pub(crate) fn state(configs: &[EventConfig], machine: &Machine) -> State {
    let mut refused = State::Refused("it has no counter".to_owned());
    for config in configs {
        match oprof_collector::opening_here(config) {
            Ok(opening) => return opened(config, opening, machine),
            Err(error) => {
                refused = State::Refused(machine.why(
                    &config.kind,
                    config.cpus.is_some() && config.count_only,
                    &error,
                ))
            }
        }
    }
    refused
}

fn opened(config: &EventConfig, opening: Opening, machine: &Machine) -> State {
    let in_kernel_only = config.kind == EventKind::Software && IN_KERNEL_ONLY.contains(&config.name.as_str());
    match opening {
        Opening::UserSamples if in_kernel_only => State::Refused(format!(
            "they happen in kernel code, which may not be sampled: {}",
            machine.no_kernel_code()
        )),
        Opening::Samples => State::Samples,
        Opening::UserSamples => State::UserSamples,
        Opening::Counts => State::Counts,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(word: &str) -> Vec<String> {
        // No sysfs and no tracefs: the generic events alone.
        let (tracepoints, others) = catalogue(&System::at("/nowhere", "/nowhere"), word);
        assert!(tracepoints.is_empty());
        others.into_iter().map(|event| event.name).collect()
    }

    #[test]
    fn a_word_is_looked_for_in_names_other_names_and_descriptions_in_any_case() {
        assert_eq!(found("CPU-CLOCK"), ["cpu-clock"]);
        assert!(found("faults").contains(&"page-faults".to_owned()));
        assert_eq!(found("migrations"), ["cpu-migrations"], "by its other name");
        assert!(found("mispredicted").contains(&"branch-misses".to_owned()), "by its description");
        assert!(found("no such thing").is_empty());
        assert!(found("").len() > 30);
    }

    #[test]
    fn a_group_can_be_asked_for() {
        assert_eq!(found("hardware").first().map(String::as_str), Some("cycles"));
        assert!(found("software").contains(&"dummy".to_owned()));
    }

    #[test]
    fn what_happens_in_the_kernel_is_not_promised_to_who_sees_user_code_alone() {
        let system = System::at("/nowhere", "/nowhere");
        let machine = Machine { paranoid: Some(2), ..Machine::default() };
        let state = |spec: &str| {
            let config = system.resolve(spec).expect("a generic event").remove(0);
            opened(&config, Opening::UserSamples, &machine)
        };
        assert_eq!(state("page-faults"), State::UserSamples);
        assert_eq!(
            state("cs"),
            State::Refused(
                "they happen in kernel code, which may not be sampled: kernel.perf_event_paranoid is 2; as root: sysctl \
                 kernel.perf_event_paranoid=1"
                    .to_owned()
            )
        );
    }
}
