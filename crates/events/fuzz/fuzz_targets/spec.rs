#![no_main]

mod check;

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use oprof_events::System;
use oprof_events::table::BuiltInTable;

static SYSTEMS: LazyLock<Vec<System>> = LazyLock::new(|| {
    let foreign = ["skylake", "i386/p4"].map(|cpu| {
        let table = BuiltInTable::find(cpu).expect("it is built in");
        System::foreign(table.parse().expect("it can be read"))
    });
    let mut systems = Vec::from(foreign);
    systems.push(System::at("/nonexistent", "/nonexistent"));
    systems
});

fuzz_target!(|spec: &str| SYSTEMS.iter().for_each(|system| check::resolve(system, spec)));
