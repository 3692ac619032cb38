//! Source lines of the kernel and of its modules, compared with what addr2line(1) of binutils says of the same file.
//!
//! Kernel and modules are built here, like those of distributions but smaller, and "run" in a made-up tree. Where
//! `OPROF_TEST_KERNEL` names a directory with the packages of a distribution's kernel unpacked in it (its modules below
//! `usr/lib/debug/lib/modules`, its kernel below `usr/lib/debug/boot`), those are compared, too.

mod tree;

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use object::{Object, ObjectSection, ObjectSymbol};
use oprof_profile::{ImageNames, ImageOffset, NameSource};
use oprof_symbolizer::VmlinuxError;
use tree::{RELEASE, Section, Tree, addr2line, lines, nm, note};

const SOURCE: &str = r#"
static inline __attribute__((always_inline)) int square(int x) { return x * x + 3; }
static inline __attribute__((always_inline)) int both(int x, int y) {
    return square(x)
         ^ square(y);
}
static volatile int shared;
__attribute__((noinline)) int WORK(int x) {
    int total = 0;
    for (int i = 0; i < x; i++)
        total += both(i, x) / (i + 1);
    return total;
}
__attribute__((noinline, cold, section(".text.unlikely"))) int COLD(int x) {
    shared = square(x);
    return x - 1;
}
__attribute__((section(".exit.text"))) void EXIT(void) {
    shared = COLD(WORK(shared));
}
"#;

fn skipped(why: &str) {
    let _ = writeln!(std::io::stderr(), "skipped: {why}");
}

/// Runs a tool, which must not fail; `None` where it is missing.
fn run(folder: &Path, tool: &str, arguments: &[&str]) -> Option<()> {
    let output = Command::new(tool).args(arguments).current_dir(folder).output();
    match output {
        Ok(output) if output.status.success() => Some(()),
        Ok(output) => panic!("{tool} {arguments:?}: {}", String::from_utf8_lossy(&output.stderr).trim()),
        Err(error) => {
            skipped(&format!("{tool}: {error}"));
            None
        }
    }
}

/// Two object files with functions of different names.
fn objects(folder: &Path, compiler: &str, flags: &[&str]) -> Option<()> {
    fs::write(folder.join("code.c"), SOURCE).expect("a source");
    for number in ["1", "2"] {
        let names = ["WORK", "COLD", "EXIT"].map(|name| format!("-D{name}={}{number}", name.to_lowercase()));
        let output = format!("{number}.o");
        let mut arguments = vec!["-O2", "-ffreestanding", "-fno-pic", "-c", "code.c", "-o", &output];
        arguments.extend(names.iter().map(String::as_str));
        arguments.extend(flags);
        run(folder, compiler, &arguments)?;
    }
    Some(())
}

/// A module made of both, which is an object file as well.
fn module(folder: &Path, compiler: &str, flags: &[&str]) -> Option<PathBuf> {
    objects(folder, compiler, flags)?;
    let linker = compiler.replace("gcc", "ld");
    run(folder, &linker, &["-r", "--build-id=sha1", "1.o", "2.o", "-o", "my-mod.ko"])?;
    Some(folder.join("my-mod.ko"))
}

/// The sections of code, and the symbols in them: section number, value, name.
fn layout(image: &Path) -> (Vec<Section>, Vec<(usize, u64, String)>) {
    let data = fs::read(image).expect("an image");
    let file = object::File::parse(&*data).expect("an ELF file");
    let is_code = |section: &object::Section<'_, '_>| section.kind() == object::SectionKind::Text;
    let sections = file.sections().filter(|section| is_code(section) && section.size() > 0);
    let sections: Vec<Section> = sections
        .map(|section| Section {
            name: section.name().expect("a name").to_owned(),
            index: section.index().0,
            size: section.size(),
        })
        .collect();
    let symbols = file.symbols().filter_map(|symbol| {
        let section = symbol.section_index()?.0;
        let name = symbol.name().ok().filter(|name| !name.is_empty())?;
        let is_function = matches!(symbol.kind(), object::SymbolKind::Text | object::SymbolKind::Unknown);
        let is_in_code = sections.iter().any(|known| known.index == section);
        (is_function && is_in_code && !name.starts_with('.'))
            .then(|| (section, symbol.address(), name.to_owned()))
    });
    let symbols = symbols.collect();
    (sections, symbols)
}

/// Where the module's sections are loaded: not in the order of the file, and far apart.
fn base(number: usize) -> u64 {
    0xffff_ffff_c0a0_0000 - number as u64 * 0x120_1000
}

/// Loads a module: the kernel tells its symbols, its build id, and to root the addresses of its sections.
fn load(tree: &mut Tree, module: &Path, name: &str, as_root: bool) -> Vec<(Section, u64)> {
    let (sections, symbols) = layout(module);
    let sections: Vec<(Section, u64)> =
        sections.into_iter().enumerate().map(|(number, section)| (section, base(number))).collect();
    for (section, base) in &sections {
        for (_, value, symbol) in symbols.iter().filter(|(index, ..)| *index == section.index) {
            tree.symbol(base + value, 't', symbol, Some(name));
        }
        tree.symbol(base + section.size, 'd', "end_of_section", Some(name));
        if as_root {
            tree.write(format!("sys/module/{name}/sections/{}", section.name), format!("{base:#018x}\n"));
        }
    }
    tree.write(format!("sys/module/{name}/notes/.note.gnu.build-id"), note(module));
    sections
}

fn resolved(tree: &Tree, module: &str, sections: &[(Section, u64)]) -> ImageNames {
    let addresses = sections.iter().flat_map(|(section, base)| (0..section.size).map(move |at| base + at));
    let offsets: Vec<ImageOffset> = addresses.map(ImageOffset).collect();
    tree.symbolizer().resolve_module(&tree.files(), &tree.symbols(), module, &offsets)
}

/// How a comparison went.
#[derive(Clone, Copy, Debug, Default)]
struct Outcome {
    /// The addresses with a line.
    with_line: usize,
    /// The addresses in inlined functions.
    inlined: usize,
    /// The addresses to which binutils gives the right line and the wrong file: that of the unit, where the function
    /// stands in a header. (llvm-symbolizer agrees with us.)
    of_header: usize,
}

impl Outcome {
    fn take(&mut self, ours: &[String], theirs: &[String], what: &str) {
        if ours != theirs {
            let numbers = |lines: &[String]| -> Vec<String> {
                lines.iter().map(|line| line.rsplit(':').next().unwrap_or_default().to_owned()).collect()
            };
            assert_eq!(numbers(ours), numbers(theirs), "{what}: {ours:?}, binutils: {theirs:?}");
            self.of_header += 1;
        }
        self.with_line += usize::from(ours.first().is_some_and(|line| !line.ends_with(":0")));
        self.inlined += usize::from(ours.len() > 1);
    }
}

/// Compares every `step`th address with addr2line; `None` where that is missing.
fn compare(
    tool: &str,
    names: &ImageNames,
    original: &Path,
    sections: &[(Section, u64)],
    step: usize,
) -> Option<Outcome> {
    let mut outcome = Outcome::default();
    for (section, base) in sections {
        let places: Vec<u64> = (0..section.size).step_by(step).collect();
        let Some(theirs) = addr2line(tool, original, Some(&section.name), &places) else {
            skipped(&format!("no {tool}"));
            return None;
        };
        for (place, theirs) in places.iter().zip(theirs) {
            // What is between functions has no line for us and one of the function before for binutils.
            if names.lookup(ImageOffset(base + place)).is_ok() {
                let what = format!("{} {}+{place:#x}", original.display(), section.name);
                outcome.take(&lines(names, base + place), &theirs, &what);
            }
        }
    }
    Some(outcome)
}

/// Compares every address of a module that was built here.
fn compare_all(names: &ImageNames, module: &Path, sections: &[(Section, u64)], what: &str) {
    if let Some(outcome) = compare("addr2line", names, module, sections, 1) {
        assert!(outcome.with_line > 200 && outcome.inlined > 50, "{what}: {outcome:?}");
        assert_eq!(outcome.of_header, 0, "{what}");
    }
}

/// A module as it is and compressed, in every version of DWARF, its sections told by the kernel or by its symbols.
#[test]
fn lines_of_modules_agree_with_addr2line() {
    for flags in [&["-g", "-gdwarf-5"][..], &["-g", "-gdwarf-4"], &["-g", "-gz=zlib"]] {
        for as_root in [true, false] {
            let folder = tempfile::tempdir().expect("a folder");
            let Some(module) = module(folder.path(), "gcc", flags) else { return };
            let mut tree = Tree::new();
            let sections = load(&mut tree, &module, "my_mod", as_root);
            assert_eq!(sections.len(), 3, "code, cold code, code of the exit");
            for (suffix, tool) in
                [("", None), (".xz", Some("xz")), (".gz", Some("gzip")), (".zst", Some("zstd"))]
            {
                let path = format!("lib/modules/{RELEASE}/kernel/made/my-mod.ko");
                let list = format!("kernel/made/my-mod.ko{suffix}: kernel/other.ko\n");
                tree.write(format!("lib/modules/{RELEASE}/modules.dep"), list);
                let plain = tree.put(&path, &module);
                if let Some(tool) = tool {
                    let plain = plain.to_str().expect("a plain path");
                    if run(tree.path("").as_path(), tool, &["-f", "-k", plain]).is_none() {
                        continue;
                    }
                    tree.remove(&path);
                }
                let names = resolved(&tree, "[my_mod]", &sections);
                compare_all(&names, &module, &sections, &format!("{flags:?} {suffix}"));
                let work = names.symbols.iter().find(|symbol| symbol.name == "work2").expect("a function");
                assert_eq!(work.source, NameSource::Kallsyms);
                assert!(work.line.is_some_and(|line| (8..=10).contains(&line.line)), "{work:?}");
                if tool.is_some() {
                    tree.remove(format!("{path}{suffix}"));
                }
            }
        }
    }
}

/// A stripped module whose debugging information is where distributions put it.
#[test]
fn lines_of_a_stripped_module_come_from_its_debug_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let Some(module) = module(folder.path(), "gcc", &["-g"]) else { return };
    for place in ["my-mod.ko", "my-mod.ko.debug"] {
        let mut tree = Tree::new();
        let sections = load(&mut tree, &module, "my_mod", false);
        let stripped = folder.path().join("stripped.ko");
        let paths = [module.to_str(), stripped.to_str()].map(|path| path.expect("a plain path"));
        if run(folder.path(), "objcopy", &["--strip-debug", paths[0], paths[1]]).is_none() {
            return;
        }
        tree.put(format!("lib/modules/{RELEASE}/extra/my-mod.ko"), &stripped);
        tree.write(format!("lib/modules/{RELEASE}/modules.dep"), "extra/my-mod.ko:\n");
        let none = resolved(&tree, "[my_mod]", &sections);
        assert!(none.places.is_empty() && none.symbols.len() == 6, "names without lines: {none:#?}");
        tree.put(format!("usr/lib/debug/lib/modules/{RELEASE}/extra/{place}"), &module);
        compare_all(&resolved(&tree, "[my_mod]", &sections), &module, &sections, place);
    }
}

/// Another build of a module of the same name gives no lines, and neither does one that the kernel tells no id of.
#[test]
fn a_module_with_another_build_id_gives_no_lines() {
    let folder = tempfile::tempdir().expect("a folder");
    let Some(module) = module(folder.path(), "gcc", &["-g"]) else { return };
    let mut tree = Tree::new();
    let sections = load(&mut tree, &module, "my_mod", true);
    tree.put(format!("lib/modules/{RELEASE}/my-mod.ko"), &module);
    tree.write(format!("lib/modules/{RELEASE}/modules.dep"), "my-mod.ko:\n");
    assert!(!resolved(&tree, "[my_mod]", &sections).places.is_empty());
    let mut other = note(&module);
    *other.last_mut().expect("an id") ^= 1;
    tree.write("sys/module/my_mod/notes/.note.gnu.build-id", other);
    let names = resolved(&tree, "[my_mod]", &sections);
    assert!(names.places.is_empty() && names.symbols.len() == 6);
    tree.remove("sys/module/my_mod/notes/.note.gnu.build-id");
    assert!(resolved(&tree, "[my_mod]", &sections).places.is_empty());
}

/// Damage of a module's file costs its lines at most.
#[test]
fn damaged_modules_do_no_harm() {
    let folder = tempfile::tempdir().expect("a folder");
    let Some(module) = module(folder.path(), "gcc", &["-g"]) else { return };
    let mut tree = Tree::new();
    let sections = load(&mut tree, &module, "my_mod", false);
    tree.write(format!("lib/modules/{RELEASE}/modules.dep"), "my-mod.ko:\n");
    let whole = fs::read(&module).expect("a module");
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = move |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % below as u64) as usize
    };
    let mut with_places = 0;
    for round in 0..300 {
        let mut bytes = whole.clone();
        for _ in 0..=round % 8 {
            let at = random(bytes.len());
            bytes[at] = random(256) as u8;
        }
        if round % 10 == 0 {
            bytes.truncate(random(whole.len()));
        }
        tree.write(format!("lib/modules/{RELEASE}/my-mod.ko"), bytes);
        let names = resolved(&tree, "[my_mod]", &sections);
        assert_eq!(names.symbols.iter().filter(|symbol| symbol.source == NameSource::Kallsyms).count(), 6);
        with_places += usize::from(!names.places.is_empty());
    }
    assert!(with_places > 100, "{with_places} of 300 are still read");
}

/// Modules of other processors, whose relocations are others.
#[test]
fn lines_of_modules_of_other_processors_agree() {
    for target in ["aarch64-linux-gnu", "riscv64-linux-gnu"] {
        let folder = tempfile::tempdir().expect("a folder");
        let Some(module) = module(folder.path(), &format!("{target}-gcc"), &["-g"]) else { continue };
        let mut tree = Tree::new();
        let sections = load(&mut tree, &module, "my_mod", false);
        tree.put(format!("lib/modules/{RELEASE}/my-mod.ko"), &module);
        tree.write(format!("lib/modules/{RELEASE}/modules.dep"), "my-mod.ko:\n");
        let names = resolved(&tree, "[my_mod]", &sections);
        if let Some(outcome) = compare(&format!("{target}-addr2line"), &names, &module, &sections, 4) {
            assert!(outcome.with_line > 50 && outcome.of_header == 0, "{target}: {outcome:?}");
        }
    }
}

/// How far the made kernel is moved: what KASLR does at every start.
const MOVED: u64 = 0x1560_0000;

/// A kernel of both objects, linked where kernels are.
fn vmlinux(folder: &Path, flags: &[&str]) -> Option<PathBuf> {
    objects(folder, "gcc", &[&["-mcmodel=kernel"], flags].concat())?;
    let arguments = [
        "-static",
        "--build-id=sha1",
        "-Ttext=0xffffffff81000000",
        "--defsym=_text=0xffffffff81000000",
        "--defsym=_stext=0xffffffff81000000",
        "-e",
        "work1",
        "1.o",
        "2.o",
        "-o",
        "vmlinux",
    ];
    run(folder, "ld", &arguments)?;
    Some(folder.join("vmlinux"))
}

/// Starts the kernel: it tells its symbols and its build id. Gives its addresses in the file.
fn start(tree: &mut Tree, vmlinux: &Path) -> Option<Vec<u64>> {
    let symbols = nm(vmlinux)?;
    for (address, kind, name) in symbols.iter().filter(|(_, kind, _)| "tTA".contains(*kind)) {
        tree.symbol(address.wrapping_add(MOVED), if *kind == 'A' { 'T' } else { *kind }, name, None);
    }
    tree.write("sys/kernel/notes", note(vmlinux));
    let (sections, _) = layout(vmlinux);
    let data = fs::read(vmlinux).expect("a kernel");
    let file = object::File::parse(&*data).expect("an ELF file");
    let address = |section: &Section| file.section_by_name(&section.name).expect("a section").address();
    Some(sections.iter().flat_map(|section| (0..section.size).map(move |at| address(section) + at)).collect())
}

fn resolved_kernel(tree: &Tree, addresses: &[u64]) -> ImageNames {
    let offsets: Vec<ImageOffset> = addresses.iter().map(|at| ImageOffset(at.wrapping_add(MOVED))).collect();
    tree.symbolizer().resolve_kernel(&tree.files(), &tree.symbols(), &offsets)
}

/// Lines of a kernel that KASLR has moved, from each place where its file can be.
#[test]
fn lines_of_the_kernel_agree_with_addr2line() {
    let folder = tempfile::tempdir().expect("a folder");
    let Some(vmlinux) = vmlinux(folder.path(), &["-g"]) else { return };
    let places = [
        format!("usr/lib/debug/boot/vmlinux-{RELEASE}"),
        format!("usr/lib/debug/lib/modules/{RELEASE}/vmlinux"),
        format!("boot/vmlinux-{RELEASE}"),
        format!("lib/modules/{RELEASE}/build/vmlinux"),
    ];
    for place in &places {
        let mut tree = Tree::new();
        let Some(addresses) = start(&mut tree, &vmlinux) else { return skipped("no nm") };
        assert!(resolved_kernel(&tree, &addresses).places.is_empty(), "no file yet");
        tree.put(place, &vmlinux);
        let names = resolved_kernel(&tree, &addresses);
        let Some(theirs) = addr2line("addr2line", &vmlinux, None, &addresses) else {
            return skipped("no addr2line");
        };
        let mut outcome = Outcome::default();
        for (address, theirs) in addresses.iter().zip(theirs) {
            outcome.take(&lines(&names, address.wrapping_add(MOVED)), &theirs, &format!("{address:#x}"));
        }
        assert!(outcome.with_line > 200 && outcome.inlined > 50 && outcome.of_header == 0, "{outcome:?}");
        let work = names.symbols.iter().find(|symbol| symbol.name == "work2").expect("a function");
        assert!(work.line.is_some_and(|line| (8..=10).contains(&line.line)), "{work:?}");
        assert_eq!(work.source, NameSource::Kallsyms);
        let in_file = nm(&vmlinux).expect("nm").into_iter().find(|(_, _, name)| name == "work2").expect("it");
        assert_eq!(work.address.0, in_file.0.wrapping_add(MOVED), "where it was moved to");
    }
}

/// A file that is given is used if it is this kernel's, and refused with a reason if not.
#[test]
fn a_kernel_file_that_is_given_has_to_fit() {
    let folder = tempfile::tempdir().expect("a folder");
    let Some(vmlinux) = vmlinux(folder.path(), &["-g"]) else { return };
    let mut tree = Tree::new();
    let Some(addresses) = start(&mut tree, &vmlinux) else { return skipped("no nm") };
    let offsets: Vec<ImageOffset> = addresses.iter().map(|at| ImageOffset(at.wrapping_add(MOVED))).collect();
    let mut files = tree.files();
    files.use_vmlinux(&vmlinux).expect("it fits");
    let names = tree.symbolizer().resolve_kernel(&files, &tree.symbols(), &offsets);
    assert!(!names.places.is_empty());
    // Without a symbol that tells how far the kernel was moved nothing is said.
    let text = format!("{:016x} T work1\n{:016x} D end\n", offsets[0].0, offsets[offsets.len() - 1].0);
    let no_marks = oprof_symbolizer::KernelSymbols::parse(text.as_bytes());
    assert!(tree.symbolizer().resolve_kernel(&files, &no_marks, &offsets).places.is_empty());

    let stripped = folder.path().join("stripped");
    let paths = [vmlinux.to_str(), stripped.to_str()].map(|path| path.expect("a plain path"));
    if run(folder.path(), "objcopy", &["--strip-debug", paths[0], paths[1]]).is_some() {
        assert!(matches!(files.use_vmlinux(&stripped), Err(VmlinuxError::NoDebugging)));
    }
    let text = tree.write("boot/vmlinuz", "compressed");
    assert!(matches!(files.use_vmlinux(&text), Err(VmlinuxError::NotElf)));
    assert!(matches!(files.use_vmlinux(&tree.path("missing")), Err(VmlinuxError::NotOpened)));
    let mut other = note(&vmlinux);
    *other.last_mut().expect("an id") ^= 1;
    tree.write("sys/kernel/notes", other);
    assert!(matches!(files.use_vmlinux(&vmlinux), Err(VmlinuxError::OtherKernel { .. })));
    let names = tree.symbolizer().resolve_kernel(&files, &tree.symbols(), &offsets);
    assert!(
        names.places.is_empty() && !names.symbols.is_empty(),
        "what was given earlier does not fit any more"
    );
    tree.remove("sys/kernel/notes");
    assert!(matches!(files.use_vmlinux(&vmlinux), Err(VmlinuxError::NoBuildId("the running kernel"))));
}

/// The modules of a distribution's kernel; every 25th of them.
#[test]
fn lines_of_a_distributions_modules_agree() {
    let Some(root) = distribution() else { return };
    let mut modules = Vec::new();
    let mut folders = vec![root.join("usr/lib/debug/lib/modules")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder").flatten() {
            let path = entry.path();
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "ko") {
                modules.push(path);
            }
        }
    }
    modules.sort();
    let mut outcomes = Vec::new();
    for module in modules.iter().step_by(25) {
        let mut tree = Tree::new();
        let sections = load(&mut tree, module, "a_module", false);
        tree.put(format!("lib/modules/{RELEASE}/a-module.ko"), module);
        tree.write(format!("lib/modules/{RELEASE}/modules.dep"), "a-module.ko:\n");
        let names = resolved(&tree, "[a_module]", &sections);
        outcomes.extend(compare("addr2line", &names, module, &sections, 64));
    }
    let sum = |count: fn(&Outcome) -> usize| outcomes.iter().map(count).sum::<usize>();
    let sums = [sum(|one| one.with_line), sum(|one| one.inlined), sum(|one| one.of_header)];
    println!("{} modules: {sums:?}", outcomes.len());
    assert!(sums[0] > 5_000 && sums[1] > 1_000 && sums[2] * 20 < sums[0], "{sums:?}");
}

/// A distribution's kernel; every 4,096th address.
#[test]
fn lines_of_a_distributions_kernel_agree() {
    let Some(root) = distribution() else { return };
    let folder = fs::read_dir(root.join("usr/lib/debug/boot")).expect("a folder");
    let mut paths = folder.flatten().map(|entry| entry.path());
    let is_kernel = |path: &PathBuf| path.to_string_lossy().contains("/vmlinux-");
    let vmlinux = paths.find(is_kernel).expect("a kernel");
    let mut tree = Tree::new();
    let Some(addresses) = start(&mut tree, &vmlinux) else { return skipped("no nm") };
    let addresses: Vec<u64> = addresses.into_iter().step_by(4096).collect();
    std::os::unix::fs::symlink(
        &vmlinux,
        tree.write("boot/x", "").with_file_name(format!("vmlinux-{RELEASE}")),
    )
    .expect("a link");
    let began = std::time::Instant::now();
    let names = resolved_kernel(&tree, &addresses);
    println!("{} addresses in {:?}", addresses.len(), began.elapsed());
    let Some(theirs) = addr2line("addr2line", &vmlinux, None, &addresses) else {
        return skipped("no addr2line");
    };
    let mut outcome = Outcome::default();
    for (address, theirs) in addresses.iter().zip(theirs) {
        let moved = address.wrapping_add(MOVED);
        if names.lookup(ImageOffset(moved)).is_ok() {
            outcome.take(&lines(&names, moved), &theirs, &format!("{address:#x}"));
        }
    }
    println!("{outcome:?}");
    assert!(outcome.with_line > 1_000 && outcome.of_header * 50 < outcome.with_line, "{outcome:?}");
}

/// Where a distribution's kernel is unpacked.
fn distribution() -> Option<PathBuf> {
    let root = std::env::var_os("OPROF_TEST_KERNEL").map(PathBuf::from);
    if root.is_none() {
        skipped("OPROF_TEST_KERNEL names no directory with a distribution's kernel");
    }
    root
}
