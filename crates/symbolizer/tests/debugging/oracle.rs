//! What other tools say of addresses.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

/// A function that holds an address, and the place in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    /// The name as in the symbol table; empty where it is not known.
    pub(crate) function: String,
    /// The file's path; empty where it is not known.
    pub(crate) file: String,
    /// The line; 0 where it is not known.
    pub(crate) line: u32,
}

/// Who is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Oracle {
    /// addr2line of binutils.
    Binutils,
    /// llvm-symbolizer.
    Llvm,
}

impl Oracle {
    /// For each address the frames, the innermost first; `None` where the tool is missing.
    pub(crate) fn ask(self, image: &Path, addresses: &[u64]) -> Option<Vec<Vec<Frame>>> {
        let mut command = match self {
            Oracle::Binutils => Command::new("addr2line"),
            Oracle::Llvm => Command::new("llvm-symbolizer"),
        };
        match self {
            Oracle::Binutils => command.args(["-f", "-i", "-a", "-e"]).arg(image),
            Oracle::Llvm => {
                command.args(["--inlining", "--functions=linkage", "--no-demangle", "-a", "-e"]).arg(image)
            }
        };
        let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = piped.env("LC_ALL", "C").spawn().ok()?;
        let mut stdin = child.stdin.take()?;
        let text: String = addresses.iter().map(|address| format!("{address:#x}\n")).collect();
        let writer = std::thread::spawn(move || stdin.write_all(text.as_bytes()));
        let output = child.wait_with_output().ok()?;
        _ = writer.join();
        if !output.status.success() {
            return None;
        }
        let text = String::from_utf8_lossy(&output.stdout);
        let answers = parse(&text);
        assert_eq!(answers.len(), addresses.len(), "{self:?} on {}", image.display());
        Some(answers)
    }
}

/// Each address has a line of its own, then two lines for each frame: the function and `FILE:LINE`, with `:COLUMN` or
/// ` (discriminator N)` behind.
fn parse(text: &str) -> Vec<Vec<Frame>> {
    let mut answers: Vec<Vec<Frame>> = Vec::new();
    let mut lines = text.lines().filter(|line| !line.is_empty());
    while let Some(line) = lines.next() {
        if line.starts_with("0x") {
            answers.push(Vec::new());
            continue;
        }
        let known = |text: &str| if text == "??" { String::new() } else { text.to_owned() };
        let place = lines.next().unwrap_or_default();
        let place = place.split(" (discriminator").next().unwrap_or_default();
        let numbers: Vec<&str> = place.rsplitn(3, ':').collect();
        let (file, line_number) = match numbers[..] {
            // With a column.
            [_, line, file] if line.parse::<u32>().is_ok() => (file, line),
            _ => place.rsplit_once(':').unwrap_or((place, "?")),
        };
        let frame =
            Frame { function: known(line), file: known(file), line: line_number.parse().unwrap_or(0) };
        answers.last_mut().expect("an address before its frames").push(frame);
    }
    answers
}
