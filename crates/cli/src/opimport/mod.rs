//! `opimport`: converts a sample file of another machine's layout, by OProfile's options.

mod arguments;

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Result, anyhow, bail};
use oprof_profile::session::{Abi, Header, Problem, Samples, native_bytes, read_sample_file};
use oprof_report::grouped;

use crate::stat::Output;
use crate::{oprofile_tool, speak, status};
use arguments::OpimportOptions;

/// Runs with the command line that the program was called with.
pub(crate) fn main() -> ExitCode {
    let options: OpimportOptions = match oprofile_tool::options("opimport") {
        Ok(options) => options,
        Err(status) => return status,
    };
    opimport(&options).unwrap_or_else(|error| status::of_error(&error, status::FAILED))
}

fn opimport(options: &OpimportOptions) -> Result<ExitCode> {
    let abi = Abi::read(&options.abi)?;
    let abi = abi.ok_or_else(|| {
        anyhow!("{}: no such file; it is `abi` in the session's directory", options.abi.display())
    })?;
    if abi == Abi::NATIVE && !options.force {
        speak::line(&format!(
            "{}: the layout is this machine's: there is nothing to convert (-f does it all the same)",
            options.abi.display()
        ));
        return Ok(ExitCode::from(status::FAILED));
    }
    if is_same(&options.input, &options.output) {
        bail!("{}: is to be converted itself; choose another file with -o", options.output.display());
    }
    let input = options.input.display();
    let mut bytes = Vec::new();
    let as_error = |Problem { path, what }: Problem| anyhow!("{}: {what}", path.display());
    read_sample_file(&options.input, &mut bytes).map_err(as_error)?;
    let header = Header::parse(&bytes, &abi).map_err(|damage| anyhow!("{input}: {damage}"))?;
    let samples = Samples::of_file(&bytes, &abi).map_err(|damage| anyhow!("{input}: {damage}"))?;
    let samples: Vec<(u64, u64)> = samples.collect();
    if options.verbose {
        let sum = samples.iter().fold(0_u64, |sum, (_, samples)| sum.saturating_add(*samples));
        speak::line(&format!(
            "{input}: samples {}, nodes {}; CPU type {}, {} MHz, event {:#x}, unit mask {:#x}, count {}",
            grouped(sum),
            grouped(samples.len() as u64),
            header.cpu_type,
            header.cpu_speed,
            header.event,
            header.unit_mask,
            header.count
        ));
    }
    let native = native_bytes(&header, samples).map_err(|error| anyhow!("{input}: {error}"))?;
    let mut output = Output::open(Some(&options.output))?;
    output.begin()?;
    output.write(|out| out.write_all(&native))?;
    Ok(ExitCode::SUCCESS)
}

/// Two paths lead to one file.
fn is_same(one: &Path, other: &Path) -> bool {
    let identity = |path: &Path| fs::metadata(path).ok().map(|file| (file.dev(), file.ino()));
    identity(one).is_some_and(|file| identity(other) == Some(file))
}
