//! Trees: rows within rows, by one grouping after the other.

use oprof_profile::{Count, Recording};
use rustc_hash::FxHashMap;

use crate::class::{ClassOfKey, ClassOrder};
use crate::column::Column;
use crate::grouping::By;
use crate::options::Options;
use crate::place::Place;
use crate::report::Report;
use crate::rows::Row;
use crate::sorting;

/// Rows within rows: those of each level are parts of the one above them, and sum to it.
pub struct Tree<'r> {
    report: Report<'r>,
    levels: Vec<By>,
    roots: Vec<Node>,
    threshold: f64,
    below_threshold: u64,
}

/// A row and those that it is made of.
#[derive(Clone, Debug)]
pub struct Node {
    /// The row.
    pub row: Row,
    /// Its parts, at the next level; none at the last.
    pub children: Vec<Node>,
}

impl<'r> Tree<'r> {
    /// Folds a recording by each of `levels`, the outermost first. Rows below the options' threshold are left out at every
    /// level, with all within them; shares are of all samples.
    pub fn new(recording: &'r Recording, levels: &[By], order: ClassOrder, options: &Options) -> Tree<'r> {
        let options = Options { levels: levels.to_vec(), filtered: true, ..options.clone() };
        let first = levels.first().copied().unwrap_or(By::App);
        let report = Report::new(recording, first, order, &Options { threshold: 0.0, ..options.clone() });
        let separation = options.separation.in_fact(recording);
        let class_of = ClassOfKey::new(recording, report.classes(), separation);
        let classes = report.classes().len();
        let mut folded: FxHashMap<Vec<Place>, Vec<Count>> = FxHashMap::default();
        for (key, count) in recording.counts.iter() {
            let Some(class) = class_of.get(&key) else { continue };
            let place = |level: &By| report.places().chosen(*level, &key, &options);
            let Some(path) = levels.iter().map(place).collect::<Option<Vec<_>>>() else { continue };
            folded.entry(path).or_insert_with(|| vec![Count::default(); classes])[class].add(count);
        }
        let mut leaves: Vec<(Vec<Place>, Vec<Count>)> = folded.into_iter().collect();
        leaves.sort_by(|a, b| a.0.cmp(&b.0));
        let roots = nodes(&leaves, 0, levels.len(), classes);
        let mut tree = Tree {
            report,
            levels: levels.to_vec(),
            roots: Vec::new(),
            threshold: options.threshold,
            below_threshold: 0,
        };
        tree.roots = tree.finished(roots, options.threshold);
        tree
    }

    /// What each level stands for.
    pub fn levels(&self) -> &[By] {
        &self.levels
    }

    /// The rows of the outermost level.
    pub fn roots(&self) -> &[Node] {
        &self.roots
    }

    /// What tells of rows: classes, columns, cells, sums.
    pub fn report(&self) -> &Report<'r> {
        &self.report
    }

    /// The columns of numbers, which rows of every level have.
    pub fn columns(&self) -> Vec<Column> {
        let of_class = |column: &&Column| column.class().is_some();
        self.report.columns().iter().filter(of_class).copied().collect()
    }

    /// How many rows of each level, and within each row, are shown.
    pub fn top(&self) -> usize {
        self.report.options().top.unwrap_or(usize::MAX)
    }

    /// The share below which rows are left out, in percent.
    pub fn threshold(&self) -> f64 {
        self.threshold
    }

    /// How many rows are left out for their small share.
    pub fn below_threshold(&self) -> u64 {
        self.below_threshold
    }

    /// What a row is called; a symbol with its image where no level says that.
    pub fn label(&self, row: &Row) -> String {
        let name = self.report.label(row);
        match row.place {
            Place::Symbol { .. } if !self.levels.contains(&By::Image) => {
                match self.report.cell(row, Column::Image) {
                    crate::Cell::Text(image) => format!("{name}  {image}"),
                    _ => name,
                }
            }
            _ => name,
        }
    }

    fn finished(&mut self, mut nodes: Vec<Node>, threshold: f64) -> Vec<Node> {
        let all = nodes.len();
        nodes.retain(|node| {
            let classes = 0..self.report.classes().len();
            threshold <= 0.0
                || classes.map(|class| self.report.share(&node.row, class)).fold(0.0, f64::max) * 100.0
                    >= threshold
        });
        self.below_threshold += (all - nodes.len()) as u64;
        let keys = sorting::keys(&self.report);
        nodes.sort_by(|a, b| sorting::compare(&keys, (&self.report, &a.row), (&self.report, &b.row)));
        for node in &mut nodes {
            node.children = self.finished(std::mem::take(&mut node.children), threshold);
        }
        nodes
    }
}

/// The nodes of one level of leaves that are sorted by their paths.
fn nodes(leaves: &[(Vec<Place>, Vec<Count>)], level: usize, levels: usize, classes: usize) -> Vec<Node> {
    if level == levels {
        return Vec::new();
    }
    let parts = leaves.chunk_by(|a, b| a.0[level] == b.0[level]);
    let node = |part: &[(Vec<Place>, Vec<Count>)]| {
        let mut counts = vec![Count::default(); classes];
        for (_, leaf) in part {
            counts.iter_mut().zip(leaf).for_each(|(sum, count)| sum.add(*count));
        }
        Node {
            row: Row {
                place: part[0].0[level],
                counts,
                accumulated: Vec::new(),
                totals: Vec::new(),
                processes: 0,
            },
            children: nodes(part, level + 1, levels, classes),
        }
    };
    parts.map(node).collect()
}
