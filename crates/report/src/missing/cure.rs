//! Cures: what would name code that has no name.

use oprof_profile::{ImageKind, Package, RAISE_OPEN_FILES, Recording};

use super::distribution::Family;
use super::reason::Reason;
use super::runtime;

/// Code without a name, and what is known of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NamelessCode<'a> {
    pub(crate) reason: Reason,
    pub(crate) kind: ImageKind,
    /// The image: a path, or a name in brackets.
    pub(crate) image: &'a str,
    /// The program that ran it, likewise.
    pub(crate) app: &'a str,
    /// That program told the names of other code that it made while it ran.
    pub(crate) tells_names: bool,
    pub(crate) package: Option<&'a Package>,
}

/// What would name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cure {
    /// A command, an option, or what to do.
    pub(crate) text: String,
    /// A server of the distribution's may have the names.
    pub(crate) fetchable: bool,
}

/// What would name this code in a recording made like this one.
pub(crate) fn cure(code: &NamelessCode<'_>, recording: &Recording) -> Cure {
    let family = Family::of(&recording.run.distribution);
    let text = |text: &str| Cure { text: text.to_owned(), fetchable: false };
    match code.reason {
        Reason::Stripped if code.kind == ImageKind::Kernel && code.image == "no-vmlinux" => {
            text("recording without --no-vmlinux")
        }
        Reason::Stripped | Reason::NoSymbolThere
            if matches!(code.kind, ImageKind::Kernel | ImageKind::KernelModule) =>
        {
            match family.install_kernel_names(&recording.run.kernel_release) {
                Some(command) => Cure { text: command, fetchable: true },
                None => text("the kernel's debug package, or its vmlinux and modules with their symbols"),
            }
        }
        Reason::Stripped | Reason::NoSymbolThere => match code.kind {
            ImageKind::File => of_file(code, family),
            _ => text("-"),
        },
        Reason::Jit if code.tells_names => text("- (the program's own map leaves this code out)"),
        Reason::Jit => text(runtime::option(code.app)),
        // `kallsyms_show_value` in kernel/ksyms_common.c: at 2 nobody sees the addresses; at 1 who has CAP_SYSLOG; at 0
        // others too, where they may profile the kernel.
        Reason::KernelHidden => text(
            "record as root with kernel.kptr_restrict at 0 or 1 (sysctl kernel.kptr_restrict=1); other users need \
             kernel.kptr_restrict=0 and kernel.perf_event_paranoid=1",
        ),
        Reason::NoMapping if recording.coverage.lost_records > 0 => {
            text("larger ring buffers (-m 4M): records were lost, mappings perhaps among them")
        }
        Reason::NoMapping => text("-"),
        Reason::Deleted => text("keep the file until the recording ends, readable for whoever records"),
        Reason::NotHeldOpen => {
            text(&format!("raise the limit of open files in the shell before recording: {RAISE_OPEN_FILES}"))
        }
        Reason::Mismatch => text("do not replace the file (a build, an upgrade) while recording"),
        Reason::Unreadable => text("-"),
        Reason::Guest => text("record within the virtual machine"),
        Reason::NotRecorded => text(not_recorded(recording)),
    }
}

/// Why the recording does not hold names, or how to have them in the next.
pub(crate) fn not_recorded(recording: &Recording) -> &'static str {
    match recording.damage {
        Some(_) => "they were in the part that is damaged",
        None => {
            "they are resolved when a recording ends, and this one was cut off before; end one early with Ctrl-C or \
             SIGTERM"
        }
    }
}

fn of_file(code: &NamelessCode<'_>, family: Family) -> Cure {
    let installed = code.package.is_some() || is_installed(code.image);
    let command = installed.then(|| family.install_names(code.image, code.package)).flatten();
    match (command, code.reason) {
        (Some(text), _) => Cure { text, fetchable: true },
        (None, _) if installed && family == Family::Arch => {
            Cure { text: "oprof record --debuginfod".to_owned(), fetchable: false }
        }
        (None, Reason::NoSymbolThere) => Cure { text: "-".to_owned(), fetchable: false },
        (None, _) => Cure {
            text: "do not strip it (strip, -s), or tell where its debug file is: --debug-dir DIR".to_owned(),
            fetchable: false,
        },
    }
}

/// A path where packages install, not people (hier(7)).
fn is_installed(path: &str) -> bool {
    let beginnings = ["/usr/", "/lib/", "/lib64/", "/bin/", "/sbin/"];
    beginnings.iter().any(|beginning| path.starts_with(beginning)) && !path.starts_with("/usr/local/")
}

#[cfg(test)]
mod tests {
    use oprof_profile::{Coverage, Distribution, Run};

    use super::*;

    fn recording(distribution: &str, kernel_release: &str) -> Recording {
        let distribution = Distribution { id: distribution.to_owned(), ..Distribution::default() };
        let kernel_release = kernel_release.to_owned();
        Recording { run: Run { distribution, kernel_release, ..Run::default() }, ..Recording::default() }
    }

    const FILE: NamelessCode<'_> = NamelessCode {
        reason: Reason::Stripped,
        kind: ImageKind::File,
        image: "/usr/bin/tool",
        app: "/usr/bin/tool",
        tells_names: false,
        package: None,
    };

    #[test]
    fn a_stripped_file_is_named_by_its_package_or_by_its_maker() {
        let package = Package { name: "tool".to_owned(), version: "1".to_owned() };
        let own = "do not strip it";
        for (distribution, image, package, beginning, fetchable) in [
            ("debian", "/usr/bin/tool", Some(&package), "apt install tool-dbgsym=1", true),
            ("debian", "/opt/tool/tool", Some(&package), "apt install tool-dbgsym=1", true),
            ("debian", "/usr/bin/tool", None, own, false),
            ("fedora", "/usr/bin/tool", None, "dnf debuginfo-install $(rpm -qf /usr/bin/tool)", true),
            ("fedora", "/home/me/tool", None, own, false),
            ("fedora", "/usr/local/bin/tool", None, own, false),
            ("arch", "/usr/bin/tool", None, "oprof record --debuginfod", false),
            ("arch", "/home/me/tool", None, own, false),
            ("", "/usr/bin/tool", None, own, false),
        ] {
            let code = NamelessCode { image, package, ..FILE };
            let cure = cure(&code, &recording(distribution, ""));
            assert!(cure.text.starts_with(beginning), "{distribution}, {image}: {cure:?}");
            assert_eq!(cure.fetchable, fetchable, "{distribution}, {image}");
        }
    }

    #[test]
    fn every_other_reason_has_its_cure() {
        let of = |reason, kind| {
            cure(&NamelessCode { reason, kind, ..FILE }, &recording("debian", "6.1.0-13-amd64")).text
        };
        for (reason, kind, part) in [
            (Reason::Stripped, ImageKind::KernelModule, "linux-image-6.1.0-13-amd64-dbg"),
            (Reason::NoSymbolThere, ImageKind::Kernel, "linux-image-6.1.0-13-amd64-dbg"),
            (Reason::NoSymbolThere, ImageKind::File, "-"),
            (Reason::Stripped, ImageKind::Vdso, "-"),
            (Reason::Jit, ImageKind::Anonymous, "/tmp/perf-PID.map"),
            (Reason::KernelHidden, ImageKind::Kernel, "sysctl kernel.kptr_restrict=1"),
            (Reason::KernelHidden, ImageKind::Kernel, "kernel.perf_event_paranoid=1"),
            (Reason::NoMapping, ImageKind::Unknown, "-"),
            (Reason::Deleted, ImageKind::File, "until the recording ends"),
            (Reason::NotHeldOpen, ImageKind::File, "prlimit --pid $$ --nofile=65536"),
            (Reason::Mismatch, ImageKind::File, "do not replace"),
            (Reason::Guest, ImageKind::Guest, "within the virtual machine"),
            (Reason::NotRecorded, ImageKind::File, "Ctrl-C"),
        ] {
            assert!(of(reason, kind).contains(part), "{reason:?} of {kind:?}: {}", of(reason, kind));
        }
    }

    #[test]
    fn lost_records_explain_missing_mappings() {
        let code =
            NamelessCode { reason: Reason::NoMapping, kind: ImageKind::Unknown, image: "[unknown]", ..FILE };
        let coverage = Coverage { lost_records: 1, ..Coverage::default() };
        assert!(cure(&code, &Recording { coverage, ..recording("", "") }).text.contains("-m 4M"));
    }

    #[test]
    fn a_program_that_tells_names_needs_no_option_for_it() {
        let jit = NamelessCode { reason: Reason::Jit, app: "/usr/bin/node", ..FILE };
        let text = |tells_names| cure(&NamelessCode { tells_names, ..jit }, &recording("", "")).text;
        assert_eq!(text(false), "node --perf-basic-prof");
        assert!(text(true).contains("own map leaves this code out"), "{}", text(true));
    }

    #[test]
    fn a_kernel_of_one_s_own_has_no_package() {
        let code = NamelessCode { kind: ImageKind::Kernel, image: "[kernel]", ..FILE };
        assert!(cure(&code, &recording("debian", "6.18-own")).text.starts_with("the kernel's debug package"));
    }
}
