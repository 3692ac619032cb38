use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::profile::tests::record;
use crate::{
    Batch, CpuMode, EventId, ImageId, ImageIdentity, Inode, Record, Sample, TaskRecord, TaskTotal,
    VirtualAddress,
};

/// What a process does, at one moment after the other.
#[derive(Clone, Copy, Debug)]
enum Step {
    Fork(u32, u32),
    Execute(u32, u8),
    /// The flag: what its task counted is reported.
    Exit(u32, bool),
    Sample(u32, u8),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        2 => (1..6_u32, 1..6_u32).prop_map(|(parent, child)| Step::Fork(parent, child)),
        3 => (1..6_u32, 0..3_u8).prop_map(|(pid, program)| Step::Execute(pid, program)),
        2 => (1..6_u32, any::<bool>()).prop_map(|(pid, is_told)| Step::Exit(pid, is_told)),
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
        Step::Exit(pid, is_told) => {
            records.push(record(time, Record::ThreadExited { pid, tid: pid, cpu: 0 }));
            let told = Record::Counted { pid, event: EventId(0), cpu: 0, value: time };
            records.extend(is_told.then(|| record(time, told)));
        }
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

/// What is known of processes by the programs that they ran one after the other: how many there were, how many of them
/// had samples, of how many the total is known, and what these sum up to.
fn by_programs(profile: &Profile) -> BTreeMap<Vec<String>, [u64; 4]> {
    let processes = profile.processes();
    let mut chains: Vec<(Vec<String>, u64)> = vec![(Vec::new(), 0); processes.len()];
    let mut is_last = vec![true; processes.len()];
    for (index, process) in processes.iter().enumerate() {
        let app = process.app.map(|app| profile.images()[app.0 as usize].name.clone());
        if let Some(before) = process.before_exec {
            chains[index] = chains[before.0 as usize].clone();
            is_last[before.0 as usize] = false;
        }
        let programs = &mut chains[index].0;
        let program = app.unwrap_or_else(|| process.comm.clone());
        if programs.last() != Some(&program) {
            programs.push(program);
        }
    }
    for (key, count) in profile.counts().iter() {
        let mut next = Some(key.process);
        // Of a chain all entries are from here on and before.
        while let Some(process) = next {
            chains[process.0 as usize].1 += count.samples;
            next = processes[process.0 as usize].before_exec;
        }
    }
    let mut sums: BTreeMap<Vec<String>, [u64; 4]> = BTreeMap::new();
    for (index, process) in processes.iter().enumerate().filter(|(index, _)| is_last[*index]) {
        let mut first = index;
        while let Some(before) = processes[first].before_exec {
            first = before.0 as usize;
        }
        let (number, total) = (process.processes(), process.event_totals.first());
        let known = |is_so: bool| if is_so { number } else { 0 };
        let own = [number, known(chains[first].1 > 0), known(total.is_some()), total.copied().unwrap_or(0)];
        let sum = sums.entry(std::mem::take(&mut chains[index].0)).or_default();
        sum.iter_mut().zip(own).for_each(|(sum, own)| *sum += own);
    }
    sums
}

fn profile() -> Profile {
    let mut profile = Profile::of_all_processes(1);
    profile.expect_totals(&[TaskTotal { event: EventId(0), cpu: 0, value: 0 }]);
    profile
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn folding_changes_nothing_but_who_it_was(steps in prop::collection::vec(step(), 0..200), every in 1..50_usize, keep in 0..5_usize) {
        let (mut whole, mut folded) = (profile(), profile());
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
            Step::Exit(pid, _) => ended.insert(pid),
        });
        for (index, step) in steps.enumerate() {
            apply(&mut whole, index as u64 + 1, step);
            apply(&mut folded, index as u64 + 1, step);
            if index % every == 0 {
                folded.fold_ended(Timestamp(index as u64), keep);
            }
        }
        whole.close_window();
        folded.close_window();
        prop_assert_eq!(by_app(&whole), by_app(&folded));
        prop_assert_eq!(whole.coverage(), folded.coverage());
        prop_assert_eq!(by_programs(&whole), by_programs(&folded));
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
        apply(&mut profile, time + 3, Step::Exit(pid, true));
        if number % 1_000 == 999 {
            profile.fold_ended(Timestamp(time + 4), 0).expect("there is something to fold");
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
        (5, Step::Exit(2, true)),
        (6, Step::Execute(4, 2)),
        (7, Step::Exit(4, true)),
    ] {
        apply(&mut profile, time, step);
    }
    let fourth = profile.processes().iter().position(|process| process.pid == 4).expect("it ran");
    let numbers = profile.fold_ended(Timestamp(100), 0).expect("process 4 is folded");
    assert!(profile.fold_ended(Timestamp(100), 0).is_none(), "nothing more can be");
    assert!(profile.take_renumbered() && !profile.take_renumbered());
    let process = |pid: u32| profile.processes().iter().find(|process| process.pid == pid);
    let parent = process(3).and_then(|process| process.parent).expect("known");
    assert_eq!(profile.processes()[parent.0 as usize].pid, 2, "it has ended, and its child goes on");
    assert!(process(4).is_none());
    assert_eq!(numbers.of(ProcessId(fourth as u32)).0, 0, "a folded one comes first");
}

/// The busiest stay what they are, as do those of which a total is still to come.
#[test]
fn the_processes_with_the_most_samples_are_not_folded() {
    let mut profile = profile();
    for pid in 1..=100_u32 {
        apply(&mut profile, 1, Step::Execute(pid, 0));
        let samples = if pid.is_multiple_of(10) { 5 } else { 1 };
        (0..samples).for_each(|_| apply(&mut profile, 2, Step::Sample(pid, 0)));
        apply(&mut profile, 3, Step::Exit(pid, true));
    }
    profile.fold_ended(Timestamp(100), 10).expect("ninety are folded");
    let pids: Vec<u32> = profile.processes().iter().map(|process| process.pid).collect();
    assert_eq!(pids, [0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100]);
    assert_eq!(profile.processes()[0].folded, 90);
}

/// What nobody told of may belong to a process that was folded, and so to no other.
#[test]
fn a_folded_process_may_be_the_one_that_lacks_a_report() {
    for (is_told, total) in [(true, Some(100 - 4)), (false, None)] {
        let mut profile = profile();
        for step in [Step::Execute(1, 0), Step::Fork(1, 2), Step::Execute(2, 1), Step::Exit(2, is_told)] {
            apply(&mut profile, 4, step);
        }
        profile.fold_ended(Timestamp(9), 0).expect("process 2 is folded");
        profile.complete_totals(1, &[TaskTotal { event: EventId(0), cpu: 0, value: 100 }]);
        // Of entries that follow one another by exec the last.
        let process =
            |pid| profile.processes().iter().rfind(|process| process.pid == pid).expect("it is there");
        assert_eq!(process(1).event_totals.first().copied(), total);
        assert_eq!(process(0).event_totals.first().copied(), is_told.then_some(4));
    }
}

/// Where nothing is folded the window that is open is still to be told, and the file gets it.
#[test]
fn a_window_is_not_lost_where_nothing_is_folded() {
    let mut profile = profile();
    for step in [Step::Execute(1, 0), Step::Sample(1, 0), Step::Exit(1, true)] {
        apply(&mut profile, 1, step);
    }
    assert!(profile.fold_ended(Timestamp(9), 1).is_none());
    assert_eq!(profile.close_window().counts.len(), 1);
}
