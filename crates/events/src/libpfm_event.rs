//! From an event that libpfm4 knows to its configuration.

use crate::config::{Origin, TYPE_CACHE, TYPE_HARDWARE, TYPE_SOFTWARE, TYPE_TRACEPOINT};
use crate::libpfm::{Libpfm, PfmErrorKind};
use crate::spec::Spec;
use crate::suffix::Suffix;
use crate::{Error, EventConfig, EventKind, System, hardware, software};

impl System {
    /// libpfm4's answer, where it is installed and knows the event. It reads masks and modifiers itself, a count is ours.
    pub(crate) fn libpfm(&self, spec: &Spec<'_>, name: &str) -> Option<Result<Vec<EventConfig>, Error>> {
        let event = spec.text;
        let libpfm = Libpfm::load()?;
        let is_number = |part: &&str| part.starts_with(|c: char| c.is_ascii_digit());
        let (theirs, numbers) = match spec.suffix.iter().position(is_number) {
            Some(at) => spec.suffix.split_at(at),
            None => (spec.suffix.as_slice(), &[][..]),
        };
        let asked = [&[name], theirs].concat().join(":");
        let encoded = match libpfm.encode(&asked) {
            Ok(encoded) => encoded,
            Err(error) if error.kind == PfmErrorKind::NotFound => {
                return of_another_processor(libpfm, event, name, theirs).map(Err);
            }
            // Of the kernel's own events, which it knows too, it can say nothing new.
            Err(_) if !name.contains("::") && libpfm.describe(name).is_none() => return None,
            Err(error) => return Some(Err(Error::Libpfm { event: event.to_owned(), reason: error.reason })),
        };
        let count = match Suffix::parse(event, numbers) {
            Ok(suffix) => suffix.count,
            Err(error) => return Some(Err(error)),
        };
        let pmu = self.pmus().iter().find(|pmu| pmu.pmu_type == encoded.attr_type);
        let base = known_by_number(encoded.attr_type, encoded.config).unwrap_or_else(|| {
            let kind = match (encoded.attr_type, pmu) {
                (TYPE_CACHE, _) => EventKind::HardwareCache,
                (_, Some(pmu)) => EventKind::Pmu { name: pmu.name.clone() },
                _ => EventKind::Raw,
            };
            EventConfig::new("", kind, encoded.attr_type, encoded.config)
        });
        let config = EventConfig {
            spec: event.to_owned(),
            config1: encoded.config1,
            config2: encoded.config2,
            origin: Origin::Libpfm(encoded.pmu),
            description: match base.description.as_str() {
                "" => libpfm.describe(&asked).unwrap_or_default(),
                known => known.to_owned(),
            },
            user: encoded.user,
            kernel: encoded.kernel,
            hypervisor: encoded.kernel,
            host: encoded.host,
            guest: encoded.guest,
            precise: encoded.precise,
            cpus: pmu.and_then(|pmu| pmu.cpus.clone()),
            count_only: pmu.is_some_and(|pmu| pmu.count_only),
            count,
            // Without the modifiers, which stand as `u=1` behind the unit masks.
            name: encoded
                .name
                .split(':')
                .take_while(|part| !part.contains('='))
                .collect::<Vec<_>>()
                .join(":"),
            ..base
        };
        Some(config.check_count(count).map(|()| vec![config.clone()]))
    }
}

/// The error for an event that libpfm4 has in the catalogue of a processor other than this one. Only a name that says
/// which it is (`skl::INST_RETIRED`) is looked for: there are hundreds of catalogues.
fn of_another_processor(libpfm: Libpfm, event: &str, pmu: &str, rest: &[&str]) -> Option<Error> {
    let [_, name, ..] = rest else { return None };
    let pmu =
        libpfm.pmus().into_iter().find(|known| known.name.eq_ignore_ascii_case(pmu) && !known.present)?;
    let mut listed = libpfm.events(&pmu.name).into_iter();
    listed.find(|listed| listed.name.eq_ignore_ascii_case(name))?;
    Some(Error::OtherProcessor { event: event.to_owned(), processor: pmu.description })
}

/// An event of the kernel's own by its number.
fn known_by_number(event_type: u32, number: u64) -> Option<EventConfig> {
    match event_type {
        TYPE_HARDWARE => hardware::HARDWARE_EVENTS.iter().find(|e| e.id == number).map(|e| e.encode(None)),
        TYPE_SOFTWARE => software::SOFTWARE_EVENTS.iter().find(|e| e.id == number).map(|e| e.encode()),
        TYPE_TRACEPOINT => Some(EventConfig {
            default_count: 1,
            min_count: 1,
            ..EventConfig::new("", EventKind::Tracepoint, event_type, number)
        }),
        _ => None,
    }
}
