//! The list in OProfile's XML (its schema `ophelp.xsd`, version 2.0).

use oprof_events::EventTable;
use oprof_events::processor::title;
use oprof_events::table::{TableEvent, UnitMaskKind};

/// The lines of the document.
pub(super) fn lines(table: &EventTable) -> Vec<String> {
    let title = title(&table.cpu).unwrap_or(&table.cpu);
    let title = format!("oprofile: available events for CPU type \"{title}\"\n\n");
    let mut lines = vec![
        "<help_events  schemaversion=\"2.0\">".to_owned(),
        format!(
            "<header  title=\"{}\" doc=\"{}\"/>",
            escaped(&title),
            escaped("The processor's manual says more.\n")
        ),
    ];
    lines.extend(table.events.iter().flat_map(|row| event(&table.described(row))));
    lines.push("</help_events>".to_owned());
    lines
}

fn event(event: &TableEvent) -> Vec<String> {
    let counters = event.counters.numbers().unwrap_or_default();
    let counter_mask = counters.iter().fold(0_u64, |mask, number| mask | 1 << number);
    let start = format!(
        "<event  event_name=\"{}\" desc=\"{}\" counter_mask=\"{counter_mask}\" min_count=\"{}\"",
        escaped(&event.name),
        escaped(&event.description),
        event.min_count
    );
    let Some(set) = &event.unit_masks else { return vec![start + "/>"] };
    let category = match set.kind {
        UnitMaskKind::Mandatory => "mandatory",
        UnitMaskKind::Bitmask => "bitmask",
        UnitMaskKind::Exclusive => "exclusive",
    };
    // A default that has a name is no number there.
    let default = if set.default_name.is_empty() { set.default } else { 0 };
    let mut lines = vec![start + ">", format!("<unit_masks  default=\"{default}\" category=\"{category}\">")];
    lines.extend(set.masks.iter().map(|mask| {
        let name = match oprofiles_name(&mask.name, mask.value) {
            "" => String::new(),
            name => format!(" name=\"{}\"", escaped(name)),
        };
        format!("<unit_mask {name} mask=\"{}\" desc=\"{}\"/>", mask.value, escaped(&mask.description))
    }));
    lines.extend(["</unit_masks>".to_owned(), "</event>".to_owned()]);
    lines
}

/// The name that OProfile has for a unit mask. The tables name two kinds more, which could not be chosen else: `none` for
/// 0, and `NAME_0xVALUE` where a name is taken.
fn oprofiles_name(name: &str, value: u64) -> &str {
    match name {
        "none" if value == 0 => "",
        name => name.strip_suffix(&format!("_{value:#x}")).unwrap_or(name),
    }
}

/// Text as it may stand in an attribute.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            c if c.is_control() && c != '\n' => escaped.push(' '),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;
    use oprof_events::table::BuiltInTable;

    #[test]
    fn masks_and_counters_are_numbers_and_text_is_escaped() {
        let table = BuiltInTable::find("i386/p4").expect("built in").parse().expect("sound");
        let lines = lines(&table);
        let branch = lines.iter().position(|line| line.contains("\"BRANCH_RETIRED\"")).expect("listed");
        assert!(lines[branch].ends_with("counter_mask=\"136\" min_count=\"3000\">"), "{}", lines[branch]);
        assert_eq!(lines[branch + 1], "<unit_masks  default=\"12\" category=\"bitmask\">");
        assert_eq!(lines[branch + 2], "<unit_mask  mask=\"1\" desc=\"branch not-taken predicted\"/>");
        assert_eq!(escaped("a<b & \"c\"\x1b"), "a&lt;b &amp; &quot;c&quot; ");
    }
}
