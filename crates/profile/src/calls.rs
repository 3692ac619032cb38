//! Folded calls: how often a call was seen in the stacks of samples.

use rustc_hash::FxHashMap;

use crate::{EventId, ImageId, ImageOffset, ProcessId};

/// A call, and what it is folded by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Call {
    /// The process in which it was seen.
    pub process: ProcessId,
    /// The thread of it; 0 where threads are not kept apart.
    pub thread: u32,
    /// The image that holds the code that calls.
    pub caller_image: ImageId,
    /// Where it calls.
    pub caller: ImageOffset,
    /// The image that holds the code that is called.
    pub callee_image: ImageId,
    /// Where that code was: sampled there, or calling on.
    pub callee: ImageOffset,
    /// The event with whose samples it was seen.
    pub event: EventId,
    /// The CPU; [`Key::ALL_CPUS`](crate::Key::ALL_CPUS) where CPUs are not told apart.
    pub cpu: u16,
}

/// Folded calls, each with how often it was seen: once for each pair of frames of a sample's stack.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Calls(FxHashMap<Call, u64>);

impl Calls {
    /// Adds how often a call was seen.
    pub fn add(&mut self, call: Call, times: u64) {
        let sum = self.0.entry(call).or_default();
        *sum = sum.saturating_add(times);
    }

    /// Keeps the calls of which `keep` is true.
    pub fn retain(&mut self, mut keep: impl FnMut(&Call) -> bool) {
        self.0.retain(|call, _| keep(call));
    }

    /// Every call, in no order.
    pub fn iter(&self) -> impl Iterator<Item = (Call, u64)> + '_ {
        self.0.iter().map(|(call, times)| (*call, *times))
    }

    /// Every call, in their order.
    pub fn sorted(&self) -> Vec<(Call, u64)> {
        let mut calls: Vec<_> = self.iter().collect();
        calls.sort_unstable_by_key(|entry| entry.0);
        calls
    }

    /// How many distinct calls there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// No call was seen.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<(Call, u64)> for Calls {
    fn from_iter<I: IntoIterator<Item = (Call, u64)>>(entries: I) -> Calls {
        let mut calls = Calls::default();
        for (call, times) in entries {
            calls.add(call, times);
        }
        calls
    }
}
