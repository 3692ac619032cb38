//! `ocount`: OProfile's options and layouts over exact counts.

mod harness;

use harness::{Finished, Place, Started, assert_no_panic, assert_one_line, finish, skipped, users};
use rustix::process::Signal;

/// Touches as many pages as its argument says that were never touched, then waits for as many milliseconds as a second one.
const TOUCH: &str = r#"
#include <sys/mman.h>
#include <unistd.h>
int main(int n, char **v) {
    long pages = atol(v[1]);
    volatile char *memory = mmap(0, (pages + 1) * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    madvise((void *)memory, (pages + 1) * 4096, MADV_NOHUGEPAGE);
    for (long page = 0; page < pages; page++) memory[page * 4096] = 1;
    if (n > 2) usleep(1000 * atol(v[2]));
    return 7;
}"#;

/// A place with the program that touches pages; `None` where that cannot be compiled.
fn place(user: harness::User) -> Option<Place> {
    let place = Place::of(user);
    place.cc_with("touch", TOUCH, &["-static"])?;
    Some(place)
}

#[track_caller]
fn ocount(place: &Place, arguments: &str) -> Finished {
    finish(place.oprof_as("ocount").args(arguments.split_whitespace()))
}

/// The rows of brief output: fields between commas.
fn rows(finished: &Finished) -> Vec<Vec<String>> {
    let lines = finished.text().lines().filter(|line| !line.is_empty());
    lines.map(|line| line.split(',').map(str::to_owned).collect()).collect()
}

#[test]
fn a_command_is_counted_in_oprofiles_layout_and_its_status_is_not_ours() {
    for user in users() {
        let Some(place) = place(user) else { return };
        let program = place.path("touch").canonicalize().expect("it was compiled");
        let finished = ocount(&place, "-e page-faults:u ./touch 3000").with_status(0);
        let lines: Vec<&str> = finished.text().lines().collect();
        let [blank, duration, whose, title, row] = lines.as_slice() else { panic!("{lines:?}") };
        assert_eq!(*blank, "");
        assert!(duration.starts_with("Events were actively counted for "), "{duration}");
        assert_eq!(*whose, format!("Event counts (actual) for {}:", program.display()));
        assert_eq!(*title, format!("\t{:<21}{:<25}% time counted", "Event", "Count"));
        let fields: Vec<&str> = row.split_whitespace().collect();
        assert_eq!((fields[0], fields[2]), ("page-faults:u", "100.00"));
        let count: u64 = fields[1].replace(',', "").parse().expect("a number");
        assert!((3_000..3_300).contains(&count), "{row}");
    }
}

#[test]
fn a_file_gets_the_counts_and_standard_output_is_the_commands() {
    let Some(place) = place(harness::User::unprivileged()) else { return };
    let finished = ocount(&place, "-b -f counts -e page-faults:u ./touch 500").with_status(0);
    assert_eq!(finished.text(), "");
    let counts = String::from_utf8(place.bytes("counts")).expect("text");
    let fields: Vec<&str> = counts.trim().split(',').collect();
    assert_eq!((fields[0], fields[2]), ("page-faults:u", "100.00"), "{counts}");
}

#[test]
fn intervals_add_up_to_what_there_was() {
    let Some(place) = place(harness::User::unprivileged()) else { return };
    let finished = ocount(&place, "-b -i 100 -e page-faults:u ./touch 2000 450").with_status(0);
    let rows = rows(&finished);
    let times = rows.iter().filter(|row| row[0] == "timestamp").count();
    let counts = rows.iter().filter(|row| row[0] == "page-faults:u").map(|row| row[1].parse::<u64>());
    let counts: Vec<u64> = counts.map(|count| count.expect("a number")).collect();
    assert_eq!(times, counts.len());
    assert!(counts.len() >= 4, "{rows:?}");
    let sum: u64 = counts.iter().sum();
    assert!((2_000..2_300).contains(&sum), "{counts:?}");
}

#[test]
fn so_many_intervals_and_no_more() {
    let Some(place) = place(harness::User::unprivileged()) else { return };
    let mut sleeper = Started::new(place.command("sleep").arg("60"));
    let finished = ocount(&place, &format!("-b -i 100:3 -t -p {} -e page-faults:u", sleeper.id()));
    let rows = rows(&finished.with_status(0));
    assert_eq!(rows.iter().filter(|row| row[0].starts_with("t:")).count(), 3, "{rows:?}");
    let id = sleeper.id().to_string();
    assert_eq!(rows.iter().filter(|row| row[0] == id && row[1] == "page-faults:u").count(), 3, "{rows:?}");
    assert!(sleeper.is_running());
    sleeper.signal(Signal::KILL);
    sleeper.finish_alone();
}

#[test]
fn cpus_are_told_apart_and_sum_to_the_whole() {
    let Some(root) = users().into_iter().find(|user| user.is_root()) else {
        return skipped("only root may count whole CPUs");
    };
    let place = Place::of(root);
    let finished = ocount(&place, "-s -c -i 200:1 -e cpu-clock").with_status(0);
    let cpus = oprof_collector::online_cpus().expect("they are listed");
    let rows = finished.text().lines().filter(|line| line.starts_with("\tcpu-clock"));
    let rows: Vec<Vec<&str>> = rows.map(|row| row.split_whitespace().collect()).collect();
    let listed: Vec<u32> = rows.iter().map(|row| row[1].parse().expect("a CPU")).collect();
    assert_eq!(listed, cpus);
    for row in rows {
        let count: u64 = row[2].replace(',', "").parse().expect("a number");
        assert!(count >= 200_000_000, "a CPU's clock goes on for as long as the interval lasts: {row:?}");
    }
}

#[test]
fn mistakes_are_a_line_and_status_1() {
    let place = Place::new();
    let cases: [(&str, &[&str]); 9] = [
        ("", &["COMMAND", "ocount --help"]),
        ("-s -p 1", &["--system-wide", "--process-list"]),
        ("-c -p 1", &["--separate-cpu", "--process-list"]),
        ("-t -s", &["--separate-thread", "--system-wide"]),
        ("-i 5:0 ls", &["--time-interval", "at least 1"]),
        ("-C 99999 -e cpu-clock", &["99999"]),
        ("-p 4194305 -e cpu-clock", &["4194305"]),
        ("-e nope ls", &["nope", "oprof list"]),
        ("-e cpu-clock ./is-not-there", &["is-not-there"]),
    ];
    for (arguments, words) in cases {
        let finished = ocount(&place, arguments);
        assert_no_panic(&finished.stderr);
        assert_one_line(&finished.stderr, words);
        assert_eq!((finished.code(), finished.text()), (Some(1), ""), "{arguments}");
    }
}
