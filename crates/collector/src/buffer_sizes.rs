//! How large ring buffers are.

/// How much ring buffer each CPU gets, in bytes; powers of two.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BufferSizes {
    pub(crate) samples: usize,
    pub(crate) tasks: usize,
    pub(crate) totals: usize,
}

impl BufferSizes {
    /// Buffers smaller than this are of little use.
    pub(crate) const SMALL: usize = 16 << 10;

    /// The sentence on buffers that had to be made this small.
    pub(crate) fn shrunk_note(self) -> String {
        format!(
            "ring buffers are only {} KB per CPU: kernel.perf_event_mlock_kb and ulimit -l allow no more",
            self.samples >> 10
        )
    }

    /// Half of each, as far as that is of use.
    pub(crate) fn halved(self) -> BufferSizes {
        let half = |size: usize| (size / 2).max(size.min(BufferSizes::SMALL));
        BufferSizes { samples: half(self.samples), tasks: half(self.tasks), totals: half(self.totals) }
    }
}
