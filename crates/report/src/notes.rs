//! Notes: what a reader of a report should know beside its coverage.

use oprof_profile::{Recording, Unresolved};
use rustc_hash::FxHashMap;

use crate::number::counted;
use crate::printable::printable;

/// What a reader should know beside the coverage, a sentence each: what the recording's maker noted, and which
/// images lack names for a reason that can be cured.
pub fn notes(recording: &Recording) -> Vec<String> {
    let mut notes: Vec<String> =
        recording.run.notes.iter().map(|note| printable(note).into_owned()).collect();
    let mut samples: FxHashMap<Unresolved, u64> = FxHashMap::default();
    for (key, count) in recording.counts.iter() {
        if let Err(reason) = recording.lookup(key.image, key.offset) {
            let samples = samples.entry(reason).or_default();
            *samples = samples.saturating_add(count.samples);
        }
    }
    let names_missing = match recording.damage {
        Some(_) => "they were in the part that is damaged",
        None => {
            "they are resolved when a recording ends, and this one was cut off before; end one early with Ctrl-C or \
             SIGTERM"
        }
    };
    let cures = [
        // `kallsyms_show_value` in kernel/ksyms_common.c: at 2 nobody sees the addresses; at 1 who has CAP_SYSLOG; at
        // 0 others too, where they may profile the kernel.
        (
            Unresolved::KernelRestricted,
            "record as root with kernel.kptr_restrict at 0 or 1; other users need kernel.kptr_restrict=0 and \
             kernel.perf_event_paranoid=1",
        ),
        (Unresolved::BuildIdMismatch, "the files were replaced while recording"),
        (Unresolved::Deleted, "the files were gone before they could be opened"),
        (
            Unresolved::TooManyOpenFiles,
            "deleted while the limit of open files left no room for them; raise it in the shell before recording: \
             sudo prlimit --pid $$ --nofile=65536",
        ),
        (Unresolved::NamesMissing, names_missing),
    ];
    for (reason, cure) in cures {
        if let Some(&samples) = samples.get(&reason) {
            let samples = counted(samples, "sample has", "samples have");
            notes.push(format!("{samples} no symbol ({}): {cure}", reason.reason()));
        }
    }
    notes
}
