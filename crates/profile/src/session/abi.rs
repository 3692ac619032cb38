//! How the machine that wrote sample files lays out its numbers: the text file `abi` of a session.

use std::io::{self, Read};
use std::path::Path;

use super::SessionError;
use crate::open_regular;

/// The layout of sample files: sizes and offsets in bytes (libabi of OProfile names them; [`Abi::NATIVE`] is x86-64's).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Abi {
    /// The least significant byte of a number comes first.
    pub little_endian: bool,
    /// Size of a key: where samples were taken.
    pub key_size: usize,
    /// Size of a value: how many samples.
    pub value_size: usize,
    /// Size of the number of a node, and of a number in the table's description.
    pub node_number_size: usize,
    /// Size of an entry of the hash table.
    pub index_size: usize,
    /// Size of the description of the table of samples, which follows the header.
    pub description_size: usize,
    /// Size of a node.
    pub node_size: usize,
    /// Size of the header.
    pub header_size: usize,
    /// Where a node's key is.
    pub node_key: usize,
    /// Where a node's value is.
    pub node_value: usize,
    /// Where a node's link to the next one is.
    pub node_next: usize,
    /// Where, in the description, the number of nodes is that there is room for.
    pub description_nodes: usize,
    /// Where, in the description, the number of nodes in use is.
    pub description_used: usize,
    /// Where the header's magic bytes are.
    pub magic: usize,
    /// Where the version of the format is.
    pub version: usize,
    /// Where the number of the CPU type is.
    pub cpu_type: usize,
    /// Where the event's code is.
    pub event: usize,
    /// Where the unit mask is.
    pub unit_mask: usize,
    /// Where the count is.
    pub count: usize,
    /// Where it is said that the image is the kernel's.
    pub is_kernel: usize,
    /// Where the CPU's speed is.
    pub cpu_speed: usize,
    /// Where the image's modification time is.
    pub mtime: usize,
    /// Where it is said that what is called is the kernel's.
    pub callee_is_kernel: usize,
    /// Where the start of memory without a file is.
    pub memory_start: usize,
    /// Where the start of memory without a file is that was called.
    pub callee_memory_start: usize,
}

/// The largest abi file that is read, in bytes.
const LARGEST_FILE: u64 = 64 << 10;
/// No structure of a sample file is larger, in bytes, on any machine that OProfile runs on.
const LARGEST: usize = 4096;

/// Why a text is no abi file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {what}")]
pub struct NotAnAbi {
    /// The line, from 1; 0: the whole.
    pub line: usize,
    /// What is wrong with it.
    pub what: &'static str,
}

impl Abi {
    /// The layout on x86-64 (and every other little-endian machine with 64-bit pointers).
    pub const NATIVE: Abi = Abi {
        little_endian: true,
        key_size: 8,
        value_size: 4,
        node_number_size: 4,
        index_size: 4,
        description_size: 32,
        node_size: 16,
        header_size: 72,
        node_key: 0,
        node_value: 8,
        node_next: 12,
        description_nodes: 0,
        description_used: 4,
        magic: 0,
        version: 4,
        cpu_type: 8,
        event: 12,
        unit_mask: 16,
        count: 20,
        is_kernel: 24,
        cpu_speed: 32,
        mtime: 40,
        callee_is_kernel: 48,
        memory_start: 56,
        callee_memory_start: 64,
    };

    /// Reads an abi file: a line `NAME NUMBER` for each size and offset, names of libabi. What it does not say is as in
    /// [`Abi::NATIVE`]; names that are not known are passed over.
    ///
    /// # Errors
    /// Where a line is no such line, or where its number cannot be.
    pub fn parse(text: &str) -> Result<Abi, NotAnAbi> {
        let mut abi = Abi::NATIVE;
        for (line, words) in text.lines().enumerate().map(|(index, line)| (index + 1, line)) {
            let wrong = |what| NotAnAbi { line, what };
            let mut words = words.split_whitespace();
            let Some(name) = words.next() else { continue };
            let number = words.next().and_then(|number| number.parse::<usize>().ok());
            let (Some(number), None) = (number, words.next()) else {
                return Err(wrong("not a name and a number"));
            };
            if number > LARGEST {
                return Err(wrong("no size or offset is as large"));
            }
            if name == "little_endian" {
                abi.little_endian = number != 0;
            } else if let Some(field) = abi.field(name) {
                *field = number;
            } else if name == "sizeof_double" && number != 8 {
                return Err(wrong("a double has 8 bytes"));
            }
        }
        abi.check()?;
        Ok(abi)
    }

    /// Reads an abi file; `None` where there is none.
    ///
    /// # Errors
    /// Where it cannot be read, or is no abi file.
    pub fn read(path: &Path) -> Result<Option<Abi>, SessionError> {
        let unreadable = |source| SessionError::Read { path: path.to_owned(), source };
        let file = match open_regular(path) {
            Some(file) => file,
            None => {
                return match path.metadata() {
                    Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
                    Err(error) => Err(unreadable(error)),
                    Ok(metadata) if metadata.is_file() => {
                        Err(unreadable(io::ErrorKind::PermissionDenied.into()))
                    }
                    Ok(_) => Err(unreadable(io::Error::other("not a plain file"))),
                };
            }
        };
        let mut bytes = Vec::new();
        file.take(LARGEST_FILE).read_to_end(&mut bytes).map_err(unreadable)?;
        let abi = Abi::parse(&String::from_utf8_lossy(&bytes));
        abi.map(Some).map_err(|what| SessionError::Abi { path: path.to_owned(), what })
    }

    /// The field that an abi file calls by this name.
    fn field(&mut self, name: &str) -> Option<&mut usize> {
        Some(match name {
            "sizeof_odb_key_t" => &mut self.key_size,
            "sizeof_odb_value_t" => &mut self.value_size,
            "sizeof_odb_node_nr_t" => &mut self.node_number_size,
            "sizeof_odb_index_t" => &mut self.index_size,
            "sizeof_odb_descr_t" => &mut self.description_size,
            "sizeof_odb_node_t" => &mut self.node_size,
            "sizeof_struct_opd_header" => &mut self.header_size,
            "offsetof_node_key" => &mut self.node_key,
            "offsetof_node_value" => &mut self.node_value,
            "offsetof_node_next" => &mut self.node_next,
            "offsetof_descr_size" => &mut self.description_nodes,
            "offsetof_descr_current_size" => &mut self.description_used,
            "offsetof_header_magic" => &mut self.magic,
            "offsetof_header_version" => &mut self.version,
            "offsetof_header_cpu_type" => &mut self.cpu_type,
            "offsetof_header_ctr_event" => &mut self.event,
            "offsetof_header_ctr_um" => &mut self.unit_mask,
            "offsetof_header_ctr_count" => &mut self.count,
            "offsetof_header_is_kernel" => &mut self.is_kernel,
            "offsetof_header_cpu_speed" => &mut self.cpu_speed,
            "offsetof_header_mtime" => &mut self.mtime,
            "offsetof_header_cg_to_is_kernel" => &mut self.callee_is_kernel,
            "offsetof_header_anon_start" => &mut self.memory_start,
            "offsetof_header_cg_to_anon_start" => &mut self.callee_memory_start,
            _ => return None,
        })
    }

    /// Numbers have sizes that numbers have, and every structure holds its fields.
    fn check(&self) -> Result<(), NotAnAbi> {
        let wrong = |what| Err(NotAnAbi { line: 0, what });
        let sizes = [self.key_size, self.value_size, self.node_number_size, self.index_size];
        if sizes.iter().any(|size| !matches!(size, 4 | 8)) {
            return wrong("a number has 4 or 8 bytes");
        }
        let in_node = [
            self.node_key + self.key_size,
            self.node_value + self.value_size,
            self.node_next + self.node_number_size,
        ];
        if in_node.iter().any(|end| *end > self.node_size) {
            return wrong("a node is too small for what it holds");
        }
        let in_description = [self.description_nodes, self.description_used];
        if in_description.iter().any(|start| start + self.node_number_size > self.description_size) {
            return wrong("the description is too small for what it holds");
        }
        let in_header = [
            self.magic + 4,
            self.version + 4,
            self.cpu_type + 4,
            self.event + 4,
            self.unit_mask + 4,
            self.count + 4,
            self.is_kernel + 4,
            self.cpu_speed + 8,
            self.mtime + 8,
            self.callee_is_kernel + 4,
            self.memory_start + 8,
            self.callee_memory_start + 8,
        ];
        if in_header.iter().any(|end| *end > self.header_size) {
            return wrong("the header is too small for what it holds");
        }
        Ok(())
    }

    /// Where the nodes begin.
    pub(super) fn first_node(&self) -> usize {
        self.header_size + self.description_size
    }

    /// The number of `size` (4 or 8) bytes at an offset; `None` past the end.
    pub(super) fn number(&self, bytes: &[u8], offset: usize, size: usize) -> Option<u64> {
        let bytes = bytes.get(offset..offset.checked_add(size)?)?;
        let add = |number: u64, byte: &u8| number << 8 | u64::from(*byte);
        Some(match self.little_endian {
            true => bytes.iter().rev().fold(0, add),
            false => bytes.iter().fold(0, add),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_session_says_of_itself_is_read() {
        let abi = Abi::parse("sizeof_double 8\nsizeof_odb_key_t 4\n\nlittle_endian 0\nsizeof_later 3\n");
        assert_eq!(abi, Ok(Abi { key_size: 4, little_endian: false, ..Abi::NATIVE }));
        assert_eq!(Abi::parse(""), Ok(Abi::NATIVE));
        let number = |abi: Abi| abi.number(&[1, 2, 3, 4, 5], 1, 4);
        assert_eq!(number(Abi::NATIVE), Some(0x0504_0302));
        assert_eq!(number(Abi { little_endian: false, ..Abi::NATIVE }), Some(0x0203_0405));
        assert_eq!(Abi::NATIVE.number(&[0; 8], usize::MAX, 8), None);
    }

    #[test]
    fn what_cannot_be_is_refused_with_its_line() {
        let wrong = |text: &str| Abi::parse(text).expect_err(text);
        assert_eq!(wrong("sizeof_u8 1\nlittle_endian\n").line, 2);
        assert_eq!(wrong("little_endian 1 2").line, 1);
        assert_eq!(wrong("sizeof_odb_key_t -8").line, 1);
        assert_eq!(wrong("offsetof_node_key 5000").what, "no size or offset is as large");
        assert_eq!(wrong("sizeof_odb_key_t 16").what, "a number has 4 or 8 bytes");
        assert_eq!(wrong("sizeof_odb_node_t 12").what, "a node is too small for what it holds");
        assert_eq!(wrong("sizeof_struct_opd_header 64").what, "the header is too small for what it holds");
        assert_eq!(wrong("offsetof_descr_size 30").what, "the description is too small for what it holds");
        assert_eq!(wrong("sizeof_double 12").what, "a double has 8 bytes");
    }
}
