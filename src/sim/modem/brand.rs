//! What one maker's simulated modem brings, and what all of them have in common.

use super::chip::Chip;
use super::fault::Fault;
use crate::error::SimError;

/// What a modem does behind what it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Then {
    /// Listens for the next command.
    Listen,
    /// Takes so many bytes as they come, none of them echoed.
    Take(usize),
    /// The same, and says `A` after each 1024 of them.
    TakeSayingA(usize),
    /// Restarts.
    Restart,
    /// Loses power, and gets it back.
    LosePower,
}

/// What a modem says to a command, and what it does then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) said: Vec<u8>,
    pub(super) then: Then,
}

/// A command, in capitals, and what is given to it.
pub(super) fn command_of(text: &str) -> (String, Option<&str>) {
    match text.split_once('=') {
        Some((front, given)) => (front.to_ascii_uppercase(), Some(given)),
        None => (text.to_ascii_uppercase(), None),
    }
}

impl Answer {
    pub(super) fn lines<T: AsRef<str>>(lines: &[T]) -> Self {
        let said =
            lines.iter().map(|line| format!("\r\n{}\r\n", line.as_ref())).collect::<String>();
        Self { said: said.into_bytes(), then: Then::Listen }
    }

    pub(super) fn ok() -> Self {
        Self::lines(&["OK"])
    }

    /// What is said to a restart, which follows unless this chip says so and does not.
    pub(super) fn restart(chip: &Chip) -> Self {
        match chip.has(&Fault::LieRestart) {
            true => Self::ok(),
            false => Self::ok().and(Then::Restart),
        }
    }

    pub(super) fn error() -> Self {
        Self::lines(&["ERROR"])
    }

    /// A line of information and OK.
    pub(super) fn told(line: impl AsRef<str>) -> Self {
        Self::lines(&[line.as_ref(), "OK"])
    }

    pub(super) const fn nothing() -> Self {
        Self { said: Vec::new(), then: Then::Listen }
    }

    pub(super) const fn dark() -> Self {
        Self { said: Vec::new(), then: Then::LosePower }
    }

    pub(super) fn and(self, then: Then) -> Self {
        Self { then, ..self }
    }
}

/// How commands come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Manner {
    /// What ends a command: one of these bytes.
    pub(super) ends: &'static [u8],
    /// Whether a text in quotes may have several lines.
    pub(super) quotes: bool,
    /// Whether it echoes until it is told not to.
    pub(super) echoes: bool,
    /// Whether it answers a line that is no command.
    pub(super) complains: bool,
    /// What it says when it has started.
    pub(super) banner: &'static [&'static str],
}

/// One maker's modem: its commands, and what it forgets without power.
pub(super) trait Brand: Send {
    fn manner(&self) -> Manner;

    /// Carries a command out that begins with AT.
    fn command(&mut self, chip: &mut Chip, text: &str) -> Result<Answer, SimError>;

    /// Takes the bytes that it asked for.
    fn payload(&mut self, chip: &mut Chip, bytes: Vec<u8>) -> Result<Answer, SimError>;

    /// Forgets what it does not keep.
    fn reset(&mut self);

    /// Whether a key and a certificate lie where they belong.
    fn is_whole(&self, chip: &Chip) -> bool;

    /// Puts a certificate where the modem keeps one.
    fn preload(&self, chip: &mut Chip, certificate: &str) -> Result<(), SimError>;
}

/// How a modem names errors: the state of `+CMEE` (3GPP TS 27.007, 9.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Errors {
    /// `ERROR` and nothing more.
    #[default]
    Plain,
    /// By their numbers.
    Numbers,
    /// By their words.
    Words,
}

impl Errors {
    /// The setting of this number, if there is one.
    pub(super) fn of_number(text: &str) -> Option<Self> {
        match text {
            "0" => Some(Self::Plain),
            "1" => Some(Self::Numbers),
            "2" => Some(Self::Words),
            _ => None,
        }
    }

    pub(super) const fn number(self) -> u8 {
        match self {
            Self::Plain => 0,
            Self::Numbers => 1,
            Self::Words => 2,
        }
    }

    pub(super) fn answer(self, chip: &Chip, number: u32, words: &str) -> Answer {
        match self {
            Self::Plain => Answer::error(),
            Self::Numbers if !chip.has(&Fault::Words) => {
                Answer::lines(&[format!("+CME ERROR: {number}")])
            }
            Self::Numbers | Self::Words => Answer::lines(&[format!("+CME ERROR: {words}")]),
        }
    }
}

/// The parameters of a command: between commas, texts without their quotes.
pub(super) fn parameters(text: &str) -> Vec<&str> {
    let (mut found, mut begin, mut quoted) = (Vec::new(), 0, false);
    for (place, character) in text.char_indices() {
        match character {
            '"' => quoted = !quoted,
            ',' if !quoted => {
                found.push(&text[begin..place]);
                begin = place + 1;
            }
            _ => {}
        }
    }
    found.push(&text[begin..]);
    found.into_iter().map(|field| field.trim().trim_matches('"')).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_parted_by_the_commas_outside_quotes() {
        assert_eq!(parameters("0, 7,1,\"a,b\nc\""), ["0", "7", "1", "a,b\nc"]);
        assert_eq!(parameters(""), [""]);
    }
}
