//! Programs as compilers and linkers make them, compared with what binutils say about the same file.
//!
//! What a machine has no tool for is skipped with a line that says so.

mod built;

use std::ffi::OsStr;
use std::fs::File;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use oprof_profile::{BuildId, ImageIdentity, ImageNames, ImageOffset, Inode, Unresolved};
use oprof_symbolizer::{DebugDirectories, Symbolizer, build_id};

use built::compare::compare;
use built::layout::code_segments;
use built::nm::nm;
use built::{build, has, names_of, run, skipped, sources, symbol_at};

#[test]
fn c_programs_of_every_layout_agree_with_nm() {
    let folder = sources();
    let layouts: &[(&str, &[&str])] = &[
        ("pie", &["-fPIE", "-pie"]),
        ("no-pie", &["-no-pie"]),
        ("static", &["-static"]),
        ("shared", &["-shared", "-fPIC"]),
        ("separate", &["-Wl,-z,separate-code"]),
        ("together", &["-Wl,-z,noseparate-code"]),
        ("high", &["-no-pie", "-Wl,-Ttext-segment=0x12340000"]),
        // An address and an offset of .text that differ by something other than the first segment's distance.
        ("far-text", &["-no-pie", "-Wl,-Ttext=0x7000100"]),
        (
            "two-code-segments",
            &["-no-pie", "-Wl,--section-start=.text.other=0x9000000", "-Wl,--unique=.text.other"],
        ),
        ("omagic", &["-static", "-Wl,-N"]),
        ("gold", &["-fuse-ld=gold"]),
        ("lld", &["-fuse-ld=lld"]),
        ("lld-rosegment", &["-fuse-ld=lld", "-Wl,--rosegment", "-no-pie"]),
        ("mold", &["-fuse-ld=mold"]),
        ("mold-no-pie", &["-fuse-ld=mold", "-no-pie"]),
        ("static-pie", &["-static-pie"]),
        ("guarded", &["-fcf-protection", "-Wl,-z,ibtplt"]),
        ("guarded-lld", &["-fcf-protection", "-fuse-ld=lld", "-Wl,-z,force-ibt"]),
        ("bind-now", &["-Wl,-z,now"]),
        ("no-header", &["-Wl,--no-eh-frame-hdr"]),
        ("m32", &["-m32"]),
    ];
    for (name, flags) in layouts {
        let flags = [&["-O1"], *flags].concat();
        let Some(image) = build(folder.path(), "gcc", "c.c", name, &flags) else { continue };
        let Some(compared) = compare(&image) else { return skipped("nm, objdump or readelf is missing") };
        assert!(compared.symbols > 10, "{name}: {compared:?}");
        let stripped = format!("{name}-stripped");
        if let Some(stripped) = build(folder.path(), "gcc", "c.c", &stripped, &[&flags, &["-s"][..]].concat())
        {
            let compared = compare(&stripped).unwrap_or_default();
            let named = compared.symbols + compared.frames > 5 && compared.stubs > 0;
            assert!(named, "{name} stripped: {compared:?}");
            let unknown = ["static", "mold"].iter().any(|linking| name.starts_with(linking));
            assert!(unknown || compared.stubs_unknown_to_objdump == 0, "{name} stripped: {compared:?}");
        }
        let names = names_of(&image);
        for function in ["main", "twice", "square", "strong", "other", "assembled"] {
            assert!(has(&names, function), "{name}: no {function}");
        }
        assert!(!has(&names, "weak_alias") && !has(&names, "__hidden_alias"), "{name}: an alias was chosen");
    }
}

#[test]
fn stubs_of_mold_are_what_mold_calls_them() {
    let folder = sources();
    for (name, flag) in [("pie", "-pie"), ("no-pie", "-no-pie")] {
        let flags = ["-O1", "-fuse-ld=mold", flag];
        let Some(image) = build(folder.path(), "gcc", "other.c", name, &flags) else { continue };
        let stripped = folder.path().join(format!("{name}-stripped"));
        let arguments = [OsStr::new("-o"), stripped.as_os_str(), image.as_os_str()];
        if run("strip", arguments).is_none() {
            return skipped("no strip");
        }
        let (whole, stripped) = (names_of(&image), names_of(&stripped));
        let mut compared = 0;
        for (offset, id) in &whole.offsets {
            let Some(symbol) = id.ok().and_then(|id| whole.symbol(id)) else { continue };
            if !symbol.name.ends_with("@plt") {
                continue;
            }
            let left = symbol_at(&stripped, offset.0).map(|symbol| symbol.name.as_str());
            assert_eq!(left, Some(symbol.name.as_str()), "{name}: at {offset:?}");
            compared += 1;
        }
        assert!(compared > 16, "{name}: {compared} bytes");
    }
}

#[test]
fn programs_that_bolt_rewrote_agree_with_nm() {
    let folder = sources();
    for (name, flag) in [("pie", "-pie"), ("no-pie", "-no-pie")] {
        let flags = ["-O1", flag, "-Wl,--emit-relocs"];
        let Some(image) = build(folder.path(), "gcc", "c.c", name, &flags) else { continue };
        let rewritten = folder.path().join(format!("{name}-rewritten"));
        let arguments = [image.as_os_str(), "-o".as_ref(), rewritten.as_os_str()];
        let tools = ["llvm-bolt", "llvm-bolt-22", "llvm-bolt-19", "llvm-bolt-16", "llvm-bolt-15"];
        if !tools.into_iter().any(|tool| run(tool, arguments).is_some()) {
            return skipped("no llvm-bolt");
        }
        let compared = compare(&rewritten).unwrap_or_default();
        assert!(compared.symbols > 10, "{name}: {compared:?}");
        let [before, after] =
            [code_segments(&image), code_segments(&rewritten)].map(Option::unwrap_or_default);
        assert!(after.len() > before.len(), "{name}: a segment for the new code: {after:x?}");
    }
}

#[test]
fn the_linker_that_comes_with_rust_agrees_with_nm() {
    let folder = sources();
    let sysroot = run("rustc", ["--print", "sysroot"]).unwrap_or_default();
    let host = run("rustc", ["--print", "host-tuple"]).unwrap_or_default();
    let linkers = format!("-B{}/lib/rustlib/{}/bin/gcc-ld", sysroot.trim(), host.trim());
    for (name, flags) in
        [("lld", &["-pie"][..]), ("lld-no-pie", &["-no-pie"]), ("lld-shared", &["-shared", "-fPIC"])]
    {
        let flags = [&["-O1", "-fuse-ld=lld", linkers.as_str()], flags].concat();
        let Some(image) = build(folder.path(), "gcc", "c.c", name, &flags) else { continue };
        let segments = code_segments(&image).unwrap_or_default();
        println!("{name}: {segments:x?}");
        assert!(compare(&image).is_none_or(|compared| compared.symbols > 10), "{name}");
        assert!(has(&names_of(&image), "twice"), "{name}");
    }
}

#[test]
fn stripped_programs_keep_their_dynamic_symbols_only() {
    let folder = sources();
    let Some(library) = build(folder.path(), "gcc", "c.c", "lib.so", &["-O1", "-shared", "-fPIC", "-s"])
    else {
        return;
    };
    let names = names_of(&library);
    assert!(has(&names, "twice") && !has(&names, "square"), "{:?}", names.symbols);
    assert!(compare(&library).is_none_or(|compared| compared.symbols > 3));

    let Some(program) = build(folder.path(), "gcc", "c.c", "program", &["-O1", "-static", "-s"]) else {
        return;
    };
    assert_eq!(names_of(&program).lookup(ImageOffset(0x1000)), Err(Unresolved::NoSymbols));
}

#[test]
fn cpp_names_are_demangled() {
    let folder = sources();
    let Some(image) = build(folder.path(), "g++", "cpp.cc", "cpp", &["-O1"]) else { return };
    let names = names_of(&image);
    let expected = "space::Box<std::vector<int, std::allocator<int> > >::get() const";
    assert!(has(&names, expected), "{:?}", names.symbols);
    assert!(compare(&image).is_none_or(|compared| compared.symbols > 10));
}

#[test]
fn rust_names_are_demangled_in_both_schemes() {
    let folder = sources();
    // Which scheme is the default depends on the compiler, and only a nightly one may be asked for the legacy one.
    for (scheme, flags) in [("default", &[][..]), ("v0", &["-Csymbol-mangling-version=v0"])] {
        let Some(image) = build(folder.path(), "rustc", "rust.rs", scheme, &[&["-O"], flags].concat()) else {
            continue;
        };
        let names = names_of(&image);
        assert!(has(&names, "<rust::Square as rust::Shape>::area"), "{scheme}: {:?}", names.symbols);
        let hash = |name: &str| {
            let end = name.len().checked_sub(19).and_then(|at| name.get(at..)?.strip_prefix("::h"));
            end.is_some_and(|hash| hash.bytes().all(|byte| byte.is_ascii_hexdigit()))
        };
        let hashed = names.symbols.iter().find(|symbol| symbol.name.is_ascii() && hash(&symbol.name));
        assert!(hashed.is_none(), "{scheme}: {hashed:?}");
        assert!(compare(&image).is_none_or(|compared| compared.symbols > 1000), "{scheme}");
    }
}

#[test]
fn functions_agree_with_addr2line() {
    let folder = sources();
    let Some(image) = build(folder.path(), "gcc", "c.c", "program", &["-O1"]) else { return };
    let (Some(segments), Some(symbols)) = (code_segments(&image), nm(&image, false)) else { return };
    let inside: Vec<u64> = symbols.iter().filter(|s| s.size > 4).map(|s| s.start + s.size / 2).collect();
    let arguments = ["-f", "-e", image.to_str().unwrap()].map(String::from).into_iter();
    let Some(text) = run("addr2line", arguments.chain(inside.iter().map(|address| format!("{address:x}"))))
    else {
        skipped("addr2line is missing");
        return;
    };
    let offset = |address: u64| {
        let segment = segments.iter().find(|segment| (segment.1..segment.1 + segment.2).contains(&address));
        segment.map(|segment| ImageOffset(address - segment.1 + segment.0))
    };
    let offsets: Vec<ImageOffset> = inside.iter().filter_map(|&address| offset(address)).collect();
    let names = Symbolizer::new(DebugDirectories::none()).resolve_file(
        None,
        &File::open(&image).unwrap(),
        &ImageIdentity::None,
        &offsets,
    );
    for (address, function) in inside.iter().zip(text.lines().step_by(2)) {
        let name = &names.symbol(names.lookup(offset(*address).unwrap()).unwrap()).unwrap().name;
        let aliases = ["strong", "weak_alias", "__hidden_alias"];
        let same = name == function || (aliases.contains(&name.as_str()) && aliases.contains(&function));
        assert!(same, "{address:x}: {name}, addr2line says {function}");
    }
    assert!(inside.len() > 4);
}

#[test]
fn system_libraries_agree_with_nm_objdump_and_readelf() {
    let folders = ["/lib/x86_64-linux-gnu", "/lib/aarch64-linux-gnu", "/lib64", "/usr/lib"];
    let folder = folders.map(Path::new).into_iter().find(|folder| folder.join("libc.so.6").exists());
    let Some(folder) = folder else { return skipped("no system libraries") };
    let mut compared = 0;
    for name in [
        "libc.so.6",
        "libm.so.6",
        "libstdc++.so.6",
        "libgcc_s.so.1",
        "libz.so.1",
        "ld-linux-x86-64.so.2",
        "ld-linux-aarch64.so.1",
        "libcrypto.so.3",
        "libssl.so.3",
        "liblzma.so.5",
        "libzstd.so.1",
        "libpcre2-8.so.0",
        "libselinux.so.1",
        "libtinfo.so.6",
        "libresolv.so.2",
    ] {
        let image = folder.join(name);
        let Some(found) = image.exists().then(|| compare(&image)).flatten() else { continue };
        println!("{}: {found:?}", image.display());
        assert!(found.symbols > 10, "{}: {found:?}", image.display());
        compared += 1;
    }
    if compared < 10 {
        skipped(&format!("only {compared} of the libraries are here, or binutils are missing"));
    }
}

#[test]
fn the_build_id_is_what_readelf_shows() {
    let folder = sources();
    let flags = ["-Wl,--build-id=0x00112233445566778899"];
    let Some(image) = build(folder.path(), "gcc", "c.c", "program", &flags) else { return };
    let file = File::open(&image).unwrap();
    let expected = BuildId::new(&[0, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99]);
    assert_eq!(build_id(&file), Ok(expected));
    let Some(image) = build(folder.path(), "gcc", "c.c", "without", &["-Wl,--build-id=none"]) else { return };
    let file = File::open(&image).unwrap();
    assert_eq!(build_id(&file), Ok(None));
    let names = Symbolizer::new(DebugDirectories::none()).resolve_file(
        None,
        &file,
        &ImageIdentity::BuildId(expected.unwrap()),
        &[ImageOffset(0)],
    );
    assert_eq!(names.lookup(ImageOffset(0)), Err(Unresolved::BuildIdMismatch));
}

#[test]
fn a_rebuilt_program_is_told_by_its_inode() {
    let folder = sources();
    let Some(image) = build(folder.path(), "gcc", "c.c", "program", &[]) else { return };
    let metadata = std::fs::metadata(&image).unwrap();
    let device = metadata.dev();
    let major = (device >> 8 & 0xfff) | (device >> 32 & !0xfff);
    let minor = (device & 0xff) | (device >> 12 & !0xff);
    let inode = Inode { device: major << 32 | (minor & 0xffff_ffff), number: metadata.ino(), generation: 5 };
    let identity = ImageIdentity::Inode(inode);
    let offsets: Vec<ImageOffset> = (0..metadata.len()).step_by(16).map(ImageOffset).collect();
    assert!(has(
        &Symbolizer::new(DebugDirectories::none()).resolve_file(
            None,
            &File::open(&image).unwrap(),
            &identity,
            &offsets
        ),
        "main"
    ));

    let copy = folder.path().join("copy");
    std::fs::copy(&image, &copy).unwrap();
    std::fs::rename(&copy, &image).unwrap();
    let names = Symbolizer::new(DebugDirectories::none()).resolve_file(
        None,
        &File::open(&image).unwrap(),
        &identity,
        &offsets,
    );
    assert_eq!(names, ImageNames::unresolved(offsets, Unresolved::BuildIdMismatch));
}
