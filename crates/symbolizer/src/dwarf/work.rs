//! Counts what reading one image's debugging information costs.
//!
//! DWARF refers to its own parts: a hundred thousand units can name the same table of abbreviations, a million
//! inlined calls the same list of ranges. Reading is linear in the size of honest sections and can be quadratic in
//! hostile ones, so every step of reading is counted, and all of it stops when the count is used up.

use std::cell::Cell;

use gimli::{Error, ReaderOffsetId, Result};

use crate::budget::Budget;

/// The steps that a task takes from the budget at a time.
const GRANT: u64 = 1 << 14;

/// The work of one task.
pub(super) struct Work<'budget> {
    /// What the task shares with the others of the image.
    pub(super) budget: &'budget Budget,
    granted: Cell<u64>,
    limit: Cell<Limit>,
}

impl<'budget> Work<'budget> {
    pub(super) fn new(budget: &'budget Budget) -> Work<'budget> {
        Work { budget, granted: Cell::new(0), limit: Cell::new(Limit::None) }
    }

    /// Counts `steps`. Fails when none are left; the reader that asked then says that its bytes are at their end.
    #[inline]
    pub(super) fn spend(&self, steps: u64) -> Result<()> {
        match self.granted.get().checked_sub(steps) {
            Some(left) => {
                self.granted.set(left);
                Ok(())
            }
            None => self.spend_more(steps),
        }
    }

    #[cold]
    fn spend_more(&self, steps: u64) -> Result<()> {
        let no_more = Error::UnexpectedEof(ReaderOffsetId(0));
        if self.limit.get() != Limit::None {
            self.limit.set(Limit::Reached);
            return Err(no_more);
        }
        self.grant(steps).ok_or(no_more)?;
        self.granted.set(self.granted.get() - steps);
        Ok(())
    }

    /// Sees to it that `steps` can be spent; `None` when there are not so many left.
    fn grant(&self, steps: u64) -> Option<()> {
        let Some(missing) = steps.checked_sub(self.granted.get()).filter(|&missing| missing > 0) else {
            return Some(());
        };
        // Near the end, no more than is needed.
        let grant = [missing.max(GRANT), missing]
            .into_iter()
            .find(|&grant| self.budget.take_steps(grant).is_some())?;
        self.granted.set(self.granted.get() + grant);
        Some(())
    }

    /// What `task` gives, which may spend at most `steps`; `None` when there are not so many left.
    pub(super) fn within<T>(&self, steps: u64, task: impl FnOnce() -> T) -> Option<Within<T>> {
        self.grant(steps)?;
        let granted = self.granted.replace(steps);
        self.limit.set(Limit::Set);
        let result = task();
        let spent = steps - self.granted.get();
        self.granted.set(granted - spent);
        let ran_out = self.limit.replace(Limit::None) == Limit::Reached;
        Some(Within { result, spent, ran_out })
    }
}

/// What a limited part of a task gave.
pub(super) struct Within<T> {
    pub(super) result: T,
    /// The steps that it spent.
    pub(super) spent: u64,
    /// Whether it would have spent more.
    pub(super) ran_out: bool,
}

/// Whether a part of a task is limited.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Limit {
    None,
    Set,
    Reached,
}

impl Drop for Work<'_> {
    fn drop(&mut self) {
        self.budget.give_back_steps(self.granted.get());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::budget::STEPS;

    #[test]
    fn tasks_share_one_budget_and_give_back_what_they_did_not_need() {
        let budget = Budget::new();
        let first = Work::new(&budget);
        assert!(first.spend(STEPS - GRANT).is_ok());
        {
            let second = Work::new(&budget);
            assert!(second.spend(10).is_ok());
            assert!(first.spend(GRANT).is_err(), "the second holds the rest");
        }
        assert!(first.spend(GRANT - 10).is_ok());
        assert!(first.spend(1).is_err());
    }

    #[test]
    fn a_part_of_a_task_can_be_limited() {
        let budget = Budget::new();
        let work = Work::new(&budget);
        assert!(work.spend(5).is_ok());
        let within = work.within(100, || [work.spend(60).is_ok(), work.spend(60).is_ok()]).unwrap();
        assert_eq!((within.result, within.spent, within.ran_out), ([true, false], 60, true));
        assert!(work.within(100, || ()).is_some_and(|within| within.spent == 0 && !within.ran_out));
        assert!(work.spend(STEPS - 65).is_ok());
        assert!(work.spend(1).is_err() && work.within(1, || ()).is_none());
    }
}
