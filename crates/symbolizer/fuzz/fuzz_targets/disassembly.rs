#![no_main]

use libfuzzer_sys::fuzz_target;
use oprof_profile::ImageAddress;
use oprof_symbolizer::{Machine, Syntax, disassemble};

fuzz_target!(|input: (u8, u64, &[u8])| {
    let (choice, address, code) = input;
    let machine = [Machine::X86_64, Machine::I386, Machine::Arm64, Machine::RiscV64][usize::from(choice % 4)];
    let syntax = if choice & 4 == 0 { Syntax::Att } else { Syntax::Intel };
    let instructions = disassemble(machine, syntax, code, ImageAddress(address));
    // Every byte is in one instruction.
    assert_eq!(instructions.iter().map(|one| one.length).sum::<usize>(), code.len());
});
