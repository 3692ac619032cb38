//! BPF programs: named by what they were at the time of a sample, whenever they were loaded and unloaded.

mod harness;

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use harness::{Place, Started, User, share_of, skipped, symbols_of};

/// Loads BPF programs of known names and runs them: `bpf one two` each for a third of a second of CPU time, one after
/// the other; `bpf -` loads a program of two functions that have types, and keeps it until the end of its input; `bpf ID
/// PID` runs the program of that id, which it unloads by ending PID, and waits until it is gone.
const LOADER: &str = r#"
#include <linux/bpf.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
static long bpf(int command, union bpf_attr *attr) { return syscall(SYS_bpf, command, attr, sizeof *attr); }
#define LENGTH 3002
static struct bpf_insn code[2 * LENGTH + 1];
/* 3,000 multiplications; gives the end of them. */
static struct bpf_insn *burn(struct bpf_insn *at) {
    *at++ = (struct bpf_insn){ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .imm = 1 };
    for (int i = 2; i < LENGTH; i++) *at++ = (struct bpf_insn){ .code = BPF_ALU64 | BPF_MUL | BPF_K, .imm = 7 };
    *at++ = (struct bpf_insn){ .code = BPF_JMP | BPF_EXIT };
    return at;
}
static int load(union bpf_attr attr, struct bpf_insn *end, const char *name) {
    attr.prog_type = BPF_PROG_TYPE_SOCKET_FILTER;
    attr.insns = (unsigned long)code;
    attr.insn_cnt = end - code;
    attr.license = (unsigned long)"GPL";
    strcpy(attr.prog_name, name);
    int fd = bpf(BPF_PROG_LOAD, &attr);
    if (fd < 0) { perror("BPF_PROG_LOAD"); exit(77); }
    return fd;
}
/* Two functions, the first calling the second, whose types have names: int, int(*)(void), and two functions of that. */
static int load_typed(void) {
    static struct {
        unsigned short magic;
        unsigned char version, flags;
        unsigned header, types_at, types_length, strings_at, strings_length, types[13];
        char strings[37];
    } btf = {
        .magic = 0xeb9f, .version = 1, .header = 24, .types_length = 52, .strings_at = 52, .strings_length = 37,
        .types = { 1, 1 << 24, 4, 1 << 24 | 32, 0, 13 << 24, 1, 5, 12 << 24, 2, 26, 12 << 24, 2 },
        .strings = "\0int\0before_the_recording\0part_of_it",
    };
    union bpf_attr attr = { 0 };
    attr.btf = (unsigned long)&btf;
    attr.btf_size = 24 + 52 + 37;
    int types = bpf(BPF_BTF_LOAD, &attr);
    if (types < 0) { perror("BPF_BTF_LOAD"); exit(77); }
    struct bpf_func_info functions[] = { { 0, 3 }, { LENGTH + 1, 4 } };
    memset(&attr, 0, sizeof attr);
    attr.prog_btf_fd = types;
    attr.func_info_rec_size = sizeof *functions;
    attr.func_info = (unsigned long)functions;
    attr.func_info_cnt = 2;
    code[0] = (struct bpf_insn){ .code = BPF_JMP | BPF_CALL, .src_reg = BPF_PSEUDO_CALL, .imm = LENGTH };
    return load(attr, burn(burn(code + 1)), "before");
}
static double now(void) { struct timespec t; clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t); return t.tv_sec + t.tv_nsec * 1e-9; }
static void run(int fd, double seconds) {
    char data[64] = { 0 };
    for (double end = now() + seconds; now() < end;) {
        union bpf_attr attr = { 0 };
        attr.test.prog_fd = fd;
        attr.test.repeat = 1000;
        attr.test.data_in = (unsigned long)data;
        attr.test.data_size_in = sizeof data;
        if (bpf(BPF_PROG_TEST_RUN, &attr) < 0) { perror("BPF_PROG_TEST_RUN"); exit(77); }
    }
}
int main(int n, char **arguments) {
    if (n == 2 && !strcmp(arguments[1], "-")) {
        struct bpf_prog_info info = { 0 };
        union bpf_attr attr = { 0 };
        attr.info.bpf_fd = load_typed();
        attr.info.info_len = sizeof info;
        attr.info.info = (unsigned long)&info;
        if (bpf(BPF_OBJ_GET_INFO_BY_FD, &attr) < 0) { perror("BPF_OBJ_GET_INFO_BY_FD"); return 77; }
        printf("%u %d\n", info.id, getpid());
        fflush(stdout);
        return getchar() == EOF ? 0 : 1;
    }
    if (n == 3 && atoi(arguments[1])) {
        union bpf_attr attr = { 0 };
        attr.prog_id = atoi(arguments[1]);
        int fd = bpf(BPF_PROG_GET_FD_BY_ID, &attr);
        if (fd < 0) { perror("BPF_PROG_GET_FD_BY_ID"); return 77; }
        run(fd, 0.33);
        kill(atoi(arguments[2]), SIGTERM);
        do { close(fd); usleep(1000); } while ((fd = bpf(BPF_PROG_GET_FD_BY_ID, &attr)) >= 0);
        return 0;
    }
    for (int i = 1; i < n; i++) { int fd = load((union bpf_attr){ 0 }, burn(code), arguments[i]); run(fd, 0.33); close(fd); }
    return 0;
}
"#;

/// A place with the loader; `None` where BPF programs cannot be loaded here.
fn place_with_loader() -> Option<Place> {
    if !User::Own.is_root() {
        skipped("only root may load BPF programs");
        return None;
    }
    let place = Place::new();
    place.cc("bpf", LOADER)?;
    let tried = place.command("./bpf").arg("tried").output().expect("the loader runs");
    if !tried.status.success() {
        skipped(&format!("no BPF programs here: {}", String::from_utf8_lossy(&tried.stderr).trim()));
        return None;
    }
    Some(place)
}

/// The share of the samples that a program has, by the name that was given to it.
fn share(place: &Place, name: &str) -> f64 {
    let symbols = symbols_of(place, "oprof.data");
    let suffix = format!("_{name}");
    share_of(&symbols, |row| {
        row.image == "[bpf]" && row.name.starts_with("bpf_prog_") && row.name.ends_with(&suffix)
    })
}

/// Two programs, loaded and unloaded while the recording goes on, the second most often at the address of the first.
#[test]
fn programs_that_are_gone_when_the_recording_ends_are_named() {
    let Some(place) = place_with_loader() else { return };
    for scope in ["cgroup", "system", "inherit"] {
        place
            .record(&format!("-q -e cpu-clock --scope {scope}"), "./bpf first_one second_one")
            .with_status(0);
        for name in ["first_one", "second_one"] {
            let share = share(&place, name);
            let symbols = symbols_of(&place, "oprof.data");
            assert!((35.0..65.0).contains(&share), "{name} has {share:.1} % in scope {scope}: {symbols:#?}");
        }
    }
}

/// A program that was loaded before the recording began and unloaded before it ends.
#[test]
fn a_program_that_was_there_before_and_is_gone_afterwards_is_named() {
    let Some(place) = place_with_loader() else { return };
    let mut keeper = place.command("./bpf");
    let mut keeper = Started::new(keeper.arg("-").stdin(Stdio::piped()).stdout(Stdio::piped()));
    let mut line = String::new();
    BufReader::new(keeper.take_stdout()).read_line(&mut line).expect("id and pid");
    let kallsyms = std::fs::read_to_string("/proc/kallsyms").unwrap_or_default();
    place.record("-q -e cpu-clock", &format!("./bpf {}", line.trim())).with_status(0);
    for name in ["before_the_recording", "part_of_it"] {
        let share = share(&place, name);
        assert!((30.0..70.0).contains(&share), "{name} has {share:.1} %");
    }
    // The kernel called them so, too.
    for symbol in symbols_of(&place, "oprof.data").iter().filter(|symbol| symbol.image == "[bpf]") {
        assert!(kallsyms.contains(&format!(" t {}\t[bpf]\n", symbol.name)), "{symbol:?}");
    }
}
