#![no_main]

use libfuzzer_sys::fuzz_target;
use oprof_profile::specification::{Profiles, Sampled, Specification};

/// What is read is used: names are matched, and where none is it is said why.
fn check(specification: &Specification, names: &[&str]) {
    let sampled = names.iter().map(|name| Sampled {
        app: (*name).to_owned(),
        image: name.chars().rev().collect(),
        event: (*name).to_owned(),
        count: Some(name.len() as u64),
        unit_mask: 0,
        cpu: None,
        tgid: Some(1),
        tid: Some(2),
    });
    let sampled: Vec<Sampled> = sampled.collect();
    if !sampled.iter().any(|sampled| specification.takes(sampled)) {
        assert!(!specification.why_nothing(&sampled).is_empty());
    }
    if let Ok(sessions) = specification.sessions() {
        assert!(!sessions.is_empty());
    }
}

fuzz_target!(|data: &[u8]| {
    let text = String::from_utf8_lossy(data);
    let lines: Vec<&str> = text.lines().collect();
    match Profiles::parse(&lines) {
        Ok(Profiles::One(one)) => check(&one, &lines),
        Ok(Profiles::Two(first, second)) => [first, second].iter().for_each(|one| check(one, &lines)),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
});
