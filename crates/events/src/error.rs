//! Why an event could not be resolved, and what to do about it.

use std::path::PathBuf;

use crate::Origin;
use crate::table::Counters;
use crate::unprintable::is_unprintable;

/// Why an event could not be resolved. Every message is one line and names the event; text from outside is quoted and
/// its control characters are escaped.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No event has this name.
    #[error("unknown event {event:?}; {}`oprof list` shows the events of this machine", did_you_mean(.suggestions))]
    UnknownEvent {
        /// The specification as typed.
        event: String,
        /// The closest names, best first, at most three.
        suggestions: Vec<String>,
    },
    /// The kernel has no PMU of this name.
    #[error("event {event:?}: no PMU {pmu:?} on this machine; the kernel has {}", listing(.known))]
    UnknownPmu {
        /// The specification as typed.
        event: String,
        /// The name before the slash.
        pmu: String,
        /// The PMUs that sysfs lists.
        known: Vec<String>,
    },
    /// A user's table is for a core PMU that the machine does not have.
    #[error(
        "event table {table:?} is for PMU {pmu:?}, which this machine does not have; its core PMUs are {}; \
         `--event-table PMU=FILE` says for which it is",
        listing(.known)
    )]
    TableWithoutPmu {
        /// The table's CPU type.
        table: String,
        /// The PMU that it is for.
        pmu: String,
        /// The core PMUs of the machine.
        known: Vec<String>,
    },
    /// The PMU has neither a format field nor an event of this name.
    #[error("event {event:?}: {pmu} has no term {term:?}; it has {}", listing(.known))]
    UnknownTerm {
        /// The specification as typed.
        event: String,
        /// The PMU's name.
        pmu: String,
        /// The term that is not known.
        term: String,
        /// The names of the PMU's fields and events, and the general terms.
        known: Vec<String>,
    },
    /// A value has more bits than its field.
    #[error("event {event:?}: {value:#x} is too large for the {width}-bit field {field:?} (at most {:#x})", largest(*.width))]
    ValueTooLarge {
        /// The specification as typed.
        event: String,
        /// The field or term.
        field: String,
        /// The field's width in bits.
        width: u32,
        /// The value that does not fit.
        value: u64,
    },
    /// The specification does not follow the grammar.
    #[error("event {event:?}: cannot read {part:?}: {reason}")]
    Malformed {
        /// The specification as typed, shortened if it is very long.
        event: String,
        /// The part at fault.
        part: String,
        /// What is wrong with it and what would be right.
        reason: String,
    },
    /// The event has no such unit mask.
    #[error("event {event:?}: unit mask {} {why} {name}; it takes {}", printable(.given), printable(.allowed))]
    UnitMask {
        /// The specification as typed.
        event: String,
        /// The unit mask as typed.
        given: String,
        /// The event's name.
        name: String,
        /// What is wrong with it, to be followed by the name.
        why: String,
        /// What can be given.
        allowed: String,
    },
    /// Several unit masks share the number that was given.
    #[error("event {event:?}: unit mask {value:#x} of {name} can be several; give its name: {}", alternatives(.names))]
    AmbiguousUnitMask {
        /// The specification as typed.
        event: String,
        /// The event's name.
        name: String,
        /// The number.
        value: u64,
        /// The names of the masks.
        names: Vec<String>,
    },
    /// The count is below the event's minimum.
    #[error("event {event:?}: a count of {count} is too small, the minimum is {minimum}")]
    BelowMinimum {
        /// The specification as typed.
        event: String,
        /// The count as given.
        count: u64,
        /// The smallest that is taken.
        minimum: u64,
    },
    /// A probe cannot be placed.
    #[error("event {event:?}: {reason}")]
    Probe {
        /// The specification as typed.
        event: String,
        /// What is wrong, and what would help.
        reason: String,
    },
    /// The events of a group do not fit on the counters, so that the group would never count.
    #[error(
        "events {event:?}: {events} in one group, which PMU {pmu} cannot count at once on its {counters} counters; make \
         the group smaller, or leave the braces out to count in turns"
    )]
    GroupTooLarge {
        /// The events of the group, as typed.
        event: String,
        /// How many they are.
        events: usize,
        /// The PMU.
        pmu: String,
        /// How many general counters it has.
        counters: u32,
    },
    /// Events of a group can use the same few counters alone, so that the group would never count.
    #[error(
        "events {event:?}: in one group, and PMU {pmu} has no more than counter {counters} for them; leave one of them \
         out of the group, or leave the braces out to count in turns"
    )]
    GroupSharesCounters {
        /// Those events of the group, as typed.
        event: String,
        /// The PMU.
        pmu: String,
        /// The counters that they share.
        counters: Counters,
    },
    /// The same event twice.
    #[error(
        "event {event:?} is given twice{}; leave one of them out", if .event == .first { String::new() } else { format!(", first as {:?}", .first) }
    )]
    GivenTwice {
        /// The second specification, as typed.
        event: String,
        /// The first one, as typed.
        first: String,
    },
    /// A table knows the event, but the machine has no PMU to count it on.
    #[error(
        "event {event:?}: {origin} has it, but this machine offers no hardware counters (a virtual machine has what its \
         hypervisor passes on); `oprof list` shows what can be sampled"
    )]
    NoPmu {
        /// The specification as typed.
        event: String,
        /// Whose name it is.
        origin: Origin,
    },
    /// The kernel has no way to count the event.
    #[error("event {event:?}: the kernel has no encoding for it, though {origin} has the name")]
    NotCountable {
        /// The specification as typed.
        event: String,
        /// Whose name it is.
        origin: Origin,
    },
    /// libpfm4 knows the event, but for another processor.
    #[error(
        "event {event:?}: libpfm4 has it for another processor, {}; `oprof list` shows the events of this one",
        printable(.processor)
    )]
    OtherProcessor {
        /// The specification as typed.
        event: String,
        /// The processor in libpfm4's words.
        processor: String,
    },
    /// libpfm4 knows the event and does not take it as given.
    #[error("event {event:?}: libpfm4 says: {reason}")]
    Libpfm {
        /// The specification as typed.
        event: String,
        /// Its words.
        reason: String,
    },
    /// The kernel's directory of tracepoints cannot be read.
    #[error(
        "event {event:?}: cannot read tracepoints at {path:?} ({reason}); \
         run as root, or `mount -t tracefs nodev /sys/kernel/tracing` if it is not mounted"
    )]
    Tracefs {
        /// The specification as typed.
        event: String,
        /// What was tried.
        path: PathBuf,
        /// The system's word.
        reason: String,
    },
    /// tracefs has no such tracepoint.
    #[error("event {event:?}: no such tracepoint; {}`oprof list` shows the events of this machine", did_you_mean(.suggestions))]
    UnknownTracepoint {
        /// The specification as typed.
        event: String,
        /// The closest names, best first, at most three.
        suggestions: Vec<String>,
    },
    /// A file of the PMU in sysfs is unreadable or not as the kernel documents it.
    #[error(
        "event {event:?}: cannot use {path:?}: {reason}; give the event as a number instead, such as r1a8"
    )]
    Sysfs {
        /// The specification as typed.
        event: String,
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
}

impl Error {
    /// A part of the specification that does not follow the grammar.
    pub(crate) fn malformed(event: &str, part: &str, reason: impl Into<String>) -> Self {
        Self::Malformed { event: shortened(event), part: shortened(part), reason: reason.into() }
    }
}

/// At most 200 characters of a text that somebody typed.
pub(crate) fn shortened(text: &str) -> String {
    shortened_to(200, text)
}

/// At most so many characters of a text.
pub(crate) fn shortened_to(characters: usize, text: &str) -> String {
    match text.char_indices().nth(characters) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.to_owned(),
    }
}

/// A question that goes before where to look, empty without suggestions.
fn did_you_mean(suggestions: &[String]) -> String {
    match suggestions {
        [] => String::new(),
        some => format!("did you mean {}? ", alternatives(some)),
    }
}

/// `a, b or c`.
fn alternatives(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [only] => printable(only),
        [some @ .., last] => format!("{} or {}", printable(&some.join(", ")), printable(last)),
    }
}

/// Names in a row, or "none". Servers have dozens of uncore PMUs, which would bury the message.
fn listing(names: &[String]) -> String {
    const MOST: usize = 40;
    match names.get(..MOST) {
        _ if names.is_empty() => "none".to_owned(),
        Some(first) if names.len() > MOST => {
            format!("{} and {} more", printable(&first.join(", ")), names.len() - MOST)
        }
        _ => printable(&names.join(", ")),
    }
}

/// Text without control characters.
fn printable(text: &str) -> String {
    text.chars().map(|c| if is_unprintable(c) { '?' } else { c }).collect()
}

/// The largest value of so many bits.
fn largest(width: u32) -> u64 {
    u64::MAX.checked_shr(64_u32.saturating_sub(width)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_one_line_and_hold_no_control_characters() {
        let event = "cyc\x1b[2Jles\n".to_owned();
        let suggestions = vec!["cycles".to_owned(), "bus-cycles".to_owned(), "\x1b[31m".to_owned()];
        let text = Error::UnknownEvent { event, suggestions }.to_string();
        assert!(!text.chars().any(char::is_control), "{text:?}");
        assert!(text.contains("did you mean cycles, bus-cycles or ?[31m?"), "{text}");
    }

    #[test]
    fn too_large_names_field_width_and_value() {
        let error = Error::ValueTooLarge { event: "e".into(), field: "umask".into(), width: 8, value: 0x100 }
            .to_string();
        assert_eq!(error, "event \"e\": 0x100 is too large for the 8-bit field \"umask\" (at most 0xff)");
        assert_eq!((largest(0), largest(1), largest(64)), (0, 1, u64::MAX));
    }

    #[test]
    fn long_lists_are_cut() {
        let names: Vec<_> = (0..41).map(|n| format!("p{n}")).collect();
        assert!(listing(&names).ends_with("p38, p39 and 1 more"));
        assert!(listing(&names[..40]).ends_with("p38, p39"));
        assert_eq!(listing(&[]), "none");
    }

    #[test]
    fn long_input_is_shortened() {
        let Error::Malformed { event, .. } = Error::malformed(&"é".repeat(5000), "", "") else {
            unreachable!()
        };
        assert_eq!(event.chars().count(), 203);
    }
}
