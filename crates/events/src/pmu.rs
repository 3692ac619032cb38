//! A PMU as sysfs describes it.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use crate::config::TYPE_RAW;
use crate::format::Format;
use crate::table::Family;
use crate::unprintable::is_unprintable;
use crate::{Error, cpu_list, kernel_file};

/// A performance monitoring unit in `/sys/bus/event_source/devices`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Pmu {
    /// The directory's name, such as `cpu`, `cpu_atom`, `uncore_imc_0`.
    pub name: String,
    /// The kernel's number for it, `perf_event_attr.type`.
    pub pmu_type: u32,
    /// The CPUs on which to open its events, from `cpus` or `cpumask`; `None` for every CPU.
    pub cpus: Option<Vec<u32>>,
    /// It counts what a core executes: `cpu`, s390's `cpum_cf`, or one with a `cpus` file (hybrid parts, Arm).
    pub core: bool,
    /// It counts but never samples. The kernel does not say so; taken from what its uncore drivers have in common: a
    /// `cpumask`, since they count for a whole package. `msr` is the known one without.
    pub count_only: bool,
    /// Where sysfs has it; empty for one whose fields are built in.
    directory: PathBuf,
    fields: OnceLock<Vec<Field>>,
    events: OnceLock<Vec<String>>,
}

/// A field by name, or why it cannot be used.
type Field = (String, Result<Format, String>);

/// PMUs that write traces instead of samples although they have a `cpumask`.
const TRACERS: [&str; 4] = ["arm_spe", "intel_pt", "cs_etm", "hisi_ptt"];

impl Pmu {
    /// Reads the PMU in this directory; `None` if there is none that could be used.
    pub(crate) fn read(devices: &Path, name: &str) -> Option<Self> {
        let directory = devices.join(name);
        let pmu_type = kernel_file::read(&directory.join("type")).ok()?.trim().parse().ok()?;
        let list =
            |file| kernel_file::read(&directory.join(file)).ok().and_then(|text| cpu_list::parse(&text).ok());
        let (cpus, cpumask) = (list("cpus"), list("cpumask"));
        let core = cpus.is_some() || name == "cpu" || name == "cpum_cf";
        let tracer = TRACERS.iter().any(|tracer| name.starts_with(tracer));
        let count_only = !core && !tracer && (cpumask.is_some() || name == "msr");
        Some(Self {
            name: name.to_owned(),
            pmu_type,
            cpus: cpus.or(cpumask),
            core,
            count_only,
            directory,
            fields: OnceLock::new(),
            events: OnceLock::new(),
        })
    }

    /// The core PMU of a processor that is not here, with the family's built-in fields.
    pub(crate) fn built_in(family: Family) -> Self {
        let field = |&(name, format): &(&str, &str)| (name.to_owned(), Format::parse(format));
        Self {
            name: "cpu".to_owned(),
            pmu_type: TYPE_RAW,
            cpus: None,
            core: true,
            count_only: false,
            directory: PathBuf::new(),
            fields: family.formats().iter().map(field).collect::<Vec<_>>().into(),
            events: Vec::new().into(),
        }
    }

    fn fields(&self) -> &[Field] {
        self.fields.get_or_init(|| {
            let directory = self.directory.join("format");
            let names = kernel_file::names(&directory).unwrap_or_default();
            let field = |name: String| {
                let text = kernel_file::read(&directory.join(&name)).map_err(|error| error.to_string());
                (name, text.and_then(|text| Format::parse(&text)))
            };
            names.into_iter().map(field).collect()
        })
    }

    /// The field of this name, in any case; `None` if the PMU has none.
    ///
    /// # Errors
    /// [`Error::Sysfs`] if its file cannot be read or understood.
    pub(crate) fn format(&self, event: &str, field: &str) -> Result<Option<Format>, Error> {
        let fields = self.fields();
        let found = fields
            .iter()
            .find(|(name, _)| name == field)
            .or_else(|| fields.iter().find(|(name, _)| name.eq_ignore_ascii_case(field)));
        match found {
            None => Ok(None),
            Some((_, Ok(format))) => Ok(Some(*format)),
            Some((name, Err(reason))) => {
                Err(sysfs(event, &self.directory.join("format").join(name), reason.clone()))
            }
        }
    }

    /// The event that sysfs has under this name, in any case; `None` if the PMU has none.
    ///
    /// # Errors
    /// [`Error::Sysfs`] if its file cannot be read.
    pub(crate) fn event(&self, event: &str, name: &str) -> Result<Option<PmuEvent>, Error> {
        let Some(name) = kernel_file::pick(self.event_names(), name) else { return Ok(None) };
        let path = self.directory.join("events").join(name);
        let terms = kernel_file::read(&path).map_err(|error| sysfs(event, &path, error.to_string()))?;
        let beside = |extension: &str| {
            let text =
                kernel_file::read(&self.directory.join("events").join(format!("{name}.{extension}"))).ok()?;
            Some(text.trim().to_owned())
        };
        let scale =
            beside("scale").and_then(|text| text.parse().ok()).filter(|scale: &f64| scale.is_normal());
        let unit = beside("unit").filter(|unit| !unit.contains(is_unprintable)).unwrap_or_default();
        Ok(Some(PmuEvent { name: name.clone(), terms, scale: scale.unwrap_or(1.0), unit }))
    }

    /// The names of the PMU's fields.
    pub(crate) fn field_names(&self) -> impl Iterator<Item = &str> {
        self.fields().iter().map(|(name, _)| name.as_str())
    }

    /// The names of the PMU's events, sorted. Files with a dot describe another file (`.scale`, `.unit`).
    pub(crate) fn event_names(&self) -> &[String] {
        self.events.get_or_init(|| {
            let mut names = kernel_file::names(&self.directory.join("events")).unwrap_or_default();
            names.retain(|name| {
                ![".scale", ".unit", ".per-pkg", ".snapshot"]
                    .iter()
                    .any(|extension| name.ends_with(extension))
            });
            names
        })
    }
}

/// A named event of a PMU.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct PmuEvent {
    /// The name as the kernel spells it.
    pub(crate) name: String,
    /// Its terms, such as `event=0xcd,umask=0x1,ldlat=3`.
    pub(crate) terms: String,
    /// Factor from the count to the unit.
    pub(crate) scale: f64,
    /// Unit of the scaled count, or empty.
    pub(crate) unit: String,
}

fn sysfs(event: &str, path: &Path, reason: String) -> Error {
    Error::Sysfs { event: event.to_owned(), path: path.to_owned(), reason }
}
