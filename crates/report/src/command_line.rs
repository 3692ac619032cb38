//! Command lines, written so that a shell would read the same arguments.

use oprof_profile::Process;

/// Writes the command line of a process so that a shell would read the same arguments; its command name in
/// brackets where the arguments are unknown.
pub fn command_line(process: &Process) -> String {
    if process.arguments.is_empty() {
        return if process.comm.is_empty() { "[unknown]".to_owned() } else { format!("[{}]", process.comm) };
    }
    let mut line = String::new();
    for (index, argument) in process.arguments.iter().enumerate() {
        if index > 0 {
            line.push(' ');
        }
        push_quoted(&mut line, argument);
    }
    line
}

/// One argument, written so that a shell would read it as one.
pub(crate) fn quoted(argument: &str) -> String {
    let mut text = String::new();
    push_quoted(&mut text, argument);
    text
}

fn push_quoted(line: &mut String, argument: &str) {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_@%+=:,./-".contains(&byte) || !byte.is_ascii();
    if !argument.is_empty() && argument.bytes().all(plain) {
        line.push_str(argument);
        return;
    }
    line.push('\'');
    line.push_str(&argument.replace('\'', r"'\''"));
    line.push('\'');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_quoted_where_a_shell_needs_it() {
        let arguments = ["cc", "-DX=1", "", "a b", "it's", "$HOME", "größe.c"].map(str::to_owned).to_vec();
        let process = Process { arguments, ..Process::default() };
        assert_eq!(command_line(&process), r"cc -DX=1 '' 'a b' 'it'\''s' '$HOME' größe.c");
    }

    #[test]
    fn unknown_arguments_leave_the_command_name() {
        let process = Process { comm: "cc1".to_owned(), ..Process::default() };
        assert_eq!(command_line(&process), "[cc1]");
        assert_eq!(command_line(&Process::default()), "[unknown]");
    }
}
