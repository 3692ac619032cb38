//! Lines with samples, one below the other, where stretches without any are folded.

use std::io::{self, Write};

use oprof_profile::Count;

use super::{AnnotateLook, samples};
use crate::number::counted;
use crate::printable::printable;
use crate::report::Report;

/// A line of a listing.
#[derive(Clone, Debug)]
pub(super) struct Line {
    /// Samples, for each class; empty for none.
    pub(super) counts: Vec<Count>,
    /// Its number or address.
    pub(super) label: String,
    /// What stands there.
    pub(super) text: String,
    /// It is the source line above instructions.
    pub(super) is_title: bool,
}

/// Lines from this share of a function on stand out: red, yellow.
const HOT: f64 = 0.1;
const WARM: f64 = 0.02;

/// Lines of one function.
pub(super) struct Listing<'a, 'r> {
    pub(super) report: &'a Report<'r>,
    /// The samples of the function, which shares are of.
    pub(super) counts: &'a [Count],
    pub(super) look: AnnotateLook,
}

impl Listing<'_, '_> {
    /// Writes titles, `title` above the labels, and lines; stretches of more lines without samples than are to stand around others are one line that
    /// says how many there are.
    pub(super) fn write(
        &self,
        title: &str,
        lines: &[Line],
        out: &mut (impl Write + ?Sized),
    ) -> io::Result<()> {
        let width = lines.iter().map(|line| line.label.len()).max().unwrap_or(0);
        let width = width.max(title.len());
        let mut titles = String::new();
        for _ in 0..self.report.classes().len() {
            titles.push_str("    samples       %");
        }
        writeln!(out, "{titles}  {:>width$}", title)?;
        let shown = shown(lines, self.look);
        let mut at = 0;
        while at < lines.len() {
            let cold = shown[at..].iter().take_while(|shown| !**shown).count();
            // A fold takes a line itself.
            if cold > 1 {
                let what = counted(cold as u64, "line", "lines");
                let blank = " ".repeat(titles.len() + 2 + width.saturating_sub(3));
                writeln!(out, "{blank}...  {what} without samples")?;
                at += cold;
                continue;
            }
            self.line(&lines[at], width, out)?;
            at += 1;
        }
        Ok(())
    }

    fn line(&self, line: &Line, width: usize, out: &mut (impl Write + ?Sized)) -> io::Result<()> {
        let mut text = String::new();
        let mut hottest: f64 = 0.0;
        for class in 0..self.report.classes().len() {
            let count = line.counts.get(class).copied().unwrap_or_default();
            let whole = self.counts.get(class).copied().unwrap_or_default();
            let of = self.report.classes()[class];
            let share = match of.measure(whole) {
                0 => 0.0,
                whole => of.measure(count) as f64 / whole as f64,
            };
            hottest = hottest.max(share);
            let percent = if count.samples > 0 { format!("{:.2}", share * 100.0) } else { String::new() };
            text.push_str(&format!("{:>11} {percent:>7}", samples(count)));
        }
        text.push_str(&format!("  {:>width$}  {}", line.label, printable(&expanded(&line.text))));
        let text = text.trim_end();
        let colour = match hottest {
            _ if !self.look.colour => None,
            HOT.. => Some("31"),
            WARM.. => Some("33"),
            _ if line.is_title => Some("36"),
            _ => None,
        };
        match colour {
            Some(colour) => writeln!(out, "\x1b[{colour}m{text}\x1b[0m"),
            None => writeln!(out, "{text}"),
        }
    }
}

/// For each line: it has samples, or stands near one that has some.
fn shown(lines: &[Line], look: AnnotateLook) -> Vec<bool> {
    let Some(context) = look.context else { return vec![true; lines.len()] };
    let mut shown = vec![false; lines.len()];
    for (at, line) in lines.iter().enumerate() {
        if line.counts.iter().any(|count| count.samples > 0) {
            let end = (at + context + 1).min(lines.len());
            shown[at.saturating_sub(context)..end].fill(true);
        }
    }
    shown
}

/// Tabs as blanks up to each eighth column: a terminal would count from the line's own beginning.
fn expanded(text: &str) -> String {
    let mut expanded = String::with_capacity(text.len() + 16);
    let mut column = 0;
    for character in text.chars() {
        if character == '\t' {
            let blanks = 8 - column % 8;
            expanded.extend(std::iter::repeat_n(' ', blanks));
            column += blanks;
        } else {
            expanded.push(character);
            column += 1;
        }
    }
    expanded
}
