//! Turns the addresses that one unit holds into their lines and inlined calls.

use std::collections::HashMap;

use gimli::UnitOffset;
use oprof_profile::InlinedFrame;

use super::function_name::{Entries, FunctionName, Holder};
use super::functions::{Call, Functions};
use super::lines::Row;
use super::source_path::source_path;
use super::work::Work;

/// What an inlined call takes in memory, here and in the names that are made of it, in bytes.
const BYTES_OF_A_CALL: u64 = 2 * (size_of::<Inlined>() + size_of::<InlinedFrame>()) as u64;

/// What a name or path of this length takes in memory: here, as a key, and in the names that are made of it.
fn bytes_of_text(length: usize) -> u64 {
    4 * (length as u64 + 64)
}

/// A place in one of an answer's files.
#[derive(Clone, Copy)]
pub(super) struct Line {
    pub(super) file: usize,
    pub(super) line: u32,
    pub(super) column: u32,
}

/// An inlined call.
#[derive(Clone, Copy)]
pub(super) struct Inlined {
    /// Its function, among the answer's.
    pub(super) function: usize,
    /// Where it is called.
    pub(super) call: Option<Line>,
}

/// What a unit tells of an address.
pub(super) struct Told {
    /// The address's place among those that were asked for.
    pub(super) place: usize,
    /// Whether a function of the unit holds the address, rather than its line table alone.
    pub(super) in_function: bool,
    pub(super) line: Option<Line>,
    /// The innermost first.
    pub(super) inlined: Vec<Inlined>,
}

/// What a unit tells of the addresses that it holds.
#[derive(Default)]
pub(super) struct UnitAnswer {
    pub(super) files: Vec<String>,
    pub(super) functions: Vec<FunctionName>,
    pub(super) told: Vec<Told>,
}

/// Makes the answer of one unit.
pub(super) struct Writer<'a, 'bytes> {
    pub(super) entries: &'a Entries<'a, 'bytes>,
    pub(super) holder: Holder<'a, 'bytes>,
    pub(super) work: &'a Work<'a>,
    answer: UnitAnswer,
    /// The numbers given to the files of the line table; `None` for those that cannot be read.
    files: HashMap<u64, Option<usize>>,
    functions: HashMap<UnitOffset<usize>, Option<usize>>,
}

impl<'a, 'bytes> Writer<'a, 'bytes> {
    pub(super) fn new(
        entries: &'a Entries<'a, 'bytes>,
        holder: Holder<'a, 'bytes>,
        work: &'a Work<'a>,
    ) -> Writer<'a, 'bytes> {
        let answer = UnitAnswer::default();
        Writer { entries, holder, work, answer, files: HashMap::new(), functions: HashMap::new() }
    }

    /// The answer for the addresses at `places` among those that were asked for, given the rows and the functions
    /// that hold them.
    pub(super) fn write(
        mut self,
        places: &[usize],
        rows: &[Option<Row>],
        functions: &Functions<'_>,
    ) -> UnitAnswer {
        for ((&place, row), innermost) in places.iter().zip(rows).zip(&functions.innermost) {
            if row.is_none() && innermost.is_none() {
                continue;
            }
            let line = row.and_then(|row| self.line(row));
            let mut inlined = Vec::new();
            let mut node = innermost.map(|node| &functions.nodes[node]);
            while let Some(parent) = node.and_then(|node| node.parent) {
                let (Some(inner), Some(())) = (node, self.work.budget.take(BYTES_OF_A_CALL)) else { break };
                if let Some(function) = self.function(inner.entry) {
                    inlined.push(Inlined { function, call: self.call(inner.call) });
                }
                node = Some(&functions.nodes[parent]);
            }
            self.answer.told.push(Told { place, in_function: innermost.is_some(), line, inlined });
        }
        self.answer
    }

    fn call(&mut self, call: Call) -> Option<Line> {
        let row = Row { file: call.file?, line: call.line, column: call.column };
        self.line(row)
    }

    fn line(&mut self, row: Row) -> Option<Line> {
        let Writer { holder, work, answer, .. } = self;
        let file = *self.files.entry(row.file).or_insert_with(|| {
            let program = holder.files.line_program.as_ref()?;
            let path = source_path(holder.files, program.header(), row.file)?;
            work.budget.take(bytes_of_text(path.len()))?;
            answer.files.push(path);
            Some(answer.files.len() - 1)
        });
        Some(Line { file: file?, line: row.line, column: row.column })
    }

    fn function(&mut self, entry: UnitOffset<usize>) -> Option<usize> {
        let Writer { entries, holder, work, answer, .. } = self;
        *self.functions.entry(entry).or_insert_with(|| {
            let name = entries.name(*holder, entry);
            let length = name.name.as_ref().map_or(0, String::len);
            let declared_in = name.declaration.as_ref().map_or(0, |(file, _)| file.len());
            work.budget.take(bytes_of_text(length + declared_in))?;
            answer.functions.push(name);
            Some(answer.functions.len() - 1)
        })
    }
}
