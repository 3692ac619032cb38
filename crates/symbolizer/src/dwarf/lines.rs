//! Runs a line table and finds the rows of addresses.

use gimli::{ColumnType, IncompleteLineProgram, LineRow};

use super::bytes::Bytes;
use super::work::Work;

/// What a row takes beside its bytes, of which it may have one, in steps.
const STEPS_OF_A_ROW: u64 = 2;

/// A row of a line table, as far as it says where code comes from (section 6.2.2 of DWARF 5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Row {
    /// The number of the file in the table.
    pub(super) file: u64,
    /// From 1; 0 where the compiler gave none.
    pub(super) line: u32,
    /// From 1; 0 for the whole line.
    pub(super) column: u32,
}

impl Row {
    fn of(row: &LineRow) -> Row {
        let small = |number: u64| u32::try_from(number).unwrap_or(0);
        Row {
            file: row.file_index(),
            line: row.line().map_or(0, |line| small(line.get())),
            column: match row.column() {
                ColumnType::LeftEdge => 0,
                ColumnType::Column(column) => small(column.get()),
            },
        }
    }
}

/// For each of `addresses`, which ascend, the row that holds it. A table that is damaged answers as far as it goes.
///
/// A row reaches to the next one of its sequence; of several that begin at the same address the last counts. Of
/// sequences that overlap the one that begins last is right: what the linker dropped still claims the addresses from
/// 0, and begins below `code_start`.
pub(super) fn rows(
    program: IncompleteLineProgram<Bytes<'_>>,
    addresses: &[u64],
    code_start: u64,
    work: &Work<'_>,
) -> Vec<Option<Row>> {
    let mut found = vec![None; addresses.len()];
    // Where the sequence of each answer begins.
    let mut origins = vec![0; addresses.len()];
    let mut table = program.rows();
    // Of the sequence that is being read: its beginning, its last row, and the first address not below that.
    let mut current: Option<(u64, u64, Row, usize)> = None;
    while let Ok(Some((_, row))) = table.next_row() {
        if work.spend(STEPS_OF_A_ROW).is_err() {
            break;
        }
        let address = row.address();
        if let Some((origin, begin, last, next)) = &mut current {
            while let Some(&asked) = addresses.get(*next).filter(|&&asked| asked < address) {
                if asked >= *begin && *origin >= code_start && origins[*next] <= *origin {
                    origins[*next] = *origin;
                    found[*next] = Some(*last);
                }
                *next += 1;
            }
            (*begin, *last) = (address, Row::of(row));
        } else if !row.end_sequence() {
            let next = addresses.partition_point(|&asked| asked < address);
            current = Some((address, address, Row::of(row), next));
        }
        if row.end_sequence() {
            current = None;
        }
    }
    found
}
