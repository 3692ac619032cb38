//! The header of OProfile's layouts: the CPU and what was counted.

use std::fmt::Write;

use oprof_profile::{Event, Recording, Sampling};

use crate::class::{Class, fixed_count};
use crate::number::six_digits;
use crate::printable::printable;

/// Writes the header of OProfile's layouts, a line for the CPU and a line for each class.
pub(crate) fn header(recording: &Recording, classes: &[Class]) -> String {
    let run = &recording.run;
    let cpu = [&run.cpu, &run.architecture].into_iter().find(|name| !name.is_empty());
    let mut text = format!("CPU: {}", printable(cpu.map_or("unknown", |name| name)));
    if run.cpu_mhz > 0.0 {
        text.push_str(&format!(", speed {} MHz (estimated)", six_digits(run.cpu_mhz)));
    }
    text.push('\n');
    for event in classes.iter().filter_map(|class| recording.events.get(usize::from(class.event.0))) {
        push_event(&mut text, event);
    }
    text
}

fn push_event(text: &mut String, event: &Event) {
    let unit_mask = match event.unit_mask_description.as_str() {
        "" if event.unit_mask == 0 => "No unit mask",
        "" => "multiple flags",
        description => description,
    };
    let description = if event.description.is_empty() { "no description" } else { &event.description };
    // SANITY: writing to a String does not fail.
    writeln!(
        text,
        "Counted {} events ({}) with a unit mask of 0x{:02x} ({}) {}",
        printable(&event.name),
        printable(description),
        event.unit_mask,
        printable(unit_mask),
        sampling(event),
    )
    .unwrap();
}

fn sampling(event: &Event) -> String {
    match (fixed_count(event), event.sampling) {
        (Some(count), _) => format!("count {count}"),
        (None, Sampling::Frequency(hertz)) => format!("sampled at {hertz} Hz"),
        (None, Sampling::WithLeader) => "read with each sample of its group".to_owned(),
        (None, Sampling::Count(count)) => format!("count {count}"),
    }
}

/// The name of a class above its columns in OProfile's image summary: right-aligned, cut to the columns' width.
pub(crate) fn class_title(event: &Event) -> String {
    let name = match fixed_count(event) {
        Some(count) => format!("{}:{count}", event.name),
        None => format!("{}:{}", event.name, sampling(event)),
    };
    let name = printable(&name);
    if name.chars().count() > 17 {
        return name.chars().take(14).chain("...".chars()).collect();
    }
    format!("{name:>17}")
}
