//! Checks: each a function that gives its figures in a line, and panics where something is wrong.

use std::panic::catch_unwind;
use std::process::ExitCode;

/// A check and its name.
#[derive(Debug)]
pub(crate) struct Check {
    pub(crate) name: &'static str,
    pub(crate) run: fn() -> String,
}

/// Checks by the paths of their functions.
macro_rules! checks {
    ($($module:ident::$function:ident),+ $(,)?) => {
        &[$(Check { name: concat!(stringify!($module), "::", stringify!($function)), run: $module::$function }),+]
    };
}
pub(crate) use checks;

/// Runs those whose name holds one of the given words, or all, one after another: each has the machine to itself.
pub(crate) fn run(checks: &[Check], words: &[&str]) -> ExitCode {
    let chosen =
        checks.iter().filter(|check| words.is_empty() || words.iter().any(|word| check.name.contains(word)));
    let mut failed = Vec::new();
    let mut passed = 0;
    for check in chosen {
        match catch_unwind(check.run) {
            Ok(figures) => {
                println!("ok      {}: {figures}", check.name);
                passed += 1;
            }
            // What was wrong is on stderr already.
            Err(_) => {
                println!("FAILED  {}", check.name);
                failed.push(check.name);
            }
        }
    }
    match failed.is_empty() {
        true => println!("{passed} checks passed"),
        false => println!("{passed} checks passed, {} failed: {}", failed.len(), failed.join(", ")),
    }
    ExitCode::from(u8::from(!failed.is_empty()))
}
