//! Names of functions in every kind of image, and after the image is gone.

mod harness;

use std::fs;
use std::process::Command;

use harness::{Place, Symbol, assert_one_line, finish, share_of, skipped, symbols_of, users};

/// A program that burns a tenth of a second in a function of its own.
const HOT: &str = "BURNER(hot_function) int main(void) { hot_function(0.1); return 0; }";

/// Asserts that most samples are in this symbol of this image.
#[track_caller]
fn assert_hot(symbols: &[Symbol], image: &str, name: &str) {
    let share = share_of(symbols, |row| row.image == image && row.name == name);
    assert!(share > 50.0, "{name} of {image} has {share:.1} %: {symbols:#?}");
}

/// A test binary that removes itself is still named in the report. Without privilege the file can be opened by its
/// name alone, so that it has to be there for some moments.
#[test]
fn a_program_that_deletes_itself_is_named() {
    for user in users() {
        let place = Place::of(user);
        let source = "BURNER(in_a_file) BURNER(in_a_deleted_file)
            int main(int n, char **v) { if (n > 1) in_a_file(0.1); unlink(v[0]); in_a_deleted_file(0.3); return 0; }";
        let Some(_) = place.cc("shortlived", source) else { return };
        place.record("-q", if user.is_root() { "./shortlived" } else { "./shortlived later" }).with_status(0);
        assert!(!place.path("shortlived").exists());
        assert_hot(&symbols_of(&place, "oprof.data"), "shortlived", "in_a_deleted_file");
    }
}

/// The same where the file goes right after the program has ended, as a build's temporary programs do. It runs for
/// longer than the recorder leaves its buffers alone.
#[test]
fn a_program_that_is_deleted_after_it_ran_is_named() {
    for user in users() {
        let place = Place::of(user);
        let Some(_) = place.cc("temporary", "BURNER(once) int main(void) { once(0.3); return 0; }") else {
            return;
        };
        place.record_these("-q", &["sh", "-c", "./temporary; rm temporary; sleep 0.1"]).with_status(0);
        assert_hot(&symbols_of(&place, "oprof.data"), "temporary", "once");
    }
}

/// A stripped program is named by its debug file: where it lies beside, and where it lies in a directory that is given.
#[test]
fn a_stripped_program_is_named_by_its_debug_file() {
    let place = Place::new();
    let source = "BURNER(kept_apart) int main(void) { kept_apart(0.1); return 0; }";
    // Its name is not in the table for the dynamic linker either.
    let Some(_) = place.cc_with("program", source, &["-Wl,--build-id=sha1", "-fvisibility=hidden"]) else {
        return;
    };
    let objcopy = |arguments: &[&str]| {
        place.command("objcopy").args(arguments).status().is_ok_and(|status| status.success())
    };
    if !(objcopy(&["--only-keep-debug", "program", "program.debug"])
        && objcopy(&["--strip-all", "--add-gnu-debuglink=program.debug", "program", "stripped"]))
    {
        return skipped("no objcopy");
    }
    place.record("-q", "./stripped").with_status(0);
    assert_hot(&symbols_of(&place, "oprof.data"), "stripped", "kept_apart");

    let elsewhere = place.path("debug").join(place.path("").strip_prefix("/").expect("absolute"));
    fs::create_dir_all(&elsewhere).expect("a directory");
    fs::rename(place.path("program.debug"), elsewhere.join("program.debug")).expect("moved");
    place.record("-q", "./stripped").with_status(0);
    let symbols = symbols_of(&place, "oprof.data");
    assert!(symbols.iter().all(|symbol| symbol.name != "kept_apart"), "{symbols:#?}");
    place.record("-q --debug-dir debug", "./stripped").with_status(0);
    assert_hot(&symbols_of(&place, "oprof.data"), "stripped", "kept_apart");
}

/// Where the limit of open files left no room for a program that is deleted later, that is said, with its cure.
#[test]
fn a_deleted_program_beyond_the_limit_of_open_files_names_that_limit() {
    for user in users() {
        let place = Place::of(user);
        let Some(_) = place.cc("temporary", "BURNER(once) int main(void) { once(0.1); return 0; }") else {
            return;
        };
        // As many as are kept free for everything else.
        let limited = ["-c", "ulimit -n 64; exec \"$0\" \"$@\""];
        let script = "./temporary; rm temporary; sleep 0.1";
        let mut record = place.command("sh");
        record.args(limited).arg(place.oprof([""; 0]).get_program());
        finish(record.args(["record", "-q", "--", "sh", "-c", script])).with_status(0);
        assert_hot(&symbols_of(&place, "oprof.data"), "temporary", "(not held open)");
        let report = place.report("--missing").with_status(0);
        assert!(report.text().contains("sudo prlimit --pid $$ --nofile="), "{user:?}: {}", report.text());
    }
}

/// A program that is rebuilt under its name while recording: each run's samples have the names of its own build.
#[test]
fn a_rebuilt_program_is_two_programs() {
    for user in users() {
        let place = Place::of(user);
        let first = "BURNER(first_build) int main(void) { first_build(0.15); return 0; }";
        // Code of another length, so that old addresses would hit other functions.
        let second = "BURNER(padding) BURNER(more_padding) BURNER(second_build)
            int main(int n, char **v) { if (n > 1) { padding(1); more_padding(1); } second_build(0.3); return 0; }";
        let (Some(_), Some(_)) = (place.cc("one", first), place.cc("two", second)) else { return };
        for replace in ["mv two program", "rm program; cp two program", "cat two > program"] {
            let script = format!("set -e; rm -f program; cp one program; ./program; {replace}; ./program");
            place.record_these("-q", &["sh", "-c", &script]).with_status(0);
            let symbols = symbols_of(&place, "oprof.data");
            let of = |name: &str| share_of(&symbols, |row| row.image == "program" && row.name == name);
            let (first, second, padding) =
                (of("first_build"), of("second_build"), of("padding") + of("more_padding"));
            if replace.starts_with("cat") {
                // The old content exists nowhere any more: its names may be missing but must not be wrong.
                assert!(second > 40.0 && padding == 0.0, "{user:?}, {replace}: {symbols:#?}");
                assert!(first < 45.0, "{user:?}, {replace}: {symbols:#?}");
            } else {
                assert!(second > 40.0 && first > 20.0, "{user:?}, {replace}: {symbols:#?}");
                assert!(padding == 0.0, "{user:?}, {replace}: {symbols:#?}");
            }
            if replace.starts_with("mv") {
                fs::copy(place.path("program"), place.path("two")).expect("the second build is kept");
            }
        }
    }
}

/// Functions of a library that was loaded while the program ran.
#[test]
fn a_library_loaded_at_run_time_is_named() {
    for user in users() {
        let place = Place::of(user);
        let program = r#"
            #include <dlfcn.h>
            int main(void) {
                void *library = dlopen("./libplugin.so", RTLD_NOW);
                void (*work)(double) = library ? (void (*)(double))dlsym(library, "plugin_work") : 0;
                if (!work) return 1;
                work(0.2);
                return 0;
            }"#;
        let library = place.cc_with("libplugin.so", "BURNER(plugin_work)", &["-shared", "-fPIC"]);
        let (Some(_), Some(_)) = (library, place.cc("host", program)) else { return };
        place.record("-q", "./host").with_status(0);
        assert_hot(&symbols_of(&place, "oprof.data"), "libplugin.so", "plugin_work");
    }
}

/// A library that is unloaded and deleted before another takes its addresses.
#[test]
fn libraries_that_follow_one_another_at_one_address_keep_their_names() {
    let place = Place::new();
    let program = r#"
        #include <dlfcn.h>
        static int use(const char *file, const char *name) {
            void *library = dlopen(file, RTLD_NOW);
            void (*work)(double) = library ? (void (*)(double))dlsym(library, name) : 0;
            if (!work) return 1;
            work(0.15);
            unlink(file);
            return dlclose(library);
        }
        int main(void) { return use("./liba.so", "work_of_a") || use("./libb.so", "work_of_b"); }"#;
    let options = ["-shared", "-fPIC"];
    let a = place.cc_with("liba.so", "BURNER(work_of_a)", &options);
    let b = place.cc_with("libb.so", "BURNER(work_of_b)", &options);
    let (Some(_), Some(_), Some(_)) = (a, b, place.cc("host", program)) else { return };
    place.record("-q", "./host").with_status(0);
    let symbols = symbols_of(&place, "oprof.data");
    for (image, name) in [("liba.so", "work_of_a"), ("libb.so", "work_of_b")] {
        let share = share_of(&symbols, |row| row.image == image && row.name == name);
        assert!((30.0..70.0).contains(&share), "{name}: {share:.1} %: {symbols:#?}");
    }
}

/// Addresses are translated for each way of linking: by default, with and without PIE, static, static PIE, prelinked
/// elsewhere, with code split into many segments.
#[test]
fn every_way_of_linking_is_named() {
    let place = Place::new();
    for (number, options) in [
        &["-fPIE", "-pie"][..],
        &["-no-pie"],
        &["-static"],
        &["-static-pie", "-fPIE"],
        &["-no-pie", "-Wl,-Ttext-segment=0x10000000"],
        &["-Wl,-z,separate-code"],
        &["-Wl,-z,noseparate-code"],
        &["-Wl,--build-id=none"],
        &["-Wl,--hash-style=gnu", "-Wl,-z,max-page-size=0x200000"],
        &["-ffunction-sections", "-Wl,--section-start=.text.hot_function=0x700000", "-no-pie"],
    ]
    .into_iter()
    .enumerate()
    {
        let name = format!("linked{number}");
        let Some(_) = place.cc_with(&name, HOT, options) else { return };
        place.record("-q", &format!("./{name}")).with_status(0);
        let symbols = symbols_of(&place, "oprof.data");
        let share = share_of(&symbols, |row| row.image == name && row.name == "hot_function");
        assert!(share > 50.0, "{options:?}: {symbols:#?}");
    }
}

/// Other linkers lay images out in ways of their own: file offsets and addresses differ from segment to segment.
#[test]
fn images_of_other_linkers_are_named() {
    let place = Place::new();
    for linker in ["lld", "mold", "gold"] {
        let program = if linker == "mold" { "mold".to_owned() } else { format!("ld.{linker}") };
        if Command::new(&program).arg("--version").output().is_err() {
            skipped(&format!("no {program}"));
            continue;
        }
        let name = format!("by-{linker}");
        let Some(_) = place.cc_with(&name, HOT, &[&format!("-fuse-ld={linker}")]) else { return };
        place.record("-q", &format!("./{name}")).with_status(0);
        assert_hot(&symbols_of(&place, "oprof.data"), &name, "hot_function");
    }
}

/// BOLT moves functions to a segment of its own behind the rest, and leaves what it did not move where it was.
#[test]
fn an_image_that_bolt_laid_out_is_named() {
    let place = Place::new();
    let bolts =
        ["llvm-bolt".to_owned()].into_iter().chain((14..25).map(|version| format!("llvm-bolt-{version}")));
    let Some(bolt) = bolts.into_iter().find(|bolt| Command::new(bolt).arg("--version").output().is_ok())
    else {
        return skipped("no llvm-bolt");
    };
    let Some(_) = place.cc_with("before", HOT, &["-Wl,--emit-relocs", "-fno-reorder-blocks-and-partition"])
    else {
        return;
    };
    let run = place
        .command(bolt)
        .args([
            "before",
            "-o",
            "bolted",
            "--reorder-functions=exec-count",
            "--reorder-blocks=ext-tsp",
            "--lite=0",
        ])
        .output()
        .expect("bolt runs");
    if !run.status.success() {
        return skipped(&format!("bolt: {}", String::from_utf8_lossy(&run.stderr)));
    }
    place.record("-q", "./bolted").with_status(0);
    assert_hot(&symbols_of(&place, "oprof.data"), "bolted", "hot_function");
}

/// A program of 32 bits, which needs no library to be there.
#[test]
fn a_program_of_32_bits_is_named() {
    let place = Place::new();
    let source = place.write(
        "narrow.c",
        "static volatile unsigned counted;
         __attribute__((noinline)) void hot_function(void) { for (unsigned i = 0; i < 100000000; i++) counted += i; }
         void _start(void) { hot_function(); __asm__(\"int $0x80\" : : \"a\"(1), \"b\"(0)); }",
    );
    let options = [
        "-m32",
        "-O1",
        "-nostdlib",
        "-static",
        "-fno-pie",
        "-no-pie",
        "-fno-stack-protector",
        "-o",
        "narrow",
    ];
    let is_built = cfg!(target_arch = "x86_64")
        && place.command("cc").args(options).arg(source).output().is_ok_and(|run| run.status.success());
    if !is_built || !place.command("./narrow").status().is_ok_and(|status| status.success()) {
        return skipped("programs of 32 bits are not built or not run here");
    }
    place.record("-q", "./narrow").with_status(0);
    assert_hot(&symbols_of(&place, "oprof.data"), "narrow", "hot_function");
}

/// A stripped program has no names, and gets none that are wrong: its functions are told apart by where they start.
#[test]
fn a_stripped_program_has_functions_without_a_name() {
    let place = Place::new();
    for (name, options) in [("stripped", &["-s"][..]), ("stripped-static", &["-s", "-static"])] {
        let Some(_) = place.cc_with(name, HOT, options) else { return };
        place.record("-q", &format!("./{name}")).with_status(0);
        let symbols = symbols_of(&place, "oprof.data");
        let of_program: Vec<&Symbol> = symbols.iter().filter(|row| row.image == name).collect();
        let hottest = of_program.first().expect("samples of the program");
        assert!(hottest.name.starts_with("fun_") && hottest.percent > 50.0, "{symbols:#?}");
        let is_nameless = |row: &&Symbol| row.name.starts_with("fun_") || row.name.starts_with('(');
        assert!(of_program.iter().all(is_nameless), "nothing of it has a name: {symbols:#?}");
    }
}

/// A stripped library still exports functions: their names do not reach over the hidden ones between them.
#[test]
fn a_hidden_function_is_not_given_its_neighbours_name() {
    let place = Place::new();
    let library = "void exported_before(void) { burnt++; }
        static BURNER(hidden_work)
        void exported_work(double s) { hidden_work(s); burnt++; }
        void exported_after(void) { burnt++; }";
    let options = ["-shared", "-fPIC", "-s", "-fno-toplevel-reorder"];
    let Some(library) = place.cc_with("libhidden.so", library, &options) else { return };
    let program = "void exported_work(double); int main(void) { exported_work(0.2); return 0; }";
    let library = library.to_str().expect("a plain path");
    let Some(_) = place.cc_with("host", program, &["-Wl,--no-as-needed", "-x", "none", library, "-x", "c"])
    else {
        return;
    };
    place.record("-q", "./host").with_status(0);
    let symbols = symbols_of(&place, "oprof.data");
    let hidden = share_of(&symbols, |row| row.image == "libhidden.so" && row.name.starts_with("fun_"));
    let exported = share_of(&symbols, |row| row.image == "libhidden.so" && row.name.starts_with("exported_"));
    assert!(hidden > 50.0 && exported < 5.0, "{symbols:#?}");
}

/// C++ names are shown as they were written.
#[test]
fn cxx_names_are_demangled() {
    let place = Place::new();
    let source = "namespace outer { template <class T> struct Burner { BURNER(burn) }; }
        int main() { outer::Burner<long> b; b.burn(0.2); }";
    let Some(_) = place.cxx("in-cxx", source) else { return };
    place.record("-q", "./in-cxx").with_status(0);
    assert_hot(&symbols_of(&place, "oprof.data"), "in-cxx", "outer::Burner<long>::burn(double)");
}

/// Rust names are shown as they were written, in both manglings, without hashes.
#[test]
fn rust_names_are_demangled() {
    let source = "mod inner { #[inline(never)] pub fn burn<T: Copy + Into<u64>>(start: T) -> u64 {
            let begin = std::time::Instant::now();
            let mut sum: u64 = start.into();
            while begin.elapsed().as_millis() < 300 {
                for i in 0..100_000u64 { sum = std::hint::black_box(sum.wrapping_mul(31).wrapping_add(i)); }
            }
            sum
        } }
        fn main() { std::hint::black_box(inner::burn(1u32)); }";
    for mangling in ["legacy", "v0"] {
        let place = Place::new();
        let option = format!("-Csymbol-mangling-version={mangling}");
        let Some(_) = place.rustc("in-rust", source, &["-Zunstable-options", &option]) else { return };
        place.record("-q", "./in-rust").with_status(0);
        let symbols = symbols_of(&place, "oprof.data");
        let share =
            share_of(&symbols, |row| row.image == "in-rust" && row.name.starts_with("program::inner::burn"));
        assert!(share > 50.0, "{mangling}: {symbols:#?}");
        let hashed = symbols
            .iter()
            .find(|row| row.name.contains("::h") && row.name.len() > 60 || row.name.starts_with("_R"));
        assert_eq!(hashed, None, "{mangling}");
    }
}

/// Programs copy their code to huge pages at the same addresses; the names stay those of the file.
#[test]
fn code_that_was_copied_to_huge_pages_is_named() {
    let place = Place::new();
    let source = r#"
        #include <sys/mman.h>
        #define PAGE (2ul << 20)
        static __attribute__((aligned(2 << 20), noinline, section(".text.huge"))) void on_huge_pages(double seconds) {
            double end = burn_clock() + seconds;
            while (burn_clock() < end) for (int i = 0; i < 20000; i++) burnt += i;
        }
        __attribute__((aligned(2 << 20), section(".text.huge"))) void behind(void) { burnt++; }
        int main(void) {
            char *code = (char *)on_huge_pages, *copy = malloc(PAGE);
            memcpy(copy, code, PAGE);
            if (mmap(code, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != code)
                return 1;
            memcpy(code, copy, PAGE);
            on_huge_pages(0.4);
            behind();
            return 0;
        }"#;
    let options = ["-Wl,-z,max-page-size=0x200000", "-D_GNU_SOURCE"];
    let Some(_) = place.cc_with("huge", source, &options) else { return };
    place.record("-q", "./huge").with_status(0);
    assert_hot(&symbols_of(&place, "oprof.data"), "huge", "on_huge_pages");
}

/// A program that exists in memory alone (memfd_create(2)), as some starters make one.
#[test]
fn a_program_in_a_memory_file_is_named() {
    for user in users() {
        let place = Place::of(user);
        let Some(_) = place.cc("program", "BURNER(in_memory) int main(void) { in_memory(0.3); return 0; }")
        else {
            return;
        };
        let starter = r#"
            #include <fcntl.h>
            #include <sys/mman.h>
            extern char **environ;
            int main(void) {
                static char bytes[1 << 22];
                int from = open("program", O_RDONLY), to = memfd_create("starter", MFD_CLOEXEC);
                int length = read(from, bytes, sizeof bytes);
                if (write(to, bytes, length) != length) return 1;
                char *arguments[] = {"program", 0};
                fexecve(to, arguments, environ);
                return 1;
            }"#;
        let Some(_) = place.cc_with("start", starter, &["-D_GNU_SOURCE"]) else { return };
        place.record("-q", "./start").with_status(0);
        assert_hot(&symbols_of(&place, "oprof.data"), "memfd:starter (deleted)", "in_memory");
    }
}

/// A program of a container, whose files are not where we see any; they are gone with the container.
#[test]
fn a_program_in_a_container_is_named() {
    let place = Place::new();
    let library = "BURNER(contained_library)";
    let Some(_) = place.cc_with("libinside.so", library, &["-shared", "-fPIC"]) else { return };
    let source = "#include <dlfcn.h>
        BURNER(contained)
        int main(void) {
            void *library = dlopen(\"inside/libinside.so\", RTLD_NOW);
            if (!library) return 1;
            contained(0.2); ((void (*)(double))dlsym(library, \"contained_library\"))(0.2);
            return 0;
        }";
    let Some(_) = place.cc("program", source) else { return };
    fs::create_dir(place.path("inside")).expect("a directory");
    let script = "mount -t tmpfs tmpfs inside && cp program libinside.so inside/ && exec inside/program";
    let unshare = ["unshare", "-m", "sh", "-c"];
    let trial = place.command(unshare[0]).args(&unshare[1..]).arg("mount -t tmpfs tmpfs inside").output();
    if !trial.is_ok_and(|run| run.status.success()) {
        return skipped("no namespaces can be made here");
    }
    place.record_these("-q", &[&unshare[..], &[script]].concat()).with_status(0);
    let symbols = symbols_of(&place, "oprof.data");
    for name in ["contained", "contained_library"] {
        let share = share_of(&symbols, |row| row.name == name);
        assert!(share > 35.0, "{name} has {share:.1} %: {symbols:#?}");
    }
}

/// A kernel file that is not the running kernel's is refused in one line, and the recording made all the same.
#[test]
fn a_kernel_file_that_does_not_fit_is_told_and_not_used() {
    let place = Place::new();
    let Some(_) = place.cc_with("hot", HOT, &["-g", "-Wl,--build-id=sha1"]) else { return };
    place.write("vmlinuz", "compressed");
    let cases: [(&str, &[&str]); 3] = [
        ("hot", &["hot is not used", "build id"]),
        ("vmlinuz", &["vmlinuz is not used", "no ELF file"]),
        ("missing", &["missing is not used", "cannot be opened"]),
    ];
    for (file, words) in cases {
        let recorded = place.record(&format!("-e cpu-clock --vmlinux {file}"), "./hot").with_status(0);
        let told: Vec<&str> = recorded.stderr.lines().filter(|line| line.contains("not used")).collect();
        assert_eq!(told.len(), 1, "{}", recorded.stderr);
        assert_one_line(&format!("{}\n", told[0]), words);
        assert_hot(&symbols_of(&place, "oprof.data"), "hot", "hot_function");
    }
}

/// A program without a build id that is written over in place, as `cp` does it, is not taken for the new one.
#[test]
fn a_program_that_was_written_over_gives_no_wrong_names() {
    let place = Place::new();
    for name in ["first", "second"] {
        let source = format!("BURNER(of_{name}) int main(void) {{ of_{name}(0.2); return 0; }}");
        let Some(_) = place.cc_with(name, &source, &["-Wl,--build-id=none"]) else { return };
    }
    let script = "cp first program; ./program; cp second program; ./program";
    place.record_these("-q", &["sh", "-c", script]).with_status(0);
    let symbols = symbols_of(&place, "oprof.data");
    let share = share_of(&symbols, |row| row.image == "program" && row.name == "(build id mismatch)");
    assert!(share > 50.0, "{symbols:#?}");
    assert!(symbols.iter().all(|row| !row.name.starts_with("of_")), "{symbols:#?}");
}
