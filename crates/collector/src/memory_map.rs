//! What a process has mapped, as /proc/PID/maps tells it (proc_pid_maps(5)).

use std::borrow::Cow;
use std::fs::File;
use std::io::Read;

use oprof_profile::Inode;

/// As much is read where one mapping is looked for, in bytes: some thousand mappings.
const MOST_TO_SEARCH: u64 = 1 << 20;
/// As much is read where every mapping is wanted, in bytes: vm.max_map_count allows 65,530 unless raised.
const MOST: u64 = 16 << 20;

/// A line: `first-behind permissions offset device inode path`, by address.
struct Mapping<'a> {
    start: u64,
    /// The address behind its last one.
    end: u64,
    is_executable: bool,
    /// Where in the file it starts, in bytes.
    file_offset: u64,
    inode: Inode,
    /// A path, a name in brackets, or nothing.
    path: Cow<'a, str>,
}

impl<'a> Mapping<'a> {
    fn parse(line: &'a [u8]) -> Option<Mapping<'a>> {
        let hexadecimal = |text: &str| u64::from_str_radix(text, 16).ok();
        let text = |field: &'a [u8]| std::str::from_utf8(field).ok();
        let mut fields = line.splitn(6, |byte| *byte == b' ');
        let (start, end) = text(fields.next()?)?.split_once('-')?;
        let permissions = fields.next()?;
        let file_offset = hexadecimal(text(fields.next()?)?)?;
        let (major, minor) = text(fields.next()?)?.split_once(':')?;
        let number: u64 = text(fields.next()?)?.parse().ok()?;
        let path = String::from_utf8_lossy(fields.next().unwrap_or_default().trim_ascii_start());
        Some(Mapping {
            start: hexadecimal(start)?,
            end: hexadecimal(end)?,
            is_executable: permissions.get(2) == Some(&b'x'),
            file_offset,
            inode: Inode { device: hexadecimal(major)? << 32 | hexadecimal(minor)?, number, generation: 0 },
            // seq_path() of the kernel writes line ends so (fs/proc/task_mmu.c).
            path: if path.contains("\\012") { path.replace("\\012", "\n").into() } else { path },
        })
    }
}

/// The mappings of a text; a line without an end was cut off.
fn mappings(maps: &[u8]) -> impl Iterator<Item = Mapping<'_>> {
    let lines = maps.split_inclusive(|byte| *byte == b'\n').filter_map(|line| line.strip_suffix(b"\n"));
    lines.filter_map(Mapping::parse)
}

/// The text, up to so many bytes; nothing where it cannot be read.
fn read(pid: u32, most: u64) -> Vec<u8> {
    let mut maps = Vec::new();
    let file = File::open(format!("/proc/{pid}/maps"));
    match file.and_then(|file| file.take(most).read_to_end(&mut maps)) {
        Ok(_) => maps,
        Err(_) => Vec::new(),
    }
}

/// A stretch of executable memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Executable {
    pub(crate) start: u64,
    /// The address behind its last one.
    pub(crate) end: u64,
    /// Where in the file it starts, in bytes.
    pub(crate) file_offset: u64,
    pub(crate) inode: Inode,
    /// As the kernel's records name it: a path, `[vdso]`, `//anon`.
    pub(crate) name: String,
}

/// The executable mappings of a process, by address; none where they cannot be read.
pub(crate) fn executable_mappings(pid: u32) -> Vec<Executable> {
    executable(&read(pid, MOST)).collect()
}

fn executable(maps: &[u8]) -> impl Iterator<Item = Executable> {
    mappings(maps).filter(|mapping| mapping.is_executable).map(|mapping| {
        let Mapping { start, end, file_offset, inode, path, .. } = mapping;
        let name = if path.is_empty() { "//anon".to_owned() } else { path.into_owned() };
        Executable { start, end, file_offset, inode, name }
    })
}

/// The file that is mapped next below `start` and next above `end` in a process, if it is the same one: it surrounds
/// what lies between.
pub(crate) fn file_around(pid: u32, start: u64, end: u64) -> Option<String> {
    around(&read(pid, MOST_TO_SEARCH), start, end)
}

fn around(maps: &[u8], start: u64, end: u64) -> Option<String> {
    let mut below = None;
    let is_file = |path: &str| path.starts_with('/') && !path.starts_with("/anon_hugepage");
    for mapping in mappings(maps).filter(|mapping| is_file(&mapping.path)) {
        if mapping.end <= start {
            below = Some(mapping.path);
        } else if mapping.start >= end {
            return below.filter(|below| *below == mapping.path).map(Cow::into_owned);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn executable_memory_is_told_as_the_kernel_records_it() {
        let mapping = |line: &str| executable(format!("{line}\n").as_bytes()).next();
        let file = mapping(
            "55e0c0a4b000-55e0c0b2f000 r-xp 0002f000 fe:01 1055837      /usr/bin/a b\\012c (deleted)",
        );
        let inode = Inode { device: 0xfe << 32 | 1, number: 1_055_837, generation: 0 };
        let name = "/usr/bin/a b\nc (deleted)".to_owned();
        let (start, end) = (0x55e0_c0a4_b000, 0x55e0_c0b2_f000);
        assert_eq!(file, Some(Executable { start, end, file_offset: 0x2f000, inode, name }));
        let name = |line| mapping(line).map(|mapping| mapping.name);
        assert_eq!(name("7ffe0000-7ffe2000 r-xp 00000000 00:00 0    [vdso]").as_deref(), Some("[vdso]"));
        assert_eq!(name("7f00-7f01 rwxp 00000000 00:00 0 ").as_deref(), Some("//anon"));
        assert_eq!(name("7f00-7f01 rw-p 00000000 00:00 0 "), None);
        assert_eq!(name("nonsense"), None);
        assert_eq!(name(""), None);
    }

    #[test]
    fn a_file_around_memory_lies_on_both_sides() {
        let maps = b"\
400000-600000 r-xp 00000000 08:01 5    /bin/program
600000-800000 rwxp 00000000 00:00 0 \n\
800000-a00000 rwxp 00000000 00:0f 9    /anon_hugepage (deleted)
a00000-c00000 r--p 00600000 08:01 5    /bin/program
c00000-e00000 rw-p 00000000 00:00 0    [heap]
7f0000-8f0000 r-xp 00000000 08:01 6    /lib/a b.so
";
        assert_eq!(around(maps, 0x600000, 0x800000).as_deref(), Some("/bin/program"));
        assert_eq!(around(maps, 0x800000, 0xa00000).as_deref(), Some("/bin/program"));
        assert_eq!(around(maps, 0xc00000, 0xe00000), None);
        assert_eq!(around(maps, 0x200000, 0x400000), None);
        assert_eq!(around(b"x\n-\n1-2\n", 0, 1), None);
    }
}
