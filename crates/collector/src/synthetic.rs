//! Machines with more CPUs than there are: ring buffers that are filled by hand and read as the kernel's are, for tests and
//! benchmarks.

use std::fs::File;
use std::io;

use oprof_profile::{EventId, Profile, Timestamp};

use crate::counter::Counter;
use crate::parse::{Parsed, Sampled, Source};
use crate::ring_buffer::RingBuffer;
use crate::rings::Rings;
use crate::time_order::TimeOrder;

/// The fixed period of the samples.
const PERIOD: u64 = 1_000_000;
/// Nanoseconds between two samples of one CPU.
const EACH: u64 = 1_000_000;
/// The process of the first CPU; each CPU has one of its own.
const FIRST: u32 = 100;
/// The process that the first CPU's forks, and that ends at once.
const FIRST_CHILD: u32 = 1_000;
/// What forks those.
const SHELL: u32 = 50;

/// A made-up machine, which has as many ring buffers as CPUs.
#[derive(Debug)]
pub struct SyntheticMachine {
    rings: Rings,
    order: TimeOrder,
    profile: Profile,
    now: u64,
    places: u64,
    random: u64,
}

impl SyntheticMachine {
    /// A machine of so many CPUs, each of which executes so many distinct addresses, and whose buffers have so many
    /// bytes, a power of two.
    ///
    /// # Errors
    /// Where there is no memory for them.
    pub fn new(cpus: u16, places: u64, buffer: usize) -> io::Result<SyntheticMachine> {
        let mut rings = Rings::default();
        for cpu in 0..cpus {
            let only = Some(Sampled { event: EventId(0), period: PERIOD, ..Sampled::default() });
            let owner = Counter::synthetic(File::open("/dev/null")?.into());
            let source = Source { cpu, only, ..Source::default() };
            rings.add_synthetic(RingBuffer::synthetic(buffer)?, owner, source);
        }
        let profile = Profile::of_all_processes(1);
        Ok(SyntheticMachine {
            rings,
            order: TimeOrder::default(),
            profile,
            now: 1_000_000_000,
            places,
            random: 1,
        })
    }

    /// Each CPU takes so many samples, one after the other; and on each one process is forked, sampled, and ends. False
    /// where a buffer had no room.
    pub fn run(&mut self, samples: u64) -> bool {
        let cpus = self.rings.synthetic().count() as u64;
        let (mut random, mut has_room) = (self.random, true);
        for (cpu, buffer) in self.rings.synthetic().enumerate() {
            // No two records of a machine have the same time.
            let mut time = self.now + cpu as u64 * EACH / cpus;
            for sample in 0..samples {
                random =
                    random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let address = 0x40_0000 + (random >> 33) % self.places * 16;
                has_room &= buffer.produce(&sample_record(FIRST + cpu as u32, address, time));
                if sample == samples / 2 {
                    let pid = FIRST_CHILD + cpu as u32;
                    has_room &= buffer.produce(&task_record(FORK, pid, SHELL, time + 1));
                    has_room &= buffer.produce(&sample_record(pid, address, time + 2));
                    has_room &= buffer.produce(&task_record(EXIT, pid, SHELL, time + 3));
                }
                time += EACH;
            }
        }
        self.random = random;
        self.now += samples * EACH;
        has_room
    }

    /// One look of the recorder's at all buffers.
    pub fn round(&mut self) {
        let SyntheticMachine { rings, order, profile, now, .. } = self;
        rings.drain(|parsed| push(order, parsed));
        profile.apply(order.end_round(Timestamp(*now)));
    }

    /// Takes in what was held back.
    pub fn finish(&mut self) -> &Profile {
        self.round();
        self.profile.apply(self.order.finish());
        &self.profile
    }
}

fn push(order: &mut TimeOrder, parsed: Parsed<'_>) {
    match parsed {
        Parsed::Sample(sample) => order.push_sample(sample),
        Parsed::Task(record) => order.push_record(record),
        Parsed::GroupSample(..) | Parsed::Nothing => {}
    }
}

// Of perf_event_open(2).
const EXIT: u32 = 4;
const FORK: u32 = 7;
const SAMPLE: u32 = 9;
const USER: u16 = 2;

fn header(kind: u32, misc: u16, length: u16) -> u64 {
    u64::from(kind) | u64::from(misc) << 32 | u64::from(length) << 48
}

fn pair(first: u32, second: u32) -> u64 {
    u64::from(first) | u64::from(second) << 32
}

fn bytes<const N: usize>(words: [u64; N]) -> Vec<u8> {
    // Numbers of half a word lie as they do on a little-endian machine, which all are that this runs on.
    words.into_iter().flat_map(u64::to_le_bytes).collect()
}

fn sample_record(pid: u32, address: u64, time: u64) -> Vec<u8> {
    bytes([header(SAMPLE, USER, 32), address, pair(pid, pid), time])
}

fn task_record(kind: u32, pid: u32, parent: u32, time: u64) -> Vec<u8> {
    bytes([header(kind, 0, 48), pair(pid, parent), pair(pid, parent), time, pair(pid, pid), time])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_256_cpus_tell_arrives_whole_and_in_order() {
        let mut machine = SyntheticMachine::new(256, 100, 16 << 10).expect("memory");
        for _ in 0..5 {
            assert!(machine.run(100), "there is room");
            machine.round();
        }
        machine.finish();
        machine.profile.close_window();
        let profile = &machine.profile;
        let coverage = &profile.coverage().events[0];
        assert_eq!((coverage.samples, coverage.weight), (256 * 505, 256 * 505 * PERIOD));
        // A sample of a child that came before its fork or after its end would be another process's.
        let processes = profile.processes();
        let children = || (0..).zip(processes).filter(|(_, process)| process.pid >= FIRST_CHILD);
        assert_eq!((processes.len(), children().count()), (257 + 256 * 5, 256 * 5));
        assert!(
            children().all(|(_, process)| process.parent.is_some() && process.ended > Some(process.started))
        );
        let mut samples = vec![0; processes.len()];
        profile.counts().iter().for_each(|(key, count)| samples[key.process.0 as usize] += count.samples);
        assert!(children().all(|(index, _)| samples[index] == 1), "each child has its own");
    }

    #[test]
    fn the_buffers_are_used_again_and_a_full_one_takes_nothing() {
        let mut machine = SyntheticMachine::new(2, 100, 4096).expect("memory");
        for _ in 0..50 {
            assert!(machine.run(100), "a round frees the buffers");
            machine.round();
        }
        assert!(!machine.run(1_000), "more than fits");
        machine.round();
        let samples = machine.finish().coverage().events[0].samples;
        assert!((2 * 5_050 + 100..2 * 6_000).contains(&samples), "{samples}");
    }
}
