//! Processes over all programs that they executed, and what is left of them when they are folded.

use std::cmp::Reverse;

use rustc_hash::FxHashMap;

use super::Renumbering;
use crate::{Count, ImageId, Key, Process, ProcessId, Timestamp};

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

/// Folded processes: the first entry of each.
#[derive(Clone, Debug, Default)]
pub(crate) struct Folds(FxHashMap<Fold, usize>);

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
    places: usize,
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

/// How much of what has ended stays as it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Room {
    /// As many entries of processes.
    pub(crate) entries: usize,
    /// With as many sampled places.
    pub(crate) places: usize,
}

/// All processes, each over all programs that it executed, and which of them stay as they are.
#[derive(Debug)]
pub(crate) struct Chains {
    chains: Vec<Chain>,
    /// The chain of each entry.
    of_entry: Vec<usize>,
}

/// Processes after folding.
#[derive(Debug)]
pub(crate) struct Folded {
    /// Folded ones first: among the others each comes after the one that it descends from.
    pub(crate) processes: Vec<Process>,
    /// The new number of each.
    pub(crate) numbers: Renumbering,
    staying: Vec<bool>,
}

impl Folded {
    /// The process of this old number is what it was.
    pub(crate) fn stays(&self, process: ProcessId) -> bool {
        self.staying.get(process.0 as usize).copied().unwrap_or(false)
    }

    /// What samples with this key have from now on. The threads of folded processes are not kept apart.
    pub(crate) fn process_and_thread(&self, process: ProcessId, thread: u32) -> (ProcessId, u32) {
        (self.numbers.of(process), if self.stays(process) { thread } else { 0 })
    }
}

impl Chains {
    /// The chains of these processes, with the samples that they have. None stays.
    pub(crate) fn new(processes: &[Process], counts: impl Iterator<Item = (Key, Count)>) -> Chains {
        let mut chains: Vec<Chain> = Vec::new();
        let mut of_entry: Vec<usize> = Vec::with_capacity(processes.len());
        for (entry, process) in processes.iter().enumerate() {
            let before = process.before_exec.and_then(|before| of_entry.get(before.0 as usize).copied());
            let chain = before.unwrap_or(chains.len());
            if chain == chains.len() {
                chains.push(Chain { entries: Vec::new(), samples: 0, places: 0, stays: false });
            }
            chains[chain].entries.push(entry);
            of_entry.push(chain);
        }
        for (key, count) in counts {
            if let Some(&chain) = of_entry.get(key.process.0 as usize) {
                let chain = &mut chains[chain];
                chain.samples = chain.samples.saturating_add(count.samples);
                chain.places += 1;
            }
        }
        Chains { chains, of_entry }
    }

    /// All stay.
    pub(crate) fn keep_all(&mut self) {
        self.chains.iter_mut().for_each(|chain| chain.stays = true);
    }

    /// Those stay that had not ended by then, and their parents.
    pub(super) fn keep_going_on(&mut self, processes: &[Process], before: Timestamp) {
        let goes_on = |chain: &Chain| {
            let last = &processes[chain.last()];
            last.folded == 0 && last.ended.is_none_or(|ended| ended >= before)
        };
        for index in 0..self.chains.len() {
            if goes_on(&self.chains[index]) {
                self.chains[index].stays = true;
                let parents = self.chains[index].entries.iter().filter_map(|&entry| processes[entry].parent);
                for parent in parents.collect::<Vec<_>>() {
                    let origin = self.of_entry[parent.0 as usize];
                    self.chains[origin].stays |= processes[parent.0 as usize].folded == 0;
                }
            }
        }
    }

    /// Of the others those stay that have the most samples, for as long as there is room; gives nothing where no other is
    /// left.
    pub(crate) fn choose(&mut self, processes: &[Process], room: Room) -> Option<()> {
        let is_folded = |chain: &Chain| processes[chain.last()].folded > 0;
        let mut ended: Vec<&mut Chain> =
            self.chains.iter_mut().filter(|chain| !chain.stays && !is_folded(chain)).collect();
        // Of equals the later ones first.
        ended.sort_unstable_by_key(|chain| Reverse((chain.samples, chain.last())));
        let (mut entries, mut places) = (0, 0_usize);
        for chain in &mut ended {
            entries += chain.entries.len();
            places = places.saturating_add(chain.places);
            chain.stays = entries <= room.entries && places <= room.places;
        }
        ended.iter().any(|chain| !chain.stays).then_some(())
    }

    /// Folds those chains that do not stay, and gives all processes new numbers.
    pub(crate) fn fold(self, old: Vec<Process>) -> Folded {
        self.fold_into(old, Vec::new(), &mut Folds::default())
    }

    /// The same, where `processes`, which stay what they are, have the first numbers, and those among them that are `folds`
    /// take in what is of their kind.
    pub(crate) fn fold_into(
        self,
        old: Vec<Process>,
        mut processes: Vec<Process>,
        folds: &mut Folds,
    ) -> Folded {
        let mut staying = vec![false; old.len()];
        for chain in self.chains.iter().filter(|chain| chain.stays) {
            chain.entries.iter().for_each(|&entry| staying[entry] = true);
        }
        let mut numbers = vec![ProcessId(0); old.len()];
        self.folded(&old, &mut numbers, &mut processes, folds);
        let going_on = (0..old.len()).filter(|&index| staying[index]);
        for (index, next) in going_on.zip(processes.len() as u32..) {
            numbers[index] = ProcessId(next);
        }
        let numbers = Renumbering(numbers);
        for (mut process, _) in old.into_iter().zip(&staying).filter(|(_, stays)| **stays) {
            process.parent = process.parent.filter(|parent| staying[parent.0 as usize]);
            process.parent = process.parent.map(|parent| numbers.of(parent));
            process.before_exec = process.before_exec.map(|before| numbers.of(before));
            processes.push(process);
        }
        Folded { processes, numbers, staying }
    }

    /// Adds the entries into which those chains are folded that do not stay; puts their numbers into `numbers`.
    fn folded(
        &self,
        old: &[Process],
        numbers: &mut [ProcessId],
        processes: &mut Vec<Process>,
        folds: &mut Folds,
    ) {
        for chain in self.chains.iter().filter(|chain| !chain.stays) {
            let (programs, places) = chain.programs(old);
            let (last, length) = (&old[chain.last()], programs.len());
            let (has_totals, is_sampled) = (!last.event_totals.is_empty(), chain.samples > 0);
            let first = *folds.0.entry(Fold { programs, has_totals, is_sampled }).or_insert(processes.len());
            for (place, &entry) in places.iter().zip(&chain.entries) {
                let (old, number) = (&old[entry], first + place);
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
    }
}
