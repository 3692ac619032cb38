//! Programs to be profiled, compiled from literal source.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use super::place::Place;
use super::skipped;

/// `BURNER(name)` makes a C function that burns so many seconds of its thread's CPU time in its own code: the clock
/// is looked at too seldom to show.
pub(crate) const BURN: &str = r#"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
static volatile unsigned long burnt;
static inline __attribute__((always_inline)) double burn_clock(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return t.tv_sec + t.tv_nsec * 1e-9;
}
#define BURNER(name)                                                       \
    __attribute__((noinline)) void name(double seconds) {                  \
        double end = burn_clock() + seconds;                               \
        while (burn_clock() < end)                                         \
            for (int i = 0; i < 20000; i++) burnt += i;                    \
    }
"#;

impl Place {
    /// Compiles C to a program of this name; `None`, and a word on it, where there is no compiler.
    #[track_caller]
    pub(crate) fn cc(&self, name: &str, source: &str) -> Option<PathBuf> {
        self.cc_with(name, source, &[])
    }

    /// The same with options for the compiler.
    #[track_caller]
    pub(crate) fn cc_with(&self, name: &str, source: &str, options: &[&str]) -> Option<PathBuf> {
        let options = [&["-O1", "-x", "c"], options].concat();
        self.compile("cc", name, &format!("{BURN}\n{source}"), &options)
    }

    /// Compiles C++ to a program of this name.
    #[track_caller]
    pub(crate) fn cxx(&self, name: &str, source: &str) -> Option<PathBuf> {
        self.compile("c++", name, &format!("{BURN}\n{source}"), &["-O1", "-x", "c++"])
    }

    /// Compiles Rust to a program of this name; unstable options are allowed, since one of the two manglings is
    /// always behind one.
    #[track_caller]
    pub(crate) fn rustc(&self, name: &str, source: &str, options: &[&str]) -> Option<PathBuf> {
        let options = [&["-Copt-level=1", "--edition=2021", "--crate-name=program"], options].concat();
        self.compile("rustc", name, source, &options)
    }

    #[track_caller]
    fn compile(&self, compiler: &str, name: &str, source: &str, options: &[&str]) -> Option<PathBuf> {
        let source = self.write(&format!("{name}.source"), source);
        let program = self.path(name);
        let mut command = Command::new(compiler);
        command
            .args(options)
            .arg(&source)
            .arg("-o")
            .arg(&program)
            .stdin(Stdio::null())
            .env("RUSTC_BOOTSTRAP", "1");
        let libraries: &[&str] = if compiler == "rustc" { &[] } else { &["-lpthread", "-ldl"] };
        command.args(libraries);
        match command.output() {
            Ok(output) if output.status.success() => Some(program),
            Ok(output) => panic!("{compiler}: {}", String::from_utf8_lossy(&output.stderr)),
            Err(error) => {
                skipped(&format!("{compiler}: {error}"));
                None
            }
        }
    }
}
