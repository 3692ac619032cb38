//! libpfm4 that does not depend on the processor at hand.
//!
//! The tests run in a child that has libpfm4 encode for any: the variable has to be there before the first load, and the
//! threads of this process cannot set one.

use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use oprof_events::libpfm::Libpfm;

const VARIABLE: &str = "LIBPFM_ENCODE_INACTIVE";

/// libpfm4 where it is installed and encodes at all.
pub(crate) fn loaded() -> Option<Libpfm> {
    // Without this file libpfm4 takes the kernel for one that has no perf events, and encodes nothing.
    let kernel = Path::new("/proc/sys/kernel/perf_event_paranoid").exists();
    let libpfm = Libpfm::load().filter(|_| kernel);
    if libpfm.is_none() {
        let reason = if kernel { "libpfm4 is not installed" } else { "the kernel has no perf events" };
        let _ = writeln!(std::io::stderr(), "skipped: {reason}");
    }
    libpfm
}

/// libpfm4 that encodes for any processor; `None` where it is missing, and in the parent, which waits for the child.
pub(crate) fn of_any_processor(test: &str) -> Option<Libpfm> {
    if std::env::var_os(VARIABLE).is_some() {
        return Some(Libpfm::load().expect("the parent has loaded it"));
    }
    loaded()?;
    let output = Command::new(std::env::current_exe().expect("this test"))
        .args(["--exact", test, "--nocapture"])
        .env(VARIABLE, "1")
        .output()
        .expect("this test starts");
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && text.contains("1 passed"), "{text}{errors}");
    print!("{text}");
    None
}
