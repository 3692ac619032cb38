//! From an event as typed to its configurations.

use crate::cache::CacheEvent;
use crate::config::TYPE_RAW;
use crate::encoding::Encoding;
use crate::modifier::looks_like_modifiers;
use crate::pmu::Pmu;
use crate::spec::{Head, Spec};
use crate::suffix::Suffix;
use crate::term::Term;
use crate::{Error, EventConfig, EventKind, System, hardware, number, software, suggest};

impl System {
    /// Encodes an event as typed; see the crate's documentation for what can be typed.
    ///
    /// There is one configuration for each PMU that takes part: one in general, one per core PMU on a hybrid part, one
    /// per instance for uncore PMUs given without number (`uncore_imc` for `uncore_imc_0`, `uncore_imc_1`). It is
    /// never empty. Generic hardware events are encoded also where there is no hardware PMU: opening them gives the
    /// kernel's word.
    ///
    /// # Errors
    /// Any [`Error`]; each names the event and what to do.
    pub fn resolve(&self, spec: &str) -> Result<Vec<EventConfig>, Error> {
        let spec = Spec::parse(spec)?;
        let mut configs = match &spec.head {
            Head::Name(name) => self.resolve_name(&spec, name)?,
            Head::Pmu { pmu, terms_text, terms } => self.resolve_pmu(&spec, pmu, terms_text, terms)?,
        };
        for config in &mut configs {
            config.spec = spec.text.to_owned();
        }
        Ok(configs)
    }

    /// The event to sample when none is given: cycles where there is a core PMU. Without one, as in most virtual
    /// machines, `None`: `cpu-clock` is the event to fall back to.
    pub fn default_event(&self) -> Option<Vec<EventConfig>> {
        if self.core_pmus().is_empty() { None } else { self.resolve("cycles").ok() }
    }

    /// Generic names come first, since the kernel knows best what they are on this processor; a PMU's own names come
    /// before raw events, whose `r` and digits may look like one.
    fn resolve_name(&self, spec: &Spec<'_>, name: &str) -> Result<Vec<EventConfig>, Error> {
        let event = spec.text;
        let cores = self.core_pmus();
        if let Some(configs) = generic(name, &cores) {
            return finish(event, configs, Suffix::parse(event, &spec.suffix)?);
        }
        let named = named(event, name, &cores)?;
        if !named.is_empty() {
            return encode_named(event, named, cores.len() > 1, Suffix::parse(event, &spec.suffix)?);
        }
        if let Some(config) = raw(name) {
            let configs = per_core(&cores, |pmu| raw_config(name, config, pmu));
            return finish(event, configs, Suffix::parse(event, &spec.suffix)?);
        }
        if let [second, rest @ ..] = spec.suffix.as_slice()
            && !second.is_empty()
            && number::parse(second).is_none()
        {
            match self.tracepoint(event, name, second) {
                Ok(config) => return finish(event, vec![config], Suffix::parse(event, rest)?),
                // `cyclse:u` is a misspelt event with a modifier, not a tracepoint.
                Err(_) if looks_like_modifiers(second) => {}
                Err(error) => return Err(error),
            }
        }
        Err(self.unknown(event, name, &cores))
    }

    fn resolve_pmu(
        &self,
        spec: &Spec<'_>,
        pmu_name: &str,
        terms_text: &str,
        terms: &[Term<'_>],
    ) -> Result<Vec<EventConfig>, Error> {
        let event = spec.text;
        let pmus = self.pmus();
        let several_cores = pmus.iter().filter(|pmu| pmu.core).count() > 1;
        let suffix = Suffix::parse(event, &spec.suffix)?;
        let chosen = matching(&pmus, pmu_name);
        if chosen.is_empty() {
            let cores: Vec<_> = pmus.iter().filter(|pmu| pmu.core).cloned().collect();
            if let Some(configs) = generic(pmu_name, &cores) {
                let configs = configs.into_iter().map(|config| Encoding::settings_only(event, config, terms));
                return finish(event, configs.collect::<Result<_, _>>()?, suffix);
            }
            let known = pmus.into_iter().map(|pmu| pmu.name).collect();
            return Err(Error::UnknownPmu { event: event.to_owned(), pmu: pmu_name.to_owned(), known });
        }
        chosen
            .into_iter()
            .map(|pmu| {
                let name = format!("{}/{terms_text}/", pmu.name);
                let config =
                    Encoding::new(event, pmu, several_cores).encode(&name, terms, suffix.unit_mask)?;
                with_suffix(event, config, suffix)
            })
            .collect()
    }

    /// The error for a name that nothing has.
    fn unknown(&self, event: &str, name: &str, cores: &[Pmu]) -> Error {
        let hardware = hardware::HARDWARE_EVENTS.iter().flat_map(|event| event.names);
        let software = software::SOFTWARE_EVENTS.iter().flat_map(|event| event.names);
        let candidates = (hardware.chain(software).map(|&name| name.to_owned()))
            .chain(CacheEvent::all().map(CacheEvent::name))
            .chain(cores.iter().flat_map(Pmu::event_names));
        Error::UnknownEvent { event: event.to_owned(), suggestions: suggest::closest(name, candidates) }
    }
}

/// A generic hardware, cache or software event.
fn generic(name: &str, cores: &[Pmu]) -> Option<Vec<EventConfig>> {
    if let Some(event) = software::find(name) {
        return Some(vec![event.encode()]);
    }
    if let Some(event) = hardware::find(name) {
        return Some(per_core(cores, |pmu| event.encode(pmu.map(|pmu| pmu.pmu_type))));
    }
    CacheEvent::find(name).map(|event| per_core(cores, |pmu| event.encode(pmu.map(|pmu| pmu.pmu_type))))
}

/// One configuration per core PMU. `encode` gets the PMU where there are several and the event has to say which.
fn per_core(cores: &[Pmu], encode: impl Fn(Option<&Pmu>) -> EventConfig) -> Vec<EventConfig> {
    match cores {
        [] => vec![encode(None)],
        [only] => vec![EventConfig { cpus: only.cpus.clone(), ..encode(None) }],
        several => online(several)
            .map(|pmu| {
                let config = encode(Some(pmu));
                EventConfig {
                    name: format!("{}/{}/", pmu.name, config.name),
                    cpus: pmu.cpus.clone(),
                    ..config
                }
            })
            .collect(),
    }
}

/// The core PMUs with CPUs online, or all if none has.
fn online(cores: &[Pmu]) -> impl Iterator<Item = &Pmu> {
    let is_online = |pmu: &Pmu| pmu.cpus.as_ref().is_none_or(|cpus| !cpus.is_empty());
    let any = cores.iter().any(is_online);
    cores.iter().filter(move |pmu| !any || is_online(pmu))
}

/// The core PMUs that have an event of this name, with its spelling.
fn named<'p>(event: &str, name: &str, cores: &'p [Pmu]) -> Result<Vec<(&'p Pmu, String)>, Error> {
    let mut found = Vec::new();
    for pmu in online(cores) {
        if let Some(known) = pmu.event(event, name)? {
            found.push((pmu, known.name));
        }
    }
    Ok(found)
}

/// Encodes the named events of core PMUs; `several` says whether their names have to tell which PMU.
fn encode_named(
    event: &str,
    named: Vec<(&Pmu, String)>,
    several: bool,
    suffix: Suffix,
) -> Result<Vec<EventConfig>, Error> {
    let encode = |(pmu, name): (&Pmu, String)| {
        let term = Term { name: &name, value: None };
        let shown = if several { format!("{}/{name}/", pmu.name) } else { name.clone() };
        let config = Encoding::new(event, pmu, several).encode(&shown, &[term], suffix.unit_mask)?;
        with_suffix(event, config, suffix)
    };
    named.into_iter().map(encode).collect()
}

/// The number of a raw event: `r` and hexadecimal digits.
fn raw(name: &str) -> Option<u64> {
    let digits = name.strip_prefix(['r', 'R'])?;
    number::hexadecimal(digits.strip_prefix("0x").unwrap_or(digits))
}

/// A raw event: of the PMU where there are several, else of whichever is the core's.
fn raw_config(name: &str, config: u64, pmu: Option<&Pmu>) -> EventConfig {
    let name = name.to_ascii_lowercase();
    EventConfig::new(&name, EventKind::Raw, pmu.map_or(TYPE_RAW, |pmu| pmu.pmu_type), config)
}

/// The PMU of this name, in any case, or else its numbered instances, with or without `uncore_`.
fn matching<'p>(pmus: &'p [Pmu], name: &str) -> Vec<&'p Pmu> {
    if let Some(pmu) = pmus
        .iter()
        .find(|pmu| pmu.name == name)
        .or_else(|| pmus.iter().find(|pmu| pmu.name.eq_ignore_ascii_case(name)))
    {
        return vec![pmu];
    }
    let wanted = name.to_ascii_lowercase();
    let wanted = wanted.strip_prefix("uncore_").unwrap_or(&wanted);
    pmus.iter()
        .filter(|pmu| {
            let found = pmu.name.to_ascii_lowercase();
            let found = found.strip_prefix("uncore_").unwrap_or(&found);
            found.strip_prefix(wanted).is_some_and(|rest| {
                rest.is_empty()
                    || rest
                        .strip_prefix('_')
                        .is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))
            })
        })
        .collect()
}

/// Gives events that have no unit masks their suffix.
fn finish(event: &str, configs: Vec<EventConfig>, suffix: Suffix) -> Result<Vec<EventConfig>, Error> {
    if let Some(mask) = suffix.unit_mask {
        return Err(Error::malformed(event, &format!("{mask:#x}"), "this event has no unit masks; give 0"));
    }
    configs.into_iter().map(|config| with_suffix(event, config, suffix)).collect()
}

/// Gives an event its count and modifiers; the unit mask is encoded already.
fn with_suffix(event: &str, mut config: EventConfig, suffix: Suffix) -> Result<EventConfig, Error> {
    config.apply(suffix.modifiers);
    if let Some(count) = suffix.count {
        if config.count.is_some() || config.frequency.is_some() {
            return Err(Error::malformed(
                event,
                &count.to_string(),
                "period= or freq= says the same; give one of them",
            ));
        }
        config.count = Some(count);
    }
    Ok(config)
}
