//! A table of names that are made here, of what an image has instead of symbols.

use oprof_profile::{ImageAddress, NameSource};

use crate::code_symbol::{Binding, CodeSymbol, CodeTable};

/// The bytes that the names of one table may take. Names that are asked for are a few thousand at most; a hostile
/// image could give each a megabyte.
const MOST_NAME_BYTES: usize = 32 << 20;

/// Code with a name that no symbol table has.
#[derive(Clone, Debug, PartialEq, Eq)]
struct MadeName {
    start: ImageAddress,
    size: u64,
    name: Vec<u8>,
}

/// The names that one source gives to the addresses that it was asked for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct MadeTable {
    source: NameSource,
    names: Vec<MadeName>,
    name_bytes: usize,
}

impl MadeTable {
    pub(crate) fn new(source: NameSource) -> MadeTable {
        MadeTable { source, names: Vec::new(), name_bytes: 0 }
    }

    /// Names the code of `size` bytes at `start`; nothing happens where the names are more than can be true.
    pub(crate) fn add(&mut self, start: ImageAddress, size: u64, name: Vec<u8>) {
        self.name_bytes = self.name_bytes.saturating_add(name.len());
        if self.name_bytes <= MOST_NAME_BYTES {
            self.names.push(MadeName { start, size, name });
        }
    }

    /// Whether it has all names that it was given.
    pub(crate) fn is_whole(&self) -> bool {
        self.name_bytes <= MOST_NAME_BYTES
    }

    /// Those of `addresses` (ascending) that have no name here, ascending.
    pub(crate) fn without_name(&self, addresses: &[ImageAddress]) -> Vec<ImageAddress> {
        let mut named = vec![false; addresses.len()];
        for name in &self.names {
            let first = addresses.partition_point(|address| *address < name.start);
            let inside = |address: &ImageAddress| address.0 - name.start.0 < name.size;
            let length = addresses[first..].partition_point(inside);
            named[first..first + length].fill(true);
        }
        addresses.iter().zip(named).filter_map(|(address, named)| (!named).then_some(*address)).collect()
    }
}

impl CodeTable for MadeTable {
    fn visit(&self, visit: &mut dyn FnMut(CodeSymbol)) {
        for (index, name) in self.names.iter().enumerate() {
            visit(CodeSymbol {
                index,
                start: name.start,
                size: name.size,
                limit: name.start,
                binding: Binding::Local,
                is_function: true,
            });
        }
    }

    fn name(&self, index: usize) -> Option<&[u8]> {
        self.names.get(index).map(|name| name.name.as_slice())
    }

    fn source(&self) -> NameSource {
        self.source
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_outside_of_every_name_are_left() {
        let mut table = MadeTable::new(NameSource::Plt);
        table.add(ImageAddress(10), 5, b"a".to_vec());
        table.add(ImageAddress(u64::MAX - 1), 2, b"b".to_vec());
        table.add(ImageAddress(20), 0, b"c".to_vec());
        let addresses = [9, 10, 14, 15, 20, u64::MAX].map(ImageAddress);
        assert_eq!(table.without_name(&addresses), [9, 15, 20].map(ImageAddress));
    }

    #[test]
    fn names_without_end_are_given_up() {
        let mut table = MadeTable::new(NameSource::Plt);
        for index in 0..100 {
            table.add(ImageAddress(index), 1, vec![b'x'; 1 << 20]);
        }
        assert_eq!(table.names.len(), MOST_NAME_BYTES >> 20);
        assert!(!table.is_whole());
    }
}
