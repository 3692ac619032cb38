//! The generic cache events: a cache, an operation and a result.

use crate::config::{EventConfig, EventKind, PMU_TYPE_SHIFT, TYPE_CACHE};

/// A cache with the names in use, canonical first, and the operations that the kernel counts on it.
struct Cache {
    names: &'static [&'static str],
    operations: &'static [Operation],
    description: &'static str,
}

/// What is done to a cache; the discriminant is `enum perf_hw_cache_op_id`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Operation {
    Load = 0,
    Store = 1,
    Prefetch = 2,
}

use Operation::{Load, Prefetch, Store};

/// By position in `enum perf_hw_cache_id` of the kernel's `include/uapi/linux/perf_event.h`. An instruction cache is not
/// stored to; of the ITLB and the branch unit only loads are counted.
const CACHES: [Cache; 7] = [
    Cache {
        names: &["L1-dcache", "L1-d", "L1d", "L1-data"],
        operations: &[Load, Store, Prefetch],
        description: "first-level data cache",
    },
    Cache {
        names: &["L1-icache", "L1-i", "L1i", "L1-instruction"],
        operations: &[Load, Prefetch],
        description: "first-level instruction cache",
    },
    Cache { names: &["LLC", "L2"], operations: &[Load, Store, Prefetch], description: "last-level cache" },
    Cache {
        names: &["dTLB", "d-tlb", "Data-TLB"],
        operations: &[Load, Store, Prefetch],
        description: "data TLB",
    },
    Cache {
        names: &["iTLB", "i-tlb", "Instruction-TLB"],
        operations: &[Load],
        description: "instruction TLB",
    },
    Cache { names: &["branch", "bpu", "btb", "bpc"], operations: &[Load], description: "branch predictor" },
    Cache { names: &["node"], operations: &[Load, Store, Prefetch], description: "memory of the local node" },
];

const OPERATIONS: [(Operation, &[&str]); 3] = [
    (Load, &["load", "loads", "read"]),
    (Store, &["store", "stores", "write"]),
    (Prefetch, &["prefetch", "prefetches", "speculative-read", "speculative-load"]),
];

/// Names of `PERF_COUNT_HW_CACHE_RESULT_ACCESS` and `_MISS`; the discriminant is whether it is a miss.
const RESULTS: [(bool, &[&str]); 2] =
    [(false, &["refs", "reference", "ops", "access"]), (true, &["misses", "miss"])];

/// One valid combination.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct CacheEvent {
    cache: u8,
    operation: Operation,
    miss: bool,
}

impl CacheEvent {
    /// All combinations that the kernel can count on some processor.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        (0_u8..).zip(&CACHES).flat_map(|(cache, entry)| {
            entry
                .operations
                .iter()
                .flat_map(move |&operation| [false, true].map(|miss| Self { cache, operation, miss }))
        })
    }

    /// The event of this name, in any case and any of the spellings that perf-list(1) users know:
    /// `CACHE-OPERATION`, `CACHE-RESULT`, or both in either order. Without an operation it is loads, without a result
    /// accesses.
    pub(crate) fn find(name: &str) -> Option<Self> {
        let lower = name.to_ascii_lowercase();
        (0_u8..).zip(&CACHES).find_map(|(cache, entry)| {
            entry.names.iter().find_map(|cache_name| {
                let rest = lower.strip_prefix(&cache_name.to_ascii_lowercase())?.strip_prefix('-')?;
                let (operation, miss) = operation_and_result(rest)?;
                let operation = operation.unwrap_or(Load);
                entry.operations.contains(&operation).then_some(Self {
                    cache,
                    operation,
                    miss: miss.unwrap_or(false),
                })
            })
        })
    }

    /// The canonical name: `L1-dcache-loads`, `L1-dcache-load-misses`.
    pub(crate) fn name(self) -> String {
        let cache = CACHES[usize::from(self.cache)].names[0];
        let suffix = match (self.operation, self.miss) {
            (Load, false) => "loads",
            (Load, true) => "load-misses",
            (Store, false) => "stores",
            (Store, true) => "store-misses",
            (Prefetch, false) => "prefetches",
            (Prefetch, true) => "prefetch-misses",
        };
        format!("{cache}-{suffix}")
    }

    /// What is counted.
    pub(crate) fn description(self) -> String {
        let what = match self.operation {
            Load => "loads from",
            Store => "stores to",
            Prefetch => "prefetches into",
        };
        let cache = CACHES[usize::from(self.cache)].description;
        let miss = if self.miss { " that missed" } else { "" };
        format!("{what} the {cache}{miss}")
    }

    /// Encodes the event; `pmu_type` is that of the core PMU where there are several.
    pub(crate) fn encode(self, pmu_type: Option<u32>) -> EventConfig {
        let pmu_bits = u64::from(pmu_type.unwrap_or(0)) << PMU_TYPE_SHIFT;
        let config = u64::from(self.cache) | (self.operation as u64) << 8 | u64::from(self.miss) << 16;
        EventConfig {
            description: self.description(),
            ..EventConfig::new(&self.name(), EventKind::HardwareCache, TYPE_CACHE, pmu_bits | config)
        }
    }
}

/// Reads `OPERATION`, `RESULT`, `OPERATION-RESULT` or `RESULT-OPERATION` in lower case.
fn operation_and_result(text: &str) -> Option<(Option<Operation>, Option<bool>)> {
    let operation =
        |word: &str| OPERATIONS.iter().find(|(_, names)| names.contains(&word)).map(|&(op, _)| op);
    let result = |word: &str| RESULTS.iter().find(|(_, names)| names.contains(&word)).map(|&(miss, _)| miss);
    if let Some(operation) = operation(text) {
        return Some((Some(operation), None));
    }
    if let Some(miss) = result(text) {
        return Some((None, Some(miss)));
    }
    // Some operations have a hyphen of their own, so every hyphen may be the one between the two words.
    text.match_indices('-').find_map(|(at, _)| {
        let (first, second) = (&text[..at], &text[at + 1..]);
        match (operation(first), result(second), result(first), operation(second)) {
            (Some(operation), Some(miss), ..) | (_, _, Some(miss), Some(operation)) => {
                Some((Some(operation), Some(miss)))
            }
            _ => None,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(name: &str) -> Option<u64> {
        CacheEvent::find(name).map(|event| event.encode(None).config)
    }

    #[test]
    fn encodes_cache_operation_and_result() {
        assert_eq!(config("L1-dcache-load-misses"), Some(0x10000));
        assert_eq!(config("LLC-loads"), Some(2));
        assert_eq!(config("LLC-store-misses"), Some(0x10102));
        assert_eq!(config("dtlb-prefetches"), Some(0x203));
        assert_eq!(config("branch-load-misses"), Some(0x10005));
        assert_eq!(config("node-loads"), Some(6));
    }

    #[test]
    fn other_spellings_mean_the_same() {
        for spelling in ["l1d-read-miss", "L1-D-MISSES-LOAD", "l1-data-misses", "L1-dcache-loads-misses"] {
            assert_eq!(config(spelling), Some(0x10000), "{spelling}");
        }
        assert_eq!(config("L1d-speculative-read-miss"), Some(0x10200));
        assert_eq!(config("L2-miss-speculative-load"), Some(0x10202));
    }

    #[test]
    fn what_the_kernel_cannot_count_is_not_found() {
        for bad in [
            "L1-icache-stores",
            "iTLB-prefetches",
            "branch-stores",
            "L1-dcache",
            "LLC-",
            "LLC-x",
            "-loads",
            "é",
        ] {
            assert_eq!(config(bad), None, "{bad}");
        }
    }

    #[test]
    fn every_canonical_name_is_found_and_numbers_are_distinct() {
        let all: Vec<_> = CacheEvent::all().collect();
        assert_eq!(all.len(), 32);
        let mut configs: Vec<_> = all.iter().map(|event| event.encode(None).config).collect();
        for event in &all {
            assert_eq!(config(&event.name()), Some(event.encode(None).config), "{}", event.name());
        }
        configs.sort_unstable();
        configs.dedup();
        assert_eq!(configs.len(), all.len());
    }
}
