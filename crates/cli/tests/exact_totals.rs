//! The exact totals that a recording holds beside its samples.

mod harness;

use harness::{Place, User, skipped};

/// With one sample for each event, the samples of every process are its exact total, which the kernel counted apart
/// from them: in every scope, over forks and execs.
#[test]
fn where_every_event_is_sampled_each_process_has_as_many_samples_as_its_total() {
    let place = Place::new();
    let mut scopes = vec!["inherit"];
    if User::Own.is_root() {
        scopes.extend(["cgroup", "system"]);
    } else {
        skipped("cgroup and system scope: not root");
    }
    for scope in scopes {
        let command = ["sh", "-c", "for i in 1 2 3 4 5; do /bin/true; (:); done"];
        // Page faults in user code, since not every user may look into the kernel.
        place.record_these(&format!("-e page-faults:u -q --scope {scope}"), &command).with_status(0);
        let report = place.report("--by process -n oprof.data").with_status(0);
        let rows: Vec<Vec<&str>> =
            report.text().lines().map(|line| line.split_whitespace().collect()).collect();
        // samples, share, total, pid, ...; a total with a tilde is one that two programs share.
        let exact: Vec<&Vec<&str>> = rows.iter().filter(|row| !row[2].starts_with('~')).collect();
        assert!(exact.len() >= 5, "{scope}: too few exact totals:\n{}", report.text());
        for row in exact {
            let (samples, total): (u64, u64) = (number(row[0]), number(row[2]));
            assert_eq!(samples, total, "{scope}:\n{}", report.text());
        }
    }
}

/// A number with its groups of three digits.
fn number(text: &str) -> u64 {
    text.replace(',', "").parse().unwrap_or_else(|_| panic!("{text} is not a number"))
}
