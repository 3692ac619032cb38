//! `oprof doctor`: what works on this machine for this user, and what would cure what does not.
//!
//! Facts are gathered, judged, and printed; judging is pure.

mod capabilities;
mod check;
mod facts;
mod gather;
mod judge;
mod layout;

use std::io::{self, BufWriter, Write};
use std::process::ExitCode;

use anyhow::Result;

use crate::{status, terminal};
use layout::Look;

/// Prints the checklist; the status tells whether anything can be recorded.
pub(crate) fn doctor() -> Result<ExitCode> {
    let facts = gather::facts();
    let stdout = io::stdout();
    let terminal = terminal::terminal(&stdout);
    let look = Look {
        width: terminal.and_then(|terminal| terminal.width).map(usize::from),
        colour: terminal.is_some_and(|terminal| terminal.colour),
    };
    let mut out = BufWriter::new(stdout.lock());
    for line in layout::lines(&judge::checks(&facts), &judge::conclusion(&facts), look) {
        writeln!(out, "{line}")?;
    }
    out.flush()?;
    Ok(if judge::can_record(&facts) { ExitCode::SUCCESS } else { ExitCode::from(status::FAILED) })
}
