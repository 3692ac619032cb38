#![no_main]

mod check;

use libfuzzer_sys::fuzz_target;
use oprof_events::EventTable;

// The first line is given, since without it nothing else is looked at.
fuzz_target!(|rows: &[u8]| {
    let text = [b"#oprof-events 1\n", rows].concat();
    check::table(EventTable::from_bytes("table.tsv", &text));
});
