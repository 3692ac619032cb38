//! What is reported is what happened: a program of known proportions.

mod harness;

use harness::{Place, share_of, symbols_of, users};

/// Functions that burn 60, 30 and 10 % by construction have these shares, within five sampling errors.
#[test]
fn shares_are_those_of_the_program() {
    let source = "BURNER(sixty) BURNER(thirty) BURNER(ten)
        int main(void) {
            for (int i = 0; i < 10; i++) { sixty(0.048); thirty(0.024); ten(0.008); }
            return 0;
        }";
    for user in users() {
        let place = Place::of(user);
        let Some(_) = place.cc("known", source) else { return };
        place.record("-q -e cpu-clock -F 1999", "./known").with_status(0);
        let mut symbols = symbols_of(&place, "oprof.data");
        // The kernel's and the vdso's part is not the functions'.
        symbols.retain(|row| row.image == "known");
        let samples: u64 = symbols.iter().map(|row| row.samples).sum();
        assert!(samples > 500, "{user:?}: {samples} samples are enough to tell");
        for (name, expected) in [("sixty", 0.6), ("thirty", 0.3), ("ten", 0.1)] {
            let share = share_of(&symbols, |row| row.name == name) / 100.0;
            let error = f64::sqrt(expected * (1.0 - expected) / samples as f64);
            let off = (share - expected).abs() / error;
            assert!(off < 5.0, "{user:?}, {name}: {share:.4} is {off:.1} sampling errors off: {symbols:#?}");
        }
    }
}

/// The percentages of a table are the samples' shares, and add up to 100.
#[test]
fn percentages_follow_from_the_samples() {
    let place = Place::new();
    let Some(_) = place.cc("program", "BURNER(work) int main(void) { work(0.2); return 0; }") else { return };
    place.record("-q", "./program").with_status(0);
    let symbols = symbols_of(&place, "oprof.data");
    let samples: u64 = symbols.iter().map(|row| row.samples).sum();
    for row in &symbols {
        let share = 100.0 * row.samples as f64 / samples as f64;
        assert!((row.percent - share).abs() < 0.001, "{row:?} has {share}");
    }
    assert!(symbols.is_sorted_by(|a, b| a.samples >= b.samples), "the hottest come first: {symbols:#?}");
}
