//! A table as it is written.

use std::fmt::Write as _;
use std::ops::RangeInclusive;

/// A table of events.
#[derive(Debug, Default)]
pub(crate) struct Table {
    /// The folder and family of built-in formats, such as `intel`.
    pub(crate) folder: &'static str,
    /// The CPU type: `skylake`, `i386/p4`.
    pub(crate) cpu: String,
    /// Lines of the header beside the name, in order.
    pub(crate) header: Vec<(&'static str, String)>,
    /// The rows.
    pub(crate) rows: Vec<Row>,
}

/// One event.
#[derive(Debug, Default, Clone)]
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) terms: String,
    pub(crate) counters: String,
    pub(crate) counts: String,
    pub(crate) unit_masks: String,
    pub(crate) flags: String,
}

impl Table {
    /// Where it goes, below the folder of all tables.
    pub(crate) fn path(&self) -> String {
        format!("{}/{}.tsv", self.folder, self.cpu.replace('/', "-"))
    }

    /// The file.
    pub(crate) fn text(&self) -> String {
        let mut text = format!("#oprof-events 1\n#cpu {}\n", self.cpu);
        for (key, value) in &self.header {
            let _ = writeln!(text, "#{key} {value}");
        }
        text.push_str("#name\tterms\tcounters\tcounts\tunit masks\tflags\n");
        for row in &self.rows {
            let columns = [&row.name, &row.terms, &row.counters, &row.counts, &row.unit_masks, &row.flags];
            let line = columns.map(String::as_str).join("\t");
            text.push_str(line.trim_end_matches('\t'));
            text.push('\n');
        }
        text
    }
}

/// The module that embeds all tables.
pub(crate) fn embedded(tables: &[Table]) -> String {
    let mut text = String::from(
        "//! The built-in tables, each a file of its own under `tables/`. Written by `examples/make_tables`.\n\n\
         /// CPU types and their tables, sorted by file.\n\
         pub(super) const TABLES: &[(&str, &str)] = &[\n",
    );
    for table in tables {
        let _ = writeln!(text, "    ({:?}, include_str!(\"../../tables/{}\")),", table.cpu, table.path());
    }
    text.push_str("];\n");
    text
}

/// `0,1,2,3,5` and `0-3,5` as `0-3,5`; `Fixedcounter1` as `fixed1`; no counters stay none.
pub(crate) fn counters(list: &str) -> String {
    if let Some(number) = list.strip_prefix("Fixedcounter") {
        return format!("fixed{number}");
    }
    let range = |text: &str| -> Option<RangeInclusive<u32>> {
        let (first, last) = text.split_once('-').unwrap_or((text, text));
        Some(first.trim().parse().ok()?..=last.trim().parse().ok()?)
    };
    let numbers = list.split(',').filter_map(range).flatten();
    let mut ranges: Vec<(u32, u32)> = Vec::new();
    for number in numbers {
        match ranges.last_mut() {
            Some((_, last)) if *last + 1 == number => *last = number,
            _ => ranges.push((number, number)),
        }
    }
    let range = |&(first, last): &(u32, u32)| match first == last {
        true => first.to_string(),
        false => format!("{first}-{last}"),
    };
    ranges.iter().map(range).collect::<Vec<_>>().join(",")
}
