//! The table by symbol of one million samples: of the recordings of the case `flat`.

use anyhow::Result;

use super::flat;
use crate::bench::Bench;
use crate::measure;
use crate::quantity::{Time, ratio};
use crate::turns::Turns;

pub(crate) fn run(bench: &Bench) -> Result<String> {
    flat::make_recordings(bench)?;
    let reports =
        Turns::of_recorders(bench, 5, |recorder| measure::run(&mut recorder.report(bench, flat::RECORDING)))?;

    let (wall, cpu, memory) = (
        reports.oprof(|report| report.wall),
        reports.oprof(|report| report.cpu),
        reports.oprof(|report| report.peak_memory),
    );
    let mut line = format!("oprof {}, CPU {}, peak memory {memory}", Time(wall), Time(cpu));
    line += &match &bench.perf {
        Ok(_) => {
            let perf_wall = reports.perf(|report| report.wall);
            let perf_cpu = reports.perf(|report| report.cpu);
            let perf_memory = reports.perf(|report| report.peak_memory);
            format!(
                "; perf {} ({}), CPU {} ({}), peak memory {perf_memory} ({})",
                Time(perf_wall),
                ratio(wall.as_secs_f64(), perf_wall.as_secs_f64()),
                Time(perf_cpu),
                ratio(cpu.as_secs_f64(), perf_cpu.as_secs_f64()),
                ratio(memory.0 as f64, perf_memory.0 as f64),
            )
        }
        Err(reason) => format!("; perf {reason}"),
    };
    Ok(line)
}
