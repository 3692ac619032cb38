//! What one row of a comparison stands for.

use std::fmt;

/// What one row of a comparison stands for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum DiffBy {
    /// A symbol of an image in an app.
    #[default]
    Symbol,
    /// An image: a program, a library, the kernel.
    Image,
    /// An app: all processes that ran the same program.
    App,
    /// A command line.
    Command,
    /// A line of a source file in an image; of inlined code the innermost.
    Line,
}

impl DiffBy {
    /// All of them, in the order in which help texts list them.
    pub const ALL: [DiffBy; 5] = [DiffBy::Symbol, DiffBy::Image, DiffBy::App, DiffBy::Command, DiffBy::Line];

    /// The name, as an option's value.
    pub fn name(self) -> &'static str {
        match self {
            DiffBy::Symbol => "symbol",
            DiffBy::Image => "image",
            DiffBy::App => "app",
            DiffBy::Command => "command",
            DiffBy::Line => "line",
        }
    }

    /// One row and several, in words.
    pub(crate) fn words(self) -> (&'static str, &'static str) {
        match self {
            DiffBy::Symbol => ("symbol", "symbols"),
            DiffBy::Image => ("image", "images"),
            DiffBy::App => ("app", "apps"),
            DiffBy::Command => ("command", "commands"),
            DiffBy::Line => ("line", "lines"),
        }
    }
}

impl fmt::Display for DiffBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
