//! The recording that the tests write and read.

use std::time::Duration;

use oprof_profile::{
    BuildId, Call, Clock, CommandEnd, Count, Counts, Coverage, Distribution, Event, EventCoverage, EventId,
    Image, ImageAddress, ImageId, ImageIdentity, ImageKind, ImageNames, ImageOffset, InlinedFrame, Inode,
    Key, NameSource, Package, Process, ProcessId, Recording, Run, Sampling, Scope, Segment, SourceFileId,
    SourceLine, SourcePlace, Symbol, SymbolId, Target, Thread, Timestamp, Unresolved,
};

/// A small recording with something of everything.
pub(crate) fn example() -> Recording {
    let build_id = BuildId::new(&[0xab; 20]).expect("20 bytes");
    let inode = Inode { device: 8 << 32 | 1, number: 77, generation: 3 };
    let image = |name: &str, kind, identity| Image { name: name.to_owned(), kind, identity };
    let symbol = |name: &str, mangled: Option<&str>, address| Symbol {
        name: name.to_owned(),
        mangled: mangled.map(str::to_owned),
        address: ImageAddress(address),
        size: 0x40,
        source: NameSource::DebugFile,
        line: Some(SourceLine { file: SourceFileId(1), line: 7, column: 0 }),
    };
    let key = |process, image, offset, event, cpu| Key {
        process: ProcessId(process),
        thread: 0,
        image: ImageId(image),
        offset: ImageOffset(offset),
        event: EventId(event),
        cpu,
    };
    let call = |caller, callee| Call {
        process: ProcessId(1),
        thread: 8,
        caller_image: ImageId(1),
        caller: ImageOffset(caller),
        callee_image: ImageId(2),
        callee: ImageOffset(callee),
        event: EventId(1),
        cpu: Key::ALL_CPUS,
    };
    let count = |samples, weight| Count { samples, weight };
    Recording {
        run: Run {
            version: "0.1.0".to_owned(),
            host: "host".to_owned(),
            kernel_release: "6.1.0".to_owned(),
            architecture: "x86_64".to_owned(),
            cpu: "A CPU".to_owned(),
            cpu_type: "x86-64/generic".to_owned(),
            cpu_mhz: 2596.134,
            cpus: 2,
            command: vec!["make".to_owned(), "test-all".to_owned()],
            working_directory: "/src".to_owned(),
            scope: Scope::Inherit,
            clock: Clock::Boottime,
            target: Target::Processes(vec![1, 4_000_000]),
            started_unix: 1_700_000_000,
            notes: vec!["a note".to_owned()],
            distribution: Distribution {
                id: "ubuntu".to_owned(),
                like: vec!["debian".to_owned()],
                codename: "noble".to_owned(),
            },
        },
        events: vec![
            Event {
                name: "cycles".to_owned(),
                description: "CPU cycles".to_owned(),
                unit_mask: 0x1f,
                unit_mask_description: "all".to_owned(),
                sampling: Sampling::Frequency(997),
                user: true,
                kernel: false,
                nanoseconds: false,
                group: None,
            },
            Event {
                name: "cpu-clock".to_owned(),
                description: String::new(),
                unit_mask: 0,
                unit_mask_description: String::new(),
                sampling: Sampling::Count(1_000_000),
                user: true,
                kernel: true,
                nanoseconds: true,
                group: Some(0),
            },
        ],
        images: vec![
            image("[kernel]", ImageKind::Kernel, ImageIdentity::None),
            image("/bin/a", ImageKind::File, ImageIdentity::BuildId(build_id)),
            image("/bin/b", ImageKind::File, ImageIdentity::Inode(inode)),
        ],
        processes: vec![
            Process {
                pid: 100,
                started: Timestamp(5),
                ended: Some(Timestamp(9)),
                comm: "sh".to_owned(),
                ..Process::default()
            },
            Process {
                pid: 100,
                parent: Some(ProcessId(0)),
                before_exec: Some(ProcessId(0)),
                started: Timestamp(9),
                ended: None,
                comm: "a\u{1b}[31m".to_owned(),
                app: Some(ImageId(1)),
                arguments: vec!["a".to_owned(), String::new(), "an argument".to_owned()],
                working_directory: Some("/src".to_owned()),
                event_totals: vec![12345, 67890],
                folded: 3,
                threads: vec![Thread { tid: 101, comm: "worker".to_owned() }],
            },
        ],
        counts: Counts::from_iter([
            (key(0, 0, 0xffff_ffff_8100_0000, 0, 0), count(1, 997)),
            (key(0, 0, 0xffff_ffff_8100_0001, 0, 0), count(2, 4000)),
            (key(1, 1, 0x1000, 1, 0), count(3, 3_000_000)),
            (key(1, 1, 0x1000, 1, 1), count(1, 1_000_000)),
            (key(1, 2, 0, 1, 1), count(1, 1_000_000)),
        ]),
        calls: [(call(7, 300), 2), (call(9, 0), u64::MAX)].into_iter().collect(),
        names: vec![
            ImageNames::unresolved(
                [0xffff_ffff_8100_0000, 0xffff_ffff_8100_0001].map(ImageOffset),
                Unresolved::KernelRestricted,
            ),
            ImageNames {
                symbols: vec![symbol("main", None, 0x1000), symbol("a::b", Some("_ZN1a1bEv"), 0x2000)],
                offsets: vec![(ImageOffset(0x1000), Ok(SymbolId(0))), (ImageOffset(0x2010), Ok(SymbolId(1)))],
                files: vec!["/src/a.c".to_owned(), "/src/a.h".to_owned()],
                places: vec![
                    SourcePlace::default(),
                    SourcePlace {
                        line: Some(SourceLine { file: SourceFileId(0), line: 12, column: 3 }),
                        inlined: vec![
                            InlinedFrame { function: SymbolId(0), call: None },
                            InlinedFrame {
                                function: SymbolId(1),
                                call: Some(SourceLine { file: SourceFileId(1), line: 9, column: 0 }),
                            },
                        ],
                    },
                ],
                segments: vec![Segment {
                    offset: ImageOffset(0x1000),
                    size: 0x2000,
                    address: ImageAddress(0x40_1000),
                }],
            },
            ImageNames::unresolved([ImageOffset(0)], Unresolved::Deleted),
        ],
        packages: [(ImageId(1), Package { name: "a:i386".to_owned(), version: "1:2-3".to_owned() })].into(),
        coverage: Coverage {
            events: vec![
                EventCoverage { counted: None, samples: 3, weight: 4997, ..EventCoverage::default() },
                EventCoverage {
                    counted: Some(5_100_000),
                    samples: 5,
                    weight: 5_000_000,
                    outside_samples: 2,
                    outside_weight: 2_000_000,
                    time_enabled: 10,
                    time_running: 7,
                },
            ],
            lost_records: 1,
            lost_samples: 2,
            throttled: 3,
            left_running: 4,
            idle_time: 5,
            paused_time: 6,
            files_left_out: 7,
        },
        duration: Duration::from_nanos(1_234_567_890),
        end: Some(CommandEnd::Exited(3)),
        damage: None,
    }
}
