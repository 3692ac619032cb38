//! How long CPUs have been idle.

use std::fs;

/// How long these CPUs have been idle since boot, in nanoseconds, summed: the columns idle and iowait of the lines `cpuN`
/// of /proc/stat (proc_stat(5)), in clock ticks; `None` where that cannot be read.
pub(crate) fn of_cpus(cpus: &[u32]) -> Option<u64> {
    parse(&fs::read_to_string("/proc/stat").ok()?, cpus, rustix::param::clock_ticks_per_second())
}

fn parse(stat: &str, cpus: &[u32], ticks_per_second: u64) -> Option<u64> {
    let mut ticks: u64 = 0;
    for line in stat.lines() {
        let Some((name, columns)) = line.split_once(' ') else { continue };
        let Some(cpu) = name.strip_prefix("cpu").and_then(|cpu| cpu.parse::<u32>().ok()) else { continue };
        if !cpus.contains(&cpu) {
            continue;
        }
        let mut columns = columns.split_whitespace().skip(3).map(str::parse::<u64>);
        ticks += columns.next()?.ok()? + columns.next()?.ok()?;
    }
    ticks.checked_mul(1_000_000_000)?.checked_div(ticks_per_second)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn idle_and_waiting_are_summed_over_the_cpus_asked_for() {
        let stat = "cpu  9 9 9 99 99 0 0 0 0 0\ncpu0 1 2 3 40 5 0 7 0 0 0\ncpu1 1 2 3 60 6 0 0 0 0 0\n\
                    cpu10 1 2 3 7 0 0 0 0 0 0\nintr 1 2 3 4 5 6\n";
        assert_eq!(parse(stat, &[0], 100), Some(450_000_000));
        assert_eq!(parse(stat, &[0, 1, 10], 100), Some(1_180_000_000));
        assert_eq!(parse("cpu0 1 2\n", &[0], 100), None);
        assert!(of_cpus(&[0]).is_some());
    }
}
