//! Ways for the fuzz targets (`fuzz/`) to what is not public; only there with `--cfg fuzzing`.

use crate::format::Format;
use crate::suffix::Suffix;
use crate::table::UnitMasks;

/// Reads a field's format and places values that fit and that do not.
///
/// # Panics
/// When a value that fits does not fill the field, or one that does not fit is taken.
pub fn format(text: &str) {
    let Ok(format) = Format::parse(text) else { return };
    let width = format.width();
    let largest = u64::MAX >> (u64::BITS - width);
    assert_eq!(format.place(largest), Some(format.mask), "{text:?}");
    assert_eq!(format.place(0), Some(0), "{text:?}");
    if width < u64::BITS {
        assert_eq!(format.place(largest + 1), None, "{text:?}");
    }
}

/// Reads a set of unit masks, takes its default, and chooses from it what was typed.
///
/// # Panics
/// When a mask that the set's own default stands for is refused as unknown.
pub fn unit_masks(set: &str, typed: &str) {
    let Ok(set) = UnitMasks::parse(set) else { return };
    let default = set.default_choice();
    assert_eq!(default.value, Some(set.default), "{set:?}");
    let parts = ["5", typed];
    if let Ok(suffix) = Suffix::parse("event", &parts)
        && let Err(error) = set.choose("event", "event", suffix.unit_mask.as_ref())
    {
        let message = error.to_string();
        assert!(!message.contains(char::is_control), "{message:?}");
    }
}
