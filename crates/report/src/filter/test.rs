//! Tests: what a filter asks of one sample.

use std::collections::BTreeSet;

use oprof_profile::specification::Glob;
use oprof_profile::{ImageKind, Key as SampleKey, Process, Recording};
use regex_lite::Regex;
use rustc_hash::FxHashMap;

use super::NothingKept;
use crate::command_line::command_line;
use crate::printable::printable;

/// What is asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Key {
    App,
    Image,
    Symbol,
    Line,
    Process,
    Pid,
    Thread,
    Tid,
    Command,
    Cpu,
    Event,
    Kernel,
}

/// All keys with their names.
pub(super) const KEYS: [(&str, Key); 12] = [
    ("app", Key::App),
    ("image", Key::Image),
    ("symbol", Key::Symbol),
    ("line", Key::Line),
    ("process", Key::Process),
    ("pid", Key::Pid),
    ("thread", Key::Thread),
    ("tid", Key::Tid),
    ("command", Key::Command),
    ("cpu", Key::Cpu),
    ("event", Key::Event),
    ("kernel", Key::Kernel),
];

impl Key {
    pub(super) fn is_number(self) -> bool {
        matches!(self, Key::Pid | Key::Tid | Key::Cpu)
    }
}

/// A question about a sample.
#[derive(Clone, Debug)]
pub(crate) struct Test {
    pub(super) key: Key,
    pub(super) value: Value,
}

/// What the answer has to be.
#[derive(Clone, Debug)]
pub(super) enum Value {
    /// One of these names, each as it is or as a pattern.
    Names(Vec<(Glob, String)>),
    /// A name in which the pattern is found.
    Pattern(Regex),
    /// A number in one of these ranges.
    Numbers(Vec<Number>),
    /// Yes or no.
    Flag(bool),
}

/// The numbers from the first to the last; none where there is no last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Number {
    pub(super) first: u64,
    pub(super) last: Option<u64>,
}

impl Number {
    pub(super) fn parse(text: &str) -> Option<Number> {
        let (first, last) = text.split_once("..").unwrap_or((text, text));
        let (first, last) = (first.parse().ok()?, last.trim_start_matches('=').parse().ok()?);
        (first <= last).then_some(Number { first, last: Some(last) })
    }

    fn holds(self, number: u64) -> bool {
        number >= self.first && self.last.is_some_and(|last| number <= last)
    }
}

impl Value {
    fn takes_name(&self, name: &str, ignores_case: bool) -> bool {
        match self {
            Value::Names(names) => names.iter().any(|(glob, text)| {
                name == text || glob.matches(name) || ignores_case && name.eq_ignore_ascii_case(text)
            }),
            Value::Pattern(pattern) => pattern.is_match(name),
            _ => false,
        }
    }

    fn takes_number(&self, number: u64) -> bool {
        matches!(self, Value::Numbers(numbers) if numbers.iter().any(|range| range.holds(number)))
    }
}

/// Answers tests; what was answered of names is remembered.
#[derive(Default)]
pub(super) struct Matcher {
    known: FxHashMap<(*const Test, Subject), bool>,
}

/// What an answer is about.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Subject {
    Image(u32),
    Process(u32),
    Thread(u32, u32),
    Code(u32, u64),
    Event(u16),
}

impl Matcher {
    /// The sample of a key fulfils a test.
    pub(super) fn holds(&mut self, recording: &Recording, test: &Test, key: &SampleKey) -> bool {
        let process = recording.process(key.process);
        match test.key {
            Key::Pid => return process.is_some_and(|process| test.value.takes_number(process.pid.into())),
            Key::Tid => return test.value.takes_number(key.thread.into()),
            Key::Cpu => return test.value.takes_number(key.cpu.into()),
            _ => {}
        }
        let subject = match test.key {
            Key::Image | Key::Kernel => Subject::Image(key.image.0),
            Key::Symbol | Key::Line => Subject::Code(key.image.0, key.offset.0),
            Key::Event => Subject::Event(key.event.0),
            Key::Thread => Subject::Thread(key.process.0, key.thread),
            _ => Subject::Process(key.process.0),
        };
        *self.known.entry((std::ptr::from_ref(test), subject)).or_insert_with(|| {
            if let (Key::Kernel, Value::Flag(wanted)) = (test.key, &test.value) {
                let kind = recording.image(key.image).map(|image| image.kind);
                return matches!(kind, Some(ImageKind::Kernel | ImageKind::KernelModule)) == *wanted;
            }
            let ignores_case = test.key == Key::Event;
            names(recording, test.key, key).iter().any(|name| test.value.takes_name(name, ignores_case))
        })
    }
}

/// What a sample goes by.
fn names(recording: &Recording, about: Key, key: &SampleKey) -> Vec<String> {
    let process = recording.process(key.process);
    let of_image = |image: Option<&oprof_profile::Image>| {
        image.map_or(Vec::new(), |image| vec![image.short_name().to_owned(), image.name.clone()])
    };
    match about {
        Key::Image => of_image(recording.image(key.image)),
        Key::App => match process.and_then(|process| process.app) {
            Some(app) => of_image(recording.image(app)),
            None => process.map_or(Vec::new(), |process| vec![format!("[{}]", process.comm)]),
        },
        Key::Process => process.map_or(Vec::new(), |process| vec![process.comm.clone()]),
        Key::Thread => process.map_or(Vec::new(), |process| vec![process.thread_name(key.thread).to_owned()]),
        Key::Command => {
            process.map_or(Vec::new(), |process| vec![command_line(process), first_word(process)])
        }
        Key::Event => {
            let event = recording.events.get(usize::from(key.event.0));
            event.map_or(Vec::new(), |event| vec![event.name.clone()])
        }
        Key::Symbol => symbols(recording, key),
        Key::Line => lines(recording, key),
        Key::Pid | Key::Tid | Key::Cpu | Key::Kernel => Vec::new(),
    }
}

fn first_word(process: &Process) -> String {
    let word = process.arguments.first().map_or(process.comm.as_str(), String::as_str);
    word.rsplit('/').next().unwrap_or(word).to_owned()
}

/// The symbol's name as it is shown, without parameters, and as it stands in the table; inlined functions, too.
fn symbols(recording: &Recording, key: &SampleKey) -> Vec<String> {
    let Some(names) = recording.image_names(key.image) else { return Vec::new() };
    let inlined = names.place(key.offset).into_iter().flat_map(|place| &place.inlined);
    let holders = recording.lookup(key.image, key.offset).ok().into_iter();
    let symbols = holders.chain(inlined.map(|frame| frame.function)).filter_map(|id| names.symbol(id));
    symbols
        .flat_map(|symbol| {
            let bare = symbol.name.split('(').next().unwrap_or(&symbol.name);
            [Some(symbol.name.clone()), Some(bare.to_owned()), symbol.mangled.clone()]
        })
        .flatten()
        .collect()
}

/// `file:line` and `path:line`, and both without the line.
fn lines(recording: &Recording, key: &SampleKey) -> Vec<String> {
    let find = || {
        let names = recording.image_names(key.image)?;
        let line = names.place(key.offset)?.line?;
        let path = names.file(line.file)?;
        let short = path.rsplit('/').next().unwrap_or(path);
        Some(vec![
            format!("{short}:{}", line.line),
            format!("{path}:{}", line.line),
            short.to_owned(),
            path.to_owned(),
        ])
    };
    find().unwrap_or_default()
}

impl Test {
    /// The recording tells apart what is asked.
    pub(super) fn check(&self, recording: &Recording) -> Result<(), NothingKept> {
        let refusal = match self.key {
            Key::Cpu if !recording.separates_cpus() => "CPUs are not told apart in the recording",
            Key::Pid if !recording.separates_processes() => "processes are not told apart in the recording",
            Key::Tid | Key::Thread if !recording.separates_threads() => {
                "threads are not told apart; record with --separate-thread"
            }
            _ => return Ok(()),
        };
        Err(NothingKept(format!("the filter cannot be applied: {refusal}")))
    }

    /// Some sample fulfils it.
    pub(super) fn is_known(&self, recording: &Recording) -> bool {
        let mut matcher = Matcher::default();
        recording.counts.iter().any(|(key, _)| matcher.holds(recording, self, &key))
    }

    /// A few of the values that samples have.
    pub(super) fn what_there_is(&self, recording: &Recording) -> String {
        let name = KEYS.iter().find(|(_, key)| *key == self.key).map_or("", |(name, _)| name);
        let mut values: BTreeSet<String> = BTreeSet::new();
        let mut sorted: Vec<_> = recording.counts.iter().collect();
        sorted.sort_by_key(|(key, count)| (std::cmp::Reverse(count.samples), *key));
        for (key, _) in &sorted {
            values.extend(match self.key {
                Key::Pid => recording.process(key.process).map(|process| process.pid.to_string()),
                Key::Tid => Some(key.thread.to_string()),
                Key::Cpu => Some(key.cpu.to_string()),
                Key::Kernel => Some("yes or no".to_owned()),
                about => names(recording, about, key).into_iter().next(),
            });
            if values.len() >= 6 {
                break;
            }
        }
        let shown: Vec<String> = values.iter().take(5).map(|value| printable(value).into_owned()).collect();
        let more = if values.len() > 5 { ", ..." } else { "" };
        match shown.is_empty() {
            true => format!("no sample has a {name}"),
            false => format!("{name} is one of {}{more}", shown.join(", ")),
        }
    }
}
