//! Turns the path of a sample file into what its samples are of.
//!
//! Below `samples/NAME/` it is `APP/{dep}/IMAGE/EVENT`, or `APP/{dep}/CALLER/{cg}/CALLEE/EVENT` for calls. APP, IMAGE,
//! CALLER and CALLEE are each `{root}/PATH`, `{kern}/NAME` or `{anon:NAME}/TGID.0xSTART.0xEND`; EVENT is
//! `EVENT.COUNT.UNITMASK.TGID.TID.CPU`, whose last three are numbers or `all`.

use std::borrow::Cow;

use crate::MemoryRegion;

/// Something that the path of a sample file names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PathPart {
    /// A file, by its absolute path: a program, a library, `/proc/kallsyms` for the kernel.
    File(String),
    /// Part of the kernel, by its name: a module, `no-vmlinux`, or a kernel thread where it is an app.
    Kernel(String),
    /// Memory without a file: `anon`, `[vdso]`, `[heap]`.
    Memory {
        /// What it is called.
        name: String,
        /// Whose and where it is.
        region: MemoryRegion,
    },
}

impl PathPart {
    /// The name that OProfile shows and matches: the path, with a slash before a part of the kernel;
    /// `anon (tgid:1 range:0x1000-0x1fff)` for memory.
    pub fn name(&self) -> Cow<'_, str> {
        match self {
            PathPart::File(path) => Cow::Borrowed(path),
            PathPart::Kernel(name) => Cow::Owned(format!("/{name}")),
            PathPart::Memory { name, region } => Cow::Owned(region.named(name)),
        }
    }
}

/// What the samples of a file are of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SamplePath {
    /// The program that ran.
    pub app: PathPart,
    /// What held the code; of calls, the caller's.
    pub image: PathPart,
    /// Of calls: what held the code that was called.
    pub callee: Option<PathPart>,
    /// The event's name.
    pub event: String,
    /// One sample stands for this many events.
    pub count: u64,
    /// The unit mask as a number.
    pub unit_mask: u64,
    /// The process (thread group); `None`: all.
    pub tgid: Option<u32>,
    /// The thread; `None`: all.
    pub tid: Option<u32>,
    /// The CPU; `None`: all.
    pub cpu: Option<u16>,
}

/// A path is not one of a sample file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a path of a sample file: {0}")]
pub struct NotASamplePath(pub &'static str);

impl SamplePath {
    /// Reads a path below `samples/NAME/`.
    ///
    /// # Errors
    /// Where it is not one of a sample file: what is wrong with it.
    pub fn parse(path: &str) -> Result<SamplePath, NotASamplePath> {
        let (place, event) = path.rsplit_once('/').ok_or(NotASamplePath("it has no folders"))?;
        let (app, image) = place.split_once("/{dep}/").ok_or(NotASamplePath("{dep} is missing"))?;
        let (image, callee) = match image.split_once("/{cg}/") {
            Some((caller, callee)) => (caller, Some(callee)),
            None => (image, None),
        };
        let mut parts = event.rsplitn(6, '.');
        let mut next = || parts.next().filter(|part| !part.is_empty());
        let (cpu, tid, tgid, unit_mask, count, event) = (next(), next(), next(), next(), next(), next());
        Ok(SamplePath {
            app: part(app)?,
            image: part(image)?,
            callee: callee.map(part).transpose()?,
            event: event.ok_or(NotASamplePath("its name has too few parts"))?.to_owned(),
            count: decimal(count).ok_or(NotASamplePath("the count is not a number"))?,
            unit_mask: decimal(unit_mask).ok_or(NotASamplePath("the unit mask is not a number"))?,
            tgid: number_or_all(tgid).ok_or(NotASamplePath("the process is not a number"))?,
            tid: number_or_all(tid).ok_or(NotASamplePath("the thread is not a number"))?,
            // The highest number stands for all CPUs where samples are counted.
            cpu: number_or_all(cpu)
                .filter(|cpu| *cpu != Some(u16::MAX))
                .ok_or(NotASamplePath("the CPU is not a number"))?,
        })
    }

    /// Its samples are calls.
    pub fn is_calls(&self) -> bool {
        self.callee.is_some()
    }
}

fn part(text: &str) -> Result<PathPart, NotASamplePath> {
    let (kind, rest) = text.split_once('/').ok_or(NotASamplePath("{root}, {kern} or {anon:} is missing"))?;
    let is_name =
        |name: &str| !name.is_empty() && name.split('/').all(|part| part != "{dep}" && part != "{cg}");
    match kind {
        "{root}" if is_name(rest) => Ok(PathPart::File(format!("/{rest}"))),
        "{kern}" if is_name(rest) => Ok(PathPart::Kernel(rest.to_owned())),
        "{root}" | "{kern}" => Err(NotASamplePath("a name is empty, or {dep} or {cg}")),
        _ => {
            let name = kind.strip_prefix("{anon:").and_then(|name| name.strip_suffix('}'));
            let name = name.filter(|name| is_name(name));
            let name = name.ok_or(NotASamplePath("{root}, {kern} or {anon:} is missing"))?;
            let region = region(rest).ok_or(NotASamplePath("{anon:} is without its place in memory"))?;
            Ok(PathPart::Memory { name: name.to_owned(), region })
        }
    }
}

/// `TGID.0xSTART.0xEND`.
fn region(text: &str) -> Option<MemoryRegion> {
    let mut parts = text.split('.');
    let pid = decimal(parts.next())?;
    let mut address = || u64::from_str_radix(parts.next()?.strip_prefix("0x")?, 16).ok();
    let (start, last) = (address()?, address()?);
    parts.next().is_none().then_some(MemoryRegion { pid, start, last })
}

fn decimal<T: std::str::FromStr>(text: Option<&str>) -> Option<T> {
    text?.parse().ok()
}

/// `None` where it is neither.
fn number_or_all<T: std::str::FromStr>(text: Option<&str>) -> Option<Option<T>> {
    match text? {
        "all" => Some(None),
        number => number.parse().ok().map(Some),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(path: &str) -> SamplePath {
        SamplePath::parse(path).unwrap_or_else(|wrong| panic!("{path}: {wrong}"))
    }

    #[test]
    fn a_path_says_what_was_sampled() {
        let path = parse("{root}/bin/a.b/{dep}/{root}/lib/c.so.6/CPU_CLK.UN.100000.15.31.32.3");
        assert_eq!(path.app, PathPart::File("/bin/a.b".to_owned()));
        assert_eq!(path.image, PathPart::File("/lib/c.so.6".to_owned()));
        assert_eq!((path.event.as_str(), path.count, path.unit_mask), ("CPU_CLK.UN", 100_000, 15));
        assert_eq!((path.tgid, path.tid, path.cpu), (Some(31), Some(32), Some(3)));
        assert!(!path.is_calls());
    }

    #[test]
    fn kernel_memory_and_calls_are_told() {
        let path = parse("{kern}/kworker/0:1/{dep}/{root}/proc/kallsyms/E.1.0.all.all.all");
        assert_eq!(path.app, PathPart::Kernel("kworker/0:1".to_owned()));
        assert_eq!(
            (path.app.name(), path.tgid, path.tid, path.cpu),
            ("/kworker/0:1".into(), None, None, None)
        );
        let path = parse(
            "{root}/a/{dep}/{anon:[vdso]}/7.0x1000.0x1fff/{cg}/{anon:anon}/7.0x8.0x9/E.1.0.all.all.all",
        );
        assert_eq!(path.image.name(), "[vdso] (tgid:7 range:0x1000-0x1fff)");
        assert_eq!(path.callee.expect("calls").name(), "anon (tgid:7 range:0x8-0x9)");
    }

    #[test]
    fn other_paths_are_refused() {
        for wrong in [
            "",
            "/",
            "E.1.0.all.all.all",
            "{root}/a/{dep}/{root}/b",
            "{root}/a/{root}/b/E.1.0.all.all.all",
            "{root}/a/{dep}/b/E.1.0.all.all.all",
            "{root}/a/{dep}/{root}/E.1.0.all.all.all",
            "{root}/{dep}/{root}/a/E.1.0.all.all.all",
            "{root}/a/{dep}/{root}/b/.1.0.all.all.all",
            "{root}/a/{dep}/{root}/b/E.x.0.all.all.all",
            "{root}/a/{dep}/{root}/b/E.1.0.-1.all.all",
            "{root}/a/{dep}/{root}/b/E.1.0.all.all.65535",
            "{root}/a/{dep}/{root}/b/E.1.0.all.all",
            "{root}/a/{dep}/{anon:x}/b/E.1.0.all.all.all",
            "{root}/a/{dep}/{anon:}/1.0x1.0x2/E.1.0.all.all.all",
            "{root}/a/{dep}/{anon:x}/1.0x1.0x2.0x3/E.1.0.all.all.all",
            "{root}/a/{dep}/{root}/b/{cg}/E.1.0.all.all.all",
        ] {
            assert!(SamplePath::parse(wrong).is_err(), "{wrong}: {:?}", SamplePath::parse(wrong));
        }
    }
}
