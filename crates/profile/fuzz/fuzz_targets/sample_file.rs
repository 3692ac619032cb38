//! A sample file, and the abi file that says how it is laid out: what is read of it is what is written of that.
#![no_main]

use std::collections::BTreeMap;

use libfuzzer_sys::fuzz_target;
use oprof_profile::session::{Abi, Header, Samples, native_bytes};

fn sum(samples: impl Iterator<Item = (u64, u64)>) -> BTreeMap<u64, u64> {
    let mut sum = BTreeMap::new();
    for (key, samples) in samples {
        let known: &mut u64 = sum.entry(key).or_default();
        *known = known.saturating_add(samples);
    }
    sum
}

fuzz_target!(|input: (&str, &[u8])| {
    let (abi, bytes) = input;
    let abi = Abi::parse(abi).unwrap_or(Abi::NATIVE);
    let Ok(header) = Header::parse(bytes, &abi) else { return };
    let Ok(samples) = Samples::of_file(bytes, &abi) else { return };
    let samples: Vec<(u64, u64)> = samples.collect();
    assert!(samples.len() <= bytes.len() / abi.node_size);
    let Ok(native) = native_bytes(&header, samples.iter().copied()) else { return };
    assert_eq!(Header::parse(&native, &Abi::NATIVE), Ok(header));
    let read = Samples::of_file(&native, &Abi::NATIVE).expect("readable");
    assert_eq!(sum(read), sum(samples.into_iter()));
});
