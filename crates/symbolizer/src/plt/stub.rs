//! Turns the code of a procedure linkage table into its stubs, each with the slot that it jumps through.
//!
//! What stubs look like is in the processor supplements of the ELF ABI (x86-64: "Procedure Linkage Table"; AArch64,
//! RISC-V: the same) and, where linkers differ, in what they make: `objdump -d -j .plt`.

use object::{Endian, Endianness, elf};
use oprof_profile::ImageAddress;

/// Code that jumps to where a slot points.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stub {
    /// The address of its first byte.
    pub(super) start: ImageAddress,
    /// Its length in bytes.
    pub(super) size: u64,
    /// The address of the slot.
    pub(super) slot: ImageAddress,
}

/// The stubs in `code`, which stands at `start`; `offset_table` is where the global offset table is, which
/// position-independent i386 code has in %ebx. Empty for a machine that is not known.
pub(super) fn stubs(
    machine: elf::Machine,
    endian: Endianness,
    code: &[u8],
    start: ImageAddress,
    offset_table: Option<ImageAddress>,
) -> Vec<Stub> {
    match machine {
        elf::EM_X86_64 => x86(code, start, |operand, end| match operand {
            // jmp *DISTANCE(%rip)
            (0x25, distance) => Some(end.wrapping_add_signed(distance.into())),
            _ => None,
        }),
        elf::EM_386 => x86(code, start, |operand, _| match operand {
            // jmp *ADDRESS
            (0x25, address) => Some((address as u32).into()),
            // jmp *DISTANCE(%ebx)
            (0xa3, distance) => Some((offset_table?.0 as u32).wrapping_add_signed(distance).into()),
            _ => None,
        }),
        elf::EM_AARCH64 => instructions(code, start, Endianness::Little, aarch64),
        elf::EM_RISCV => instructions(code, start, endian, riscv),
        _ => Vec::new(),
    }
}

/// Stubs of x86 have a fixed size: 16 bytes, or 8 where they are nothing but the jump, in `.plt.got` and in programs
/// that are linked statically.
/// `slot` tells the address of the slot from the jump's second byte, its displacement and the address behind it.
fn x86(code: &[u8], start: ImageAddress, slot: impl Fn((u8, i32), u64) -> Option<u64>) -> Vec<Stub> {
    // Filled up with xchg %ax, %ax.
    let is_short = code.starts_with(b"\xff") && code.get(6..8) == Some(b"\x66\x90");
    let size: usize = if is_short { 8 } else { 16 };
    let stub = |(number, stub): (usize, &[u8])| {
        let address = start.0.wrapping_add((number * size) as u64);
        // Before the jump there may be a marker, a prefix or, in mold's stubs, the index of the relocation.
        let place = stub.windows(6).position(|bytes| bytes[0] == 0xff && matches!(bytes[1], 0x25 | 0xa3))?;
        let displacement = i32::from_le_bytes(*stub[place + 2..].first_chunk()?);
        let slot = slot((stub[place + 1], displacement), address.wrapping_add(place as u64 + 6))?;
        Some(Stub { start: ImageAddress(address), size: size as u64, slot: ImageAddress(slot) })
    };
    code.chunks_exact(size).enumerate().filter_map(stub).collect()
}

/// Stubs of instructions of four bytes, found by their first two that load from a slot. `load` tells the slot's
/// address from these and the address of the first, and whether an instruction before them is part of the stub.
fn instructions(
    code: &[u8],
    start: ImageAddress,
    endian: Endianness,
    load: impl Fn(u32, u32, u64) -> Option<u64>,
) -> Vec<Stub> {
    // BTI c, where control flow is guarded.
    const LANDING: u32 = 0xd503_245f;
    let word = |place: usize| Some(endian.read_u32(*code.get(place..)?.first_chunk()?));
    let mut stubs: Vec<Stub> = Vec::new();
    for place in (0..code.len()).step_by(4) {
        let (Some(first), Some(second)) = (word(place), word(place + 4)) else { break };
        let Some(slot) = load(first, second, start.0.wrapping_add(place as u64)) else { continue };
        let landing = place.checked_sub(4).and_then(word) == Some(LANDING);
        let place = if landing { place - 4 } else { place };
        let address = ImageAddress(start.0.wrapping_add(place as u64));
        // Each reaches to the next, the last to the end.
        if let Some(last) = stubs.last_mut() {
            last.size = address.0.wrapping_sub(last.start.0);
        }
        stubs.push(Stub { start: address, size: (code.len() - place) as u64, slot: ImageAddress(slot) });
    }
    stubs
}

/// `adrp x16, PAGE; ldr x17, [x16, OFFSET]` (Arm Architecture Reference Manual, ADRP and LDR (immediate)).
fn aarch64(first: u32, second: u32, address: u64) -> Option<u64> {
    let is_adrp = first & 0x9f00_001f == 0x9000_0010;
    let is_load = second & 0xffc0_03ff == 0xf940_0211;
    if !(is_adrp && is_load) {
        return None;
    }
    let immediate = (first >> 5 & 0x7_ffff) << 2 | (first >> 29 & 3);
    // 21 bits with a sign.
    let pages = i64::from((immediate << 11) as i32 >> 11);
    let offset = u64::from(second >> 10 & 0xfff) * 8;
    Some((address & !0xfff).wrapping_add_signed(pages << 12).wrapping_add(offset))
}

/// `auipc t3, HIGH; ld t3, LOW(t3)`, or `lw` (The RISC-V Instruction Set Manual, volume I).
fn riscv(first: u32, second: u32, address: u64) -> Option<u64> {
    let is_auipc = first & 0xfff == 0xe17;
    // Opcode LOAD, from and into t3 (x28), of 4 or 8 bytes.
    let is_load = matches!(second & 0xf_ffff, 0xe_3e03 | 0xe_2e03);
    if !(is_auipc && is_load) {
        return None;
    }
    let high = i64::from((first & 0xffff_f000) as i32);
    let low = i64::from(second as i32 >> 20);
    Some(address.wrapping_add_signed(high).wrapping_add_signed(low))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(machine: elf::Machine, code: &[u8], start: u64) -> Vec<(u64, u64, u64)> {
        stubs(machine, Endianness::Little, code, ImageAddress(start), Some(ImageAddress(0x4000)))
            .iter()
            .map(|stub| (stub.start.0, stub.size, stub.slot.0))
            .collect()
    }

    #[test]
    fn x86_64_stubs_of_every_linker() {
        let plain = b"\xff\x25\xca\x2f\0\0\x68\0\0\0\0\xe9\xe0\xff\xff\xff";
        assert_eq!(found(elf::EM_X86_64, plain, 0x1030), [(0x1030, 16, 0x4000)]);
        let got = b"\xff\x25\x4a\x2f\0\0\x66\x90\xff\x25\x62\x2f\0\0\x66\x90";
        assert_eq!(found(elf::EM_X86_64, got, 0x1070), [(0x1070, 8, 0x3fc0), (0x1078, 8, 0x3fe0)]);
        let guarded = b"\xf3\x0f\x1e\xfa\xf2\xff\x25\x75\x2f\0\0\x0f\x1f\x44\0\0";
        assert_eq!(found(elf::EM_X86_64, guarded, 0x1050), [(0x1050, 16, 0x3fd0)]);
        // Of mold, with the index in %r11.
        let mold = b"\xf3\x0f\x1e\xfa\x41\xbb\x01\0\0\0\xff\x25\x10\0\0\0";
        assert_eq!(found(elf::EM_X86_64, mold, 0x1000), [(0x1000, 16, 0x1020)]);
        // The lazy half of a guarded table jumps through no slot.
        let lazy = b"\xf3\x0f\x1e\xfa\x68\0\0\0\0\xf2\xe9\xe1\xff\xff\xff\x90";
        assert_eq!(found(elf::EM_X86_64, lazy, 0x1030), []);
    }

    #[test]
    fn i386_stubs_with_and_without_a_base() {
        let fixed = b"\xff\x25\x0c\xa0\x04\x08\x68\0\0\0\0\xe9\xe0\xff\xff\xff";
        assert_eq!(found(elf::EM_386, fixed, 0x1030), [(0x1030, 16, 0x804_a00c)]);
        let relative = b"\xff\xa3\x0c\0\0\0\x68\0\0\0\0\xe9\xe0\xff\xff\xff";
        assert_eq!(found(elf::EM_386, relative, 0x1030), [(0x1030, 16, 0x400c)]);
        let below = b"\xff\xa3\xf0\xff\xff\xff\x66\x90";
        assert_eq!(found(elf::EM_386, below, 0x1030), [(0x1030, 8, 0x3ff0)]);
    }

    #[test]
    fn aarch64_and_riscv_stubs() {
        let code = [0x9000_0110_u32, 0xf940_0611, 0x9100_2210, 0xd61f_0220].map(u32::to_le_bytes).concat();
        assert_eq!(found(elf::EM_AARCH64, &code, 0x740), [(0x740, 16, 0x20008)]);
        // A page below, and with a landing pad.
        let code = [0xd503_245f_u32, 0xf0ff_fff0, 0xf940_0611, 0x9100_2210, 0xd61f_0220, 0xd503_201f];
        let code = [code, code].concat().into_iter().flat_map(u32::to_le_bytes).collect::<Vec<u8>>();
        let pads = [(0x5000, 24, 0x4008), (0x5018, 24, 0x4008)];
        assert_eq!(found(elf::EM_AARCH64, &code, 0x5000), pads);

        let code = [0x0000_2e17_u32, 0x958e_3e03, 0x000e_0367, 0x13].map(u32::to_le_bytes).concat();
        assert_eq!(found(elf::EM_RISCV, &code, 0x6c0), [(0x6c0, 16, 0x2018)]);
    }

    #[test]
    fn short_code_has_no_stubs() {
        for machine in [elf::EM_X86_64, elf::EM_386, elf::EM_AARCH64, elf::EM_RISCV, elf::EM_PPC] {
            for length in 0..20 {
                assert!(found(machine, &vec![0xff; length], u64::MAX - 3).len() <= 2);
            }
        }
    }
}
