//! Bounds what one image may cost, in memory and in time.
//!
//! One budget is shared by all that is read for an image: itself, its debug file, the files of split debugging
//! information, what is decompressed, and what is made of it in memory. With this much a hostile image takes at most
//! 256 MB and a second (`tests/hostile.rs`, the case `hostile` of the benchmarks).

use std::sync::atomic::{AtomicU64, Ordering};

/// The bytes that are held at a time of an image: read, decompressed, or made of what was read. Of large images only
/// what is needed is read, in blocks; the tables of Chromium, among the largest there are, are not held.
const BYTES: u64 = 144 << 20;

/// The bytes that are held to find a build id: of file headers and notes.
const BYTES_OF_HEADERS: u64 = 16 << 20;

/// The bytes in which ends of strings are searched, counted as often as they are. A hostile table of millions of
/// symbols can give all of them the same endless name.
const SEARCHED: u64 = 256 << 20;

/// The same where the names of all symbols are looked through once: as much as the longest table that is read takes.
const SEARCHED_FOR_A_NAME: u64 = 2 << 30;

/// The steps of reading debugging information for any image, and further ones for each byte of its sections. Units of
/// gcc, clang and rustc take 0.3 to 0.9 steps a byte when all of them are read.
pub(crate) const STEPS: u64 = 16 << 20;
const STEPS_PER_BYTE: u64 = 2;

/// The steps for the largest image, of which no more than a part can be read. They take half a second.
const MOST_STEPS: u64 = 192 << 20;

/// What is left for one image. The counts order nothing else in memory.
#[derive(Debug)]
pub(crate) struct Budget {
    bytes: AtomicU64,
    searched: AtomicU64,
    steps: AtomicU64,
}

impl Budget {
    /// The budget of an image.
    pub(crate) fn new() -> Budget {
        Budget::of_bytes(BYTES)
    }

    /// The budget for finding out what a file is.
    pub(crate) fn of_headers() -> Budget {
        Budget::of_bytes(BYTES_OF_HEADERS)
    }

    /// The budget for looking through the names of all symbols of a file.
    pub(crate) fn of_names() -> Budget {
        Budget { searched: AtomicU64::new(SEARCHED_FOR_A_NAME), ..Budget::of_bytes(BYTES_OF_HEADERS) }
    }

    /// The budget of an image of which `bytes` may be held.
    pub(crate) fn of_bytes(bytes: u64) -> Budget {
        Budget {
            bytes: AtomicU64::new(bytes),
            searched: AtomicU64::new(SEARCHED),
            steps: AtomicU64::new(STEPS),
        }
    }

    /// Takes `bytes` that are held until the lease ends; `None` when there are not so many left.
    pub(crate) fn lease(&self, bytes: u64) -> Option<Lease<'_>> {
        self.take(bytes).map(|()| Lease { budget: self, bytes })
    }

    /// Takes `bytes` that are held until they are given back; `None` when there are not so many left.
    pub(crate) fn take(&self, bytes: u64) -> Option<()> {
        take(&self.bytes, bytes)
    }

    /// Gives back `bytes` that are no longer held.
    pub(crate) fn give_back(&self, bytes: u64) {
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// The bytes that may still be held.
    pub(crate) fn bytes_left(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Counts `bytes` in which the end of a string was searched; `None` when it was enough, and from then on.
    pub(crate) fn search(&self, bytes: u64) -> Option<()> {
        let found = take(&self.searched, bytes);
        if found.is_none() {
            self.searched.store(0, Ordering::Relaxed);
        }
        found
    }

    /// Adds the steps for sections of `size` bytes.
    pub(crate) fn add_steps(&self, size: u64) {
        let more = size.saturating_mul(STEPS_PER_BYTE);
        let add = |steps: u64| Some(steps.saturating_add(more).min(MOST_STEPS.max(steps)));
        _ = self.steps.fetch_update(Ordering::Relaxed, Ordering::Relaxed, add);
    }

    /// Takes `steps`; `None` when there are not so many left.
    pub(crate) fn take_steps(&self, steps: u64) -> Option<()> {
        take(&self.steps, steps)
    }

    /// Gives back `steps` that were not needed.
    pub(crate) fn give_back_steps(&self, steps: u64) {
        self.steps.fetch_add(steps, Ordering::Relaxed);
    }
}

/// Bytes of a budget, which has them back at the end.
#[derive(Debug)]
pub(crate) struct Lease<'budget> {
    budget: &'budget Budget,
    bytes: u64,
}

impl Lease<'_> {
    /// Takes `bytes` more; `None`, and nothing happens, when there are not so many left.
    pub(crate) fn add(&mut self, bytes: u64) -> Option<()> {
        self.budget.take(bytes)?;
        self.bytes += bytes;
        Some(())
    }

    /// Gives all but `bytes` back.
    pub(crate) fn shrink_to(&mut self, bytes: u64) {
        let surplus = self.bytes.saturating_sub(bytes);
        self.budget.give_back(surplus);
        self.bytes -= surplus;
    }
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        self.shrink_to(0);
    }
}

fn take(left: &AtomicU64, count: u64) -> Option<()> {
    left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(count)).ok().map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_come_back_when_they_are_no_longer_held() {
        let budget = Budget::of_bytes(100);
        let mut first = budget.lease(60).expect("enough");
        assert!(budget.lease(41).is_none());
        assert_eq!((first.add(41), first.add(30)), (None, Some(())));
        first.shrink_to(20);
        assert_eq!(budget.bytes_left(), 80);
        drop(first);
        assert_eq!(budget.bytes_left(), 100);
    }

    #[test]
    fn searching_and_steps_end() {
        let budget = Budget::new();
        assert_eq!((budget.search(SEARCHED - 5), budget.search(6), budget.search(1)), (Some(()), None, None));
        budget.add_steps(1 << 20);
        assert_eq!(budget.take_steps(STEPS + (2 << 20)), Some(()));
        budget.add_steps(u64::MAX);
        assert_eq!((budget.take_steps(MOST_STEPS), budget.take_steps(1)), (Some(()), None));
    }
}
