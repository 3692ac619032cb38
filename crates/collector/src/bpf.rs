//! The BPF programs that are loaded already when a recording begins.
//!
//! What is loaded later the kernel reports (PERF_RECORD_KSYMBOL). Those that are there before can be gone when the
//! recording ends and names are read from `/proc/kallsyms`; to read that at the start, too, would take 30 to 100 ms.
//! bpf(2) tells the same of each program in a few microseconds, to those with CAP_SYS_ADMIN.

mod btf;
mod call;
mod program;

use oprof_profile::Ksymbol;
use rustc_hash::FxHashMap;

use btf::Btf;

/// The programs that are looked at. A machine full of containers has some hundreds.
const MOST_PROGRAMS: usize = 1 << 14;

/// The code of the programs that are loaded now, as far as the kernel tells.
pub(crate) fn loaded() -> Vec<Ksymbol> {
    let mut symbols = Vec::new();
    // Programs that were loaded together share the description of their types.
    let mut types: FxHashMap<u32, Option<Btf>> = FxHashMap::default();
    let mut id = 0;
    for _ in 0..MOST_PROGRAMS {
        // Fails with ENOENT behind the last one, and with EPERM for those who may not ask.
        let Ok(next) = call::next_program(id) else { break };
        id = next;
        // A program may be unloaded at any moment.
        let Ok(program) = call::program(id).and_then(|program| program::Program::of(&program)) else {
            continue;
        };
        let btf = match program.btf_id() {
            0 => None,
            id => types.entry(id).or_insert_with(|| call::btf(id).ok().and_then(Btf::parse)).as_ref(),
        };
        symbols.extend(program.symbols(btf));
    }
    symbols
}
