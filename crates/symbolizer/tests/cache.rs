//! The cache of names: with it every answer is the same as without, whatever happened to its files.

mod built;

use std::fs::{self, File};
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use oprof_profile::{ImageIdentity, ImageNames, ImageOffset, NameSource};
use oprof_symbolizer::{Cache, DebugDirectories, Stored, Symbolizer, build_id};
use rayon::prelude::*;

use built::{build, run, skipped, sources};

const LIMIT: Duration = Duration::from_secs(60);

/// Longer than a file must be unchanged for an index of it.
fn settle() {
    std::thread::sleep(Duration::from_millis(2100));
}

struct Kept {
    folder: tempfile::TempDir,
}

impl Kept {
    fn new() -> Kept {
        Kept { folder: tempfile::tempdir().unwrap() }
    }

    fn directory(&self) -> PathBuf {
        self.folder.path().join("oprof")
    }

    fn symbolizer(&self, directories: &DebugDirectories) -> Symbolizer {
        let cache = Cache::create(&self.directory(), Cache::USUAL_SIZE).unwrap().of_every_image();
        Symbolizer::new(directories.clone()).with_cache(cache)
    }

    /// The files in it.
    fn files(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.directory()).unwrap();
        let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
        files.sort();
        files
    }

    /// The names by it, and what became of an index if there was none.
    fn resolve(&self, image: &Path, directories: &DebugDirectories) -> (ImageNames, Stored) {
        let symbolizer = self.symbolizer(directories);
        let names = resolve(&symbolizer, image);
        (names, symbolizer.store_indexes(LIMIT))
    }
}

fn resolve(symbolizer: &Symbolizer, image: &Path) -> ImageNames {
    let file = File::open(image).unwrap();
    let length = file.metadata().unwrap().len();
    // Every 64th address, not all of them at the beginning of a function.
    let offsets: Vec<ImageOffset> =
        (0..length / 64).map(|place| ImageOffset(place * 64 + place % 64)).collect();
    symbolizer.resolve_file(Some(image), &file, &ImageIdentity::None, &offsets)
}

fn usual(image: &Path) -> ImageNames {
    resolve(&Symbolizer::default(), image)
}

/// Writing, reading and the answers, of one image.
fn assert_same(image: &Path) {
    let (kept, directories) = (Kept::new(), DebugDirectories::default());
    let expected = usual(image);
    let (first, stored) = kept.resolve(image, &directories);
    assert!(first == expected, "{}: the first time", image.display());
    assert_eq!((stored.written, stored.left), (1, 0), "{}: {:?}", image.display(), stored.error);
    let (again, stored) = kept.resolve(image, &directories);
    assert_eq!((stored.written, stored.left), (0, 0), "{}: the index is there", image.display());
    for ((left, right), place) in again.offsets.iter().zip(&expected.offsets).zip(0..) {
        let name = |names: &ImageNames, id: &(ImageOffset, Result<_, _>)| {
            id.1.map(|id| names.symbol(id).cloned().unwrap())
        };
        assert_eq!(name(&again, left), name(&expected, right), "{}: offset {place} * 64", image.display());
    }
    assert!(again == expected, "{}: lines, or the order of symbols", image.display());
}

#[test]
fn programs_of_every_kind_have_the_same_names_from_the_cache() {
    let folder = sources();
    let programs = [
        build(folder.path(), "gcc", "c.c", "c", &["-O1"]),
        build(folder.path(), "gcc", "c.c", "c-lines", &["-O1", "-g"]),
        build(folder.path(), "gcc", "c.c", "c-stripped", &["-O1", "-s"]),
        build(folder.path(), "gcc", "c.c", "c-static", &["-O1", "-static"]),
        build(folder.path(), "gcc", "c.c", "c-no-id", &["-O1", "-Wl,--build-id=none"]),
        build(folder.path(), "g++", "cpp.cc", "cpp", &["-O2"]),
        build(folder.path(), "g++", "cpp.cc", "cpp-stripped", &["-O2", "-s"]),
    ];
    settle();
    programs.into_iter().flatten().for_each(|program| assert_same(&program));
}

#[test]
fn libraries_of_the_system_have_the_same_names_from_the_cache() {
    let folders = ["/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib64", "/usr/lib"];
    let entries = folders.iter().filter_map(|folder| fs::read_dir(folder).ok()).flatten().flatten();
    let mut libraries: Vec<PathBuf> = entries
        .map(|entry| entry.path())
        .filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().contains(".so")))
        .filter(|path| {
            path.metadata()
                .is_ok_and(|metadata| (20_000..8_000_000).contains(&metadata.len()) && metadata.is_file())
        })
        .filter(|path| File::open(path).is_ok_and(|file| build_id(&file).is_ok_and(|id| id.is_some())))
        .filter_map(|path| path.canonicalize().ok())
        .collect();
    libraries.sort();
    libraries.dedup();
    if libraries.len() < 10 {
        return skipped("fewer than ten libraries");
    }
    let step = libraries.len() / 10;
    libraries.iter().step_by(step).take(12).for_each(|library| assert_same(library));
}

#[test]
fn go_programs_have_the_same_names_from_the_cache() {
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("main.go");
    fs::write(&source, "package main\nimport \"fmt\"\nfunc main() { fmt.Println(\"go\") }\n").unwrap();
    let program = folder.path().join("program");
    let [build, strip, output] = ["build", "-ldflags=-s -w", "-o"].map(Path::new);
    if run("go", [build, strip, output, &program, &source]).is_none() {
        return skipped("no Go");
    }
    settle();
    let names = usual(&program);
    assert!(names.symbols.iter().any(|symbol| symbol.source == NameSource::GoFunctions));
    assert_same(&program);
}

/// A stripped program and its debug file, in one folder.
fn stripped(folder: &Path) -> Option<(PathBuf, PathBuf)> {
    let whole = build(folder, "gcc", "c.c", "whole", &["-O1", "-g"])?;
    let (image, debug) = (folder.join("image"), folder.join("image.debug"));
    run("objcopy", [Path::new("--only-keep-debug"), &whole, &debug])?;
    run("objcopy", [Path::new("--strip-all"), &whole, &image])?;
    Some((image, debug))
}

#[test]
fn a_debug_file_that_comes_and_goes_is_seen() {
    let folder = sources();
    let Some((image, debug)) = stripped(folder.path()) else { return skipped("no objcopy") };
    let directories = DebugDirectories::with([folder.path().join("debug")]);
    let id = build_id(&File::open(&image).unwrap()).unwrap().expect("a build id");
    let digits: String = id.as_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    let installed = folder.path().join(format!("debug/.build-id/{}/{}.debug", &digits[..2], &digits[2..]));
    fs::create_dir_all(installed.parent().unwrap()).unwrap();
    settle();

    let kept = Kept::new();
    let knows = |names: &ImageNames| names.symbols.iter().any(|symbol| symbol.name == "square");
    let without = kept.resolve(&image, &directories);
    assert!(!knows(&without.0) && without.1.written == 1);
    fs::rename(&debug, &installed).unwrap();
    settle();
    for (written, time) in [(1, "first"), (0, "second")] {
        let (names, stored) = kept.resolve(&image, &directories);
        assert_eq!((knows(&names), stored.written), (true, written), "the {time} time");
        assert_eq!(names, resolve(&Symbolizer::new(directories.clone()), &image), "lines, too");
        assert!(names.places.iter().any(|place| place.line.is_some()));
    }
    fs::remove_file(&installed).unwrap();
    let (names, stored) = kept.resolve(&image, &directories);
    assert!(names == without.0 && stored.written == 0, "the index from before");
}

#[test]
fn an_image_that_is_replaced_in_place_is_not_taken_for_the_old_one() {
    let folder = sources();
    let Some((image, _)) = stripped(folder.path()) else { return skipped("no objcopy") };
    let whole = folder.path().join("whole");
    settle();
    let kept = Kept::new();
    assert_eq!(kept.resolve(&whole, &DebugDirectories::none()).1.written, 1);
    // The same build id and, as `cp` writes it, the same inode.
    fs::copy(&image, &whole).unwrap();
    let (names, stored) = kept.resolve(&whole, &DebugDirectories::none());
    assert_eq!(names, resolve(&Symbolizer::new(DebugDirectories::none()), &whole));
    assert_eq!(
        (stored.written, stored.left),
        (0, 1),
        "it may change again within the same tick of the clock"
    );
}

/// An image with its index, and the right answers.
fn one() -> Option<(tempfile::TempDir, PathBuf, Kept, PathBuf, ImageNames)> {
    let folder = sources();
    let image = build(folder.path(), "gcc", "c.c", "image", &["-O1", "-static"])?;
    settle();
    let kept = Kept::new();
    let (names, stored) = kept.resolve(&image, &DebugDirectories::default());
    assert_eq!(stored.written, 1);
    let index = kept.files().pop().expect("an index");
    Some((folder, image, kept, index, names))
}

#[test]
fn a_damaged_index_is_removed_and_made_anew() {
    let Some((_folder, image, kept, index, expected)) = one() else { return };
    let good = fs::read(&index).unwrap();
    let directories = DebugDirectories::default();
    let mut damaged = 0;
    for round in 0..48 {
        let mut bytes = good.clone();
        match round % 4 {
            0 => bytes.truncate(good.len() * round / 48),
            _ => bytes[good.len() * round / 48] ^= 1 << (round % 8),
        }
        fs::write(&index, bytes).unwrap();
        let (names, stored) = kept.resolve(&image, &directories);
        assert!(names == expected, "round {round}");
        damaged += stored.written;
        assert_eq!(kept.files(), std::slice::from_ref(&index), "round {round}");
    }
    // A block that no address lies in is not read.
    assert!(damaged > 30, "{damaged} of 48");
}

#[test]
fn what_others_could_have_written_is_not_read() {
    let Some((_folder, image, kept, index, expected)) = one() else { return };
    let directories = DebugDirectories::default();
    fs::set_permissions(&index, PermissionsExt::from_mode(0o666)).unwrap();
    let (names, stored) = kept.resolve(&image, &directories);
    assert!(names == expected && stored.written == 1, "made anew");
    assert_eq!(index.metadata().unwrap().permissions().mode() & 0o777, 0o600);

    let elsewhere = kept.folder.path().join("elsewhere");
    fs::rename(&index, &elsewhere).unwrap();
    symlink(&elsewhere, &index).unwrap();
    let (names, stored) = kept.resolve(&image, &directories);
    assert!(names == expected && stored.written == 1, "a link is not followed");
    assert!(index.symlink_metadata().unwrap().is_file());

    if !rustix::process::geteuid().is_root() {
        return skipped("only root can give a file away");
    }
    chown(&index, Some(65534), Some(65534)).unwrap();
    let (names, stored) = kept.resolve(&image, &directories);
    assert!(names == expected && stored.written == 1, "of another user");
    chown(kept.directory(), Some(65534), None).unwrap();
    assert!(Cache::create(&kept.directory(), 1).is_err());
}

#[test]
fn an_index_that_cannot_be_written_changes_no_answer() {
    let Some((_folder, image, kept, index, expected)) = one() else { return };
    fs::remove_file(&index).unwrap();
    // In its place stands what a file cannot replace.
    fs::create_dir(&index).unwrap();
    let (names, stored) = kept.resolve(&image, &DebugDirectories::default());
    assert!(names == expected && stored.written == 0 && stored.error.is_some(), "{stored:?}");
    assert_eq!(kept.files(), [index], "nothing is left behind");
}

#[test]
fn many_at_once_have_the_same_answers() {
    let Some((_folder, image, kept, index, expected)) = one() else { return };
    (0..24).into_par_iter().for_each(|number| {
        match number % 6 {
            0 => _ = Cache::open(&kept.directory(), 0).unwrap().clear().unwrap(),
            1 => _ = fs::write(&index, b"oprofidx"),
            _ => {}
        }
        let (names, stored) = kept.resolve(&image, &DebugDirectories::default());
        assert!(names == expected && stored.error.is_none(), "{stored:?}");
    });
    assert!(kept.files().iter().all(|file| *file == index), "{:?}", kept.files());
}

#[test]
fn those_not_used_for_longest_go_first() {
    let folder = sources();
    let mut programs = Vec::new();
    for name in ["one", "two", "three"] {
        let Some(program) = build(folder.path(), "gcc", "c.c", name, &["-O1", "-static"]) else { return };
        programs.push(program);
    }
    settle();
    let kept = Kept::new();
    for program in &programs[..2] {
        kept.resolve(program, &DebugDirectories::none());
    }
    let sizes: u64 = kept.files().iter().map(|file| file.metadata().unwrap().len()).sum();
    let cache = Cache::create(&kept.directory(), sizes * 5 / 4).unwrap().of_every_image();
    let [one, two] = &cache.images().unwrap()[..] else { panic!("two images") };
    assert!(one.functions > 500 && one.size > 10_000 && one.build_id.len() == 40, "{one:?}");
    assert_eq!([&one.path, &two.path].iter().filter(|path| programs.contains(path)).count(), 2);
    // The first was used long ago, the second longer ago, but then once more.
    for (file, age) in kept.files().iter().zip([1000, 2000]) {
        let then = SystemTime::now() - Duration::from_secs(age);
        File::options().write(true).open(file).unwrap().set_modified(then).unwrap();
    }
    let oldest = kept.files()[1].clone();
    let newer = kept.files()[0].clone();
    let used = cache.images().unwrap().into_iter().map(|image| image.path).next_back().expect("one");
    resolve(&kept.symbolizer(&DebugDirectories::none()), &used);
    let symbolizer = Symbolizer::new(DebugDirectories::none()).with_cache(cache);
    resolve(&symbolizer, &programs[2]);
    assert_eq!(symbolizer.store_indexes(LIMIT).written, 1);
    assert!(oldest.exists() && !newer.exists(), "{:?}", kept.files());
    assert_eq!(kept.files().len(), 2);

    let freed = Cache::open(&kept.directory(), 0).unwrap().clear().unwrap();
    assert!(freed.indexes == 2 && freed.bytes > 20_000, "{freed:?}");
    assert_eq!(kept.files(), [] as [PathBuf; 0]);
}

#[test]
fn small_images_and_large_indexes_are_not_kept() {
    let folder = sources();
    let Some(image) = build(folder.path(), "gcc", "c.c", "image", &["-O1"]) else { return };
    settle();
    let kept = Kept::new();
    let small = Cache::create(&kept.directory(), 100).unwrap().of_every_image();
    let symbolizer = Symbolizer::default().with_cache(small);
    resolve(&symbolizer, &image);
    assert_eq!(symbolizer.store_indexes(LIMIT).left, 1, "an index of more than 100 bytes");
    assert_eq!(kept.files(), [] as [PathBuf; 0]);
}
