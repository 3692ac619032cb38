//! A thousand addresses: by the symbol table of a large library, and with lines and inlined calls of a program with
//! much debugging information, against those who answer the same.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use object::elf::{FileHeader64, PF_X, PT_LOAD};
use object::read::elf::{FileHeader, ProgramHeader};
use object::{Endianness, Object, ObjectSection, ReadCache};

use crate::bench::Bench;
use crate::measure::{self, Measured, median};
use crate::quantity::{Bytes, Time, ratio};

/// The addresses that are asked for, evenly over the code.
const ADDRESSES: u64 = 1000;

/// The C++ that is compiled once, for each of some types of its own. It becomes as many units as there are letters:
/// the names in the assembler's source are exchanged for others of the same length, which is quicker than compiling.
const TYPES: usize = 40;
const UNITS: [char; 8] = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];

pub(crate) fn run(bench: &Bench) -> Result<String> {
    let by_table = match library() {
        Some(library) => by_table(bench, &library)?,
        None => "no library of 100 MB".into(),
    };
    let program = program(bench)?;
    Ok(format!("{by_table}; {}", by_debugging(bench, &program)?))
}

/// The compiler's own library: it has a symbol table, 100 MB and no debugging information.
fn library() -> Option<PathBuf> {
    let output = Command::new("rustc").args(["--print", "sysroot"]).output().ok()?;
    let folder = Path::new(str::from_utf8(&output.stdout).ok()?.trim()).join("lib");
    let mut files = fs::read_dir(folder).ok()?.flatten().map(|entry| entry.path());
    files.find(|path| path.to_string_lossy().contains("librustc_driver"))
}

fn by_table(bench: &Bench, library: &Path) -> Result<String> {
    let places = places(library)?;
    let times = (0..bench.repetitions(9)).map(|_| seconds(&ours(bench, "oprof", library, &places)?, 0));
    let time = median(times.collect::<Result<Vec<_>>>()?);
    let cache = bench.path("cache");
    let who = format!("oprof={}", cache.display());
    let making = seconds(&ours(bench, &who, library, &places)?, 2)?;
    let index = fs::read_dir(&cache)?.next().context("no index was made: has the library a build id?")??;
    let size = index.metadata()?.len();
    let times = (0..bench.repetitions(9)).map(|_| seconds(&ours(bench, &who, library, &places)?, 0));
    let again = median(times.collect::<Result<Vec<_>>>()?);
    Ok(format!(
        "table of {}: {}, from the cache {} ({}); making the index {}, {}",
        Bytes(fs::metadata(library)?.len()),
        Time(time),
        Time(again),
        ratio(again.as_secs_f64(), time.as_secs_f64()),
        Time(making),
        Bytes(size)
    ))
}

fn by_debugging(bench: &Bench, program: &Path) -> Result<String> {
    let places = places(program)?;
    let data = ReadCache::new(File::open(program)?);
    let file = object::File::parse(&data)?;
    let sections =
        file.sections().filter(|section| section.name().is_ok_and(|name| name.starts_with(".debug_")));
    let size = Bytes(sections.map(|section| section.size()).sum());

    let repetitions = bench.repetitions(5);
    let mut runs: Vec<[Option<Measured>; 4]> = Vec::new();
    for _ in 0..repetitions {
        runs.push([
            Some(ours(bench, "oprof", program, &places)?),
            Some(ours(bench, "addr2line", program, &places)?),
            tool("llvm-symbolizer", &["--inlining", "--obj"], program, &places),
            tool("addr2line", &["-f", "-i", "-C", "-e"], program, &places),
        ]);
    }
    let column = |column: usize| runs.iter().map(move |run| run[column].as_ref());
    let wall = |place: usize| -> Option<Duration> {
        Some(median(column(place).map(|run| run.map(|run| run.wall)).collect::<Option<Vec<_>>>()?))
    };
    let memory = |place: usize| median(column(place).flatten().map(|run| run.peak_memory));
    let time = wall(0).context("not measured")?;
    let cpu = median(column(0).flatten().map(|run| run.cpu));
    let mut line = format!(
        "debugging information of {size}: {}, CPU {}, peak memory {}",
        Time(time),
        Time(cpu),
        memory(0)
    );
    for (place, name) in [(1, "addr2line crate"), (2, "llvm-symbolizer"), (3, "binutils addr2line")] {
        line += &match wall(place) {
            Some(theirs) => format!(
                ", {name} {} ({}), {}",
                Time(theirs),
                ratio(time.as_secs_f64(), theirs.as_secs_f64()),
                memory(place)
            ),
            None => format!(", no {name}"),
        };
    }
    Ok(line)
}

/// This program or the crate, in a process of its own.
fn ours(bench: &Bench, who: &str, image: &Path, places: &[(u64, u64)]) -> Result<Measured> {
    let mut command = bench.workload("symbols");
    command.arg(who).arg(image);
    command.args(places.iter().map(|(address, offset)| format!("{address:x}:{offset:x}")));
    measure::run(&mut command)
}

fn tool(name: &str, arguments: &[&str], image: &Path, places: &[(u64, u64)]) -> Option<Measured> {
    let mut command = Command::new(name);
    command.args(arguments).arg(image);
    measure::run(command.args(places.iter().map(|(address, _)| format!("{address:#x}")))).ok()
}

/// A time that the workload printed.
fn seconds(run: &Measured, column: usize) -> Result<Duration> {
    let seconds = run.stdout.split_whitespace().nth(column).context("no time")?;
    Ok(Duration::from_secs_f64(seconds.parse()?))
}

/// Addresses with their offsets in the file.
fn places(image: &Path) -> Result<Vec<(u64, u64)>> {
    // Not the whole file: what this program holds counts as its children's memory.
    let data = &ReadCache::new(File::open(image)?);
    let header = FileHeader64::<Endianness>::parse(data)?;
    let endian = header.endian()?;
    let segments = header.program_headers(endian, data)?.iter();
    let code = segments.filter(|s| s.p_type(endian) == PT_LOAD && s.p_flags(endian).contains(PF_X));
    let code = code.max_by_key(|segment| segment.p_filesz(endian)).context("no code")?;
    let (address, offset) = (code.p_vaddr(endian), code.p_offset(endian));
    let step = code.p_filesz(endian) / ADDRESSES;
    Ok((0..ADDRESSES).map(|place| (address + place * step, offset + place * step)).collect())
}

/// Builds the program with the debugging information.
fn program(bench: &Bench) -> Result<PathBuf> {
    let (types, units) = if bench.smoke { (1, &UNITS[..1]) } else { (TYPES, &UNITS[..]) };
    let source: String = HEADERS.to_owned() + &(0..types).map(unit).collect::<String>();
    fs::write(bench.path("unit.cc"), source)?;
    build("g++", &["-g", "-O2", "-std=c++17", "-S", "-o", "unit.s", "unit.cc"], bench)?;
    let mut objects = Vec::new();
    for letter in units {
        // Not by this program, whose memory is then that of its children.
        let exchange = format!("s/Kq/K{letter}/g");
        let part = File::create(bench.path("part.s"))?;
        let mut sed = Command::new("sed");
        let status = sed.arg(exchange).arg(bench.path("unit.s")).stdout(part).status()?;
        ensure!(status.success(), "sed fails");
        let object = format!("part-{letter}.o");
        build("gcc", &["-c", "-o", &object, "part.s"], bench)?;
        objects.push(object);
    }
    fs::write(bench.path("main.c"), "int main(void) { return 0; }\n")?;
    let mut link = vec!["-o", "program", "main.c"];
    link.extend(objects.iter().map(String::as_str));
    link.push("-lstdc++");
    build("gcc", &link, bench)?;
    Ok(bench.path("program"))
}

fn build(compiler: &str, arguments: &[&str], bench: &Bench) -> Result<()> {
    let folder = bench.path(".");
    let output = Command::new(compiler).args(arguments).current_dir(folder).output()?;
    let complaint = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{compiler} fails: {}", complaint.lines().last().unwrap_or_default());
    Ok(())
}

const HEADERS: &str = "
#include <algorithm>
#include <map>
#include <numeric>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>
";

/// The code of one type, whose name has two digits.
fn unit(number: usize) -> String {
    let text = "
struct KqNN { int a; std::string b; bool operator<(const KqNN &o) const { return a < o.a; } };
int Kq_fNN(int n) {
    std::map<KqNN, std::vector<KqNN>> map;
    std::set<KqNN> set;
    for (int i = 0; i < n; i++) { KqNN k{i ^ 5, \"x\"}; map[k].push_back(k); set.insert(k); }
    std::vector<KqNN> all(set.begin(), set.end());
    std::sort(all.begin(), all.end());
    std::unordered_map<int, KqNN> found;
    for (auto &k : all) found[k.a] = k;
    return std::accumulate(all.begin(), all.end(), 0, [](int sum, const KqNN &k) { return sum + k.a; }) + map.size();
}
";
    text.replace("NN", &format!("{number:02}"))
}
