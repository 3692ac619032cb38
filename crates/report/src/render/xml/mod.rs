//! OProfile's XML (`opreport -X`), of its schema 3.1 (`opreport.xsd` beside this crate's manifest).

mod element;
mod tables;

use std::io::{self, Write};

use oprof_profile::{Count, EventId, ImageId, ImageOffset, Recording};

use crate::call_graph::{CallGraph, Relative, Relatives};
use crate::class::{ClassOrder, fixed_count};
use crate::image_name::NameId;
use crate::number::six_digits;
use crate::options::Options;
use crate::place::Place;
use crate::report::Report;
use crate::rows::{Row, sum};
use crate::sorting::SortKey;
use crate::{By, Column};
use element::{Tag, escaped};
use tables::Tables;

/// What the XML holds beside what the recording tells.
pub struct XmlSetting<'a> {
    /// The command line.
    pub title: &'a str,
    /// Symbols have their callers and callees.
    pub call_graph: bool,
    /// Gives the bytes of an image from an offset in its file on, as many as are asked for; `None` where they cannot be had.
    /// They are wanted with details alone.
    pub code: &'a dyn Fn(ImageId, ImageOffset, u64) -> Option<Vec<u8>>,
}

/// Writes the symbols of a recording as XML: apps with their images, symbols and counts, then tables of the symbols, of
/// their details and of their code, as far as options ask for these.
pub fn opreport_xml(
    recording: &Recording,
    options: &Options,
    setting: &XmlSetting<'_>,
    out: &mut (impl Write + ?Sized),
) -> io::Result<()> {
    let options = Options {
        oprofile_words: true,
        sort: vec![SortKey::App, SortKey::Image],
        reverse: false,
        ..options.clone()
    };
    let order = ClassOrder::of_oprofile(&options);
    let graph = setting.call_graph.then(|| CallGraph::new(recording, order, &options));
    let flat = graph.is_none().then(|| Report::new(recording, By::Symbol, order, &options));
    let Some(report) = graph.as_ref().map(CallGraph::report).or(flat.as_ref()) else { return Ok(()) };
    let mut document =
        Document { report, graph: graph.as_ref(), tables: Tables::new(report), text: String::new() };
    document.setup(recording, setting);
    document.binaries();
    document.tables.write(&mut document.text, setting.code);
    document.text.push_str("</profile>\n");
    out.write_all(document.text.as_bytes())
}

struct Document<'a, 'r> {
    report: &'a Report<'r>,
    graph: Option<&'a CallGraph<'r>>,
    tables: Tables<'a, 'r>,
    text: String,
}

impl Document<'_, '_> {
    /// Everything before the first count.
    fn setup(&mut self, recording: &Recording, setting: &XmlSetting<'_>) {
        let run = &recording.run;
        let (cpu, processor) = match run.cpu_type.split_once('/') {
            Some((cpu, processor)) => (cpu, processor),
            None if run.cpu_type.is_empty() => (run.architecture.as_str(), run.cpu.as_str()),
            None => (run.cpu_type.as_str(), ""),
        };
        let classes = self.report.classes();
        self.text.push_str("<?xml version=\"1.0\" ?>\n");
        let mut attributes = vec![format!("<profile  schemaversion=\"3.1\" cputype=\"{}\"", escaped(cpu))];
        if !processor.is_empty() {
            attributes.push(format!("processor=\"{}\"", escaped(processor)));
        }
        let mut cpus: Vec<u16> = classes.iter().filter_map(|class| class.axes.cpu).collect();
        cpus.sort_unstable();
        cpus.dedup();
        if !cpus.is_empty() {
            attributes.push(format!("separatedcpus=\"{}\"", cpus.len()));
        }
        if run.cpu_mhz > 0.0 {
            attributes.push(format!("mhz=\"{}\"", six_digits(run.cpu_mhz)));
        }
        attributes.push(format!("title=\"{}\"", escaped(setting.title)));
        self.text.push_str(&attributes.join("\n "));
        self.text.push_str(">\n");
        let options = self.report.options();
        let asked = |asked: bool| asked.then_some("true");
        let tag = Tag::new("options").with_some("debuginfo", asked(options.lines));
        self.text.push_str(&tag.with_some("details", asked(options.details)).empty());
        self.text.push_str("<setup>\n");
        let mut events: Vec<EventId> = Vec::new();
        for class in classes {
            if !events.contains(&class.event) {
                events.push(class.event);
            }
        }
        for (number, id) in events.iter().enumerate() {
            let Some(event) = recording.events.get(usize::from(id.0)) else { continue };
            let count = fixed_count(event).unwrap_or(0);
            let tag = Tag::new("eventsetup").with("id", number.to_string()).with("eventname", &event.name);
            let tag = tag.with("unitmask", event.unit_mask.to_string());
            self.text.push_str(&tag.with("setupcount", count.to_string()).empty());
        }
        self.text.push_str("</setup>\n\n");
        if classes.len() < 2 {
            return;
        }
        self.text.push_str("<classes>\n");
        for (number, class) in classes.iter().enumerate() {
            let mut tag = Tag::new("class").with("name", format!("c{number}"));
            tag = tag.with_some("tgid", class.axes.process.map(|id| id.to_string()));
            tag = tag.with_some("tid", class.axes.thread.map(|id| id.to_string()));
            tag = tag.with_some("cpu", class.axes.cpu.map(|id| id.to_string()));
            if events.len() > 1 {
                let event = events.iter().position(|event| *event == class.event).unwrap_or_default();
                let mask = self.report.event(number).map_or(0, |event| event.unit_mask);
                tag = tag.with("event", event.to_string()).with("mask", mask.to_string());
            }
            self.text.push_str(&tag.empty());
        }
        self.text.push_str("</classes>\n");
    }

    /// The apps with their images and symbols.
    fn binaries(&mut self) {
        let rows: Vec<(NameId, NameId, usize)> = self
            .report
            .rows()
            .iter()
            .zip(0..)
            .filter_map(|(row, number)| match row.place {
                Place::Symbol { image, app, .. } => Some((app, image, number)),
                _ => None,
            })
            .collect();
        for (app, rows) in grouped(rows.into_iter().map(|(app, image, number)| (app, (image, number)))) {
            self.text.push_str(&Tag::new("binary").with("name", self.long_name(app)).open());
            let mut modules = grouped(rows.into_iter());
            // The app's own code comes first, and is in no module.
            modules.sort_by_key(|(image, _)| *image != app);
            for (image, rows) in modules {
                if image != app {
                    self.text.push_str(&Tag::new("module").with("name", self.long_name(image)).open());
                }
                let of_rows: Vec<Row> = rows.iter().map(|row| self.report.rows()[*row].clone()).collect();
                self.counts(&sum(&of_rows, self.report.classes().len()));
                for row in rows {
                    self.symbol(app, row);
                }
                if image != app {
                    self.text.push_str("</module>\n");
                }
            }
            self.text.push_str("</binary>\n");
        }
    }

    fn symbol(&mut self, app: NameId, number: usize) {
        let row = &self.report.rows()[number];
        let id = self.tables.id(row);
        let mut tag = Tag::new("symbol").with("idref", id.to_string());
        if self.report.options().details
            && let Some((first, last)) = self.tables.add_details(id, self.report.details(number))
        {
            tag = tag.with("detaillo", first.to_string()).with("detailhi", last.to_string());
        }
        self.text.push_str(&tag.open());
        if let Some(Relatives { callers, callees }) = self.graph.and_then(|graph| graph.relatives(number)) {
            self.relatives("callers", app, callers);
            self.relatives("callees", app, callees);
        }
        self.counts(&row.counts);
        self.text.push_str("</symbol>\n");
    }

    /// Callers or callees: those in another image than the app's own are in the module of that image.
    fn relatives(&mut self, what: &str, app: NameId, relatives: &[Relative]) {
        self.text.push_str(&format!("<{what}>\n"));
        let mut module = None;
        for relative in relatives {
            let Place::Symbol { image, .. } = relative.row.place else { continue };
            let of = Some(image).filter(|image| *image != app);
            if of != module {
                if module.is_some() {
                    self.text.push_str("</module>\n");
                }
                if let Some(image) = of {
                    self.text.push_str(&Tag::new("module").with("name", self.long_name(image)).open());
                }
                module = of;
            }
            let id = self.tables.id(&relative.row);
            let tag = Tag::new("symbol").with("idref", id.to_string());
            self.text.push_str(&tag.with_some("self", relative.is_self.then_some("true")).open());
            self.counts(&relative.row.counts);
            self.text.push_str("</symbol>\n");
        }
        if module.is_some() {
            self.text.push_str("</module>\n");
        }
        self.text.push_str(&format!("</{what}>\n"));
    }

    /// The counts of each class that has some; of a single one in any case.
    fn counts(&mut self, counts: &[Count]) {
        let single = self.report.classes().len() == 1;
        for (class, count) in counts.iter().enumerate().filter(|(_, count)| single || count.samples > 0) {
            let tag = Tag::new("count").with_some("class", (!single).then(|| format!("c{class}")));
            self.text.push_str(&format!("{}{}</count>\n", tag.open(), count.samples));
        }
    }

    fn long_name(&self, name: NameId) -> String {
        self.report.places().images.text(name, true).to_owned()
    }
}

/// Puts what belongs to one key together, in the order in which keys come first.
fn grouped<K: PartialEq + Copy, V>(entries: impl Iterator<Item = (K, V)>) -> Vec<(K, Vec<V>)> {
    let mut groups: Vec<(K, Vec<V>)> = Vec::new();
    for (key, value) in entries {
        match groups.iter_mut().rev().find(|(known, _)| *known == key) {
            Some((_, values)) => values.push(value),
            None => groups.push((key, vec![value])),
        }
    }
    groups
}

/// The name of a row's symbol.
fn symbol_name(report: &Report<'_>, row: &Row) -> String {
    match report.cell(row, Column::Symbol) {
        crate::Cell::Text(name) => name.into_owned(),
        _ => String::new(),
    }
}
