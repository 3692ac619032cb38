//! Groupings: what one row of a report stands for.

use std::fmt;
use std::str::FromStr;

/// What one row of a report stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum By {
    /// An app: all processes that ran the same program.
    App,
    /// An image: a program, a library, the kernel.
    Image,
    /// A symbol of an image in an app.
    Symbol,
    /// A line of a source file; an inlined function's code is in its own lines.
    Line,
    /// A process, from fork to exit.
    Process,
    /// A thread of a process, of recordings that keep them apart.
    Thread,
    /// A process between two execs: one command line.
    Command,
    /// A CPU.
    Cpu,
}

impl By {
    /// All groupings, in the order in which help texts list them.
    pub const ALL: [By; 8] =
        [By::App, By::Image, By::Symbol, By::Line, By::Process, By::Thread, By::Command, By::Cpu];

    /// The grouping's name, as an option's value.
    pub fn name(self) -> &'static str {
        match self {
            By::App => "app",
            By::Image => "image",
            By::Symbol => "symbol",
            By::Line => "line",
            By::Process => "process",
            By::Thread => "thread",
            By::Command => "command",
            By::Cpu => "cpu",
        }
    }

    /// Its rows are made of whole processes, so that exact event totals can stand beside the samples.
    pub(crate) fn has_totals(self) -> bool {
        matches!(self, By::App | By::Process | By::Command)
    }
}

impl fmt::Display for By {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// No grouping has this name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownGrouping(pub String);

impl fmt::Display for UnknownGrouping {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == "time" {
            return f.write_str(
                "samples are folded while they are recorded: a recording does not tell when each was taken",
            );
        }
        write!(f, "no grouping named '{}': use ", crate::printable(&self.0))?;
        for (index, by) in By::ALL.iter().enumerate() {
            write!(f, "{}{by}", if index == 0 { "" } else { ", " })?;
        }
        Ok(())
    }
}

impl std::error::Error for UnknownGrouping {}

impl FromStr for By {
    type Err = UnknownGrouping;

    fn from_str(name: &str) -> Result<By, UnknownGrouping> {
        By::ALL.into_iter().find(|by| by.name() == name).ok_or_else(|| UnknownGrouping(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_parses_to_its_grouping() {
        for by in By::ALL {
            assert_eq!(by.to_string().parse(), Ok(by));
        }
    }

    #[test]
    fn an_unknown_name_is_told_the_known_ones() {
        let error = "tid\x1b".parse::<By>().unwrap_err();
        assert_eq!(
            error.to_string(),
            r"no grouping named 'tid\x1b': use app, image, symbol, line, process, thread, command, cpu"
        );
    }
}
