//! Turns the bytes of a sample file into its header and its samples.
//!
//! Header, description and nodes as libdb's `odb_descr_t` and `odb_node_t` and OProfile's `struct opd_header` (version
//! 0x13) have them; [`Abi`] says where each number is. The hash table behind the nodes is not needed to read them.

use super::Abi;

/// The first bytes of a sample file.
pub(super) const MAGIC: [u8; 4] = *b"DAE\n";
/// The only version of the format that this reads: that of OProfile from 0.9.7 on.
pub(super) const VERSION: u64 = 0x13;

/// What is wrong with a sample file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Damage {
    /// It begins with something else.
    #[error("not a sample file")]
    Magic,
    /// It is of another version of the format, or of a machine whose numbers are the other way round.
    #[error(
        "sample file of format {0:#x}, where {VERSION:#x} can be read; is the session's file `abi` its own?"
    )]
    Version(u64),
    /// It ends before its header does.
    #[error("cut off: {0} bytes are less than a header")]
    CutOff(usize),
    /// It has more samples than there are bytes for, or than it has room for by its own word.
    #[error("damaged: it claims {claimed} nodes and holds {held}")]
    Nodes {
        /// How many nodes are in use by its own word.
        claimed: u64,
        /// How many of those can be in it.
        held: u64,
    },
}

/// What a sample file says of its samples.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Header {
    /// OProfile's number of the CPU type.
    pub cpu_type: u32,
    /// OProfile's code of the event.
    pub event: u32,
    /// The unit mask, or the whole word of what is beyond one.
    pub unit_mask: u32,
    /// One sample stands for this many events.
    pub count: u32,
    /// The image is the kernel or one of its modules.
    pub is_kernel: bool,
    /// The CPU's speed in MHz; 0 where it is not known.
    pub cpu_speed: f64,
    /// When the image was last changed, in seconds since the epoch; 0 where that is not known.
    pub mtime: u64,
    /// What is called is in the kernel or one of its modules.
    pub callee_is_kernel: bool,
    /// Where memory without a file began; 0 for everything else.
    pub memory_start: u64,
    /// Where memory without a file began that was called.
    pub callee_memory_start: u64,
}

impl Header {
    /// Reads the header, which the first bytes of a file hold.
    ///
    /// # Errors
    /// Where it is none, cut off, or of another version.
    pub fn parse(bytes: &[u8], abi: &Abi) -> Result<Header, Damage> {
        if bytes.get(abi.magic..abi.magic + MAGIC.len()).is_some_and(|magic| magic != MAGIC) {
            return Err(Damage::Magic);
        }
        let cut_off = Damage::CutOff(bytes.len());
        if bytes.len() < abi.first_node() {
            return Err(cut_off);
        }
        let number = |offset, size| abi.number(bytes, offset, size).ok_or(cut_off);
        let word = |offset| number(offset, 4).map(|number| number as u32);
        match number(abi.version, 4)? {
            VERSION => {}
            version => return Err(Damage::Version(version)),
        }
        let cpu_speed = f64::from_bits(number(abi.cpu_speed, 8)?);
        Ok(Header {
            cpu_type: word(abi.cpu_type)?,
            event: word(abi.event)?,
            unit_mask: word(abi.unit_mask)?,
            count: word(abi.count)?,
            is_kernel: word(abi.is_kernel)? != 0,
            cpu_speed: if cpu_speed.is_finite() && cpu_speed > 0.0 { cpu_speed } else { 0.0 },
            mtime: number(abi.mtime, 8)?,
            callee_is_kernel: word(abi.callee_is_kernel)? != 0,
            memory_start: number(abi.memory_start, 8)?,
            callee_memory_start: number(abi.callee_memory_start, 8)?,
        })
    }
}

/// The samples of a file, in its own order: a key and how many samples have it. The same key can come several times.
///
/// A key is the offset in the image; of a file of calls, the caller's in the upper 32 bits and the callee's in the lower.
#[derive(Clone, Debug)]
pub struct Samples<'a> {
    nodes: std::slice::ChunksExact<'a, u8>,
    abi: &'a Abi,
}

impl<'a> Samples<'a> {
    /// The samples of a file of which these are all bytes. Takes no memory of its own, whatever the file claims.
    ///
    /// # Errors
    /// Where it holds fewer nodes than it claims to.
    pub fn of_file(bytes: &'a [u8], abi: &'a Abi) -> Result<Samples<'a>, Damage> {
        let cut_off = Damage::CutOff(bytes.len());
        let number =
            |offset| abi.number(bytes, abi.header_size + offset, abi.node_number_size).ok_or(cut_off);
        let (room, used) = (number(abi.description_nodes)?, number(abi.description_used)?);
        let nodes = bytes.get(abi.first_node()..).ok_or(cut_off)?;
        let held = room.min((nodes.len() / abi.node_size) as u64);
        if used > held {
            return Err(Damage::Nodes { claimed: used, held });
        }
        // The first node is never used.
        let nodes = nodes.get(abi.node_size..used as usize * abi.node_size).unwrap_or_default();
        Ok(Samples { nodes: nodes.chunks_exact(abi.node_size), abi })
    }
}

impl Iterator for Samples<'_> {
    type Item = (u64, u64);

    fn next(&mut self) -> Option<(u64, u64)> {
        let node = self.nodes.next()?;
        let key = self.abi.number(node, self.abi.node_key, self.abi.key_size)?;
        let value = self.abi.number(node, self.abi.node_value, self.abi.value_size)?;
        Some((key, value))
    }
}
