//! Turns machine code into instructions in the words of assemblers, by the Capstone library.

mod operands;

use capstone::arch::{self, BuildsCapstone, BuildsCapstoneExtraMode, BuildsCapstoneSyntax};
use capstone::{Capstone, InsnGroupType};
use object::elf;
use oprof_profile::ImageAddress;

/// A processor whose code can be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Machine {
    /// x86 with 64 bits.
    X86_64,
    /// x86 with 32 bits.
    I386,
    /// Arm with 64 bits, little endian.
    Arm64,
    /// RISC-V with 64 bits and compressed instructions.
    RiscV64,
}

impl Machine {
    /// The machine of an ELF file (`e_machine`, elf(5)); `None` for others.
    pub(crate) fn of_elf(machine: elf::Machine) -> Option<Machine> {
        Some(match machine {
            elf::EM_X86_64 => Machine::X86_64,
            elf::EM_386 => Machine::I386,
            elf::EM_AARCH64 => Machine::Arm64,
            elf::EM_RISCV => Machine::RiscV64,
            _ => return None,
        })
    }

    /// The format of its images, as binutils calls it.
    pub fn format(self) -> &'static str {
        match self {
            Machine::X86_64 => "elf64-x86-64",
            Machine::I386 => "elf32-i386",
            Machine::Arm64 => "elf64-littleaarch64",
            Machine::RiscV64 => "elf64-littleriscv",
        }
    }

    fn is_x86(self) -> bool {
        matches!(self, Machine::X86_64 | Machine::I386)
    }
}

/// How the instructions of x86 are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Syntax {
    /// As the GNU assembler does: source first, sizes in the mnemonic.
    #[default]
    Att,
    /// As Intel does: target first.
    Intel,
}

/// An instruction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instruction {
    /// Where it begins, as the image's own tables state it.
    pub address: ImageAddress,
    /// Its length in bytes.
    pub length: usize,
    /// The mnemonic, blanks up to the seventh column, the operands; for bytes that are no instruction `.byte`.
    pub text: String,
    /// Where it jumps or calls, if that is said in the instruction itself.
    pub target: Option<ImageAddress>,
}

/// The instructions in `code`, whose first byte is at `address`. Bytes that are none are data, and end nothing.
pub fn disassemble(machine: Machine, syntax: Syntax, code: &[u8], address: ImageAddress) -> Vec<Instruction> {
    let Ok(capstone) = engine(machine, syntax) else { return Vec::new() };
    let mut instructions = Vec::new();
    let mut at = 0;
    while at < code.len() {
        let here = address.0.wrapping_add(at as u64);
        let (mut position, before) = (at, instructions.len());
        if let Ok(found) = capstone.disasm_all(&code[at..], here) {
            for instruction in found.iter() {
                let target = jumps(&capstone, instruction).then(|| target(instruction)).flatten();
                instructions.push(Instruction {
                    address: ImageAddress(instruction.address()),
                    length: instruction.len(),
                    text: text(machine, syntax, (&capstone, instruction), target),
                    target,
                });
                position += instruction.len();
            }
        }
        if position < code.len() {
            // Capstone ends at what it does not know.
            let length = if machine.is_x86() { 1 } else { 4 }.min(code.len() - position);
            instructions.push(data(&code[position..position + length], address, position));
            position += length;
        }
        debug_assert!(instructions.len() > before);
        at = position;
    }
    instructions
}

fn engine(machine: Machine, syntax: Syntax) -> capstone::CsResult<Capstone> {
    let x86 = |mode| {
        let syntax = match syntax {
            Syntax::Att => arch::x86::ArchSyntax::Att,
            Syntax::Intel => arch::x86::ArchSyntax::Intel,
        };
        Capstone::new().x86().mode(mode).syntax(syntax).detail(true).build()
    };
    match machine {
        Machine::X86_64 => x86(arch::x86::ArchMode::Mode64),
        Machine::I386 => x86(arch::x86::ArchMode::Mode32),
        Machine::Arm64 => Capstone::new().arm64().mode(arch::arm64::ArchMode::Arm).detail(true).build(),
        Machine::RiscV64 => Capstone::new()
            .riscv()
            .mode(arch::riscv::ArchMode::RiscV64)
            .extra_mode([arch::riscv::ArchExtraMode::RiscVC].into_iter())
            .detail(true)
            .build(),
    }
}

/// An instruction jumps or calls.
fn jumps(capstone: &Capstone, instruction: &capstone::Insn<'_>) -> bool {
    let Ok(detail) = capstone.insn_detail(instruction) else { return false };
    let groups =
        [InsnGroupType::CS_GRP_JUMP, InsnGroupType::CS_GRP_CALL, InsnGroupType::CS_GRP_BRANCH_RELATIVE];
    detail.groups().iter().any(|group| groups.iter().any(|jump| u32::from(group.0) == *jump))
}

/// The address in the operands of a jump: the last number, unless it is in a register or in memory.
fn target(instruction: &capstone::Insn<'_>) -> Option<ImageAddress> {
    let operands = instruction.op_str()?;
    let last = operands.rsplit(", ").next()?.trim_start_matches(['#', '$']);
    let digits = last.strip_prefix("0x")?;
    u64::from_str_radix(digits, 16).ok().map(ImageAddress)
}

fn text(
    machine: Machine,
    syntax: Syntax,
    (capstone, instruction): (&Capstone, &capstone::Insn<'_>),
    target: Option<ImageAddress>,
) -> String {
    let mnemonic = instruction.mnemonic().unwrap_or_default();
    let mut operands = operands::as_objdump(machine, syntax, instruction.op_str().unwrap_or_default());
    if let Some(ImageAddress(target)) = target {
        // objdump writes them without a prefix, as it does the addresses of instructions.
        let kept = operands.rfind("0x").unwrap_or(operands.len());
        operands.truncate(kept);
        operands.push_str(&format!("{target:x}"));
    }
    let name = capstone.insn_name(instruction.id()).unwrap_or_default();
    let mnemonic = match (machine.is_x86(), syntax) {
        (true, Syntax::Att) => operands::without_size(mnemonic, &name, &operands),
        _ => mnemonic,
    };
    match operands.as_str() {
        "" => mnemonic.to_owned(),
        operands => format!("{mnemonic:<6} {operands}"),
    }
}

fn data(bytes: &[u8], start: ImageAddress, position: usize) -> Instruction {
    let shown: Vec<String> = bytes.iter().map(|byte| format!("0x{byte:x}")).collect();
    Instruction {
        address: ImageAddress(start.0.wrapping_add(position as u64)),
        length: bytes.len(),
        text: format!("{:<6} {}", ".byte", shown.join(",")),
        target: None,
    }
}

#[cfg(test)]
mod tests;
