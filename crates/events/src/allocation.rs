//! Whether events fit on the counters that there are.

use std::collections::BTreeMap;

use crate::config::{TYPE_CACHE, TYPE_HARDWARE};
use crate::table::{Counters, Family};
use crate::{Error, EventConfig, EventKind, Group, System};

/// Most counters of a PMU that are told apart.
const MOST_COUNTERS: u32 = 64;

impl System {
    /// Checks which events can be counted at the same time. The answer is one sentence for each PMU that has to count
    /// its events in turns, and one for each weak group that was broken up since it would never count; nothing is known
    /// of PMUs that no table describes. And one for each probe of which nobody can tell that an instruction begins there.
    ///
    /// # Errors
    /// [`Error::GivenTwice`] where two are the same event; [`Error::GroupTooLarge`] and
    /// [`Error::GroupSharesCounters`] where the events of a group, which are counted at the same time or not at all, do
    /// not fit.
    pub fn check_together(&self, events: &mut [EventConfig]) -> Result<Vec<String>, Error> {
        for (index, event) in events.iter().enumerate() {
            if let Some(first) = events[..index].iter().find(|first| is_same(first, event)) {
                return Err(Error::GivenTwice { event: event.spec.clone(), first: first.spec.clone() });
            }
        }
        let (mut notes, mut too_large) = (Vec::new(), Vec::new());
        for (pmu, tables) in self.core_pmus().into_iter().zip(self.core_tables()) {
            let table = tables.vendor.as_ref().or(tables.oprofile.as_ref());
            let Some((number, family)) = table.and_then(|table| Some((table.counters?, table.family))) else {
                continue;
            };
            let here: Vec<_> = events
                .iter()
                .filter(|event| match &event.kind {
                    EventKind::Pmu { name } => *name == pmu.name,
                    EventKind::Hardware | EventKind::HardwareCache => {
                        event.config >> 32 == 0 || event.config >> 32 == u64::from(pmu.pmu_type)
                    }
                    EventKind::Raw => true,
                    _ => false,
                })
                .collect();
            let mut groups: BTreeMap<u32, Vec<&EventConfig>> = BTreeMap::new();
            for event in &here {
                if let Some(group) = event.group {
                    groups.entry(group.number).or_default().push(event);
                }
            }
            for group in groups.values() {
                if fits(group, number, family) {
                    continue;
                }
                if let Some(weak) = group[0].group.filter(|group| group.weak) {
                    too_large.push(weak);
                    continue;
                }
                let pmu = pmu.name.clone();
                if let Some((contenders, counters)) = crowded(group, number, family) {
                    return Err(Error::GroupSharesCounters { event: listed(&contenders), pmu, counters });
                }
                let (event, events) = (listed(group), group.len());
                return Err(Error::GroupTooLarge { event, events, pmu, counters: number });
            }
            if !fits(&here, number, family) {
                notes.push(format!(
                    "{} events do not fit on the {number} counters of PMU {}: they are counted in turns and scaled up",
                    here.len(),
                    pmu.name
                ));
            }
        }
        let inside = |event: &&EventConfig| event.probe.as_ref().is_some_and(|probe| !probe.begins_function);
        notes.extend(events.iter().filter(inside).map(|event| {
            // The kernel puts a trap there without looking at what comes before (uprobe_write_opcode()).
            format!(
                "{}: breaks the program unless an instruction begins there; `objdump -d` shows where they begin",
                event.name
            )
        }));
        notes.extend(too_large.into_iter().map(|group| break_up(&mut *events, group)));
        Ok(notes)
    }
}

/// Breaks up a group: its events are counted in turns from now on. Gives the sentence that says so.
pub fn break_up<'a>(events: impl IntoIterator<Item = &'a mut EventConfig>, group: Group) -> String {
    let mut names = Vec::new();
    for event in events.into_iter().filter(|event| event.group == Some(group)) {
        event.group = None;
        names.push(event.spec.clone());
    }
    format!(
        "{{{}}} cannot be counted at the same time: they are counted in turns, and what they say together is less exact",
        names.join(",")
    )
}

/// Whether two configurations are the same event, whatever their counts: no table could tell their rows apart.
fn is_same(one: &EventConfig, other: &EventConfig) -> bool {
    fn encoding(event: &EventConfig) -> impl PartialEq + '_ {
        (
            event.pmu_type,
            event.config,
            event.config1,
            event.config2,
            event.config3,
            event.bp_type,
            &event.probe,
        )
    }
    let modes = |event: &EventConfig| {
        (event.user, event.kernel, event.hypervisor, event.host, event.guest, event.precise)
    };
    encoding(one) == encoding(other) && modes(one) == modes(other) && one.cpus == other.cpus
}

/// The events as typed, with commas.
fn listed(events: &[&EventConfig]) -> String {
    events.iter().map(|event| event.spec.as_str()).collect::<Vec<_>>().join(",")
}

/// Whether all events can be counted at once on so many general counters and the fixed ones.
fn fits(events: &[&EventConfig], number: u32, family: Family) -> bool {
    let wanted: Vec<_> = wanted(events, number, family).into_iter().map(|(_, counters)| counters).collect();
    is_possible(&wanted)
}

/// The events that no fixed counter takes, each with the general counters that it can use, one bit each.
fn wanted<'e>(events: &[&'e EventConfig], number: u32, family: Family) -> Vec<(&'e EventConfig, u64)> {
    let general = general(number);
    let mut fixed_taken = 0_u64;
    let mut wanted = Vec::new();
    for &event in events {
        match counters(event, family) {
            Counters::Fixed(number) if fixed_taken >> number & 1 == 0 => fixed_taken |= 1 << number,
            Counters::Some(mask) => wanted.push((event, mask & general)),
            Counters::Any | Counters::Fixed(_) => wanted.push((event, general)),
        }
    }
    wanted
}

/// All general counters of so many.
fn general(number: u32) -> u64 {
    u64::MAX >> (64 - number.clamp(1, MOST_COUNTERS))
}

/// Events that are more than the counters which they share; `None` where those are all that there are.
fn crowded<'e>(
    events: &[&'e EventConfig],
    number: u32,
    family: Family,
) -> Option<(Vec<&'e EventConfig>, Counters)> {
    let wanted = wanted(events, number, family);
    let masks: Vec<_> = wanted.iter().map(|(_, counters)| *counters).collect();
    let shared = shared(&masks).err().filter(|shared| (1..general(number)).contains(shared))?;
    let within = wanted.iter().filter(|(_, counters)| counters & !shared == 0);
    Some((within.map(|(event, _)| *event).collect(), Counters::Some(shared)))
}

/// Gives each event a counter of its own out of those that it can use, one bit each; `None` if there are too few. Of all
/// ways to do so, the first: the first event has the lowest counter that leaves enough for the others, and so on.
pub fn assign(wanted: &[u64]) -> Option<Vec<u32>> {
    let mut narrowed = wanted.to_vec();
    for event in 0..wanted.len() {
        let mut counters = (0..MOST_COUNTERS).filter(|counter| wanted[event] >> counter & 1 == 1);
        let counter = counters.find(|counter| {
            narrowed[event] = 1 << counter;
            is_possible(&narrowed)
        });
        counter?;
    }
    Some(narrowed.iter().map(|counter| counter.trailing_zeros()).collect())
}

/// Whether each event can have a counter of its own.
fn is_possible(wanted: &[u64]) -> bool {
    shared(wanted).is_ok()
}

/// Gives each event a counter of its own (bipartite matching by augmenting paths). The error has counters that more
/// events need than they are: those that the first event without a place, and whoever would have to move, can use.
fn shared(wanted: &[u64]) -> Result<(), u64> {
    let mut taken_by: Vec<Option<usize>> = vec![None; MOST_COUNTERS as usize];
    // More than there could be counters for: nobody would wait for the search.
    if wanted.len() > taken_by.len() {
        return Err(u64::MAX);
    }
    (0..wanted.len()).try_for_each(|event| {
        let mut seen = 0;
        if place(event, wanted, &mut taken_by, &mut seen) { Ok(()) } else { Err(seen) }
    })
}

fn place(event: usize, wanted: &[u64], taken_by: &mut [Option<usize>], seen: &mut u64) -> bool {
    for counter in 0..MOST_COUNTERS as usize {
        if wanted[event] >> counter & 1 == 0 || *seen >> counter & 1 == 1 {
            continue;
        }
        *seen |= 1 << counter;
        let moves_on = match taken_by[counter] {
            None => true,
            Some(other) => place(other, wanted, taken_by, seen),
        };
        if moves_on {
            taken_by[counter] = Some(event);
            return true;
        }
    }
    false
}

/// The counters of an event; of generic ones, those that have a fixed counter on this family.
fn counters(event: &EventConfig, family: Family) -> Counters {
    let generic = (event.pmu_type == TYPE_HARDWARE).then_some(event.config & 0xffff_ffff);
    match (family, generic) {
        (Family::Intel, Some(1)) => Counters::Fixed(0),
        (Family::Intel, Some(0)) => Counters::Fixed(1),
        (Family::Intel, Some(9)) => Counters::Fixed(2),
        (Family::Arm | Family::ArmV7, Some(0)) => Counters::Fixed(31),
        _ if event.pmu_type == TYPE_CACHE => Counters::Any,
        _ => event.counters,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_events_crowd_is_told() {
        assert_eq!(shared(&[0b1111, 0b1, 0b1110, 0b1]), Err(0b1));
        assert_eq!(shared(&[0b0011, 0b0110, 0b1111, 0b0101, 0b0111]), Err(0b0111), "in a ring");
        assert_eq!(shared(&[0b11, 0b11, 0b11]), Err(0b11));
        assert_eq!(shared(&[0b10, 0]), Err(0));
        assert_eq!(shared(&[u64::MAX; 65]), Err(u64::MAX));
    }

    #[test]
    fn events_move_over_for_each_other() {
        assert_eq!(assign(&[0b11, 0b01]), Some(vec![1, 0]));
        assert_eq!(assign(&[0b111, 0b110, 0b100]), Some(vec![0, 1, 2]));
        assert_eq!(assign(&[0b1111, 0b1111]), Some(vec![0, 1]), "the lowest first");
        assert_eq!(assign(&[0b1, 0b1]), None);
        assert_eq!(
            assign(&[1 << 3 | 1 << 7, 1 << 3 | 1 << 7, 1 << 3 | 1 << 7]),
            None,
            "the Pentium 4's branches"
        );
        assert_eq!(assign(&[0]), None);
        assert_eq!(assign(&[]), Some(vec![]));
        assert_eq!(assign(&[u64::MAX; 64]).map(|all| all.len()), Some(64));
        assert_eq!(assign(&[u64::MAX; 65]), None);
    }
}
