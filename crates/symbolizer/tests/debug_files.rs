//! Names of what an image was stripped of: separate debug files and `.gnu_debugdata`, made with gcc and objcopy.

mod built;

use std::ffi::OsStr;
use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use oprof_profile::{ImageIdentity, ImageNames, ImageOffset, NameSource, Symbol};
use oprof_symbolizer::{DebugDirectories, Symbolizer, build_id};

use built::{build, run, skipped, sources};

/// A stripped program and its debug file, in folders of their own.
struct Split {
    folder: tempfile::TempDir,
    image: PathBuf,
    debug: PathBuf,
    /// Where the function `square` is in the image's file.
    square: ImageOffset,
}

/// Builds a program and splits it; `None`, with a line that says so, where this machine cannot.
fn split(flags: &[&str]) -> Option<Split> {
    let folder = sources();
    let whole = build(folder.path(), "gcc", "c.c", "whole", &[&["-O1", "-g"], flags].concat())?;
    let found = resolve(&DebugDirectories::none(), None, &whole);
    let id = found.symbols.iter().position(|symbol| symbol.name == "square").expect("square");
    let place = found.offsets.iter().find(|entry| entry.1.is_ok_and(|found| found.0 as usize == id));
    let square = place.expect("an offset in it").0;
    let (bin, deb) = (folder.path().join("bin"), folder.path().join("deb"));
    fs::create_dir(&bin).unwrap();
    fs::create_dir(&deb).unwrap();
    let (image, debug) = (bin.join("program"), deb.join("program.debug"));
    objcopy(&["--only-keep-debug".as_ref(), whole.as_ref(), debug.as_ref()])?;
    objcopy(&["--strip-all".as_ref(), whole.as_ref(), image.as_ref()])?;
    Some(Split { folder, image, debug, square })
}

impl Split {
    /// Adds a debug link with the checksum of the debug file, as it is now.
    fn link(self) -> Option<Split> {
        let flag = format!("--add-gnu-debuglink={}", self.debug.display());
        objcopy(&[flag.as_ref(), self.image.as_ref()])?;
        Some(self)
    }

    /// Puts the debug file where its build id says, below `folder`.
    fn install(&self, folder: &Path) -> PathBuf {
        let id = build_id(&File::open(&self.image).unwrap()).unwrap().expect("a build id");
        let digits: String = id.as_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
        let below = folder.join(".build-id").join(&digits[..2]);
        fs::create_dir_all(&below).unwrap();
        let path = below.join(format!("{}.debug", &digits[2..]));
        fs::copy(&self.debug, &path).unwrap();
        path
    }

    /// What names `square`, with these debug directories and the image mapped from `path`.
    fn symbol(&self, directories: &DebugDirectories, path: Option<&Path>) -> Option<Symbol> {
        let names = resolve(directories, path, &self.image);
        names.lookup(self.square).ok().and_then(|id| names.symbol(id)).cloned()
    }

    fn source(&self, directories: &DebugDirectories) -> Option<(String, NameSource)> {
        self.symbol(directories, Some(&self.image)).map(|symbol| (symbol.name, symbol.source))
    }

    /// Whether nothing but the table for unwinding tells of it.
    fn is_nameless(&self, directories: &DebugDirectories) -> bool {
        self.source(directories).is_none_or(|(_, source)| source == NameSource::UnwindTable)
    }
}

fn objcopy(arguments: &[&OsStr]) -> Option<()> {
    let made = run("objcopy", arguments);
    if made.is_none() {
        skipped(&format!("objcopy {arguments:?} does not work here"));
    }
    made.map(|_| ())
}

fn resolve(directories: &DebugDirectories, path: Option<&Path>, image: &Path) -> ImageNames {
    let file = File::open(image).unwrap();
    let length = file.metadata().unwrap().len();
    let offsets: Vec<ImageOffset> = (0..length).map(ImageOffset).collect();
    Symbolizer::new(directories.clone()).resolve_file(path, &file, &ImageIdentity::None, &offsets)
}

fn square_of(source: NameSource) -> Option<(String, NameSource)> {
    Some(("square".to_string(), source))
}

const WITHOUT_ID: &str = "-Wl,--build-id=none";

#[test]
fn a_debug_file_is_found_by_build_id_in_every_directory() {
    let Some(split) = split(&[]) else { return };
    let [first, second] = ["first", "second"].map(|name| split.folder.path().join(name));
    let directories = DebugDirectories::with([first, second.clone()]);
    assert!(split.is_nameless(&directories));
    let path = split.install(&second);
    assert_eq!(split.source(&directories), square_of(NameSource::DebugFile));
    let by_content = split.symbol(&directories, None).map(|symbol| symbol.source);
    assert_eq!(by_content, Some(NameSource::DebugFile), "the image's path does not matter");

    // Whatever else stands there is not taken.
    fs::write(&path, b"not an ELF file").unwrap();
    assert!(split.is_nameless(&directories));
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    assert!(split.is_nameless(&directories));
}

#[test]
fn a_debug_file_of_another_build_is_refused() {
    let (Some(split), Some(mut other)) =
        (split(&["-Wl,--build-id=0x0123456789abcdef"]), self::split(&["-Wl,--build-id=0xfedcba9876543210"]))
    else {
        return;
    };
    let directory = split.folder.path().join("directory");
    let directories = DebugDirectories::with([directory.clone()]);
    let path = split.install(&directory);
    fs::copy(&other.debug, &path).unwrap();
    assert!(split.is_nameless(&directories));

    // The same beside the image: its name and even its checksum are right, its build id is not.
    let image = split.image.clone();
    other.image = image;
    let Some(linked) = other.link() else { return };
    fs::copy(&linked.debug, linked.image.with_file_name("program.debug")).unwrap();
    assert!(split.is_nameless(&DebugDirectories::none()));
}

#[test]
fn a_debug_link_is_followed_beside_the_image_and_in_debug_directories() {
    let Some(split) = split(&[WITHOUT_ID]).and_then(Split::link) else { return };
    let bin = split.image.parent().unwrap().canonicalize().unwrap();
    let directory = split.folder.path().join("directory");
    let directories = DebugDirectories::with([directory.clone()]);
    assert!(split.is_nameless(&directories));
    for place in [bin.clone(), bin.join(".debug"), directory.join(bin.strip_prefix("/").unwrap())] {
        fs::create_dir_all(&place).unwrap();
        let debug = place.join("program.debug");
        fs::copy(&split.debug, &debug).unwrap();
        assert_eq!(split.source(&directories), square_of(NameSource::DebugFile), "{}", debug.display());
        let without = split.symbol(&directories, None).map(|symbol| symbol.source);
        assert_ne!(without, Some(NameSource::DebugFile), "nobody knows where to look");

        // The same file but for one byte behind its end is another file.
        let mut bytes = fs::read(&debug).unwrap();
        bytes.push(0);
        fs::write(&debug, bytes).unwrap();
        assert!(split.is_nameless(&directories), "{}: a wrong checksum", debug.display());
        fs::remove_file(&debug).unwrap();
    }
}

#[test]
fn a_debug_link_is_followed_from_where_a_symbolic_link_leads() {
    let Some(split) = split(&[WITHOUT_ID]).and_then(Split::link) else { return };
    fs::copy(&split.debug, split.image.with_file_name("program.debug")).unwrap();
    let link = split.folder.path().join("link");
    symlink(&split.image, &link).unwrap();
    let source = split.symbol(&DebugDirectories::none(), Some(&link)).map(|symbol| symbol.source);
    assert_eq!(source, Some(NameSource::DebugFile));
    // A folder on the way, as /bin is one to /usr/bin.
    let folder = split.folder.path().join("folder");
    symlink(split.image.parent().unwrap(), &folder).unwrap();
    let path = folder.join("program");
    let source = split.symbol(&DebugDirectories::none(), Some(&path)).map(|symbol| symbol.source);
    assert_eq!(source, Some(NameSource::DebugFile));
}

#[test]
fn an_image_that_links_to_itself_or_to_a_pipe_is_resolved_alone() {
    let Some(split) = split(&[WITHOUT_ID]).and_then(Split::link) else { return };
    let beside = split.image.with_file_name("program.debug");
    fs::rename(&split.image, &beside).unwrap();
    let names = resolve(&DebugDirectories::none(), Some(&beside), &beside);
    assert!(names.symbols.iter().all(|symbol| symbol.source != NameSource::DebugFile));
    fs::rename(&beside, &split.image).unwrap();
    if run("mkfifo", [beside.as_os_str()]).is_none() {
        return skipped("no mkfifo");
    }
    assert!(split.is_nameless(&DebugDirectories::none()), "opening a pipe does not wait");
}

#[test]
fn the_small_table_of_a_stripped_image_names_its_local_functions() {
    let Some(split) = split(&[]) else { return };
    // As Fedora's find-debuginfo does.
    let [keep, mini] = ["keep", "mini"].map(|name| split.folder.path().join(name));
    fs::write(&keep, "square\n").unwrap();
    let flag = format!("--keep-symbols={}", keep.display());
    let arguments = ["-S", "--remove-section=.comment", &flag].map(OsStr::new);
    let arguments = [&arguments[..], &[split.debug.as_ref(), mini.as_ref()]].concat();
    if objcopy(&arguments).is_none() {
        return;
    }
    if run("xz", [mini.as_os_str()]).is_none() {
        return skipped("no xz");
    }
    let flag = format!("--add-section=.gnu_debugdata={}.xz", mini.display());
    if objcopy(&[flag.as_ref(), split.image.as_ref()]).is_none() {
        return;
    }
    let directory = split.folder.path().join("directory");
    let directories = DebugDirectories::with([directory.clone()]);
    assert_eq!(split.source(&directories), square_of(NameSource::MiniDebugInfo));

    // The whole table is better.
    split.install(&directory);
    assert_eq!(split.source(&directories), square_of(NameSource::DebugFile));

    // Damage costs the names and nothing else.
    let packed = fs::read(mini.with_extension("xz")).unwrap();
    let mut image = fs::read(&split.image).unwrap();
    let place = image.windows(packed.len()).position(|bytes| bytes == packed).unwrap();
    image[place + packed.len() / 2..][..16].fill(0xa5);
    fs::write(&split.image, image).unwrap();
    assert!(split.is_nameless(&DebugDirectories::none()));
}

#[test]
fn the_debug_file_of_a_moved_image_is_moved_with_it() {
    // What prelink(8) does: the image gets another address, its debug file keeps the old one, the build id stays.
    let id = "-Wl,--build-id=0x0123456789abcdef";
    let library = ["-shared", "-fPIC", id];
    let at = |address: &'static str| split(&[&library[..], &[address]].concat());
    let (Some(split), Some(moved)) = (at("-Wl,-Ttext-segment=0"), at("-Wl,-Ttext-segment=0x41000000")) else {
        return;
    };
    let directory = split.folder.path().join("directory");
    split.install(&directory);
    let directories = DebugDirectories::with([directory]);
    let here = split.symbol(&directories, None).unwrap();
    let there = moved.symbol(&directories, None).unwrap();
    assert_eq!((there.name.as_str(), there.source), ("square", NameSource::DebugFile));
    assert_eq!(there.address.0, here.address.0 + 0x4100_0000);
    assert_eq!(there.size, here.size);
}

#[test]
fn the_unwind_table_of_a_debug_file_bounds_functions() {
    let Some(split) = split(&["-fno-asynchronous-unwind-tables", "-fno-exceptions"]) else { return };
    let directory = split.folder.path().join("directory");
    let directories = DebugDirectories::with([directory.clone()]);
    split.install(&directory);
    let named = |name: &str| {
        let names = resolve(&directories, None, &split.image);
        names.symbols.into_iter().find(|symbol| symbol.name == name)
    };
    let twice = named("twice").expect("the function behind square");
    if objcopy(&["--strip-symbol=twice".as_ref(), split.debug.as_ref()]).is_none() {
        return;
    }
    split.install(&directory);
    let found = named(&format!("fun_{:x}", twice.address.0)).expect("a function without a name");
    assert_eq!((found.address, found.size), (twice.address, twice.size));
    assert_eq!(found.source, NameSource::UnwindTable);
    assert!(split.is_nameless(&DebugDirectories::none()), "the image itself has no table");
}

#[test]
fn lines_of_an_image_that_prelinking_moved_are_those_of_its_debug_file() {
    let folder = sources();
    let build = |name: &str, base: &str| {
        build(
            folder.path(),
            "gcc",
            "c.c",
            name,
            &["-O1", "-g", "-no-pie", "-Wl,--build-id=0x1234567890", base],
        )
    };
    let [low, high] = [("low", "-Wl,-Ttext-segment=0x400000"), ("high", "-Wl,-Ttext-segment=0x70000000")];
    let (Some(low), Some(high)) = (build(low.0, low.1), build(high.0, high.1)) else { return };
    let expected = resolve(&DebugDirectories::none(), None, &high);
    // The image at the one place, what it was stripped of at the other.
    let split = Split {
        image: folder.path().join("image"),
        debug: folder.path().join("image.debug"),
        square: ImageOffset(0),
        folder,
    };
    let made = objcopy(&["--only-keep-debug".as_ref(), low.as_ref(), split.debug.as_ref()])
        .and_then(|()| objcopy(&["--strip-all".as_ref(), high.as_ref(), split.image.as_ref()]));
    if made.is_none() {
        return;
    }
    let directory = split.folder.path().join("directory");
    split.install(&directory);
    let found = resolve(&DebugDirectories::with([directory]), None, &split.image);
    let line = |names: &ImageNames, name: &str| {
        let symbol = names.symbols.iter().find(|symbol| symbol.name == name)?;
        let line = symbol.line?;
        Some((symbol.address, names.files[line.file.0 as usize].clone(), line.line))
    };
    for name in ["square", "twice", "strong", "other", "main"] {
        assert!(line(&expected, name).is_some(), "{name}");
        assert_eq!(line(&found, name), line(&expected, name), "{name}");
    }
    let lines = |names: &ImageNames| names.places.iter().filter(|place| place.line.is_some()).count();
    assert_eq!(lines(&found), lines(&expected));
}
