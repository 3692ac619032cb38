//! What is written is read again; anything else is seen to be damaged.

use oprof_profile::NameSource;

use super::*;

const HEAD: Head<'static> =
    Head { key: b"the key", path: b"/usr/bin/program", functions: 100, any_symbols: true, debugging: false };

/// A hundred functions of 16 bytes, with 4 bytes between them.
fn index() -> Vec<u8> {
    let mut writer = IndexWriter::default();
    for number in 0..100 {
        let [start, end] = [number * 20, number * 20 + 16].map(|address| ImageAddress(address + 1000));
        let name = format!("space::function_{number}");
        let source = NameSource::SymbolTable;
        writer.add(&Piece { start, end, function: start, size: 16, source, name: name.as_bytes() }).unwrap();
    }
    writer.finish(&HEAD).concat()
}

fn addresses() -> Vec<ImageAddress> {
    (900..3200).step_by(3).chain([u64::MAX]).map(ImageAddress).collect()
}

#[test]
fn what_was_written_is_found() {
    let bytes = index();
    let index = Index::parse(bytes.as_slice()).unwrap();
    assert_eq!(index.head(), HEAD);
    let addresses = addresses();
    let answers = index.ask(&addresses).unwrap();
    assert!(answers.any_symbols);
    for (address, place) in addresses.iter().zip(&answers.places) {
        let inside = address.0.checked_sub(1000).filter(|at| at / 20 < 100 && at % 20 < 16);
        let expected = inside.map(|at| format!("space::function_{}", at / 20).into_bytes());
        assert_eq!(place.map(|place| answers.functions[place].name.clone()), expected, "{address:?}");
    }
    assert_eq!(answers.functions.len(), 100);
    assert_eq!(index.ask(&[]).unwrap().places, []);
}

#[test]
fn an_index_without_functions_answers_none() {
    let bytes = IndexWriter::default().finish(&Head { functions: 0, ..HEAD }).concat();
    let answers = Index::parse(bytes.as_slice()).unwrap().ask(&addresses()).unwrap();
    assert!(answers.places.iter().all(Option::is_none));
}

#[test]
fn no_byte_can_change_unseen() {
    let good = index();
    let expected = Index::parse(good.as_slice()).unwrap().ask(&addresses()).unwrap();
    for place in 0..good.len() {
        let mut bytes = good.clone();
        bytes[place] ^= 1 << (place % 8);
        let answers = Index::parse(bytes.as_slice()).and_then(|index| index.ask(&addresses()));
        assert_eq!(answers, Err(Damaged), "byte {place}");
        let cut = Index::parse(&good[..place]).and_then(|index| index.ask(&addresses()));
        assert_eq!(cut, Err(Damaged), "cut off at {place}");
    }
    assert_eq!(Index::parse(good.as_slice()).unwrap().ask(&addresses()).unwrap(), expected);
}

/// Checksums keep out what is damaged by chance; what gets past them must do no harm.
#[test]
fn what_is_written_in_bad_faith_is_read_without_harm() {
    let good = index();
    let mut answered = 0;
    for seed in 0..20_000_usize {
        let mut bytes = good.clone();
        for step in 0..1 + seed % 3 {
            let random = (seed * 3 + step + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            let place = (random >> 20) % bytes.len();
            bytes[place] = [0, 0xff, 0x80, random as u8][seed / 3 % 4];
        }
        seal(&mut bytes);
        let Ok(answers) = Index::parse(bytes.as_slice()).and_then(|index| index.ask(&addresses())) else {
            continue;
        };
        assert!(answers.places.iter().flatten().all(|place| *place < answers.functions.len()));
        answered += 1;
    }
    assert!(answered > 1000, "{answered}");
}
