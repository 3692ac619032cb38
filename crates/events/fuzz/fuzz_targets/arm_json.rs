#![no_main]

mod check;

use libfuzzer_sys::fuzz_target;
use oprof_events::EventTable;

fuzz_target!(|json: &[u8]| check::table(EventTable::from_bytes("table.json", json)));
