//! What counts say together: instructions per cycle, misses in a hundred and in a thousand, CPUs kept busy.

use oprof_profile::CountedEvent;

use super::StatRow;

/// What two counts say together, or a count and a time.
#[derive(Clone, Debug, PartialEq)]
pub struct Ratio {
    /// The ratio in its unit.
    pub value: f64,
    /// `per cycle`, `% of branches`.
    pub unit: String,
    /// The two were counted over the same time; else both were scaled, each by its own share of the time.
    pub exact: bool,
}

/// The kernel's generic events that others are set in relation to, each with the names that vendors give the same. The
/// names are those of Intel's, AMD's and Arm's tables.
const CYCLES: &[&str] =
    &["cycles", "cpu-cycles", "cpu_cycles", "cpu_clk_unhalted.thread", "cpu_clk_unhalted.core"];
const INSTRUCTIONS: &[&str] = &["instructions", "inst_retired", "inst_retired.any", "inst_retired.any_p"];
const BRANCHES: &[&str] = &["branches", "branch-instructions", "br_retired", "br_inst_retired.all_branches"];
const BRANCH_MISSES: &[&str] = &["branch-misses", "br_mis_pred_retired", "br_misp_retired.all_branches"];

/// The name of an event and the PMU between whose slashes it stands, both in small letters.
fn name(event: &CountedEvent) -> (String, String) {
    let name = event.name.to_ascii_lowercase();
    let name = name.strip_suffix(":u").or(name.strip_suffix(":k")).unwrap_or(&name);
    match name.strip_suffix('/').and_then(|name| name.split_once('/')) {
        Some((pmu, name)) => (pmu.to_owned(), name.to_owned()),
        None => (String::new(), name.to_owned()),
    }
}

fn is_one_of(event: &CountedEvent, names: &[&str]) -> bool {
    names.contains(&name(event).1.as_str())
}

/// For each row what it says together with others.
pub(super) fn ratios(rows: &[StatRow], wall_time: f64) -> Vec<Vec<Ratio>> {
    rows.iter().map(|row| of_row(row, rows, wall_time)).collect()
}

fn of_row(row: &StatRow, rows: &[StatRow], wall_time: f64) -> Vec<Ratio> {
    let Some(count) = row.count.map(|count| count.mean) else { return Vec::new() };
    let mut ratios = Vec::new();
    if row.event.nanoseconds {
        if wall_time > 0.0 {
            ratios.push(Ratio {
                value: count / wall_time,
                unit: "CPUs".to_owned(),
                exact: row.sum.is_complete(),
            });
        }
        return ratios;
    }
    // An event of its own unit is no number of times that something happened.
    if !row.event.unit.is_empty() || row.event.scale != 1.0 {
        return ratios;
    }
    let mut push = |other: Option<&StatRow>, factor: f64, unit: &str| {
        if let Some(other) = other
            && let Some(of) = other.count.map(|count| count.mean).filter(|of| *of > 0.0)
        {
            let (value, exact) = (count / of * factor, is_sound(row, other));
            ratios.push(Ratio { value, unit: unit.to_owned(), exact });
        }
    };
    let clock = rows.iter().find(|other| other.event.nanoseconds);
    let partner =
        |names: &[&str]| rows.iter().find(|other| goes_with(row, other) && is_one_of(&other.event, names));
    let (_, own) = name(&row.event);
    if is_one_of(&row.event, CYCLES) {
        push(clock, 1.0, "GHz");
    } else if is_one_of(&row.event, INSTRUCTIONS) {
        push(partner(CYCLES), 1.0, "per cycle");
    } else if own.contains("miss") || is_one_of(&row.event, BRANCH_MISSES) {
        let all = match is_one_of(&row.event, BRANCH_MISSES) {
            true => partner(BRANCHES),
            false => own
                .strip_suffix("-misses")
                .and_then(|base| partner(&[&format!("{base}s"), &format!("{base}-references")])),
        };
        push(all, 100.0, &all.map_or(String::new(), |all| format!("% of {}", all.event.name)));
        push(partner(INSTRUCTIONS), 1_000.0, "per 1,000 instructions");
    } else {
        push(clock, 1e9, "per CPU second");
    }
    ratios
}

/// The two are of the same PMU and the same kind of code.
fn goes_with(row: &StatRow, other: &StatRow) -> bool {
    let (a, b) = (&row.event, &other.event);
    (a.user, a.kernel) == (b.user, b.kernel) && name(a).0 == name(b).0
}

/// Both were counted throughout, or in the same group, whose events are counted at the same time or not at all.
fn is_sound(a: &StatRow, b: &StatRow) -> bool {
    (a.sum.is_complete() && b.sum.is_complete())
        || (a.event.group.is_some() && a.event.group == b.event.group)
}
