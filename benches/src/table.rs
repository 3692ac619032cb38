//! The samples by symbol that a recorder's own report prints.

use crate::quantity::Share;

/// Rows of samples and the rest of the line, which ends with the symbol.
pub(crate) struct Table {
    rows: Vec<(u64, String)>,
}

impl Table {
    /// Reads each line whose column `column`, from 0, is a number, as a row with that many samples.
    pub(crate) fn parse(text: &str, column: usize) -> Self {
        let row = |line: &str| {
            let samples = line.split_whitespace().nth(column)?.parse().ok()?;
            Some((samples, line.to_owned()))
        };
        Table { rows: text.lines().filter_map(row).collect() }
    }

    pub(crate) fn total(&self) -> u64 {
        self.rows.iter().map(|(samples, _)| samples).sum()
    }

    /// The samples in the symbols with this in their name.
    pub(crate) fn samples_in(&self, symbol: &str) -> u64 {
        self.rows.iter().filter(|(_, line)| line.contains(symbol)).map(|(samples, _)| samples).sum()
    }

    /// The share of all samples that is in the symbols with this in their name.
    pub(crate) fn share_of(&self, symbol: &str) -> Share {
        Share::of(self.samples_in(symbol), self.total() as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn oprof_rows_have_their_samples_first() {
        let table = Table::parse(
            "36  60.0000  burn  burn  burn::sixty\n24  40.0000  [kernel]  burn  (no symbols)\n",
            0,
        );
        assert_eq!((table.total(), table.samples_in("sixty")), (60, 36));
    }

    #[test]
    fn perf_rows_have_their_samples_second() {
        let table = Table::parse("# Overhead  Samples\n\n    23.12%          2481  [.] gc_mark\n", 1);
        assert_eq!((table.total(), table.samples_in("gc_mark")), (2481, 2481));
    }
}
