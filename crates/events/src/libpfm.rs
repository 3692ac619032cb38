//! Turns an event of a processor's own catalogue into its encoding, where libpfm4 is installed.
//!
//! The kernel knows few events by name; libpfm4 has the vendors' catalogues. It is loaded while the program runs, so
//! that neither building nor running needs it: without it [`Libpfm::load`] answers `None`.
//!
//! libpfm4 encodes only events of processors that it detects. With `LIBPFM_ENCODE_INACTIVE=1` in the environment at
//! the first [`Libpfm::load`] it encodes those of any processor (libpfm(3) has more such variables). It lists all in
//! either case.
//!
//! ```
//! use oprof_events::libpfm::{Libpfm, PfmErrorKind};
//! if let Some(libpfm) = Libpfm::load()
//!     && libpfm.pmus().iter().any(|pmu| pmu.name == "perf" && pmu.present)
//! {
//!     assert_eq!(libpfm.encode("perf::CPU-CYCLES").map(|event| (event.attr_type, event.config)), Ok((0, 0)));
//!     assert_eq!(libpfm.encode("perf::NONE").map_err(|error| error.kind), Err(PfmErrorKind::NotFound));
//! }
//! ```

mod abi;
mod error;
mod event;
#[allow(unsafe_code, reason = "calls the functions of a shared library")]
mod library;
mod listed;
mod text;

use std::ffi::CString;
use std::sync::{Mutex, MutexGuard, PoisonError};

pub use error::{PfmError, PfmErrorKind};
pub use event::PfmEvent;
pub use listed::{PfmListed, PfmMask, PfmPmu};

use crate::unprintable::is_unprintable;
use library::Library;

/// libpfm4, loaded and initialised. There is one for the process, which is never unloaded; calls from several threads
/// wait for each other, since libpfm4 does not say that it is thread-safe.
#[derive(Clone, Copy)]
pub struct Libpfm {
    library: &'static Mutex<Library>,
}

impl Libpfm {
    /// Loads `libpfm.so.4` with the first call. `None` where it is not installed or knows neither the processor nor the
    /// kernel's own events, and on big-endian machines.
    pub fn load() -> Option<Self> {
        library::shared().map(|library| Self { library })
    }

    /// Major and minor number of the interface. Releases do not show here: libpfm 4.13 says 4.0.
    pub fn version(&self) -> (u32, u32) {
        self.lock().version()
    }

    /// Encodes one event for `perf_event_open`, counting in user space and kernel unless it says otherwise:
    /// `[pmu::]event[:mask]...[:modifier[=value]]...`, case does not matter.
    ///
    /// # Errors
    /// [`PfmErrorKind::NotFound`] where no PMU that libpfm4 encodes for has such an event. Otherwise libpfm4's reason:
    /// a mask that is missing or unknown, a PMU that the kernel lacks (`not supported`), or a kernel without
    /// `/proc/sys/kernel/perf_event_paranoid`, for which libpfm4 encodes nothing (likewise).
    pub fn encode(&self, event: &str) -> Result<PfmEvent, PfmError> {
        let argument = argument(event).map_err(|reason| PfmError::other(event, reason))?;
        let mut library = self.lock();
        event::encode(&mut library, &argument).map_err(|code| PfmError {
            kind: PfmErrorKind::of(code),
            event: crate::error::shortened(event),
            reason: library.reason(code),
        })
    }

    /// Every PMU that libpfm4 has a catalogue of, most of them of other machines.
    pub fn pmus(&self) -> Vec<PfmPmu> {
        listed::pmus(&mut self.lock())
    }

    /// The catalogue of the PMU of this name, whether present or not. Empty where there is no such PMU.
    pub fn events(&self, pmu: &str) -> Vec<PfmListed> {
        listed::events(&mut self.lock(), pmu)
    }

    /// What the event counts, in libpfm4's words. Masks and modifiers may follow the name and are not described; an
    /// alias is described as the event that it stands for. `None` for events of PMUs that libpfm4 does not encode for,
    /// which only [`events`](Self::events) describes, and for masks that the event does not have.
    pub fn describe(&self, event: &str) -> Option<String> {
        let argument = argument(event).ok()?;
        let mut library = self.lock();
        let event = library.find(&argument).ok()?;
        Some(library.event(event).ok()?.description)
    }

    /// The library, for one question. A panic in another thread leaves nothing half done on our side of it.
    fn lock(&self) -> MutexGuard<'static, Library> {
        self.library.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Libpfm {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Libpfm")
    }
}

/// The event as libpfm4 takes it, or why it cannot take it.
fn argument(event: &str) -> Result<CString, &'static str> {
    // Far above any event.
    const LENGTH: usize = 1024;
    let event = event.trim();
    if event.len() > LENGTH {
        return Err("the name is too long");
    }
    // Of a list libpfm4 would encode the first event and ignore the rest (pfm_get_os_event_encoding(3)).
    if event.contains(|c: char| c == ',' || c.is_whitespace() || is_unprintable(c)) {
        return Err("not the name of one event");
    }
    CString::new(event).map_err(|_| "not the name of one event")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_argument_is_one_event() {
        assert_eq!(argument(" skl::INST_RETIRED:u \n"), Ok(c"skl::INST_RETIRED:u".into()));
        for event in ["a,b", "a b", "a\0b", "a\x1bb", &"a".repeat(1025)] {
            assert!(argument(event).is_err(), "{event:?}");
        }
    }
}
