//! An error for a person: a stable code, what happened, what caused it, what to do now.

use std::error::Error;
use std::io::{self, Write};
use std::panic;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::domain::bounds;
use crate::domain::cause::{Told, cause};
use crate::domain::code::Code;
use crate::domain::device::Fault;
use crate::domain::say::Say;
use crate::domain::text::printable;
use crate::text::{self, Language, remedy, told};

use super::exit::Exit;
use super::language::language;

/// What went wrong, ready to be told to a person.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}")]
pub struct Failure {
    /// The stable code.
    pub code: Code,
    /// What happened: one lowercase sentence with the values.
    pub what: String,
    /// The same in Chinese, where it was said in both languages.
    pub chinese: Option<String>,
    /// What caused it, nearest first.
    pub causes: Vec<Say>,
    /// What to do now, where this failure knows more than its code.
    pub help: Option<Box<Say>>,
}

impl Failure {
    /// A failure that says what happened.
    pub fn new(code: Code, what: impl Into<String>) -> Self {
        Self { code, what: what.into(), chinese: None, causes: Vec::new(), help: None }
    }

    /// A failure that says what happened in each language.
    pub fn said(code: Code, said: Say) -> Self {
        Self { chinese: Some(said.chinese), ..Self::new(code, said.english) }
    }

    /// A failure made of an error and the errors behind it.
    pub fn of(code: Code, error: &(dyn Error + 'static)) -> Self {
        let failure = Self::new(code, error.to_string());
        Self { causes: causes(error.source()), ..failure }
    }

    /// A failure made of an error that says itself in each language.
    pub fn told(code: Code, error: &impl Told) -> Self {
        let chinese = Some(error.chinese().unwrap_or_default());
        Self { chinese, ..Self::of(code, error) }
    }

    /// The same with its cause.
    #[must_use]
    pub fn caused_by(mut self, cause: &(dyn Error + 'static)) -> Self {
        self.causes.extend(causes(Some(cause)));
        self
    }

    /// The same with help of its own.
    #[must_use]
    pub fn with_help(mut self, help: Say) -> Self {
        self.help = Some(Box::new(help));
        self
    }

    /// What the process says to its caller if this ends it.
    pub fn exit(&self) -> Exit {
        Exit::of(self.code)
    }

    /// The lines for a person, in the language that the program speaks. Whatever labels and devices put into them is made harmless.
    pub fn to_lines(&self, color: bool) -> String {
        self.to_lines_in(color, language())
    }

    /// The same in this language. A program that reads it finds the code at the same place
    /// in both; values that were told in English alone stand behind the code's sentence.
    fn to_lines_in(&self, color: bool, language: Language) -> String {
        let paint = |sgr: &str, text: &str| match color {
            true => format!("\u{1b}[{sgr}m{text}\u{1b}[0m"),
            false => text.to_owned(),
        };
        let mut lines = String::new();
        let head = paint("1;31", &format!("error[{}]", self.code));
        match language {
            Language::English => push_line(&mut lines, &head, &self.what),
            Language::Chinese => {
                let (code, detail) = (self.code, self.what.clone());
                let fault = Fault { code, detail, chinese: self.chinese.clone() };
                push_line(&mut lines, &head, &told(&fault).chinese);
            }
        }
        for cause in &self.causes {
            push_line(&mut lines, &paint("1", "caused by"), text::said(cause, language));
        }
        let head = paint("1;32", "help");
        match (&self.help, language) {
            (Some(own), Language::English) => push_line(&mut lines, &head, &own.english),
            (own, language) => {
                push_line(&mut lines, &head, remedy(self.code, language));
                // What this failure knows more than its code, which names keys and commands.
                own.iter().for_each(|own| push_line(&mut lines, &head, text::said(own, language)));
            }
        }
        lines
    }

    /// Writes it to standard error. Where that is gone, nobody is there to be told.
    pub fn print(&self, color: bool) {
        let _ = io::stderr().lock().write_all(self.to_lines(color).as_bytes());
    }
}

/// An error and those behind it, nearest first.
fn causes(mut next: Option<&(dyn Error + 'static)>) -> Vec<Say> {
    let mut causes = Vec::new();
    while let Some(error) = next {
        causes.push(cause(error));
        next = error.source();
    }
    causes
}

fn push_line(lines: &mut String, head: &str, text: &str) {
    lines.push_str(head);
    lines.push_str(": ");
    lines.push_str(&printable(&bounds::shortened(text, bounds::MESSAGE)));
    lines.push('\n');
}

impl From<Failure> for Fault {
    /// One sentence with its causes, for those who keep or show a fault.
    fn from(failure: Failure) -> Self {
        let Failure { code, what, chinese, causes, .. } = failure;
        let is_said = chinese.is_some();
        let own = Say { english: what, chinese: chinese.unwrap_or_default() };
        let whole = causes.iter().fold(own, Say::then);
        Fault { code, detail: whole.english, chinese: is_said.then_some(whole.chinese) }
    }
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        Failure { chinese: fault.chinese, ..Failure::new(fault.code, fault.detail) }
    }
}

impl From<&Fault> for Failure {
    fn from(fault: &Fault) -> Self {
        fault.clone().into()
    }
}

static QUIET: AtomicBool = AtomicBool::new(false);

/// Errors alone go to standard error from here on.
pub fn leave_warnings_out() {
    QUIET.store(true, Ordering::Relaxed);
}

/// Where warnings go: standard error, or nowhere.
pub fn for_warnings() -> Box<dyn Write> {
    match QUIET.load(Ordering::Relaxed) {
        true => Box::new(io::sink()),
        false => Box::new(io::stderr()),
    }
}

/// Writes a warning to standard error: something that a person should know and that stops
/// nothing.
pub fn warn(fault: &Fault, color: bool) {
    let _ = for_warnings().write_all(warning(fault, color).as_bytes());
}

/// The same with what to do about it.
pub fn warn_with_help(fault: &Fault, color: bool) {
    let mut lines = warning(fault, color);
    let head = if color { "\u{1b}[1;32mhelp\u{1b}[0m" } else { "help" };
    push_line(&mut lines, head, remedy(fault.code, language()));
    let _ = for_warnings().write_all(lines.as_bytes());
}

fn warning(fault: &Fault, color: bool) -> String {
    let head = match color {
        true => format!("\u{1b}[1;33mwarning[{}]\u{1b}[0m", fault.code),
        false => format!("warning[{}]", fault.code),
    };
    let mut lines = String::new();
    let detail = match language() {
        Language::English => fault.detail.clone(),
        Language::Chinese => told(fault).chinese,
    };
    push_line(&mut lines, &head, &detail);
    lines
}

/// Takes a panic's failure where it may not go to standard error now; gives it back where
/// it may.
pub type Aside = Box<dyn Fn(Failure) -> Option<Failure> + Send>;

static ASIDE: Mutex<Option<Aside>> = Mutex::new(None);

/// While a screen is on the terminal, panics are told to it and not written over it.
pub fn tell_panics_to(aside: Option<Aside>) {
    *ASIDE.lock().unwrap_or_else(PoisonError::into_inner) = aside;
}

/// Makes a panic speak as every other error does. Who catches it decides what it ends.
pub fn install_panic_hook(color: bool) {
    panic::set_hook(Box::new(move |info| {
        let place = info.location().map_or_else(String::new, |place| format!(" at {place}"));
        let payload = info.payload();
        let what = payload
            .downcast_ref::<&str>()
            .copied()
            .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
            .unwrap_or("no message");
        let failure = Failure::new(Code::Bug, format!("the program broke{place}: {what}"));
        let told = match &*ASIDE.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(aside) => aside(failure),
            None => Some(failure),
        };
        if let Some(failure) = told {
            failure.print(color);
        }
    }));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::say;

    #[derive(Debug, thiserror::Error)]
    #[error("the outer")]
    struct Outer {
        source: Inner,
    }

    #[derive(Debug, thiserror::Error)]
    #[error("the inner")]
    struct Inner;

    #[test]
    fn a_failure_reads_what_then_causes_then_help() {
        let failure =
            Failure::of(Code::CaKey, &Outer { source: Inner }).with_help(say!("do this", "这样做"));
        assert_eq!(
            failure.to_lines_in(false, Language::English),
            "error[E-CA-KEY]: the outer\ncaused by: the inner\nhelp: do this\n"
        );
    }

    #[test]
    fn a_failure_without_help_of_its_own_has_its_code_s() {
        let failure = Failure::new(Code::LedgerBusy, "pid 42 works here");
        let lines = failure.to_lines_in(false, Language::English);
        let wanted = format!("help: {}\n", remedy(Code::LedgerBusy, Language::English));
        assert!(lines.ends_with(&wanted), "{lines}");
    }

    #[test]
    fn in_chinese_the_code_s_words_come_first_and_the_values_stay() {
        let failure = Failure::new(Code::LedgerBusy, "pid 42 works here")
            .with_help(say!("do this", "这样做"));
        let lines = failure.to_lines_in(false, Language::Chinese);
        assert!(lines.starts_with(
            "error[E-LEDGER-BUSY]: 另一个产线进程正在使用该账本（pid 42 works here）\n"
        ));
        let wanted =
            format!("help: {}\nhelp: 这样做\n", remedy(Code::LedgerBusy, Language::Chinese));
        assert!(lines.ends_with(&wanted), "{lines}");
    }

    #[test]
    fn where_its_code_says_all_nothing_stands_behind_the_code_s_words() {
        let failure = Failure::said(Code::LedgerBusy, say!("it is in use", ""));
        let lines = failure.to_lines_in(false, Language::Chinese);
        assert!(
            lines.starts_with("error[E-LEDGER-BUSY]: 另一个产线进程正在使用该账本\n"),
            "{lines}"
        );
    }

    #[test]
    fn what_a_label_put_into_a_failure_can_t_move_the_cursor() {
        let failure = Failure::new(Code::ScanCharacters, "\u{1b}[2J\nerror[E-OK]");
        let lines = failure.to_lines_in(false, Language::English);
        assert!(
            lines.starts_with("error[E-SCAN-CHARACTERS]: \\u{1b}[2J\\nerror[E-OK]\n"),
            "{lines}"
        );
    }

    #[test]
    fn a_failure_does_not_repeat_all_of_what_was_read() {
        let failure = Failure::new(Code::Input, "x".repeat(1 << 20));
        assert!(failure.to_lines(false).len() < 5_000);
    }

    #[test]
    fn colour_is_only_around_the_heads() {
        let lines = Failure::new(Code::Usage, "x").to_lines(true);
        assert!(lines.starts_with("\u{1b}[1;31merror[E-USAGE]\u{1b}[0m: x\n"), "{lines:?}");
    }
}
