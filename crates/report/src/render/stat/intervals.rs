//! Counts of one stretch of time after another, as they come.

use std::io::{self, Write};

use oprof_profile::{CountedEvent, CountedInterval};

use super::value;
use crate::printable::printable;
use crate::stat::Stat;

/// Wide enough for a day and 19 digits in groups of three; what is longer moves its own line alone.
const TIME_WIDTH: usize = 12;
const COUNT_WIDTH: usize = 18;
/// Names beyond this width move their own lines alone.
const MOST_NAME: usize = 40;

/// Lines of one stretch of time after another: columns of a fixed width, since nobody knows what is to come.
#[derive(Clone, Debug)]
pub struct IntervalTable {
    name_width: usize,
}

impl IntervalTable {
    /// For these events.
    pub fn new(events: &[CountedEvent]) -> IntervalTable {
        let widths = events.iter().map(|event| printable(&event.name).chars().count());
        IntervalTable { name_width: widths.max().unwrap_or(0).clamp("event".len(), MOST_NAME) }
    }

    /// Writes the titles and a rule.
    pub fn titles(&self, out: &mut impl Write) -> io::Result<()> {
        let name = self.name_width;
        let titles = format!("{:>TIME_WIDTH$}  {:>COUNT_WIDTH$}  {:name$}  ratio", "time", "count", "event");
        writeln!(out, "{titles}\n{}", "-".repeat(titles.len()))
    }

    /// Writes a stretch of time: a line for each event, its end in seconds since counting started.
    pub fn write(
        &self,
        events: &[CountedEvent],
        interval: &CountedInterval,
        out: &mut impl Write,
    ) -> io::Result<()> {
        let stat = Stat::of_interval(events, interval);
        let time = format!("{:.6} s", interval.end as f64 / 1e9);
        for row in &stat.rows {
            let mut rest: Vec<String> = row.ratios.iter().map(value::ratio).collect();
            if !row.sum.is_complete() {
                rest.insert(0, format!("counted {} of the time", value::share(row)));
            }
            let (count, event, name) = (value::count(row), printable(&row.event.name), self.name_width);
            let line = format!(
                "{time:>TIME_WIDTH$}  {count:>COUNT_WIDTH$}  {event:name$}  {}",
                printable(&rest.join(", "))
            );
            writeln!(out, "{}", line.trim_end_matches(' '))?;
        }
        Ok(())
    }
}
