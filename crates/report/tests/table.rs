//! The table of `oprof report`.

mod recordings;

use oprof_profile::{Process, ProcessId, Recording, Timestamp, Unresolved};
use oprof_report::render::{Look, opreport_symbols, table};
use oprof_report::{By, ClassOrder, Options, Report};
use recordings::{Builder, counter, cpu_clock};

fn render(recording: &Recording, by: By, options: Options, look: Look) -> String {
    let report = Report::new(recording, by, ClassOrder::AsAsked, &options);
    let mut out = Vec::new();
    table(&report, look, &mut out).expect("writing to memory");
    String::from_utf8(out).expect("text")
}

fn plain(recording: &Recording, by: By) -> String {
    render(recording, by, Options::default(), Look::default())
}

/// A small build: make, a compiler behind a shell that hardly runs, a tool behind a shell that does work of its
/// own, and two processes of which nothing was seen.
fn build() -> Recording {
    let mut builder = Builder::new([cpu_clock()]);
    let make = builder.image("/usr/bin/make");
    let shell = builder.image("/bin/sh");
    let cc1 = builder.image("/usr/lib/gcc/cc1");
    let process = |pid, app, command: &[&str], times: [u64; 2], total: &[u64]| Process {
        pid,
        app: Some(app),
        comm: "comm".to_owned(),
        arguments: command.iter().map(|argument| (*argument).to_owned()).collect(),
        working_directory: Some("/src".to_owned()),
        started: Timestamp(times[0] * 1_000_000),
        ended: Some(Timestamp(times[1] * 1_000_000)),
        event_totals: total.to_vec(),
        ..Process::default()
    };
    let after = |before: ProcessId, process| Process { before_exec: Some(before), ..process };
    let make_all = builder.process(process(10, make, &["make", "all"], [0, 900], &[2_810_000]));
    let fork = builder.process(process(11, shell, &[], [10, 11], &[]));
    let compile =
        builder.process(after(fork, process(11, cc1, &["cc1", "a b.c"], [11, 500], &[400_250_000])));
    let script = builder.process(process(12, shell, &["sh", "-c", "work; exec tool"], [500, 600], &[]));
    let tool = builder.process(after(script, process(12, make, &["tool"], [600, 800], &[150_000_000])));
    for pid in [13, 14] {
        builder.process(process(pid, shell, &["true"], [800, 801], &[0]));
    }
    for (process, image, symbol, samples) in [
        (make_all, make, "eval", 3),
        (compile, cc1, "parse", 300),
        (compile, cc1, "fold", 99),
        (script, shell, "work", 100),
        (tool, make, "eval", 48),
    ] {
        let offset = builder.offset(image, Ok((symbol, 0)));
        builder.sample(process, image, offset, 0, samples, 1_000_000);
    }
    builder.recording
}

#[test]
fn by_command_each_command_line_is_a_row_with_its_cost() {
    // The tool's exact total is of its shell too: what the shell's samples stand for is taken off.
    let expected = "\
samples      %       total  wall time  working directory  command line
----------------------------------------------------------------------
    399  72.55   400.25 ms  489.00 ms  /src               cc1 'a b.c'
    100  18.18  ~100.00 ms  100.00 ms  /src               sh -c 'work; exec tool'
     48   8.73   ~50.00 ms  200.00 ms  /src               tool
      3   0.55     2.81 ms  900.00 ms  /src               make all
2 more processes without samples
";
    assert_eq!(plain(&build(), By::Command), expected);
}

#[test]
fn by_command_a_total_is_no_less_than_what_the_samples_stand_for() {
    let mut recording = build();
    let tool = recording.processes.iter_mut().find(|process| process.arguments == ["tool"]);
    tool.expect("the tool").event_totals = vec![110_000_000];
    let text = plain(&recording, By::Command);
    assert!(text.contains("     48   8.73   ~48.00 ms  200.00 ms  /src               tool\n"), "{text}");
}

#[test]
fn by_process_execs_of_a_pid_are_one_row() {
    let expected = "\
samples      %      total  pid  wall time  app name  command name
-----------------------------------------------------------------
    399  72.55  400.25 ms   11  490.00 ms  cc1       comm
    148  26.91  150.00 ms   12  300.00 ms  make      comm
      3   0.55    2.81 ms   10  900.00 ms  make      comm
2 more processes without samples
";
    assert_eq!(plain(&build(), By::Process), expected);
}

#[test]
fn by_app_exact_totals_stand_beside_the_samples() {
    let expected = "\
samples      %       total  total %  processes  app name
--------------------------------------------------------
    399  72.55   400.25 ms    72.37          1  cc1
    100  18.18  ~100.00 ms    18.08          2  sh
     51   9.27   ~52.81 ms     9.55          2  make
";
    assert_eq!(plain(&build(), By::App), expected);
}

#[test]
fn by_image_and_by_cpu_have_no_totals() {
    let expected = "\
samples      %  image name
--------------------------
    399  72.55  cc1
    100  18.18  sh
     51   9.27  make
";
    assert_eq!(plain(&build(), By::Image), expected);
    assert_eq!(plain(&build(), By::Cpu).lines().next(), Some("samples      %  cpu"));
}

#[test]
fn by_symbol_names_that_are_missing_say_why() {
    let mut builder = Builder::new([cpu_clock()]);
    let app = builder.app("/bin/app");
    let image = builder.image("/bin/app");
    let reasons = [
        Unresolved::NoSymbols,
        Unresolved::NoSymbolAtOffset,
        Unresolved::Deleted,
        Unresolved::BuildIdMismatch,
        Unresolved::Unreadable,
        Unresolved::KernelRestricted,
        Unresolved::NoMapping,
        Unresolved::Anonymous,
        Unresolved::TooManyOpenFiles,
    ];
    for (reason, samples) in reasons.into_iter().zip([1, 2, 4, 8, 16, 32, 64, 128, 256]) {
        let offset = builder.offset(image, Err(reason));
        builder.sample(app, image, offset, 0, samples, 1);
    }
    let expected = "\
samples      %  symbol name
---------------------------
    256  50.10  (not held open)
    128  25.05  (JIT without map)
     64  12.52  (no mapping)
     32   6.26  (kernel symbols hidden)
     16   3.13  (not readable)
      8   1.57  (build id mismatch)
      4   0.78  (deleted)
      2   0.39  (unresolved)
      1   0.20  (no symbols)
";
    assert_eq!(plain(&builder.recording, By::Symbol), expected);
    let mut plain = Vec::new();
    opreport_symbols(&builder.recording, &Options::default(), &mut plain).expect("writing to memory");
    let plain = String::from_utf8(plain).expect("text");
    assert!(plain.contains("\n161      31.5068  (no symbols)\n"), "OProfile has one word for these: {plain}");
}

#[test]
fn several_events_stand_above_their_columns() {
    let options = Options { threshold: 10.0, ..Options::default() };
    let expected = "\
CPU_CLK_UNHALTED  DATA_CACHE_ACCESSES  DATA_CACHE_MISSES
  samples      %       samples      %     samples      %  image name       app name      symbol name
----------------------------------------------------------------------------------------------------
   13,175  24.33         2,630  24.31       1,548  28.70  libbz2.so.1.0.4  bzip2         (no symbols)
    7,332  13.54         1,455  13.45         258   4.78  hot-stripped     hot-stripped  (no symbols)
    2,177   4.02           431   3.98         581  10.77  python3.11       python3.11    (no symbols)
        4   0.01             1   0.01       1,020  18.91  libc.so.6        cxx           _int_malloc
699 rows below 10 % not shown
";
    assert_eq!(render(&recordings::multi(), By::Symbol, options, Look::default()), expected);
}

#[test]
fn a_width_cuts_names_and_nothing_else() {
    let look = Look { width: Some(80), colour: false };
    let options = Options { threshold: 1.7, ..Options::default() };
    let text = render(&recordings::default(), By::Symbol, options.clone(), look);
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    assert!(text.contains("  2,306   4.08  cxx "), "{text}");
    assert!(text.contains("ns::Widget::spi") && !text.contains("const&) const"), "{text}");
    let uncut = render(&recordings::default(), By::Symbol, options, Look::default());
    assert!(uncut.contains("ns::Widget::spin(std::vector<int, std::allocator<int> > const&) const\n"));
    assert!(!uncut.contains("..."), "{uncut}");
}

#[test]
fn on_a_narrow_terminal_a_command_has_the_room_of_its_directory() {
    let mut builder = Builder::new([cpu_clock()]);
    builder.symbol("/bin/cc1", "/bin/cc1", "main", 1);
    let process = &mut builder.recording.processes[0];
    process.arguments =
        ["/usr/lib/gcc/x86_64-linux-gnu/12/cc1", "-O2", "src/a source.c"].map(str::to_owned).to_vec();
    process.working_directory = Some("/home/user/project".to_owned());
    let at = |width, long_names| {
        let options = Options { long_names, ..Options::default() };
        render(&builder.recording, By::Command, options, Look { width, colour: false })
    };
    let narrow = at(Some(80), false);
    assert!(narrow.contains("  cc1 -O2 'src/a source.c'\n") && !narrow.contains("project"), "{narrow}");
    for (width, long_names) in [(Some(160), false), (None, false), (Some(80), true)] {
        let text = at(width, long_names);
        assert!(text.contains("/home/user") && text.contains("  /usr/lib/gcc/"), "{text}");
    }
}

#[test]
fn the_narrowest_width_still_shows_numbers() {
    for width in 0..60 {
        let look = Look { width: Some(width), colour: false };
        let text = render(&recordings::multi(), By::Symbol, Options::default(), look);
        assert!(text.contains("13,175  24.33"), "at width {width}:\n{text}");
    }
}

#[test]
fn colours_are_for_hot_rows_and_only_where_asked() {
    let mut builder = Builder::new([cpu_clock()]);
    for (symbol, samples) in [("hot", 960), ("warm", 30), ("cold", 10), ("colder", 1)] {
        builder.symbol("/bin/app", "/bin/app", symbol, samples);
    }
    let look = Look { width: None, colour: true };
    let expected = "\
\x1b[1msamples      %  symbol name\x1b[0m
---------------------------
\x1b[31m    960  95.90  hot\x1b[0m
\x1b[33m     30   3.00  warm\x1b[0m
     10   1.00  cold
      1   0.10  colder
";
    assert_eq!(render(&builder.recording, By::Symbol, Options::default(), look), expected);
    assert!(!plain(&builder.recording, By::Symbol).contains('\x1b'));
}

#[test]
fn events_that_are_no_time_are_counted_in_groups_of_digits() {
    let mut builder = Builder::new([counter("instructions", "", 1000)]);
    let image = builder.image("/bin/app");
    let process = Process { app: Some(image), event_totals: vec![1_234_567], ..Process::default() };
    let process = builder.process(process);
    let offset = builder.offset(image, Ok(("main", 0)));
    builder.sample(process, image, offset, 0, 1_000, 1000);
    let text = plain(&builder.recording, By::App);
    assert_eq!(text.lines().last(), Some("  1,000  100.00  1,234,567   100.00          1  app"));
}
