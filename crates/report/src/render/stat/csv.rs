//! Counts as fields between separators, in the order that perf-stat(1) gives them ("CSV FORMAT").

use std::io::{self, Write};

use oprof_profile::{CountedEvent, CountedInterval};

use super::value::ratio_value;
use crate::printable::printable;
use crate::stat::{Stat, StatRow};

/// Writes counts as lines of fields: an interval's end in seconds or a process id where lines have these; count, unit,
/// event; with several runs the standard deviation in percent of the mean; how long it was counted, in nanoseconds, and
/// the share of the time in percent; a ratio and its unit. Lines of processes end in wall time in nanoseconds and command
/// line. A field that holds the separator, a quote or a line end stands in quotes (RFC 4180).
#[derive(Clone, Debug)]
pub struct Csv<'a> {
    separator: &'a str,
}

/// In the place of a count that there is none of, as perf writes it.
const NOT_COUNTED: &str = "<not counted>";

impl<'a> Csv<'a> {
    /// With this between two fields.
    pub fn new(separator: &'a str) -> Csv<'a> {
        Csv { separator }
    }

    /// Writes the counts; with `each_process` those of all together under the name `all`, and each process's.
    pub fn stat(&self, stat: &Stat, each_process: bool, out: &mut impl Write) -> io::Result<()> {
        for row in &stat.rows {
            let mut fields = Vec::new();
            fields.extend(each_process.then(|| "all".to_owned()));
            fields.extend(of_row(row, stat.runs > 1));
            if each_process {
                fields.extend([format!("{:.0}", stat.wall_time.mean), String::new()]);
            }
            self.line(&fields, out)?;
        }
        for process in stat.processes.iter().filter(|_| each_process) {
            for (index, row) in stat.rows.iter().enumerate() {
                let count = process.counts.get(index).map(|count| count.value as f64);
                let [count, unit] = count_and_unit(count, &row.event);
                let fields = [
                    process.pid.to_string(),
                    count,
                    unit,
                    row.event.name.clone(),
                    String::new(),
                    format!("{:.2}", row.sum.share_counted() * 100.0),
                    String::new(),
                    String::new(),
                    process.wall_time.map_or(String::new(), |time| time.to_string()),
                    process.command.clone(),
                ];
                self.line(&fields, out)?;
            }
        }
        Ok(())
    }

    /// Writes a stretch of time.
    pub fn interval(
        &self,
        events: &[CountedEvent],
        interval: &CountedInterval,
        out: &mut impl Write,
    ) -> io::Result<()> {
        for row in &Stat::of_interval(events, interval).rows {
            let mut fields = vec![format!("{:.9}", interval.end as f64 / 1e9)];
            fields.extend(of_row(row, false));
            self.line(&fields, out)?;
        }
        Ok(())
    }

    fn line(&self, fields: &[String], out: &mut impl Write) -> io::Result<()> {
        let fields: Vec<String> = fields.iter().map(|field| self.field(field)).collect();
        writeln!(out, "{}", fields.join(self.separator))
    }

    fn field(&self, text: &str) -> String {
        let text = printable(text);
        match text.contains(self.separator) || text.contains('"') {
            true => format!("\"{}\"", text.replace('"', "\"\"")),
            false => text.into_owned(),
        }
    }
}

fn of_row(row: &StatRow, several: bool) -> Vec<String> {
    let [count, unit] = count_and_unit(row.count.map(|count| count.mean), &row.event);
    let mut fields = vec![count, unit, row.event.name.clone()];
    if several {
        let percent = row.count.and_then(|count| count.percent());
        fields.push(percent.map_or(String::new(), |percent| format!("{percent:.2}%")));
    }
    fields.push(row.sum.time_running.to_string());
    fields.push(format!("{:.2}", row.sum.share_counted() * 100.0));
    let ratio = row.ratios.first();
    fields.push(ratio.map_or(String::new(), |ratio| ratio_value(ratio.value).replace(',', "")));
    fields.push(ratio.map_or(String::new(), |ratio| ratio.unit.clone()));
    fields
}

/// A time in milliseconds, as perf has it, yet to the nanosecond.
fn count_and_unit(count: Option<f64>, event: &CountedEvent) -> [String; 2] {
    let Some(count) = count else { return [NOT_COUNTED.to_owned(), String::new()] };
    match () {
        () if event.nanoseconds => [format!("{:.6}", count / 1e6), "msec".to_owned()],
        () if event.scale != 1.0 => [format!("{:.2}", count * event.scale), event.unit.clone()],
        () if count.fract() != 0.0 => [format!("{count:.2}"), event.unit.clone()],
        () => [format!("{count:.0}"), event.unit.clone()],
    }
}
