//! Notes: what a reader of a report should know beside its coverage.

use oprof_profile::Recording;

use crate::missing::missing_note;
use crate::printable::printable;

/// What a reader should know beside the coverage, a sentence each: what the recording's maker noted, and how many samples
/// lack names, and why.
pub fn notes(recording: &Recording) -> Vec<String> {
    makers_notes(recording).chain(missing_note(recording)).collect()
}

/// What the recording's maker noted.
pub fn makers_notes(recording: &Recording) -> impl Iterator<Item = String> {
    recording.run.notes.iter().map(|note| printable(note).into_owned())
}
