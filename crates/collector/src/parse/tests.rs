use super::*;

/// A record: header and body, as the kernel lays it out on this machine.
fn record(kind: u32, misc: u16, body: &[&[u8]]) -> Vec<u8> {
    let body = body.concat();
    let size = (8 + body.len()) as u16;
    [&kind.to_ne_bytes()[..], &misc.to_ne_bytes(), &size.to_ne_bytes(), &body].concat()
}

fn w(value: u64) -> Vec<u8> {
    value.to_ne_bytes().to_vec()
}

fn h(value: u32) -> Vec<u8> {
    value.to_ne_bytes().to_vec()
}

/// The trailer of records other than samples: process 7, thread 8, time 99.
fn trailer() -> Vec<u8> {
    [h(7), h(8), w(99)].concat()
}

fn sampled(event: u16, period: u64) -> Sampled {
    Sampled { event: EventId(event), period, ..Sampled::default() }
}

fn tasks() -> Source {
    Source { cpu: 3, events: FxHashMap::from_iter([(0x55, sampled(1, 0))]), ..Source::default() }
}

fn task(kind: u32, misc: u16, body: &[&[u8]]) -> Option<Record> {
    let trailer = trailer();
    let mut body = body.to_vec();
    body.push(&trailer);
    match parse(&record(kind, misc, &body), &tasks()) {
        Parsed::Task(TaskRecord { time: Timestamp(99), record }) => Some(record),
        Parsed::Nothing => None,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_sample_of_one_event_with_a_fixed_period() {
    let source = Source { cpu: 3, only: Some(sampled(0, 1000)), ..Source::default() };
    let bytes = record(9, 2, &[&w(0x401000), &h(7), &h(8), &w(123)]);
    let expected = Sample {
        time: Timestamp(123),
        address: VirtualAddress(0x401000),
        weight: 1000,
        pid: 7,
        tid: 8,
        cpu: 3,
        event: EventId(0),
        mode: CpuMode::User,
    };
    assert_eq!(parse(&bytes, &source), Parsed::Sample(expected));
}

#[test]
fn a_sample_of_several_events_says_by_its_number_which_and_by_its_period_how_much() {
    let layout = Layout { identifier: true, period: true };
    let events = FxHashMap::from_iter([(0x55, sampled(1, 0)), (0x56, sampled(2, 0))]);
    let source = Source { layout, cpu: 0, only: None, events, ..Source::default() };
    let body = [w(0x56), w(0xffff_ffff_8100_0000), [h(7), h(8)].concat(), w(5), w(4321)];
    let body: Vec<&[u8]> = body.iter().map(Vec::as_slice).collect();
    let Parsed::Sample(sample) = parse(&record(9, 1, &body), &source) else { panic!("a sample") };
    assert_eq!((sample.event, sample.weight, sample.mode), (EventId(2), 4321, CpuMode::Kernel));
    let stranger = record(9, 1, &[&w(0x57), &w(0), &w(0), &w(5), &w(1)]);
    assert_eq!(parse(&stranger, &source), Parsed::Nothing, "a counter that is not ours");
}

#[test]
fn flags_beside_the_mode_do_not_change_it() {
    let source = Source { only: Some(sampled(0, 1)), ..Source::default() };
    for (misc, mode) in [
        (0x4002, CpuMode::User), // PERF_RECORD_MISC_EXACT_IP
        (0x4001, CpuMode::Kernel),
        (4, CpuMode::Guest),
        (0, CpuMode::User),
    ] {
        let bytes = record(9, misc, &[&w(0x1000), &w(0), &w(0)]);
        let Parsed::Sample(sample) = parse(&bytes, &source) else { panic!("a sample") };
        assert_eq!(sample.mode, mode, "misc {misc:#x}");
    }
}

#[test]
fn a_mapping_with_an_inode() {
    let body = [
        [h(7), h(7)].concat(),
        w(0x7f00_0000_0000),
        w(0x2000),
        w(0x1000),
        [h(8), h(1)].concat(),
        w(4242),
        w(17),
        [h(5), h(2)].concat(),
        b"/usr/lib/libx.so\0\0\0\0\0\0\0\0".to_vec(),
    ];
    let body: Vec<&[u8]> = body.iter().map(Vec::as_slice).collect();
    let inode = Inode { device: 8 << 32 | 1, number: 4242, generation: 17 };
    assert_eq!(
        task(10, 2, &body),
        Some(Record::Mapped {
            pid: 7,
            start: VirtualAddress(0x7f00_0000_0000),
            length: 0x2000,
            file_offset: 0x1000,
            identity: ImageIdentity::Inode(inode),
            name: "/usr/lib/libx.so".to_owned(),
        })
    );
}

#[test]
fn a_mapping_with_a_build_id() {
    let id = [0xab; 20];
    let build_id = [&[20, 0, 0, 0][..], &id].concat();
    let body = [w(7), w(0x1000), w(0x1000), w(0), build_id, w(0), b"/bin/x\0\0".to_vec()];
    let body: Vec<&[u8]> = body.iter().map(Vec::as_slice).collect();
    let Some(Record::Mapped { identity, name, .. }) = task(10, 0x4002, &body) else { panic!("a mapping") };
    assert_eq!(identity, ImageIdentity::BuildId(BuildId::new(&id).expect("20 bytes")));
    assert_eq!(name, "/bin/x");
}

#[test]
fn a_build_id_longer_than_its_field_is_no_mapping() {
    let build_id = [&[255, 0, 0, 0][..], &[0; 20]].concat();
    let body = [w(7), w(0x1000), w(0x1000), w(0), build_id, w(0), b"/bin/x\0\0".to_vec()];
    let body: Vec<&[u8]> = body.iter().map(Vec::as_slice).collect();
    assert_eq!(task(10, 0x4002, &body), None);
}

#[test]
fn names_of_processes() {
    let body = [[h(7), h(7)].concat(), b"make\0\0\0\0".to_vec()];
    let body: Vec<&[u8]> = body.iter().map(Vec::as_slice).collect();
    assert_eq!(task(3, 0x2000, &body), Some(Record::Executed { pid: 7, comm: "make".to_owned() }));
    assert_eq!(task(3, 0, &body), Some(Record::Renamed { pid: 7, comm: "make".to_owned() }));
    let thread = [[h(7), h(8)].concat(), b"worker\0\0".to_vec()];
    let thread: Vec<&[u8]> = thread.iter().map(Vec::as_slice).collect();
    let renamed = Record::ThreadRenamed { pid: 7, tid: 8, comm: "worker".to_owned() };
    assert_eq!(task(3, 0, &thread), Some(renamed), "the name of another thread is not the process's");
}

#[test]
fn names_are_never_longer_than_their_record_and_always_text() {
    let body = [[h(7), h(7)].concat(), b"ab\xff\x1bcdef".to_vec()];
    let body: Vec<&[u8]> = body.iter().map(Vec::as_slice).collect();
    assert_eq!(task(3, 0, &body), Some(Record::Renamed { pid: 7, comm: "ab\u{fffd}\u{1b}cdef".to_owned() }));
}

#[test]
fn forks_and_exits_of_processes_and_threads() {
    let ids = |pid: u32, parent: u32, tid: u32| [h(pid), h(parent), h(tid), h(parent), w(99)].concat();
    assert_eq!(task(7, 0, &[&ids(9, 7, 9)]), Some(Record::Forked { pid: 9, parent: 7 }));
    assert_eq!(task(7, 0, &[&ids(7, 7, 9)]), Some(Record::ThreadStarted { pid: 7, tid: 9 }));
    assert_eq!(task(4, 0, &[&ids(9, 7, 9)]), Some(Record::ThreadExited { pid: 9, tid: 9, cpu: 3 }));
}

#[test]
fn exact_counts_belong_to_a_counter_of_ours() {
    let read = |id: u64| [h(7), h(8), [w(1234), w(10), w(10), w(id)].concat()].concat();
    let counted = Record::Counted { pid: 7, event: EventId(1), cpu: 3, value: 1234 };
    assert_eq!(task(8, 0, &[&read(0x55)]), Some(counted));
    assert_eq!(task(8, 0, &[&read(0x77)]), None);
}

#[test]
fn an_exact_count_that_another_wrote_over_is_none() {
    let values = [w(1234), w(10), w(10), w(0x55)].concat();
    assert_eq!(task(8, 0, &[&h(9), &h(8), &values]), None);
}

#[test]
fn losses_and_throttling() {
    assert_eq!(task(2, 0, &[&w(0x55), &w(12)]), Some(Record::Lost { records: 12 }));
    assert_eq!(task(13, 0, &[&w(3)]), Some(Record::LostSamples { samples: 3 }));
    assert_eq!(task(5, 0, &[&w(99), &w(1), &w(1)]), Some(Record::Throttled));
    assert_eq!(task(6, 0, &[&w(99), &w(1), &w(1)]), None, "the end of it");
    assert_eq!(task(4711, 0, &[&w(0)]), None, "a record of a later kernel");
}

#[test]
fn code_that_the_kernel_makes_and_frees() {
    let ksymbol = |kind: u16, flags: u16| {
        let kind_and_flags = [kind.to_ne_bytes(), flags.to_ne_bytes()].concat();
        task(
            17,
            0,
            &[&w(0xffff_ffff_c000_1000), &h(0x80), &kind_and_flags, b"bpf_prog_0123456789abcdef_x\0\0\0\0\0"],
        )
    };
    let start = VirtualAddress(0xffff_ffff_c000_1000);
    let registered = |kind| {
        let name = "bpf_prog_0123456789abcdef_x".to_owned();
        Some(Record::KsymbolRegistered(Ksymbol { start, length: 0x80, kind, name }))
    };
    assert_eq!(ksymbol(1, 0), registered(KsymbolType::Bpf));
    assert_eq!(ksymbol(2, 0), registered(KsymbolType::OutOfLine));
    assert_eq!(ksymbol(3, 0), None, "a type of a later kernel");
    for kind in 0..4 {
        let unregistered = Record::KsymbolUnregistered { start, length: 0x80 };
        assert_eq!(ksymbol(kind, 1), Some(unregistered));
    }
}

/// As the second and the third listener get it.
#[test]
fn what_the_kernel_adds_to_a_ksymbol_for_each_listener_is_passed_over() {
    let fields = [&w(0x1000)[..], &h(0x80), &[1, 0, 1, 0], b"seven_b\0"].concat();
    let record = |more: usize| record(17, 0, &[&fields, &trailer(), &vec![0; more]]);
    let unpadded = record(0);
    let first = parse(&unpadded, &Source::default());
    assert!(matches!(first, Parsed::Task(TaskRecord { time: Timestamp(1..), .. })), "{first:?}");
    assert_eq!(parse(&record(16), &Source::default()), first);
    assert_eq!(parse(&record(40), &Source::default()), first);
}

#[test]
fn the_trailer_is_found_behind_the_counters_number() {
    let layout = Layout { identifier: true, period: false };
    let source = Source { layout, ..Source::default() };
    let bytes = record(13, 0, &[&w(3), &h(7), &h(8), &w(99), &w(0x55)]);
    let expected = TaskRecord { time: Timestamp(99), record: Record::LostSamples { samples: 3 } };
    assert_eq!(parse(&bytes, &source), Parsed::Task(expected));
}

#[test]
fn no_record_cut_short_is_read_past_its_end() {
    let whole = [
        record(9, 2, &[&w(0x401000), &h(7), &h(8), &w(123)]),
        record(10, 2, &[&[0; 80], &trailer()]),
        record(3, 0, &[&h(7), &h(7), b"make\0\0\0\0", &trailer()]),
        record(7, 0, &[&[0; 24], &trailer()]),
        record(8, 0, &[&[0; 40], &trailer()]),
        record(2, 0, &[&[0; 16], &trailer()]),
        record(17, 0, &[&w(0x1000), &h(0x80), &h(1), b"bpf_prog", &trailer()]),
    ];
    let samples = Source { only: Some(sampled(0, 1)), ..Source::default() };
    for bytes in &whole {
        for length in 0..bytes.len() {
            // What comes out does not matter here, only that something does.
            let _ = parse(&bytes[..length], &samples);
            let _ = parse(&bytes[..length], &tasks());
        }
    }
}

/// A program that begins, as the kernel tells it: ids, time, register, the stack and how much of it was copied.
fn start_of(arguments: &[&str], abi: u64, copied: Option<u64>) -> Vec<u8> {
    const SP: u64 = 0x7ffc_0000_1000;
    let words = 1 + arguments.len() + 1;
    let (mut stack, mut strings) = (vec![arguments.len() as u64], Vec::new());
    for argument in arguments {
        stack.push(SP + (words * 8 + strings.len()) as u64);
        strings.extend_from_slice(argument.as_bytes());
        strings.push(0);
    }
    stack.push(0);
    let mut bytes: Vec<u8> = stack.iter().flat_map(|word| word.to_ne_bytes()).collect();
    bytes.extend(strings);
    let length = bytes.len() as u64;
    bytes.resize(256, 0xee);
    let mut body = [7_u32, 7].map(u32::to_ne_bytes).concat();
    body.extend([500, abi, SP, 256].map(u64::to_ne_bytes).concat());
    body.extend(bytes);
    body.extend(copied.unwrap_or(length).to_ne_bytes());
    let size = (body.len() + 8) as u16;
    let header = [&kernel::PERF_RECORD_SAMPLE.to_ne_bytes()[..], &[2, 0], &size.to_ne_bytes()].concat();
    [header, body].concat()
}

#[test]
fn a_program_that_begins_tells_its_arguments() {
    let source = Source { program_starts: true, ..Source::default() };
    let Parsed::Task(TaskRecord { time, record }) = parse(&start_of(&["cc", "-c", "a b"], 2, None), &source)
    else {
        panic!("a record");
    };
    assert_eq!(time, Timestamp(500));
    let arguments = ["cc", "-c", "a b"].map(str::to_owned).to_vec();
    assert_eq!(record, Record::Described { pid: 7, arguments, working_directory: None });
}

#[test]
fn arguments_that_are_not_whole_are_none() {
    let source = Source { program_starts: true, ..Source::default() };
    let whole = start_of(&["cc", "-c"], 2, None);
    for length in 0..whole.len() {
        assert_eq!(parse(&whole[..length], &source), Parsed::Nothing, "{length} bytes");
    }
    for (abi, copied) in
        [(0, None), (3, None), (2, Some(0)), (2, Some(36)), (2, Some(257)), (2, Some(u64::MAX))]
    {
        assert_eq!(
            parse(&start_of(&["cc", "-c"], abi, copied), &source),
            Parsed::Nothing,
            "{abi} {copied:?}"
        );
    }
}
