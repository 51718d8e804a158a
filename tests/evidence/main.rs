//! What somebody, or chance, did to a ledger's file: either the audit finds it, or the
//! station behaves as if it had not been done.
//!
//! `books` makes a ledger of units in every state, `questions` asks it what a line asks and
//! tries to record what must be refused, `changes` draws what is done to a copy of its file.
//! A bounded part runs each time; `tests/soak --flips N` draws more.

#![expect(clippy::print_stdout, reason = "what was drawn and found is told")]
#![expect(clippy::unwrap_used, reason = "a test that fails here is right to")]

mod books;
mod changes;
mod dice;
mod property;
mod questions;
