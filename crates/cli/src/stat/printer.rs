//! Prints counts in the layout that was asked for.

use std::io::{self, Write};

use anyhow::Result;
use oprof_profile::{CountedEvent, CountedInterval};
use oprof_report::Stat;
use oprof_report::render::stat::{Csv, IntervalTable, interval_json, json, processes, table};

use super::arguments::StatOptions;
use super::output::Output;
use crate::paragraph::wrapped;

/// How counts are laid out.
#[derive(Debug)]
enum Layout {
    Table,
    Fields(String),
    Json,
}

/// Prints counts.
#[derive(Debug)]
pub(super) struct Printer {
    layout: Layout,
    output: Output,
    /// What was counted, for people.
    target: String,
    each_process: bool,
    threshold: f64,
    intervals: Option<IntervalTable>,
}

impl Printer {
    pub(super) fn new(options: &StatOptions, output: Output, target: String) -> Printer {
        let layout = match &options.field_separator {
            Some(separator) => Layout::Fields(separator.clone()),
            None if options.json => Layout::Json,
            None => Layout::Table,
        };
        let (each_process, threshold) = (options.per_process, options.threshold);
        Printer { layout, output, target, each_process, threshold, intervals: None }
    }

    /// The counts are made for programs and stand alone on stderr: nothing else is to be said there.
    pub(super) fn wants_silence(&self) -> bool {
        !matches!(self.layout, Layout::Table) && !self.output.is_file()
    }

    /// The counts are about to come.
    pub(super) fn begin(&self) -> Result<()> {
        self.output.begin()
    }

    /// Prints a stretch of time.
    pub(super) fn interval(&mut self, events: &[CountedEvent], interval: &CountedInterval) -> Result<()> {
        let Printer { layout, output, target, intervals, .. } = self;
        let width = output.look().width.map(usize::from);
        output.write(|mut out| match layout {
            Layout::Fields(separator) => Csv::new(separator).interval(events, interval, &mut out),
            Layout::Json => interval_json(events, interval, &mut out),
            Layout::Table => {
                let is_first = intervals.is_none();
                let table = intervals.get_or_insert_with(|| IntervalTable::new(events));
                if is_first {
                    heading(target, width, out)?;
                    table.titles(&mut out)?;
                }
                table.write(events, interval, &mut out)
            }
        })
    }

    /// Prints the counts of all.
    pub(super) fn stat(&mut self, stat: &Stat, notes: &[String]) -> Result<()> {
        let Printer { layout, output, target, each_process, threshold, .. } = self;
        let look = output.look();
        output.write(|mut out| match layout {
            Layout::Fields(separator) => Csv::new(separator).stat(stat, *each_process, &mut out),
            Layout::Json => json(stat, target, notes, *each_process, &mut out),
            Layout::Table => {
                heading(target, look.width.map(usize::from), out)?;
                table(stat, look, &mut out)?;
                if *each_process {
                    let number = oprof_report::counted(stat.processes.len() as u64, "process", "processes");
                    writeln!(out, "\n{number}")?;
                    processes(stat, *threshold, look, &mut out)?;
                }
                Ok(())
            }
        })
    }
}

/// A blank line, since the command may have written before, and what was counted.
fn heading(target: &str, width: Option<usize>, out: &mut dyn Write) -> io::Result<()> {
    let text = format!("counts of {}", oprof_report::printable(target));
    writeln!(out, "\n{}", wrapped(&text, 2, width).join("\n"))
}
