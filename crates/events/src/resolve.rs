//! From an event as typed to its configurations.

use crate::cache::CacheEvent;
use crate::config::{LEAST_COUNT, TYPE_RAW};
use crate::encoding::Encoding;
use crate::known::value_of_mask;
use crate::lookup::is_online;
use crate::modifier::{GroupLetters, looks_like_modifiers};
use crate::pmu::Pmu;
use crate::spec::{Head, Spec, items};
use crate::suffix::Suffix;
use crate::table::BuiltInTable;
use crate::term::Term;
use crate::{Error, EventConfig, EventKind, Group, System, breakpoint, hardware, number, software, suggest};

impl System {
    /// Encodes events as typed: each of `lists` is one event or several that commas part, groups among them; see the
    /// crate's documentation for what can be typed. Groups are numbered over all lists.
    ///
    /// # Errors
    /// Any [`Error`]; each names the event and what to do.
    pub fn resolve_all<S: AsRef<str>>(&self, lists: &[S]) -> Result<Vec<EventConfig>, Error> {
        let mut configs = Vec::new();
        let mut groups = 0;
        for list in lists {
            for item in items(list.as_ref())? {
                let (group, letters) = item.modifiers.map(GroupLetters::part).unwrap_or_default();
                let GroupLetters { leader_samples, weak } = group;
                if leader_samples && weak {
                    let letters = item.modifiers.unwrap_or_default();
                    return Err(Error::malformed(
                        list.as_ref(),
                        letters,
                        "S reads the group as a whole; leave W out",
                    ));
                }
                let group = item.is_group.then_some(Group { number: groups, weak, leader_samples });
                groups += u32::from(item.is_group);
                for (at, spec) in item.events.into_iter().enumerate() {
                    let mut resolved = self.resolve(spec)?;
                    let names_host = names_host(spec)?;
                    for config in &mut resolved {
                        config.group = group;
                        if leader_samples && at > 0 {
                            config.refuse_own_count()?;
                        }
                        if let Some(letters) = &letters {
                            config.apply(config.modifiers().with_group(
                                list.as_ref(),
                                letters,
                                names_host,
                            )?);
                        }
                    }
                    configs.extend(resolved);
                }
            }
        }
        Ok(configs)
    }

    /// Encodes one event as typed.
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
            Head::Probe { is_return, path, place } => {
                let config = self.probe(spec.text, *is_return, path, place)?;
                finish(spec.text, vec![config], &Suffix::parse(spec.text, &spec.suffix)?)?
            }
            Head::Memory { address, length } => {
                let (config, rest) = breakpoint::encode(spec.text, *address, *length, &spec.suffix)?;
                finish(spec.text, vec![config], &Suffix::parse(spec.text, rest)?)?
            }
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

    /// In the order of [`Origin`]; a tracepoint comes after names, since its subsystem may be followed by what could be
    /// modifiers.
    fn resolve_name(&self, spec: &Spec<'_>, name: &str) -> Result<Vec<EventConfig>, Error> {
        let event = spec.text;
        let cores = self.core_pmus();
        if let Some(config) = raw(name).filter(|_| !self.is_foreign()) {
            let configs = per_core(&cores, |pmu| raw_config(name, config, pmu));
            return finish(event, configs, &Suffix::parse(event, &spec.suffix)?);
        }
        // What follows a name may turn out to be half of a tracepoint's, and then be no suffix.
        let suffix = Suffix::parse(event, &spec.suffix);
        let none = Suffix::default();
        let known = self.known(event, name, suffix.as_ref().unwrap_or(&none))?;
        if !known.is_empty() {
            let suffix = suffix?;
            let several = cores.len() > 1;
            return known.iter().map(|known| self.encode_known(event, known, several, &suffix)).collect();
        }
        if !self.is_foreign() {
            if let Some(configs) = generic(name, &cores) {
                return finish(event, configs, &suffix?);
            }
            if let [second, rest @ ..] = spec.suffix.as_slice()
                && !second.is_empty()
                && number::parse(second).is_none()
            {
                match self.tracepoint(event, name, second) {
                    Ok(config) => return finish(event, vec![config], &Suffix::parse(event, rest)?),
                    // `cyclse:u` is a misspelt event with a modifier, not a tracepoint; `skl::INST_RETIRED` is libpfm4's.
                    Err(_) if looks_like_modifiers(second) => {}
                    Err(error) => return self.libpfm(spec, name).unwrap_or(Err(error)),
                }
            }
            if let Some(answer) = self.libpfm(spec, name) {
                return answer;
            }
            if cores.is_empty()
                && let Some(origin) = self.known_without_pmu(name, suffix.as_ref().unwrap_or(&none))
            {
                return Err(Error::NoPmu { event: event.to_owned(), origin });
            }
        }
        Err(self.unknown(event, name))
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
        let chosen = matching(pmus, pmu_name);
        if chosen.is_empty() {
            if let Some(configs) = generic(pmu_name, &self.core_pmus()) {
                let configs = configs.into_iter().map(|config| Encoding::settings_only(event, config, terms));
                return finish(event, configs.collect::<Result<_, _>>()?, &suffix);
            }
            let known = pmus.iter().map(|pmu| pmu.name.clone()).collect();
            return Err(Error::UnknownPmu { event: event.to_owned(), pmu: pmu_name.to_owned(), known });
        }
        chosen
            .into_iter()
            .map(|pmu| {
                let name = format!("{}/{terms_text}/", pmu.name);
                let encoding = Encoding::new(event, pmu, several_cores);
                if let Some((row, at)) = self.named_row(&encoding, terms, &suffix)? {
                    let others = [&terms[..at], &terms[at + 1..]].concat();
                    return self.encode_row(encoding, &row, &name, &others, &suffix);
                }
                let config = encoding.encode(&name, terms, value_of_mask(event, &suffix)?)?;
                with_suffix(event, config, &suffix)
            })
            .collect()
    }

    /// The error for a name that nothing has.
    fn unknown(&self, event: &str, name: &str) -> Error {
        let hardware = hardware::HARDWARE_EVENTS.iter().flat_map(|event| event.names);
        let software = software::SOFTWARE_EVENTS.iter().flat_map(|event| event.names);
        let generic = (hardware.chain(software).map(|&name| name.to_owned()))
            .chain(CacheEvent::all().map(CacheEvent::name))
            .filter(|_| !self.is_foreign());
        let cores = self.core_pmus();
        let out_of_reach = match cores.is_empty() && !self.is_foreign() {
            true => self.cpu_types(),
            false => Vec::new(),
        };
        let out_of_reach: Vec<_> =
            out_of_reach.into_iter().filter_map(|cpu| BuiltInTable::find(cpu)?.parse().ok()).collect();
        let sysfs = cores.into_iter().flat_map(Pmu::event_names).cloned();
        let tables = self.user_tables().iter().chain(&out_of_reach);
        let tables = tables.chain(self.core_tables().iter().flat_map(|t| t.vendor.iter().chain(&t.oprofile)));
        let tables = tables.flat_map(|table| &table.events).map(|event| event.name.clone());
        let suggestions = suggest::closest(name, generic.chain(sysfs).chain(tables));
        Error::UnknownEvent { event: event.to_owned(), suggestions }
    }
}

/// Whether `H` is among an event's modifiers.
fn names_host(spec: &str) -> Result<bool, Error> {
    let spec = Spec::parse(spec)?;
    Ok(spec.suffix.iter().any(|part| looks_like_modifiers(part) && part.contains('H')))
}

/// A generic hardware, cache or software event.
fn generic(name: &str, cores: &[&Pmu]) -> Option<Vec<EventConfig>> {
    if let Some(event) = software::find(name) {
        return Some(vec![event.encode()]);
    }
    if let Some(event) = hardware::find(name) {
        return Some(per_core(cores, |pmu| event.encode(pmu.map(|pmu| pmu.pmu_type))));
    }
    CacheEvent::find(name).map(|event| per_core(cores, |pmu| event.encode(pmu.map(|pmu| pmu.pmu_type))))
}

/// One configuration per core PMU. `encode` gets the PMU where there are several and the event has to say which.
fn per_core(cores: &[&Pmu], encode: impl Fn(Option<&Pmu>) -> EventConfig) -> Vec<EventConfig> {
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
fn online<'c>(cores: &'c [&Pmu]) -> impl Iterator<Item = &'c Pmu> {
    let any = cores.iter().any(|pmu| is_online(pmu));
    cores.iter().copied().filter(move |pmu| !any || is_online(pmu))
}

/// The number of a raw event: `r` and hexadecimal digits.
fn raw(name: &str) -> Option<u64> {
    let digits = name.strip_prefix(['r', 'R'])?;
    number::hexadecimal(digits.strip_prefix("0x").unwrap_or(digits))
}

/// A raw event: of the PMU where there are several, else of whichever is the core's.
fn raw_config(name: &str, config: u64, pmu: Option<&Pmu>) -> EventConfig {
    let name = name.to_ascii_lowercase();
    let pmu_type = pmu.map_or(TYPE_RAW, |pmu| pmu.pmu_type);
    EventConfig { min_count: LEAST_COUNT, ..EventConfig::new(&name, EventKind::Raw, pmu_type, config) }
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
fn finish(event: &str, configs: Vec<EventConfig>, suffix: &Suffix<'_>) -> Result<Vec<EventConfig>, Error> {
    if let Some(mask) = &suffix.unit_mask {
        return Err(Error::malformed(event, mask.text, "this event has no unit masks; give 0"));
    }
    configs.into_iter().map(|config| with_suffix(event, config, suffix)).collect()
}

/// Gives an event its count and modifiers; the unit mask is encoded already.
pub(crate) fn with_suffix(
    event: &str,
    mut config: EventConfig,
    suffix: &Suffix<'_>,
) -> Result<EventConfig, Error> {
    config.apply(suffix.modifiers);
    config.spec = event.to_owned();
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
    config.check_count(config.count)?;
    Ok(config)
}
