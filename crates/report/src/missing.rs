//! Missing names: how many samples have none, why, and what would name them.

mod cure;
mod distribution;
mod reason;
mod runtime;

use std::cmp::Reverse;

use oprof_profile::{ImageId, ImageKind, NameSource, Package, Recording};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::image_name::{ImageNames, NameId};
use crate::number::{counted, grouped};
use cure::{NamelessCode, cure, not_recorded};
use distribution::Family;
use reason::{Reason, has_all_names};

/// The samples of a recording whose code has no name: one row for each image and reason.
///
/// A function that goes by its address (`fun_1a2b`) has no name either.
pub struct Missing {
    rows: Vec<MissingRow>,
    /// All samples of the recording.
    samples: u64,
    remarks: Vec<String>,
}

/// The samples of one image that have no name for one reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MissingRow {
    /// How many they are.
    pub samples: u64,
    /// The image: a path, or a name in brackets; of code without a file with the program that ran it.
    pub image: String,
    /// Why they have none, in a few words.
    pub reason: &'static str,
    /// What would name them; `-` where nothing is known that would.
    pub cure: String,
}

/// What the samples of one row have in common.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Place {
    image: NameId,
    reason: Reason,
    /// Of code without a file: what made it is the matter of the program.
    app: Option<NameId>,
}

/// What is known of the samples of a place.
struct Tally {
    samples: u64,
    /// One of the images of that name.
    image: ImageId,
}

/// The samples without a name, by place.
struct Tallies<'r> {
    names: ImageNames<'r>,
    places: FxHashMap<Place, Tally>,
    samples: u64,
    by_address: u64,
    /// Programs that told the names of some code that they made.
    telling: FxHashSet<NameId>,
}

impl<'r> Tallies<'r> {
    fn new(recording: &'r Recording) -> Tallies<'r> {
        let names = ImageNames::new(recording, false);
        let complete: Vec<bool> = recording.names.iter().map(has_all_names).collect();
        let mut tallies = Tallies {
            names,
            places: FxHashMap::default(),
            samples: 0,
            by_address: 0,
            telling: FxHashSet::default(),
        };
        for (key, count) in recording.counts.iter() {
            // What is read with the samples of another event is no sample more.
            let event = recording.events.get(usize::from(key.event.0));
            if event.is_some_and(|event| !event.is_sampled()) {
                continue;
            }
            tallies.samples = tallies.samples.saturating_add(count.samples);
            let complete = complete.get(key.image.0 as usize).copied().unwrap_or(true);
            let kind = recording.image(key.image).map_or(ImageKind::Unknown, |image| image.kind);
            if kind == ImageKind::Jit {
                tallies.telling.insert(tallies.names.app(key.process));
            }
            let reason = match recording.lookup(key.image, key.offset) {
                Err(unresolved) => Reason::of(unresolved, kind, complete),
                Ok(symbol) => {
                    let names = recording.image_names(key.image);
                    let source = names.and_then(|names| names.symbol(symbol)).map(|symbol| symbol.source);
                    if source != Some(NameSource::UnwindTable) {
                        continue;
                    }
                    tallies.by_address = tallies.by_address.saturating_add(count.samples);
                    if complete { Reason::NoSymbolThere } else { Reason::Stripped }
                }
            };
            let app = (reason == Reason::Jit).then(|| tallies.names.app(key.process));
            let place = Place { image: tallies.names.image(key.image), reason, app };
            let tally = tallies.places.entry(place).or_insert(Tally { samples: 0, image: key.image });
            tally.samples = tally.samples.saturating_add(count.samples);
        }
        tallies
    }

    /// How many there are of each reason, most first.
    fn by_reason(&self) -> Vec<(Reason, u64)> {
        let mut sums: FxHashMap<Reason, u64> = FxHashMap::default();
        for (place, tally) in &self.places {
            let sum = sums.entry(place.reason).or_default();
            *sum = sum.saturating_add(tally.samples);
        }
        let mut sums: Vec<_> = sums.into_iter().collect();
        sums.sort_by_key(|(reason, samples)| (Reverse(*samples), *reason));
        sums
    }

    /// The line that counts them; `None` where every sample has a name.
    fn line(&self) -> Option<String> {
        let reasons = self.by_reason();
        let missing = reasons.iter().fold(0_u64, |sum, (_, samples)| sum.saturating_add(*samples));
        let listed: Vec<String> = reasons
            .iter()
            .map(|(reason, samples)| format!("{} {}", grouped(*samples), reason.text()))
            .collect();
        (missing > 0).then(|| {
            format!(
                "{} of {} ({}) {} no symbol: {}",
                grouped(missing),
                counted(self.samples, "sample", "samples"),
                share(missing, self.samples),
                if missing == 1 { "has" } else { "have" },
                listed.join(", ")
            )
        })
    }
}

/// Counts the samples that have no symbol by the reasons for that; `None` where all have one.
pub fn missing_line(recording: &Recording) -> Option<String> {
    Tallies::new(recording).line()
}

/// The same with what to do about it: see the report of them, or record again.
pub fn missing_note(recording: &Recording) -> Option<String> {
    let tallies = Tallies::new(recording);
    let line = tallies.line()?;
    Some(match tallies.places.keys().any(|place| place.reason == Reason::NotRecorded) {
        true => format!("{line}: {}", not_recorded(recording)),
        false => format!("{line}; oprof report --missing says what would name them"),
    })
}

impl Missing {
    /// The samples of a recording whose code has no name.
    pub fn new(recording: &Recording) -> Missing {
        let Tallies { names, places, samples, by_address, telling } = Tallies::new(recording);
        let mut archive = false;
        let mut fetchable = false;
        let mut rows: Vec<(MissingRow, Place)> = Vec::with_capacity(places.len());
        for (place, tally) in places {
            let image = names.text(place.image, true);
            let app = place.app.map_or("", |app| names.text(app, true));
            let code = NamelessCode {
                reason: place.reason,
                kind: recording.image(tally.image).map_or(ImageKind::Unknown, |image| image.kind),
                image,
                app,
                tells_names: place.app.is_some_and(|app| telling.contains(&app)),
                package: package(recording, &names, place.image),
            };
            let cure = cure(&code, recording);
            archive |= cure.text.contains("-dbgsym");
            fetchable |= cure.fetchable;
            let image = if app.is_empty() { image.to_owned() } else { format!("{image} of {app}") };
            let reason = place.reason.text();
            rows.push((MissingRow { samples: tally.samples, image, reason, cure: cure.text }, place));
        }
        rows.sort_by(|(a, place_a), (b, place_b)| {
            Reverse(a.samples)
                .cmp(&Reverse(b.samples))
                .then_with(|| a.image.cmp(&b.image))
                .then_with(|| place_a.cmp(place_b))
        });
        let mut remarks = Vec::new();
        if by_address > 0 {
            let samples = counted(by_address, "of these samples is", "of these samples are");
            remarks.push(format!("{samples} in functions that go by their address (fun_1a2b)"));
        }
        if archive {
            remarks.push(Family::debug_archive(&recording.run.distribution));
        }
        if fetchable {
            remarks.push(
                "in place of installing packages: oprof record --debuginfod fetches what the distribution's server \
                 has"
                .to_owned(),
            );
        }
        Missing { rows: rows.into_iter().map(|(row, _)| row).collect(), samples, remarks }
    }

    /// The rows, most samples first.
    pub fn rows(&self) -> &[MissingRow] {
        &self.rows
    }

    /// How many samples the recording has, with names and without.
    pub fn samples(&self) -> u64 {
        self.samples
    }

    /// What else a reader should know, a sentence each.
    pub fn remarks(&self) -> &[String] {
        &self.remarks
    }
}

/// The package of the images of a name.
fn package<'r>(recording: &'r Recording, names: &ImageNames<'_>, name: NameId) -> Option<&'r Package> {
    recording.packages.iter().find(|(image, _)| names.image(**image) == name).map(|(_, package)| package)
}

/// A share in percent; one too small to show is not shown as none.
fn share(part: u64, whole: u64) -> String {
    match part as f64 * 100.0 / whole as f64 {
        ..0.05 => "less than 0.1 %".to_owned(),
        percent => format!("{percent:.1} %"),
    }
}
