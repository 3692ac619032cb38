//! The ring buffer that the kernel shares with us: section "MMAP layout" of perf_event_open(2).

use std::io;
use std::os::fd::AsRawFd;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU64, Ordering};

use perf_event_open_sys::bindings::perf_event_mmap_page;

use crate::counter::Counter;

/// The records of one CPU, as the kernel writes them.
#[derive(Debug)]
pub(crate) struct RingBuffer {
    base: NonNull<u8>,
    page: usize,
    /// A power of two.
    data_length: usize,
    /// What was read up to now; the kernel knows it after [`RingBuffer::release`].
    tail: u64,
    /// A record that goes over the end of the buffer is put together here.
    joined: Vec<u8>,
}

// SAFETY: the mapping belongs to this value alone, and all access to it goes through `&mut self`.
unsafe impl Send for RingBuffer {}

impl RingBuffer {
    /// Maps a buffer of `data_length` bytes, a power of two of at least a page, for a counter and those that write
    /// into it.
    pub(crate) fn map(counter: &Counter, data_length: usize) -> io::Result<RingBuffer> {
        let page = rustix::param::page_size();
        assert!(data_length.is_power_of_two() && data_length >= page, "the kernel takes no other sizes");
        // SAFETY: a new shared mapping at an address of the kernel's choice; no memory of ours is affected.
        let base = unsafe {
            libc::mmap(
                std::ptr::null_mut(),
                page + data_length,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_SHARED,
                counter.fd().as_raw_fd(),
                0,
            )
        };
        if base == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let base = NonNull::new(base.cast()).ok_or_else(|| io::Error::from(io::ErrorKind::Other))?;
        Ok(RingBuffer { base, page, data_length, tail: 0, joined: Vec::new() })
    }

    fn head(&self) -> &AtomicU64 {
        let page = self.base.cast::<perf_event_mmap_page>().as_ptr();
        // SAFETY: the first page of the mapping is a perf_event_mmap_page, and stays mapped as long as `self`; the
        // kernel writes data_head as one aligned 64-bit store.
        unsafe { AtomicU64::from_ptr(&raw mut (*page).data_head) }
    }

    fn tail(&self) -> &AtomicU64 {
        let page = self.base.cast::<perf_event_mmap_page>().as_ptr();
        // SAFETY: as in `head`; only we write data_tail.
        unsafe { AtomicU64::from_ptr(&raw mut (*page).data_tail) }
    }

    /// Hands on every record that is there, header included, and gives their place back to the kernel. A record
    /// that cannot be whole ends the round: what follows it could not be told apart.
    pub(crate) fn drain(&mut self, mut take: impl FnMut(&[u8])) {
        // Pairs with the kernel's barrier between its writing of records and of data_head (perf_output_put_handle).
        let head = self.head().load(Ordering::Acquire);
        while self.tail < head {
            let available = (head - self.tail) as usize;
            let at = self.tail as usize & (self.data_length - 1);
            // Records are aligned to eight bytes, as is the buffer's end: a header never goes over it.
            let header = self.bytes(at, 8.min(available));
            let length =
                header.get(6..8).map_or(0, |size| usize::from(u16::from_ne_bytes([size[0], size[1]])));
            if length < 8 || length > available || available > self.data_length {
                self.tail = head;
                break;
            }
            let to_end = self.data_length - at;
            if length <= to_end {
                take(self.bytes(at, length));
            } else {
                let mut joined = std::mem::take(&mut self.joined);
                joined.clear();
                joined.extend_from_slice(self.bytes(at, to_end));
                joined.extend_from_slice(self.bytes(0, length - to_end));
                take(&joined);
                self.joined = joined;
            }
            self.tail += length as u64;
        }
        // Pairs with the kernel's barrier between its reading of data_tail and its writing of new records: all our
        // reads of the old ones come before this store.
        self.tail().store(self.tail, Ordering::Release);
    }

    fn bytes(&self, at: usize, length: usize) -> &[u8] {
        assert!(at + length <= self.data_length, "inside the buffer");
        // SAFETY: the data pages follow the first page and are mapped as long as `self`. The kernel does not write
        // between data_tail and data_head, which is where all callers read, until data_tail moves on.
        unsafe { std::slice::from_raw_parts(self.base.as_ptr().add(self.page + at), length) }
    }
}

impl Drop for RingBuffer {
    fn drop(&mut self) {
        // SAFETY: the mapping was made with this address and length, and no reference into it outlives `self`.
        unsafe { libc::munmap(self.base.as_ptr().cast(), self.page + self.data_length) };
    }
}
