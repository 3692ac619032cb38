//! What is not a recording, or not a whole one: one clear line, never a panic.

mod harness;

use std::fs;
use std::time::Duration;

use harness::{Place, assert_no_panic, assert_one_line};

/// Every way to read a recording.
const WAYS: [&str; 4] = ["", "-l", "--by command", "--by process"];

/// A place with a recording of a few processes in `good.data`.
fn place_with_recording() -> Place {
    let place = Place::new();
    let script = "i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done; ls / >/dev/null; cat /dev/null";
    place.record_these("-q -e cpu-clock -o good.data", &["sh", "-c", script]).with_status(0);
    place
}

/// A file name that is wrong is named, with what makes a right one.
#[test]
fn a_missing_recording_is_one_line() {
    let place = Place::new();
    for way in WAYS {
        let finished = place.report(way).with_status(1);
        assert_one_line(&finished.stderr, &["oprof.data", "oprof record"]);
        assert!(finished.stdout.is_empty());
    }
    let finished = place.report("-l no/such.data").with_status(1);
    assert_one_line(&finished.stderr, &["no/such.data"]);
}

/// What is no recording is left alone, and named.
#[test]
fn other_things_than_recordings_are_one_line() {
    let place = Place::new();
    fs::create_dir(place.path("directory")).expect("a directory");
    place.write("empty", "");
    place.write("text", "just some text, more than a preamble is long\n");
    place.write(
        "garbage",
        (0..5000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect::<Vec<u8>>(),
    );
    let mut almost = b"oprof\r\n\x1a\x01\0\0\0\0\0\0\0".to_vec();
    almost.extend([0xff; 400]);
    place.write("almost", almost);
    place.write("preamble", b"oprof\r\n\x1a\x01\0\0\0\0\0\0\0");
    for name in ["directory", "empty", "text", "garbage", "almost", "preamble", "/dev/null"] {
        for way in WAYS {
            let finished = place.report(&format!("{way} {name}")).with_status(1);
            assert_one_line(&finished.stderr, &[name]);
            assert!(finished.stdout.is_empty(), "{name}, {way}");
        }
    }
}

/// A pipe in the place of a recording does not make oprof wait for ever.
#[test]
fn a_fifo_is_not_waited_for() {
    let place = Place::new();
    let made = place.command("mkfifo").arg("fifo").status().expect("mkfifo runs");
    assert!(made.success());
    let finished = place.report("fifo").with_status(1);
    assert_one_line(&finished.stderr, &["fifo"]);
}

/// A recording of a newer oprof is refused with the remedy.
#[test]
fn a_newer_version_names_the_remedy() {
    let place = place_with_recording();
    let mut bytes = place.bytes("good.data");
    bytes[8..12].copy_from_slice(&99_u32.to_le_bytes());
    place.write("newer.data", bytes);
    for way in WAYS {
        let finished = place.report(&format!("{way} newer.data")).with_status(1);
        assert_one_line(&finished.stderr, &["newer.data", "99", "newer one"]);
    }
}

/// Wherever a recording is cut off it is readable, and says that it was cut, or there is one line.
#[test]
fn a_truncated_recording_is_readable_or_one_line() {
    let place = place_with_recording();
    let whole = place.bytes("good.data");
    let (mut readable, mut refused) = (0, 0);
    let step = (whole.len() / 60).max(1);
    let lengths = (0..40).chain((40..whole.len()).step_by(step)).chain(whole.len() - 20..whole.len());
    for length in lengths {
        place.write("cut.data", &whole[..length]);
        let finished = place.report("-l cut.data");
        match finished.code() {
            Some(0) => {
                readable += 1;
                assert!(finished.stderr.contains("cut off"), "{length}: {}", finished.stderr);
                assert_no_panic(&finished.stderr);
            }
            Some(1) => {
                refused += 1;
                assert_one_line(&finished.stderr, &["cut.data"]);
            }
            _ => panic!("{length}: {:?}: {}", finished.status, finished.stderr),
        }
    }
    assert!(readable > 0 && refused > 0, "{readable} readable, {refused} refused");
}

/// Bytes that were changed anywhere are found and told, and never without a word taken for a recording that was cut
/// off: a panic, a hang and another table than before are all excluded.
#[test]
fn a_damaged_recording_is_told() {
    let place = place_with_recording();
    let whole = place.bytes("good.data");
    let step = (whole.len() / 80).max(1);
    for position in (0..32).chain((32..whole.len()).step_by(step)).chain(whole.len() - 32..whole.len()) {
        let mut bytes = whole.clone();
        bytes[position] ^= 0x55;
        place.write("damaged.data", &bytes);
        let finished = place.report("-l damaged.data");
        assert_no_panic(&finished.stderr);
        match finished.code() {
            Some(1) => {
                let last = finished.stderr.lines().next_back().unwrap_or_default();
                assert!(last.starts_with("oprof: damaged.data: "), "byte {position}: {}", finished.stderr);
                assert!(!finished.stderr.contains("cut off"), "byte {position}: {}", finished.stderr);
                assert!(finished.stdout.is_empty() || last.contains("damaged at byte"), "{last}");
            }
            _ => panic!("byte {position}: {:?}: {}", finished.status, finished.stderr),
        }
    }
}

/// The samples outside of a part that is damaged are shown all the same.
#[test]
fn what_is_left_of_a_damaged_recording_is_shown() {
    let place = place_with_recording();
    let mut bytes = place.bytes("good.data");
    let length = |at: usize| u32::from_le_bytes(bytes[at + 4..at + 8].try_into().expect("4 bytes")) as usize;
    // The header, then the images.
    let images = 16 + 16 + length(16);
    bytes[images + 20] ^= 1;
    place.write("damaged.data", bytes);
    let finished = place.report("-l --plain damaged.data").with_status(1);
    let samples = |text: &str| -> u64 {
        let rows = text.lines().skip_while(|line| !line.starts_with("samples")).skip(1);
        rows.map(|row| row.split(' ').next().and_then(|number| number.parse().ok()).unwrap_or(0_u64)).sum()
    };
    let whole = place.report("-l --plain good.data").with_status(0);
    assert_eq!(samples(finished.text()), samples(whole.text()));
    let said = format!("damaged.data: damaged at byte {images} ");
    assert!(finished.stderr.contains(&said), "{}", finished.stderr);
    let quiet = place.report("-l --plain good.data").with_status(0);
    assert!(!quiet.stderr.contains("damaged"), "{}", quiet.stderr);
}

/// A frame that claims to be huge costs neither memory nor time.
#[test]
fn a_frame_of_claimed_length_is_not_believed() {
    let place = Place::new();
    for claimed in [[0xff, 0xff, 0xff, 0xff], [0, 0, 0, 1], [0, 0, 0, 0x7f]] {
        let mut bytes = b"oprof\r\n\x1a\x01\0\0\0\0\0\0\0\x01\0\0\0".to_vec();
        bytes.extend(claimed);
        bytes.extend(claimed);
        bytes.extend([0; 4]);
        place.write("claims.data", bytes);
        let begin = std::time::Instant::now();
        let finished = place.report("-l claims.data").with_status(1);
        assert_one_line(&finished.stderr, &["claims.data"]);
        assert!(begin.elapsed() < Duration::from_secs(30), "far from what 4 GB would take");
    }
}

/// Mistakes in report's own options are told, with the status for them.
#[test]
fn wrong_options_of_report_are_told() {
    let place = place_with_recording();
    for (options, word) in [
        ("--by nonsense good.data", "nonsense"),
        ("-t 101 good.data", "101"),
        ("-t x good.data", "x"),
        ("--no-such-option good.data", "--no-such-option"),
        ("good.data -i good.data", "FILE"),
    ] {
        let finished = place.report(options).with_status(2);
        assert_one_line(&finished.stderr, &[word, "oprof report --help"]);
    }
}
