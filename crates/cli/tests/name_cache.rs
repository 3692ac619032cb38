//! The cache of images' symbols, and `oprof cache`.

mod harness;

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use harness::{Finished, Place, assert_one_line, finish, share_of, symbols_of, until, users};

/// A program of which finding names takes long enough: 10,000 functions, one of which burns a tenth of a second.
const LARGE: &str = r#"
__asm__(".text\n.macro one\nf\\@: ret\n.type f\\@, %function\n.size f\\@, .-f\\@\n.endm\n.rept 10000\none\n.endr\n");
BURNER(hot_function)
int main(void) { hot_function(0.1); return 0; }
"#;

/// Compiles it, and waits until its file is old enough for an index.
fn large(place: &Place) -> Option<()> {
    place.cc("large", LARGE)?;
    thread::sleep(Duration::from_millis(2100));
    Some(())
}

fn cache(place: &Place, arguments: &[&str]) -> Finished {
    finish(place.oprof(["cache"]).args(arguments))
}

/// The files of indexes.
fn indexes(place: &Place) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(place.path(".cache/oprof")) else { return Vec::new() };
    entries.map(|entry| entry.expect("an entry").path()).collect()
}

#[track_caller]
fn assert_hot(place: &Place) {
    let symbols = symbols_of(place, "oprof.data");
    let share = share_of(&symbols, |row| row.image == "large" && row.name == "hot_function");
    assert!(share > 50.0, "{share:.1} %: {symbols:#?}");
}

#[test]
fn a_second_recording_takes_its_names_from_the_cache() {
    for user in users() {
        let place = Place::of(user);
        let Some(()) = large(&place) else { return };
        let empty = cache(&place, &[]).with_status(0);
        assert!(empty.text().ends_with("/.cache/oprof: nothing is cached\n"), "{}", empty.text());

        // On a busy machine there is not always time for it.
        let shown = until("an index", || {
            place.record("-q", "./large").with_status(0);
            let shown = cache(&place, &[]).with_status(0);
            shown.text().lines().any(|line| line.ends_with("/large")).then_some(shown)
        });
        assert_hot(&place);
        let row = shown.text().lines().find(|line| line.ends_with("/large")).expect("a row of the program");
        assert!(row.trim_start().starts_with("10,0") && row.contains(" now "), "{row}");
        assert!(shown.text().lines().next().is_some_and(|line| line.contains(" of at most 256.0 MB")));
        let id = row.split_whitespace().rev().nth(1).expect("a build id");
        let files = indexes(&place);
        let index = files.iter().find(|path| path.to_string_lossy().contains(id)).expect("an index");
        assert_eq!(index.metadata().expect("it is there").permissions().mode() & 0o777, 0o600);

        let status = |path: &PathBuf| path.metadata().map(|status| (status.ino(), status.mtime_nsec())).ok();
        let before = status(index).expect("it is there");
        place.record("-q", "./large").with_status(0);
        assert_hot(&place);
        let after = status(index).expect("it is there");
        assert!(before.0 == after.0 && before.1 != after.1, "it was used, not made again");

        let cleared = cache(&place, &["--clear"]).with_status(0);
        assert!(
            cleared.text().contains(" removed, ") && cleared.text().ends_with(" freed\n"),
            "{}",
            cleared.text()
        );
        assert_eq!(indexes(&place), [] as [PathBuf; 0]);
    }
}

#[test]
fn the_cache_can_be_turned_off() {
    let place = Place::new();
    let Some(()) = large(&place) else { return };
    place.record("-q --no-cache", "./large").with_status(0);
    finish(place.oprof(["record", "-q", "./large"]).env("OPROF_CACHE_SIZE", "0")).with_status(0);
    assert_hot(&place);
    assert!(!place.path(".cache").exists());
}

#[test]
fn a_cache_that_cannot_be_used_is_told_of_when_asked() {
    let place = Place::new();
    fs::create_dir(place.path(".cache")).expect("a folder");
    // What others may use is not trusted.
    fs::create_dir(place.path(".cache/oprof")).expect("a folder");
    fs::set_permissions(place.path(".cache/oprof"), PermissionsExt::from_mode(0o755)).expect("permissions");
    let quiet = place.record("-q", "true").with_status(0);
    assert_eq!(quiet.stderr, "");
    let said = place.record("-v", "true").with_status(0).stderr;
    assert!(said.contains("names are not cached: ") && said.contains("chmod 700"), "{said}");
    assert_one_line(&cache(&place, &[]).with_status(1).stderr, &["not used", "chmod 700"]);
    assert_eq!(indexes(&place), [] as [PathBuf; 0]);

    for (command, status) in [(&["record", "true"][..], 125), (&["cache"][..], 1)] {
        let wrong = finish(place.oprof(command).env("OPROF_CACHE_SIZE", "many"));
        assert_one_line(&wrong.with_status(status).stderr, &["OPROF_CACHE_SIZE=many", "512M", "0 turns"]);
    }
}
