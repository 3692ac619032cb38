//! How precisely events can be sampled: the levels of `precise_ip` (perf_event_open(2)) that the machine has.

use std::io;

use oprof_events::EventConfig;

use crate::Error;
use crate::attribute;
use crate::counter::{Attachment, Counter};
use crate::sampled_event::{SampledEvent, is_in_hardware};

/// Gives events that ask for the highest level the one that there is, with a sentence for each that has not the highest
/// of all; refuses those that ask for a level which there is not.
pub(crate) fn settle(events: &mut [SampledEvent]) -> Result<Vec<String>, Error> {
    let mut notes = Vec::new();
    for SampledEvent { config, .. } in events {
        if config.precise == 0 {
            continue;
        }
        let highest = match is_in_hardware(config) {
            true => highest(config.precise, |level| open(config, level)),
            // The software takes any level and heeds none.
            false => Some(0),
        };
        match highest {
            // Whatever is in the way, it is not the level; opening the event will tell.
            None => {}
            Some(level) if config.most_precise => {
                notes.extend((level < config.precise).then(|| note(config, level)));
                config.precise = level;
            }
            Some(level) if level < config.precise && is_in_hardware(config) => {
                return Err(Error::TooPrecise {
                    event: config.spec.clone(),
                    level: config.precise,
                    highest: level,
                });
            }
            Some(_) => {}
        }
    }
    Ok(notes)
}

/// The highest level up to this one that opens; `None` where not even the lowest does.
fn highest(most: u8, mut open: impl FnMut(u8) -> io::Result<()>) -> Option<u8> {
    for level in (0..=most).rev() {
        match open(level) {
            Ok(()) => return Some(level),
            Err(error) if matches!(error.raw_os_error(), Some(libc::EINVAL | libc::EOPNOTSUPP)) => {}
            Err(_) => return None,
        }
    }
    None
}

/// Tries a level in user code, which takes no privilege; the levels are the same elsewhere.
fn open(event: &EventConfig, level: u8) -> io::Result<()> {
    let mut attr = attribute::trial(event, true);
    attr.set_precise_ip(u64::from(level));
    attr.set_exclude_kernel(1);
    attr.set_exclude_hv(1);
    attr.set_exclude_user(0);
    Counter::open(&attr, Attachment::Myself).map(drop)
}

fn note(event: &EventConfig, level: u8) -> String {
    match level {
        0 => format!(
            "event '{}': nothing here samples it precisely: samples can lie some instructions behind the event",
            event.spec
        ),
        level => {
            format!("event '{}': sampled at precise level {level}, the highest of this machine", event.spec)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use oprof_events::System;
    use oprof_profile::Sampling;

    fn machine(has: u8) -> impl FnMut(u8) -> io::Result<()> {
        move |level| if level <= has { Ok(()) } else { Err(io::Error::from_raw_os_error(libc::EOPNOTSUPP)) }
    }

    #[test]
    fn the_highest_level_is_that_of_the_machine() {
        assert_eq!([0, 1, 2, 3].map(|has| highest(3, machine(has))), [0, 1, 2, 3].map(Some));
        assert_eq!(highest(1, machine(3)), Some(1), "never more than was asked for");
        let refused = |_| Err(io::Error::from_raw_os_error(libc::EACCES));
        assert_eq!(highest(3, refused), None, "that is another question");
        assert_eq!(highest(3, |_| Err(io::Error::from_raw_os_error(libc::EINVAL))), None);
    }

    #[test]
    fn the_softwares_events_have_no_levels() {
        let config = System::here().resolve("cpu-clock:P").expect("it is everywhere").remove(0);
        let mut events = [SampledEvent { config, sampling: Sampling::Count(1_000_000), exclude_idle: false }];
        let notes = settle(&mut events).expect("it is no mistake");
        assert_eq!(events[0].config.precise, 0);
        assert!(notes.len() == 1 && notes[0].contains("'cpu-clock:P'"), "{notes:?}");
    }
}
