//! OProfile's table of what changed between two profiles (`opreport -l { } { }`).

use std::io::{self, Write};

use crate::differential::Differential;
use crate::header::header;
use crate::render::symbols::{end_line, push_field, push_titles, text, width};

/// Writes OProfile's table of two profiles: the symbols of both, with samples and shares of the second, and how the shares
/// changed. Each row is one write; give it a buffered `out`.
pub fn opreport_differential(
    differential: &Differential<'_>,
    no_header: bool,
    out: &mut (impl Write + ?Sized),
) -> io::Result<()> {
    let after = differential.after();
    let mut line = String::new();
    if !no_header {
        out.write_all(header(after.recording(), after.classes()).as_bytes())?;
        push_titles(&mut line, after, differential.columns());
        out.write_all(line.as_bytes())?;
    }
    let digits = differential.address_digits();
    for row in differential.rows() {
        line.clear();
        for column in differential.columns() {
            push_field(&mut line, &text(differential.cell(row, *column), digits), width(after, *column));
        }
        end_line(&mut line);
        out.write_all(line.as_bytes())?;
    }
    Ok(())
}
