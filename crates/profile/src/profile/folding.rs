//! Processes that have ended, folded by what they ran, so that a profile of days does not grow with each of them.

mod chains;

pub(crate) use chains::{Chains, Folded, Folds, Room};

use super::Profile;
use crate::{JitSample, ProcessId, Timestamp};

/// The new number of each process, by the old one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Renumbering(Vec<ProcessId>);

impl Renumbering {
    /// The number that a process has now, or the entry into which it was folded.
    pub fn of(&self, process: ProcessId) -> ProcessId {
        self.0.get(process.0 as usize).copied().unwrap_or(process)
    }
}

impl Profile {
    /// Folds the processes that had ended by then into one for each sequence of programs, and gives all processes new
    /// numbers: what windows said of them before holds no more. Those with the most samples stay as they are, as long as
    /// they have not more than `keep` entries together, and so does a process that another, which goes on, has come from.
    ///
    /// Gives nothing where nothing is to be folded.
    pub fn fold_ended(&mut self, before: Timestamp, keep: usize) -> Option<Renumbering> {
        let counts = self.closed_windows.iter().chain(self.open_window.iter());
        let mut chains = Chains::new(&self.processes, counts);
        chains.keep_going_on(&self.processes, before);
        chains.choose(&self.processes, Room { entries: keep, places: usize::MAX })?;
        // Not before it is known that something is folded: else the window that is open has yet to be told.
        self.open_window.drain_into(&mut self.closed_windows);
        let mut folded = chains.fold(std::mem::take(&mut self.processes));
        self.processes = std::mem::take(&mut folded.processes);
        let ended = self.live.extract_if(|_, live| !folded.stays(live.process));
        ended.for_each(|(_, live)| self.totals.fold(&live.tally));
        self.live.values_mut().for_each(|live| live.process = folded.numbers.of(live.process));
        self.totals.renumber(|process| folded.stays(process).then(|| folded.numbers.of(process)));
        let counts = std::mem::take(&mut self.closed_windows);
        for (mut key, count) in counts.iter() {
            (key.process, key.thread) = folded.process_and_thread(key.process, key.thread);
            self.closed_windows.add(key, count);
        }
        for JitSample { key, .. } in &mut self.jit_samples {
            (key.process, key.thread) = folded.process_and_thread(key.process, key.thread);
        }
        self.changed_processes.clear();
        self.is_renumbered = true;
        Some(folded.numbers)
    }

    /// Processes have other numbers than the windows told that were closed before; says so once.
    pub(crate) fn take_renumbered(&mut self) -> bool {
        std::mem::take(&mut self.is_renumbered)
    }
}

#[cfg(test)]
mod tests;
