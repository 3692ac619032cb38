//! Runtimes that compile while they run, and what makes each of them tell the names of its code.

/// What the last part of a program's path is, and what makes the program write a perf map or a jitdump file. A name
/// that ends in `*` is the beginning of one.
///
/// Sources: `node --v8-options`, `deno run --help`; HotSpot's globals.hpp (DumpPerfMapAtExit is a diagnostic flag);
/// learn.microsoft.com on DOTNET_PerfMapEnabled; LuaJIT's lj_trace.c; Ruby's
/// doc/yjit/yjit.md; Erlang's BeamAsm documentation; PHP's zend_jit.h; Julia's manual on external profilers; QEMU's and
/// Wasmtime's documentation.
const RUNTIMES: [(&str, &str); 16] = [
    ("node", "node --perf-basic-prof"),
    ("nodejs", "node --perf-basic-prof"),
    ("deno", "deno run --v8-flags=--perf-basic-prof"),
    ("chrome", "--no-sandbox --js-flags=--perf-basic-prof"),
    ("chromium*", "--no-sandbox --js-flags=--perf-basic-prof"),
    ("electron", "--no-sandbox --js-flags=--perf-basic-prof"),
    ("java", "java -XX:+UnlockDiagnosticVMOptions -XX:+DumpPerfMapAtExit (JDK 17 or later), or an agent"),
    ("dotnet", "DOTNET_PerfMapEnabled=1 in the environment"),
    ("luajit*", "LuaJIT built with XCFLAGS=-DLUAJIT_USE_PERFTOOLS"),
    ("ruby*", "ruby --yjit-perf (3.3 or later)"),
    ("beam.smp", "erl +JPperf true"),
    ("php*", "php -d opcache.jit_debug=16"),
    ("julia", "ENABLE_JITPROFILING=1 in the environment"),
    ("wasmtime", "wasmtime run --profile=perfmap"),
    ("qemu-system-*", "qemu-system -perfmap (8.0 or later)"),
    ("qemu-*", "qemu -perfmap (8.0 or later)"),
];

/// What makes any other runtime tell them.
const ANY: &str = "an option of the program's that writes /tmp/perf-PID.map or a jitdump file";

/// What makes this program tell the names of the code that it compiles while it runs. `app` is its path or, in brackets,
/// its command name.
pub(crate) fn option(app: &str) -> &'static str {
    let name = app.rsplit('/').next().unwrap_or(app).trim_start_matches('[').trim_end_matches(']');
    let fits = |pattern: &str| match pattern.strip_suffix('*') {
        Some(beginning) => name.starts_with(beginning),
        None => name == pattern,
    };
    RUNTIMES.iter().find(|(pattern, _)| fits(pattern)).map_or(ANY, |(_, option)| option)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_s_name_tells_its_runtime() {
        for (app, beginning) in [
            ("/usr/bin/node", "node --perf-basic-prof"),
            ("[node]", "node --perf-basic-prof"),
            ("/usr/lib/jvm/java-17-openjdk-amd64/bin/java", "java -XX:+UnlockDiagnosticVMOptions"),
            ("/usr/share/dotnet/dotnet", "DOTNET_PerfMapEnabled=1"),
            // What `-X perf` names are the steps from function to function, in which next to no time is spent.
            ("/usr/bin/python3.12", ANY),
            ("/usr/bin/qemu-aarch64-static", "qemu -perfmap"),
            ("/usr/bin/qemu-system-x86_64", "qemu-system -perfmap"),
            ("/usr/lib/erlang/erts-13.1.5/bin/beam.smp", "erl +JPperf"),
            ("/usr/bin/nodemon", ANY),
            ("/opt/javac", ANY),
            ("[unknown]", ANY),
            ("", ANY),
        ] {
            assert!(option(app).starts_with(beginning), "{app}: {}", option(app));
        }
    }
}
