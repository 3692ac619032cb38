use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::profile::tests::record;
use crate::{Batch, CpuMode, EventId, ImageIdentity, Inode, Record, Sample, TaskRecord, VirtualAddress};

/// What a process does, at one moment after the other.
#[derive(Clone, Copy, Debug)]
enum Step {
    Fork(u32, u32),
    Execute(u32, u8),
    Exit(u32),
    Sample(u32, u8),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        2 => (1..6_u32, 1..6_u32).prop_map(|(parent, child)| Step::Fork(parent, child)),
        3 => (1..6_u32, 0..3_u8).prop_map(|(pid, program)| Step::Execute(pid, program)),
        2 => (1..6_u32).prop_map(Step::Exit),
        6 => (1..6_u32, 0..4_u8).prop_map(|(pid, place)| Step::Sample(pid, place)),
    ]
}

fn apply(profile: &mut Profile, time: u64, step: Step) {
    let mut batch = Batch::default();
    let records: &mut Vec<TaskRecord> = &mut batch.records;
    match step {
        Step::Fork(parent, pid) if parent != pid => {
            records.push(record(time, Record::Forked { pid, parent }))
        }
        Step::Fork(..) => {}
        Step::Execute(pid, program) => {
            let name = format!("/bin/program-{program}");
            records.push(record(time, Record::Executed { pid, comm: "program".to_owned() }));
            let identity = ImageIdentity::Inode(Inode { device: 1, number: program.into(), generation: 0 });
            let (start, length) = (VirtualAddress(0x1000), 0x1000);
            records.push(record(time, Record::Mapped { pid, start, length, file_offset: 0, identity, name }));
        }
        Step::Exit(pid) => records.push(record(time, Record::ThreadExited { pid, tid: pid, cpu: 0 })),
        Step::Sample(pid, place) => batch.samples.push(Sample {
            time: Timestamp(time),
            address: VirtualAddress(0x1000 + u64::from(place)),
            weight: 7,
            pid,
            tid: 8,
            cpu: 0,
            event: EventId(0),
            mode: CpuMode::User,
        }),
    }
    profile.apply(&batch);
}

/// Samples and weights by app, image and offset.
fn by_app(profile: &Profile) -> BTreeMap<(Option<String>, String, u64), (u64, u64)> {
    let image = |id: ImageId| profile.images()[id.0 as usize].name.clone();
    let mut sums = BTreeMap::new();
    for (key, count) in profile.counts().iter() {
        let app = profile.processes()[key.process.0 as usize].app.map(image);
        let sum: &mut (u64, u64) = sums.entry((app, image(key.image), key.offset.0)).or_default();
        *sum = (sum.0 + count.samples, sum.1 + count.weight);
    }
    sums
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn folding_changes_nothing_but_who_it_was(steps in prop::collection::vec(step(), 0..200), every in 1..50_usize) {
        let (mut whole, mut folded) = (Profile::of_all_processes(1), Profile::of_all_processes(1));
        let mut ended = std::collections::HashSet::new();
        // Of a process that has ended nothing comes long afterwards, until its number is another's.
        let steps = steps.into_iter().filter(|step| match *step {
            Step::Fork(parent, child) => {
                let goes = !ended.contains(&parent);
                if goes {
                    ended.remove(&child);
                }
                goes
            }
            Step::Execute(pid, _) | Step::Sample(pid, _) => !ended.contains(&pid),
            Step::Exit(pid) => ended.insert(pid),
        });
        for (index, step) in steps.enumerate() {
            apply(&mut whole, index as u64 + 1, step);
            apply(&mut folded, index as u64 + 1, step);
            if index % every == 0 {
                folded.fold_ended(Timestamp(index as u64));
            }
        }
        whole.close_window();
        folded.close_window();
        prop_assert_eq!(by_app(&whole), by_app(&folded));
        prop_assert_eq!(whole.coverage(), folded.coverage());
        for (index, process) in folded.processes().iter().enumerate() {
            for origin in [process.parent, process.before_exec].into_iter().flatten() {
                prop_assert!((origin.0 as usize) < index, "a process comes after the one that it descends from");
            }
        }
    }
}

#[test]
fn a_hundred_thousand_processes_are_a_few_entries() {
    let mut profile = Profile::of_all_processes(1);
    for number in 0..100_000_u64 {
        let pid = 10 + (number % 30_000) as u32;
        let time = number * 10 + 1;
        apply(&mut profile, time, Step::Fork(1, pid));
        apply(&mut profile, time + 1, Step::Execute(pid, (number % 3) as u8));
        apply(&mut profile, time + 2, Step::Sample(pid, (number % 4) as u8));
        apply(&mut profile, time + 3, Step::Exit(pid));
        if number % 1_000 == 999 {
            profile.fold_ended(Timestamp(time + 4)).expect("there is something to fold");
            assert!(profile.processes().len() < 20 && profile.live.len() < 20);
        }
    }
    profile.close_window();
    let processes: u64 = profile.processes().iter().map(|process| process.folded).sum();
    assert_eq!((processes, profile.coverage().events[0].samples), (100_000, 100_000));
    assert!(profile.counts().len() <= 3 * 4);
}

#[test]
fn whoever_goes_on_keeps_where_it_came_from() {
    let mut profile = Profile::of_all_processes(1);
    for (time, step) in [
        (1, Step::Execute(1, 0)),
        (2, Step::Fork(1, 2)),
        (3, Step::Fork(2, 3)),
        (4, Step::Execute(3, 1)),
        (5, Step::Exit(2)),
        (6, Step::Execute(4, 2)),
        (7, Step::Exit(4)),
    ] {
        apply(&mut profile, time, step);
    }
    let fourth = profile.processes().iter().position(|process| process.pid == 4).expect("it ran");
    let numbers = profile.fold_ended(Timestamp(100)).expect("process 4 is folded");
    assert!(profile.fold_ended(Timestamp(100)).is_none(), "nothing more can be");
    assert!(profile.take_renumbered() && !profile.take_renumbered());
    let process = |pid: u32| profile.processes().iter().find(|process| process.pid == pid);
    let parent = process(3).and_then(|process| process.parent).expect("known");
    assert_eq!(profile.processes()[parent.0 as usize].pid, 2, "it has ended, and its child goes on");
    assert!(process(4).is_none());
    assert_eq!(numbers.of(ProcessId(fourth as u32)).0, 0, "a folded one comes first");
}
