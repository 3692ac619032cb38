//! Names that are missing, joined and shown in another form: `oprof report --missing`, `--merge-clones`, `-D`.

mod harness;

use harness::{Place, assert_one_line, share_of, skipped, symbols_of, users};

/// The row of `oprof report --missing` that has this text.
#[track_caller]
fn row(place: &Place, part: &str) -> String {
    let report = place.report("--missing").with_status(0);
    let row = report.text().lines().find(|line| line.contains(part));
    row.unwrap_or_else(|| panic!("{part} is missing in:\n{}", report.text())).to_owned()
}

/// A stripped program is counted in every report and listed with what would name it; one with names is not.
#[test]
fn a_stripped_program_is_counted_and_listed() {
    for user in users() {
        let place = Place::of(user);
        let source = "BURNER(work) int main(void) { work(0.2); return 0; }";
        let Some(_) = place.cc_with("stripped", source, &["-s", "-fvisibility=hidden"]) else { return };
        place.record("-q", "./stripped").with_status(0);
        let row = row(&place, "/stripped ");
        assert!(row.contains("  stripped  ") && row.contains("do not strip it"), "{user:?}: {row}");
        let report = place.report("-l").with_status(0);
        assert!(report.stderr.contains(" samples ("), "{user:?}: {}", report.stderr);
        assert!(report.stderr.contains(" have no symbol: "), "{user:?}: {}", report.stderr);
        assert!(report.stderr.contains("; oprof report --missing says "), "{user:?}: {}", report.stderr);

        let Some(_) = place.cc("named", source) else { return };
        place.record("-q -e cpu-clock:u", "./named").with_status(0);
        let report = place.report("--missing").with_status(0);
        assert!(!report.text().contains("/named "), "{user:?}: {}", report.text());
    }
}

/// What a distribution installed is told with its package: where dpkg is at home, a shell that it stripped.
#[test]
fn a_file_of_a_package_is_told_with_it() {
    let place = Place::new();
    let mut owner = place.command("dpkg");
    if !owner.args(["-S", "/bin/bash"]).output().is_ok_and(|output| output.status.success()) {
        return skipped("no bash that dpkg installed");
    }
    let loop_of_bash = ["/bin/bash", "-c", "for ((i = 0; i < 300000; i++)); do :; done"];
    place.record_these("-q", &loop_of_bash).with_status(0);
    let report = place.report("--missing -n").with_status(0);
    match report.text().lines().find(|line| line.contains("bin/bash ")) {
        Some(row) => assert!(row.contains("  apt install bash-dbgsym="), "{row}"),
        None => skipped("bash has its names"),
    }
}

/// Code that a program makes while it runs.
#[test]
fn code_without_a_file_is_listed_with_its_program() {
    let source = r#"
        #include <sys/mman.h>
        __attribute__((noinline)) long spin(long n) {
            long i;
            for (i = 0; i < n; i++) __asm__ volatile("");
            return i;
        }
        int main(void) {
            char *code = mmap(0, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
            if (code == MAP_FAILED) return 1;
            memcpy(code, (void *)spin, 64);
            __builtin___clear_cache(code, code + 64);
            ((long (*)(long))code)(300000000);
            return 0;
        }"#;
    let place = Place::new();
    let Some(_) = place.cc("jit", source) else { return };
    place.record("-q", "./jit").with_status(0);
    let row = row(&place, "[anon] of ");
    assert!(row.contains("JIT code without a map") && row.contains("/jit "), "{row}");
    assert!(row.contains("/tmp/perf-PID.map"), "{row}");
}

/// Parts of functions join them; names are shown as asked.
#[test]
fn clones_join_their_function_and_names_are_shown_as_asked() {
    let place = Place::new();
    let source = r#"
        #define PART(name, symbol) void name(double) __asm__(symbol); BURNER(name)
        PART(part, "work.part.0")
        BURNER(work)
        PART(of_other, "other.isra.0")
        int main(void) { part(0.1); work(0.1); of_other(0.1); return 0; }"#;
    let Some(_) = place.cc("program", source) else { return };
    place.record("-q", "./program").with_status(0);
    let share = |name: &str| share_of(&symbols_of(&place, "oprof.data"), |row| row.name == name);
    assert!(share("work") < 50.0 && share("work.part.0") > 15.0, "{:?}", symbols_of(&place, "oprof.data"));
    let merged = symbols_of(&place, "--merge-clones oprof.data");
    assert!(share_of(&merged, |row| row.name == "work") > 50.0, "{merged:#?}");
    assert!(share_of(&merged, |row| row.name == "other") > 15.0, "{merged:#?}");

    let source = "namespace ns { BURNER(work) } int main() { ns::work(0.1); return 0; }";
    let Some(_) = place.cxx("mangled", source) else { return };
    place.record("-q", "./mangled").with_status(0);
    for (style, name) in
        [("none", "_ZN2ns4workEd"), ("simple", "ns::work(double)"), ("normal", "ns::work(double)")]
    {
        let symbols = symbols_of(&place, &format!("-D {style} oprof.data"));
        assert!(share_of(&symbols, |row| row.name == name) > 50.0, "{style}: {symbols:#?}");
    }
}

/// `--missing` is a report of its own.
#[test]
fn what_does_not_go_together_is_told() {
    let place = Place::new();
    for option in ["-l", "--by app", "-g", "--inline", "--merge-clones"] {
        let finished = place.report(&format!("--missing {option}")).with_status(2);
        assert_one_line(&finished.stderr, &["'--missing' cannot be used with", "oprof report --help"]);
    }
    let finished = place.report("-D nice").with_status(2);
    assert_one_line(&finished.stderr, &["none, simple or full"]);
}
