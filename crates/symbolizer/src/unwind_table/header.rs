//! `.eh_frame_hdr`: where in `.eh_frame` the entry of a function is.
//!
//! Its form is chosen by three bytes, but linkers write one alone, and that is read here: a pointer of 4 bytes to
//! `.eh_frame`, the number of rows in 4 bytes, and the rows, each two distances of 4 bytes from the section's start:
//! of a function and of its entry. The rows ascend.

use object::{Endian, Endianness};
use oprof_profile::ImageAddress;

/// DW_EH_PE_udata4 and DW_EH_PE_sdata4: the lower half of an encoding is the format.
const FOUR_BYTES: [u8; 2] = [0x03, 0x0b];

/// DW_EH_PE_datarel | DW_EH_PE_sdata4: the encoding of the rows.
const FROM_SECTION: u8 = 0x3b;

/// DW_EH_PE_pcrel | DW_EH_PE_sdata4: the encoding of the pointer to `.eh_frame`, from where it stands itself.
const FROM_ITSELF: u8 = 0x1b;

/// The address of `.eh_frame` as `section` tells it, which stands at `start`; `None` where it has another form.
pub(super) fn frame(section: &[u8], endian: Endianness, start: ImageAddress) -> Option<ImageAddress> {
    let [1, FROM_ITSELF, _, _, pointer @ ..] = *section.first_chunk::<8>()? else { return None };
    let distance = endian.read_u32(pointer).cast_signed();
    Some(ImageAddress(start.0.wrapping_add(4).wrapping_add_signed(distance.into())))
}

/// The rows of the section.
#[derive(Clone, Copy, Debug)]
pub(super) struct Header<'bytes> {
    rows: &'bytes [[u8; 8]],
    endian: Endianness,
    /// The address of the section.
    start: ImageAddress,
}

impl<'bytes> Header<'bytes> {
    /// Reads the section, which stands at `start`; `None` where it has another form, or no rows.
    pub(super) fn parse(
        section: &'bytes [u8],
        endian: Endianness,
        start: ImageAddress,
    ) -> Option<Header<'bytes>> {
        let (head, rest) = section.split_first_chunk::<12>()?;
        let [1, pointer, count, FROM_SECTION, ..] = *head else { return None };
        if !FOUR_BYTES.contains(&(pointer & 0xf)) || !FOUR_BYTES.contains(&count) {
            return None;
        }
        let count = endian.read_u32([head[8], head[9], head[10], head[11]]);
        let (rows, _) = rest.as_chunks();
        let rows = rows.get(..usize::try_from(count).ok()?).filter(|rows| !rows.is_empty())?;
        Some(Header { rows, endian, start })
    }

    /// The address of the entry of the last function that starts at or before `address`.
    pub(super) fn entry(&self, address: ImageAddress) -> Option<ImageAddress> {
        let behind = self.rows.partition_point(|row| self.columns(row)[0] <= address);
        Some(self.columns(&self.rows[behind.checked_sub(1)?])[1])
    }

    /// The addresses of all functions and of their entries.
    pub(super) fn rows(&self) -> impl Iterator<Item = [ImageAddress; 2]> {
        self.rows.iter().map(|row| self.columns(row))
    }

    /// The addresses of a function and its entry.
    fn columns(&self, row: &[u8; 8]) -> [ImageAddress; 2] {
        let (columns, _) = row.as_chunks::<4>();
        [columns[0], columns[1]].map(|bytes| {
            let distance = self.endian.read_u32(bytes).cast_signed();
            ImageAddress(self.start.0.wrapping_add_signed(distance.into()))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn section(count: u32, rows: &[(i32, i32)]) -> Vec<u8> {
        let mut bytes = vec![1, 0x1b, 0x03, 0x3b, 0x20, 0, 0, 0];
        bytes.extend(count.to_le_bytes());
        for (function, entry) in rows {
            bytes.extend(function.to_le_bytes());
            bytes.extend(entry.to_le_bytes());
        }
        bytes
    }

    #[test]
    fn the_last_row_that_is_not_above_an_address_is_found() {
        let bytes = section(3, &[(-0x1000, 0x50), (-0xf00, 0x68), (0x100, 0x80)]);
        let header = Header::parse(&bytes, Endianness::Little, ImageAddress(0x2000)).unwrap();
        let entry = |address| header.entry(ImageAddress(address)).map(|entry| entry.0);
        assert_eq!(entry(0xfff), None);
        assert_eq!(entry(0x1000), Some(0x2050));
        assert_eq!(entry(0x10ff), Some(0x2050));
        assert_eq!(entry(0x1100), Some(0x2068));
        assert_eq!(entry(u64::MAX), Some(0x2080));
    }

    #[test]
    fn other_forms_and_claims_are_refused() {
        let good = section(1, &[(0, 0)]);
        let parse = |bytes: &[u8]| Header::parse(bytes, Endianness::Little, ImageAddress(0)).is_some();
        assert!(parse(&good));
        assert!(!parse(&section(0, &[(0, 0)])) && !parse(&section(2, &[(0, 0)])));
        assert!(!parse(&section(u32::MAX, &[(0, 0)])) && !parse(b"") && !parse(&good[..13]));
        for place in 0..4 {
            let mut other = good.clone();
            other[place] = 0xff;
            assert!(!parse(&other), "byte {place}");
        }
    }
}
