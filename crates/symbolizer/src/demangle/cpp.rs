//! Turns a C++ name (Itanium ABI) into the one in the source, or gives up.
//!
//! The parser goes back and tries again where an alternative fails, so that each further `nw` in a name such as
//! `_ZUlDTnwnwnwsrUl` doubles the time: 24 of them take seconds, 32 half an hour. Other forms exist, and its only
//! limit is one of depth. It cannot be interrupted, so it works in a thread of its own, which is left behind when it
//! does not answer in time.

use std::cell::RefCell;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use cpp_demangle::{DemangleOptions, ParseOptions, Symbol};

use super::BoundedText;

/// How long a name may take at least; it is given up before twice as long. None of 7,184 names of LLVM and libstdc++ took a millisecond.
const PATIENCE: Duration = Duration::from_secs(1);

/// The threads that may be left behind, each of which takes a processor until the program ends.
const MOST_LEFT_BEHIND: usize = 2;

/// The depth to which a name nests when it is read. The deepest of those 7,184 names needs 48.
const DEEPEST_PARSE: u32 = 96;

/// The depth to which the parts of a name nest when it is written.
const DEEPEST_DEMANGLE: u32 = 128;

/// The stack of the parser's thread in bytes: what a debug build needs for the depths above, with room to spare.
const STACK: usize = 8 << 20;

/// The threads left behind so far. Only a count: it orders nothing else in memory.
static LEFT_BEHIND: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    /// The parser that this thread talks to; each has its own, so that images can be resolved side by side.
    static PARSER: RefCell<Option<Parser>> = const { RefCell::new(None) };
}

/// A thread that demangles names, until its [`Parser`] is dropped.
struct Parser {
    batches: Sender<Batch>,
    /// Says that a batch is done.
    done: Receiver<()>,
}

/// Names to demangle in turn, and where the results go. A result that was sent by itself would wake who waits for it,
/// which takes as long as the name does.
struct Batch {
    names: Vec<String>,
    results: Arc<Mutex<Vec<Option<String>>>>,
}

impl Batch {
    /// Ends early when nobody waits for the results.
    fn work(self) {
        for name in &self.names {
            let result = parse(name);
            if Arc::strong_count(&self.results) == 1 {
                return;
            }
            locked(&self.results).push(result);
        }
    }
}

impl Parser {
    /// Starts the thread; `None` where the system has no room for one.
    fn start() -> Option<Parser> {
        let (batches, asked) = mpsc::channel::<Batch>();
        let (answers, done) = mpsc::channel();
        let thread = thread::Builder::new().name("demangle".into()).stack_size(STACK);
        let work = move || {
            // Ends when either side of the channels is gone.
            _ = asked.iter().map(Batch::work).try_for_each(|()| answers.send(()));
        };
        thread.spawn(work).ok()?;
        Some(Parser { batches, done })
    }

    /// Demangles names in turn, up to one that takes too long or ends the thread: then with the reason for that.
    fn demangle(&self, names: &[&str]) -> (Vec<Option<String>>, Option<RecvTimeoutError>) {
        let results = Arc::new(Mutex::new(Vec::with_capacity(names.len())));
        let names = names.iter().map(|&name| name.to_owned()).collect();
        let batch = Batch { names, results: Arc::clone(&results) };
        // A thread that is gone answers nothing either.
        _ = self.batches.send(batch);
        let mut before = 0;
        let error = loop {
            match self.done.recv_timeout(PATIENCE) {
                Ok(()) => break None,
                // Time enough for one name, not for all of them.
                Err(RecvTimeoutError::Timeout) if locked(&results).len() > before => {
                    before = locked(&results).len();
                }
                Err(error) => break Some(error),
            }
        };
        (std::mem::take(&mut locked(&results)), error)
    }
}

/// The results so far. A parser that panics does not hold them.
fn locked(results: &Mutex<Vec<Option<String>>>) -> MutexGuard<'_, Vec<Option<String>>> {
    results.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The name in the source; `None` where it is not mangled, is damaged, or took too long.
pub(super) fn demangle(name: &str) -> Option<String> {
    demangle_all(&[name]).pop().flatten()
}

/// The same of many names.
pub(super) fn demangle_all(names: &[&str]) -> Vec<Option<String>> {
    // The parser would also take `_` and other beginnings that are names of C functions.
    let is_mangled =
        |name: &str| name.starts_with("_Z") || name.starts_with("__Z") || name.starts_with("_GLOBAL_");
    let mut demangled = vec![None; names.len()];
    let mut places: Vec<usize> = (0..names.len()).filter(|&place| is_mangled(names[place])).collect();
    while !places.is_empty() && LEFT_BEHIND.load(Ordering::Relaxed) < MOST_LEFT_BEHIND {
        let asked: Vec<&str> = places.iter().map(|&place| names[place]).collect();
        let Some((results, error)) = ask(&asked) else { break };
        // The name that got no result stays as it is.
        let done = results.len() + usize::from(error.is_some());
        for (place, result) in places.drain(..done).zip(results) {
            demangled[place] = result;
        }
    }
    demangled
}

fn ask(names: &[&str]) -> Option<(Vec<Option<String>>, Option<RecvTimeoutError>)> {
    PARSER.with_borrow_mut(|parser| {
        if parser.is_none() {
            *parser = Parser::start();
        }
        let (results, error) = parser.as_ref()?.demangle(names);
        if let Some(error) = error {
            // A parser that panicked is gone; one that is busy is not.
            *parser = None;
            if error == RecvTimeoutError::Timeout {
                LEFT_BEHIND.fetch_add(1, Ordering::Relaxed);
            }
        }
        Some((results, error))
    })
}

fn parse(name: &str) -> Option<String> {
    let options = ParseOptions::default().recursion_limit(DEEPEST_PARSE);
    let symbol = Symbol::new_with_options(name.as_bytes(), &options).ok()?;
    let mut text = BoundedText::default();
    let options = DemangleOptions::new().recursion_limit(DEEPEST_DEMANGLE);
    symbol.structured_demangle(&mut text, &options).ok()?;
    Some(with_unnamed_namespaces(text.0))
}

/// What compilers call an unnamed namespace, up to a number or a hash; of variables the demangler leaves it.
pub(super) const UNNAMED_NAMESPACE: &str = "_GLOBAL__N_";

/// A demangled name in which unnamed namespaces are called so.
fn with_unnamed_namespaces(name: String) -> String {
    if !name.contains(UNNAMED_NAMESPACE) {
        return name;
    }
    let is_word = |letter: char| letter.is_alphanumeric() || letter == '_';
    let mut text = String::with_capacity(name.len() + 16);
    let mut rest = name.as_str();
    while let Some(at) = rest.find(UNNAMED_NAMESPACE) {
        let (before, found) = rest.split_at(at);
        text.push_str(before);
        let end = found.find(|letter| !is_word(letter)).unwrap_or(found.len());
        match text.ends_with(is_word) {
            true => text.push_str(&found[..end]),
            false => text.push_str("(anonymous namespace)"),
        }
        rest = &found[end..];
    }
    text + rest
}
