//! Columns: each listed once, with all that a renderer needs to know of it.

use crate::grouping::By;

/// A column of a report. The number is the index of a class of the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Column {
    /// Number of samples of a class.
    Samples(usize),
    /// How many events the samples of a class stand for, where they are read with the samples of another.
    Events(usize),
    /// Share of the class's samples.
    Percent(usize),
    /// Between which shares the true one is.
    Error(usize),
    /// Number of samples of a class in this row and those above it.
    AccumulatedSamples(usize),
    /// Their share.
    AccumulatedPercent(usize),
    /// How the share of a class has changed, where two profiles are compared.
    Change(usize),
    /// The address of a symbol in its image.
    Address,
    /// What a class says together with another of its group, by the number of the report's ratio.
    Ratio {
        /// The class.
        class: usize,
        /// The report's ratio.
        ratio: usize,
    },
    /// How often the class's event happened.
    Total(usize),
    /// Share of the class's events.
    TotalPercent(usize),
    /// How many processes ended as this app.
    Processes,
    /// The process id.
    Pid,
    /// The thread id.
    Tid,
    /// The time from start to end.
    WallTime,
    /// The CPU's number.
    Cpu,
    /// Where the symbol is in the source.
    Line,
    /// The image.
    Image,
    /// The app.
    App,
    /// The symbol.
    Symbol,
    /// The command name (comm).
    CommandName,
    /// The name of a thread (comm).
    ThreadName,
    /// The directory in which a command was started.
    WorkingDirectory,
    /// The command line.
    CommandLine,
}

impl Column {
    /// What stands above the column; the title of a ratio is its unit, which the report has.
    pub(crate) fn fixed_title(self) -> &'static str {
        self.layout().0
    }

    /// The least width of the column in OProfile's symbol table.
    pub(crate) fn opreport_width(self) -> usize {
        self.layout().1
    }

    /// It holds numbers, which stand at its right edge and are never cut.
    pub fn is_number(self) -> bool {
        self.layout().2
    }

    /// The class that the column is of.
    pub fn class(self) -> Option<usize> {
        match self {
            Column::Samples(class)
            | Column::Events(class)
            | Column::Percent(class)
            | Column::Error(class)
            | Column::AccumulatedSamples(class)
            | Column::AccumulatedPercent(class)
            | Column::Change(class)
            | Column::Ratio { class, .. }
            | Column::Total(class)
            | Column::TotalPercent(class) => Some(class),
            _ => None,
        }
    }

    fn layout(self) -> (&'static str, usize, bool) {
        match self {
            Column::Samples(_) => ("samples", 9, true),
            Column::Events(_) => ("events", 14, true),
            Column::Percent(_) => ("%", 9, true),
            Column::Error(_) => ("95 % interval", 16, true),
            Column::AccumulatedSamples(_) => ("cum. samples", 14, true),
            Column::AccumulatedPercent(_) => ("cum. %", 11, true),
            Column::Change(_) => ("diff %", 10, true),
            Column::Address => ("vma", 9, true),
            Column::Ratio { .. } => ("", 9, true),
            Column::Total(_) => ("total", 14, true),
            Column::TotalPercent(_) => ("total %", 9, true),
            Column::Processes => ("processes", 11, true),
            Column::Pid => ("pid", 9, true),
            Column::Tid => ("tid", 9, true),
            Column::WallTime => ("wall time", 14, true),
            Column::Cpu => ("cpu", 9, true),
            Column::Line => ("linenr info", 28, false),
            Column::Image => ("image name", 25, false),
            Column::App => ("app name", 25, false),
            Column::Symbol => ("symbol name", 30, false),
            Column::CommandName => ("command name", 17, false),
            Column::ThreadName => ("thread name", 17, false),
            Column::WorkingDirectory => ("working directory", 25, false),
            Column::CommandLine => ("command line", 30, false),
        }
    }
}

/// Which columns a report may do without.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shown<'a> {
    /// For each class: totals are worth a column.
    pub(crate) totals: &'a [bool],
    /// For each class: it is read with the samples of another.
    pub(crate) read: &'a [bool],
    /// The class of each ratio.
    pub(crate) ratios: &'a [usize],
    /// Sums from the first row on are asked for.
    pub(crate) accumulated: bool,
    /// Addresses of symbols are.
    pub(crate) addresses: bool,
    /// Lines are.
    pub(crate) lines: bool,
    /// Sampling errors are.
    pub(crate) errors: bool,
    /// How many processes there are is known.
    pub(crate) processes: bool,
    /// Some row's image is not its app.
    pub(crate) image: bool,
    /// There is more than one app.
    pub(crate) app: bool,
}

/// The columns of a report, left to right.
pub(crate) fn columns(by: By, shown: Shown<'_>) -> Vec<Column> {
    let mut columns = Vec::new();
    columns.extend((shown.addresses && by == By::Symbol).then_some(Column::Address));
    for (class, total) in shown.totals.iter().enumerate() {
        let amount = if shown.read[class] { Column::Events(class) } else { Column::Samples(class) };
        columns.push(amount);
        columns.extend(shown.accumulated.then_some(Column::AccumulatedSamples(class)));
        columns.push(Column::Percent(class));
        columns.extend(shown.errors.then_some(Column::Error(class)));
        columns.extend(shown.accumulated.then_some(Column::AccumulatedPercent(class)));
        let own = shown.ratios.iter().enumerate().filter(|(_, of)| **of == class);
        columns.extend(own.map(|(ratio, _)| Column::Ratio { class, ratio }));
        if *total {
            columns.push(Column::Total(class));
            columns.extend((by == By::App).then_some(Column::TotalPercent(class)));
        }
    }
    match by {
        By::App => {
            columns.extend(shown.processes.then_some(Column::Processes));
            columns.push(Column::App);
        }
        By::Line => columns.push(Column::Line),
        By::Image => columns.push(Column::Image),
        By::Symbol => {
            columns.extend(shown.lines.then_some(Column::Line));
            columns.extend(shown.image.then_some(Column::Image));
            columns.extend(shown.app.then_some(Column::App));
            columns.push(Column::Symbol);
        }
        By::Process => {
            columns.extend([Column::Pid, Column::WallTime, Column::App, Column::CommandName]);
        }
        By::Thread => {
            columns.extend([Column::Pid, Column::Tid, Column::App, Column::ThreadName]);
        }
        By::Command => columns.extend([Column::WallTime, Column::WorkingDirectory, Column::CommandLine]),
        By::Cpu => columns.push(Column::Cpu),
    }
    columns
}
