//! Bounds what one image's debugging information may cost.
//!
//! DWARF refers to its own parts: a hundred thousand units can name the same table of abbreviations, a million
//! inlined calls the same list of ranges. Reading is linear in the size of honest sections and can be quadratic in
//! hostile ones, so every step of reading is counted, and all of it stops when the count is used up.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};

/// The steps for any image, and further ones for each byte of its sections. Units of gcc, clang and rustc take 0.3
/// to 0.9 steps a byte when all of them are read.
const STEPS: u64 = 16 << 20;
const STEPS_PER_BYTE: u64 = 2;

/// The inlined calls that are kept of one image, each for every address that it is part of.
const MOST_CALLS: u64 = 2 << 20;

/// The bytes of names and paths that are kept of one image.
const MOST_TEXT: u64 = 32 << 20;

/// The steps that a task takes from the budget at a time.
const GRANT: u64 = 1 << 14;

/// What is left for one image. The counts order nothing else in memory.
pub(super) struct Budget {
    steps: AtomicU64,
    calls: AtomicU64,
    text: AtomicU64,
}

impl Budget {
    /// The budget for sections of `size` bytes.
    pub(super) fn new(size: u64) -> Budget {
        Budget {
            steps: AtomicU64::new(STEPS.saturating_add(size.saturating_mul(STEPS_PER_BYTE))),
            calls: AtomicU64::new(MOST_CALLS),
            text: AtomicU64::new(MOST_TEXT),
        }
    }

    /// Adds the steps for further sections of `size` bytes.
    pub(super) fn add(&self, size: u64) {
        self.steps.fetch_add(size.saturating_mul(STEPS_PER_BYTE), Ordering::Relaxed);
    }

    /// Takes one inlined call; `None` when there are none left.
    pub(super) fn call(&self) -> Option<()> {
        take(&self.calls, 1)
    }

    /// Takes `length` bytes of text; `None` when there are not so many left.
    pub(super) fn text(&self, length: usize) -> Option<()> {
        take(&self.text, length as u64)
    }
}

fn take(left: &AtomicU64, count: u64) -> Option<()> {
    left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(count)).ok().map(|_| ())
}

/// The work of one task.
pub(super) struct Work<'budget> {
    /// What the task shares with the others of the image.
    pub(super) budget: &'budget Budget,
    granted: Cell<u64>,
}

impl<'budget> Work<'budget> {
    pub(super) fn new(budget: &'budget Budget) -> Work<'budget> {
        Work { budget, granted: Cell::new(0) }
    }

    /// Counts `steps`. Fails when none are left; the reader that asked then says that its bytes are at their end.
    #[inline]
    pub(super) fn spend(&self, steps: u64) -> gimli::Result<()> {
        match self.granted.get().checked_sub(steps) {
            Some(left) => {
                self.granted.set(left);
                Ok(())
            }
            None => self.spend_more(steps),
        }
    }

    #[cold]
    fn spend_more(&self, steps: u64) -> gimli::Result<()> {
        let granted = self.granted.get();
        let missing = steps - granted;
        // Near the end, no more than is needed.
        let grant = [missing.max(GRANT), missing]
            .into_iter()
            .find(|&grant| take(&self.budget.steps, grant).is_some());
        let grant = grant.ok_or(gimli::Error::UnexpectedEof(gimli::ReaderOffsetId(0)))?;
        self.granted.set(granted + grant - steps);
        Ok(())
    }
}

impl Drop for Work<'_> {
    fn drop(&mut self) {
        self.budget.steps.fetch_add(self.granted.get(), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tasks_share_one_budget_and_give_back_what_they_did_not_need() {
        let budget = Budget::new(0);
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
    fn text_and_calls_end() {
        let budget = Budget::new(0);
        assert_eq!(budget.text(MOST_TEXT as usize), Some(()));
        assert_eq!(budget.text(1), None);
        assert!((0..MOST_CALLS).all(|_| budget.call().is_some()));
        assert_eq!(budget.call(), None);
    }
}
