//! Turns groups into lines. Widths are those of a terminal; without one each event is one line.

use super::entry::{Entry, State};
use super::group::Group;
use super::refusal::Machine;
use crate::paragraph::{length, wrapped};

/// The width for which names are put side by side where there is no terminal.
pub(crate) const PLAIN_WIDTH: usize = 80;
/// Longer names push their own description aside, not those of all.
const WIDEST_NAME: usize = 32;
/// With less room than this for descriptions, they are not broken into lines.
const LEAST_DESCRIPTION: usize = 12;

/// What holds for the whole list.
pub(crate) fn remark(entries: &[Entry], machine: &Machine, width: Option<usize>) -> Vec<String> {
    if !entries.iter().any(|entry| entry.state == State::UserSamples) {
        return Vec::new();
    }
    wrapped(&format!("only user code can be sampled: {}", machine.no_kernel_code()), 4, width)
}

/// The lines of all groups, their columns aligned.
pub(crate) fn groups(groups: &[Group], width: Option<usize>) -> Vec<String> {
    let names = groups.iter().flat_map(|group| &group.entries).map(|entry| length(&entry.name));
    let name_width = names.filter(|&width| width <= WIDEST_NAME).max().unwrap_or(0);
    groups.iter().flat_map(|group| lines(group, name_width, width)).collect()
}

fn lines(group: &Group, name_width: usize, width: Option<usize>) -> Vec<String> {
    let title = format!("{} events:", listed(&group.labels));
    if let ([], [(reason, names)]) = (group.entries.as_slice(), group.refused.as_slice()) {
        let mut lines = wrapped(&format!("{title} none can be opened: {reason}"), 4, width);
        lines.extend(name_lines(names, 2, width));
        return lines;
    }
    let mut lines = vec![title];
    lines.extend(group.entries.iter().flat_map(|entry| entry_lines(entry, name_width, width)));
    for (reason, names) in &group.refused {
        lines.extend(wrapped(&format!("  cannot be opened: {reason}"), 4, width));
        lines.extend(name_lines(names, 4, width));
    }
    lines
}

/// `a`, `a and b`, `a, b and c`.
fn listed(labels: &[String]) -> String {
    match labels {
        [some @ .., before, last] => {
            let some: String = some.iter().map(|label| format!("{label}, ")).collect();
            format!("{some}{before} and {last}")
        }
        _ => labels.concat(),
    }
}

/// The name, and behind it what the event counts; under a longer name it begins on the next line.
fn entry_lines(entry: &Entry, name_width: usize, width: Option<usize>) -> Vec<String> {
    let mut facts = Vec::new();
    if !entry.aliases.is_empty() {
        facts.push(format!("also {}", entry.aliases.join(", ")));
    }
    if entry.state == State::Counts {
        facts.push("counts only, no samples".to_owned());
    }
    if entry.table_event.as_ref().is_some_and(|event| event.deprecated) {
        facts.push("deprecated".to_owned());
    }
    let facts = if facts.is_empty() { String::new() } else { format!(" ({})", facts.join("; ")) };
    let text = format!("{}{facts}", entry.description);
    let indent = name_width + 4;
    let name = format!("  {:name_width$}  ", entry.name);
    let room = width.map(|width| width.saturating_sub(indent)).filter(|room| *room >= LEAST_DESCRIPTION);
    let Some(room) = room else { return vec![format!("{name}{}", text.trim_start()).trim_end().to_owned()] };
    let mut texts = wrapped(text.trim_start(), 0, Some(room)).into_iter();
    let mut lines = match length(&name) > indent {
        true => vec![name.trim_end().to_owned()],
        false => vec![format!("{name}{}", texts.next().unwrap_or_default()).trim_end().to_owned()],
    };
    lines.extend(texts.filter(|text| !text.is_empty()).map(|text| format!("{:indent$}{text}", "")));
    lines
}

/// Names behind each other.
fn name_lines(names: &[String], indent: usize, width: Option<usize>) -> Vec<String> {
    let text = format!("{:indent$}{}", "", names.join(", "));
    wrapped(&text, indent, Some(width.unwrap_or(PLAIN_WIDTH)))
}

/// Cells side by side, to be read downwards, as ls(1) puts them.
pub(crate) fn columns(cells: &[String], width: usize) -> Vec<String> {
    const INDENT: usize = 2;
    const GAP: usize = 4;
    let widest = cells.iter().map(|cell| length(cell)).max().unwrap_or(0);
    let fitting = (width.saturating_sub(INDENT) + GAP) / (widest + GAP);
    let rows = cells.len().div_ceil(fitting.max(1));
    let row = |row: usize| {
        let cells = cells.iter().skip(row).step_by(rows);
        let line: String = cells.map(|cell| format!("{cell:width$}", width = widest + GAP)).collect();
        format!("{:INDENT$}{}", "", line.trim_end())
    };
    (0..rows).map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(name: &str, aliases: &[&str], description: &str, state: State) -> Entry {
        Entry {
            name: name.to_owned(),
            aliases: aliases.iter().map(|&alias| alias.to_owned()).collect(),
            description: description.to_owned(),
            group: "software".to_owned(),
            table_event: None,
            configs: Vec::new(),
            state,
        }
    }

    fn software() -> Group {
        Group {
            labels: vec!["software".to_owned()],
            entries: vec![
                entry("cpu-clock", &[], "nanoseconds of CPU time, by a timer on each CPU", State::Samples),
                entry("page-faults", &["faults"], "page faults of either kind", State::Samples),
                entry("msr/tsc/", &[], "event=0x00", State::Counts),
            ],
            refused: vec![("this kernel does not have them".to_owned(), vec!["cgroup-switches".to_owned()])],
        }
    }

    #[test]
    fn in_a_pipe_nothing_is_cut() {
        assert_eq!(
            groups(&[software()], None),
            [
                "software events:",
                "  cpu-clock    nanoseconds of CPU time, by a timer on each CPU",
                "  page-faults  page faults of either kind (also faults)",
                "  msr/tsc/     event=0x00 (counts only, no samples)",
                "  cannot be opened: this kernel does not have them",
                "    cgroup-switches",
            ]
        );
    }

    #[test]
    fn on_a_terminal_descriptions_are_broken_into_lines_and_names_are_not() {
        let lines = groups(&[software()], Some(42));
        assert_eq!(lines[1], "  cpu-clock    nanoseconds of CPU time, by");
        assert_eq!(lines[2], "               a timer on each CPU");
        assert_eq!(lines[3], "  page-faults  page faults of either kind");
        assert_eq!(lines[4], "               (also faults)");
        assert!(lines[1..6].iter().all(|line| length(line) <= 42));
        assert!(groups(&[software()], Some(1))[1].ends_with("by a timer on each CPU"));
    }

    #[test]
    fn groups_of_which_nothing_opens_are_a_reason_and_names() {
        let names: Vec<_> = (0..20).map(|number| format!("event-number-{number}")).collect();
        let labels = ["hardware", "cache", "PMU cpu"].map(str::to_owned).to_vec();
        let group = Group { labels, entries: Vec::new(), refused: vec![("no PMU".to_owned(), names)] };
        let lines = groups(&[group], None);
        assert_eq!(lines[0], "hardware, cache and PMU cpu events: none can be opened: no PMU");
        assert!(lines[1].starts_with("  event-number-0, event-number-1, "));
        assert!(lines[1..].iter().all(|line| length(line) <= PLAIN_WIDTH));
    }

    #[test]
    fn a_long_name_does_not_push_all_descriptions_aside() {
        let long = "a".repeat(40);
        let mut group = software();
        group.entries.push(entry(&long, &[], "long", State::Samples));
        let lines = groups(std::slice::from_ref(&group), None);
        assert!(lines[1].starts_with("  cpu-clock    nano"));
        assert!(lines.contains(&format!("  {long}  long")));
        let lines = groups(&[group], Some(80));
        let at = lines.iter().position(|line| *line == format!("  {long}")).expect("a line of its own");
        assert_eq!(lines[at + 1], "               long");
    }

    #[test]
    fn text_is_wrapped_between_words_and_long_words_stay_whole() {
        assert_eq!(wrapped("aa bb cc", 2, Some(5)), ["aa bb", "  cc"]);
        assert_eq!(wrapped("  aaaaaaaa bb", 4, Some(5)), ["  aaaaaaaa", "    bb"]);
        assert_eq!(wrapped("aa bb cc", 2, None), ["aa bb cc"]);
        assert_eq!(wrapped("", 2, Some(0)), [""]);
    }

    #[test]
    fn columns_are_read_downwards() {
        let cells = ["a", "bb", "c", "d", "e"].map(str::to_owned);
        assert_eq!(columns(&cells, 14), ["  a     d", "  bb    e", "  c"]);
        assert_eq!(columns(&cells, 0).len(), 5);
        assert!(columns(&[], 80).is_empty());
    }

    #[test]
    fn the_remark_is_made_once_and_only_where_it_holds() {
        let machine = Machine { paranoid: Some(2), ..Machine::default() };
        let samples = [entry("cpu-clock", &[], "", State::Samples)];
        assert!(remark(&samples, &machine, None).is_empty());
        let user =
            [entry("cpu-clock", &[], "", State::UserSamples), entry("cs", &[], "", State::UserSamples)];
        assert_eq!(remark(&user, &machine, None).len(), 1);
    }
}
