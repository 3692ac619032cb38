#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| oprof_events::fuzzing::format(text));
