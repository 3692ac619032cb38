//! ELF images of every class and endianness, built byte by byte: what no compiler on this machine would make.

use std::io::Write;

use object::elf;
use object::endian::Endianness;
use object::write::elf::{FileHeader, ProgramHeader, SectionHeader, Sym, Writer};
use oprof_profile::{BuildId, ImageAddress, ImageIdentity, ImageNames, ImageOffset, Unresolved};
use oprof_symbolizer::{DebugDirectories, Symbolizer, build_id};

/// Where the code is in the file, and where in memory: a distance that no page size explains away.
const CODE_OFFSET: u64 = 0x1000;
const CODE_ADDRESS: u64 = 0x40_3000;
const CODE_SIZE: u64 = 0x400;

const ID: [u8; 20] = *b"0123456789abcdefghij";

/// A symbol: name, value, size, type, binding, whether it is in the code section (else in one of data).
type Entry = (&'static str, u64, u64, elf::SymbolType, elf::SymbolBind, bool);

/// An image with one segment of code, one of data and the build id [`ID`].
fn image(endian: Endianness, is_64: bool, machine: elf::Machine, symbols: &[Entry]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut writer = Writer::new(endian, is_64, &mut bytes);
    writer.reserve_file_header();
    writer.reserve_program_headers(3);
    let note_offset = writer.reserve(36, 4);
    writer.reserve_until(CODE_OFFSET);
    writer.reserve(CODE_SIZE, 1);
    let data_offset = writer.reserve(0x100, 1);
    writer.reserve_null_section_index();
    let (text_name, data_name) = (writer.add_section_name(b".text"), writer.add_section_name(b".data"));
    let text = writer.reserve_section_index();
    let data = writer.reserve_section_index();
    let names: Vec<_> = symbols.iter().map(|symbol| writer.add_string(symbol.0.as_bytes())).collect();
    if !symbols.is_empty() {
        writer.reserve_null_symbol_index();
        for symbol in symbols {
            writer.reserve_symbol_index(Some(if symbol.5 { text } else { data }));
        }
        writer.reserve_symtab_section_index();
        writer.reserve_symtab();
        writer.reserve_strtab_section_index();
        writer.reserve_strtab().unwrap();
    }
    writer.reserve_shstrtab_section_index();
    writer.reserve_shstrtab().unwrap();
    writer.reserve_section_headers();

    writer
        .write_file_header(&FileHeader {
            os_abi: elf::ELFOSABI_NONE,
            abi_version: 0,
            e_type: elf::ET_DYN,
            e_machine: machine,
            e_entry: 0,
            e_flags: elf::FileFlags(0),
        })
        .unwrap();
    writer.write_align_program_headers();
    let load = |flags, offset, address, size| ProgramHeader {
        p_type: elf::PT_LOAD,
        p_flags: flags,
        p_offset: offset,
        p_vaddr: address,
        p_paddr: address,
        p_filesz: size,
        p_memsz: size,
        p_align: 0x1000,
    };
    writer.write_program_header(&load(elf::PF_R | elf::PF_X, CODE_OFFSET, CODE_ADDRESS, CODE_SIZE));
    writer.write_program_header(&load(elf::PF_R | elf::PF_W, data_offset, CODE_ADDRESS + 0x10000, 0x100));
    writer.write_program_header(&ProgramHeader {
        p_type: elf::PT_NOTE,
        p_align: 4,
        ..load(elf::PF_R, note_offset, 0, 36)
    });
    writer.pad_until(note_offset);
    for word in [4, 20, elf::NT_GNU_BUILD_ID.0] {
        let word: u32 = word;
        writer.write(&if endian == Endianness::Big { word.to_be_bytes() } else { word.to_le_bytes() });
    }
    writer.write(b"GNU\0");
    writer.write(&ID);
    writer.pad_until(data_offset + 0x100);
    let names: Vec<u32> = names.into_iter().map(|name| writer.string_offset(Some(name))).collect();
    if !symbols.is_empty() {
        writer.write_null_symbol();
        for (symbol, name) in symbols.iter().zip(names) {
            writer.write_symbol(&Sym {
                section: Some(if symbol.5 { text.0 } else { data.0 }),
                st_name: name,
                st_info: elf::SymbolInfo::new(symbol.4, symbol.3),
                st_other: elf::SymbolOther(0),
                st_shndx: elf::SymbolSection(0),
                st_value: symbol.1,
                st_size: symbol.2,
            });
        }
        writer.write_strtab();
    }
    writer.write_shstrtab();
    writer.write_null_section_header();
    let [text_name, data_name] = [text_name, data_name].map(|name| writer.section_name_offset(Some(name)));
    for (name, flags, address, offset, size) in [
        (text_name, elf::SHF_ALLOC | elf::SHF_EXECINSTR, CODE_ADDRESS, CODE_OFFSET, CODE_SIZE),
        (data_name, elf::SHF_ALLOC | elf::SHF_WRITE, CODE_ADDRESS + 0x10000, data_offset, 0x100),
    ] {
        writer.write_section_header(&SectionHeader {
            sh_name: name,
            sh_type: elf::SHT_PROGBITS,
            sh_flags: flags,
            sh_addr: address,
            sh_offset: offset,
            sh_size: size,
            sh_link: 0,
            sh_info: 0,
            sh_addralign: 16,
            sh_entsize: 0,
        });
    }
    if !symbols.is_empty() {
        writer.write_symtab_section_header(1);
        writer.write_strtab_section_header();
    }
    writer.write_shstrtab_section_header();
    bytes
}

fn name_at(names: &ImageNames, offset: u64) -> Result<String, Unresolved> {
    names.lookup(ImageOffset(offset)).map(|id| names.symbol(id).unwrap().name.clone())
}

fn offsets(offsets: &[u64]) -> Vec<ImageOffset> {
    offsets.iter().copied().map(ImageOffset).collect()
}

fn file(bytes: &[u8]) -> std::fs::File {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    file
}

const FUNC: elf::SymbolType = elf::STT_FUNC;
const NOTYPE: elf::SymbolType = elf::STT_NOTYPE;
const GLOBAL: elf::SymbolBind = elf::STB_GLOBAL;
const LOCAL: elf::SymbolBind = elf::STB_LOCAL;

#[test]
fn every_class_and_endianness_resolves_through_the_program_headers() {
    let symbols: &[Entry] = &[
        ("local", CODE_ADDRESS + 0x40, 0x20, FUNC, LOCAL, true),
        ("_ZN5space3fooEi", CODE_ADDRESS, 0x20, FUNC, GLOBAL, true),
        ("resolver", CODE_ADDRESS + 0x80, 0x10, elf::STT_GNU_IFUNC, GLOBAL, true),
        ("label", CODE_ADDRESS + 0x100, 0, NOTYPE, GLOBAL, true),
        ("variable", CODE_ADDRESS + 0x30, 0x10, elf::STT_OBJECT, GLOBAL, true),
        ("data_label", CODE_ADDRESS + 0x10000, 0, NOTYPE, GLOBAL, false),
    ];
    let asked =
        [0, 0xfff, 0x1000, 0x101f, 0x1020, 0x1030, 0x1040, 0x1080, 0x1100, 0x13ff, 0x1400, 0x14ff, 0x1500];
    let none = || Err(Unresolved::NoSymbolAtOffset);
    let expected = [
        none(),
        none(),
        Ok("space::foo(int)".to_string()),
        Ok("space::foo(int)".to_string()),
        none(),
        none(),
        Ok("local".to_string()),
        Ok("resolver".to_string()),
        Ok("label".to_string()),
        Ok("label".to_string()),
        none(),
        none(),
        none(),
    ];
    for (endian, is_64) in [
        (Endianness::Little, true),
        (Endianness::Little, false),
        (Endianness::Big, true),
        (Endianness::Big, false),
    ] {
        let bytes = image(endian, is_64, elf::EM_PPC, symbols);
        let file = file(&bytes);
        let identity = ImageIdentity::BuildId(BuildId::new(&ID).unwrap());
        let names =
            Symbolizer::new(DebugDirectories::none()).resolve_file(None, &file, &identity, &offsets(&asked));
        for (&offset, expected) in asked.iter().zip(&expected) {
            assert_eq!(&name_at(&names, offset), expected, "{endian:?} 64: {is_64} offset {offset:x}");
        }
        assert_eq!(
            names,
            Symbolizer::new(DebugDirectories::none()).resolve_bytes(&bytes, &identity, &offsets(&asked))
        );
        assert_eq!(names.symbols.len(), 4, "each symbol stands once: {:?}", names.symbols);
        let foo = &names.symbols[0];
        assert_eq!((foo.address, foo.size), (ImageAddress(CODE_ADDRESS), 0x20));
        assert_eq!(foo.mangled.as_deref(), Some("_ZN5space3fooEi"));
        let label = names.symbols.iter().find(|symbol| symbol.name == "label").unwrap();
        assert_eq!((label.address, label.size), (ImageAddress(CODE_ADDRESS + 0x100), 0x300));
        assert_eq!(build_id(&file), Ok(BuildId::new(&ID)));
    }
}

#[test]
fn mapping_symbols_and_thumb_bits_do_not_disturb() {
    let symbols: &[Entry] = &[
        ("assembler", CODE_ADDRESS, 0, NOTYPE, GLOBAL, true),
        ("$d", CODE_ADDRESS + 0x10, 0, NOTYPE, LOCAL, true),
        ("$t.3", CODE_ADDRESS + 0x20, 0, NOTYPE, LOCAL, true),
        ("thumb", CODE_ADDRESS + 0x101, 0x10, FUNC, GLOBAL, true),
    ];
    let bytes = image(Endianness::Little, false, elf::EM_ARM, symbols);
    let names = Symbolizer::new(DebugDirectories::none()).resolve_bytes(
        &bytes,
        &ImageIdentity::None,
        &offsets(&[0x1000, 0x1018, 0x1024, 0x1100, 0x110f, 0x1110]),
    );
    for (offset, expected) in [
        (0x1000, Ok("assembler")),
        (0x1018, Ok("assembler")),
        (0x1024, Ok("assembler")),
        (0x1100, Ok("thumb")),
        (0x110f, Ok("thumb")),
        (0x1110, Err(Unresolved::NoSymbolAtOffset)),
    ] {
        assert_eq!(name_at(&names, offset), expected.map(str::to_string), "offset {offset:x}");
    }
}

#[test]
fn an_image_without_symbols_says_so_for_every_offset() {
    let data_only: &[Entry] = &[("variable", CODE_ADDRESS, 8, elf::STT_OBJECT, GLOBAL, true)];
    for symbols in [&[], data_only] {
        let bytes = image(Endianness::Little, true, elf::EM_X86_64, symbols);
        let names = Symbolizer::new(DebugDirectories::none()).resolve_bytes(
            &bytes,
            &ImageIdentity::None,
            &offsets(&[0, 0x1000, u64::MAX]),
        );
        let expected = ImageNames::unresolved(offsets(&[0, 0x1000, u64::MAX]), Unresolved::NoSymbols);
        assert_eq!(ImageNames { segments: Vec::new(), ..names }, expected);
    }
}

#[test]
fn another_file_of_the_same_name_is_not_believed() {
    let bytes =
        image(Endianness::Little, true, elf::EM_X86_64, &[("f", CODE_ADDRESS, 8, FUNC, GLOBAL, true)]);
    let other = ImageIdentity::BuildId(BuildId::new(b"another").unwrap());
    let names = Symbolizer::new(DebugDirectories::none()).resolve_file(
        None,
        &file(&bytes),
        &other,
        &offsets(&[0x1000]),
    );
    assert_eq!(name_at(&names, 0x1000), Err(Unresolved::BuildIdMismatch));
    for damaged in
        [&b""[..], b"#!/bin/sh\necho hello to all of you\n", &bytes[..100], &bytes[..bytes.len() - 64]]
    {
        let names = Symbolizer::new(DebugDirectories::none()).resolve_file(
            None,
            &file(damaged),
            &ImageIdentity::None,
            &offsets(&[0x1000]),
        );
        assert_eq!(name_at(&names, 0x1000), Err(Unresolved::Unreadable), "{} bytes", damaged.len());
    }
}

#[test]
fn a_file_that_is_huge_and_hollow_is_not_read_into_memory() {
    let mut bytes =
        image(Endianness::Little, true, elf::EM_X86_64, &[("f", CODE_ADDRESS, 8, FUNC, GLOBAL, true)]);
    // Section header 3 is the symbol table: let it take 1 TB, which the file, being sparse, does hold.
    let section_headers = u64::from_le_bytes(bytes[40..48].try_into().unwrap()) as usize;
    let size = section_headers + 3 * 64 + 32;
    bytes[size..size + 8].copy_from_slice(&(24_u64 << 36).to_le_bytes());
    let file = file(&bytes);
    file.set_len(2 << 40).unwrap();
    let names = Symbolizer::new(DebugDirectories::none()).resolve_file(
        None,
        &file,
        &ImageIdentity::None,
        &offsets(&[0x1000]),
    );
    assert_eq!(name_at(&names, 0x1000), Err(Unresolved::Unreadable));
}
