//! The shared library: loads it and turns what its functions answer into values of our own.

use std::ffi::{CStr, c_char, c_int, c_uint};
use std::ptr::null_mut;
use std::sync::{Mutex, OnceLock};

use super::abi;
use super::text;

/// An error as libpfm4 numbers it: `PFM_ERR_...`, below 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Code(pub(super) c_int);

/// libpfm4's identifier of an event, which comes from libpfm4 only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct EventId(c_int);

/// `pfm_pmu_info_t` in our own types.
pub(super) struct PmuInfo {
    pub(super) name: String,
    pub(super) description: String,
    pub(super) present: bool,
    pub(super) events: usize,
    pub(super) first: Option<EventId>,
}

/// `pfm_event_info_t` in our own types.
pub(super) struct EventInfo {
    pub(super) name: String,
    pub(super) description: String,
    pub(super) code: u64,
    /// The number of the PMU.
    pub(super) pmu: c_uint,
    /// How many masks and modifiers there are.
    pub(super) attributes: c_int,
}

/// `pfm_event_attr_info_t` in our own types.
pub(super) struct AttributeInfo {
    pub(super) name: String,
    pub(super) description: String,
    pub(super) code: u64,
    /// A unit mask, not a modifier.
    pub(super) is_mask: bool,
    pub(super) default: bool,
}

/// What `pfm_get_os_event_encoding` answers.
pub(super) struct Encoded {
    pub(super) attr: abi::perf_event_attr,
    /// The fully qualified name.
    pub(super) name: String,
    pub(super) event: EventId,
}

/// The functions of the loaded and initialised libpfm4. Each takes the library exclusively, so that no two run at once.
pub(super) struct Library {
    get_version: abi::pfm_number,
    strerror: abi::pfm_strerror,
    get_pmu_info: abi::pfm_get_pmu_info,
    get_event_next: abi::pfm_get_event_next,
    find_event: abi::pfm_find_event,
    get_event_info: abi::pfm_get_event_info,
    get_event_attr_info: abi::pfm_get_event_attr_info,
    get_os_event_encoding: abi::pfm_get_os_event_encoding,
    /// Keeps the functions mapped.
    _image: libloading::Library,
}

/// The library of this process. libpfm4 keeps its state in globals, so there must not be a second one.
pub(super) fn shared() -> Option<&'static Mutex<Library>> {
    static SHARED: OnceLock<Option<Mutex<Library>>> = OnceLock::new();
    SHARED.get_or_init(|| Library::load().map(Mutex::new)).as_ref()
}

impl Library {
    /// Loads and initialises.
    fn load() -> Option<Self> {
        // There the bit-fields start at the other end, and nobody has tried.
        if cfg!(target_endian = "big") {
            return None;
        }
        // SAFETY: libpfm4 has no constructors and no destructors of its own, and the name says which library it is. That
        // it is not another of the same name is the matter of whoever may write to the loader's directories.
        let image = unsafe { libloading::Library::new(abi::SONAME) }.ok()?;
        // SAFETY: the types are those of <perfmon/pfmlib.h>, which the major number in the soname stands for; only
        // `pfm_initialize` outlives the symbol here without `image` beside it, and is called while `image` is open.
        let (initialize, library) = unsafe {
            let initialize: abi::pfm_number = *image.get("pfm_initialize").ok()?;
            let library = Self {
                get_version: *image.get("pfm_get_version").ok()?,
                strerror: *image.get("pfm_strerror").ok()?,
                get_pmu_info: *image.get("pfm_get_pmu_info").ok()?,
                get_event_next: *image.get("pfm_get_event_next").ok()?,
                find_event: *image.get("pfm_find_event").ok()?,
                get_event_info: *image.get("pfm_get_event_info").ok()?,
                get_event_attr_info: *image.get("pfm_get_event_attr_info").ok()?,
                get_os_event_encoding: *image.get("pfm_get_os_event_encoding").ok()?,
                _image: image,
            };
            (initialize, library)
        };
        let mut library = library;
        // SAFETY: the library is open, and `shared` calls this once in the process.
        let initialised = unsafe { initialize() } == abi::SUCCESS;
        (initialised && library.version().0 == abi::MAJOR).then_some(library)
    }

    /// Major and minor number of the interface.
    pub(super) fn version(&mut self) -> (u32, u32) {
        // SAFETY: takes nothing and gives a constant.
        let version = unsafe { (self.get_version)() }.cast_unsigned();
        (version >> 16, version & 0xffff)
    }

    /// The error in libpfm4's words.
    pub(super) fn reason(&mut self, code: Code) -> String {
        // SAFETY: takes any number, and gives a string that is part of the library, which stays loaded.
        unsafe { owned((self.strerror)(code.0)) }
    }

    /// What is known of the PMU of this number.
    pub(super) fn pmu(&mut self, pmu: c_uint) -> Result<PmuInfo, Code> {
        let mut info = abi::pfm_pmu_info_t::EMPTY;
        // SAFETY: `info` is writable, is laid out as the header says, which the assertions in `abi` hold, and gives its
        // own size. libpfm4 checks the number.
        check(unsafe { (self.get_pmu_info)(pmu, &raw mut info) })?;
        // SAFETY: libpfm4 has filled `info` in; its strings are null or belong to its tables, which outlive the call.
        let [name, description] = unsafe { [owned(info.name), owned(info.desc)] };
        let events = usize::try_from(info.nevents).unwrap_or(0);
        let first = EventId::new(info.first_event).filter(|_| events > 0);
        Ok(PmuInfo { name, description, present: info.flags & 1 != 0, events, first })
    }

    /// The event behind this one in the catalogue of its PMU.
    pub(super) fn next(&mut self, event: EventId) -> Option<EventId> {
        // SAFETY: takes any number, and this one is libpfm4's own.
        EventId::new(unsafe { (self.get_event_next)(event.0) })
    }

    /// The event of this name.
    pub(super) fn find(&mut self, event: &CStr) -> Result<EventId, Code> {
        // SAFETY: libpfm4 reads the string up to its end and keeps no pointer to it.
        let found = unsafe { (self.find_event)(event.as_ptr()) };
        EventId::new(found).ok_or(Code(found))
    }

    /// What is known of the event.
    pub(super) fn event(&mut self, event: EventId) -> Result<EventInfo, Code> {
        let mut info = abi::pfm_event_info_t::EMPTY;
        // SAFETY: `info` is as for `pmu`, and the event is libpfm4's own number.
        check(unsafe { (self.get_event_info)(event.0, abi::OS_NONE, &raw mut info) })?;
        // SAFETY: as for `pmu`.
        let [name, description] = unsafe { [owned(info.name), owned(info.desc)] };
        Ok(EventInfo { name, description, code: info.code, pmu: info.pmu, attributes: info.nattrs })
    }

    /// What is known of one of the event's masks and modifiers, which are numbered from 0.
    pub(super) fn attribute(&mut self, event: EventId, number: c_int) -> Result<AttributeInfo, Code> {
        let mut info = abi::pfm_event_attr_info_t::EMPTY;
        // SAFETY: `info` is as for `pmu`, and the event is libpfm4's own number; it checks the attribute's.
        check(unsafe { (self.get_event_attr_info)(event.0, number, abi::OS_NONE, &raw mut info) })?;
        // SAFETY: as for `pmu`.
        let [name, description] = unsafe { [owned(info.name), owned(info.desc)] };
        let is_mask = info.kind == abi::ATTR_UMASK;
        Ok(AttributeInfo { name, description, code: info.code, is_mask, default: info.flags & 1 != 0 })
    }

    /// Encodes the event for perf_event_open(2).
    pub(super) fn encode(&mut self, event: &CStr) -> Result<Encoded, Code> {
        let mut attr = abi::perf_event_attr::EMPTY;
        let mut name: *mut c_char = null_mut();
        let mut argument = abi::pfm_perf_encode_arg_t {
            attr: &raw mut attr,
            fstr: &raw mut name,
            size: size_of::<abi::pfm_perf_encode_arg_t>(),
            idx: 0,
            cpu: 0,
            flags: 0,
            pad0: 0,
        };
        let (layer, out) = (abi::OS_PERF_EVENT, (&raw mut argument).cast());
        // SAFETY: the string ends and libpfm4 keeps no pointer to it. The argument is what this layer takes, is laid out
        // as the header says and gives its own size. `attr` and `name` outlive the call, and `attr` is larger than any
        // perf_event_attr so far.
        let code = unsafe { (self.get_os_event_encoding)(event.as_ptr(), abi::KERNEL_AND_USER, layer, out) };
        // SAFETY: null, or a string that libpfm4 has allocated for the caller with malloc and forgotten.
        let full = unsafe { owned(name) };
        // SAFETY: the same pointer, which nobody uses any more; free takes null too.
        unsafe { libc::free(name.cast()) };
        check(code)?;
        let event = EventId::new(argument.idx).ok_or(Code(abi::ERR_NOTFOUND))?;
        Ok(Encoded { attr, name: full, event })
    }
}

impl EventId {
    /// The identifier, unless it is the end of a list or an error.
    fn new(number: c_int) -> Option<Self> {
        (number >= 0).then_some(Self(number))
    }
}

/// Whether a function has succeeded.
fn check(code: c_int) -> Result<(), Code> {
    if code == abi::SUCCESS { Ok(()) } else { Err(Code(code)) }
}

/// A copy of a string of libpfm4, empty for null.
///
/// # Safety
/// The pointer is null, or leads to bytes that can be read up to a zero byte or to [`text::LENGTH`], whichever is first.
unsafe fn owned(string: *const c_char) -> String {
    if string.is_null() {
        return String::new();
    }
    // SAFETY: not null; the caller answers for the bytes.
    let length = unsafe { libc::strnlen(string, text::LENGTH) };
    // SAFETY: `length` bytes have just been read there; they do not change before the copy is made, since the caller
    // has the library exclusively.
    text::printable(unsafe { std::slice::from_raw_parts(string.cast(), length) })
}
