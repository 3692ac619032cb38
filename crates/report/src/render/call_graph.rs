//! OProfile's call graph (`opreport -c`).

use std::io::{self, Write};

use oprof_profile::Recording;

use super::symbols::{end_line, push_field, push_titles, text, width};
use crate::call_graph::{CallGraph, Relative};
use crate::class::ClassOrder;
use crate::header::header;
use crate::options::Options;

/// Between a symbol with its callers and callees and the next.
const RULE: &str = "-------------------------------------------------------------------------------\n";

/// Writes OProfile's call graph: the header, then for each symbol its callers, indented, the symbol and its callees,
/// indented, of which it is one by its own samples. Each line is one write; give it a buffered `out`.
pub fn opreport_call_graph(
    recording: &Recording,
    options: &Options,
    out: &mut (impl Write + ?Sized),
) -> io::Result<()> {
    let options = Options { oprofile_words: true, ..options.clone() };
    let graph = CallGraph::new(recording, ClassOrder::of_oprofile(&options), &options);
    let report = graph.report();
    let mut line = String::new();
    if !options.no_header {
        out.write_all(header(recording, report.classes()).as_bytes())?;
        push_titles(&mut line, report, report.columns());
        out.write_all(line.as_bytes())?;
    }
    out.write_all(RULE.as_bytes())?;
    let digits = report.address_digits();
    let widths: Vec<usize> = report.columns().iter().map(|column| width(report, *column)).collect();
    let mut write = |relatives: &[Relative], out: &mut dyn Write| -> io::Result<()> {
        for relative in relatives {
            line.clear();
            line.push_str("  ");
            for (column, width) in report.columns().iter().zip(&widths) {
                push_field(&mut line, &text(graph.cell(relative, *column), digits), *width);
            }
            end_line(&mut line);
            out.write_all(line.as_bytes())?;
        }
        Ok(())
    };
    let mut out = out;
    for (number, row) in report.rows().iter().enumerate() {
        let Some(relatives) = graph.relatives(number) else { continue };
        write(&relatives.callers, &mut out)?;
        let mut own = String::new();
        for (column, width) in report.columns().iter().zip(&widths) {
            push_field(&mut own, &text(report.cell(row, *column), digits), *width);
        }
        end_line(&mut own);
        out.write_all(own.as_bytes())?;
        write(&relatives.callees, &mut out)?;
        out.write_all(RULE.as_bytes())?;
    }
    Ok(())
}
