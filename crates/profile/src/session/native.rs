//! Turns samples into the bytes of a sample file of this machine's layout ([`Abi::NATIVE`]), as OProfile's own database
//! would have written them.

use rustc_hash::FxHashMap;

use super::sample_file::{MAGIC, VERSION};
use super::{Abi, Header};

/// A table has room for this many nodes at first, and then for twice as many whenever it is full.
const FIRST_ROOM: usize = 128;
/// Samples at one place are told in several nodes where a node's 32 bits do not suffice, but in no more than this many:
/// a damaged file has larger numbers than a machine can count to.
const MOST_NODES_OF_A_KEY: u64 = 16;
/// The nodes of the largest table whose file has offsets of 32 bits all over.
const MOST_NODES: usize = 1 << 26;

/// Samples do not fit into a sample file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TooMany {
    /// At one place.
    #[error(
        "{samples} samples at {key:#x} are more than a sample file can tell; the file is damaged, or the abi is another"
    )]
    AtOnePlace {
        /// The key of the place.
        key: u64,
        /// How many.
        samples: u64,
    },
    /// Too many places.
    #[error("more than {MOST_NODES} places are more than a sample file can tell")]
    Places,
}

/// The bytes of a sample file. Samples of one key are put together, and are in the order in which keys come first.
///
/// # Errors
/// Where they do not fit.
pub fn native_bytes(
    header: &Header,
    samples: impl IntoIterator<Item = (u64, u64)>,
) -> Result<Vec<u8>, TooMany> {
    let mut places: Vec<(u64, u64)> = Vec::new();
    let mut known: FxHashMap<u64, usize> = FxHashMap::default();
    for (key, value) in samples {
        let place = *known.entry(key).or_insert_with(|| {
            places.push((key, 0));
            places.len() - 1
        });
        places[place].1 = places[place].1.saturating_add(value);
    }
    let mut nodes: Vec<(u64, u32)> = Vec::with_capacity(places.len());
    for (key, samples) in places {
        if samples.div_ceil(u32::MAX.into()) > MOST_NODES_OF_A_KEY {
            return Err(TooMany::AtOnePlace { key, samples });
        }
        let mut left = samples;
        loop {
            let part = u32::try_from(left).unwrap_or(u32::MAX);
            nodes.push((key, part));
            left -= u64::from(part);
            if left == 0 {
                break;
            }
        }
    }
    if nodes.len() >= MOST_NODES {
        return Err(TooMany::Places);
    }
    let mut room = FIRST_ROOM;
    // The first node is never used.
    while nodes.len() + 1 > room {
        room *= 2;
    }
    Ok(laid_out(header, &nodes, room))
}

fn laid_out(header: &Header, nodes: &[(u64, u32)], room: usize) -> Vec<u8> {
    let abi = &Abi::NATIVE;
    let hash_start = abi.first_node() + room * abi.node_size;
    let mut bytes = vec![0; hash_start + room * abi.index_size];
    let mut put = |at: usize, number: &[u8]| bytes[at..at + number.len()].copy_from_slice(number);
    put(abi.magic, &MAGIC);
    put(abi.version, &VERSION.to_le_bytes()[..4]);
    put(abi.cpu_type, &header.cpu_type.to_le_bytes());
    put(abi.event, &header.event.to_le_bytes());
    put(abi.unit_mask, &header.unit_mask.to_le_bytes());
    put(abi.count, &header.count.to_le_bytes());
    put(abi.is_kernel, &u32::from(header.is_kernel).to_le_bytes());
    put(abi.cpu_speed, &header.cpu_speed.to_le_bytes());
    put(abi.mtime, &header.mtime.to_le_bytes());
    put(abi.callee_is_kernel, &u32::from(header.callee_is_kernel).to_le_bytes());
    put(abi.memory_start, &header.memory_start.to_le_bytes());
    put(abi.callee_memory_start, &header.callee_memory_start.to_le_bytes());
    put(abi.header_size + abi.description_nodes, &(room as u32).to_le_bytes());
    put(abi.header_size + abi.description_used, &(nodes.len() as u32 + 1).to_le_bytes());
    let mut heads = vec![0_u32; room];
    for (index, (key, value)) in nodes.iter().enumerate().map(|(index, node)| (index + 1, node)) {
        let head = &mut heads[slot(*key, room)];
        let node = abi.first_node() + index * abi.node_size;
        put(node + abi.node_key, &key.to_le_bytes());
        put(node + abi.node_value, &value.to_le_bytes());
        put(node + abi.node_next, &head.to_le_bytes());
        *head = index as u32;
    }
    for (index, head) in heads.iter().enumerate() {
        put(hash_start + index * abi.index_size, &head.to_le_bytes());
    }
    bytes
}

/// Which chain of the hash table a key is in.
fn slot(key: u64, room: usize) -> usize {
    let folded = (key >> 32) as u32 ^ key as u32;
    (folded ^ folded >> 8) as usize & (room - 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::Samples;

    const HEADER: Header = Header {
        cpu_type: 69,
        event: 0x76,
        unit_mask: 1,
        count: 100_000,
        is_kernel: true,
        cpu_speed: 2596.134,
        mtime: 1_700_000_000,
        callee_is_kernel: true,
        memory_start: 0x7fff_0000_1000,
        callee_memory_start: 0x7fff_0000_2000,
    };

    fn read(bytes: &[u8]) -> Vec<(u64, u64)> {
        assert_eq!(Header::parse(bytes, &Abi::NATIVE), Ok(HEADER));
        Samples::of_file(bytes, &Abi::NATIVE).expect("readable").collect()
    }

    #[test]
    fn what_was_written_is_read() {
        let samples: Vec<(u64, u64)> = (0..1000_u64).map(|at| (at * 0x1_0000_0037, at % 7 + 1)).collect();
        let bytes = native_bytes(&HEADER, samples.iter().copied()).expect("they fit");
        assert_eq!(bytes.len(), 104 + 1024 * 20);
        assert_eq!(read(&bytes), samples);
        assert_eq!(native_bytes(&HEADER, []).expect("they fit").len(), 2664);
    }

    #[test]
    fn a_table_grows_when_it_is_full() {
        let of = |count: u64| native_bytes(&HEADER, (0..count).map(|key| (key, 1))).expect("they fit").len();
        assert_eq!((of(127), of(128)), (104 + 128 * 20, 104 + 256 * 20));
    }

    #[test]
    fn every_key_is_found_through_the_hash_table() {
        let keys: Vec<u64> = (0..300_u64).map(|at| (at << 30) ^ (at * 977)).collect();
        let bytes = native_bytes(&HEADER, keys.iter().map(|key| (*key, 5))).expect("they fit");
        let number = |at: usize| Abi::NATIVE.number(&bytes, at, 4).expect("within") as usize;
        let room = number(72);
        for key in keys {
            let mut node = number(104 + room * 16 + slot(key, room) * 4);
            while node != 0 && Abi::NATIVE.number(&bytes, 104 + node * 16, 8) != Some(key) {
                node = number(104 + node * 16 + 12);
            }
            assert_ne!(node, 0, "{key:#x}");
        }
    }

    #[test]
    fn more_than_32_bits_are_told_in_several_nodes() {
        let bytes = native_bytes(&HEADER, [(8, u64::from(u32::MAX)), (9, 1), (8, 3)]).expect("they fit");
        assert_eq!(read(&bytes), [(8, u32::MAX.into()), (8, 3), (9, 1)]);
        let wrong = native_bytes(&HEADER, [(8, u64::MAX)]);
        assert_eq!(wrong, Err(TooMany::AtOnePlace { key: 8, samples: u64::MAX }));
    }
}
