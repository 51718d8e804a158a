//! Who does something, and why: what every act of a person puts into the journal.

use super::context::Context;
use crate::app::from_config;
use crate::app::people::{self, Desk};
use crate::config::Config;
use crate::domain::code::Code;
use crate::domain::ids::OperatorId;
use crate::domain::operators::Pin;
use crate::domain::person::Person;
use crate::domain::record::Record;
use crate::domain::say::Say;
use crate::ledger::Ledger;
use crate::say;
use crate::secret::{self, Process, Secret};
use crate::shell::Failure;

/// A reason is a sentence in a journal that is kept for years, not a report.
const LONGEST_REASON: usize = 500;

/// The person of `--by`, and the system's user in any case.
pub(super) fn person(by: Option<OperatorId>) -> Person {
    Person { operator: by, uid: rustix::process::getuid().as_raw() }
}

/// A reason that says something and can be printed.
pub(super) fn reason(text: &str) -> Result<String, Failure> {
    sentence("--reason", text)
}

/// The same for another option.
pub(super) fn sentence(option: &str, text: &str) -> Result<String, Failure> {
    let refused = |Say { english, chinese }: Say| {
        Err(Failure::said(Code::Usage, say!("{option} {english}", "{option} {chinese}")))
    };
    match text.trim() {
        "" => refused(say!("is empty", "是空的")),
        text if text.chars().any(char::is_control) => {
            refused(say!("has control characters", "有控制字符"))
        }
        text if text.chars().count() > LONGEST_REASON => {
            refused(say!("has more than 500 characters", "超过 500 个字符"))
        }
        text => Ok(text.to_owned()),
    }
}

/// The PIN of the person who approves: configured, or typed.
pub(super) fn pin_of(config: &Config, id: &OperatorId) -> Result<Pin, Failure> {
    let wanted = secret::operator_pin(config.station.operator_pin_file.as_deref());
    tracing::debug!(%id, "a PIN is wanted");
    pin(&wanted.read(&Process)?)
}

/// A secret as a PIN.
pub(super) fn pin(secret: &Secret) -> Result<Pin, Failure> {
    let text = std::str::from_utf8(secret.as_bytes()).map_err(|_| {
        Failure::said(Code::PinWeak, say!("the PIN is not UTF-8 text", "PIN 不是 UTF-8 文本"))
    })?;
    Pin::new(text).map_err(|error| Failure::told(Code::PinWeak, &error))
}

/// Finds out whether whoever asks for this record may have it made.
pub(super) fn approve(
    ledger: &Ledger,
    record: &Record,
    config: &Config,
    context: &Context,
) -> Result<(), Failure> {
    let (reader, persons, writer) = (ledger.reader()?, ledger.persons()?, ledger.writer());
    let desk = Desk { reader: &reader, persons: &persons, writer: &writer };
    people::approve(&desk, record, |id| pin_of(config, id), context.now())
}

/// Makes one record durable, once a supervisor approved it where it needs one.
pub(super) fn record(config: &Config, context: &Context, record: Record) -> Result<(), Failure> {
    let (ledger, _) = from_config::open_ledger(config, &context.clock())?;
    approve(&ledger, &record, config, context)?;
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
