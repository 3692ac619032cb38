//! Work on all CPUs, and on this thread alone where no more threads can be had.

use std::sync::OnceLock;

use rayon::{ThreadPool, ThreadPoolBuilder};

/// Runs work that divides itself by rayon.
///
/// Its own pool would end the program where a limit of processes or of memory allows no more threads, with the command
/// over and the recording not yet complete.
pub(crate) fn run<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    static POOL: OnceLock<Option<ThreadPool>> = OnceLock::new();
    if let Some(pool) = POOL.get_or_init(|| ThreadPoolBuilder::new().build().ok()) {
        return pool.install(work);
    }
    // Where this thread is in one already, that does.
    let alone = ThreadPoolBuilder::new().num_threads(1).use_current_thread().build();
    let done = work();
    std::mem::forget(alone);
    done
}

#[cfg(test)]
mod tests {
    use super::*;
    use rayon::prelude::*;

    #[test]
    fn work_is_done_with_and_without_other_threads() {
        let sum = || (0..1000_u64).into_par_iter().sum::<u64>();
        assert_eq!(run(sum), 499_500);
        let alone = std::thread::spawn(move || {
            let _pool = ThreadPoolBuilder::new().num_threads(1).use_current_thread().build();
            sum()
        });
        assert_eq!(alone.join().expect("no panic"), 499_500);
    }
}
