//! The line of a simulated modem: bytes become commands or payload, echo and answers go back.

use super::brand::{Answer, Brand, Then};
use super::chip::Chip;
use super::fault::Fault;
use crate::error::SimError;

/// The longest command that a modem takes.
const LONGEST: usize = 16 * 1024;

/// "MCU sends 1K bytes data, and then BG96 will respond with an A" (BG96 FILE AT Commands
/// Manual, 2.4).
const ACKNOWLEDGED: usize = 1024;

/// What a modem says unasked (3GPP TS 27.007, 10.1.22).
const UNASKED: &[u8] = b"\r\n+CEREG: 2\r\n";

/// What comes of a byte.
pub(super) struct Reaction {
    pub(super) said: Vec<u8>,
    /// Whether a command or a payload was carried out.
    pub(super) worked: bool,
    pub(super) then: Then,
}

/// A modem with its line.
pub(super) struct Front {
    pub(super) brand: Box<dyn Brand>,
    pub(super) chip: Chip,
    line: Vec<u8>,
    quoted: bool,
    left: usize,
    payload: Vec<u8>,
    says_a: bool,
    echoes: bool,
    commands: u32,
}

impl Front {
    pub(super) fn new(brand: Box<dyn Brand>, chip: Chip) -> Self {
        let echoes = brand.manner().echoes;
        let (line, payload) = (Vec::new(), Vec::new());
        let (quoted, says_a) = (false, false);
        Self { brand, chip, line, quoted, left: 0, payload, says_a, echoes, commands: 0 }
    }

    /// Loses what it does not keep.
    pub(super) fn reset(&mut self) {
        self.brand.reset();
        (self.line, self.payload) = (Vec::new(), Vec::new());
        (self.quoted, self.left) = (false, 0);
        self.echoes = self.brand.manner().echoes;
    }

    /// Takes a byte.
    pub(super) fn take(&mut self, byte: u8) -> Result<Reaction, SimError> {
        if self.left > 0 {
            return self.take_payload(byte);
        }
        let mut said = Vec::new();
        if self.echoes && !self.chip.has(&Fault::Mute) {
            said.push(byte);
        }
        self.quoted ^= self.brand.manner().quotes && byte == b'"';
        if !self.brand.manner().ends.contains(&byte) || self.quoted {
            self.line.push(byte);
            if self.line.len() > LONGEST {
                (self.line, self.quoted) = (Vec::new(), false);
            }
            return Ok(Reaction { said, worked: false, then: Then::Listen });
        }
        let line = std::mem::take(&mut self.line);
        self.quoted = false;
        let answer = self.carry_out(&line)?;
        let worked = answer.then != Then::Listen || !answer.said.is_empty();
        said.extend(self.with_chatter(answer.said));
        Ok(Reaction { said, worked, then: self.then(answer.then) })
    }

    fn take_payload(&mut self, byte: u8) -> Result<Reaction, SimError> {
        self.payload.push(byte);
        self.left -= 1;
        if self.left > 0 {
            let is_told = self.says_a && self.payload.len().is_multiple_of(ACKNOWLEDGED);
            let said = if is_told { b"A".to_vec() } else { Vec::new() };
            return Ok(Reaction { said, worked: false, then: Then::Listen });
        }
        let payload = std::mem::take(&mut self.payload);
        let answer = self.brand.payload(&mut self.chip, payload)?;
        let said = self.with_chatter(answer.said);
        Ok(Reaction { said, worked: true, then: self.then(answer.then) })
    }

    fn then(&mut self, then: Then) -> Then {
        if let Then::Take(length) | Then::TakeSayingA(length) = then {
            (self.left, self.says_a) = (length, then != Then::Take(length));
        }
        then
    }

    fn with_chatter(&self, said: Vec<u8>) -> Vec<u8> {
        // What a raw transfer begins with is followed by its bytes alone.
        let raw: [&[u8]; 2] = [b"CONNECT", b"+SYSMFG:"];
        let has = |word: &[u8]| said.windows(word.len()).any(|part| part == word);
        let is_raw = said.ends_with(b">") || raw.into_iter().any(has);
        if !self.chip.has(&Fault::Chatter) || said.is_empty() || is_raw {
            return said;
        }
        [UNASKED, &said, UNASKED].concat()
    }

    fn carry_out(&mut self, line: &[u8]) -> Result<Answer, SimError> {
        let text = String::from_utf8_lossy(line);
        let text = text.trim_matches(|c: char| c.is_ascii_whitespace());
        if text.is_empty() || self.chip.has(&Fault::Mute) {
            return Ok(Answer::nothing());
        }
        let is_command = text.get(..2).is_some_and(|front| front.eq_ignore_ascii_case("AT"));
        if !is_command {
            let complains = self.brand.manner().complains;
            return Ok(if complains { Answer::error() } else { Answer::nothing() });
        }
        self.commands += 1;
        if self.chip.has(&Fault::RestartAt(self.commands)) {
            return Ok(Answer::nothing().and(Then::Restart));
        }
        match text.to_ascii_uppercase().as_str() {
            "ATE0" if self.brand.manner().echoes => {
                self.echoes = false;
                Ok(Answer::ok())
            }
            "ATE1" if self.brand.manner().echoes => {
                self.echoes = true;
                Ok(Answer::ok())
            }
            _ => self.brand.command(&mut self.chip, text),
        }
    }
}
