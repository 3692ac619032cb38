//! Programs of known proportions, run as `pmu_guest workload NAME NUMBERS...`.

use std::fs::File;
use std::io::Read as _;
use std::process::{Child, Command, ExitCode};
use std::thread;

/// What runs the function of each name: 60, 30 and 10 % of the instructions.
pub(crate) const SHARES: [(&str, f64); 3] = [("sixty", 0.6), ("thirty", 0.3), ("ten", 0.1)];

/// Executes so many instructions in a loop of two, which no other code shares: `KIND` keeps functions with the same
/// loop apart.
#[inline(always)]
fn spin<const KIND: u16>(instructions: u64) {
    let rounds = (instructions / 2).max(1);
    #[cfg(target_arch = "aarch64")]
    // SAFETY: two registers are changed, both declared; neither memory nor the stack is touched, and the loop ends, as
    // `rounds` is at least 1.
    unsafe {
        std::arch::asm!(
            "mov {kind:w}, #{number}", "2:", "subs {rounds}, {rounds}, #1", "b.ne 2b",
            kind = out(reg) _, number = const KIND, rounds = inout(reg) rounds => _, options(nomem, nostack)
        );
    }
    #[cfg(not(target_arch = "aarch64"))]
    for round in 0..rounds {
        std::hint::black_box((round, KIND));
    }
}

#[inline(never)]
fn sixty(instructions: u64) {
    spin::<60>(instructions);
}

#[inline(never)]
fn thirty(instructions: u64) {
    spin::<30>(instructions);
}

#[inline(never)]
fn ten(instructions: u64) {
    spin::<10>(instructions);
}

/// So many thousand instructions in turns of 100,000, which is less than any period in use.
fn shares(thousands: u64) {
    for _ in 0..thousands / 100 {
        sixty(60_000);
        thirty(30_000);
        ten(10_000);
    }
}

/// So many times 100,000 instructions, and as many system calls that keep the kernel busy for about as long.
fn calls(calls: u64) {
    let mut buffer = vec![0; 1 << 20];
    let mut zeros = File::open("/dev/zero").expect("/dev/zero");
    for _ in 0..calls {
        shares(100);
        zeros.read_exact(&mut buffer).expect("zeros");
    }
}

fn start(work: &[&str]) -> Child {
    let program = std::env::current_exe().expect("this program has a path");
    Command::new(program).arg("workload").args(work).spawn().expect("this program can be started")
}

/// Short processes, one after another.
fn storm(processes: u64, thousands: &str) {
    for _ in 0..processes {
        assert!(start(&["burst", thousands]).wait().expect("a child").success());
    }
}

/// Two processes at once.
fn pair(thousands: &str) {
    let both = [start(&["shares", thousands]), start(&["shares", thousands])];
    for mut child in both {
        assert!(child.wait().expect("a child").success());
    }
}

fn threads(thousands: u64) {
    let other = thread::spawn(move || shares(thousands));
    shares(thousands);
    other.join().expect("a thread ends");
}

/// Runs what the words say.
pub(crate) fn run(words: &[&str]) -> ExitCode {
    let number = |text: &str| text.parse::<u64>().expect("a number");
    match *words {
        ["shares", thousands] => shares(number(thousands)),
        ["burst", thousands] => sixty(number(thousands) * 1000),
        ["calls", count] => calls(number(count)),
        ["storm", processes, thousands] => storm(number(processes), thousands),
        ["pair", thousands] => pair(thousands),
        ["threads", thousands] => threads(number(thousands)),
        _ => panic!("{words:?} is no work"),
    }
    ExitCode::SUCCESS
}
