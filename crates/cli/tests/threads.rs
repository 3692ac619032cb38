//! `oprof record --separate-thread`: threads told apart, by their numbers and names.

mod harness;

use harness::{Place, Started, assert_no_panic, assert_one_line, finish, until, users};

/// Three threads: `heavy` works twice as long as `light`, the main one waits; with an argument they go on for ever.
const WORK: &str = r#"
#define _GNU_SOURCE
#include <pthread.h>
static int for_ever;
__attribute__((noinline)) void work(long turns) {
    for (volatile long turn = 0; turn < turns; turn++) {}
}
static void *light(void *nothing) {
    pthread_setname_np(pthread_self(), "light");
    do work(100000000); while (for_ever);
    return 0;
}
static void *heavy(void *nothing) {
    pthread_setname_np(pthread_self(), "heavy");
    do work(200000000); while (for_ever);
    return 0;
}
int main(int count, char **arguments) {
    pthread_t one, two;
    for_ever = count > 1;
    pthread_create(&one, 0, light, 0);
    pthread_create(&two, 0, heavy, 0);
    pthread_join(one, 0);
    pthread_join(two, 0);
    return 0;
}"#;

/// The samples and the thread id of the row that ends in this name.
fn row(table: &str, name: &str) -> Option<(u64, u32)> {
    let line = table.lines().find(|line| line.ends_with(name))?;
    let words: Vec<&str> = line.split_whitespace().collect();
    Some((words.first()?.replace(',', "").parse().ok()?, words.get(3)?.parse().ok()?))
}

#[test]
fn each_thread_has_its_row_and_its_name() {
    for user in users() {
        let place = Place::of(user);
        if place.cc_with("work", WORK, &["-pthread"]).is_none() {
            return;
        }
        let finished = place.record("--separate-thread -e cpu-clock:u -F 2000", "./work").with_status(0);
        assert_no_panic(&finished.stderr);
        let table = place.report("--by thread").with_status(0);
        let (light, heavy) = (row(table.text(), "light"), row(table.text(), "heavy"));
        let (Some((light, light_id)), Some((heavy, heavy_id))) = (light, heavy) else {
            panic!("a thread is missing in:\n{}", table.text())
        };
        assert_ne!(light_id, heavy_id);
        // Six standard deviations around two thirds.
        let (all, share) = ((light + heavy) as f64, heavy as f64 / (light + heavy) as f64);
        assert!((share - 2.0 / 3.0).abs() < 6.0 * (0.222 / all).sqrt(), "{light} and {heavy}");
        // Together they are what they are without.
        let symbols = harness::symbols_of(&place, "oprof.data");
        let work: u64 =
            symbols.iter().filter(|symbol| symbol.name == "work").map(|symbol| symbol.samples).sum();
        assert!(work <= light + heavy && work > (light + heavy) * 9 / 10, "{work} of {light} and {heavy}");
    }
}

#[test]
fn threads_that_run_already_have_their_names() {
    for user in users() {
        let place = Place::of(user);
        if place.cc_with("work", WORK, &["-pthread"]).is_none() {
            return;
        }
        let work = Started::new(place.command("./work").arg("on"));
        let pid = work.id().to_string();
        until("its threads have names", || {
            let threads = std::fs::read_dir(format!("/proc/{pid}/task")).ok()?.flatten();
            let name = |thread: std::fs::DirEntry| std::fs::read_to_string(thread.path().join("comm")).ok();
            let names: Vec<String> = threads.filter_map(name).collect();
            ["light\n", "heavy\n"].iter().all(|name| names.iter().any(|found| found == name)).then_some(())
        });
        let options = ["record", "--separate-thread", "-e", "cpu-clock:u", "-p", &pid, "--duration", "500ms"];
        finish(&mut place.oprof(options)).with_status(0);
        let table = place.report("--by thread").with_status(0);
        for name in ["light", "heavy"] {
            assert!(row(table.text(), name).is_some_and(|(samples, _)| samples > 10), "{}", table.text());
        }
    }
}

#[test]
fn a_recording_without_threads_says_how_to_have_them() {
    let place = Place::new();
    place.record("-e cpu-clock:u", "true").with_status(0);
    let refused = place.report("--by thread").with_status(1);
    assert_one_line(&refused.stderr, &["oprof.data", "--separate-thread"]);
}
