#![no_main]

use libfuzzer_sys::fuzz_target;
use oprof_symbolizer::fuzzing;

fuzz_target!(|data: &[u8]| fuzzing::debugging(data));
