#![no_main]

use libfuzzer_sys::fuzz_target;

// The set in the first line, what is typed in the second.
fuzz_target!(|text: &str| {
    let (set, typed) = text.split_once('\n').unwrap_or((text, "0"));
    oprof_events::fuzzing::unit_masks(set, typed);
});
