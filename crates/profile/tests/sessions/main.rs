//! Sessions of OProfile's that the tests write themselves: of other machines, damaged, hostile.

mod writer;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use oprof_profile::session::{
    self, Abi, Damage, Header, Loaded, Samples, SessionDirectory, SessionError, native_bytes,
};
use oprof_profile::{ImageIdentity, ImageKind, Key, MemoryRegion, Process, Recording};
use proptest::prelude::*;
use writer::{abi_file, sample_file};

/// A 32-bit machine whose numbers have the most significant byte first (MIPS, PowerPC): doubles and 64-bit numbers are
/// aligned as there, keys have 64 bits, and a number of a node 32.
const BIG_ENDIAN: Abi = Abi { little_endian: false, ..Abi::NATIVE };
/// As i386 has it, where 64-bit numbers are aligned at 4 bytes: the header is shorter, and so are descriptions.
const I386: Abi = Abi {
    header_size: 64,
    description_size: 24,
    cpu_speed: 28,
    mtime: 36,
    callee_is_kernel: 44,
    memory_start: 48,
    callee_memory_start: 56,
    ..Abi::NATIVE
};

const HEADER: Header = Header {
    cpu_type: 5,
    event: 29,
    unit_mask: 1,
    count: 1000,
    is_kernel: false,
    cpu_speed: 2400.12,
    mtime: 1_600_000_000,
    callee_is_kernel: false,
    memory_start: 0,
    callee_memory_start: 0,
};

/// A session directory, with sample files in its session `current`.
struct Session {
    place: tempfile::TempDir,
    abi: Abi,
}

impl Session {
    fn new(abi: Abi) -> Session {
        let place = tempfile::tempdir().expect("a directory");
        fs::create_dir_all(place.path().join("samples/current")).expect("directories");
        fs::write(place.path().join("abi"), abi_file(&abi)).expect("a file");
        Session { place, abi }
    }

    fn path(&self) -> &Path {
        self.place.path()
    }

    fn file(&self, name: &str) -> PathBuf {
        let path = self.path().join("samples/current").join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("directories");
        path
    }

    fn with(self, name: &str, nodes: &[(u64, u64)]) -> Session {
        fs::write(self.file(name), sample_file(&self.abi, &HEADER, nodes)).expect("a file");
        self
    }

    fn load(&self) -> Loaded {
        let directory = SessionDirectory::open(self.path()).expect("a session directory");
        let listing = directory.list(&["current"]).expect("a session");
        session::load(&listing.files, &listing, &directory.abi)
    }
}

const A: &str = "{root}/bin/a/{dep}/{root}/bin/a/E.1000.1.all.all.all";
const B: &str = "{root}/bin/a/{dep}/{root}/lib/b.so/E.1000.1.all.all.all";

/// The samples of each image by its offsets.
fn samples(recording: &Recording) -> BTreeMap<(String, u64), u64> {
    let mut samples = BTreeMap::new();
    for (key, count) in recording.counts.iter() {
        let name = recording.image(key.image).expect("an image").name.clone();
        *samples.entry((name, key.offset.0)).or_default() += count.samples;
    }
    samples
}

#[test]
fn sessions_of_other_machines_are_read() {
    for abi in [
        Abi::NATIVE,
        BIG_ENDIAN,
        I386,
        Abi { key_size: 4, node_value: 4, node_next: 8, node_size: 12, ..BIG_ENDIAN },
    ] {
        let session =
            Session::new(abi).with(A, &[(0x10, 1), (0xffff_fff0, 2)]).with(B, &[(0, u32::MAX.into())]);
        assert_eq!(SessionDirectory::open(session.path()).expect("a session").abi, abi);
        let Loaded { recording, cpu_type, event_codes, problems } = session.load();
        assert_eq!((problems, cpu_type, event_codes), (Vec::new(), Some(5), vec![29]), "{abi:?}");
        let expected =
            [(("/bin/a", 0x10), 1), (("/bin/a", 0xffff_fff0), 2), (("/lib/b.so", 0), u64::from(u32::MAX))];
        let expected = expected.map(|((name, offset), samples)| ((name.to_owned(), offset), samples));
        assert_eq!(samples(&recording), expected.into_iter().collect());
        assert_eq!(recording.run.cpu_mhz, 2400.12);
        let identities: Vec<_> = recording.images.iter().map(|image| image.identity).collect();
        assert_eq!(identities, [ImageIdentity::Modified(1_600_000_000); 2]);
    }
}

#[test]
fn without_an_abi_file_the_layout_is_this_machines() {
    let session = Session::new(Abi::NATIVE).with(A, &[(1, 1)]);
    fs::remove_file(session.path().join("abi")).expect("removed");
    assert_eq!(session.load().recording.counts.len(), 1);
    let session = Session::new(BIG_ENDIAN).with(A, &[(1, 1)]);
    fs::remove_file(session.path().join("abi")).expect("removed");
    let problems = session.load().problems;
    assert!(problems[0].what.contains("is the session's file `abi` its own?"), "{problems:?}");
}

#[test]
fn an_abi_file_that_is_none_is_told_with_its_line() {
    let session = Session::new(Abi::NATIVE);
    fs::write(session.path().join("abi"), "sizeof_u8 1\nlittle_endian yes\n").expect("a file");
    let error = SessionDirectory::open(session.path()).expect_err("no abi");
    assert!(matches!(&error, SessionError::Abi { what, .. } if what.line == 2), "{error}");
    assert!(error.to_string().contains("abi: line 2: not a name and a number"), "{error}");
}

#[test]
fn several_nodes_of_one_key_are_added_up() {
    let max = u64::from(u32::MAX);
    let session = Session::new(Abi::NATIVE).with(A, &[(1, max), (2, 1), (1, max), (1, 2), (3, 0)]);
    let Loaded { recording, .. } = session.load();
    let expected = [(("/bin/a".to_owned(), 1), 2 * max + 2), (("/bin/a".to_owned(), 2), 1)];
    assert_eq!(samples(&recording), expected.into_iter().collect(), "what was not sampled is not there");
    assert_eq!(recording.coverage.events[0].weight, (2 * max + 3) * 1000);
}

#[test]
fn what_is_apart_in_paths_is_apart_in_the_recording() {
    let session = Session::new(Abi::NATIVE)
        .with("{root}/bin/a/{dep}/{root}/bin/a/E.1000.1.7.8.0", &[(1, 1)])
        .with("{root}/bin/a/{dep}/{root}/bin/a/E.1000.1.7.9.1", &[(1, 2)])
        .with("{root}/bin/a/{dep}/{anon:anon}/7.0x1000.0x1fff/E.1000.1.9.9.all", &[(1, 4)])
        .with("{kern}/kworker/0:1/{dep}/{kern}/ext4/E.2000.1.all.all.all", &[(1, 8)])
        .with("{kern}/kworker/0:1/{dep}/{kern}/no-vmlinux/E.1000.2.all.all.all", &[(1, 16)]);
    let Loaded { recording, problems, .. } = session.load();
    assert_eq!(problems, []);
    let of = |samples: u64| {
        let found = recording.counts.iter().find(|(_, count)| count.samples == samples);
        let key = found.expect("samples").0;
        let (process, image) = (recording.process(key.process), recording.image(key.image));
        (key, process.expect("a process"), image.expect("an image"))
    };
    let (one, two) = (of(1), of(2));
    assert_eq!((one.0.process, one.0.thread, one.0.cpu, one.1.pid), (two.0.process, 8, 0, 7));
    assert_eq!((two.0.thread, two.0.cpu), (9, 1));
    let memory = of(4);
    assert_eq!((memory.0.cpu, memory.1.pid, memory.2.kind), (Key::ALL_CPUS, 9, ImageKind::Anonymous));
    let region = MemoryRegion { pid: 7, start: 0x1000, last: 0x1fff };
    assert_eq!(memory.2.identity, ImageIdentity::Region(region));
    assert_eq!(memory.2.oprofile_name(), "anon (tgid:7 range:0x1000-0x1fff)");
    let module = of(8);
    assert_eq!(
        (module.1.pid, module.2.kind, module.2.name.as_str()),
        (Process::ALL, ImageKind::KernelModule, "ext4")
    );
    let app = recording.image(module.1.app.expect("an app")).expect("an image");
    assert_eq!((app.short_name(), app.oprofile_name().as_ref()), ("kworker/0:1", "/kworker/0:1"));
    assert_eq!(of(16).2.kind, ImageKind::Kernel);
    assert_eq!(recording.events.len(), 3, "an event, another count of it, another unit mask");
}

#[test]
fn calls_have_a_caller_and_a_callee() {
    let name = "{root}/bin/a/{dep}/{root}/bin/a/{cg}/{root}/lib/b.so/E.1000.1.all.all.all";
    let session = Session::new(Abi::NATIVE).with(A, &[(1, 1)]).with(name, &[(0x12 << 32 | 0x34, 5)]);
    let Loaded { recording, .. } = session.load();
    let calls = recording.calls.sorted();
    let (call, times) = calls[0];
    let name = |image| recording.image(image).expect("an image").name.as_str();
    assert_eq!((calls.len(), times, call.caller.0, call.callee.0), (1, 5, 0x12, 0x34));
    assert_eq!((name(call.caller_image), name(call.callee_image)), ("/bin/a", "/lib/b.so"));
    assert_eq!(samples(&recording).len(), 1, "calls are no samples");
}

/// Each kind of damage costs its file, which is told, and nothing else.
#[test]
fn damaged_files_are_left_out_one_by_one() {
    let good = sample_file(&Abi::NATIVE, &HEADER, &[(1, 1), (2, 2)]);
    let changed = |at: usize, bytes: &[u8]| {
        let mut file = good.clone();
        file[at..at + bytes.len()].copy_from_slice(bytes);
        file
    };
    for (file, what) in [
        (Vec::new(), "cut off: 0 bytes are less than a header"),
        (good[..3].to_vec(), "cut off: 3 bytes"),
        (good[..103].to_vec(), "cut off: 103 bytes"),
        (good[..104 + 2 * 16].to_vec(), "it claims 3 nodes and holds 2"),
        (vec![0; 4096], "not a sample file"),
        (changed(4, &[0x12]), "sample file of format 0x12"),
        (changed(76, &[0xff; 4]), "it claims 4294967295 nodes and holds 128"),
        (changed(72, &[0xff; 8]), "it claims 4294967295 nodes and holds 160"),
        (changed(72, &[1, 0, 0, 0]), "it claims 3 nodes and holds 1"),
    ] {
        let session = Session::new(Abi::NATIVE).with(B, &[(7, 7)]);
        fs::write(session.file(A), file).expect("a file");
        let Loaded { recording, problems, .. } = session.load();
        assert_eq!(problems.len(), 1);
        assert!(problems[0].what.contains(what), "{what}: {problems:?}");
        assert_eq!(samples(&recording), [(("/lib/b.so".to_owned(), 7), 7)].into_iter().collect());
        assert_eq!(recording.coverage.files_left_out, 1);
    }
    // The hash table, which nobody needs to read samples, can be missing.
    let session = Session::new(Abi::NATIVE);
    fs::write(session.file(A), &good[..104 + 128 * 16]).expect("a file");
    assert_eq!((session.load().recording.counts.len(), session.load().problems.len()), (2, 0));
}

#[test]
fn what_is_no_sample_file_is_told_and_not_waited_for() {
    let session = Session::new(Abi::NATIVE).with(A, &[(1, 1)]);
    let link = session.file("{root}/bin/x/{dep}/{root}/bin/x/E.1.0.all.all.all");
    symlink(session.file(A), &link).expect("a link");
    let folder = session.file("{root}/bin/y/{dep}");
    symlink("/", &folder).expect("a link");
    let fifo = session.file("{root}/bin/z/{dep}/{root}/bin/z/E.1.0.all.all.all");
    rustix::fs::mkfifoat(rustix::fs::CWD, &fifo, rustix::fs::Mode::RUSR).expect("a FIFO");
    fs::write(session.file("{root}/bin/a/{dep}/{root}/bin/a/README"), "").expect("a file");
    let sparse = fs::File::create(session.file(B)).expect("a file");
    sparse.set_len(2 << 30).expect("a length");
    fs::write(session.file("stats/total_samples"), "1\n").expect("a file");
    let Loaded { recording, problems, .. } = session.load();
    assert_eq!(samples(&recording).len(), 1);
    let mut told: Vec<&str> = problems.iter().map(|problem| problem.what.as_str()).collect();
    told.sort_unstable();
    assert_eq!(
        told,
        [
            "has 2048 MB, which no sample file has",
            "not a path of a sample file: its name has too few parts",
            "not a plain file",
            "not a plain file",
            "not a plain file",
        ]
    );
}

#[test]
fn folders_in_folders_come_to_an_end() {
    let session = Session::new(Abi::NATIVE).with(A, &[(1, 1)]);
    let mut deep = session.path().join("samples/current/{root}");
    for _ in 0..300 {
        deep.push("d");
    }
    fs::create_dir_all(&deep).expect("directories");
    let problems = session.load().problems;
    assert_eq!(problems.len(), 1);
    assert!(problems[0].what.contains("too many folders"), "{problems:?}");
}

#[test]
fn a_session_is_found_by_name_and_by_path_and_in_an_archive() {
    let session = Session::new(Abi::NATIVE).with(A, &[(1, 1)]);
    let directory = SessionDirectory::open(session.path()).expect("a session");
    assert_eq!(directory.sessions().expect("a list"), ["current"]);
    let path = session.path().join("samples/current");
    let listing = directory.list(&[path.to_str().expect("UTF-8")]).expect("a session");
    assert_eq!(listing.files.len(), 1);
    let error = directory.list(&["other"]).expect_err("no such session");
    assert!(error.to_string().contains("no session other; there is current"), "{error}");

    let archive = tempfile::tempdir().expect("a directory");
    let within = archive.path().join("var/lib");
    fs::create_dir_all(&within).expect("directories");
    fs::rename(session.path(), within.join("oprofile")).expect("moved");
    let directory = SessionDirectory::open(archive.path()).expect("a session");
    assert_eq!(directory.archive.as_deref(), Some(archive.path()));
    assert_eq!(directory.list(&["current"]).expect("a session").files.len(), 1);
    fs::create_dir_all(session.path()).expect("the place is removed at the end");

    let none = SessionDirectory::open(&archive.path().join("var")).expect_err("no session");
    assert!(none.to_string().contains("no session"), "{none}");
    let missing = SessionDirectory::open(&archive.path().join("gone")).expect_err("no session");
    assert!(missing.to_string().contains("no such directory"), "{missing}");
}

#[test]
fn lost_samples_are_those_that_are_no_frames() {
    let session = Session::new(Abi::NATIVE).with(A, &[(1, 1)]);
    for (name, number) in [
        ("lost_no_mapping", "10\n"),
        ("lost_bt_no_mapping", "7\n"),
        ("lost_samplefile", "2\n"),
        ("lost_records_by_kernel", "5\n"),
        ("lost_kernel", "a lot\n"),
    ] {
        fs::write(session.file(&format!("stats/{name}")), number).expect("a file");
    }
    fs::write(session.file("stats/throttled/E"), "").expect("a file");
    let coverage = session.load().recording.coverage;
    assert_eq!((coverage.lost_samples, coverage.lost_records, coverage.throttled), (5, 5, 1));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    /// What is written in one layout is read from it, and from what is written of it in this machine's.
    #[test]
    fn any_samples_come_back_in_any_layout(
        little_endian in any::<bool>(),
        is_short in any::<bool>(),
        nodes in prop::collection::vec((0..u64::from(u32::MAX), 0..u64::from(u32::MAX)), 0..300),
    ) {
        let abi = Abi { little_endian, ..if is_short { I386 } else { Abi::NATIVE } };
        let bytes = sample_file(&abi, &HEADER, &nodes);
        prop_assert_eq!(Header::parse(&bytes, &abi), Ok(HEADER).map(|header| Header { callee_is_kernel: false, ..header }));
        let read: Vec<_> = Samples::of_file(&bytes, &abi).expect("readable").collect();
        prop_assert_eq!(&read, &nodes);
        let native = native_bytes(&HEADER, nodes.iter().copied()).expect("they fit");
        let sum = |samples: &mut dyn Iterator<Item = (u64, u64)>| {
            let mut sum: BTreeMap<u64, u64> = BTreeMap::new();
            samples.for_each(|(key, samples)| *sum.entry(key).or_default() += samples);
            sum
        };
        let mut again = Samples::of_file(&native, &Abi::NATIVE).expect("readable");
        prop_assert_eq!(sum(&mut again), sum(&mut nodes.into_iter()));
    }

    /// Damage anywhere gives fewer samples or an error, and never more nodes than there are bytes for.
    #[test]
    fn any_damage_is_survived(
        changes in prop::collection::vec((0..2664_usize, any::<u8>()), 0..8),
        length in 0..2665_usize,
    ) {
        let mut bytes = sample_file(&Abi::NATIVE, &HEADER, &[(1, 1), (2, 2), (3, 3)]);
        for (at, byte) in changes {
            bytes[at] = byte;
        }
        bytes.truncate(length);
        let _ = Header::parse(&bytes, &Abi::NATIVE);
        match Samples::of_file(&bytes, &Abi::NATIVE) {
            Ok(samples) => prop_assert!(samples.count() * 16 <= length),
            Err(damage) => prop_assert!(!matches!(damage, Damage::Magic | Damage::Version(_))),
        }
    }
}
