use super::*;
use std::io::Write as _;

const TEXT: &[u8] = b"\
0000000000000000 A fixed_percpu_data
ffffffff81000000 T srso_alias_untrain_ret
ffffffff81000000 T _stext
ffffffff81000000 T _text
ffffffff81000100 t __do_sys_read
ffffffff81000100 T __x64_sys_read
ffffffff81000100 W sys_read
ffffffff81000200 t local
ffffffff81000300 T _etext
ffffffff82000000 D data
ffffffff83000000 B __init_begin
ffffffff83000000 T _sinittext
ffffffff83000000 t init_setup
ffffffff83000040 T _einittext
ffffffffc0000000 t cleanup\t[ext4]
ffffffffc0000080 t init\t[ext4]
ffffffffc0000100 d table\t[ext4]
ffffffffc0002000 t bpf_prog_6deef7357e7b4530\t[bpf]
";

fn found(symbols: &KernelSymbols, address: u64) -> Result<(String, u64, Option<&str>), Unresolved> {
    symbols
        .lookup(VirtualAddress(address))
        .map(|symbol| (symbol.name.into_owned(), symbol.size, symbol.module))
}

#[test]
fn symbols_end_where_the_next_one_starts_and_at_known_ends() {
    let symbols = KernelSymbols::parse(TEXT);
    let none = Err(Unresolved::NoSymbolAtOffset);
    let expected = [
        (0xffffffff80ffffff, none.clone()),
        (0xffffffff81000000, Ok(("srso_alias_untrain_ret".into(), 0x100, None))),
        (0xffffffff810001ff, Ok(("__x64_sys_read".into(), 0x100, None))),
        (0xffffffff810002ff, Ok(("local".into(), 0x100, None))),
        (0xffffffff81000300, none.clone()),
        (0xffffffff82000000, none.clone()),
        (0xffffffff83000000, none.clone()),
        (0xffffffff8300003f, none.clone()),
        (0xffffffff83000040, none.clone()),
        (0xffffffffc000007f, Ok(("cleanup".into(), 0x80, Some("[ext4]")))),
        (0xffffffffc0000080, Ok(("init".into(), 0x80, Some("[ext4]")))),
        (0xffffffffc0000100, none.clone()),
        (0xffffffffc0002000, Ok(("bpf_prog_6deef7357e7b4530".into(), 1, Some("[bpf]")))),
        (0xffffffffc0002001, none.clone()),
    ];
    for (address, expected) in expected {
        assert_eq!(found(&symbols, address), expected, "{address:x}");
    }
}

/// Memory that was freed after the kernel had started names nothing but what was put there later.
#[test]
fn init_text_is_left_out_and_what_took_its_place_is_not() {
    let text = b"\
ffffffff81000000 T _text
ffffffff81000000 T first
ffffffff82000000 T before
ffffffff83000000 D __init_begin
ffffffff83000800 t built_in_init
ffffffff83001000 T _sinittext
ffffffff83001000 t do_one_initcall
ffffffff83003000 T _einittext
ffffffff83004000 t built_in_exit
ffffffff83005000 D __init_end
ffffffff83006000 t after
ffffffff83007000 D _edata
ffffffff83002000 t of_a_module\t[late]
ffffffff83004800 t bpf_prog_1\t[bpf]
";
    let symbols = KernelSymbols::parse(text);
    let none = Err(Unresolved::NoSymbolAtOffset);
    let expected = [
        (0xffffffff82ffffff, Ok(("before".into(), 0x1000000, None))),
        (0xffffffff83000000, none.clone()),
        (0xffffffff83000800, none.clone()),
        (0xffffffff83001fff, none.clone()),
        (0xffffffff83002000, Ok(("of_a_module".into(), 0x2800, Some("[late]")))),
        (0xffffffff83004800, Ok(("bpf_prog_1".into(), 0x800, Some("[bpf]")))),
        (0xffffffff83005000, none.clone()),
        (0xffffffff83006000, Ok(("after".into(), 0x1000, None))),
    ];
    for (address, expected) in expected {
        assert_eq!(found(&symbols, address), expected, "{address:x}");
    }
    let backward = b"3000 T _sinittext\n3000 t a\n2000 T _einittext\n2000 t b\n4000 D end\n";
    let symbols = KernelSymbols::parse(backward);
    assert_eq!(found(&symbols, 0x3001), Ok(("a".into(), 0x1000, None)), "nonsense is not believed");
}

/// No function that starts the kernel is named, and every other one still is.
#[test]
fn of_this_kernel_init_text_alone_is_left_out() {
    let Ok(text) = std::fs::read("/proc/kallsyms") else { return };
    let lines: Vec<Line<'_>> = text.split(|&byte| byte == b'\n').filter_map(Line::parse).collect();
    let place = |name: &[u8]| lines.iter().find(|line| line.name == name).map(|line| line.address);
    let (Some(begin), Some(end)) = (place(b"_sinittext"), place(b"_einittext")) else {
        let _ = writeln!(io::stderr(), "skipped: this kernel does not tell where its init text is");
        return;
    };
    if begin.0 == 0 {
        let _ = writeln!(io::stderr(), "skipped: kernel symbols are hidden");
        return;
    }
    let symbols = KernelSymbols::parse(&text);
    let (mut left_out, mut kept) = (0, 0);
    for line in lines.iter().filter(|line| line.role().is_some_and(|role| role < Role::Marker)) {
        let found = symbols.lookup(line.address);
        if (begin..end).contains(&line.address) && line.module.is_none() {
            assert_eq!(found, Err(Unresolved::NoSymbolAtOffset), "{:x}", line.address.0);
            left_out += 1;
        } else if line.address < begin {
            assert_eq!(found.map(|symbol| symbol.address), Ok(line.address));
            kept += 1;
        }
    }
    assert!(left_out > 100 && kept > 10_000, "{left_out} left out, {kept} kept");
}

#[test]
fn the_order_of_the_lines_does_not_matter() {
    let mut lines: Vec<&[u8]> = TEXT.split_inclusive(|&byte| byte == b'\n').collect();
    lines.reverse();
    let (forward, backward) = (KernelSymbols::parse(TEXT), KernelSymbols::parse(&lines.concat()));
    for address in (0xffffffff80ffff00..0xffffffff81000400).step_by(0x10) {
        assert_eq!(found(&forward, address), found(&backward, address), "{address:x}");
    }
}

#[test]
fn hidden_addresses_and_missing_symbols_say_so() {
    let hidden = KernelSymbols::parse(b"0000000000000000 T _stext\n0000000000000000 t foo\t[ext4]\n");
    assert_eq!(found(&hidden, 0xffffffff81000000), Err(Unresolved::KernelRestricted));
    assert_eq!(found(&KernelSymbols::parse(b""), 0), Err(Unresolved::NoSymbols));
    let names = hidden.resolve(&[ImageOffset(1)]);
    assert_eq!(names.lookup(ImageOffset(1)), Err(Unresolved::KernelRestricted));
}

#[test]
fn lines_of_another_shape_are_skipped() {
    let text =
        b"\n \nx\n12\n12 \n12 T\n12 T \nzz T a\n11111111111111111 T b\n T c\n10 T good\xff\tmodule\n20 d x";
    assert_eq!(found(&KernelSymbols::parse(text), 0x11), Ok(("good\u{fffd}".into(), 0x10, None)));
    assert_eq!(KernelSymbols::parse(text).entries.len(), 2);
}

#[test]
fn offsets_get_one_symbol_for_each_function() {
    let names = KernelSymbols::parse(TEXT).resolve(&[
        ImageOffset(0xffffffff81000210),
        ImageOffset(0xffffffff81000000),
        ImageOffset(0xffffffff81000004),
        ImageOffset(0xffffffff82000000),
    ]);
    let symbols: Vec<&str> = names.symbols.iter().map(|symbol| symbol.name.as_str()).collect();
    assert_eq!(symbols, ["srso_alias_untrain_ret", "local"]);
    let answers: Vec<_> = names.offsets.iter().map(|entry| entry.1).collect();
    assert_eq!(
        answers,
        [Ok(SymbolId(0)), Ok(SymbolId(0)), Ok(SymbolId(1)), Err(Unresolved::NoSymbolAtOffset)]
    );
}

/// Modules of arm64 and riscv64 kernels show their mapping symbols, one for each function at the same address.
#[test]
fn mapping_symbols_name_nothing() {
    let text =
        b"ffff800001000000 t $x\t[m]\nffff800001000000 t function\t[m]\nffff800001000010 t $d.1\t[m]\n\
        ffff800001000014 t .L0 \t[m]\nffff800001000018 t L0\x01\t[m]\nffff800001000020 d end\t[m]\n";
    let symbols = KernelSymbols::parse(text);
    for offset in [0, 0x10, 0x14, 0x1f] {
        let expected = Ok(("function".into(), 0x20, Some("[m]")));
        assert_eq!(found(&symbols, 0xffff_8000_0100_0000 + offset), expected, "{offset:x}");
    }
}

#[test]
fn what_is_forgotten_has_no_name_and_ends_what_stands_before_it() {
    let text = b"1000 t bpf_prog_1\t[bpf]\n1100 t bpf_prog_2\t[bpf]\n1200 t bpf_prog_3\t[bpf]\n1300 t f\n1400 D end\n";
    let mut symbols = KernelSymbols::parse(text);
    symbols.forget(|address| [0x1100, 0x1300].contains(&address.0));
    assert_eq!(found(&symbols, 0x10ff), Ok(("bpf_prog_1".into(), 0x100, Some("[bpf]"))));
    assert_eq!(found(&symbols, 0x1100), Err(Unresolved::NoSymbolAtOffset));
    assert_eq!(found(&symbols, 0x11ff), Err(Unresolved::NoSymbolAtOffset));
    assert_eq!(found(&symbols, 0x1200), Ok(("bpf_prog_3".into(), 0x100, Some("[bpf]"))));
    assert_eq!(found(&symbols, 0x1300), Ok(("f".into(), 0x100, None)), "the kernel's own code is not made");
}
