//! Code that a compiler makes at run time is named by what the compiler tells of it, as of the moment of the sample.

mod harness;

use std::fs;
use std::path::PathBuf;

use harness::{Place, Symbol, finish, share_of, skipped, symbols_of, users};

/// A compiler of one function, which counts down its argument. `make_room` gets memory, `burn` runs code that was put
/// there for so many seconds of CPU time, `map_line` and `load` tell of it.
const COMPILER: &str = r#"
#include <fcntl.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#if defined(__x86_64__)
static const unsigned char code[] = {0x89,0xf8, 0xff,0xc8, 0x75,0xfc, 0xc3};
#elif defined(__aarch64__)
static const uint32_t code[] = {0x71000400, 0x54ffffe1, 0xd65f03c0};
#endif
static char *make_room(void) {
    return mmap(0, 8192, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}
static void put(char *place) { memcpy(place, code, sizeof code); __builtin___clear_cache(place, place + sizeof code); }
static __attribute__((noinline)) void burn(char *place, double seconds) {
    double end = burn_clock() + seconds;
    while (burn_clock() < end) ((void (*)(int))place)(40000);
}
static FILE *map_file(int pid) {
    char name[99];
    snprintf(name, sizeof name, "/tmp/perf-%d.map", pid);
    printf("%s\n", name);
    fflush(stdout);
    return fopen(name, "w");
}
static void map_line(FILE *map, char *place, const char *name) {
    fprintf(map, "%lx %x %s\n", (long)place, 64, name);
    fflush(map);
}
static uint64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000ull + t.tv_nsec;
}
static void u32(FILE *dump, uint32_t number) { fwrite(&number, 4, 1, dump); }
static void u64(FILE *dump, uint64_t number) { fwrite(&number, 8, 1, dump); }
static FILE *start_dump(int flags) {
    char name[99];
    snprintf(name, sizeof name, "jit-%d.dump", (int)getpid());
    FILE *dump = fopen(name, "w+");
    static char buffer[1 << 20];
    setvbuf(dump, buffer, _IOFBF, sizeof buffer);
    mmap(0, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fileno(dump), 0);
    u32(dump, 0x4A695444); u32(dump, 1); u32(dump, 40); u32(dump, 62); u32(dump, 0); u32(dump, getpid());
    u64(dump, now()); u64(dump, flags);
    return dump;
}
static void line(FILE *dump, char *place, int number, const char *file) {
    u32(dump, 2); u32(dump, 16 + 16 + 16 + strlen(file) + 1); u64(dump, now());
    u64(dump, (long)place); u64(dump, 1);
    u64(dump, (long)place); u32(dump, number); u32(dump, 0); fwrite(file, 1, strlen(file) + 1, dump);
}
static void load(FILE *dump, char *place, const char *name) {
    u32(dump, 0); u32(dump, 16 + 40 + strlen(name) + 1 + 64); u64(dump, now());
    u32(dump, getpid()); u32(dump, getpid());
    u64(dump, (long)place); u64(dump, (long)place); u64(dump, 64); u64(dump, 1);
    fwrite(name, 1, strlen(name) + 1, dump); fwrite(place, 1, 64, dump);
}
"#;

/// Compiles a program with the compiler of [`COMPILER`]; none where there is no C compiler, or the machine is one whose
/// code it does not know.
#[track_caller]
fn compiler(place: &Place, body: &str) -> Option<PathBuf> {
    if !cfg!(any(target_arch = "x86_64", target_arch = "aarch64")) {
        skipped("the code that the test makes is of x86-64 and arm64");
        return None;
    }
    let source = format!("{COMPILER}\nint main(int n, char **v) {{ {body} return 0; }}");
    place.cc_with("compiler", &source, &["-D_GNU_SOURCE"])
}

/// Records the program and gives the table; the map that it wrote is removed.
#[track_caller]
fn symbols_of_run(place: &Place, options: &str, command: &[&str]) -> Vec<Symbol> {
    let run = place.record_these(&format!("-q -e cpu-clock -F 1999 {options}"), command).with_status(0);
    for map in run.text().lines().filter(|line| line.starts_with("/tmp/perf-")) {
        let _ = fs::remove_file(map);
    }
    symbols_of(place, "oprof.data")
}

/// Asserts that a function of a compiler has this share, in percent, of all that compilers made.
#[track_caller]
fn assert_share(symbols: &[Symbol], name: &str, expected: f64) {
    let made: Vec<Symbol> = symbols.iter().filter(|row| row.image == "[jit]").cloned().collect();
    let share = share_of(&made, |row| row.name == name);
    assert!(
        (share - expected).abs() < 5.0,
        "{name} has {share:.1} % and should have {expected}: {symbols:#?}"
    );
}

#[test]
fn code_is_named_by_a_map() {
    for user in users() {
        let place = Place::of(user);
        let body = r#"char *a = make_room(), *b = a + 4096; put(a); put(b);
            FILE *map = map_file(getpid()); map_line(map, a, "hot path.js:1"); burn(a, 0.3);
            map_line(map, b, "warm path.js:2"); burn(b, 0.1);"#;
        let Some(_) = compiler(&place, body) else { return };
        let symbols = symbols_of_run(&place, "", &["./compiler"]);
        assert_share(&symbols, "hot path.js:1", 75.0);
        assert_share(&symbols, "warm path.js:2", 25.0);
        assert!(share_of(&symbols, |row| row.image == "[jit]") > 80.0, "{symbols:#?}");
    }
}

/// A map that is written when the program ends names what was sampled before.
#[test]
fn a_map_may_come_late_and_its_process_be_long_gone() {
    let place = Place::new();
    let body = r#"char *a = make_room(); put(a); burn(a, 1.3);
        FILE *map = map_file(getpid()); map_line(map, a, "told_late");"#;
    let Some(_) = compiler(&place, body) else { return };
    let symbols = symbols_of_run(&place, "", &["sh", "-c", "./compiler; sleep 2"]);
    assert_share(&symbols, "told_late", 100.0);
    assert!(symbols.iter().all(|row| row.image != "[anon]"), "{symbols:#?}");
}

/// Two functions take turns at one address. A dump says when, and it does not matter that it is written much later.
#[test]
fn names_are_those_of_the_moment_of_the_sample() {
    for user in users() {
        let place = Place::of(user);
        let body = r#"char *a = make_room(); put(a); FILE *dump = start_dump(0);
            for (int i = 0; i < 20; i++) {
                line(dump, a, 7, "even.py"); load(dump, a, "even"); burn(a, 0.045);
                line(dump, a, 9, "odd.py"); load(dump, a, "odd"); burn(a, 0.015);
            }
            fclose(dump);"#;
        let Some(_) = compiler(&place, body) else { return };
        let symbols = symbols_of_run(&place, "", &["./compiler"]);
        assert_share(&symbols, "even", 75.0);
        assert_share(&symbols, "odd", 25.0);
        let mut report = place.oprof(["report", "-lg", "oprof.data"]);
        let report = finish(&mut report).with_status(0);
        let row = report.text().lines().find(|line| line.ends_with(" odd")).expect("a row");
        assert!(row.contains("odd.py:9"), "{row}");
    }
}

/// A process that was forked runs its parent's code, and the parent's map names it.
#[test]
fn what_a_fork_inherits_is_named_by_the_parents_map() {
    let place = Place::new();
    let body = r#"char *a = make_room(); put(a); FILE *map = map_file(getpid()); map_line(map, a, "inherited");
        if (!fork()) { burn(a, 0.2); _exit(0); } wait(0);"#;
    let Some(_) = compiler(&place, body) else { return };
    let symbols = symbols_of_run(&place, "", &["./compiler"]);
    assert_share(&symbols, "inherited", 100.0);
}

/// Memory with a file that exists in memory alone, which some compilers map twice to never have it writable and
/// executable at once.
#[test]
fn code_in_a_memory_file_is_named() {
    let place = Place::new();
    let body = r#"int file = syscall(SYS_memfd_create, "doublemapper", 0); if (ftruncate(file, 4096)) return 1;
        char *writable = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
        char *a = mmap(0, 4096, PROT_READ | PROT_EXEC, MAP_SHARED, file, 0); put(writable);
        FILE *map = map_file(getpid()); map_line(map, a, "mapped_twice"); burn(a, 0.2);"#;
    let Some(_) = compiler(&place, body) else { return };
    let symbols = symbols_of_run(&place, "", &["./compiler"]);
    assert_share(&symbols, "mapped_twice", 100.0);
}

/// A link is not followed, and what another user wrote is not believed.
#[test]
fn maps_of_others_are_not_believed() {
    let place = Place::new();
    let body = r#"char *a = make_room(); put(a); char name[99], path[99];
        snprintf(path, sizeof path, "%s/map", v[1]); snprintf(name, sizeof name, "/tmp/perf-%d.map", getpid());
        FILE *map = fopen(path, "w"); map_line(map, a, "false_name"); fclose(map);
        printf("%s\n", name); fflush(stdout);
        if (n > 2 ? symlink(path, name) : (rename(path, name) || chown(name, 65534, 65534))) return 1;
        burn(a, 0.1);"#;
    let Some(_) = compiler(&place, body) else { return };
    // A rename needs the same file system.
    let near = tempfile::Builder::new().prefix("oprof-test-").tempdir_in("/tmp").expect("a directory");
    let near = near.path().to_str().expect("a plain path");
    let check = |command: &[&str]| {
        let symbols = symbols_of_run(&place, "", command);
        assert!(symbols.iter().all(|row| row.name != "false_name"), "{symbols:#?}");
        assert!(share_of(&symbols, |row| row.image == "[anon]") > 50.0, "{symbols:#?}");
    };
    check(&["./compiler", near, "link"]);
    if !rustix::process::geteuid().is_root() {
        return skipped("only root can give a file to another user");
    }
    check(&["./compiler", near]);
}

/// A map of an earlier process that had the same number tells nothing of this one.
#[test]
fn an_old_map_is_not_of_this_process() {
    let place = Place::new();
    let body = r#"char *a = make_room(); put(a); FILE *map = map_file(getpid()); map_line(map, a, "of_another");
        struct timespec times[2] = {{1000000000, 0}, {1000000000, 0}}; futimens(fileno(map), times);
        burn(a, 0.1);"#;
    let Some(_) = compiler(&place, body) else { return };
    let symbols = symbols_of_run(&place, "", &["./compiler"]);
    assert!(symbols.iter().all(|row| row.name != "of_another"), "{symbols:#?}");
}

/// In a container the map is where the process sees /tmp, under the number by which it knows itself.
#[test]
fn a_container_has_a_tmp_and_numbers_of_its_own() {
    let place = Place::new();
    let body = r#"char *a = make_room(); put(a); FILE *map = map_file(getpid()); map_line(map, a, "contained");
        printf("I am %d\n", getpid()); fflush(stdout); burn(a, 0.2);"#;
    let Some(_) = compiler(&place, body) else { return };
    let script = "mount -t tmpfs tmpfs \"$1\" && mount --bind \"$1\" /tmp && exec ./compiler";
    let unshare = ["unshare", "-m", "-p", "-f", "--kill-child", "sh", "-c"];
    let room = place.path("room");
    fs::create_dir(&room).expect("a directory");
    let trial = format!("mount -t tmpfs tmpfs {}", room.display());
    let trial = place.command(unshare[0]).args(&unshare[1..]).arg(trial).output();
    if !trial.is_ok_and(|run| run.status.success()) {
        return skipped("no namespaces can be made here");
    }
    let room = room.to_str().expect("a plain path");
    let command = [&unshare[..], &[script, "sh", room]].concat();
    let run = place.record_these("-q -e cpu-clock -F 1999", &command).with_status(0);
    assert!(run.text().contains("I am 1\n"), "{}", run.text());
    assert_share(&symbols_of(&place, "oprof.data"), "contained", 100.0);
}

/// Compilers as they come with the machine.
#[test]
fn the_code_of_node_is_named() {
    let place = Place::new();
    place.write(
        "spin.js",
        "console.log('/tmp/perf-' + process.pid + '.map');
         function hot(n) { let x = 0; for (let i = 0; i < n; i++) x = (x * 31 + i) | 0; return x; }
         const end = Date.now() + 700; while (Date.now() < end) hot(200000);",
    );
    if !place.command("node").arg("--version").output().is_ok_and(|run| run.status.success()) {
        return skipped("no node");
    }
    for option in ["--perf-basic-prof", "--perf-prof"] {
        let symbols = symbols_of_run(&place, "", &["node", option, "spin.js"]);
        let share = share_of(&symbols, |row| row.image == "[jit]" && row.name.contains("hot"));
        assert!(share > 40.0, "{option}: {symbols:#?}");
    }
}

#[test]
fn the_code_of_java_is_named() {
    let place = Place::new();
    place.write(
        "Spin.java",
        "public class Spin { static int hot(int n) { int x = 0; for (int i = 0; i < n; i++) x = x * 31 + i; return x; }
         public static void main(String[] a) {
         System.out.println(\"/tmp/perf-\" + ProcessHandle.current().pid() + \".map\");
         long end = System.currentTimeMillis() + 700; int r = 0;
         while (System.currentTimeMillis() < end) r += hot(200000); System.out.println(r); } }",
    );
    let compiled = place.command("javac").arg("Spin.java").output().is_ok_and(|run| run.status.success());
    let options = ["-XX:+UnlockDiagnosticVMOptions", "-XX:+DumpPerfMapAtExit"];
    let understood = place.command("java").args(options).arg("-version").output();
    if !compiled || !understood.is_ok_and(|run| run.status.success()) {
        return skipped("no Java that writes a map when it ends");
    }
    let symbols = symbols_of_run(&place, "", &[&["java"], &options[..], &["-cp", ".", "Spin"]].concat());
    let share = share_of(&symbols, |row| row.image == "[jit]" && row.name.contains("Spin.hot"));
    assert!(share > 30.0, "{symbols:#?}");
}
