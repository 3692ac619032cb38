//! What a profile specification names, loaded: of a session of OProfile's, of the daemon, or of recordings.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Result, anyhow, bail};
use oprof_profile::Recording;
use oprof_profile::recording::{is_being_written, is_recording};
use oprof_profile::session::{Listing, SampleFile, SessionDirectory as OprofileSessions};
use oprof_profile::specification::{Sampled, Selection, Specification};
use oprof_report::{Separation, printable};

use crate::oprofile_tool::{Merge, ReadingOptions};
use crate::session::{self, ImagePlaces, Names};
use crate::session_directory::SessionDirectory;
use crate::speak;

/// Where operf leaves its session unless told otherwise, below the current directory.
const OF_OPERF: &str = "oprofile_data";
/// What `oprof record` leaves unless told otherwise.
const OWN_RECORDING: &str = "oprof.data";
/// Where OProfile keeps the system's sessions.
const OF_SYSTEM: &str = "/var/lib/oprofile";

/// The samples that a specification names.
pub(crate) struct SampledProfile {
    /// The samples.
    pub(crate) recording: Recording,
    /// What the session of OProfile's that they are of tells apart; of our own recordings nothing, which have more in
    /// them than is asked for.
    pub(crate) separation: Separation,
    /// Where the images of OProfile's session are; `None` of our own recordings, which need none.
    pub(crate) places: Option<ImagePlaces>,
    /// Something could not be read and is left out.
    pub(crate) incomplete: bool,
}

impl SampledProfile {
    /// What column groups tell apart, without what is to be merged.
    pub(crate) fn separation(&self, merges: impl Fn(Merge) -> bool) -> Separation {
        let Separation { cpus, processes, threads, .. } = self.separation;
        Separation {
            cpus: cpus && !merges(Merge::Cpu),
            processes: processes && !merges(Merge::Tgid),
            threads: threads && !merges(Merge::Tid),
            merges_unit_masks: merges(Merge::UnitMask),
        }
    }
}

/// Loads what `specification` names; calls of call graphs only where they are `with_calls`; `names`: what is to be known of
/// the code, where it is not in a recording.
///
/// # Errors
/// Where nothing is there, or nothing of what is there is chosen: what to do about it.
pub(crate) fn load(
    specification: &Specification,
    reading: &ReadingOptions,
    with_calls: bool,
    names: Names,
) -> Result<SampledProfile> {
    load_from(specification, reading, with_calls, ImagePlaces { names, ..ImagePlaces::default() })
}

/// The same with all that is to be known of images; where those are is `reading`'s to say.
pub(crate) fn load_from(
    specification: &Specification,
    reading: &ReadingOptions,
    with_calls: bool,
    places: ImagePlaces,
) -> Result<SampledProfile> {
    for replaced in &specification.replaced {
        speak::line(&format!("{replaced}: a later argument of this tag takes its place"));
    }
    let mut specification = specification.clone();
    let mut recordings = Vec::new();
    let mut directory = reading.session_dir.clone();
    let mut files = Vec::new();
    for file in std::mem::take(&mut specification.files) {
        let path = Path::new(&file);
        match () {
            () if is_recording(path) => recordings.push(path.to_owned()),
            () if OprofileSessions::is_one(path) && directory.is_none() => directory = Some(path.to_owned()),
            () => files.push(file),
        }
    }
    specification.files = files;
    if !recordings.is_empty() {
        return of_recordings(&recordings, &specification);
    }
    if let Some(archive) = &specification.archive {
        return of_session(archive, specification.clone(), reading, with_calls, places);
    }
    let directory = match directory {
        Some(directory) => directory,
        None => default_directory()?,
    };
    if is_of_daemon(&directory) {
        return of_daemon(&directory, &specification);
    }
    of_session(&directory, specification, reading, with_calls, places)
}

/// The sample files of a session of OProfile's that a specification names.
pub(crate) struct ChosenFiles {
    /// Where they are.
    pub(crate) directory: OprofileSessions,
    /// All that are there.
    pub(crate) listing: Listing,
    /// Those that are named.
    pub(crate) chosen: Vec<SampleFile>,
    /// Where their images are.
    pub(crate) places: ImagePlaces,
}

/// Chooses the sample files that `specification` names, those of calls, too; for what is done with files, and not with
/// samples.
///
/// # Errors
/// As [`load`], and where it names recordings: `instead` says what takes those.
pub(crate) fn choose(
    specification: &Specification,
    reading: &ReadingOptions,
    instead: &str,
) -> Result<ChosenFiles> {
    let mut specification = specification.clone();
    if let Some(recording) = specification.files.iter().find(|file| is_recording(Path::new(file))) {
        bail!("{}: is a recording: {instead}", printable(recording));
    }
    let mut directory = specification.archive.clone().or(reading.session_dir.clone());
    specification.files.retain(|file| {
        let is_directory = directory.is_none() && OprofileSessions::is_one(Path::new(file));
        if is_directory {
            directory = Some(PathBuf::from(file));
        }
        !is_directory
    });
    let directory = match directory {
        Some(directory) => directory,
        None => default_directory()?,
    };
    if is_of_daemon(&directory) {
        bail!("{}: holds recordings: {instead}", directory.display());
    }
    let places = ImagePlaces { names: Names::Nothing, ..ImagePlaces::default() };
    choose_of_session(&directory, specification, reading, true, places)
}

/// The directory that is meant where none is named.
fn default_directory() -> Result<PathBuf> {
    if Path::new(OF_OPERF).is_dir() {
        return Ok(PathBuf::from(OF_OPERF));
    }
    let own = SessionDirectory::new(None)?;
    let of_system = Path::new(OF_SYSTEM);
    if !own.path().exists() && !of_system.exists() {
        let recording = is_recording(Path::new(OWN_RECORDING)).then_some(", such as oprof.data here");
        bail!(
            "there is no session in {OF_OPERF}, {} or {OF_SYSTEM}; name one with --session-dir, or a recording{}",
            own.path().display(),
            recording.unwrap_or_default()
        );
    }
    let directory = match OprofileSessions::is_one(of_system) && !own.path().join("samples").is_dir() {
        true => of_system.to_owned(),
        false => own.path().to_owned(),
    };
    speak::line(&format!("the session is {}", directory.display()));
    Ok(directory)
}

/// It is the daemon's: its sessions are files of recordings. So is one that is not there, of which it is said how to begin.
fn is_of_daemon(directory: &Path) -> bool {
    let own = SessionDirectory::new(None);
    let is_own = own.is_ok_and(|own| own.path() == directory);
    let samples = fs::read_dir(directory.join("samples")).into_iter().flatten().flatten();
    let holds_recording = |session: PathBuf| {
        let entries = fs::read_dir(session).into_iter().flatten().flatten();
        entries.map(|entry| entry.path()).any(|path| path.extension().is_some_and(|name| name == "data"))
    };
    let settings = directory.join("settings").is_file() || directory.join("daemon.log").is_file();
    is_own || settings || samples.map(|entry| entry.path()).any(holds_recording)
}

fn of_daemon(directory: &Path, specification: &Specification) -> Result<SampledProfile> {
    let session = SessionDirectory::new(Some(directory))?;
    session.check()?;
    let mut paths = Vec::new();
    for name in specification.sessions()? {
        paths.extend(session.recordings(Some(name.as_str()).filter(|name| *name != "current"))?);
    }
    if paths.is_empty() {
        bail!("there are no samples yet; `opcontrol --start` takes some");
    }
    of_recordings(&paths, specification)
}

fn of_recordings(paths: &[PathBuf], specification: &Specification) -> Result<SampledProfile> {
    let mut all: Option<Recording> = None;
    let mut incomplete = false;
    for path in paths {
        let mut recording = Recording::open(path)?;
        if let Some(damage) = recording.damage {
            speak::line(&format!("{}: damaged at byte {} ({})", path.display(), damage.offset, damage.what));
            incomplete = true;
        }
        if recording.end.is_none() && is_being_written(path) {
            // It has no end as it goes on.
            recording.end = Some(oprof_profile::CommandEnd::NoCommand);
        }
        match &mut all {
            Some(all) => all.merge(recording),
            None => all = Some(recording),
        }
    }
    let Some(mut recording) = all else {
        bail!("there are no samples yet; `oprof record COMMAND` takes some");
    };
    if specification.chooses() {
        let sampled = Sampled::all_of(&recording);
        let mut specification = specification.clone();
        specification.resolve(|path| real_path(path, None));
        let mut selection = Selection::new(&specification, &recording);
        recording.counts.retain(|key| selection.takes(key));
        recording.calls.retain(|call| {
            selection.takes_event(call.event)
                && selection.takes_task(call.process, call.thread, call.cpu)
                && selection.takes_code(call.process, call.caller_image)
                && selection.takes_code(call.process, call.callee_image)
        });
        if recording.counts.is_empty() {
            bail!("{}", printable(&specification.why_nothing(&sampled)));
        }
    }
    Ok(SampledProfile { recording, separation: Separation::default(), places: None, incomplete })
}

fn of_session(
    directory: &Path,
    specification: Specification,
    reading: &ReadingOptions,
    with_calls: bool,
    places: ImagePlaces,
) -> Result<SampledProfile> {
    let ChosenFiles { directory, listing, chosen, places } =
        choose_of_session(directory, specification, reading, with_calls, places)?;
    let session = session::load(&directory, &listing, &chosen, &places);
    session.tell();
    let incomplete = !session.problems.is_empty();
    let recording = session.recording;
    if recording.counts.is_empty() {
        return Err(anyhow!("{}: none of its sample files can be read", directory.path.display()));
    }
    let separation = Separation {
        cpus: recording.separates_cpus(),
        processes: recording.separates_processes(),
        threads: recording.separates_threads(),
        merges_unit_masks: false,
    };
    Ok(SampledProfile { recording, separation, places: Some(places), incomplete })
}

fn choose_of_session(
    directory: &Path,
    mut specification: Specification,
    reading: &ReadingOptions,
    with_calls: bool,
    places: ImagePlaces,
) -> Result<ChosenFiles> {
    let directory = OprofileSessions::open(directory)?;
    let root = reading.root.as_deref().or(directory.archive.as_deref());
    let places = ImagePlaces { root: root.map(Path::to_owned), search: reading.image_path.clone(), ..places };
    specification.resolve(|path| real_path(path, root));
    let listing = directory.list(&specification.sessions()?)?;
    let of_kind = listing.files.iter().filter(|file| with_calls || !file.of.is_calls());
    let of_kind = of_kind.filter(|file| specification.takes(&Sampled::from(&file.of)));
    let chosen: Vec<SampleFile> = of_kind.cloned().collect();
    if chosen.is_empty() {
        let all: Vec<Sampled> = listing.files.iter().map(|file| Sampled::from(&file.of)).collect();
        bail!("{}: {}", directory.path.display(), printable(&specification.why_nothing(&all)));
    }
    Ok(ChosenFiles { directory, listing, chosen, places })
}

/// The path that symbolic links lead to, below `root`; `None` where there is no such file.
fn real_path(path: &str, root: Option<&Path>) -> Option<String> {
    let Some(root) = root else {
        return Some(fs::canonicalize(path).ok()?.to_str()?.to_owned());
    };
    let root = fs::canonicalize(root).ok()?;
    let below = fs::canonicalize(root.join(path.strip_prefix('/')?)).ok()?;
    Some(format!("/{}", below.strip_prefix(&root).ok()?.to_str()?))
}
