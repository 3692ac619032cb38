//! `opreport` prints what OProfile printed, byte for byte, over OProfile's own sessions.
//!
//! OProfile's sessions, their images and its outputs are not part of this repository: they are looked for in
//! `shared/opreport` beside it, which also says what is decided (README.md). Ours differs where `deviations.tsv` says so,
//! with the defect of OProfile's (by its number in INVENTORY.md) that it is better by; the lines that change are stored in
//! `better/` (`-` OProfile's, `+` ours), and rewritten where `OPROF_REWRITE` is set. Two things are not compared: what events are said to count (the
//! descriptions are our own), and the attribute of the XML that repeats the command line.

#[path = "../harness/mod.rs"]
mod harness;

mod demangling;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use harness::{Place, assert_no_panic, finish, skipped};

/// What makes ours comparable: names for code without symbols, the base of percentages and the order of columns are
/// OProfile's, and images are those of the sessions.
const COMPARABLE: &str = "--root=root --symbolless path --exclude-unresolved --oprofile-order";

/// A command that OProfile ran, and what came of it.
struct Golden {
    name: String,
    status: i32,
    arguments: String,
    stdout: String,
}

/// Where ours differs, and why.
struct Deviation {
    status: i32,
    why: String,
}

/// OProfile's folder, if it is beside this checkout.
fn oprofile() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/opreport");
    if !folder.join("sessions.tar.xz").is_file() {
        skipped("OProfile's sessions and outputs are not beside this checkout");
        return None;
    }
    Some(folder)
}

/// The commands of `program` that OProfile ran.
fn goldens(folder: &Path, program: &str) -> Vec<Golden> {
    let index = fs::read_to_string(folder.join("INDEX.tsv")).expect("an index");
    let rows = index.lines().filter_map(|line| {
        let mut fields = line.split('\t');
        let (name, status, command) = (fields.next()?, fields.next()?, fields.next()?);
        let arguments = command.strip_prefix(program)?.strip_prefix(' ')?;
        let stdout = fs::read(folder.join(format!("out/{name}.txt"))).unwrap_or_default();
        Some(Golden {
            name: name.to_owned(),
            status: status.parse().expect("a status"),
            arguments: arguments.to_owned(),
            stdout: String::from_utf8_lossy(&stdout).into_owned(),
        })
    });
    rows.collect()
}

/// Where ours differs, by the name of the command.
fn deviations() -> BTreeMap<String, Deviation> {
    let table = include_str!("deviations.tsv");
    let rows = table.lines().filter(|line| !line.starts_with('#') && !line.is_empty()).map(|line| {
        let fields: Vec<&str> = line.split('\t').collect();
        let [name, status, reason, why] = fields[..] else { panic!("four fields: {line}") };
        let known = reason
            .strip_prefix('D')
            .is_some_and(|number| number.parse::<u8>().is_ok_and(|number| number <= 30));
        assert!(known || reason == "help", "a defect of OProfile's, or its words: {line}");
        let status = status.parse().expect("a status");
        (name.to_owned(), Deviation { status, why: why.to_owned() })
    });
    let table: BTreeMap<String, Deviation> = rows.collect();
    assert!(table.values().all(|deviation| deviation.why.len() > 20), "what is better is said in a line");
    table
}

/// The folder in which OProfile ran, unpacked with the times of its files.
fn unpacked(folder: &Path) -> Option<Place> {
    let place = Place::new();
    for archive in ["sessions.tar.xz", "root.tar.xz"] {
        let mut tar = place.command("tar");
        let unpacked = finish(tar.arg("-xJf").arg(folder.join(archive).canonicalize().expect("a path")));
        if unpacked.code() != Some(0) {
            skipped(&format!("tar cannot unpack {archive}: {}", unpacked.stderr));
            return None;
        }
    }
    for name in ["opreport", "opannotate"] {
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_oprof"), place.path(name)).expect("a link");
    }
    Some(place)
}

/// What is compared of an output.
fn comparable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for line in text.lines() {
        let line = match line.strip_prefix("Counted ") {
            // `Counted NAME events (DESCRIPTION) with a unit mask of 0x00 (DESCRIPTION) count 100000`
            Some(counted) => {
                let name = counted.split(" events (").next().unwrap_or_default();
                let mask = counted.rsplit(") with a unit mask of ").next().unwrap_or_default();
                let (mask, count) = (mask.split(' ').next(), mask.rsplit(") count ").next());
                format!(
                    "Counted {name} with {} count {}",
                    mask.unwrap_or_default(),
                    count.unwrap_or_default()
                )
            }
            None if line.trim_start().starts_with("title=") => "title=".to_owned(),
            None => line.to_owned(),
        };
        out.push_str(&line);
        out.push('\n');
    }
    out
}

/// The first line in which two texts differ.
fn difference(ours: &str, theirs: &str) -> String {
    let (mut ours, mut theirs) = (ours.lines(), theirs.lines());
    for number in 1.. {
        match (ours.next(), theirs.next()) {
            (None, None) => break,
            (a, b) if a != b => {
                return format!(
                    "line {number}\n  ours:     {}\n  expected: {}",
                    a.unwrap_or("-"),
                    b.unwrap_or("-")
                );
            }
            _ => {}
        }
    }
    "no line".to_owned()
}

/// The lines that only one of two texts has, in order, each with a sign before it; `None` where the lines of both do not
/// stand in one order.
fn changes(ours: &str, theirs: &str) -> Option<String> {
    let count = |text: &str| {
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        text.lines().for_each(|line| *counts.entry(line.to_owned()).or_default() += 1);
        counts
    };
    let split = |text: &str, mut others: BTreeMap<String, usize>| {
        let common = |line: &&str| {
            let left = others.get_mut(*line).filter(|left| **left > 0);
            left.map(|left| *left -= 1).is_some()
        };
        let (both, own): (Vec<&str>, Vec<&str>) = text.lines().partition(common);
        (both.join("\n"), own.into_iter().map(str::to_owned).collect::<Vec<_>>())
    };
    let (in_ours, only_ours) = split(ours, count(theirs));
    let (in_theirs, only_theirs) = split(theirs, count(ours));
    let signed =
        |sign: char, lines: Vec<String>| lines.into_iter().map(move |line| format!("{sign}{line}\n"));
    (in_ours == in_theirs).then(|| signed('-', only_theirs).chain(signed('+', only_ours)).collect())
}

/// What ours does with a command.
struct Ours {
    status: Option<i32>,
    stdout: String,
}

fn run(place: &Place, golden: &Golden) -> Ours {
    let script = format!("exec ./opreport {COMPARABLE} {}", golden.arguments);
    let finished = finish(place.command("sh").args(["-c", &script]));
    assert_no_panic(&finished.stderr);
    let told = finished.stderr.lines().all(|line| line.starts_with("oprof: "));
    assert!(told, "{}: stderr is ours alone:\n{}", golden.name, finished.stderr);
    if finished.code() == Some(1) && finished.stdout.is_empty() {
        assert!(!finished.stderr.is_empty(), "{}: it is said why there is nothing", golden.name);
    }
    Ours { status: finished.code(), stdout: String::from_utf8_lossy(&finished.stdout).into_owned() }
}

/// What is wrong with ours, if anything.
fn judge(golden: &Golden, ours: &Ours, deviation: Option<&Deviation>) -> Option<String> {
    let (text, theirs) = (comparable(&ours.stdout), comparable(&golden.stdout));
    let is_same = ours.status == Some(golden.status) && text == theirs;
    let Some(deviation) = deviation else {
        return (!is_same).then(|| {
            format!("status {:?}, not {}; {}", ours.status, golden.status, difference(&text, &theirs))
        });
    };
    if is_same {
        return Some("is listed as a deviation, and is none: take it off deviations.tsv".to_owned());
    }
    if ours.status != Some(deviation.status) {
        return Some(format!("status {:?}, not {} as deviations.tsv says", ours.status, deviation.status));
    }
    // Where the lines of both stand in another order, all of ours is stored.
    let changes = changes(&text, &theirs).unwrap_or(text);
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join(format!("tests/opreport_golden/better/{}.txt", golden.name));
    if std::env::var_os("OPROF_REWRITE").is_some() {
        fs::write(&path, &changes).expect("the file can be written");
    }
    let stored = fs::read_to_string(&path).unwrap_or_default();
    (stored != changes).then(|| format!("not as stored in better/; {}", difference(&changes, &stored)))
}

#[test]
fn every_given_command_prints_what_oprofile_printed() {
    let Some(folder) = oprofile() else { return };
    let Some(place) = unpacked(&folder) else { return };
    let only = std::env::var("OPROF_GOLDEN").ok();
    let mut goldens = goldens(&folder, "opreport");
    let deviations = deviations();
    for name in deviations.keys() {
        assert!(goldens.iter().any(|golden| golden.name == *name), "{name}: no such command");
    }
    goldens.retain(|golden| only.as_ref().is_none_or(|only| golden.name == *only));
    assert!(!goldens.is_empty());
    let next = Mutex::new(goldens.iter());
    let wrong = Mutex::new(BTreeMap::new());
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from).min(8) {
            scope.spawn(|| {
                loop {
                    let Some(golden) = next.lock().expect("unpoisoned").next() else { break };
                    let ours = run(&place, golden);
                    if let Some(what) = judge(golden, &ours, deviations.get(&golden.name)) {
                        wrong.lock().expect("unpoisoned").insert(golden.name.clone(), what);
                    }
                }
            });
        }
    });
    let wrong = wrong.into_inner().expect("unpoisoned");
    let mut text = String::new();
    for (name, what) in &wrong {
        // SANITY: writing to a String does not fail.
        writeln!(text, "{name}: {what}").expect("memory");
    }
    assert!(wrong.is_empty(), "{} of {} commands:\n{text}", wrong.len(), goldens.len());
}

/// The source files in annotated ones: what stands behind the samples, without the totals of functions.
fn sources(annotated: &str) -> BTreeMap<String, String> {
    let mut sources = BTreeMap::new();
    for part in annotated.split(" * Total samples for file : \"").skip(1) {
        let (path, rest) = part.split_once('"').expect("a path");
        let body = rest.split_once("\n */\n\n").map_or("", |(_, body)| body);
        // The first line is of what has no line.
        let lines = body.lines().skip(1).map_while(|line| {
            let (before, text) = line.split_once(" :")?;
            let is_counts =
                before.chars().all(|character| matches!(character, ' ' | '.' | '0'..='9' | 'e' | '-' | '+'));
            let text = match text.rsplit_once(" /* ") {
                Some((text, total)) if total.contains("total: ") && total.ends_with(" */") => text,
                _ => text,
            };
            is_counts.then(|| format!("{text}\n"))
        });
        sources.insert(path.to_owned(), lines.collect());
    }
    sources.retain(|_, text: &mut String| !text.is_empty());
    sources
}

/// Annotated sources are OProfile's byte for byte. The sources themselves are had from its outputs. What differs: shares are of
/// what `-i` chose (D7), files of as many samples have an order (D17), help is our own.
#[test]
fn opannotate_prints_what_oprofile_printed() {
    let Some(folder) = oprofile() else { return };
    let Some(place) = unpacked(&folder) else { return };
    let goldens = goldens(&folder, "opannotate");
    let sources = goldens.iter().flat_map(|golden| sources(&golden.stdout));
    for (path, text) in sources.collect::<BTreeMap<_, _>>() {
        let path = place.path(format!("src/{path}"));
        fs::create_dir_all(path.parent().expect("a folder")).expect("folders");
        fs::write(path, text).expect("written");
    }
    let of_annotated = |text: &str| {
        let lines = text.lines().map(|line| match line.strip_prefix(" * ") {
            Some(command) if command.starts_with("Command line: ") => String::new(),
            Some(counted) if counted.starts_with("Counted ") => comparable(counted),
            _ => line.to_owned(),
        });
        lines.collect::<Vec<_>>().join("\n")
    };
    let mut seen = 0;
    for golden in &goldens {
        let needs_sources = golden.arguments.contains("--source") && golden.status == 0;
        let search = if needs_sources { "-d src" } else { "" };
        let options = "--root=root --symbolless path --exclude-unresolved";
        let script = format!("exec ./opannotate {options} {search} {}", golden.arguments);
        let finished = finish(place.command("sh").args(["-c", &script]));
        assert_no_panic(&finished.stderr);
        assert_eq!(finished.code(), Some(golden.status), "{}: {}", golden.name, finished.stderr);
        let (ours, theirs) =
            (of_annotated(&String::from_utf8_lossy(&finished.stdout)), of_annotated(&golden.stdout));
        match golden.name.as_str() {
            "ann-help" => continue,
            "ann-i" => {
                assert!(ours.contains("   105 33.6538 :{ /* fib total:    312 100.000 */"), "{ours}");
            }
            "ann-excfile" => {
                let sorted = |text: &str| {
                    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
                    lines.sort();
                    lines
                };
                assert_eq!(sorted(&ours), sorted(&theirs));
            }
            name => assert_eq!(ours, theirs, "{name}: {}", difference(&ours, &theirs)),
        }
        seen += 1;
    }
    assert!(seen >= 8, "{seen} commands");
}
