//! Lifetimes: the entries of one pid, from fork to exit.

use std::time::Duration;

use oprof_profile::{Process, ProcessId};

/// Index of a lifetime in [`Lifetimes`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct LifetimeId(pub(crate) u32);

/// The processes of a recording, the entries that follow one another by exec taken as one.
#[derive(Debug)]
pub(crate) struct Lifetimes {
    of_entry: Vec<LifetimeId>,
    /// First and last entry of each.
    ends: Vec<(ProcessId, ProcessId)>,
    /// How many processes each stands for.
    processes: Vec<u64>,
}

impl Lifetimes {
    pub(crate) fn new(processes: &[Process]) -> Lifetimes {
        let mut of_entry: Vec<LifetimeId> = Vec::with_capacity(processes.len());
        let mut ends: Vec<(ProcessId, ProcessId)> = Vec::new();
        let mut counts: Vec<u64> = Vec::new();
        for (process, id) in processes.iter().zip(0..) {
            // An entry goes on from an earlier one; a damaged recording may claim otherwise, even in a circle.
            let before = process.before_exec.filter(|before| before.0 < id);
            let lifetime = match before {
                Some(before) => of_entry[before.0 as usize],
                None => {
                    ends.push((ProcessId(id), ProcessId(id)));
                    counts.push(process.processes());
                    LifetimeId(ends.len() as u32 - 1)
                }
            };
            ends[lifetime.0 as usize].1 = ProcessId(id);
            of_entry.push(lifetime);
        }
        Lifetimes { of_entry, ends, processes: counts }
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// The lifetime of an entry.
    pub(crate) fn of(&self, entry: ProcessId) -> Option<LifetimeId> {
        self.of_entry.get(entry.0 as usize).copied()
    }

    /// The last entry of a lifetime.
    pub(crate) fn last(&self, lifetime: LifetimeId) -> ProcessId {
        self.ends[lifetime.0 as usize].1
    }

    /// The entry is the last of its lifetime.
    pub(crate) fn is_last(&self, entry: ProcessId) -> bool {
        self.of(entry).is_some_and(|lifetime| self.last(lifetime) == entry)
    }

    /// How many processes a lifetime stands for.
    pub(crate) fn processes(&self, lifetime: LifetimeId) -> u64 {
        self.processes[lifetime.0 as usize]
    }

    /// How many processes all of them stand for.
    pub(crate) fn all_processes(&self) -> u64 {
        self.processes.iter().sum()
    }

    /// How many processes those lifetimes stand for of which this is so, by their index.
    pub(crate) fn count(&self, of: &[bool]) -> u64 {
        self.processes.iter().zip(of).filter(|(_, of)| **of).map(|(processes, _)| processes).sum()
    }

    /// From fork to exit; `None` where it outlived the recording, or stands for several.
    pub(crate) fn duration(&self, lifetime: LifetimeId, processes: &[Process]) -> Option<Duration> {
        let (first, last) = self.ends[lifetime.0 as usize];
        let first = processes.get(first.0 as usize)?;
        let last = processes.get(last.0 as usize)?;
        last.ended.filter(|_| last.folded == 0).map(|ended| ended.since(first.started))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(before_exec: Option<u32>) -> Process {
        Process { before_exec: before_exec.map(ProcessId), ..Process::default() }
    }

    #[test]
    fn entries_chained_by_exec_are_one_lifetime() {
        let lifetimes = Lifetimes::new(&[entry(None), entry(None), entry(Some(0)), entry(Some(2))]);
        assert_eq!(lifetimes.len(), 2);
        assert_eq!(lifetimes.of(ProcessId(3)), Some(LifetimeId(0)));
        assert_eq!(lifetimes.last(LifetimeId(0)), ProcessId(3));
        assert!(lifetimes.is_last(ProcessId(1)) && !lifetimes.is_last(ProcessId(2)));
        assert_eq!(lifetimes.of(ProcessId(4)), None);
    }

    #[test]
    fn a_circle_of_execs_is_not_followed() {
        let lifetimes = Lifetimes::new(&[entry(Some(1)), entry(Some(0)), entry(Some(2)), entry(Some(99))]);
        assert_eq!(lifetimes.len(), 3);
    }
}
