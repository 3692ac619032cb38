//! What is mapped where in one process.

use crate::{ImageId, ImageOffset, VirtualAddress};

/// One stretch of executable memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mapping {
    /// Its first address.
    pub start: VirtualAddress,
    /// The address behind its last one.
    pub end: VirtualAddress,
    /// What is mapped there.
    pub image: ImageId,
    /// The position in the image that is found at `start`.
    pub first_offset: ImageOffset,
}

impl Mapping {
    /// The position in the image of an address inside this mapping.
    fn offset(&self, address: VirtualAddress) -> ImageOffset {
        ImageOffset(self.first_offset.0.wrapping_add(address.0.wrapping_sub(self.start.0)))
    }

    /// This mapping from `start` on.
    fn from(&self, start: VirtualAddress) -> Mapping {
        Mapping { start, first_offset: self.offset(start), ..*self }
    }
}

/// The executable mappings of a process, none overlapping another: a later mapping takes the place of what was
/// there before, as mmap(2) with MAP_FIXED does. The kernel reports no munmap(2), so a mapping stays until then.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AddressSpace {
    /// In the order of their addresses.
    mappings: Vec<Mapping>,
}

impl AddressSpace {
    /// Whether one image, or several that all are as asked for, hold the whole of a stretch of addresses.
    pub fn is_held_by(
        &self,
        start: VirtualAddress,
        end: VirtualAddress,
        mut is_asked: impl FnMut(ImageId) -> bool,
    ) -> bool {
        let first = self.mappings.partition_point(|mapping| mapping.end <= start);
        let mut reached = start;
        for mapping in &self.mappings[first..] {
            if reached >= end || mapping.start > reached || !is_asked(mapping.image) {
                break;
            }
            reached = mapping.end;
        }
        reached >= end
    }

    /// Adds a mapping; what it overlaps is cut. An empty one changes nothing.
    pub fn map(&mut self, mapping: Mapping) {
        if mapping.end <= mapping.start {
            return;
        }
        let first = self.mappings.partition_point(|old| old.end <= mapping.start);
        let last = self.mappings.partition_point(|old| old.start < mapping.end);
        let mut replacement = Vec::with_capacity(3);
        if first < last {
            let head = self.mappings[first];
            if head.start < mapping.start {
                replacement.push(Mapping { end: mapping.start, ..head });
            }
        }
        replacement.push(mapping);
        if first < last {
            let tail = self.mappings[last - 1];
            if tail.end > mapping.end {
                replacement.push(tail.from(mapping.end));
            }
        }
        self.mappings.splice(first..last, replacement);
    }

    /// The image at an address, and the position in it.
    pub fn lookup(&self, address: VirtualAddress) -> Option<(ImageId, ImageOffset)> {
        let index = self.mappings.partition_point(|mapping| mapping.end <= address);
        let mapping = self.mappings.get(index)?;
        (mapping.start <= address).then(|| (mapping.image, mapping.offset(address)))
    }

    /// The mappings, in the order of their addresses.
    pub fn mappings(&self) -> &[Mapping] {
        &self.mappings
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mapping(start: u64, end: u64, image: u32, offset: u64) -> Mapping {
        Mapping {
            start: VirtualAddress(start),
            end: VirtualAddress(end),
            image: ImageId(image),
            first_offset: ImageOffset(offset),
        }
    }

    fn at(space: &AddressSpace, address: u64) -> Option<(u32, u64)> {
        space.lookup(VirtualAddress(address)).map(|(image, offset)| (image.0, offset.0))
    }

    #[test]
    fn an_address_belongs_to_the_mapping_that_holds_it_and_to_no_other() {
        let mut space = AddressSpace::default();
        space.map(mapping(0x2000, 0x3000, 1, 0x500));
        space.map(mapping(0x1000, 0x1800, 2, 0));
        assert_eq!(at(&space, 0xfff), None);
        assert_eq!(at(&space, 0x1000), Some((2, 0)));
        assert_eq!(at(&space, 0x17ff), Some((2, 0x7ff)));
        assert_eq!(at(&space, 0x1800), None);
        assert_eq!(at(&space, 0x2010), Some((1, 0x510)));
        assert_eq!(at(&space, 0x3000), None);
    }

    #[test]
    fn a_later_mapping_cuts_an_earlier_one_in_two_and_both_ends_keep_their_offsets() {
        let mut space = AddressSpace::default();
        space.map(mapping(0x1000, 0x5000, 1, 0));
        space.map(mapping(0x2000, 0x3000, 2, 0x100));
        assert_eq!(at(&space, 0x1fff), Some((1, 0xfff)));
        assert_eq!(at(&space, 0x2000), Some((2, 0x100)));
        assert_eq!(at(&space, 0x3000), Some((1, 0x2000)));
        assert_eq!(space.mappings().len(), 3);
    }

    #[test]
    fn a_mapping_over_several_replaces_them() {
        let mut space = AddressSpace::default();
        space.map(mapping(0x1000, 0x2000, 1, 0));
        space.map(mapping(0x2000, 0x3000, 2, 0));
        space.map(mapping(0x3000, 0x4000, 3, 0));
        space.map(mapping(0x1800, 0x3800, 4, 0));
        assert_eq!(at(&space, 0x1000), Some((1, 0)));
        assert_eq!(at(&space, 0x2800), Some((4, 0x1000)));
        assert_eq!(at(&space, 0x3800), Some((3, 0x800)));
        assert_eq!(space.mappings().len(), 3);
    }

    #[test]
    fn an_empty_or_backward_mapping_changes_nothing() {
        let mut space = AddressSpace::default();
        space.map(mapping(0x1000, 0x1000, 1, 0));
        space.map(mapping(u64::MAX, 0, 1, 0));
        assert!(space.mappings().is_empty());
    }

    #[test]
    fn a_stretch_is_held_where_no_part_of_it_is_not() {
        let mut space = AddressSpace::default();
        let map = |space: &mut AddressSpace, start, end, image| {
            let (start, end) = (VirtualAddress(start), VirtualAddress(end));
            space.map(Mapping { start, end, image: ImageId(image), first_offset: ImageOffset(0) });
        };
        map(&mut space, 100, 200, 1);
        map(&mut space, 200, 300, 1);
        map(&mut space, 300, 400, 2);
        map(&mut space, 401, 500, 2);
        let held = |start, end, most| {
            space.is_held_by(VirtualAddress(start), VirtualAddress(end), |image| image.0 <= most)
        };
        assert!(held(100, 300, 1) && held(150, 250, 1) && held(199, 201, 1) && held(250, 400, 2));
        assert!(!held(99, 150, 1) && !held(250, 301, 1) && !held(350, 410, 2) && !held(450, 501, 2));
    }
}
