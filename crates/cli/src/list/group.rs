//! Turns entries into groups, in which what cannot be opened is summed up by reason.

use super::entry::{Entry, State};

/// Events of one kind.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Group {
    /// The kinds of event: one, or several that all cannot be opened for one reason.
    pub(crate) labels: Vec<String>,
    /// The events that can be opened.
    pub(crate) entries: Vec<Entry>,
    /// Why others cannot, each reason with the names of these.
    pub(crate) refused: Vec<(String, Vec<String>)>,
}

/// Groups entries, which stand in the order of their groups.
pub(crate) fn groups(entries: Vec<Entry>) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for entry in entries {
        if groups.last().is_none_or(|group| group.labels != [entry.group.as_str()]) {
            groups.push(Group { labels: vec![entry.group.clone()], ..Group::default() });
        }
        groups.last_mut().expect("just added").add(entry);
    }
    let mut merged: Vec<Group> = Vec::new();
    for group in groups {
        match merged.last_mut().filter(|last| last.is_refused_like(&group)) {
            Some(last) => last.merge(group),
            None => merged.push(group),
        }
    }
    merged
}

impl Group {
    fn add(&mut self, entry: Entry) {
        let State::Refused(reason) = entry.state else { return self.entries.push(entry) };
        match self.refused.iter_mut().find(|(known, _)| *known == reason) {
            Some((_, names)) => names.push(entry.name),
            None => self.refused.push((reason, vec![entry.name])),
        }
    }

    /// Nothing in either group can be opened, for one and the same reason.
    fn is_refused_like(&self, other: &Group) -> bool {
        match (self.refused.as_slice(), other.refused.as_slice()) {
            ([(one, _)], [(same, _)]) => one == same && self.entries.is_empty() && other.entries.is_empty(),
            _ => false,
        }
    }

    fn merge(&mut self, other: Group) {
        self.labels.extend(other.labels);
        let names = other.refused.into_iter().flat_map(|(_, names)| names);
        self.refused[0].1.extend(names);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(group: &str, name: &str, state: State) -> Entry {
        Entry {
            name: name.to_owned(),
            aliases: Vec::new(),
            description: String::new(),
            group: group.to_owned(),
            table_event: None,
            configs: Vec::new(),
            state,
        }
    }

    fn refused(group: &str, name: &str, reason: &str) -> Entry {
        entry(group, name, State::Refused(reason.to_owned()))
    }

    #[test]
    fn a_reason_is_said_once_for_all_that_it_holds_for() {
        let groups = groups(vec![
            refused("hardware", "cycles", "no PMU"),
            refused("hardware", "instructions", "no PMU"),
            refused("cache", "L1-dcache-loads", "no PMU"),
            entry("software", "cpu-clock", State::Samples),
            refused("PMU msr", "msr/tsc/", "no PMU"),
        ]);
        assert_eq!(groups.len(), 3);
        assert_eq!(groups[0].labels, ["hardware", "cache"]);
        let names = ["cycles", "instructions", "L1-dcache-loads"].map(str::to_owned).to_vec();
        assert_eq!(groups[0].refused, [("no PMU".to_owned(), names)]);
        assert_eq!(groups[1].entries.len(), 1);
        assert_eq!(groups[2].labels, ["PMU msr"], "another group stands between");
    }

    #[test]
    fn a_group_with_several_reasons_stands_alone() {
        let groups = groups(vec![
            refused("hardware", "cycles", "busy"),
            refused("hardware", "bus-cycles", "unknown"),
            refused("cache", "L1-dcache-loads", "busy"),
        ]);
        assert_eq!(groups.len(), 2);
        assert_eq!(groups[0].refused.len(), 2);
    }
}
