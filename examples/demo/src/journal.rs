//! `journal NAME ROUNDS`: posts to a journal and reconciles it, ROUNDS times, and checks every round against the
//! known good one.

use std::process::ExitCode;

mod audit {
    //! The audit digest of `audit.h`, word for word.

    const ROUNDS: u32 = 750;
    const SEED: u64 = 0x9e37_79b9_7f4a_7c15;
    const MULTIPLIER: u64 = 0xd6e8_feb8_6659_fd93;

    #[derive(Clone, Copy, PartialEq, Eq)]
    pub struct Audit {
        pub digest: u64,
        pub folds: u64,
    }

    impl Audit {
        pub fn begin() -> Self {
            Audit { digest: SEED, folds: 0 }
        }

        #[inline(always)]
        pub fn fold(&mut self, word: u64) {
            let mut x = self.digest ^ word;
            for _ in 0..ROUNDS {
                x ^= x >> 29;
                x = x.wrapping_mul(MULTIPLIER);
            }
            self.digest = x;
            self.folds += 1;
        }
    }
}

mod ledger {
    use super::audit::Audit;

    pub trait Entry {
        fn account(&self) -> u32;
        fn cents(&self) -> i64;
    }

    pub struct Posting {
        pub account: u32,
        pub cents: i64,
    }

    impl Entry for Posting {
        fn account(&self) -> u32 {
            self.account
        }

        fn cents(&self) -> i64 {
            self.cents
        }
    }

    pub struct Journal<E> {
        entries: Vec<E>,
    }

    impl<E: Entry> Journal<E> {
        pub fn new() -> Self {
            Journal { entries: Vec::new() }
        }

        /// Adds an entry. Folds it.
        #[inline(never)]
        pub fn append(&mut self, entry: E, audit: &mut Audit) {
            audit.fold(u64::from(entry.account()) << 32 ^ entry.cents() as u64);
            self.entries.push(entry);
        }

        /// The balance of one account. Folds each of its entries.
        #[inline(never)]
        pub fn reconcile(&self, account: u32, audit: &mut Audit) -> i64 {
            let mut balance = 0;
            for entry in self.entries.iter().filter(|entry| entry.account() == account) {
                balance += entry.cents();
                audit.fold(balance as u64);
            }
            balance
        }
    }
}

use audit::Audit;
use ledger::{Journal, Posting};

const POSTINGS: u32 = 60;
const RECONCILED: u32 = 40;
const EXPECTED_BALANCE: i64 = 2_000;
const EXPECTED: Audit = Audit { digest: 0x9472_2982_cc0a_5389, folds: (POSTINGS + RECONCILED) as u64 };

fn keep_books() -> (i64, Audit) {
    let mut audit = Audit::begin();
    let mut journal = Journal::new();
    for number in 0..POSTINGS {
        // Two postings of three go to account 1.
        let posting = Posting { account: u32::from(number % 3 != 0), cents: i64::from(number) * 25 - 700 };
        journal.append(posting, &mut audit);
    }
    let balance = journal.reconcile(1, &mut audit);
    (balance, audit)
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    let rounds = arguments.get(2).and_then(|rounds| rounds.parse::<u64>().ok());
    let (Some(rounds), 3) = (rounds, arguments.len()) else {
        eprintln!("usage: journal NAME ROUNDS");
        return ExitCode::from(2);
    };
    for round in 0..rounds {
        let (balance, audit) = keep_books();
        if balance != EXPECTED_BALANCE || audit != EXPECTED {
            eprintln!("{}: round {round}: balance {balance}, digest {:#x}", arguments[1], audit.digest);
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}
