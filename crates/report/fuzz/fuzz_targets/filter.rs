#![no_main]

use libfuzzer_sys::fuzz_target;
use oprof_report::Filter;

fuzz_target!(|text: &str| {
    if let Err(error) = text.parse::<Filter>() {
        // The mistake is in the text, or right behind it.
        assert!(error.position >= 1 && error.position <= text.chars().count() + 1);
        assert!(!error.to_string().is_empty());
    }
});
