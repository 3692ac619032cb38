//! Reads recordings one after the other, each while its user is at work on the one before.

use std::path::PathBuf;
use std::sync::mpsc::{Receiver, sync_channel};

/// What `read` makes of each of the paths, in their order. One is read ahead, in another thread.
pub fn read_ahead<T: Send + 'static>(
    paths: Vec<PathBuf>,
    read: impl Fn(PathBuf) -> T + Clone + Send + 'static,
) -> ReadAhead<T> {
    let (sender, receiver) = sync_channel(0);
    let (own_paths, own_read) = (paths.clone(), read.clone());
    let run = move || {
        for path in own_paths {
            if sender.send(own_read(path)).is_err() {
                // Nobody wants more.
                return;
            }
        }
    };
    match std::thread::Builder::new().name("read".to_owned()).spawn(run) {
        Ok(_) => ReadAhead(Source::Thread(receiver)),
        Err(_) => ReadAhead(Source::Here(Box::new(paths.into_iter().map(read)))),
    }
}

/// What was read, in order.
pub struct ReadAhead<T>(Source<T>);

enum Source<T> {
    Thread(Receiver<T>),
    /// There can be no further thread.
    Here(Box<dyn Iterator<Item = T>>),
}

impl<T> std::fmt::Debug for ReadAhead<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ReadAhead")
    }
}

impl<T> Iterator for ReadAhead<T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        match &mut self.0 {
            Source::Thread(receiver) => receiver.recv().ok(),
            Source::Here(read) => read.next(),
        }
    }
}
