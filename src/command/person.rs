//! Who does something, and why: what every act of a person puts into the journal.

use super::Context;
use crate::app::parts;
use crate::config::Config;
use crate::domain::code::Code;
use crate::domain::ids::OperatorId;
use crate::domain::record::{Person, Record};
use crate::report::Failure;

/// A reason is a sentence in a journal that is kept for years, not a report.
const LONGEST_REASON: usize = 500;

/// The person of `--by`, and the system's user in any case.
pub(super) fn person(by: Option<OperatorId>) -> Person {
    Person { operator: by, uid: rustix::process::getuid().as_raw() }
}

/// A reason that says something and can be printed.
pub(super) fn reason(text: &str) -> Result<String, Failure> {
    let refused = |why| Err(Failure::new(Code::Usage, format!("--reason {why}")));
    match text.trim() {
        "" => refused("is empty"),
        text if text.chars().any(char::is_control) => refused("has control characters"),
        text if text.chars().count() > LONGEST_REASON => refused("has more than 500 characters"),
        text => Ok(text.to_owned()),
    }
}

/// Makes one record durable.
pub(super) fn record(config: &Config, context: &Context, record: Record) -> Result<(), Failure> {
    let (ledger, _) = parts::open_ledger(config, &context.clock())?;
    let done = ledger.writer().record(record).map_err(|refusal| Failure::from(refusal.fault()));
    done.map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_says_something_on_one_line() {
        assert_eq!(reason(" device lost ").unwrap(), "device lost");
        for wrong in ["", "  ", "a\nb", "a\u{1b}[2J", &"x".repeat(501)] {
            assert_eq!(reason(wrong).unwrap_err().code, Code::Usage, "{wrong:?}");
        }
    }
}
