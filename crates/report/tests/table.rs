mod recordings;
use oprof_report::render::{Look, table};
use oprof_report::{By, ClassOrder, Options, Report};
#[test]
fn show() {
    for (r, w, by) in [
        (recordings::default(), None, By::Symbol),
        (recordings::default(), Some(80), By::Symbol),
        (recordings::multi(), Some(100), By::Symbol),
        (recordings::multi(), None, By::App),
        (recordings::multi(), None, By::Command),
        (recordings::multi(), None, By::Process),
        (recordings::multi(), None, By::Cpu),
    ] {
        let rep = Report::new(&r, by, ClassOrder::AsAsked, &Options { threshold: 1.3, ..Options::default() });
        let mut o = Vec::new();
        table(&rep, Look { width: w, colour: false }, &mut o).unwrap();
        println!("{}", String::from_utf8(o).unwrap());
    }
}
