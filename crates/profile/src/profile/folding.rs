//! Processes that have ended, folded by what they ran, so that a profile of days does not grow with each of them.

use std::cmp::Reverse;

use rustc_hash::FxHashMap;

use super::Profile;
use crate::{ImageId, Process, ProcessId, Timestamp};

/// The new number of each process, by the old one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Renumbering(Vec<ProcessId>);

impl Renumbering {
    /// The number that a process has now, or the entry into which it was folded.
    pub fn of(&self, process: ProcessId) -> ProcessId {
        self.0.get(process.0 as usize).copied().unwrap_or(process)
    }
}

/// A process is told apart from others of its fold by no more programs than these, its last one among them.
const MOST_PROGRAMS: usize = 8;

/// What processes that have ended are folded by: programs, one after the other, what is known of them, and whether they
/// were sampled at all.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Fold {
    programs: Vec<Program>,
    has_totals: bool,
    is_sampled: bool,
}

/// What an entry ran: its app, or its name where that is not known.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Program {
    App(ImageId),
    Comm(String),
}

/// A process over all programs that it executed.
#[derive(Debug)]
struct Chain {
    /// Its entries, first to last.
    entries: Vec<usize>,
    samples: u64,
    stays: bool,
}

impl Chain {
    fn last(&self) -> usize {
        self.entries.last().copied().unwrap_or_default()
    }

    /// The programs of the chain, with the place among them of each entry. One that is executed again and again is one, and
    /// those beyond the limit count with the one before.
    fn programs(&self, processes: &[Process]) -> (Vec<Program>, Vec<usize>) {
        let (mut programs, mut places): (Vec<Program>, Vec<usize>) = (Vec::new(), Vec::new());
        for &entry in &self.entries {
            let process = &processes[entry];
            let program = process.app.map_or_else(|| Program::Comm(process.comm.clone()), Program::App);
            let has_room = programs.len() + 1 < MOST_PROGRAMS || entry == self.last();
            if programs.last() != Some(&program) && has_room {
                programs.push(program);
            }
            places.push(programs.len() - 1);
        }
        (programs, places)
    }
}

impl Profile {
    /// Folds the processes that had ended by then into one for each sequence of programs, and gives all processes new
    /// numbers: what windows said of them before holds no more. Those with the most samples stay as they are, as long as
    /// they have not more than `keep` entries together, and so does a process that another, which goes on, has come from.
    ///
    /// Gives nothing where nothing is to be folded.
    pub fn fold_ended(&mut self, before: Timestamp, keep: usize) -> Option<Renumbering> {
        let mut chains = self.chains(before);
        choose(&mut chains, &self.processes, keep)?;
        // Not before it is known that something is folded: else the window that is open has yet to be told.
        self.open_window.drain_into(&mut self.closed_windows);
        let mut staying = vec![false; self.processes.len()];
        for chain in chains.iter().filter(|chain| chain.stays) {
            chain.entries.iter().for_each(|&entry| staying[entry] = true);
        }
        let mut numbers = vec![ProcessId(0); self.processes.len()];
        // Folded ones first: among the others each comes after the one that it descends from.
        let mut processes = self.folded(&chains, &mut numbers);
        let going_on = (0..self.processes.len()).filter(|&index| staying[index]);
        for (index, next) in going_on.zip(processes.len() as u32..) {
            numbers[index] = ProcessId(next);
        }
        let numbers = Renumbering(numbers);
        let stays = |process: ProcessId| staying[process.0 as usize];
        let old = std::mem::take(&mut self.processes);
        for (mut process, _) in old.into_iter().zip(&staying).filter(|(_, stays)| **stays) {
            process.parent = process.parent.filter(|&parent| stays(parent));
            process.parent = process.parent.map(|parent| numbers.of(parent));
            process.before_exec = process.before_exec.map(|before| numbers.of(before));
            processes.push(process);
        }
        self.processes = processes;
        let ended = self.live.extract_if(|_, live| !stays(live.process));
        ended.for_each(|(_, live)| self.totals.fold(&live.tally));
        self.live.values_mut().for_each(|live| live.process = numbers.of(live.process));
        self.totals.renumber(|process| stays(process).then(|| numbers.of(process)));
        let counts = std::mem::take(&mut self.closed_windows);
        for (mut key, count) in counts.iter() {
            key.thread = if stays(key.process) { key.thread } else { 0 };
            key.process = numbers.of(key.process);
            self.closed_windows.add(key, count);
        }
        for sample in &mut self.jit_samples {
            let key = &mut sample.key;
            key.thread = if stays(key.process) { key.thread } else { 0 };
            key.process = numbers.of(key.process);
        }
        self.changed_processes.clear();
        self.is_renumbered = true;
        Some(numbers)
    }

    /// The processes; those stay that have not ended, and their parents.
    fn chains(&self, before: Timestamp) -> Vec<Chain> {
        let mut chains: Vec<Chain> = Vec::new();
        let mut chain_of: Vec<usize> = Vec::with_capacity(self.processes.len());
        for (entry, process) in self.processes.iter().enumerate() {
            let chain = process.before_exec.map_or(chains.len(), |before| chain_of[before.0 as usize]);
            if chain == chains.len() {
                chains.push(Chain { entries: Vec::new(), samples: 0, stays: false });
            }
            chains[chain].entries.push(entry);
            chain_of.push(chain);
        }
        for (key, count) in self.closed_windows.iter().chain(self.open_window.iter()) {
            chains[chain_of[key.process.0 as usize]].samples += count.samples;
        }
        let goes_on = |chain: &Chain| {
            let last = &self.processes[chain.last()];
            last.folded == 0 && last.ended.is_none_or(|ended| ended >= before)
        };
        for index in 0..chains.len() {
            if goes_on(&chains[index]) {
                chains[index].stays = true;
                let parents = chains[index].entries.iter().filter_map(|&entry| self.processes[entry].parent);
                for parent in parents.collect::<Vec<_>>() {
                    let origin = chain_of[parent.0 as usize];
                    chains[origin].stays |= self.processes[parent.0 as usize].folded == 0;
                }
            }
        }
        chains
    }

    /// The entries into which those chains are folded that do not stay; puts their numbers into `numbers`.
    fn folded(&self, chains: &[Chain], numbers: &mut [ProcessId]) -> Vec<Process> {
        let mut folds: FxHashMap<Fold, usize> = FxHashMap::default();
        let mut processes: Vec<Process> = Vec::new();
        for chain in chains.iter().filter(|chain| !chain.stays) {
            let (programs, places) = chain.programs(&self.processes);
            let (last, length) = (&self.processes[chain.last()], programs.len());
            let (has_totals, is_sampled) = (!last.event_totals.is_empty(), chain.samples > 0);
            let first = *folds.entry(Fold { programs, has_totals, is_sampled }).or_insert(processes.len());
            for (place, &entry) in places.iter().zip(&chain.entries) {
                let (old, number) = (&self.processes[entry], first + place);
                if number == processes.len() {
                    let before_exec = (*place > 0).then(|| ProcessId(number as u32 - 1));
                    let (app, comm, started) = (old.app, old.comm.clone(), old.started);
                    processes.push(Process { app, comm, started, before_exec, ..Process::default() });
                }
                let new = &mut processes[number];
                new.started = new.started.min(old.started);
                new.ended = new.ended.max(old.ended);
                numbers[entry] = ProcessId(number as u32);
            }
            for new in &mut processes[first..first + length] {
                new.folded = new.folded.saturating_add(last.processes());
            }
            let totals = &mut processes[first + length - 1].event_totals;
            totals.resize(last.event_totals.len().max(totals.len()), 0);
            for (sum, total) in totals.iter_mut().zip(&last.event_totals) {
                *sum = sum.saturating_add(*total);
            }
        }
        processes
    }

    /// Processes have other numbers than the windows told that were closed before; says so once.
    pub(crate) fn take_renumbered(&mut self) -> bool {
        std::mem::take(&mut self.is_renumbered)
    }
}

/// Has those stay that have the most samples; gives nothing where no other is left.
fn choose(chains: &mut [Chain], processes: &[Process], keep: usize) -> Option<()> {
    let is_folded = |chain: &Chain| processes[chain.last()].folded > 0;
    let mut ended: Vec<&mut Chain> =
        chains.iter_mut().filter(|chain| !chain.stays && !is_folded(chain)).collect();
    // Of equals the later ones first.
    ended.sort_unstable_by_key(|chain| Reverse((chain.samples, chain.last())));
    let mut entries = 0;
    for chain in &mut ended {
        entries += chain.entries.len();
        chain.stays = entries <= keep;
    }
    ended.iter().any(|chain| !chain.stays).then_some(())
}

#[cfg(test)]
mod tests;
