//! The samples of merged recordings.

use rustc_hash::FxHashMap;

use crate::{Count, Counts, ImageOffset, Key, OffsetTable};

/// A place within its group, with what was added to it.
type Place = (ImageOffset, Count);

/// So many new places wait at the least before they are sorted in.
const FEW: usize = 64;
/// A group's new places wait until they are this fraction of the others.
const FRACTION: usize = 8;

/// Folded samples, in a list for each group of places that differ in their offsets alone. It takes half of the memory of a
/// table of all keys.
#[derive(Debug, Default)]
pub(super) struct Places {
    /// By what the places share; the offset in the key is zero.
    groups: FxHashMap<Key, Group>,
    length: usize,
}

/// Places that differ in their offsets alone.
#[derive(Debug, Default)]
struct Group {
    /// Ascending, each once.
    settled: Vec<Place>,
    /// Leads close to each of these, where they are many.
    table: Option<OffsetTable>,
    /// New ones, as they came.
    new: Vec<Place>,
}

impl Places {
    /// Adds samples to places that share all but the offset of the key.
    pub(super) fn add(&mut self, key: Key, places: impl Iterator<Item = (Key, Count)>) {
        let group = self.groups.entry(Key { offset: ImageOffset(0), ..key }).or_default();
        let had = group.len();
        group.add(places.map(|(key, count)| (key.offset, count)));
        self.length = self.length - had + group.len();
    }

    /// How many places there are. One that is new is in it each time that it came, until they are settled.
    pub(super) fn len(&self) -> usize {
        self.length
    }

    /// Counts each place once.
    pub(super) fn settle(&mut self) {
        self.groups.values_mut().for_each(Group::settle);
        self.length = self.groups.values().map(Group::len).sum();
    }

    /// Every place, in no order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (Key, Count)> + '_ {
        self.groups
            .iter()
            .flat_map(|(key, group)| group.iter().map(move |(offset, count)| (Key { offset, ..*key }, count)))
    }

    /// Gives every group the key that `change`, which leaves the offset alone, makes of its own; those of one key are one.
    pub(super) fn change_keys(&mut self, change: impl Fn(Key) -> Key) {
        for (key, mut group) in std::mem::take(&mut self.groups) {
            let ours = self.groups.entry(change(key)).or_default();
            if ours.len() < group.len() {
                std::mem::swap(ours, &mut group);
            }
            ours.add(group.iter());
        }
        self.settle();
    }

    /// All of them; the memory of each group's goes as they are taken over.
    pub(super) fn finish(mut self) -> Counts {
        self.settle();
        let of_group = |(key, group): (Key, Group)| {
            group.settled.into_iter().map(move |(offset, count)| (Key { offset, ..key }, count))
        };
        self.groups.into_iter().flat_map(of_group).collect()
    }
}

impl Group {
    fn len(&self) -> usize {
        self.settled.len() + self.new.len()
    }

    fn iter(&self) -> impl Iterator<Item = Place> + '_ {
        self.settled.iter().chain(&self.new).copied()
    }

    fn add(&mut self, places: impl Iterator<Item = Place>) {
        for (offset, count) in places {
            match self.find(offset) {
                Some(index) => self.settled[index].1.add(count),
                None => self.new.push((offset, count)),
            }
        }
        if self.new.len() > FEW.max(self.settled.len() / FRACTION) {
            self.settle();
        }
    }

    fn find(&self, offset: ImageOffset) -> Option<usize> {
        let near = match &self.table {
            Some(table) => table.near(offset)?,
            None => 0..self.settled.len(),
        };
        let found = self.settled[near.clone()].binary_search_by_key(&offset, |(known, _)| *known);
        found.ok().map(|index| near.start + index)
    }

    fn settle(&mut self) {
        if self.new.is_empty() {
            return;
        }
        self.new.sort_by_key(|(offset, _)| *offset);
        self.settled.reserve_exact(self.new.len());
        self.settled.append(&mut self.new);
        // Two ascending runs: that takes no longer than to go through them.
        self.settled.sort_by_key(|(offset, _)| *offset);
        self.settled.dedup_by(|(later, count), (kept, sum)| {
            let is_same = later == kept;
            if is_same {
                sum.add(*count);
            }
            is_same
        });
        self.new = Vec::new();
        let many = self.settled.len() > FEW;
        self.table = many.then(|| OffsetTable::new(self.settled.iter().map(|place| place.0))).flatten();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ImageId, ProcessId};

    #[test]
    fn every_place_has_the_sum_of_what_was_added() {
        let mut state = 5_u64;
        let mut random = move |below: u64| {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (state >> 33) % below
        };
        let mut places = Places::default();
        let mut expected = Counts::default();
        for round in 0..400 {
            let key = Key {
                process: ProcessId(random(3) as u32),
                image: ImageId(random(2) as u32),
                ..Key::default()
            };
            let range = 1 + random(2000);
            let mut offsets: Vec<u64> = (0..random(300)).map(|_| random(range)).collect();
            if round % 5 != 0 {
                offsets.sort_unstable();
            }
            let count = Count { samples: 1 + random(3), weight: random(100) };
            let added: Vec<_> =
                offsets.iter().map(|offset| (Key { offset: ImageOffset(*offset), ..key }, count)).collect();
            added.iter().for_each(|(key, count)| expected.add(*key, *count));
            places.add(key, added.into_iter());
        }
        assert!(places.len() >= expected.len());
        places.settle();
        assert_eq!(places.len(), expected.len());
        let all: Counts = places.iter().collect();
        assert_eq!(all.sorted(), expected.sorted());
        // All processes become one.
        places.change_keys(|key| Key { process: ProcessId(7), ..key });
        let mut folded = Counts::default();
        expected.iter().for_each(|(key, count)| folded.add(Key { process: ProcessId(7), ..key }, count));
        assert_eq!(places.len(), folded.len());
        assert_eq!(places.finish().sorted(), folded.sorted());
    }
}
