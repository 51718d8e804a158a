//! Either the audit finds it, or the line behaves exactly as before.

use std::path::Path;

use provisioning_station::domain::evidence::HeadSigner;
use provisioning_station::ledger::{Audit, verify};
use provisioning_station::pki::Verifier;

use crate::books::Books;
use crate::changes::{Change, Ground};
use crate::dice::Dice;
use crate::questions::{Behaviour, behaviour};

/// What became of one change.
enum Verdict {
    /// The audit found it.
    Found,
    /// It did nothing that anybody notices.
    Harmless,
    /// Neither: what the audit let pass, and what differs.
    Missed(String),
}

struct Trial {
    books: Books,
    before: Behaviour,
}

impl Trial {
    fn new(units: u32) -> Trial {
        let books = Books::new(units);
        let before = behaviour(&books, &books.copy());
        let trial = Trial { books, before };
        let taken = trial.before.iter().filter(|line| line.ends_with("was recorded"));
        assert_eq!(taken.count(), 0, "{:?}", trial.before.iter().skip(50).collect::<Vec<_>>());
        assert!(audit(&trial.books, &trial.books.copy()).is_none(), "the untouched ledger holds");
        trial
    }

    /// Does the change to a copy and judges what came of it.
    fn judge(&self, change: &Change) -> Verdict {
        let copy = self.books.copy();
        if !change.make(&copy) {
            return Verdict::Found;
        }
        if audit(&self.books, &copy).is_some() {
            return Verdict::Found;
        }
        let after = behaviour(&self.books, &copy);
        match self.before.iter().zip(&after).find(|(before, after)| before != after) {
            None if self.before.len() == after.len() => Verdict::Harmless,
            None => Verdict::Missed(after.iter().map(|line| short(line)).collect()),
            Some((before, after)) => {
                Verdict::Missed(format!("- {}\n+ {}", short(before), short(after)))
            }
        }
    }

    fn judge_all(&self, changes: impl IntoIterator<Item = Change>) {
        let (mut found, mut harmless, mut missed) = (0, 0, Vec::new());
        for change in changes {
            match self.judge(&change) {
                Verdict::Found => found += 1,
                Verdict::Harmless => harmless += 1,
                Verdict::Missed(how) => missed.push(format!("{change}\n{how}")),
            }
        }
        println!("{found} found, {harmless} harmless, {} missed", missed.len());
        assert!(missed.is_empty(), "{}", missed.join("\n\n"));
    }
}

/// What the audit finds; none where it finds nothing.
fn audit(books: &Books, data_dir: &Path) -> Option<String> {
    let audit =
        Audit { expected_key: Some(books.key.public_key()), every_head: true, ..Audit::default() };
    match verify(data_dir, &Verifier, &audit) {
        Ok(found) => found.why,
        Err(error) => Some(error.to_string()),
    }
}

fn short(line: &str) -> String {
    line.chars().take(400).collect()
}

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

fn seed() -> u64 {
    number("EVIDENCE_SEED", 13)
}

#[test]
fn each_statement_of_the_schema_is_guarded() {
    let trial = Trial::new(120);
    trial.judge_all(Ground::of(&trial.books.sound()).statements());
}

#[test]
fn any_bit_or_row_that_was_changed_is_found_or_changes_nothing() {
    let (seed, rounds) = (seed(), number("EVIDENCE_ROUNDS", 8));
    println!("EVIDENCE_SEED={seed} EVIDENCE_ROUNDS={rounds}");
    let trial = Trial::new(200);
    let ground = Ground::of(&trial.books.sound());
    let drawn = (0..rounds).flat_map(|round| {
        let mut dice = Dice::new(seed, round);
        [
            ground.bit(&mut dice),
            ground.bit(&mut dice),
            ground.row(&mut dice),
            ground.note_bit(&mut dice),
        ]
    });
    trial.judge_all(drawn);
}
