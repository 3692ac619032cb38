#![no_main]

use libfuzzer_sys::fuzz_target;
use oprof_symbolizer::fuzzing;

fuzz_target!(|data: &[u8]| {
    let Some((&piece, rest)) = data.split_first() else { return };
    fuzzing::jit_dump(rest, usize::from(piece) + 1);
});
