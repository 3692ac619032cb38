//! Reads recordings one after the other, each while its user is at work on those before.

use std::path::PathBuf;
use std::sync::mpsc::{Receiver, sync_channel};

/// So many threads read. To read a recording takes longer than to add it to others.
const READERS: usize = 2;

/// What `read` makes of each of the paths, in their order. As many as there are threads that read are read ahead.
pub fn read_ahead<T: Send + 'static>(
    paths: Vec<PathBuf>,
    read: impl Fn(PathBuf) -> T + Clone + Send + 'static,
) -> ReadAhead<T> {
    let readers: Option<Vec<Receiver<T>>> = (0..READERS)
        .map(|reader| {
            let (sender, receiver) = sync_channel(0);
            let own_paths: Vec<PathBuf> = paths.iter().skip(reader).step_by(READERS).cloned().collect();
            let own_read = read.clone();
            let run = move || {
                for path in own_paths {
                    if sender.send(own_read(path)).is_err() {
                        // Nobody wants more.
                        return;
                    }
                }
            };
            std::thread::Builder::new().name("read".to_owned()).spawn(run).ok().map(|_| receiver)
        })
        .collect();
    match readers {
        Some(readers) => ReadAhead(Source::Threads { readers, next: 0 }),
        None => ReadAhead(Source::Here(Box::new(paths.into_iter().map(read)))),
    }
}

/// What was read, in order.
pub struct ReadAhead<T>(Source<T>);

enum Source<T> {
    /// They take turns.
    Threads { readers: Vec<Receiver<T>>, next: usize },
    /// There can be no further threads.
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
            Source::Threads { readers, next } => {
                let read = readers.get(*next)?.recv().ok();
                *next = (*next + 1) % readers.len();
                read
            }
            Source::Here(read) => read.next(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_comes_in_order() {
        for count in 0..7 {
            let paths: Vec<PathBuf> = (0..count).map(|index| PathBuf::from(format!("{index}"))).collect();
            let read: Vec<PathBuf> = read_ahead(paths.clone(), |path| path).collect();
            assert_eq!(read, paths);
        }
    }
}
