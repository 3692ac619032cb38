//! The file that gprof(1) reads: `gmon.out`, version 1 (gmon_out.h of the GNU C library).
//!
//! ```text
//! header     u8[4] "gmon"   u32 version 1   u8[12] 0
//! histogram  u8 0   address low   address high   u32 bins   u32 rate 1   u8[15] "samples"   u8 '1'   u16[bins]
//! arc        u8 1   address caller   address callee   u32 count
//! ```
//!
//! Addresses are as wide as the binary's, and everything is in its byte order. gprof adds up histograms of one range: that
//! is how more than 65,535 samples of one place are told.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use oprof_profile::{ImageId, NameSource, Recording, Symbol};

/// gprof's finest step, in bytes: what two symbols have between two of these is taken for the second's (its hist.c).
const UNIT: u64 = 2;
/// How many of these one bin can hold where functions begin and end at multiples of it: the file is a quarter then.
const WIDE_BIN: u64 = 4;
/// As many bins are written at the most, over all histograms: 512 MB.
const MOST_BINS: u64 = 1 << 28;

/// How the binary writes numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GmonLayout {
    /// Addresses are of 64 bits, not of 32.
    pub is_64_bit: bool,
    /// The most significant byte comes first.
    pub is_big_endian: bool,
}

/// The samples and calls of one binary, as gprof takes them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Gmon {
    /// Samples by address, in steps of [`UNIT`].
    places: BTreeMap<u64, u64>,
    /// Calls from an address to a function.
    arcs: BTreeMap<(u64, u64), u64>,
    /// Units in a bin.
    bin: u64,
    /// Samples of functions below the threshold.
    below: u64,
    /// Samples in no function that gprof could know.
    outside: u64,
}

/// What a file could not take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GmonLoss {
    /// Samples beyond what its bins hold.
    pub capped: u64,
}

/// The addresses of the samples are too far apart for a histogram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooFarApart;

impl Gmon {
    /// Of these images, all builds of one binary; functions below `threshold` percent of its samples are left out.
    pub fn new(recording: &Recording, images: &BTreeSet<ImageId>, threshold: f64) -> Gmon {
        let mut functions: BTreeMap<(u64, u64), BTreeMap<u64, u64>> = BTreeMap::new();
        let mut gmon = Gmon { bin: WIDE_BIN, ..Gmon::default() };
        let mut total = 0_u64;
        for (key, count) in recording.counts.iter().filter(|(key, _)| images.contains(&key.image)) {
            total = total.saturating_add(count.samples);
            let Some(names) = recording.image_names(key.image) else { continue };
            let symbol = recording.lookup(key.image, key.offset).ok().and_then(|id| names.symbol(id));
            match symbol.filter(|symbol| is_known_to_gprof(symbol)) {
                Some(symbol) => {
                    let range = (symbol.address.0, symbol.address.0.saturating_add(symbol.size));
                    let place =
                        functions.entry(range).or_default().entry(names.address(key.offset).0).or_default();
                    *place = place.saturating_add(count.samples);
                }
                None => gmon.outside = gmon.outside.saturating_add(count.samples),
            }
        }
        for (range, places) in functions {
            let samples = places.values().fold(0_u64, |sum, samples| sum.saturating_add(*samples));
            if (samples as f64) * 100.0 < threshold * total as f64 {
                gmon.below = gmon.below.saturating_add(samples);
                continue;
            }
            // The units that are this function's alone.
            let first = range.0 / UNIT;
            let last = (range.1 / UNIT).saturating_sub(1).max(first);
            for (address, samples) in places {
                let unit = (address / UNIT).clamp(first, last);
                let place = gmon.places.entry(unit).or_default();
                *place = place.saturating_add(samples);
                let bin = unit / WIDE_BIN * WIDE_BIN;
                if bin < first || bin + WIDE_BIN - 1 > last {
                    gmon.bin = 1;
                }
            }
        }
        for (call, times) in recording.calls.iter() {
            if !images.contains(&call.caller_image) || !images.contains(&call.callee_image) {
                continue;
            }
            let address = |image, offset| recording.image_names(image).map(|names| names.address(offset).0);
            let names = recording.image_names(call.callee_image);
            let called = recording.lookup(call.callee_image, call.callee).ok();
            let called = called.and_then(|id| names?.symbol(id)).map(|symbol| symbol.address.0);
            if let (Some(caller), Some(callee)) = (address(call.caller_image, call.caller), called) {
                let arc = gmon.arcs.entry((caller, callee)).or_default();
                *arc = arc.saturating_add(times);
            }
        }
        gmon
    }

    /// The samples in it.
    pub fn samples(&self) -> u64 {
        self.places.values().fold(0, |sum, samples| sum.saturating_add(*samples))
    }

    /// The samples in no function that gprof could know, which are left out.
    pub fn outside(&self) -> u64 {
        self.outside
    }

    /// Writes the file.
    ///
    /// # Errors
    /// Where `out` cannot be written; [`TooFarApart`] within.
    pub fn write(
        &self,
        layout: GmonLayout,
        out: &mut dyn Write,
    ) -> io::Result<Result<GmonLoss, TooFarApart>> {
        let (Some((first, _)), Some((last, _))) =
            (self.places.first_key_value(), self.places.last_key_value())
        else {
            return Ok(Err(TooFarApart));
        };
        let (first, last) = (first / self.bin, last / self.bin);
        let bins = last - first + 1;
        if bins > MOST_BINS || !layout.is_64_bit && (last + 1) * self.bin * UNIT > u64::from(u32::MAX) {
            return Ok(Err(TooFarApart));
        }
        let mut numbers = Numbers { layout, out };
        numbers.out.write_all(b"gmon")?;
        numbers.word(1)?;
        numbers.out.write_all(&[0; 12])?;
        let mut left: BTreeMap<u64, u64> = BTreeMap::new();
        for (unit, samples) in &self.places {
            let bin = left.entry(unit / self.bin).or_default();
            *bin = bin.saturating_add(*samples);
        }
        let most = (MOST_BINS / bins).max(1);
        let mut written = 0;
        while !left.is_empty() && written < most {
            numbers.histogram(first, last, self.bin * UNIT, &mut left)?;
            written += 1;
        }
        for ((caller, callee), times) in &self.arcs {
            numbers.out.write_all(&[1])?;
            numbers.address(*caller)?;
            numbers.address(*callee)?;
            numbers.word(u32::try_from(*times).unwrap_or(u32::MAX))?;
        }
        let capped = left.values().fold(0, |sum: u64, samples| sum.saturating_add(*samples));
        Ok(Ok(GmonLoss { capped }))
    }
}

/// gprof reads the binary's symbol table.
fn is_known_to_gprof(symbol: &Symbol) -> bool {
    matches!(symbol.source, NameSource::SymbolTable | NameSource::DebugFile | NameSource::Unrecorded)
}

/// Writes numbers as a binary has them.
struct Numbers<'a> {
    layout: GmonLayout,
    out: &'a mut dyn Write,
}

impl Numbers<'_> {
    fn word(&mut self, value: u32) -> io::Result<()> {
        let bytes = if self.layout.is_big_endian { value.to_be_bytes() } else { value.to_le_bytes() };
        self.out.write_all(&bytes)
    }

    fn address(&mut self, value: u64) -> io::Result<()> {
        match (self.layout.is_64_bit, self.layout.is_big_endian) {
            (true, true) => self.out.write_all(&value.to_be_bytes()),
            (true, false) => self.out.write_all(&value.to_le_bytes()),
            (false, _) => self.word(value as u32),
        }
    }

    /// Writes a histogram of all bins from `first` to `last`, of so many bytes each, with as much of what is left as a bin
    /// can hold.
    fn histogram(
        &mut self,
        first: u64,
        last: u64,
        bytes: u64,
        left: &mut BTreeMap<u64, u64>,
    ) -> io::Result<()> {
        self.out.write_all(&[0])?;
        self.address(first * bytes)?;
        self.address((last + 1) * bytes)?;
        self.word((last - first + 1) as u32)?;
        self.word(1)?;
        self.out.write_all(b"samples\0\0\0\0\0\0\0\0")?;
        self.out.write_all(b"1")?;
        let mut next = first;
        for (&bin, samples) in left.iter_mut() {
            self.blank(bin - next)?;
            let held = u16::try_from(*samples).unwrap_or(u16::MAX);
            *samples -= u64::from(held);
            let bytes = if self.layout.is_big_endian { held.to_be_bytes() } else { held.to_le_bytes() };
            self.out.write_all(&bytes)?;
            next = bin + 1;
        }
        self.blank(last + 1 - next)?;
        left.retain(|_, samples| *samples > 0);
        Ok(())
    }

    /// As many empty bins.
    fn blank(&mut self, bins: u64) -> io::Result<()> {
        const EMPTY: [u8; 4096] = [0; 4096];
        let mut bytes = bins * 2;
        while bytes > 0 {
            let length = bytes.min(EMPTY.len() as u64);
            self.out.write_all(&EMPTY[..length as usize])?;
            bytes -= length;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LAYOUT: GmonLayout = GmonLayout { is_64_bit: true, is_big_endian: false };

    fn gmon(places: &[(u64, u64)], bin: u64) -> Gmon {
        Gmon { places: places.iter().copied().collect(), bin, ..Gmon::default() }
    }

    fn written(gmon: &Gmon, layout: GmonLayout) -> (Vec<u8>, GmonLoss) {
        let mut bytes = Vec::new();
        let loss = gmon.write(layout, &mut bytes).expect("memory takes all").expect("close together");
        (bytes, loss)
    }

    #[test]
    fn the_bytes_are_those_of_gmon_out_h() {
        let mut both = gmon(&[(0x800, 7), (0x802, 1)], 1);
        both.arcs.insert((0x1004, 0x2000), 3);
        let (bytes, loss) = written(&both, LAYOUT);
        let expected = [
            b"gmon\x01\0\0\0".as_slice(),
            &[0; 12],
            &[0],
            &0x1000_u64.to_le_bytes(),
            &0x1006_u64.to_le_bytes(),
            &3_u32.to_le_bytes(),
            &1_u32.to_le_bytes(),
            b"samples\0\0\0\0\0\0\0\x001",
            &[7, 0, 0, 0, 1, 0],
            &[1],
            &0x1004_u64.to_le_bytes(),
            &0x2000_u64.to_le_bytes(),
            &3_u32.to_le_bytes(),
        ]
        .concat();
        assert_eq!((bytes, loss), (expected, GmonLoss::default()));
        let (bytes, _) = written(&both, GmonLayout { is_64_bit: false, is_big_endian: true });
        assert_eq!(bytes[4..8], [0, 0, 0, 1]);
        assert_eq!(bytes[20..33], [0, 0, 0, 0x10, 0, 0, 0, 0x10, 6, 0, 0, 0, 3]);
    }

    #[test]
    fn more_samples_than_a_bin_holds_take_further_histograms() {
        let (bytes, loss) = written(&gmon(&[(0x800, 65_535 * 2 + 1)], 1), LAYOUT);
        assert_eq!((bytes.len(), loss.capped), (20 + 3 * (1 + 16 + 8 + 16 + 2), 0));
        assert_eq!(bytes[bytes.len() - 2..], [1, 0]);
    }

    #[test]
    fn what_a_file_cannot_hold_is_told() {
        let mut bytes = Vec::new();
        let apart = gmon(&[(0, 1), (u64::MAX / 2, 1)], 1).write(LAYOUT, &mut bytes);
        assert_eq!((apart.expect("memory takes all"), bytes.len()), (Err(TooFarApart), 0));
        let narrow = GmonLayout { is_64_bit: false, ..LAYOUT };
        let beyond = gmon(&[(1 << 40, 1)], 1).write(narrow, &mut bytes);
        assert_eq!(beyond.expect("memory takes all"), Err(TooFarApart));
    }
}
