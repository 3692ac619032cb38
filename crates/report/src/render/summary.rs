//! OProfile's image summary (`opreport` without options).

use std::io::{self, Write};

use oprof_profile::{Count, Recording};
use rustc_hash::FxHashMap;

use crate::class::{Class, ClassOfKey, ClassOrder, classes};
use crate::header::{class_titles, header};
use crate::image_name::{ImageNames, NameId};
use crate::options::Options;
use crate::percent::percent;
use crate::place::Place;
use crate::printable::printable;
use crate::rows::{Row, Rows, sum};

/// An app and the images that its processes ran.
struct App {
    name: NameId,
    counts: Vec<Count>,
    images: Vec<(NameId, Row)>,
}

/// Writes OProfile's image summary: the header, then a row for each app, and below it, where the app has samples in
/// other images than itself, a row for each of its images. Each row is one write; give it a buffered `out`.
pub fn opreport_summary(
    recording: &Recording,
    options: &Options,
    out: &mut (impl Write + ?Sized),
) -> io::Result<()> {
    let options = &Options { oprofile_words: true, ..options.clone() };
    let separation = options.separation.in_fact(recording);
    let classes = classes(recording, ClassOrder::of_oprofile(options), separation);
    let class_of = ClassOfKey::new(recording, &classes, separation);
    let images = ImageNames::new(recording, options.oprofile_words);
    let rows = Rows::fold(recording, classes.len(), &class_of, |key| {
        let (app, image) = (images.app(key.process), images.image(key.image));
        let app = if options.images_as_apps { image } else { app };
        (app == image || !options.exclude_dependent).then_some(Place::Dependent { app, image })
    })
    .into_rows();
    let whole = sum(&rows, classes.len());
    let mut apps = apps(rows, &images, &classes, options.reverse);
    apps.retain(|app| {
        let (part, whole) = match classes.first() {
            Some(class) => (class.measure(app.counts[0]), class.measure(whole[0])),
            None => (0, 0),
        };
        // Not part / whole: a share of a whole of zero is zero.
        part as f64 * 100.0 >= options.threshold * whole as f64
    });
    let read: Vec<bool> = classes.iter().map(|class| class.is_read(recording)).collect();
    let titles = titles(recording, &classes, &read);
    if !options.no_header {
        out.write_all(header(recording, &classes).as_bytes())?;
        write_titles(&titles, "", out)?;
    }
    let write_row = |indent: &str, counts: &[Count], whole: &[Count], name: NameId, out: &mut _| {
        let mut line = indent.to_owned();
        for (((class, part), whole), read) in classes.iter().zip(counts).zip(whole).zip(&read) {
            let share = percent(class.measure(*part), class.measure(*whole));
            // Of an event that is read with the samples of another the number of samples is the other's.
            let amount = if *read { part.weight } else { part.samples };
            line.push_str(&format!("{amount:>9} {share} "));
        }
        line.push_str(&printable(images.text(name, options.long_names)));
        line.push('\n');
        write_all(out, &line)
    };
    for app in &apps {
        write_row("", &app.counts, &whole, app.name, out)?;
        if app.images.iter().all(|(image, _)| *image == app.name) {
            continue;
        }
        if !options.no_header {
            write_titles(&titles, "\t", out)?;
        }
        let whole = if options.global_percent { &whole } else { &app.counts };
        for (image, row) in &app.images {
            write_row("\t", &row.counts, whole, *image, out)?;
        }
    }
    Ok(())
}

fn write_all(out: &mut (impl Write + ?Sized), text: &str) -> io::Result<()> {
    out.write_all(text.as_bytes())
}

/// Most first; ties in the order of paths, below an app its own image first and then what is no file, as the names
/// of OProfile's sample files sort.
fn apps(rows: Vec<Row>, images: &ImageNames<'_>, classes: &[Class], reverse: bool) -> Vec<App> {
    let mut index: FxHashMap<NameId, usize> = FxHashMap::default();
    let mut apps: Vec<App> = Vec::new();
    for row in rows {
        let Place::Dependent { app, image } = row.place else { continue };
        let slot = *index.entry(app).or_insert_with(|| {
            apps.push(App { name: app, counts: vec![Count::default(); classes.len()], images: Vec::new() });
            apps.len() - 1
        });
        for (sum, count) in apps[slot].counts.iter_mut().zip(&row.counts) {
            sum.add(*count);
        }
        if row.is_sampled() {
            apps[slot].images.push((image, row));
        }
    }
    let measure = |counts: &[Count]| {
        let measure = classes.first().zip(counts.first()).map_or(0, |(class, count)| class.measure(*count));
        // Most first, unless the order is turned round; ties are in the same order in both.
        if reverse { measure } else { u64::MAX - measure }
    };
    for app in &mut apps {
        app.images.sort_by_cached_key(|(image, row)| {
            let name = images.name(*image);
            (measure(&row.counts), *image != app.name, name.kind, name.full.clone(), *image)
        });
    }
    apps.sort_by_cached_key(|app| (measure(&app.counts), images.name(app.name).full.clone(), app.name));
    apps
}

/// The three lines above the rows.
fn titles(recording: &Recording, classes: &[Class], read: &[bool]) -> [String; 3] {
    [
        class_titles(recording, classes).iter().map(|title| title.clone() + "|").collect(),
        read.iter().map(|read| if *read { "   events|      %|" } else { "  samples|      %|" }).collect(),
        "-".repeat(18 * classes.len()),
    ]
}

fn write_titles(titles: &[String; 3], indent: &str, out: &mut (impl Write + ?Sized)) -> io::Result<()> {
    titles.iter().try_for_each(|line| writeln!(out, "{indent}{line}"))
}
