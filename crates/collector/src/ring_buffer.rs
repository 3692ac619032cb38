//! The ring buffer that the kernel shares with us: section "MMAP layout" of perf_event_open(2).

use std::io;
use std::os::fd::AsRawFd;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU64, Ordering};

use perf_event_open_sys::bindings::perf_event_mmap_page;

use crate::counter::Counter;

/// By how much the head of a buffer into which several CPUs write is taken to fall back at most, in bytes: some dozens of
/// records.
const FALL_BACK: u64 = 4096;

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
    /// The data as they were when [`RingBuffer::sweep`] read them, in words; empty where it never did.
    seen: Vec<u64>,
}

// SAFETY: the mapping belongs to this value alone, and all access to it goes through `&mut self`.
unsafe impl Send for RingBuffer {}

impl RingBuffer {
    /// Maps a buffer of `data_length` bytes, a power of two of at least a page, for a counter and those that write
    /// into it.
    pub(crate) fn map(counter: &Counter, data_length: usize) -> io::Result<RingBuffer> {
        RingBuffer::map_with(libc::MAP_SHARED, counter.fd().as_raw_fd(), data_length)
    }

    /// A buffer that no counter writes into, but [`RingBuffer::produce`].
    pub(crate) fn synthetic(data_length: usize) -> io::Result<RingBuffer> {
        RingBuffer::map_with(libc::MAP_PRIVATE | libc::MAP_ANONYMOUS, -1, data_length)
    }

    fn map_with(flags: i32, fd: i32, data_length: usize) -> io::Result<RingBuffer> {
        let page = rustix::param::page_size();
        assert!(data_length.is_power_of_two() && data_length >= page, "the kernel takes no other sizes");
        // SAFETY: a new mapping at an address of the kernel's choice; no memory of ours is affected.
        let base = unsafe {
            libc::mmap(
                std::ptr::null_mut(),
                page + data_length,
                libc::PROT_READ | libc::PROT_WRITE,
                flags,
                fd,
                0,
            )
        };
        if base == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let base = NonNull::new(base.cast()).ok_or_else(|| io::Error::from(io::ErrorKind::Other))?;
        Ok(RingBuffer { base, page, data_length, tail: 0, joined: Vec::new(), seen: Vec::new() })
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

    /// Hands on every record that is there whole and was not handed on before, though the kernel may not have said that
    /// it is there.
    ///
    /// For a buffer into which several CPUs write at once, as it happens where tasks that end report what they counted.
    /// The kernel makes each buffer for the writes of one CPU (`perf_output_get_handle` in
    /// kernel/events/ring_buffer.c), so that its state suffers: data_head can stand still for ever while records arrive
    /// behind it, its own head can fall back, and then a record comes to lie before the last one that was read. The
    /// records themselves are whole, but for the rare two that got the same place. So the memory itself is compared with
    /// what it was: the last word of a record is its time, is written last, and is never what was there before.
    pub(crate) fn sweep(&mut self, mut take: impl FnMut(&[u8])) {
        let mut seen = std::mem::take(&mut self.seen);
        seen.resize(self.data_length / 8, 0);
        let mut record = std::mem::take(&mut self.joined);
        let index = |at: u64| (at as usize & (self.data_length - 1)) / 8;
        let mut at = self.tail.saturating_sub(FALL_BACK);
        // Once around at most: whoever writes meanwhile does not keep us.
        let end = at + self.data_length as u64;
        let mut tail = self.tail;
        while at < end {
            let header = self.word(index(at)).to_ne_bytes();
            let length = u64::from(u16::from_ne_bytes([header[6], header[7]]));
            let is_record = length >= 16 && length % 8 == 0 && length <= FALL_BACK;
            let last = index(at + length.saturating_sub(8));
            if !is_record || self.word(last) == seen[last] {
                // Nothing new, or not yet whole.
                if at >= tail {
                    break;
                }
                at += if is_record { length } else { 8 };
                continue;
            }
            record.clear();
            for word in (at..at + length).step_by(8).map(index) {
                seen[word] = self.word(word);
                record.extend_from_slice(&seen[word].to_ne_bytes());
            }
            take(&record);
            at += length;
            tail = tail.max(at);
        }
        (self.seen, self.joined, self.tail) = (seen, record, tail);
        // As far behind as the kernel's head can fall back: with less room than none nothing would ever be written.
        self.tail().store(tail.saturating_sub(FALL_BACK), Ordering::Release);
    }

    /// A word of the data.
    fn word(&self, index: usize) -> u64 {
        assert!(index < self.data_length / 8, "inside the buffer");
        // SAFETY: the data pages follow the first page and are mapped as long as `self`; the word lies in them, aligned as
        // they are, and is only read. The kernel may write to it at the same time.
        let word = unsafe { AtomicU64::from_ptr(self.base.as_ptr().add(self.page).cast::<u64>().add(index)) };
        // Pairs with the order in which the kernel writes a record: who sees the last word sees all before it where
        // stores keep their order (x86); elsewhere a round's distance to the writer has to do.
        word.load(Ordering::Acquire)
    }

    /// Writes a record as the kernel does, into a buffer that is ours alone; false where there is no room.
    pub(crate) fn produce(&mut self, record: &[u8]) -> bool {
        let head = self.head().load(Ordering::Relaxed);
        let free = self.data_length as u64 - (head - self.tail().load(Ordering::Relaxed));
        if free < record.len() as u64 {
            return false;
        }
        let at = head as usize & (self.data_length - 1);
        let (front, back) = record.split_at(record.len().min(self.data_length - at));
        for (at, part) in [(at, front), (0, back)] {
            assert!(at + part.len() <= self.data_length, "inside the buffer");
            // SAFETY: inside the data pages, which are mapped as long as `self`; `&mut self` has them to itself.
            unsafe {
                let place = self.base.as_ptr().add(self.page + at);
                place.copy_from_nonoverlapping(part.as_ptr(), part.len());
            }
        }
        self.head().store(head + record.len() as u64, Ordering::Release);
        true
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

#[cfg(test)]
mod tests {
    use super::*;

    /// The length of the data, in records.
    const PLACES: usize = 128;
    /// As long as the report of a task that ends.
    const RECORD: usize = 64;

    /// A buffer whose writer is the test.
    struct Made(RingBuffer);

    impl Made {
        fn new() -> Made {
            Made(RingBuffer::synthetic(PLACES * RECORD).expect("memory"))
        }

        fn write(&mut self, place: usize, word: usize, value: u64) {
            let index = (place * RECORD / 8 + word) % (self.0.data_length / 8);
            // SAFETY: inside the data of the mapping, which is ours alone.
            unsafe { self.0.base.as_ptr().add(self.0.page).cast::<u64>().add(index).write(value) };
        }

        /// A record of task `tid` at `time`, as the kernel lays it out: header, task, five values, time.
        fn record(&mut self, place: usize, tid: u64, time: u64) {
            self.write(place, 0, 8 | (RECORD as u64) << 48);
            self.write(place, 1, tid);
            self.write(place, 7, time);
        }

        /// The tasks of what is new.
        fn sweep(&mut self) -> Vec<u64> {
            let mut tasks = Vec::new();
            self.0.sweep(|record| {
                assert_eq!(record.len(), RECORD);
                tasks.push(u64::from_ne_bytes(record[8..16].try_into().expect("eight bytes")));
            });
            tasks
        }
    }

    #[test]
    fn records_are_found_though_the_kernel_does_not_say_so() {
        let mut made = Made::new();
        assert_eq!(made.sweep(), [0; 0]);
        (0..3).for_each(|place| made.record(place, place as u64, 100));
        assert_eq!(made.0.head().load(Ordering::Relaxed), 0, "nothing was announced");
        assert_eq!(made.sweep(), [0, 1, 2]);
        assert_eq!(made.sweep(), [0; 0], "nothing is handed on twice");
    }

    #[test]
    fn a_record_before_the_last_one_read_is_found() {
        let mut made = Made::new();
        (0..10).for_each(|place| made.record(place, place as u64, 100));
        assert_eq!(made.sweep().len(), 10);
        // The kernel's head fell back by two.
        made.record(8, 20, 200);
        made.record(9, 21, 201);
        made.record(10, 22, 202);
        assert_eq!(made.sweep(), [20, 21, 22]);
    }

    #[test]
    fn what_is_half_written_waits_and_what_is_garbled_is_left_out() {
        let mut made = Made::new();
        made.record(0, 1, 100);
        made.write(1, 0, 8 | (RECORD as u64) << 48);
        made.write(1, 1, 2);
        assert_eq!(made.sweep(), [1], "the second has no time yet");
        made.write(1, 7, 101);
        made.write(2, 0, 8 | 3 << 48);
        assert_eq!(made.sweep(), [2]);
        assert_eq!(made.sweep(), [0; 0]);
    }

    #[test]
    fn the_buffer_is_used_again_and_again() {
        let mut made = Made::new();
        let mut next = 0;
        for round in 0..50_u64 {
            let new: Vec<u64> = (next..next + 30).collect();
            new.iter().for_each(|&task| made.record(task as usize, task, 1_000 + task));
            assert_eq!(made.sweep(), new, "round {round}");
            next += 30;
            let tail = made.0.tail().load(Ordering::Relaxed);
            assert!(tail + FALL_BACK >= next * RECORD as u64, "the kernel gets its room back");
        }
    }
}
