//! Reports: the rows and columns of one table.

mod code;
mod details;

use std::borrow::Cow;

use oprof_profile::{Count, Event, Key, Process, ProcessId, Recording, Sampling};
use rustc_hash::FxHashSet;

use crate::annotation::FunctionExtent;
use crate::cell::Cell;
use crate::class::{Class, ClassOfKey, ClassOrder, classes};
use crate::column::{Column, Shown, columns};
use crate::command_line::command_line;
use crate::detail::{Detail, details};
use crate::grouping::By;
use crate::image_name::{ImageNames, NameId};
use crate::lifetime::Lifetimes;
use crate::number::counted;
use crate::options::Options;
use crate::place::{Place, Places};
use crate::process_rows::{add_totals, idle_processes, is_idle, sum_totals};
use crate::row_ratio::{self, RowRatio};
use crate::rows::{Row, Rows, accumulate, sum};
use crate::sampling_error::interval;
use crate::sorting::{SortKey, sort};
use crate::source_lines::{LineId, SourceLines};
use crate::symbol_name::{Code, SymbolNames};
use crate::total::{EntryTotals, Total};

/// The rows and columns of one table. It borrows its names from the recording.
pub struct Report<'r> {
    recording: &'r Recording,
    by: By,
    options: Options,
    classes: Vec<Class>,
    places: Places<'r>,
    columns: Vec<Column>,
    ratios: Vec<RowRatio>,
    rows: Vec<Row>,
    details: Vec<Vec<Detail>>,
    sums: Vec<Count>,
    total_sums: Vec<Total>,
    idle_processes: u64,
    below_threshold: u64,
    beyond_top: usize,
}

impl<'r> Report<'r> {
    /// Folds a recording into rows.
    pub fn new(recording: &'r Recording, by: By, order: ClassOrder, options: &Options) -> Report<'r> {
        Report::with_places(recording, by, order, options, |_| Vec::new())
    }

    /// The same, with a row for each of some places even if it has no samples.
    pub(crate) fn with_places(
        recording: &'r Recording,
        by: By,
        order: ClassOrder,
        options: &Options,
        kept: impl FnOnce(&Places<'r>) -> Vec<Place>,
    ) -> Report<'r> {
        let images = ImageNames::new(recording, options.oprofile_words);
        let is_asked = |what: By| by == what || options.levels.contains(&what);
        let symbols = is_asked(By::Symbol).then(|| SymbolNames::new(recording, &images, options));
        let lines = is_asked(By::Line).then(|| SourceLines::new(recording));
        let places = Places { images, symbols, lines, lifetimes: Lifetimes::new(&recording.processes) };
        let separation = options.separation.in_fact(recording);
        let classes = classes(recording, order, separation);
        let class_of = ClassOfKey::new(recording, &classes, separation);
        let mut folded =
            Rows::fold(recording, classes.len(), &class_of, |key| places.chosen(by, key, options));
        let kept: FxHashSet<Place> = kept(&places).into_iter().collect();
        for place in &kept {
            folded.at(*place);
        }
        let mut shows_totals = vec![false; classes.len()];
        if by.has_totals() && !options.filtered {
            let totals = EntryTotals::new(recording, &classes, &places.lifetimes, by != By::Process);
            add_totals(&mut folded, by, &places, &totals, recording.processes.len());
            // A command is worth its total even where that is an estimate: it is what the rows are sorted by.
            shows_totals = totals.known.iter().map(|known| *known || by == By::Command).collect();
        }
        let mut rows = folded.into_rows();
        let is_left_out = |row: &Row| is_idle(row) && !kept.contains(&row.place);
        let idle: Vec<Place> = rows.iter().filter(|row| is_left_out(row)).map(|row| row.place).collect();
        rows.retain(|row| !is_left_out(row));
        let mut report = Report {
            recording,
            by,
            options: options.clone(),
            sums: sum(&rows, classes.len()),
            total_sums: sum_totals(&rows, classes.len()),
            idle_processes: idle_processes(recording, by, &places, &idle),
            below_threshold: 0,
            beyond_top: 0,
            columns: Vec::new(),
            ratios: Vec::new(),
            rows: Vec::new(),
            details: Vec::new(),
            classes,
            places,
        };
        let several_apps = has_several_apps(&rows, report.classes.len());
        let all = rows.len();
        rows.retain(|row| report.reaches_threshold(row));
        report.below_threshold = (all - rows.len()) as u64;
        sort(&report, &mut rows);
        let top = options.top.filter(|_| options.levels.is_empty()).unwrap_or(usize::MAX);
        report.beyond_top = rows.len().saturating_sub(top);
        rows.truncate(top);
        accumulate(&mut rows, report.classes.len());
        if options.details {
            report.details = details(recording, &class_of, &rows, report.classes.len(), |key| {
                report.places.chosen(by, key, options)
            });
        }
        let image =
            rows.iter().any(|row| matches!(row.place, Place::Symbol { image, app, .. } if image != app));
        report.ratios = row_ratio::of_groups(recording, &report.classes);
        if !options.oprofile_words {
            report.ratios.extend(row_ratio::of_separate(recording, &report.classes));
        }
        let read: Vec<bool> = report.classes.iter().map(|class| class.is_read(recording)).collect();
        let ratios: Vec<usize> = report.ratios.iter().map(|ratio| ratio.class).collect();
        report.columns = columns(
            by,
            Shown {
                totals: &shows_totals,
                read: &read,
                ratios: &ratios,
                accumulated: options.accumulated,
                addresses: options.addresses || options.details,
                lines: options.lines,
                errors: options.errors,
                processes: !options.filtered,
                image,
                app: several_apps,
            },
        );
        report.rows = rows;
        report
    }

    /// What a row stands for.
    pub fn by(&self) -> By {
        self.by
    }

    /// The column groups, first the one that rows are sorted by.
    pub fn classes(&self) -> &[Class] {
        &self.classes
    }

    /// The event of a class.
    pub fn event(&self, class: usize) -> Option<&'r Event> {
        self.recording.events.get(usize::from(self.classes.get(class)?.event.0))
    }

    /// The columns, left to right.
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// What stands above a column.
    pub fn title(&self, column: Column) -> &str {
        match column {
            Column::Ratio { ratio, .. } => self.ratios.get(ratio).map_or("", |ratio| &ratio.unit),
            column => column.fixed_title(),
        }
    }

    /// Adds a column that is not there yet, before the first of `before` that is.
    pub(crate) fn add_column(&mut self, column: Column, before: &[Column]) {
        if !self.columns.contains(&column) {
            let place = self.columns.iter().position(|column| before.contains(column));
            self.columns.insert(place.unwrap_or(self.columns.len()), column);
        }
    }

    /// The rows, top to bottom.
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// The samples of all rows, those below the threshold too, for each class.
    pub fn sums(&self) -> &[Count] {
        &self.sums
    }

    /// How many processes have no row, as they have neither a sample nor a total.
    pub fn idle_processes(&self) -> u64 {
        self.idle_processes
    }

    /// How many rows are left out for their small share.
    pub fn below_threshold(&self) -> u64 {
        self.below_threshold
    }

    /// How many rows are left out as only the first were asked for.
    pub fn beyond_top(&self) -> usize {
        self.beyond_top
    }

    /// The share of a row in the samples of a class, between 0 and 1.
    pub fn share(&self, row: &Row, class: usize) -> f64 {
        match self.percent(row, class) {
            Cell::Percent { part, whole } if whole > 0 => part as f64 / whole as f64,
            _ => 0.0,
        }
    }

    /// What stands in a row and column.
    pub fn cell(&self, row: &Row, column: Column) -> Cell<'_> {
        let text = |name: NameId| Cell::Text(self.places.images.text(name, self.options.long_names).into());
        match column {
            Column::Samples(class) => {
                row.counts.get(class).map_or(Cell::Unknown, |c| Cell::Number(c.samples))
            }
            Column::Events(class) => row.counts.get(class).map_or(Cell::Unknown, |c| Cell::Number(c.weight)),
            Column::Percent(class) => self.percent(row, class),
            Column::Error(class) => self.error(row, class),
            Column::AccumulatedSamples(class) => {
                row.accumulated.get(class).map_or(Cell::Unknown, |count| Cell::Number(count.samples))
            }
            Column::AccumulatedPercent(class) => {
                row.accumulated.get(class).map_or(Cell::Unknown, |count| self.part(class, *count))
            }
            Column::Address => match row.place {
                Place::Symbol { .. } => Cell::Address(self.address(row)),
                _ => Cell::Unknown,
            },
            Column::Change(_) => Cell::Unknown,
            Column::Ratio { ratio, .. } => {
                self.ratios.get(ratio).map_or(Cell::Unknown, |ratio| ratio.of(row))
            }
            Column::Total(class) => self.total(row, class),
            Column::TotalPercent(class) => match (row.totals.get(class), self.total_sums.get(class)) {
                (Some(part), Some(whole)) => Cell::Percent { part: part.value, whole: whole.value },
                _ => Cell::Unknown,
            },
            Column::Processes => Cell::Number(row.processes),
            Column::Cpu => match row.place {
                Place::Cpu(Key::ALL_CPUS) => Cell::Text("all".into()),
                Place::Cpu(cpu) => Cell::Identifier(cpu.into()),
                _ => Cell::Unknown,
            },
            Column::Image => match row.place {
                Place::Image(image) | Place::Symbol { image, .. } => text(image),
                _ => Cell::Unknown,
            },
            Column::App => match row.place {
                Place::App(app) | Place::Symbol { app, .. } => text(app),
                _ => self.entry(row).map_or(Cell::Unknown, |entry| text(self.places.images.app(entry))),
            },
            Column::Line => match row.place {
                Place::Line(line) => Cell::Text(self.source_line(line).into()),
                Place::Symbol { code, .. } => Cell::Text(self.line(self.source_of(code)).into()),
                _ => Cell::Unknown,
            },
            Column::Symbol => match row.place {
                Place::Symbol { image, code, .. } => Cell::Text(self.symbol(image, code).into()),
                _ => Cell::Unknown,
            },
            Column::Tid => match row.place {
                Place::Thread(_, tid) => Cell::Identifier(tid.into()),
                _ => Cell::Unknown,
            },
            Column::Pid
            | Column::ThreadName
            | Column::WallTime
            | Column::CommandName
            | Column::WorkingDirectory
            | Column::CommandLine => self.process_cell(row, column),
        }
    }

    pub(crate) fn recording(&self) -> &'r Recording {
        self.recording
    }

    pub(crate) fn options(&self) -> &Options {
        &self.options
    }

    pub(crate) fn places(&self) -> &Places<'r> {
        &self.places
    }

    /// The number of a row's thread, process or CPU; 0 for other rows.
    pub(crate) fn number(&self, row: &Row) -> u64 {
        let columns = [Column::Tid, Column::Pid, Column::Cpu];
        let numbers = columns.into_iter().filter_map(|column| match self.cell(row, column) {
            Cell::Identifier(number) | Cell::Number(number) => Some(number),
            _ => None,
        });
        numbers.into_iter().next().unwrap_or(0)
    }

    /// What a row is called, of whatever grouping it is.
    pub(crate) fn label(&self, row: &Row) -> String {
        let text = |column: Column| match self.cell(row, column) {
            Cell::Text(text) => text.into_owned(),
            Cell::Number(number) | Cell::Identifier(number) => number.to_string(),
            _ => String::new(),
        };
        let number = |column: Column, name: Column| match (text(column), text(name)) {
            (number, name) if number.is_empty() => name,
            (number, name) => format!("{name} ({number})"),
        };
        match row.place {
            Place::App(_) => text(Column::App),
            Place::Image(_) | Place::Dependent { .. } => text(Column::Image),
            Place::Symbol { .. } => text(Column::Symbol),
            Place::Line(_) => text(Column::Line),
            Place::Process(_) => number(Column::Pid, Column::CommandName),
            Place::Thread(..) => number(Column::Tid, Column::ThreadName),
            Place::Command(_) => match text(Column::CommandLine) {
                command if command.is_empty() => "[unknown]".to_owned(),
                command => command,
            },
            Place::Cpu(_) => format!("CPU {}", text(Column::Cpu)),
        }
    }

    /// The name of code in an image.
    pub(crate) fn symbol(&self, image: NameId, code: Code) -> &str {
        self.places.code_text(image, code, &self.options)
    }

    /// Where in an image the symbol of the row of this number is; `None` where it has none, or no samples in details.
    pub fn extent(&self, row: usize) -> Option<FunctionExtent> {
        let Place::Symbol { code, .. } = self.rows.get(row)?.place else { return None };
        let image = self.details(row).first()?.image;
        let (address, size) = self.places.symbols.as_ref()?.extent(image, code)?;
        Some(FunctionExtent { image, address, size })
    }

    /// Lines were asked for, in a column or as what rows are sorted by.
    pub(crate) fn knows_lines(&self) -> bool {
        self.options.lines || self.options.sort.contains(&SortKey::Debug)
    }

    /// A line of a source file: the file by its last part, unless long names are asked for.
    fn source_line(&self, line: Option<LineId>) -> String {
        match (line, &self.places.lines) {
            (Some(line), Some(lines)) => self.line(Some(lines.text(line))),
            _ => "(no line)".to_owned(),
        }
    }

    /// A place in the source, as OProfile writes it.
    fn line(&self, source: Option<(&str, u32)>) -> String {
        let Some((path, line)) = source else { return "(no location information)".to_owned() };
        let path = self.options.source_paths.show(path);
        let shown = if self.options.long_names { &path } else { path.rsplit('/').next().unwrap_or(&path) };
        format!("{shown}:{line}")
    }

    /// Between which shares a row's true one is, with 95 % confidence.
    fn error(&self, row: &Row, class: usize) -> Cell<'static> {
        let (Some(of), Some(count), Some(all)) =
            (self.classes.get(class), row.counts.get(class), self.sums.get(class))
        else {
            return Cell::Unknown;
        };
        let running = self.recording.coverage.events.get(usize::from(of.event.0));
        let running = running.map_or(1.0, |event| event.running());
        let share = self.share(row, class);
        let event = self.recording.events.get(usize::from(of.event.0));
        let samples = match event.map(|event| event.sampling) {
            // Each event was recorded: there is nothing to be unsure of.
            Some(Sampling::Count(1)) => 0,
            // It was read as often as its leader was sampled; but more than it happened nobody has seen.
            Some(Sampling::WithLeader) => all.samples.min(all.weight),
            // What counts is how many samples there were, not how many events each stands for.
            _ => all.samples,
        };
        match samples {
            0 => Cell::Unknown,
            _ if count.samples == 0 => Cell::Unknown,
            samples => {
                let (low, high) = interval(share, samples as f64 * running);
                Cell::Interval { low, high }
            }
        }
    }

    fn percent(&self, row: &Row, class: usize) -> Cell<'_> {
        row.counts.get(class).map_or(Cell::Unknown, |part| self.part(class, *part))
    }

    /// A part of all samples of a class.
    pub(crate) fn part(&self, class: usize, part: Count) -> Cell<'static> {
        match (self.classes.get(class), self.sums.get(class)) {
            (Some(class), Some(whole)) => {
                Cell::Percent { part: class.measure(part), whole: class.measure(*whole) }
            }
            _ => Cell::Unknown,
        }
    }

    fn total(&self, row: &Row, class: usize) -> Cell<'_> {
        match (self.event(class), row.totals.get(class)) {
            (Some(event), Some(&Total { value, exact })) if event.nanoseconds => {
                Cell::Time { nanoseconds: value, exact }
            }
            (Some(_), Some(&Total { value, exact })) => Cell::Events { value, exact },
            _ => Cell::Unknown,
        }
    }

    /// The process entry that a row of processes tells of: of a lifetime the last.
    fn entry(&self, row: &Row) -> Option<ProcessId> {
        match row.place {
            Place::Process(lifetime) | Place::Thread(lifetime, _) => {
                lifetime.map(|lifetime| self.places.lifetimes.last(lifetime))
            }
            Place::Command(entry) => entry,
            _ => None,
        }
    }

    fn process_cell(&self, row: &Row, column: Column) -> Cell<'_> {
        let Some(process) = self.entry(row).and_then(|entry| self.recording.process(entry)) else {
            return Cell::Unknown;
        };
        match column {
            Column::Pid if process.folded > 0 => Cell::Unknown,
            Column::Pid if process.pid == Process::ALL => Cell::Text("all".into()),
            Column::Pid => Cell::Identifier(process.pid.into()),
            Column::WallTime => {
                let time = match row.place {
                    Place::Process(Some(lifetime)) => {
                        self.places.lifetimes.duration(lifetime, &self.recording.processes)
                    }
                    _ => process
                        .ended
                        .filter(|_| process.folded == 0)
                        .map(|ended| ended.since(process.started)),
                };
                time.map_or(Cell::Unknown, |time| Cell::Time {
                    nanoseconds: u64::try_from(time.as_nanos()).unwrap_or(u64::MAX),
                    exact: true,
                })
            }
            Column::CommandName | Column::ThreadName => {
                let name = match row.place {
                    Place::Thread(_, tid) => process.thread_name(tid),
                    _ => &process.comm,
                };
                match (name, process.folded) {
                    ("", 0) => Cell::Unknown,
                    (name, 0) => Cell::Text(name.into()),
                    (name, folded) => Cell::Text(folded_name(name, folded).into()),
                }
            }
            Column::WorkingDirectory => match &process.working_directory {
                Some(directory) => Cell::Text(directory.as_str().into()),
                None => Cell::Unknown,
            },
            _ if process.folded > 0 => Cell::Text(folded_name(&command_line(process), process.folded).into()),
            _ => Cell::Text(Cow::Owned(command_line(process))),
        }
    }

    fn reaches_threshold(&self, row: &Row) -> bool {
        let threshold = self.options.threshold;
        threshold <= 0.0
            || (0..self.classes.len()).any(|class| {
                let of_events = match self.cell(row, Column::TotalPercent(class)) {
                    Cell::Percent { part, whole } if whole > 0 => part as f64 / whole as f64,
                    _ => 0.0,
                };
                self.share(row, class).max(of_events) * 100.0 >= threshold
            })
    }
}

/// What stands for the name of several processes.
fn folded_name(name: &str, processes: u64) -> String {
    format!("{name} ({})", counted(processes, "process", "processes"))
}

/// In some class, symbols of more than one app have samples.
fn has_several_apps(rows: &[Row], classes: usize) -> bool {
    (0..classes).any(|class| {
        let mut apps =
            rows.iter().filter(|row| row.counts[class].samples > 0).filter_map(|row| match row.place {
                Place::Symbol { app, .. } => Some(app),
                _ => None,
            });
        apps.next().is_some_and(|first| apps.any(|app| app != first))
    })
}
