//! The details of a report's rows: what stands in them.

use oprof_profile::Count;

use super::Report;
use crate::cell::Cell;
use crate::column::Column;
use crate::detail::Detail;
use crate::rows::Row;

impl<'r> Report<'r> {
    /// The rows below the row of this number, one for each address with samples; none unless they were asked for.
    pub fn details(&self, row: usize) -> &[Detail] {
        self.details.get(row).map_or(&[], Vec::as_slice)
    }

    /// What stands in a detail of a row, in OProfile's layout: shares are of the row, unless they are to be of all.
    pub fn detail_cell(&self, row: &Row, detail: &Detail, column: Column) -> Cell<'_> {
        let whole = |class: usize| {
            let whole =
                if self.options.global_percent { self.sums.get(class) } else { row.counts.get(class) };
            self.classes.get(class).zip(whole).map_or(0, |(class, whole)| class.measure(*whole))
        };
        let share = |class: usize, counts: &[Count]| match (self.classes.get(class), counts.get(class)) {
            (Some(of), Some(part)) => Cell::Percent { part: of.measure(*part), whole: whole(class) },
            _ => Cell::Unknown,
        };
        let samples =
            |count: Option<&Count>| count.map_or(Cell::Unknown, |count| Cell::Number(count.samples));
        match column {
            Column::Samples(class) => samples(detail.counts.get(class)),
            Column::AccumulatedSamples(class) => samples(detail.accumulated.get(class)),
            Column::Percent(class) => share(class, &detail.counts),
            Column::AccumulatedPercent(class) => share(class, &detail.accumulated),
            Column::Address => Cell::Address(detail.address.0),
            Column::Line => Cell::Text(self.line(self.source_of_detail(detail)).into()),
            _ => Cell::Unknown,
        }
    }
}
