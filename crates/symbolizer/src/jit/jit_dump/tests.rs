use super::*;

/// A dump as a compiler on this machine writes it, or on one of the other byte order.
struct Writer {
    bytes: Vec<u8>,
    is_swapped: bool,
}

impl Writer {
    fn new(flags: u64, is_swapped: bool) -> Writer {
        let mut writer = Writer { bytes: Vec::new(), is_swapped };
        [MAGIC, VERSION, HEADER as u32, 62, 0, 7].iter().for_each(|number| writer.u32(*number));
        writer.u64(1);
        writer.u64(flags);
        writer
    }

    fn u32(&mut self, number: u32) {
        let number = if self.is_swapped { number.swap_bytes() } else { number };
        self.bytes.extend(number.to_ne_bytes());
    }

    fn u64(&mut self, number: u64) {
        let number = if self.is_swapped { number.swap_bytes() } else { number };
        self.bytes.extend(number.to_ne_bytes());
    }

    fn record(&mut self, kind: u32, time: u64, body: impl FnOnce(&mut Writer)) {
        let mut inner = Writer { bytes: Vec::new(), is_swapped: self.is_swapped };
        body(&mut inner);
        self.u32(kind);
        self.u32((PREFIX + inner.bytes.len()) as u32);
        self.u64(time);
        self.bytes.extend(inner.bytes);
    }

    fn load(&mut self, time: u64, address: u64, size: u64, name: &str) {
        self.record(JIT_CODE_LOAD, time, |body| {
            body.u32(7);
            body.u32(7);
            [address, address, size, 1].iter().for_each(|number| body.u64(*number));
            body.bytes.extend(name.as_bytes());
            body.bytes.push(0);
            body.bytes.extend(vec![0xcc; size as usize]);
        });
    }

    fn lines(&mut self, time: u64, address: u64, lines: &[(u64, u32, &[u8])]) {
        self.record(JIT_CODE_DEBUG_INFO, time, |body| {
            body.u64(address);
            body.u64(lines.len() as u64);
            for (at, line, file) in lines {
                body.u64(*at);
                body.u32(*line);
                body.u32(0);
                body.bytes.extend(*file);
                body.bytes.push(0);
            }
        });
    }

    fn relocate(&mut self, time: u64, from: u64, to: u64) {
        self.record(JIT_CODE_MOVE, time, |body| {
            body.u32(7);
            body.u32(7);
            [to, from, to, 16, 1].iter().for_each(|number| body.u64(*number));
        });
    }
}

fn found(dump: &mut JitDump, address: u64, time: u64) -> Option<String> {
    dump.lookup(VirtualAddress(address), Timestamp(time)).map(|code| code.function.name.to_string())
}

fn sample(is_swapped: bool) -> Vec<u8> {
    let mut writer = Writer::new(0, is_swapped);
    writer.load(10, 0x1000, 64, "first");
    writer.record(77, 11, |body| body.bytes.extend([1, 2, 3]));
    writer.load(30, 0x1000, 32, "second");
    writer.relocate(50, 0x1000, 0x2000);
    writer.load(60, 0x1000, 32, "third");
    writer.bytes
}

#[test]
fn names_are_those_of_the_time() {
    for is_swapped in [false, true] {
        for piece in [1, 7, 1000] {
            let mut dump = JitDump::default();
            sample(is_swapped).chunks(piece).for_each(|bytes| dump.feed(bytes));
            assert_eq!(dump.until(), Timestamp(60));
            let answers: Vec<_> = [(0x1000, 5), (0x103f, 10), (0x1000, 30), (0x1000, 50), (0x2000, 50)]
                .into_iter()
                .map(|(address, time)| found(&mut dump, address, time))
                .collect();
            let name = |name: &str| Some(name.to_owned());
            assert_eq!(answers, [None, name("first"), name("second"), None, name("second")]);
            assert_eq!(found(&mut dump, 0x1000, 60), name("third"));
            assert_eq!(dump.lookup_only(VirtualAddress(0x1000)), None);
            let only = dump.lookup_only(VirtualAddress(0x2001)).expect("one function");
            assert_eq!((&*only.function.name, only.offset), ("second", 1));
        }
    }
}

#[test]
fn records_out_of_order_are_put_in_order() {
    let mut writer = Writer::new(0, false);
    writer.load(30, 0x1000, 32, "second");
    writer.load(10, 0x1000, 32, "first");
    let mut dump = JitDump::default();
    dump.feed(&writer.bytes);
    assert_eq!(found(&mut dump, 0x1000, 20).as_deref(), Some("first"));
    assert_eq!(found(&mut dump, 0x1000, 40).as_deref(), Some("second"));
}

#[test]
fn lines_belong_to_the_load_that_follows() {
    let mut writer = Writer::new(0, false);
    writer.lines(
        9,
        0x1000,
        &[(0x1000, 3, b"a.js"), (0x1010, 4, b"\xff"), (0x1008, 9, b"b.js"), (0xfff, 1, b"c")],
    );
    writer.load(10, 0x1000, 32, "one");
    writer.lines(11, 0x3000, &[(0x3000, 3, b"a.js")]);
    writer.load(12, 0x2000, 32, "two");
    let mut dump = JitDump::default();
    dump.feed(&writer.bytes);
    let one = dump.lookup(VirtualAddress(0x1000), Timestamp(20)).expect("a function");
    let lines: Vec<_> = one.function.lines.iter().map(|line| (line.offset, line.line, &*line.file)).collect();
    assert_eq!(lines, [(0, 3, "a.js"), (8, 9, "b.js"), (16, 4, "a.js")]);
    let two = dump.lookup(VirtualAddress(0x2000), Timestamp(20)).expect("a function");
    assert!(two.function.lines.is_empty());
}

#[test]
fn files_that_are_no_text_are_none_and_a_header_that_was_counted_is_not() {
    let mut writer = Writer::new(0, false);
    writer.lines(
        9,
        0x1000,
        &[(0x1040, 3, b"a.js"), (0x1048, 4, b"\xd5\x03"), (0x1050, 5, b"\x7f(.js"), (0x1058, 6, b"a.js")],
    );
    writer.load(10, 0x1000, 32, "one");
    let mut dump = JitDump::default();
    dump.feed(&writer.bytes);
    let one = dump.lookup(VirtualAddress(0x1000), Timestamp(20)).expect("a function");
    let lines: Vec<_> = one.function.lines.iter().map(|line| (line.offset, line.line, &*line.file)).collect();
    assert_eq!(lines, [(0, 3, "a.js"), (24, 6, "a.js")]);
}

#[test]
fn times_of_the_processor_are_not_compared() {
    let mut writer = Writer::new(ARCH_TIMESTAMP, false);
    writer.load(1 << 60, 0x1000, 32, "one");
    let mut dump = JitDump::default();
    dump.feed(&writer.bytes);
    assert_eq!(dump.until(), Timestamp(u64::MAX));
    assert_eq!(found(&mut dump, 0x1000, 5).as_deref(), Some("one"));
}

#[test]
fn what_is_no_dump_is_not_read() {
    for (at, value) in [(0, 0xff), (4, 9), (8, 1)] {
        let mut bytes = sample(false);
        bytes[at] = value;
        let mut dump = JitDump::default();
        dump.feed(&bytes);
        assert!(dump.is_damaged && found(&mut dump, 0x1000, 10).is_none(), "{at}");
    }
    let mut bytes = sample(false);
    bytes[HEADER + 4..HEADER + 8].copy_from_slice(&3_u32.to_ne_bytes());
    let mut dump = JitDump::default();
    dump.feed(&bytes);
    assert!(dump.is_damaged);
}

#[test]
fn code_and_long_records_are_passed_over_without_being_kept() {
    let mut writer = Writer::new(0, false);
    writer.load(10, 0x1000, 32 << 20, &"n".repeat(10_000));
    writer.load(11, 0x1000_0000, 32, "next");
    let mut dump = JitDump::default();
    for piece in writer.bytes.chunks(1 << 16) {
        dump.feed(piece);
        assert!(dump.partial.capacity() < 1 << 16);
    }
    assert_eq!(found(&mut dump, 0x1000, 11).map(|name| name.len()), Some(LONGEST_NAME));
    assert_eq!(found(&mut dump, 0x1000_0000, 11).as_deref(), Some("next"));
}

#[test]
fn mutated_dumps_neither_panic_nor_grow() {
    let bytes = sample(false);
    for at in 0..bytes.len() {
        for value in [0, 1, 0x7f, 0xff] {
            let mut bytes = bytes.clone();
            bytes[at] = value;
            let mut dump = JitDump::default();
            dump.feed(&bytes);
            dump.lookup(VirtualAddress(0x1000), Timestamp(u64::MAX));
            assert!(dump.partial.len() <= bytes.len());
        }
    }
}
