use super::*;
use crate::{Batch, EventId, Inode};

const PROGRAM: &str = "/bin/program";
const LIBRARY: &str = "/lib/library.so";

fn sample(time: u64, pid: u32, address: u64) -> Sample {
    Sample {
        time: Timestamp(time),
        address: VirtualAddress(address),
        weight: 10,
        pid,
        tid: 8,
        cpu: 0,
        event: EventId(0),
        mode: CpuMode::User,
    }
}

pub(super) fn record(time: u64, record: Record) -> TaskRecord {
    TaskRecord { time: Timestamp(time), record }
}

pub(super) fn executed(time: u64, pid: u32, comm: &str) -> TaskRecord {
    record(time, Record::Executed { pid, comm: comm.to_owned() })
}

fn mapped(time: u64, pid: u32, start: u64, name: &str) -> TaskRecord {
    let identity = ImageIdentity::Inode(Inode { device: 1, number: 2, generation: 0 });
    let start = VirtualAddress(start);
    record(
        time,
        Record::Mapped { pid, start, length: 0x1000, file_offset: 0x400, identity, name: name.to_owned() },
    )
}

pub(super) fn applied(mut profile: Profile, samples: Vec<Sample>, records: Vec<TaskRecord>) -> Profile {
    profile.apply(&Batch { samples, records });
    profile.close_window();
    profile
}

/// `pid image offset samples` for every place, in order.
fn places(profile: &Profile) -> Vec<(u32, &str, u64, u64)> {
    let mut places: Vec<_> = profile
        .counts()
        .iter()
        .map(|(key, count)| {
            let process = &profile.processes()[key.process.0 as usize];
            let image = &profile.images()[key.image.0 as usize];
            (process.pid, image.name.as_str(), key.offset.0, count.samples)
        })
        .collect();
    places.sort_unstable();
    places
}

fn app<'a>(profile: &'a Profile, process: &Process) -> Option<&'a str> {
    process.app.map(|id| profile.images()[id.0 as usize].name.as_str())
}

#[test]
fn equal_places_are_folded_and_offsets_count_from_the_files_start() {
    let samples = vec![sample(10, 1, 0x5010), sample(11, 1, 0x5010), sample(12, 1, 0x5020)];
    let records = vec![executed(1, 1, "program"), mapped(2, 1, 0x5000, PROGRAM)];
    let profile = applied(Profile::of_all_processes(1), samples, records);
    assert_eq!(places(&profile), [(1, PROGRAM, 0x410, 2), (1, PROGRAM, 0x420, 1)]);
    assert_eq!(profile.coverage().events[0].samples, 3);
    assert_eq!(profile.coverage().events[0].weight, 30);
}

#[test]
fn a_sample_belongs_to_what_was_mapped_at_its_time() {
    let samples = vec![sample(5, 1, 0x5010), sample(15, 1, 0x5010)];
    let records =
        vec![executed(1, 1, "program"), mapped(2, 1, 0x5000, PROGRAM), mapped(10, 1, 0x5000, LIBRARY)];
    let profile = applied(Profile::of_all_processes(1), samples, records);
    assert_eq!(places(&profile), [(1, PROGRAM, 0x410, 1), (1, LIBRARY, 0x410, 1)]);
}

#[test]
fn an_exec_forgets_the_mappings_and_starts_a_new_entry() {
    let samples = vec![sample(5, 1, 0x5010), sample(15, 1, 0x5010)];
    let records = vec![
        executed(1, 1, "sh"),
        mapped(2, 1, 0x5000, PROGRAM),
        executed(10, 1, "other"),
        mapped(20, 1, 0x9000, LIBRARY),
    ];
    let profile = applied(Profile::of_all_processes(1), samples, records);
    assert_eq!(places(&profile), [(1, PROGRAM, 0x410, 1), (1, "[unknown]", 0x5010, 1)]);
    let [shell, other] = profile.processes() else { panic!("two entries") };
    assert_eq!((shell.ended, other.started), (Some(Timestamp(10)), Timestamp(10)));
    assert_eq!(other.before_exec, Some(ProcessId(0)));
    assert_eq!((app(&profile, shell), app(&profile, other)), (Some(PROGRAM), Some(LIBRARY)));
}

#[test]
fn a_fork_shares_mappings_and_app_until_it_changes_them() {
    let samples = vec![sample(15, 2, 0x5010), sample(25, 1, 0x7010), sample(25, 2, 0x7010)];
    let records = vec![
        executed(1, 1, "program"),
        mapped(2, 1, 0x5000, PROGRAM),
        record(10, Record::Forked { pid: 2, parent: 1 }),
        mapped(20, 2, 0x7000, LIBRARY),
    ];
    let profile = applied(Profile::of_all_processes(1), samples, records);
    assert_eq!(
        places(&profile),
        [(1, "[unknown]", 0x7010, 1), (2, PROGRAM, 0x410, 1), (2, LIBRARY, 0x410, 1)]
    );
    let child = &profile.processes()[1];
    assert_eq!(
        (child.parent, child.comm.as_str(), app(&profile, child)),
        (Some(ProcessId(0)), "program", Some(PROGRAM))
    );
}

#[test]
fn a_process_id_used_again_is_another_process() {
    let records = vec![
        executed(1, 1, "make"),
        record(10, Record::Forked { pid: 2, parent: 1 }),
        record(20, Record::ThreadExited { pid: 2, tid: 2, cpu: 0 }),
        record(30, Record::Forked { pid: 2, parent: 1 }),
    ];
    let profile = applied(Profile::of_all_processes(1), vec![sample(15, 2, 1), sample(35, 2, 1)], records);
    let processes: Vec<_> = profile.counts().sorted().iter().map(|(key, _)| key.process).collect();
    assert_eq!(processes, [ProcessId(1), ProcessId(2)]);
    assert_eq!(profile.processes()[1].ended, Some(Timestamp(20)));
}

#[test]
fn a_process_ends_with_its_last_thread() {
    let records = vec![
        executed(1, 1, "program"),
        record(2, Record::ThreadStarted { pid: 1, tid: 50 }),
        record(3, Record::ThreadExited { pid: 1, tid: 1, cpu: 0 }),
    ];
    let mut profile = applied(Profile::of_all_processes(1), Vec::new(), records);
    assert_eq!(profile.processes()[0].ended, None);
    profile.apply(&Batch {
        samples: Vec::new(),
        records: vec![record(9, Record::ThreadExited { pid: 1, tid: 1, cpu: 0 })],
    });
    assert_eq!(profile.processes()[0].ended, Some(Timestamp(9)));
}

#[test]
fn only_descendants_of_the_command_are_taken_in_and_the_rest_is_counted_as_outside() {
    let records = vec![
        record(1, Record::Forked { pid: 20, parent: 10 }),
        record(2, Record::Forked { pid: 30, parent: 99 }),
        executed(3, 30, "stranger"),
    ];
    let samples = vec![sample(5, 10, 1), sample(5, 20, 1), sample(5, 30, 1), sample(5, 0, 1)];
    let profile = applied(Profile::of_descendants(1, 10, Timestamp(0)), samples, records);
    assert_eq!(profile.processes().len(), 2);
    let event = &profile.coverage().events[0];
    assert_eq!((event.samples, event.outside_samples, event.outside_weight), (2, 2, 20));
}

#[test]
fn a_stranger_with_a_descendants_old_id_is_a_stranger() {
    let records = vec![
        record(1, Record::Forked { pid: 20, parent: 10 }),
        record(2, Record::ThreadExited { pid: 20, tid: 20, cpu: 0 }),
        record(3, Record::Forked { pid: 20, parent: 99 }),
    ];
    let profile = applied(Profile::of_descendants(1, 10, Timestamp(0)), vec![sample(5, 20, 1)], records);
    assert_eq!(profile.coverage().events[0].outside_samples, 1);
}

#[test]
fn the_vdso_and_memory_without_a_file_are_one_image_each() {
    let records = vec![
        executed(1, 1, "a"),
        mapped(2, 1, 0x5000, "[vdso]"),
        mapped(2, 1, 0x8000, "//anon"),
        executed(1, 2, "b"),
        mapped(2, 2, 0x6000, "[vdso]"),
    ];
    let samples = vec![sample(5, 1, 0x5010), sample(5, 2, 0x6010), sample(5, 1, 0x8010)];
    let profile = applied(Profile::of_all_processes(1), samples, records);
    assert_eq!(places(&profile), [(1, "[anon]", 0x8010, 1), (1, "[vdso]", 0x10, 1), (2, "[vdso]", 0x10, 1)]);
    assert!(profile.processes().iter().all(|process| process.app.is_none()), "neither is a program");
}

#[test]
fn exact_totals_stay_with_the_last_program_of_a_process() {
    let counted = |value| Record::Counted { pid: 2, event: EventId(0), cpu: 0, value };
    let records = vec![
        executed(1, 1, "sh"),
        record(2, Record::Forked { pid: 2, parent: 1 }),
        record(3, Record::ThreadStarted { pid: 2, tid: 50 }),
        record(4, counted(5)), // the thread, which ends before the exec
        record(4, Record::ThreadExited { pid: 2, tid: 2, cpu: 0 }),
        executed(5, 2, "program"),
        record(6, counted(7)),
        record(7, Record::ThreadExited { pid: 2, tid: 2, cpu: 0 }),
    ];
    let mut profile = Profile::of_all_processes(1);
    profile.expect_totals(&[TaskTotal { event: EventId(0), cpu: 0, value: 0 }]);
    let profile = applied(profile, Vec::new(), records);
    let totals: Vec<_> = profile.processes().iter().map(|process| process.event_totals.clone()).collect();
    assert_eq!(totals, [vec![], vec![], vec![12]]);
}

#[test]
fn a_window_holds_what_came_since_the_last_one() {
    let mut profile = Profile::of_all_processes(1);
    let records = vec![executed(1, 1, "program"), mapped(2, 1, 0x5000, PROGRAM)];
    profile.apply(&Batch { samples: vec![sample(5, 1, 0x5010)], records });
    let first = profile.close_window();
    assert_eq!((first.first_image, first.changed_processes.len(), first.counts.len()), (ImageId(0), 1, 1));
    profile.apply(&Batch { samples: vec![sample(6, 1, 0x5010), sample(7, 1, 0x5020)], records: Vec::new() });
    let second = profile.close_window();
    assert_eq!((second.first_image, second.changed_processes.len()), (ImageId(5), 0));
    assert_eq!(second.counts.iter().map(|(_, count)| count.samples).collect::<Vec<_>>(), [1, 1]);
    assert_eq!(places(&profile), [(1, PROGRAM, 0x410, 2), (1, PROGRAM, 0x420, 1)]);
}

#[test]
fn splitting_an_image_moves_its_samples_and_loses_none() {
    let mut kernel = sample(5, 1, 0xffff_ffff_c000_0010);
    kernel.mode = CpuMode::Kernel;
    let mut profile =
        applied(Profile::of_all_processes(1), vec![kernel, kernel, sample(6, 1, 1)], Vec::new());
    profile.split_image(profile.kernel_image(), |offset| {
        (offset.0 == 0xffff_ffff_c000_0010).then(|| Image {
            name: "[ext4]".to_owned(),
            kind: ImageKind::KernelModule,
            identity: ImageIdentity::None,
        })
    });
    assert_eq!(places(&profile), [(1, "[ext4]", 0xffff_ffff_c000_0010, 2), (1, "[unknown]", 1, 1)]);
}

#[test]
fn a_sample_of_an_event_that_does_not_exist_is_dropped() {
    let mut stray = sample(5, 1, 1);
    stray.event = EventId(7);
    assert!(places(&applied(Profile::of_all_processes(1), vec![stray], Vec::new())).is_empty());
}

#[test]
fn the_last_steps_of_a_process_in_the_kernel_are_still_its_own() {
    let exited = |time, pid, cpu| record(time, Record::ThreadExited { pid, tid: pid, cpu });
    let records = vec![executed(1, 1, "a"), executed(1, 2, "b"), exited(10, 1, 0), exited(11, 2, 1)];
    let mut last = sample(15, Sample::EXITED, 0xffff_ffff_8100_0000);
    last.mode = CpuMode::Kernel;
    let profile = applied(Profile::of_all_processes(1), vec![last], records);
    assert_eq!(places(&profile), [(1, "[kernel]", 0xffff_ffff_8100_0000, 1)]);
    assert!(profile.processes().iter().all(|process| process.pid != Sample::EXITED));
}

#[test]
fn samples_where_compilers_put_code_are_kept_apart_and_can_be_moved() {
    let records = vec![
        executed(1, 1, "node"),
        mapped(2, 1, 0x5000, PROGRAM),
        mapped(2, 1, 0x9000, "//anon"),
        mapped(2, 1, 0xb000, "/memfd:jit (deleted)"),
    ];
    let samples =
        vec![sample(5, 1, 0x5010), sample(7, 1, 0x9020), sample(6, 1, 0x9020), sample(8, 1, 0xb004)];
    let mut profile = Profile::of_all_processes(1);
    profile.apply(&Batch { samples, records });
    let apart = profile.take_jit_samples();
    let seen: Vec<_> = apart.iter().map(|sample| (sample.time.0, sample.address.0)).collect();
    assert_eq!(seen, [(6, 0x9020), (7, 0x9020), (8, 0xb004)]);
    assert!(profile.take_jit_samples().is_empty());

    // One while its window is open, one later.
    profile.move_samples(apart[0].key, apart[0].count, Image::jit(), ImageOffset(3));
    profile.close_window();
    profile.move_samples(apart[2].key, apart[2].count, Image::jit(), ImageOffset(4));
    let memory_file = "/memfd:jit (deleted)";
    let moved = [(1, PROGRAM, 0x410, 1), (1, "[anon]", 0x9020, 1), (1, "[jit]", 3, 1), (1, "[jit]", 4, 1)];
    assert_eq!(places(&profile), moved);
    // What is not there is not moved.
    profile.move_samples(apart[2].key, apart[2].count, Image::jit(), ImageOffset(5));
    assert_eq!(places(&profile), moved);
    assert!(profile.images().iter().any(|image| image.name == memory_file));
}

#[test]
fn code_that_a_program_copies_to_huge_pages_stays_the_files() {
    let remapped = |start, file: &str| {
        let (start, length) = (VirtualAddress(start), 0x800);
        record(3, Record::Remapped { pid: 1, start, length, file: file.to_owned() })
    };
    let records = vec![
        executed(1, 1, "hugify"),
        mapped(2, 1, 0x5000, PROGRAM),
        remapped(0x5800, PROGRAM),
        remapped(0x5000, LIBRARY),
    ];
    let samples = vec![sample(5, 1, 0x5010), sample(7, 1, 0x5810)];
    let profile = applied(Profile::of_all_processes(1), samples, records);
    assert_eq!(places(&profile), [(1, PROGRAM, 0xc10, 1), (1, "[anon]", 0x5010, 1)]);
}

/// Samples in code that the kernel made count for the program that was there at their time.
#[test]
fn kernel_samples_belong_to_the_program_that_was_loaded_at_their_time() {
    let registered = |time, name: &str| {
        let (start, kind) = (VirtualAddress(0xffff_ffff_c000_1000), KsymbolType::Bpf);
        record(time, Record::KsymbolRegistered(Ksymbol { start, length: 0x100, kind, name: name.to_owned() }))
    };
    let unregistered = |time| {
        let start = VirtualAddress(0xffff_ffff_c000_1000);
        record(time, Record::KsymbolUnregistered { start, length: 0x100 })
    };
    let kernel = |time| Sample { mode: CpuMode::Kernel, ..sample(time, 7, 0xffff_ffff_c000_1010) };
    let user = Sample { mode: CpuMode::User, ..kernel(15) };
    let profile = applied(
        Profile::of_all_processes(1),
        vec![kernel(5), kernel(11), user, kernel(25), kernel(31), kernel(32)],
        vec![registered(10, "one"), unregistered(20), registered(30, "two")],
    );
    let address = 0xffff_ffff_c000_1010;
    assert_eq!(
        places(&profile),
        [
            (7, "[bpf]", 0x10, 1),
            (7, "[bpf]", 0x110, 2),
            (7, "[kernel]", address, 2),
            (7, "[unknown]", address, 1)
        ]
    );
    let (_, offsets) = profile.sampled_offsets().pop().expect("the last image");
    let mut names = ImageNames::unresolved(offsets, crate::Unresolved::NoSymbols);
    profile.name_ksymbols(&mut names);
    let names: Vec<_> = names.symbols.iter().map(|symbol| symbol.name.as_str()).collect();
    assert_eq!(names, ["one", "two"]);
}

#[test]
fn samples_of_several_windows_are_moved_at_once() {
    let records = vec![executed(1, 1, "java"), mapped(2, 1, 0x9000, "//anon")];
    let mut profile = Profile::of_all_processes(1);
    profile.apply(&Batch { samples: vec![sample(5, 1, 0x9020), sample(6, 1, 0x9020)], records });
    profile.close_window();
    profile.apply(&Batch { samples: vec![sample(7, 1, 0x9020), sample(8, 1, 0x9020)], records: Vec::new() });
    let key = profile.take_jit_samples()[0].key;
    let count = |samples| Count { samples, weight: samples * 10 };
    profile.move_samples(key, count(3), Image::jit(), ImageOffset(1));
    profile.move_samples(key, count(9), Image::jit(), ImageOffset(2));
    profile.close_window();
    assert_eq!(places(&profile), [(1, "[jit]", 1, 3), (1, "[jit]", 2, 1)]);
    assert_eq!(profile.counts().iter().map(|(_, count)| count.weight).sum::<u64>(), 40);
}
