//! Counters that only count.

use oprof_events::{EventConfig, Group};
use oprof_profile::{CountedPlace, EventCount};

use crate::Error;
use crate::attribute::{self, Start};
use crate::counter::{Attachment, Counter};
use crate::rings::open_in_group;

/// The counters of some events in some places.
#[derive(Debug)]
pub(crate) struct Counters {
    /// With the index of the event of each and the number of its place, one place after the other.
    counters: Vec<(usize, u32, Counter)>,
    events: usize,
    start: Start,
}

impl Counters {
    /// Opens each event in each place, the events of a group behind the first of them.
    pub(crate) fn open(
        events: &[EventConfig],
        places: &[Attachment<'_>],
        inherit: bool,
        start: Start,
    ) -> Result<Counters, Error> {
        let mut counters: Vec<(usize, u32, Counter)> = Vec::with_capacity(events.len() * places.len());
        for &place in places {
            let mut leaders: Vec<(Group, usize)> = Vec::new();
            for (index, event) in events.iter().enumerate() {
                if !is_counted_in(event, place)? {
                    continue;
                }
                let leader = leaders.iter().find(|(group, _)| event.group == Some(*group));
                let leader = leader.map(|&(_, at)| &counters[at].2);
                let attr = attribute::counts(event, inherit, start);
                let counter = open_in_group(&attr, place, event, leader)?;
                if let Some(group) = event.group
                    && leader.is_none()
                {
                    leaders.push((group, counters.len()));
                }
                counters.push((index, number(place), counter));
            }
        }
        let is_open = |index| counters.iter().any(|(opened, ..)| *opened == index);
        if let Some(index) = (0..events.len()).find(|index| !is_open(*index)) {
            let source = std::io::Error::from_raw_os_error(libc::ENODEV);
            return Err(Error::Open { event: events[index].spec.clone(), source });
        }
        Ok(Counters { counters, events: events.len(), start })
    }

    /// Starts to count, where that does not come with the command's program.
    pub(crate) fn enable(&self) -> Result<(), Error> {
        if self.start == Start::Executed {
            return Ok(());
        }
        let mut counters = self.counters.iter();
        counters.try_for_each(|(.., counter)| counter.enable()).map_err(Error::system("start the counters"))
    }

    /// How many descriptors they take.
    pub(crate) fn descriptors(&self) -> usize {
        self.counters.len()
    }

    /// Stops counting.
    pub(crate) fn disable(&self) {
        // A counter whose CPU has gone offline has stopped by itself.
        self.counters.iter().for_each(|(.., counter)| drop(counter.disable()));
    }

    /// What each event's counters have counted, in all places together.
    pub(crate) fn read(&self) -> Vec<EventCount> {
        let mut sums = vec![EventCount::default(); self.events];
        for (index, _, count) in self.counts() {
            sums[index] = sums[index].plus(&count);
        }
        sums
    }

    /// What each event's counter has counted in each place.
    pub(crate) fn read_places(&self) -> Vec<CountedPlace> {
        let mut places: Vec<CountedPlace> = Vec::new();
        for (index, id, count) in self.counts() {
            if places.last().is_none_or(|place| place.id != id) {
                places.push(CountedPlace { id, counts: vec![None; self.events] });
            }
            let place = places.last_mut().expect("there is at least this one");
            place.counts[index] = Some(count);
        }
        places
    }

    fn counts(&self) -> impl Iterator<Item = (usize, u32, EventCount)> {
        self.counters.iter().filter_map(|(index, place, counter)| {
            // One of a CPU that has gone offline reads as an error; what the others counted stands.
            let reading = counter.read().ok()?;
            let count = EventCount {
                value: reading.value,
                time_enabled: reading.time_enabled,
                time_running: reading.time_running,
            };
            Some((*index, *place, count))
        })
    }
}

/// The number of the CPU or the thread.
fn number(place: Attachment<'_>) -> u32 {
    match place {
        Attachment::Cpu(cpu) | Attachment::Cgroup(_, cpu) => cpu,
        Attachment::Task(task, _) => task,
        Attachment::Myself => std::process::id(),
    }
}

fn is_counted_in(event: &EventConfig, place: Attachment<'_>) -> Result<bool, Error> {
    match place {
        // A task's counter counts wherever its PMU is.
        Attachment::Task(_, None) | Attachment::Myself if event.count_only && event.cpus.is_some() => {
            Err(Error::CountsCpus { event: event.spec.clone() })
        }
        Attachment::Task(_, None) | Attachment::Myself => Ok(true),
        Attachment::Cpu(cpu) | Attachment::Cgroup(_, cpu) | Attachment::Task(_, Some(cpu)) => {
            Ok(event.cpus.as_ref().is_none_or(|cpus| cpus.contains(&cpu)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use oprof_events::System;

    fn events(specs: &str) -> Vec<EventConfig> {
        System::here().resolve_all(&[specs]).expect("they exist everywhere")
    }

    /// Touches at least so many pages that were never touched.
    fn touch(pages: usize) {
        // At its ends what is allocated may share a page with something else, which has touched it.
        let pages = pages + 2;
        let mut memory = vec![0_u8; pages * 4096];
        for page in 0..pages {
            memory[page * 4096] = 1;
        }
        // Never freed, so that no later call gets the same pages.
        std::mem::forget(std::hint::black_box(memory));
    }

    #[test]
    fn the_events_of_a_group_are_counted_for_the_same_time() {
        let events = events("{task-clock:u,page-faults:u},dummy:u");
        let places = [Attachment::Myself];
        let counters = Counters::open(&events, &places, false, Start::Enabled).expect("software events open");
        assert!(counters.read().iter().all(|count| count.value == 0), "nothing is counted before the start");
        counters.enable().expect("they start");
        touch(300);
        counters.disable();
        let counts = counters.read();
        assert_eq!(counts.len(), 3);
        assert!((300..2_000).contains(&counts[1].value), "{counts:?}");
        assert_eq!(counts[0].time_running, counts[1].time_running, "{counts:?}");
        assert!(counts.iter().all(EventCount::is_complete), "{counts:?}");
        touch(300);
        assert_eq!(counters.read()[1].value, counts[1].value, "stopped is stopped");
    }

    #[test]
    fn places_are_summed_and_told_apart() {
        let events = events("page-faults:u");
        let open = |places: &[Attachment<'_>]| {
            Counters::open(&events, places, false, Start::Enabled).expect("it opens")
        };
        let (one, both) = (open(&[Attachment::Myself]), open(&[Attachment::Myself, Attachment::Myself]));
        one.enable().and_then(|()| both.enable()).expect("they start");
        touch(100);
        one.disable();
        both.disable();
        let (own, places) = (std::process::id(), both.read_places());
        let (one, both) = (one.read()[0].value, both.read()[0].value);
        assert!(both >= 200 && both.abs_diff(2 * one) <= 20, "{one} and twice {both}");
        assert!(places.iter().all(|place| place.id == own), "{places:?}");
    }

    #[test]
    fn what_counts_cpus_alone_is_refused_for_a_task() {
        let mut energy = events("cpu-clock").remove(0);
        energy.spec = "power/energy-pkg/".to_owned();
        (energy.count_only, energy.cpus) = (true, Some(vec![0]));
        let error = Counters::open(&[energy.clone()], &[Attachment::Task(1, None)], true, Start::Executed);
        let error = error.expect_err("a task has no energy of its own").to_string();
        assert!(error.contains("'power/energy-pkg/'") && error.contains("-a"), "{error}");
        let elsewhere = is_counted_in(&energy, Attachment::Cpu(1)).expect("a CPU can be asked");
        assert!(!elsewhere, "CPU 0 counts for its package");
    }
}
