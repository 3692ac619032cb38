//! The header of OProfile's layouts: the CPU and what was counted.

use std::fmt::Write;

use oprof_profile::{Event, EventId, Key, Recording, Sampling};

use crate::class::{Axes, Class, fixed_count};
use crate::number::six_digits;
use crate::printable::printable;

/// Writes the header of OProfile's layouts: a line for the CPU, one for each event, and where classes tell more apart than
/// events one for each class.
pub(crate) fn header(recording: &Recording, classes: &[Class]) -> String {
    let run = &recording.run;
    let cpu = [&run.cpu, &run.architecture].into_iter().find(|name| !name.is_empty());
    let mut text = format!("CPU: {}", printable(cpu.map_or("unknown", |name| name)));
    if run.cpu_mhz > 0.0 {
        text.push_str(&format!(", speed {} MHz (estimated)", six_digits(run.cpu_mhz)));
    }
    text.push('\n');
    let mut events: Vec<EventId> = Vec::new();
    for class in classes {
        if !events.contains(&class.event) {
            events.push(class.event);
        }
    }
    for event in events.iter().filter_map(|event| recording.events.get(usize::from(event.0))) {
        push_event(&mut text, event);
    }
    for class in classes.iter().filter(|class| class.axes != Axes::default()) {
        let event = recording.events.get(usize::from(class.event.0)).filter(|_| events.len() > 1);
        push_axes(&mut text, class.axes, event);
    }
    text
}

/// CPU, process and thread as they are shown. A session of OProfile's can hold samples of one that it tells apart beside
/// others that it does not.
fn texts(axes: Axes) -> [Option<String>; 3] {
    let text = |number: u32, is_all: bool| if is_all { "all".to_owned() } else { number.to_string() };
    let all_processes = axes.process == Some(u32::MAX);
    [
        axes.cpu.map(|cpu| text(cpu.into(), cpu == Key::ALL_CPUS)),
        axes.process.map(|process| text(process, all_processes)),
        axes.thread.map(|thread| text(thread, all_processes && thread == 0)),
    ]
}

/// Says what a class is of: `Samples on CPU 0`. Of several axes, or events beside them, OProfile makes no report.
fn push_axes(text: &mut String, axes: Axes, event: Option<&Event>) {
    let [cpu, process, thread] = texts(axes);
    text.push_str(&match (&cpu, &process, &thread) {
        (Some(cpu), None, None) => format!("Samples on CPU {cpu}"),
        (None, Some(process), None) => format!("Processes with a thread group ID of {process}"),
        (None, None, Some(thread)) => format!("Processes with a thread ID of {thread}"),
        _ => {
            let parts = [
                thread.as_ref().map(|thread| format!("thread {thread}")),
                process.as_ref().map(|process| format!("process {process}")),
            ];
            let task = parts.into_iter().flatten().collect::<Vec<_>>().join(" of ");
            let on = cpu.map_or(String::new(), |cpu| format!(" on CPU {cpu}"));
            format!("Samples of {task}{on}")
        }
    });
    if let Some(event) = event {
        text.push_str(&format!(", of {}", printable(&event.name)));
        if let Some(count) = fixed_count(event) {
            text.push_str(&format!(":{count}"));
        }
    }
    text.push('\n');
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

/// The names of classes above their columns in OProfile's image summary: what tells them apart, right-aligned, cut to the
/// columns' width.
pub(crate) fn class_titles(recording: &Recording, classes: &[Class]) -> Vec<String> {
    let several_events = classes.iter().any(|class| class.event != classes[0].event);
    let event = |class: &Class| recording.events.get(usize::from(class.event.0));
    let names =
        classes.iter().filter_map(|class| Some(class_name(class.axes, event(class)?, several_events)));
    names.map(|name| class_title(&name)).collect()
}

/// What tells a class from others.
pub(crate) fn class_name(axes: Axes, event: &Event, several_events: bool) -> String {
    // A thread is of one process.
    let [cpu, process, thread] = texts(axes);
    let task = match (process, thread) {
        (_, Some(thread)) => Some(format!("tid:{thread}")),
        (Some(process), None) => Some(format!("tgid:{process}")),
        (None, None) => None,
    };
    let mut parts: Vec<String> = cpu.map(|cpu| format!("cpu:{cpu}")).into_iter().chain(task).collect();
    if parts.is_empty() || several_events {
        parts.push(match fixed_count(event) {
            Some(count) => format!("{}:{count}", event.name),
            None => format!("{}:{}", event.name, sampling(event)),
        });
    }
    parts.join(" ")
}

fn class_title(name: &str) -> String {
    let name = printable(name);
    if name.chars().count() > 17 {
        return name.chars().take(14).chain("...".chars()).collect();
    }
    format!("{name:>17}")
}
