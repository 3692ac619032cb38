//! The workloads, each a hidden sub-command of this program, so that they need no build of their own.

use anyhow::{Context, Result, bail};

pub(crate) mod burn;
pub(crate) mod chain;
pub(crate) mod distinct;
pub(crate) mod recordings;
pub(crate) mod storm;
pub(crate) mod symbols;
pub(crate) mod timed;

/// Runs `NAME ARGUMENT...`.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let Some((name, arguments)) = arguments.split_first() else { bail!("which workload?") };
    match name.as_str() {
        "storm" => storm::run(arguments),
        "burn" => burn::run(arguments),
        "timed" => timed::run(arguments),
        "distinct" => distinct::run(arguments),
        "recordings" => recordings::run(arguments),
        "symbols" => symbols::run(arguments),
        "hostile" => crate::hostile::run(arguments),
        _ => bail!("no workload {name:?}"),
    }
}

fn number(arguments: &[String], index: usize) -> Result<u64> {
    let argument = arguments.get(index).context("an argument is missing")?;
    argument.parse().with_context(|| format!("not a number: {argument:?}"))
}
