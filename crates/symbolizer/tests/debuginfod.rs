//! Debug files from a server: what is fetched, what is refused, and that nobody waits in vain.

mod built;

use std::collections::HashMap;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use oprof_profile::{BuildId, ImageIdentity, ImageOffset, NameSource};
use oprof_symbolizer::{
    DebugDirectories, Debuginfod, DebuginfodSettings, Fetched, Progress, Symbolizer, Watch, build_id,
};

use built::{build, run, skipped, sources};

/// How the server answers.
#[derive(Clone)]
enum Answer {
    /// With these bytes.
    File(Vec<u8>),
    /// The same, without saying before how many there are.
    Unsized(Vec<u8>),
    NotFound,
    /// With this status.
    Status(u16),
    /// With another address.
    Redirect(String),
    /// With the first half of what it promises.
    Half(Vec<u8>),
    /// With a byte now and then.
    Slow,
    /// With bytes without end.
    Endless,
    /// Not at all.
    Silent,
}

/// A server that answers each path as it is told, until the value goes.
struct Server {
    address: String,
    asked: Arc<Mutex<Vec<String>>>,
    ends: Arc<AtomicBool>,
}

impl Server {
    fn new(answers: impl Fn(&str) -> Answer + Send + Sync + 'static) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let (asked, ends) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicBool::new(false)));
        let (all, end, answers) = (Arc::clone(&asked), Arc::clone(&ends), Arc::new(answers));
        listener.set_nonblocking(true).unwrap();
        thread::spawn(move || {
            while !end.load(Ordering::Relaxed) {
                match listener.accept() {
                    Ok((stream, _)) => {
                        let (all, end, answers) = (Arc::clone(&all), Arc::clone(&end), Arc::clone(&answers));
                        thread::spawn(move || _ = serve(&stream, &all, &end, &*answers));
                    }
                    Err(_) => thread::sleep(Duration::from_millis(5)),
                }
            }
        });
        Server { address, asked, ends }
    }

    /// The paths that were asked for so far.
    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.ends.store(true, Ordering::Relaxed);
    }
}

fn serve(
    mut stream: &TcpStream,
    asked: &Mutex<Vec<String>>,
    ends: &AtomicBool,
    answers: &dyn Fn(&str) -> Answer,
) -> std::io::Result<()> {
    stream.set_nonblocking(false)?;
    let mut lines = BufReader::new(stream).lines();
    let first = lines.next().transpose()?.unwrap_or_default();
    while lines.next().transpose()?.is_some_and(|line| !line.is_empty()) {}
    let path = first.split(' ').nth(1).unwrap_or_default().to_owned();
    asked.lock().unwrap().push(path.clone());
    let head = |status: &str, more: &str| format!("HTTP/1.1 {status}\r\nConnection: close\r\n{more}\r\n");
    let sized = |length: usize| head("200 OK", &format!("Content-Length: {length}\r\n"));
    match answers(&path) {
        Answer::File(bytes) => stream.write_all(&[sized(bytes.len()).as_bytes(), &bytes].concat()),
        Answer::Unsized(bytes) => stream.write_all(&[head("200 OK", "").as_bytes(), &bytes].concat()),
        Answer::NotFound => stream.write_all(head("404 Not Found", "Content-Length: 0\r\n").as_bytes()),
        Answer::Status(status) => stream.write_all(head(&format!("{status} X"), "").as_bytes()),
        Answer::Redirect(to) => {
            stream.write_all(head("302 Found", &format!("Location: {to}\r\n")).as_bytes())
        }
        Answer::Half(bytes) => {
            stream.write_all(&[sized(bytes.len()).as_bytes(), &bytes[..bytes.len() / 2]].concat())
        }
        Answer::Slow => {
            stream.write_all(sized(1 << 20).as_bytes())?;
            while !ends.load(Ordering::Relaxed) {
                stream.write_all(b"x")?;
                thread::sleep(Duration::from_millis(100));
            }
            Ok(())
        }
        Answer::Endless => {
            stream.write_all(head("200 OK", "").as_bytes())?;
            while !ends.load(Ordering::Relaxed) {
                stream.write_all(&[b'x'; 1 << 16])?;
            }
            Ok(())
        }
        Answer::Silent => {
            while !ends.load(Ordering::Relaxed) {
                thread::sleep(Duration::from_millis(20));
            }
            Ok(())
        }
    }
}

/// Who waits, and gives up after some time.
#[derive(Default)]
struct Waiting {
    patience: Option<Duration>,
    since: Option<Instant>,
    told: AtomicUsize,
    last: Mutex<Progress>,
}

impl Waiting {
    fn at_most(patience: Duration) -> Waiting {
        Waiting { patience: Some(patience), since: Some(Instant::now()), ..Waiting::default() }
    }
}

impl Watch for Waiting {
    fn progress(&self, progress: Progress) {
        self.told.fetch_add(1, Ordering::Relaxed);
        *self.last.lock().unwrap() = progress;
    }

    fn is_cancelled(&self) -> bool {
        self.since.zip(self.patience).is_some_and(|(since, patience)| since.elapsed() > patience)
    }
}

/// A program that was stripped, its debug file, and an empty directory for what is fetched.
struct Stripped {
    folder: tempfile::TempDir,
    image: PathBuf,
    id: BuildId,
    debug: Vec<u8>,
}

impl Stripped {
    fn new() -> Option<Stripped> {
        let folder = sources();
        let whole = build(folder.path(), "gcc", "c.c", "whole", &["-O1", "-g"])?;
        let (image, debug) = (folder.path().join("image"), folder.path().join("image.debug"));
        let made = run("objcopy", [Path::new("--only-keep-debug"), &whole, &debug])
            .and_then(|_| run("objcopy", [Path::new("--strip-all"), &whole, &image]));
        if made.is_none() {
            skipped("no objcopy");
            return None;
        }
        let id = build_id(&File::open(&image).unwrap()).unwrap()?;
        let debug = fs::read(debug).unwrap();
        Some(Stripped { folder, image, id, debug })
    }

    /// Asks these servers for its debug file.
    fn fetch(&self, servers: &[&Server], variables: &[(&str, &str)], watch: &Waiting) -> Fetched {
        self.client(servers, variables).fetch(&[self.id], watch)
    }

    fn client(&self, servers: &[&Server], variables: &[(&str, &str)]) -> Debuginfod {
        let urls: Vec<&str> = servers.iter().map(|server| server.address.as_str()).collect();
        let urls = urls.join(" ");
        let mut all: HashMap<&str, &str> = variables.iter().copied().collect();
        all.insert("DEBUGINFOD_URLS", &urls);
        let variable = |name: &str| all.get(name).map(OsString::from);
        let directory = Some(self.directory());
        Debuginfod::create(DebuginfodSettings::from_environment(variable, directory).unwrap()).unwrap()
    }

    fn directory(&self) -> PathBuf {
        self.folder.path().join("cache/debuginfod_client")
    }

    /// Where the debug file is put.
    fn fetched(&self) -> PathBuf {
        let digits: String = self.id.as_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
        self.directory().join(digits).join("debuginfo")
    }

    /// Nothing is kept of what did not come, not even by halves.
    #[track_caller]
    fn assert_nothing_kept(&self) {
        let place = self.fetched();
        let left: Vec<_> =
            fs::read_dir(place.parent().unwrap()).unwrap().map(|entry| entry.unwrap()).collect();
        assert!(left.is_empty(), "{left:?}");
    }
}

#[track_caller]
fn assert_failed(fetched: &Fetched, word: &str) {
    let counts = (fetched.files, fetched.missing, fetched.cancelled, fetched.failures.len());
    assert_eq!(counts, (0, 0, false, 1), "{fetched:?}");
    assert!(fetched.failures[0].contains(word) && !fetched.failures[0].contains('\n'), "{fetched:?}");
}

#[test]
fn a_debug_file_is_fetched_once_and_names_the_program() {
    let Some(stripped) = Stripped::new() else { return };
    let debug = stripped.debug.clone();
    let server = Server::new(move |path| match path.ends_with("/debuginfo") {
        true => Answer::File(debug.clone()),
        false => Answer::NotFound,
    });
    let empty = Server::new(|_| Answer::NotFound);
    let client = stripped.client(&[&empty, &server], &[]);
    let symbolizer = Symbolizer::new(DebugDirectories::none().and_fetched(&client));
    let file = File::open(&stripped.image).unwrap();
    assert_eq!(symbolizer.missing_debug_file(None, &file), Some(stripped.id));

    let waiting = Waiting::default();
    let fetched = client.fetch(&[stripped.id], &waiting);
    assert_eq!((fetched.files, fetched.bytes), (1, stripped.debug.len() as u64), "{fetched:?}");
    let last = *waiting.last.lock().unwrap();
    assert_eq!((last.done, last.files, last.bytes), (1, 1, fetched.bytes));
    assert_eq!(fs::read(stripped.fetched()).unwrap(), stripped.debug);
    assert_eq!(stripped.fetched().metadata().unwrap().permissions().mode() & 0o777, 0o400);
    let digits = stripped.fetched().parent().unwrap().file_name().unwrap().to_str().unwrap().to_owned();
    assert_eq!(server.asked(), [format!("/buildid/{digits}/debuginfo")]);

    assert_eq!(symbolizer.missing_debug_file(None, &file), None);
    let offsets: Vec<ImageOffset> = (0..file.metadata().unwrap().len()).map(ImageOffset).collect();
    let names = symbolizer.resolve_file(None, &file, &ImageIdentity::None, &offsets);
    let square = names.symbols.iter().find(|symbol| symbol.name == "square").expect("a name");
    assert!(square.source == NameSource::DebugFile && square.line.is_some(), "{square:?}");

    assert_eq!(client.fetch(&[stripped.id], &Waiting::default()), Fetched::default());
    assert_eq!(server.asked().len(), 1, "it is there");
}

#[test]
fn what_no_server_has_is_not_asked_for_again_at_once() {
    let Some(stripped) = Stripped::new() else { return };
    let servers = [Server::new(|_| Answer::NotFound), Server::new(|_| Answer::NotFound)];
    let servers = [&servers[0], &servers[1]];
    let fetched = stripped.fetch(&servers, &[], &Waiting::default());
    assert_eq!((fetched.missing, fetched.failures.len()), (1, 0), "{fetched:?}");
    assert_eq!(stripped.fetch(&servers, &[], &Waiting::default()), Fetched::default());
    assert!(servers.iter().all(|server| server.asked().len() == 1));
    assert_eq!(fs::read(stripped.fetched()).unwrap(), b"");
}

#[test]
fn redirections_are_followed_but_not_for_ever() {
    let Some(stripped) = Stripped::new() else { return };
    let circle = Server::new(|_| Answer::Redirect("/again".to_owned()));
    assert_failed(&stripped.fetch(&[&circle], &[], &Waiting::default()), "redirect");
    assert!(circle.asked().len() < 30);
    stripped.assert_nothing_kept();

    let debug = stripped.debug.clone();
    let target = Server::new(move |_| Answer::Unsized(debug.clone()));
    let to = format!("{}/elsewhere", target.address);
    let server = Server::new(move |_| Answer::Redirect(to.clone()));
    let fetched = stripped.fetch(&[&server], &[], &Waiting::default());
    assert_eq!(fetched.files, 1, "{fetched:?}");
    assert_eq!(target.asked(), ["/elsewhere"]);
}

#[test]
fn what_is_not_the_file_is_refused() {
    let Some(stripped) = Stripped::new() else { return };
    let other = fs::read(std::env::current_exe().unwrap()).unwrap();
    let noise = Server::new(|_| Answer::File(b"<html>Welcome".repeat(20_000)));
    let wrong = Server::new(move |_| Answer::File(other.clone()));
    let debug = stripped.debug.clone();
    let half = Server::new(move |_| Answer::Half(debug.clone()));
    let limit = ("DEBUGINFOD_MAXSIZE", "5000");
    for (server, word) in [(&noise, "another build id"), (&wrong, "another build id"), (&half, "")] {
        assert_failed(&stripped.fetch(&[server], &[], &Waiting::default()), word);
        stripped.assert_nothing_kept();
    }
    assert_eq!(half.asked().len(), 2, "a broken connection is tried once more");
    let debug = stripped.debug.clone();
    let large = Server::new(move |_| Answer::File(debug.clone()));
    let endless = Server::new(|_| Answer::Endless);
    for server in [&large, &endless] {
        assert_failed(&stripped.fetch(&[server], &[limit], &Waiting::default()), "DEBUGINFOD_MAXSIZE");
        stripped.assert_nothing_kept();
    }
    let denied = Server::new(|_| Answer::Status(403));
    assert_failed(&stripped.fetch(&[&denied], &[], &Waiting::default()), "403");
}

#[test]
fn a_server_in_trouble_is_tried_again_and_the_next_one_helps() {
    let Some(stripped) = Stripped::new() else { return };
    let broken = Server::new(|_| Answer::Status(503));
    let debug = stripped.debug.clone();
    let good = Server::new(move |_| Answer::File(debug.clone()));
    let fetched = stripped.fetch(&[&broken, &good], &[("DEBUGINFOD_RETRY_LIMIT", "3")], &Waiting::default());
    assert_eq!((fetched.files, broken.asked().len()), (1, 3), "{fetched:?}");

    // Nobody listens there any more.
    let gone =
        Server { address: "http://127.0.0.1:1".to_owned(), asked: Arc::default(), ends: Arc::default() };
    fs::remove_file(stripped.fetched()).unwrap();
    assert_failed(&stripped.fetch(&[&gone], &[], &Waiting::default()), "http://127.0.0.1:1/buildid/");
    stripped.assert_nothing_kept();
}

#[test]
fn nobody_waits_longer_than_the_limits() {
    let Some(stripped) = Stripped::new() else { return };
    let cases = [
        (Answer::Slow, ("DEBUGINFOD_TIMEOUT", "1"), "DEBUGINFOD_TIMEOUT"),
        (Answer::Silent, ("DEBUGINFOD_TIMEOUT", "1"), ""),
        (Answer::Slow, ("DEBUGINFOD_MAXTIME", "1"), "DEBUGINFOD_MAXTIME"),
    ];
    for (answer, limit, word) in cases {
        let server = Server::new(move |_| answer.clone());
        let start = Instant::now();
        let once = ("DEBUGINFOD_RETRY_LIMIT", "1");
        assert_failed(&stripped.fetch(&[&server], &[limit, once], &Waiting::default()), word);
        assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
        stripped.assert_nothing_kept();
    }
}

/// A build has hundreds of images: nobody waits for each of them.
#[test]
fn a_silent_server_is_not_asked_for_every_file() {
    let Some(stripped) = Stripped::new() else { return };
    let ids: Vec<BuildId> = (0..40).map(|number| BuildId::new(&[number; 20]).unwrap()).collect();
    let silent = Server::new(|_| Answer::Silent);
    let limits = [("DEBUGINFOD_TIMEOUT", "1"), ("DEBUGINFOD_RETRY_LIMIT", "1")];
    let fetched = stripped.client(&[&silent], &limits).fetch(&ids, &Waiting::default());
    // Some are asked for at the same time.
    let asked = silent.asked().len();
    assert!((1..=8).contains(&asked), "{asked} of 40 are asked for: {fetched:?}");
    let rest = format!("{} more not asked for", 40 - asked);
    assert!(fetched.failures.last().is_some_and(|last| last.starts_with(&rest)), "{fetched:?}");
    // Another server is asked all the same.
    let other = Server::new(|_| Answer::NotFound);
    let fetched = stripped.client(&[&silent, &other], &limits).fetch(&ids, &Waiting::default());
    assert_eq!(other.asked().len(), 40, "{fetched:?}");
}

#[test]
fn who_waits_can_give_up() {
    let Some(stripped) = Stripped::new() else { return };
    for answer in [Answer::Slow, Answer::Silent, Answer::Endless] {
        let server = Server::new(move |_| answer.clone());
        let start = Instant::now();
        let limit = ("DEBUGINFOD_MAXSIZE", "0");
        let fetched = stripped.fetch(&[&server], &[limit], &Waiting::at_most(Duration::from_millis(300)));
        assert!(fetched.cancelled && fetched.files == 0, "{fetched:?}");
        assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
        stripped.assert_nothing_kept();
    }
}

#[test]
fn a_directory_in_which_others_may_write_is_refused() {
    let Some(stripped) = Stripped::new() else { return };
    fs::create_dir_all(stripped.directory()).unwrap();
    fs::set_permissions(stripped.directory(), PermissionsExt::from_mode(0o777)).unwrap();
    let variable = |_: &str| Some(OsString::from("http://127.0.0.1:1"));
    let settings = DebuginfodSettings::from_environment(variable, Some(stripped.directory())).unwrap();
    assert_eq!(
        Debuginfod::create(settings.clone()).unwrap_err().kind(),
        std::io::ErrorKind::PermissionDenied
    );
    // As elfutils makes it.
    fs::set_permissions(stripped.directory(), PermissionsExt::from_mode(0o755)).unwrap();
    assert!(Debuginfod::create(settings).is_ok());
}

/// elfutils' own server and client, where they are installed: each takes what the other has.
#[test]
fn elfutils_and_we_share_files() {
    let Some(stripped) = Stripped::new() else { return };
    if run("debuginfod-find", ["--version"]).is_none() {
        return skipped("no debuginfod-find");
    }
    let debug = stripped.debug.clone();
    let server = Server::new(move |_| Answer::File(debug.clone()));
    assert_eq!(stripped.fetch(&[&server], &[], &Waiting::default()).files, 1);
    let find = |url: &str| {
        let mut command = std::process::Command::new("debuginfod-find");
        let name = stripped.fetched().parent().unwrap().file_name().unwrap().to_owned();
        command.arg("debuginfo").arg(name).env("DEBUGINFOD_URLS", url);
        let output = command.env("DEBUGINFOD_CACHE_PATH", stripped.directory()).output().unwrap();
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    };
    assert_eq!(PathBuf::from(find("http://127.0.0.1:1")), stripped.fetched(), "theirs finds ours");
    fs::remove_dir_all(stripped.directory()).unwrap();
    assert_eq!(PathBuf::from(find(&server.address)), stripped.fetched());
    let asked = server.asked().len();
    assert_eq!(stripped.fetch(&[&server], &[], &Waiting::default()), Fetched::default(), "ours finds theirs");
    assert_eq!(server.asked().len(), asked);
}
