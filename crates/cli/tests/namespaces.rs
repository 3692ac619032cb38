//! Processes in namespaces of their own, as containers have them: their files are out of the recorder's sight.

mod harness;

use std::fs;

use harness::{Place, Started, finish, samples_of, skipped, until, users};

const SPIN: &str = r#"
volatile unsigned long turns;
__attribute__((noinline)) void spin_inside(void) { for (;;) turns++; }
int main(void) { spin_inside(); }"#;

/// The program in a file system that only it and its shell have, as process 1 of its namespace or the next ones.
const CONTAINER: &str = "mount -t tmpfs none /mnt && cp ./spin /mnt/inside && exec /mnt/inside";

/// A place with the program running inside, and its number outside; `None` where there are no such namespaces.
fn inside() -> Option<(Place, Started, u32)> {
    let Some(root) = users().into_iter().find(|user| user.is_root()) else {
        skipped("only root may make namespaces here");
        return None;
    };
    let place = Place::of(root);
    place.cc("spin", SPIN)?;
    let unshare = ["--mount", "--pid", "--fork", "--kill-child"];
    if !finish(place.command("unshare").args(unshare).arg("true")).status.success() {
        skipped("unshare cannot be used here");
        return None;
    }
    let container = Started::new(place.command("unshare").args(unshare).args(["sh", "-c", CONTAINER]));
    let outer = container.id();
    let pid = until("it runs inside", || {
        let children = fs::read_to_string(format!("/proc/{outer}/task/{outer}/children")).ok()?;
        let pid: u32 = children.split_whitespace().next()?.parse().ok()?;
        let program = fs::read_link(format!("/proc/{pid}/exe")).ok()?;
        program.ends_with("inside").then_some(pid)
    });
    assert!(!std::path::Path::new("/mnt/inside").exists(), "the file system is its own");
    Some((place, container, pid))
}

#[test]
fn a_program_of_another_mount_namespace_has_its_names() {
    let Some((place, _container, pid)) = inside() else { return };
    for target in [vec!["-a".to_owned()], vec!["-p".to_owned(), pid.to_string()]] {
        finish(place.oprof(["record", "--duration", "500ms"]).args(&target)).with_status(0);
        let [samples] = samples_of(&place, ["spin_inside"]);
        assert!(samples > 15, "{target:?}: {samples}");
        let report = place.report("--by process --plain").with_status(0);
        let row = report.text().lines().find(|row| row.contains("inside"));
        assert!(
            row.is_some_and(|row| row.contains(&format!(" {pid} "))),
            "by its number outside: {}",
            report.text()
        );
    }
}
