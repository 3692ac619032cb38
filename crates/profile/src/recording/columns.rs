//! Columns: many numbers in one field of a message, each a varint (protobuf's packed encoding).
//!
//! Most of a large recording are columns. They are unpacked here, straight from the bytes of their message, in a third of
//! the time that a general decoder takes for a number each.

use prost::bytes::Bytes;
use prost::encoding::encode_varint;

use super::decode::{Contradiction, NOT_OF_THE_SCHEMA};

/// Packs numbers.
pub(super) fn pack(numbers: impl IntoIterator<Item = u64>) -> Bytes {
    let mut bytes = Vec::new();
    numbers.into_iter().for_each(|number| encode_varint(number, &mut bytes));
    bytes.into()
}

/// Ascending numbers, each as its distance from the one before; the first from 0.
pub(super) fn distances(numbers: impl Iterator<Item = u64>) -> impl Iterator<Item = u64> {
    let mut previous = 0;
    numbers.map(move |number| number - std::mem::replace(&mut previous, number))
}

/// Unpacks numbers into a list of no more memory than they need, whose content is replaced.
pub(super) fn unpack(bytes: &[u8], numbers: &mut Vec<u64>) -> Result<(), Contradiction> {
    numbers.clear();
    let column = Numbers::new(bytes);
    numbers.reserve_exact(column.length());
    for number in column {
        numbers.push(number?);
    }
    Ok(())
}

/// The numbers of a column, one after the other; behind one that is none, nothing.
#[derive(Clone, Debug)]
pub(super) struct Numbers<'a> {
    rest: &'a [u8],
}

impl<'a> Numbers<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Numbers<'a> {
        Numbers { rest: bytes }
    }

    /// How many there are still.
    pub(super) fn length(&self) -> usize {
        // Each ends with a byte whose highest bit is clear.
        self.rest.iter().filter(|byte| **byte < 0x80).count()
    }

    /// A number of several bytes, of which the first was taken.
    #[inline]
    fn several(&mut self, first: u8) -> Result<u64, Contradiction> {
        let mut number = u64::from(first & 0x7f);
        for (index, byte) in self.rest.iter().enumerate().take(9) {
            let shift = 7 * (index + 1);
            number |= u64::from(byte & 0x7f) << shift;
            if *byte < 0x80 {
                self.rest = &self.rest[index + 1..];
                // Of the tenth byte one bit is left.
                return if shift < 63 || *byte <= 1 { Ok(number) } else { Err(self.end()) };
            }
        }
        Err(self.end())
    }

    fn end(&mut self) -> Contradiction {
        self.rest = &[];
        NOT_OF_THE_SCHEMA
    }
}

impl Iterator for Numbers<'_> {
    type Item = Result<u64, Contradiction>;

    #[inline]
    fn next(&mut self) -> Option<Result<u64, Contradiction>> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(if *first < 0x80 { Ok(u64::from(*first)) } else { self.several(*first) })
    }
}

#[cfg(test)]
mod tests {
    use prost::Message;

    use super::*;

    /// A column as a general decoder sees it.
    #[derive(Clone, PartialEq, Message)]
    struct General {
        #[prost(uint64, repeated, tag = "1")]
        numbers: Vec<u64>,
    }

    fn unpacked(bytes: &[u8]) -> Result<Vec<u64>, Contradiction> {
        let mut numbers = vec![9];
        unpack(bytes, &mut numbers).map(|()| numbers)
    }

    /// What a general decoder makes of the bytes.
    fn general(bytes: &[u8]) -> Option<Vec<u64>> {
        let mut message = vec![0x0a];
        encode_varint(bytes.len() as u64, &mut message);
        message.extend(bytes);
        General::decode(message.as_slice()).ok().map(|general| general.numbers)
    }

    #[test]
    fn numbers_of_all_lengths_are_the_same_again() {
        let mut numbers: Vec<u64> = vec![0, 1, u64::MAX];
        for bits in 0..64 {
            numbers.extend([1 << bits, (1 << bits) - 1, (1_u64 << bits) + 1]);
        }
        let bytes = pack(numbers.iter().copied());
        assert_eq!(Numbers::new(&bytes).length(), numbers.len());
        assert_eq!(unpacked(&bytes).as_ref(), Ok(&numbers));
        assert_eq!(general(&bytes), Some(numbers));
    }

    #[test]
    fn what_is_no_number_is_refused_where_a_general_decoder_refuses_it() {
        let mut state = 3_u64;
        let mut refused = 0;
        for round in 0..20_000 {
            let bytes: Vec<u8> = (0..round % 14)
                .map(|_| {
                    state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                    // Mostly bytes that another one follows.
                    let byte = (state >> 33) as u8;
                    if state >> 60 == 0 { byte & 3 } else { byte | 0x80 }
                })
                .collect();
            assert_eq!(unpacked(&bytes).ok(), general(&bytes), "{bytes:x?}");
            refused += u32::from(general(&bytes).is_none());
        }
        assert!((1000..20_000).contains(&refused), "{refused}");
    }
}
