//! An event with all that is known of it, in the layout of OProfile's `ophelp`.

use oprof_events::table::{Counters, TableEvent, UnitMask, UnitMasks};

use super::entry::{Entry, State};

/// The column that text does not go beyond (OProfile's, whatever the terminal).
const WIDTH: usize = 99;
/// How a tab counts.
const TAB: usize = 8;
/// Where further lines of a description begin.
const DESCRIPTION_INDENT: usize = 8;
/// Where further lines of a unit mask begin.
const MASK_INDENT: usize = 14;

/// An event of a table; `counters` is how many its CPU type has.
pub(crate) fn of_table_event(event: &TableEvent, counters: Option<u32>) -> Vec<String> {
    table_event(event, counters, false)
}

fn table_event(event: &TableEvent, counters: Option<u32>, with_terms: bool) -> Vec<String> {
    let mut lines = vec![format!("{}: (counter: {})", event.name, counter_list(event.counters, counters))];
    let text = format!("{} (min count: {})", event.description, event.min_count);
    lines.extend(wrapped("\t", text.trim_start(), DESCRIPTION_INDENT));
    if let Some(masks) = &event.unit_masks {
        lines.extend(mask_lines(masks, with_terms));
    }
    lines
}

/// An entry with its default count, encoding and origin, what each of its unit masks adds to that, and why it does not
/// open.
pub(crate) fn of_entry(entry: &Entry, counters: Option<u32>) -> Vec<String> {
    let mut lines = match &entry.table_event {
        Some(event) => table_event(event, counters, true),
        None => {
            let minimum = entry.configs.first().map_or(1, |config| config.min_count);
            let text = format!("{} (min count: {minimum})", entry.description);
            let mut lines = vec![format!("{}:", entry.name)];
            lines.extend(wrapped("\t", text.trim_start(), DESCRIPTION_INDENT));
            lines
        }
    };
    let default = match (&entry.table_event, entry.configs.first()) {
        (Some(event), _) => Some(event.default_count),
        (None, Some(config)) => Some(config.default_count),
        (None, None) => None,
    };
    lines.extend(default.map(|count| format!("\tdefault count: {count}")));
    if let Some(event) = &entry.table_event {
        lines.push(format!("\tterms: {}", event.terms));
        let mut facts = Vec::new();
        match event.precise {
            0 => {}
            1 => facts.push("can be precise (p, pp)"),
            _ => facts.push("always precise"),
        }
        facts.extend(event.deprecated.then_some("deprecated"));
        facts.extend(event.data_address.then_some("samples tell the data's address"));
        facts.extend(event.taken_alone.then_some("taken alone"));
        facts.extend(event.refused.then_some("the kernel cannot count it"));
        if !facts.is_empty() {
            lines.push(format!("\t{}", facts.join("; ")));
        }
    }
    for config in &entry.configs {
        let words = [("config1", config.config1), ("config2", config.config2), ("config3", config.config3)];
        let words: String = words
            .iter()
            .filter(|(_, word)| *word != 0)
            .map(|(name, word)| format!(" {name} {word:#x}"))
            .collect();
        lines.push(format!("\tencoding: type {} config {:#x}{words}", config.pmu_type, config.config));
        lines.push(format!("\torigin: {}", config.origin));
    }
    if let State::Refused(reason) = &entry.state {
        lines.extend(wrapped("\t", &format!("cannot be opened: {reason}"), DESCRIPTION_INDENT));
    }
    if !entry.aliases.is_empty() {
        lines.push(format!("\talso: {}", entry.aliases.join(", ")));
    }
    lines
}

/// `all`, or the numbers.
fn counter_list(counters: Counters, number: Option<u32>) -> String {
    let listed = |numbers: Vec<u8>| numbers.iter().map(u8::to_string).collect::<Vec<_>>().join(", ");
    match (counters, counters.numbers()) {
        (Counters::Fixed(number), _) => format!("fixed {number}"),
        (_, Some(numbers)) if number != Some(numbers.len() as u32) => listed(numbers),
        _ => "all".to_owned(),
    }
}

fn mask_lines(masks: &UnitMasks, with_terms: bool) -> Vec<String> {
    let default = match masks.default_name.as_str() {
        "" => format!("{:#x}", masks.default),
        name => name.to_owned(),
    };
    let mut lines = vec![format!("\tUnit masks (default {default})"), "\t----------".to_owned()];
    lines.extend(masks.masks.iter().flat_map(|mask| mask_line(mask, with_terms)));
    lines
}

fn mask_line(mask: &UnitMask, with_terms: bool) -> Vec<String> {
    let name = match mask.name.as_str() {
        "" => String::new(),
        name => format!("(name={name}) "),
    };
    let refused = if mask.refused { " (not taken by the kernel)" } else { "" };
    let terms = match mask.terms.as_str() {
        terms if with_terms && !terms.is_empty() => format!(" [{terms}]"),
        _ => String::new(),
    };
    let text = format!("0x{:02x}: {name}{}{terms}{refused}", mask.value, mask.description);
    wrapped("\t", &text, MASK_INDENT)
}

/// Breaks text between words; the first line is led by `lead`.
fn wrapped(lead: &str, text: &str, indent: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let (mut line, mut column) = (lead.to_owned(), TAB);
    for (position, word) in text.split(' ').enumerate() {
        let length = word.chars().count();
        if position > 0 && column + 1 + length > WIDTH {
            lines.push(line.trim_end_matches(' ').to_owned());
            (line, column) = (" ".repeat(indent), indent);
        } else if position > 0 {
            line.push(' ');
            column += 1;
        }
        line.push_str(word);
        column += length;
    }
    lines.push(line.trim_end_matches(' ').to_owned());
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use oprof_events::table::BuiltInTable;

    fn block(cpu: &str, name: &str) -> Vec<String> {
        let table = BuiltInTable::find(cpu).expect("built in").parse().expect("sound");
        let event = table.described(table.find(name).expect("in the table"));
        of_table_event(&event, table.counters)
    }

    #[test]
    fn the_layout_is_ophelps() {
        assert_eq!(
            block("i386/p4-ht", "BRANCH_RETIRED"),
            [
                "BRANCH_RETIRED: (counter: 3)",
                "\tretired branch instructions, by outcome and prediction (min count: 6000)",
                "\tUnit masks (default 0xc)",
                "\t----------",
                "\t0x01: branch not-taken predicted",
                "\t0x02: branch not-taken mispredicted",
                "\t0x04: branch taken predicted",
                "\t0x08: branch taken mispredicted",
            ]
        );
        assert_eq!(block("i386/p4", "GLOBAL_POWER_EVENTS")[0], "GLOBAL_POWER_EVENTS: (counter: 0, 4)");
        assert_eq!(block("x86-64/generic", "CPU_CLK_UNHALTED")[0], "CPU_CLK_UNHALTED: (counter: all)");
    }

    #[test]
    fn named_masks_and_defaults_show_their_names() {
        let lines = block("i386/skylake", "uops_issued");
        assert_eq!(lines[0], "uops_issued: (counter: all)");
        assert_eq!(lines[2], "\tUnit masks (default any)");
        assert!(lines.iter().any(|line| line.starts_with("\t0x01: (name=stall_cycles)")));
    }

    #[test]
    fn masks_of_the_same_number_are_told_apart_by_what_they_add() {
        let table = BuiltInTable::find("i386/haswell").expect("built in").parse().expect("sound");
        let event = table.find("uops_issued").expect("in the table");
        let lines = table_event(event, table.counters, true);
        let first: Vec<_> = lines.iter().filter(|line| line.starts_with("\t0x01:")).collect();
        assert!(first.len() > 1 && first.iter().any(|line| line.contains("[cmask=0x1,inv]")), "{lines:#?}");
        assert!(!of_table_event(event, table.counters).concat().contains('['), "that is not ophelp's layout");
    }

    #[test]
    fn long_texts_are_wrapped_where_ophelp_wraps() {
        let text = "word ".repeat(30);
        let lines = wrapped("\t", text.trim(), 8);
        assert_eq!(lines.len(), 2);
        assert!(lines[1].starts_with("        word") && lines[0].len() <= WIDTH);
    }
}
