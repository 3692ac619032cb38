//! A mistake in the command line, said in one line.

use std::error::Error as _;

use clap::error::{ContextKind, ContextValue, ErrorKind};

/// The mistake, and where to read more: `program` has a `--help`.
pub(crate) fn line(error: &clap::Error, program: &str) -> String {
    format!("{}; see {program} --help", mistake(error))
}

/// The mistake alone.
pub(crate) fn mistake(error: &clap::Error) -> String {
    let told = |kind| told(error, kind);
    let one = |kind| told(kind).join(" ");
    let argument = one(ContextKind::InvalidArg);
    match error.kind() {
        ErrorKind::InvalidValue | ErrorKind::ValueValidation => {
            let value = one(ContextKind::InvalidValue);
            let mistake = match value.is_empty() && error.source().is_none() {
                true => format!("'{argument}' needs a value"),
                false => format!("invalid value '{value}' for '{argument}'"),
            };
            match (error.source(), told(ContextKind::ValidValue).as_slice()) {
                (Some(why), _) => format!("{mistake}: {why}"),
                (None, []) => mistake,
                (None, valid) => format!("{mistake}: use {}", valid.join(", ")),
            }
        }
        ErrorKind::UnknownArgument => {
            suggesting(format!("unexpected argument '{argument}'"), &told(ContextKind::SuggestedArg))
        }
        ErrorKind::InvalidSubcommand => suggesting(
            format!("no such subcommand: '{}'", one(ContextKind::InvalidSubcommand)),
            &told(ContextKind::SuggestedSubcommand),
        ),
        ErrorKind::ArgumentConflict => {
            let other = told(ContextKind::PriorArg).join("' and '");
            match other == argument {
                true if argument.starts_with("--count ") => {
                    format!("'{argument}' cannot be used twice; each event can have its own: -e EVENT:COUNT")
                }
                true => format!("'{argument}' cannot be used twice"),
                // With whatever else there is.
                false if other.is_empty() => format!("'{argument}' stands alone"),
                false => format!("'{argument}' cannot be used with '{other}'"),
            }
        }
        ErrorKind::MissingRequiredArgument if argument == "<COMMAND>..." => {
            format!("'{argument}' is missing; what runs already is named by -p, -t, -a, -C or --cgroup")
        }
        ErrorKind::MissingRequiredArgument => match told(ContextKind::InvalidArg).as_slice() {
            [] | [_] => format!("'{argument}' is missing"),
            several => format!("'{}' are missing", several.join("' and '")),
        },
        // Of what is left clap says little more than this.
        kind => kind.to_string(),
    }
}

fn suggesting(mistake: String, close: &[String]) -> String {
    match close {
        [] => mistake,
        close => format!("{mistake}; close to it: {}", close.join(", ")),
    }
}

/// What clap tells of this kind.
fn told(error: &clap::Error, kind: ContextKind) -> Vec<String> {
    match error.get(kind) {
        Some(ContextValue::String(text)) => vec![text.clone()],
        Some(ContextValue::Strings(texts)) => texts.clone(),
        Some(ContextValue::Number(number)) => vec![number.to_string()],
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::arguments::Arguments;

    fn said(arguments: &str) -> String {
        let words = ["oprof"].into_iter().chain(arguments.split(' '));
        line(&Arguments::try_parse_from(words).expect_err("a mistake"), "oprof record")
    }

    #[test]
    fn each_mistake_has_a_sentence() {
        for (arguments, sentence) in [
            ("record -F 0 true", "invalid value '0' for '--frequency <HZ>': must be at least 1"),
            ("record -F -5 true", "invalid value '-5' for '--frequency <HZ>': must be at least 1"),
            ("record -F", "'--frequency <HZ>' needs a value"),
            (
                "record --scope x true",
                "invalid value 'x' for '--scope <SCOPE>': use auto, cgroup, system, inherit",
            ),
            ("record --wrong-one true", "unexpected argument '--wrong-one'"),
            ("record --frequenzy 3 true", "unexpected argument '--frequenzy'; close to it: --frequency"),
            ("record -F 3 -c 4 true", "'--frequency <HZ>' cannot be used with '--count <COUNT>'"),
            ("record -F 3 -F 4 true", "'--frequency <HZ>' cannot be used twice"),
            ("record --help-all true", "'--help-all' stands alone"),
            (
                "record -q",
                "'<COMMAND>...' is missing; what runs already is named by -p, -t, -a, -C or --cgroup",
            ),
            (
                "record -e a -c 1 -e b -c 2 true",
                "'--count <COUNT>' cannot be used twice; each event can have its own: -e EVENT:COUNT",
            ),
            ("repor", "no such subcommand: 'repor'; close to it: import, record, report"),
            ("merge a", "'--output <FILE>' is missing"),
            ("merge", "'--output <FILE>' and '<FILE>...' are missing"),
            ("report a b", "unexpected argument 'b'"),
        ] {
            assert_eq!(said(arguments), format!("{sentence}; see oprof record --help"), "{arguments}");
        }
    }
}
