//! Folded samples: how often each place was sampled.

use rustc_hash::FxHashMap;

use crate::{EventId, ImageId, ImageOffset, ProcessId};

/// What a sample is folded by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// The process in which it was taken.
    pub process: ProcessId,
    /// The thread of it, by the kernel's number; 0 where threads are not kept apart.
    pub thread: u32,
    /// The image that held the code.
    pub image: ImageId,
    /// Where in the image.
    pub offset: ImageOffset,
    /// The event that was sampled.
    pub event: EventId,
    /// The CPU on which it was taken; [`Key::ALL_CPUS`] where CPUs are not told apart.
    pub cpu: u16,
}

impl Key {
    /// Stands for all CPUs: a session of OProfile's does not tell them apart unless it was recorded so.
    pub const ALL_CPUS: u16 = u16::MAX;
}

/// How often a place was sampled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Number of samples.
    pub samples: u64,
    /// Number of events that these samples stand for: their periods, summed.
    pub weight: u64,
}

impl Count {
    /// Adds `other`, staying at the largest number where the sum would not fit.
    pub fn add(&mut self, other: Count) {
        self.samples = self.samples.saturating_add(other.samples);
        self.weight = self.weight.saturating_add(other.weight);
    }
}

/// Folded samples. Its size follows the number of distinct places, not the number of samples.
///
/// Each CPU has a table of its own: samples of one come one after the other, and find the places of that CPU close to each
/// other in memory, however many CPUs there are.
#[derive(Clone, Debug, Default)]
pub struct Counts {
    by_cpu: Vec<FxHashMap<Key, Count>>,
}

impl Counts {
    /// Adds samples to a place.
    #[inline]
    pub fn add(&mut self, key: Key, count: Count) {
        self.of_cpu(key.cpu).entry(key).or_default().add(count);
    }

    #[inline]
    fn of_cpu(&mut self, cpu: u16) -> &mut FxHashMap<Key, Count> {
        // What is of no CPU of its own has the table of the first.
        let cpu = if cpu == Key::ALL_CPUS { 0 } else { usize::from(cpu) };
        if cpu >= self.by_cpu.len() {
            self.by_cpu.resize_with(cpu + 1, FxHashMap::default);
        }
        &mut self.by_cpu[cpu]
    }

    /// Takes samples away from a place, as many of them as it has; gives what was taken.
    pub(crate) fn take(&mut self, key: Key, count: Count) -> Count {
        let entries = self.of_cpu(key.cpu);
        let Some(held) = entries.get_mut(&key) else { return Count::default() };
        if held.samples <= count.samples {
            return entries.remove(&key).unwrap_or_default();
        }
        let taken = Count { samples: count.samples, weight: count.weight.min(held.weight) };
        *held = Count { samples: held.samples - taken.samples, weight: held.weight - taken.weight };
        taken
    }

    /// Every place that was sampled, in no order.
    pub fn iter(&self) -> impl Iterator<Item = (Key, Count)> + '_ {
        self.by_cpu.iter().flatten().map(|(key, count)| (*key, *count))
    }

    /// Every place that was sampled, in the order of the keys.
    pub fn sorted(&self) -> Vec<(Key, Count)> {
        let mut entries: Vec<_> = self.iter().collect();
        entries.sort_unstable_by_key(|entry| entry.0);
        entries
    }

    /// Keeps the places that `keep` wants.
    pub fn retain(&mut self, mut keep: impl FnMut(&Key) -> bool) {
        for entries in &mut self.by_cpu {
            entries.retain(|key, _| keep(key));
        }
    }

    /// How many distinct places there are.
    pub fn len(&self) -> usize {
        self.by_cpu.iter().map(FxHashMap::len).sum()
    }

    /// No place was sampled.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Moves everything into `other`, leaving none here.
    pub fn drain_into(&mut self, other: &mut Counts) {
        if other.is_empty() {
            std::mem::swap(self, other);
            return;
        }
        for (key, count) in self.by_cpu.iter_mut().flat_map(FxHashMap::drain) {
            other.add(key, count);
        }
    }
}

/// The same places have the same counts.
impl PartialEq for Counts {
    fn eq(&self, other: &Counts) -> bool {
        let last = self.by_cpu.len().max(other.by_cpu.len());
        let none = FxHashMap::default();
        (0..last).all(|cpu| self.by_cpu.get(cpu).unwrap_or(&none) == other.by_cpu.get(cpu).unwrap_or(&none))
    }
}

impl Eq for Counts {}

impl FromIterator<(Key, Count)> for Counts {
    fn from_iter<I: IntoIterator<Item = (Key, Count)>>(entries: I) -> Counts {
        let mut counts = Counts::default();
        for (key, count) in entries {
            counts.add(key, count);
        }
        counts
    }
}
