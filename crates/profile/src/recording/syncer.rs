//! Brings a file's content to the disk, beside the recorder.

use std::fs::File;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::JoinHandle;

/// Brings what was written to the disk, beside the recorder, which must not wait for a disk while buffers fill.
#[derive(Debug)]
pub(super) struct Syncer {
    files: Option<SyncSender<File>>,
    thread: Option<JoinHandle<()>>,
}

impl Syncer {
    /// Without a thread a recording survives a kill of the recorder, though not a power cut.
    pub(super) fn start() -> Option<Syncer> {
        let (files, received) = sync_channel::<File>(1);
        let run = move || {
            for file in received {
                let _ = file.sync_data();
            }
        };
        let thread = std::thread::Builder::new().name("sync".to_owned()).spawn(run).ok()?;
        Some(Syncer { files: Some(files), thread: Some(thread) })
    }

    /// Has the file's content brought to the disk.
    pub(super) fn sync(&self, file: &File) {
        if let (Some(files), Ok(file)) = (&self.files, file.try_clone()) {
            // Where the last one is still under way, the next will do.
            let _ = files.try_send(file);
        }
    }
}

impl Drop for Syncer {
    fn drop(&mut self) {
        drop(self.files.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
