//! `oprof annotate`: samples stand beside the lines and instructions that they are of.

mod harness;

use std::fs;
use std::time::{Duration, SystemTime};

use harness::{Place, assert_no_panic, finish, skipped};

/// A loop that an inlined function of another file takes nearly all of the time in.
const PROGRAM: &str = r#"#include "mix.h"
volatile unsigned sink;
__attribute__((noinline)) static unsigned spin(unsigned n)
{
	unsigned x = 7;
	while (n--)
		x = mix(x);
	return x;
}
int main(void)
{
	for (int k = 0; k < 60; k++)
		sink += spin(1000000);
	return 0;
}
"#;
const MIX: &str = "static inline unsigned mix(unsigned x)\n{\n\tfor (int i = 0; i < 4; i++)\n\t\tx = x % 1001 + 77;\n\treturn x;\n}\n";

/// A place with a recording of the program; `None`, and said, where there is no compiler.
fn recorded() -> Option<Place> {
    let place = Place::new();
    fs::write(place.path("spin.c"), PROGRAM).expect("written");
    fs::write(place.path("mix.h"), MIX).expect("written");
    let compiled = place.command("gcc").args(["-g", "-O2", "-o", "spin", "spin.c"]).status();
    if !compiled.is_ok_and(|status| status.success()) {
        skipped("gcc cannot compile");
        return None;
    }
    let recorded = place.record("-q -F 2000", "./spin");
    assert_eq!(recorded.code(), Some(0), "{}", recorded.stderr);
    Some(place)
}

/// What a run printed, and how it ended.
struct Shown {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

fn annotate(place: &Place, arguments: &[&str]) -> Shown {
    let finished = finish(place.oprof(["annotate"]).args(arguments));
    let stdout = String::from_utf8(finished.stdout.clone()).expect("UTF-8");
    assert_no_panic(&finished.stderr);
    Shown { code: finished.code(), stdout, stderr: finished.stderr }
}

/// The samples of all lines of the first function of a listing, and those of its title.
fn samples(text: &str) -> (u64, u64) {
    let title = text.lines().next().expect("a title");
    let number = |text: &str| text.replace(',', "").parse::<u64>().ok();
    let of_title =
        title.rsplit('(').next().and_then(|rest| number(rest.split(' ').next()?)).expect("samples");
    let of_lines = text.lines().skip(1).take_while(|line| !line.is_empty()).filter_map(|line| {
        let mut fields = line.split_whitespace();
        let (samples, percent) = (number(fields.next()?)?, fields.next()?);
        percent.contains('.').then_some(samples)
    });
    (of_lines.sum(), of_title)
}

#[test]
fn inlined_code_is_in_its_own_file_and_line() {
    let Some(place) = recorded() else { return };
    let shown = annotate(&place, &["spin"]);
    assert_eq!(shown.code, Some(0), "{}", shown.stderr);
    assert!(shown.stdout.starts_with("spin") && shown.stdout.contains(" in spin: "), "{}", shown.stdout);
    let hot = shown.stdout.lines().find(|line| line.contains("x = x % 1001 + 77;")).expect("the line");
    let share: f64 = hot.split_whitespace().nth(1).and_then(|share| share.parse().ok()).expect("a share");
    assert!(share > 50.0, "{}", shown.stdout);
    assert!(shown.stdout.contains("mix.h\n"), "{}", shown.stdout);
    let (lines, title) = samples(&shown.stdout);
    assert_eq!(lines, title, "every sample is beside a line:\n{}", shown.stdout);
}

#[test]
fn instructions_have_all_samples_and_the_lines_that_they_are_made_of() {
    let Some(place) = recorded() else { return };
    for arguments in
        [&["-a", "spin"][..], &["-a", "-s", "--all", "spin"], &["-a", "--intel", "--all", "spin"]]
    {
        let shown = annotate(&place, arguments);
        assert_eq!(shown.code, Some(0), "{}", shown.stderr);
        let (lines, title) = samples(&shown.stdout);
        assert_eq!(lines, title, "{}", shown.stdout);
        assert!(
            shown.stdout.contains("  ret") || shown.stdout.contains("without samples"),
            "{}",
            shown.stdout
        );
        assert_eq!(arguments.contains(&"-s"), shown.stdout.contains("mix.h:4  x = x % 1001 + 77;"));
    }
}

#[test]
fn what_is_missing_is_said_and_the_rest_is_shown() {
    let Some(place) = recorded() else { return };
    fs::remove_file(place.path("mix.h")).expect("removed");
    let shown = annotate(&place, &["spin"]);
    assert!(shown.stdout.contains("mix.h is not there; --source-path FROM=TO"), "{}", shown.stdout);
    let (lines, title) = samples(&shown.stdout);
    assert_eq!(lines, title, "{}", shown.stdout);
    // Built anew, it is another program.
    fs::write(place.path("spin"), "another").expect("written");
    let shown = annotate(&place, &["-a", "spin"]);
    assert!(shown.stdout.contains("is not the one that was sampled any more"), "{}", shown.stdout);
    fs::remove_file(place.path("spin")).expect("removed");
    let shown = annotate(&place, &["-a", "spin"]);
    assert!(shown.stdout.contains("is not there any more; addresses as recorded"), "{}", shown.stdout);
    let (lines, title) = samples(&shown.stdout);
    assert_eq!(lines, title, "{}", shown.stdout);
}

#[test]
fn mistakes_name_their_cure() {
    let Some(place) = recorded() else { return };
    let none = annotate(&place, &["nothing_of_the_kind"]);
    assert_eq!(none.code, Some(1));
    assert!(none.stderr.contains("no function of this name has samples"), "{}", none.stderr);
    let like = annotate(&place, &["spi"]);
    assert!(like.stderr.contains("there are spin"), "{}", like.stderr);
    let image = annotate(&place, &["--image", "other"]);
    assert!(image.stderr.contains("no image of this name"), "{}", image.stderr);
    let file = annotate(&place, &["other.data"]);
    assert!(file.stderr.contains("no such recording"), "{}", file.stderr);
}

/// A source file from elsewhere cannot act on the terminal, and only plain files are read.
#[test]
fn hostile_sources_are_text() {
    let Some(place) = recorded() else { return };
    fs::write(place.path("mix.h"), "a\n\x1b[2J\n\x07\n\x1b]0;x\x07\n").expect("written");
    let file = fs::File::options().write(true).open(place.path("mix.h")).expect("the file");
    file.set_modified(SystemTime::now() + Duration::from_secs(3600)).expect("a time");
    let shown = annotate(&place, &["spin"]);
    assert!(!shown.stdout.contains('\x1b') && !shown.stdout.contains('\x07'), "{}", shown.stdout);
    assert!(shown.stderr.contains("changed since the code ran"), "{}", shown.stderr);
    fs::remove_file(place.path("mix.h")).expect("removed");
    fs::create_dir(place.path("mix.h")).expect("a directory");
    let shown = annotate(&place, &["spin"]);
    assert!(shown.stdout.contains("cannot be read"), "{}", shown.stdout);
}
