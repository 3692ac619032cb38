use super::*;

fn texts(machine: Machine, syntax: Syntax, code: &[u8]) -> Vec<String> {
    disassemble(machine, syntax, code, ImageAddress(0x1000)).into_iter().map(|one| one.text).collect()
}

#[test]
fn instructions_are_spelled_as_objdump_spells_them() {
    // push %rbp; mov %rsp,%rbp; cmp $1,%edi; lea (%r12,%rax,1),%ebx; mov 8(%rbp),%eax; call +0; ret
    let code = [
        0x55, 0x48, 0x89, 0xe5, 0x83, 0xff, 0x01, 0x41, 0x8d, 0x1c, 0x04, 0x8b, 0x45, 0x08, 0xe8, 0, 0, 0, 0,
        0xc3,
    ];
    let att = [
        "push   %rbp",
        "mov    %rsp,%rbp",
        "cmp    $0x1,%edi",
        "lea    (%r12,%rax,1),%ebx",
        "mov    0x8(%rbp),%eax",
        "call   1013",
        "ret",
    ];
    assert_eq!(texts(Machine::X86_64, Syntax::Att, &code), att);
    let intel = [
        "push   rbp",
        "mov    rbp,rsp",
        "cmp    edi,0x1",
        "lea    ebx,[r12+rax*1]",
        "mov    eax,DWORD PTR [rbp+0x8]",
        "call   1013",
        "ret",
    ];
    assert_eq!(texts(Machine::X86_64, Syntax::Intel, &code), intel);
    let call = &disassemble(Machine::X86_64, Syntax::Att, &code, ImageAddress(0x1000))[5];
    assert_eq!(
        (call.address, call.length, call.target),
        (ImageAddress(0x100e), 5, Some(ImageAddress(0x1013)))
    );
}

#[test]
fn other_processors_have_their_own() {
    // stp x29, x30, [sp, #-0x10]!; bl .+8; ret
    let arm = [0xfd, 0x7b, 0xbf, 0xa9, 0x02, 0, 0, 0x94, 0xc0, 0x03, 0x5f, 0xd6];
    let shown = disassemble(Machine::Arm64, Syntax::Att, &arm, ImageAddress(0x1000));
    let names: Vec<&str> = shown.iter().map(|one| one.text.split(' ').next().expect("a word")).collect();
    assert_eq!(names, ["stp", "bl", "ret"]);
    assert_eq!(shown[1].target, Some(ImageAddress(0x100c)));
    // c.addi sp, -16; addi a0, zero, 1; c.ret (c.jr ra)
    let riscv = [0x41, 0x11, 0x13, 0x05, 0x10, 0x00, 0x82, 0x80];
    let lengths: Vec<usize> = disassemble(Machine::RiscV64, Syntax::Att, &riscv, ImageAddress(0))
        .iter()
        .map(|one| one.length)
        .collect();
    assert_eq!(lengths, [2, 4, 2]);
}

#[test]
fn bytes_that_are_no_instruction_are_data_and_end_nothing() {
    let code = [0x06, 0x90, 0xc3, 0x48];
    let shown = disassemble(Machine::X86_64, Syntax::Att, &code, ImageAddress(0));
    assert_eq!(shown[0].text, ".byte  0x6");
    assert_eq!(shown.iter().map(|one| one.length).sum::<usize>(), code.len());
    assert!(shown.iter().any(|one| one.text.starts_with("ret")), "{shown:?}");
    assert!(
        disassemble(Machine::Arm64, Syntax::Att, &[0xff; 7], ImageAddress(0))
            .iter()
            .all(|one| one.length > 0)
    );
}
