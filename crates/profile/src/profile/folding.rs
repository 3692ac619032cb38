//! Processes that have ended, folded by what they ran, so that a profile of days does not grow with each of them.

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

/// What processes that have ended are folded by: their app; their name where that is not known.
type Fold = (Option<ImageId>, String);

fn fold_of(process: &Process) -> Fold {
    let name = if process.app.is_none() { process.comm.clone() } else { String::new() };
    (process.app, name)
}

impl Profile {
    /// Folds the processes that had ended by then into one entry for each app, and gives all processes new numbers: what
    /// windows said of them before holds no more. A process stays that another, which goes on, has come from.
    ///
    /// It is for profiles that keep no exact totals: of those that do nothing is folded.
    pub fn fold_ended(&mut self, before: Timestamp) -> Option<Renumbering> {
        let has_ended = |process: &Process| process.ended.is_some_and(|ended| ended < before);
        let mut goes_on: Vec<bool> =
            self.processes.iter().map(|process| process.folded == 0 && !has_ended(process)).collect();
        for index in 0..self.processes.len() {
            let process = &self.processes[index];
            if process.folded == 0 && !has_ended(process) {
                for origin in [process.parent, process.before_exec].into_iter().flatten() {
                    let origin = origin.0 as usize;
                    goes_on[origin] |= self.processes[origin].folded == 0;
                }
            }
        }
        let is_worth_it =
            self.processes.iter().zip(&goes_on).any(|(process, goes_on)| !goes_on && process.folded == 0);
        if !self.totals.is_empty() || !is_worth_it {
            return None;
        }
        let mut folded: FxHashMap<Fold, ProcessId> = FxHashMap::default();
        let mut numbers = vec![ProcessId(0); self.processes.len()];
        let mut processes: Vec<Process> = Vec::new();
        // Folded ones first: among the others each comes after the one that it descends from.
        for (index, process) in self.processes.iter().enumerate().filter(|(index, _)| !goes_on[*index]) {
            let number = *folded.entry(fold_of(process)).or_insert_with(|| {
                processes.push(Process {
                    started: process.started,
                    comm: process.comm.clone(),
                    app: process.app,
                    ..Process::default()
                });
                ProcessId(processes.len() as u32 - 1)
            });
            numbers[index] = number;
            let entry = &mut processes[number.0 as usize];
            entry.folded += process.folded.max(u64::from(process.before_exec.is_none()));
            entry.started = entry.started.min(process.started);
            entry.ended = entry.ended.max(process.ended);
        }
        // A program that was executed, and not forked, is no process more, but its entry has to stand for one.
        processes.iter_mut().for_each(|entry| entry.folded = entry.folded.max(1));
        let going_on = (0..self.processes.len()).filter(|index| goes_on[*index]);
        for (index, next) in going_on.zip(processes.len() as u32..) {
            numbers[index] = ProcessId(next);
        }
        let numbers = Renumbering(numbers);
        let old = std::mem::take(&mut self.processes);
        for (mut process, _) in old.into_iter().zip(&goes_on).filter(|(_, goes_on)| **goes_on) {
            let stays = |origin: &ProcessId| goes_on[origin.0 as usize];
            process.parent = process.parent.filter(stays).map(|parent| numbers.of(parent));
            process.before_exec = process.before_exec.filter(stays).map(|before| numbers.of(before));
            processes.push(process);
        }
        self.processes = processes;
        self.live.retain(|_, live| goes_on[live.process.0 as usize]);
        self.live.values_mut().for_each(|live| live.process = numbers.of(live.process));
        self.open_window.drain_into(&mut self.closed_windows);
        let counts = std::mem::take(&mut self.closed_windows);
        for (mut key, count) in counts.iter() {
            key.thread = if goes_on[key.process.0 as usize] { key.thread } else { 0 };
            key.process = numbers.of(key.process);
            self.closed_windows.add(key, count);
        }
        for sample in &mut self.jit_samples {
            let key = &mut sample.key;
            key.thread = if goes_on[key.process.0 as usize] { key.thread } else { 0 };
            key.process = numbers.of(key.process);
        }
        self.changed_processes.clear();
        self.is_renumbered = true;
        Some(numbers)
    }

    /// Processes have other numbers than the windows told that were closed before; says so once.
    pub(crate) fn take_renumbered(&mut self) -> bool {
        std::mem::take(&mut self.is_renumbered)
    }
}

#[cfg(test)]
mod tests;
