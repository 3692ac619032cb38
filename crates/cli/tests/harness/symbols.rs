//! The rows of `oprof report -l`.

use super::place::Place;

/// A row of `oprof report -l` of one event.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Symbol {
    pub(crate) samples: u64,
    pub(crate) percent: f64,
    pub(crate) image: String,
    /// Where the recording has more than one app.
    pub(crate) app: Option<String>,
    pub(crate) name: String,
}

/// The rows of `oprof report -l` for a recording of one event.
#[track_caller]
pub(crate) fn symbols_of(place: &Place, recording: &str) -> Vec<Symbol> {
    let report = place.report(&format!("-l --plain {recording}")).with_status(0);
    let mut lines = report.text().lines().skip_while(|line| !line.starts_with("samples"));
    let title = lines.next().unwrap_or_else(|| panic!("the table has a title: {}", report.stderr));
    let with_app = title.contains("app name");
    // As in OProfile's tables images are left out where each is its app, and apps where there is but one.
    let with_image = title.contains("image name");
    let only_image = (!with_image && !with_app).then(|| only_image(place, recording));
    lines.map(|line| symbol(line, only_image.as_deref(), with_image, with_app)).collect()
}

fn only_image(place: &Place, recording: &str) -> String {
    let report = place.report(&format!("-n --by image {recording}")).with_status(0);
    let row = report.text().lines().next_back().unwrap_or_default();
    row.rsplit("  ").next().unwrap_or_default().trim().to_owned()
}

#[track_caller]
fn symbol(line: &str, only_image: Option<&str>, with_image: bool, with_app: bool) -> Symbol {
    let mut rest = line;
    let mut field = || {
        let (field, after) = rest.split_once("  ").unwrap_or_else(|| panic!("too few columns: {line}"));
        rest = after.trim_start();
        field
    };
    let (samples, percent) = (field(), field());
    let image = with_image.then(&mut field);
    let app = with_app.then(&mut field);
    let image = image.or(app).or(only_image).unwrap_or_default();
    Symbol {
        samples: samples.parse().unwrap_or_else(|_| panic!("samples: {line}")),
        percent: percent.parse().unwrap_or_else(|_| panic!("percent: {line}")),
        image: image.to_owned(),
        app: app.map(str::to_owned),
        name: rest.to_owned(),
    }
}

/// The share, in percent, that the rows as asked for have of all samples outside the kernel: how much time the kernel
/// takes, for switching between processes above all, depends on how busy the machine is.
pub(crate) fn share_of(symbols: &[Symbol], asked: impl Fn(&Symbol) -> bool) -> f64 {
    let outside = |row: &&Symbol| row.image != "[kernel]";
    let all: u64 = symbols.iter().filter(outside).map(|row| row.samples).sum();
    let part: u64 = symbols.iter().filter(outside).filter(|row| asked(row)).map(|row| row.samples).sum();
    100.0 * part as f64 / all.max(1) as f64
}

/// The samples of the rows of `oprof report -l` that are as asked for, by the words of each; of any images and apps.
#[track_caller]
pub(crate) fn samples_where(place: &Place, is_asked: impl Fn(&[&str]) -> bool) -> u64 {
    let report = place.report("-l --plain").with_status(0);
    let rows = report.text().lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    rows.filter(|row| is_asked(row)).map(|row| row[0].parse::<u64>().expect("a number")).sum()
}

/// The samples of each of these functions.
#[track_caller]
pub(crate) fn samples_of<const N: usize>(place: &Place, functions: [&str; N]) -> [u64; N] {
    functions.map(|function| samples_where(place, |row| row.last() == Some(&function)))
}
