use oprof_profile::NameSource;

use super::*;
use crate::code_symbol::Binding;

/// A table of (name, start, size, end of section).
struct Literal(Vec<(&'static str, u64, u64, u64)>);

impl CodeTable for Literal {
    fn visit(&self, visit: &mut dyn FnMut(CodeSymbol)) {
        for (index, &(_, start, size, limit)) in self.0.iter().enumerate() {
            let (start, limit) = (ImageAddress(start), ImageAddress(limit));
            visit(CodeSymbol { index, start, size, limit, binding: Binding::Global, is_function: true });
        }
    }

    fn name(&self, index: usize) -> Option<&[u8]> {
        self.0.get(index).map(|symbol| symbol.0.as_bytes())
    }

    fn source(&self) -> NameSource {
        NameSource::SymbolTable
    }
}

/// The name at each of `addresses`, `-` where there is none.
fn found(tables: &[&Literal], addresses: &[u64]) -> Vec<&'static str> {
    let dynamic: Vec<&dyn CodeTable> = tables.iter().map(|&table| table as &dyn CodeTable).collect();
    let addresses: Vec<ImageAddress> = addresses.iter().copied().map(ImageAddress).collect();
    let holders = lookup(&dynamic, &addresses).holders;
    holders.iter().map(|holder| holder.map_or("-", |holder| tables[holder.table].0[holder.index].0)).collect()
}

#[test]
fn nothing_is_held_outside_of_a_symbol() {
    let table = Literal(vec![("b", 30, 5, 100), ("a", 10, 10, 100)]);
    let addresses = [9, 10, 19, 20, 29, 30, 34, 35, 99, 100, u64::MAX];
    assert_eq!(found(&[&table], &addresses), ["-", "a", "a", "-", "-", "b", "b", "-", "-", "-", "-"]);
}

#[test]
fn the_innermost_symbol_holds_the_address() {
    // An outer one, two inside of it, one across its end, and one at its start that is shorter.
    let table = Literal(vec![
        ("outer", 10, 90, 200),
        ("inner", 20, 30, 200),
        ("innermost", 25, 5, 200),
        ("across", 90, 20, 200),
        ("head", 10, 4, 200),
    ]);
    let expected = [
        (10, "head"),
        (14, "outer"),
        (20, "inner"),
        (25, "innermost"),
        (30, "inner"),
        (50, "outer"),
        (90, "across"),
        (100, "across"),
        (109, "across"),
        (110, "-"),
    ];
    let (addresses, names): (Vec<u64>, Vec<&str>) = expected.into_iter().unzip();
    assert_eq!(found(&[&table], &addresses), names);
    for (address, name) in addresses.into_iter().zip(names) {
        assert_eq!(found(&[&table], &[address]), [name], "{address} asked alone");
    }
}

#[test]
fn a_symbol_without_size_reaches_to_the_next_symbol_or_the_end_of_its_section() {
    let table = Literal(vec![("asm", 10, 0, 100), ("next", 30, 0, 50), ("sized", 60, 10, 100)]);
    let addresses = [9, 10, 29, 30, 49, 50, 60, 70];
    assert_eq!(found(&[&table], &addresses), ["-", "asm", "asm", "next", "next", "-", "sized", "-"]);
    let lookup = lookup(&[&table], &[ImageAddress(15), ImageAddress(45)]);
    let sizes: Vec<u64> = lookup.holders.iter().flatten().map(|holder| holder.size).collect();
    assert_eq!(sizes, [20, 20]);
}

#[test]
fn a_label_inside_of_a_function_holds_nothing() {
    let table = Literal(vec![("function", 10, 10, 100), ("label", 15, 0, 100), ("alias", 10, 0, 100)]);
    assert_eq!(found(&[&table], &[10, 15, 19, 20, 40]), ["function", "function", "function", "-", "-"]);
}

#[test]
fn a_later_table_fills_the_gaps_of_an_earlier_one() {
    let symtab = Literal(vec![("a", 10, 10, 100), ("start", 40, 0, 100)]);
    let dynsym =
        Literal(vec![("hidden", 12, 2, 100), ("b", 20, 10, 100), ("end", 60, 0, 100), ("_a", 10, 10, 100)]);
    let addresses = [10, 12, 20, 30, 40, 59, 60, 99, 100];
    let expected = ["a", "a", "b", "-", "start", "start", "end", "end", "-"];
    assert_eq!(found(&[&symtab, &dynsym], &addresses), expected);
}

#[test]
fn names_of_the_same_code_are_chosen_in_any_order() {
    let mut names = vec![("__write", 10, 10, 100), ("write", 10, 10, 100), ("_write", 10, 10, 100)];
    for _ in 0..3 {
        names.rotate_left(1);
        assert_eq!(found(&[&Literal(names.clone())], &[10, 19]), ["write", "write"]);
    }
    let labels = Literal(vec![("_start", 10, 0, 100), ("start", 10, 0, 100)]);
    assert_eq!(found(&[&labels], &[10, 50]), ["start", "start"]);
}

#[test]
fn sizes_that_pass_the_end_of_memory_are_cut() {
    let table = Literal(vec![("end", u64::MAX - 4, u64::MAX, u64::MAX), ("zero", 0, 0, 0)]);
    assert_eq!(found(&[&table], &[0, u64::MAX - 5, u64::MAX - 4, u64::MAX]), ["-", "-", "end", "-"]);
    assert!(!lookup(&[&Literal(vec![])], &[ImageAddress(1)]).any_symbols);
    assert!(lookup(&[&table], &[]).any_symbols);
}

/// Any table, against the rules as they are written, tried symbol by symbol.
#[test]
fn lookups_agree_with_a_plain_search() {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = |below: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state % below
    };
    const NAMES: [&str; 4] = ["a", "b", "_c", "dd"];
    for round in 0..2000 {
        let mut table = || {
            let symbols = random(8);
            Literal(
                (0..symbols)
                    .map(|_| {
                        let (start, size) = (random(40), if random(3) == 0 { 0 } else { random(20) });
                        (NAMES[random(4) as usize], start, size, start / 16 * 16 + 16)
                    })
                    .collect(),
            )
        };
        let tables = [&table(), &table()];
        let addresses: Vec<u64> = (0..70).filter(|_| random(3) > 0).collect();
        let plain: Vec<&str> = addresses.iter().map(|&address| plain_search(&tables, address)).collect();
        assert_eq!(found(&tables, &addresses), plain, "round {round}");
    }
}

fn plain_search(tables: &[&Literal], address: u64) -> &'static str {
    let preferred = |name: &'static str| (name.starts_with('_'), name.len(), name);
    let holds =
        |symbol: &(&str, u64, u64, u64), address: u64| symbol.1 <= address && address < symbol.1 + symbol.2;
    for table in tables {
        let holders = table.0.iter().filter(|symbol| holds(symbol, address));
        if let Some(found) = holders.min_by_key(|s| (std::cmp::Reverse(s.1), s.2, preferred(s.0))) {
            return found.0;
        }
    }
    let all = || tables.iter().flat_map(|table| &table.0);
    let Some(start) = all().map(|symbol| symbol.1).filter(|&start| start <= address).max() else {
        return "-";
    };
    if all().any(|symbol| holds(symbol, start)) {
        return "-";
    }
    for table in tables {
        let labels = table.0.iter().filter(|symbol| symbol.1 == start && symbol.2 == 0);
        if let Some(found) = labels.min_by_key(|symbol| preferred(symbol.0)) {
            return if address < found.3 { found.0 } else { "-" };
        }
    }
    "-"
}

/// A table of many symbols: (start, size), named after their place.
struct Many(Vec<(u64, u64)>, Vec<String>);

impl Many {
    fn new(symbols: Vec<(u64, u64)>) -> Many {
        let names = (0..symbols.len()).map(|place| format!("s{place}")).collect();
        Many(symbols, names)
    }
}

impl CodeTable for Many {
    fn visit(&self, visit: &mut dyn FnMut(CodeSymbol)) {
        for (index, &(start, size)) in self.0.iter().enumerate() {
            let (start, limit) = (ImageAddress(start), ImageAddress(10_000));
            visit(CodeSymbol { index, start, size, limit, binding: Binding::Global, is_function: true });
        }
    }

    fn name(&self, index: usize) -> Option<&[u8]> {
        Some(self.1[index].as_bytes())
    }

    fn source(&self) -> NameSource {
        NameSource::SymbolTable
    }
}

#[test]
fn of_more_symbols_than_are_held_the_right_ones_stay() {
    // All orders of starts and sizes, with aliases, in a sequence without order; a few have no size.
    let mut random = 1_u64;
    let symbols: Vec<(u64, u64)> = (0..4 * MOST_HELD)
        .map(|_| {
            random = random.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
            let (start, size) = (random >> 33 & 0x3ff, random >> 45 & 0x1ff);
            (start, if start % 97 == 5 { 0 } else { size + 1 })
        })
        .collect();
    let table = Many::new(symbols);
    let addresses: Vec<ImageAddress> = (0..1600).step_by(3).map(ImageAddress).collect();
    let found = lookup(&[&table], &addresses).holders;
    for (address, holder) in addresses.iter().zip(found) {
        let holds = |place: &usize| {
            let (start, size) = table.0[*place];
            start <= address.0 && address.0 - start < size
        };
        // The last start, then the nearest end, then the shortest and least name.
        let key = |place: &usize| {
            let (start, size) = table.0[*place];
            (Reverse(start), start + size, table.1[*place].len(), table.1[*place].clone())
        };
        let expected = (0..table.0.len()).filter(holds).min_by_key(key);
        if let Some(expected) = expected {
            assert_eq!(holder.map(|holder| holder.index), Some(expected), "at {address:?}");
        }
    }
}
