//! Which events say something together: instructions per cycle, misses in a hundred and in a thousand.

/// An event, as far as that matters here.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Related<'a> {
    pub(crate) name: &'a str,
    pub(crate) user: bool,
    pub(crate) kernel: bool,
    pub(crate) nanoseconds: bool,
}

/// What one event says together with another.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Relation {
    /// The index of the other event.
    pub(crate) other: usize,
    /// What the quotient is to be multiplied with.
    pub(crate) factor: f64,
    /// The unit of the product: `per cycle`, `% of branches`.
    pub(crate) unit: String,
}

/// The kernel's generic events that others are set in relation to, each with the names that vendors give the same. The
/// names are those of Intel's, AMD's and Arm's tables.
const CYCLES: &[&str] =
    &["cycles", "cpu-cycles", "cpu_cycles", "cpu_clk_unhalted.thread", "cpu_clk_unhalted.core"];
const INSTRUCTIONS: &[&str] = &["instructions", "inst_retired", "inst_retired.any", "inst_retired.any_p"];
const BRANCHES: &[&str] = &["branches", "branch-instructions", "br_retired", "br_inst_retired.all_branches"];
const BRANCH_MISSES: &[&str] = &["branch-misses", "br_mis_pred_retired", "br_misp_retired.all_branches"];

impl Related<'_> {
    /// The name and the PMU between whose slashes it stands, both in small letters.
    fn parts(&self) -> (String, String) {
        let name = self.name.to_ascii_lowercase();
        let name = name.strip_suffix(":u").or(name.strip_suffix(":k")).unwrap_or(&name);
        match name.strip_suffix('/').and_then(|name| name.split_once('/')) {
            Some((pmu, name)) => (pmu.to_owned(), name.to_owned()),
            None => (String::new(), name.to_owned()),
        }
    }

    fn is_one_of(&self, names: &[&str]) -> bool {
        names.contains(&self.parts().1.as_str())
    }

    /// The two are of the same PMU and the same kind of code.
    fn goes_with(&self, other: &Related<'_>) -> bool {
        (self.user, self.kernel) == (other.user, other.kernel) && self.parts().0 == other.parts().0
    }
}

/// What the event at `index` says together with others of `events`; of a clock nothing.
pub(crate) fn relations(index: usize, events: &[Related<'_>]) -> Vec<Relation> {
    let event = &events[index];
    if event.nanoseconds {
        return Vec::new();
    }
    let mut relations = Vec::new();
    let mut push = |other: Option<usize>, factor: f64, unit: &str| {
        relations.extend(other.map(|other| Relation { other, factor, unit: unit.to_owned() }));
    };
    let clock = events.iter().position(|other| other.nanoseconds);
    let partner =
        |names: &[&str]| events.iter().position(|other| event.goes_with(other) && other.is_one_of(names));
    let (_, own) = event.parts();
    if event.is_one_of(CYCLES) {
        push(clock, 1.0, "GHz");
    } else if event.is_one_of(INSTRUCTIONS) {
        push(partner(CYCLES), 1.0, "per cycle");
    } else if own.contains("miss") || event.is_one_of(BRANCH_MISSES) {
        let all = match event.is_one_of(BRANCH_MISSES) {
            true => partner(BRANCHES),
            false => own
                .strip_suffix("-misses")
                .and_then(|base| partner(&[&format!("{base}s"), &format!("{base}-references")])),
        };
        push(all, 100.0, &all.map_or(String::new(), |all| format!("% of {}", events[all].name)));
        push(partner(INSTRUCTIONS), 1_000.0, "per 1,000 instructions");
    } else {
        push(clock, 1e9, "per CPU second");
    }
    relations
}
