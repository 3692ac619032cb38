//! Turns checks into lines.

use super::check::{Check, Verdict};
use crate::paragraph::wrapped;

/// How the lines may look.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Look {
    /// The width of the terminal; without one lines are not broken.
    pub(crate) width: Option<usize>,
    pub(crate) colour: bool,
}

const VERDICT_WIDTH: usize = 9;

/// The lines of the checklist, what cures a lack below it, and the conclusion at the end.
pub(crate) fn lines(checks: &[Check], conclusion: &str, look: Look) -> Vec<String> {
    let what_width = checks.iter().map(|check| check.what.len()).max().unwrap_or(0) + 2;
    let indent = VERDICT_WIDTH + what_width;
    let mut lines = Vec::new();
    let mut cures: Vec<(&str, &str)> = Vec::new();
    for check in checks {
        // The columns are put before the text once it is wrapped, since wrapping joins blanks.
        let room = look.width.map(|width| width.saturating_sub(indent));
        let texts = wrapped(&oprof_report::printable(&check.meaning), 0, room);
        let columns = format!("{}{:what_width$}", verdict(check.verdict, look.colour), check.what);
        for (number, text) in texts.iter().enumerate() {
            lines.push(if number == 0 {
                format!("{columns}{text}")
            } else {
                format!("{:indent$}{text}", "")
            });
        }
        if let Some(cure) = &check.cure {
            let text = match cures.iter().find(|(_, known)| known == cure) {
                Some((what, _)) => format!("cured as: {what}"),
                // A command stays on one line, so that it can be copied.
                None => oprof_report::printable(cure).into_owned(),
            };
            lines.push(format!("{:VERDICT_WIDTH$}{text}", ""));
            cures.push((check.what, cure));
        }
    }
    lines.push(String::new());
    lines.extend(wrapped(&oprof_report::printable(conclusion), 0, look.width));
    lines
}

fn verdict(verdict: Verdict, colour: bool) -> String {
    let (word, code) = match verdict {
        Verdict::Ok => ("ok", 32),
        Verdict::Limited => ("limited", 33),
        Verdict::Missing => ("missing", 31),
    };
    let padded = format!("{word:VERDICT_WIDTH$}");
    if colour { padded.replace(word, &format!("\x1b[{code}m{word}\x1b[0m")) } else { padded }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checks() -> Vec<Check> {
        vec![
            Check::ok("kernel", "Linux 6.1"),
            Check::limited("paranoid", "own processes only").cured_by("as root: sysctl a=1"),
            Check::missing("scope", "none\x1b[2J").cured_by("as root: sysctl a=1"),
        ]
    }

    #[test]
    fn a_line_for_each_check_and_its_cure_below() {
        assert_eq!(
            lines(&checks(), "the end", Look::default()),
            [
                "ok       kernel    Linux 6.1",
                "limited  paranoid  own processes only",
                "         as root: sysctl a=1",
                "missing  scope     none\\x1b[2J",
                "         cured as: paranoid",
                "",
                "the end",
            ]
        );
    }

    #[test]
    fn on_a_narrow_terminal_the_meaning_is_wrapped_below_itself() {
        let lines = lines(&checks()[1..2], "", Look { width: Some(32), colour: false });
        assert_eq!(lines[..2], ["limited  paranoid  own processes", "                   only"]);
        assert_eq!(lines[2], "         as root: sysctl a=1");
    }

    #[test]
    fn colour_is_in_the_verdict_alone_and_does_not_move_columns() {
        let lines = lines(&checks(), "", Look { width: None, colour: true });
        assert_eq!(lines[0], "\x1b[32mok\x1b[0m       kernel    Linux 6.1");
        assert_eq!(lines[1].matches('\x1b').count(), 2);
    }
}
