//! Operands as binutils' objdump spells them.

use super::{Machine, Syntax};

/// Respells Capstone's operands: of x86 no blanks behind commas, and all numbers hexadecimal.
pub(super) fn as_objdump(machine: Machine, syntax: Syntax, operands: &str) -> String {
    if !machine.is_x86() {
        return operands.to_owned();
    }
    let spelled = operands.replace(", ", ",");
    let spelled = match syntax {
        Syntax::Att => spelled,
        Syntax::Intel => spelled
            .replace("qword ptr", "QWORD PTR")
            .replace("dword ptr", "DWORD PTR")
            .replace("word ptr", "WORD PTR")
            .replace("byte ptr", "BYTE PTR")
            .replace("xmmWORD PTR", "XMMWORD PTR")
            .replace("ymmWORD PTR", "YMMWORD PTR")
            .replace("zmmWORD PTR", "ZMMWORD PTR")
            .replace(" + ", "+")
            .replace(" - ", "-"),
    };
    hexadecimal(&with_scale(syntax, &spelled))
}

/// Writes the scale of an index, which Capstone leaves out where it is 1.
fn with_scale(syntax: Syntax, operands: &str) -> String {
    let (open, close, between) = match syntax {
        Syntax::Att => ('(', ')', ','),
        Syntax::Intel => ('[', ']', '+'),
    };
    let Some((before, rest)) = operands.split_once(open) else { return operands.to_owned() };
    let Some((address, after)) = rest.split_once(close) else { return operands.to_owned() };
    let parts: Vec<&str> = address.split(between).collect();
    let is_register =
        |part: &str| part.trim_start_matches('%').starts_with(|first: char| first.is_ascii_lowercase());
    let address = match (syntax, parts.as_slice()) {
        (Syntax::Att, [base, index]) if is_register(index) => format!("{base},{index},1"),
        (Syntax::Intel, [base, index, rest @ ..])
            if is_register(base) && is_register(index) && !index.contains(['*', '-']) =>
        {
            let rest: String = rest.iter().map(|part| format!("+{part}")).collect();
            format!("{base}+{index}*1{rest}")
        }
        (Syntax::Intel, [base, index]) if is_register(base) && is_register(index) && !index.contains('*') => {
            // A number is taken away.
            let (index, rest) = index
                .split_once('-')
                .map_or((*index, String::new()), |(index, rest)| (index, format!("-{rest}")));
            format!("{base}+{index}*1{rest}")
        }
        _ => address.to_owned(),
    };
    format!("{before}{open}{address}{close}{after}")
}

/// Writes numbers of one digit, which Capstone leaves decimal, as hexadecimal ones. A scale (`*8`, `,8)`) and the number in
/// a register's name stay.
fn hexadecimal(operands: &str) -> String {
    let characters: Vec<char> = operands.chars().collect();
    let mut spelled = String::with_capacity(operands.len() + 8);
    for (at, character) in characters.iter().enumerate() {
        let before = at.checked_sub(1).map(|before| characters[before]);
        let after = characters.get(at + 1).copied();
        let is_alone = character.is_ascii_digit()
            && before.is_none_or(|before| matches!(before, '$' | '+' | '-' | ',' | '['))
            && after.is_none_or(|after| matches!(after, ',' | ']' | '('));
        // `(%rax,%rbx,8)`: the scale is behind a comma and before the bracket.
        if is_alone {
            spelled.push_str("0x");
        }
        spelled.push(*character);
    }
    spelled
}

/// The mnemonic without the letter for the size of operands, where these tell it: one of them is a register, or there is
/// but one size. `name` is the mnemonic without any.
pub(super) fn without_size<'a>(mnemonic: &'a str, name: &str, operands: &str) -> &'a str {
    let size = mnemonic.strip_prefix(name).filter(|size| matches!(*size, "b" | "w" | "l" | "q"));
    let has_one_size = matches!(name, "call" | "jmp" | "ret" | "push" | "pop" | "leave" | "pushf" | "popf");
    match size {
        Some(size) if has_one_size || has_register(operands) => &mnemonic[..mnemonic.len() - size.len()],
        _ => mnemonic,
    }
}

/// One of the operands is a register, not memory at the address in one.
fn has_register(operands: &str) -> bool {
    let mut depth = 0_i32;
    let starts = operands.split(|character| {
        match character {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        character == ',' && depth == 0
    });
    starts.into_iter().any(|operand| operand.starts_with('%') && !operand.contains(':'))
}
