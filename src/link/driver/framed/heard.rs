//! What came while an answer was waited for, and what that usually means.
//!
//! "No answer" is told only where nothing came: a line that returns what is sent, a firmware
//! that counts by itself and a stranger's frames each look like silence to whoever compares
//! numbers, and need another remedy.

use firmware_interface::codec::Header;
use firmware_interface::ids::{ERROR_TYPE, RequestType};
use firmware_interface::timing;

use crate::link::error::LinkError;

/// Counts since a session began; the difference of two is what came in between.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Heard {
    /// Bytes of any kind.
    pub(super) bytes: u64,
    /// Sound frames.
    pub(super) frames: u64,
    /// Requests, which only this station sends.
    pub(super) echoes: u64,
    /// Frames that answer nothing of what was asked.
    unasked: u64,
    /// Answers of the right type under another sequence number, and the last of them.
    seq: (u64, u16),
    /// The same for the session.
    session: (u64, u32),
    /// The same for the version.
    version: (u64, u8),
}

impl Heard {
    /// Counts a reply that is not the one that was waited for.
    pub(super) fn stray(&mut self, asked: Header, came: Header) {
        let right_type = [asked.message_type | 0x80, ERROR_TYPE].contains(&came.message_type);
        if !right_type {
            self.unasked += 1;
        } else if came.session != asked.session {
            self.session = (self.session.0 + 1, came.session);
        } else if came.seq != asked.seq {
            self.seq = (self.seq.0 + 1, came.seq);
        } else {
            self.version = (self.version.0 + 1, came.version);
        }
    }

    /// Whether something came that was no answer to what was asked, and no echo.
    pub(super) fn has_strays_since(self, before: Heard) -> bool {
        self.frames - before.frames > self.echoes - before.echoes
    }

    /// What an unanswered request ended in. `sent` is how often it was sent.
    pub(super) fn verdict(
        self,
        before: Heard,
        asked: Header,
        kind: RequestType,
        sent: u32,
        waited_ms: u64,
    ) -> LinkError {
        let request = kind.name();
        let bytes = self.bytes - before.bytes;
        if bytes > 0 && self.frames == before.frames {
            return LinkError::Noise { request, bytes };
        }
        if self.echoes > before.echoes && !self.has_strays_since(before) {
            return LinkError::Echo { request, frames: self.echoes - before.echoes };
        }
        // A late frame is no rule; as many as were sent are one.
        let rule = u64::from(sent.clamp(2, timing::RESENDS + 1));
        let is_rule = |now: u64, before: u64| now - before >= rule;
        let wrong = |why| LinkError::Malformed { request, why };
        if is_rule(self.seq.0, before.seq.0) {
            return wrong(format!("it carries seq {}, and {} was sent", self.seq.1, asked.seq));
        }
        if is_rule(self.session.0, before.session.0) {
            let (came, asked) = (self.session.1, asked.session);
            return wrong(format!("it carries session {came:#010x}, and {asked:#010x} was sent"));
        }
        if is_rule(self.version.0, before.version.0) {
            let (came, asked) = (self.version.1, asked.version);
            return wrong(format!("it carries version {came}, and {asked} was sent"));
        }
        if is_rule(self.unasked, before.unasked) {
            return LinkError::Unasked { request, frames: self.unasked - before.unasked };
        }
        LinkError::Timeout { request, waited_ms, sent }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::code::Code;

    const ASKED: Header = Header { version: 1, message_type: 0x07, seq: 5, session: 9 };

    fn verdict(came: Header, count: u64) -> LinkError {
        let mut heard = Heard { bytes: 100, frames: count, ..Heard::default() };
        (0..count).for_each(|_| heard.stray(ASKED, came));
        heard.verdict(Heard::default(), ASKED, RequestType::Finish, 4, 70)
    }

    #[test]
    fn as_many_wrong_answers_as_were_sent_are_told_and_one_late_one_is_not() {
        let reply = Header { message_type: 0x87, ..ASKED };
        let text = |came: Header| verdict(came, 4).to_string();
        let said =
            |what| format!("the answer to FINISH makes no sense: it carries {what} was sent");
        assert_eq!(text(Header { seq: 6, ..reply }), said("seq 6, and 5"));
        let session = said("session 0x00000008, and 0x00000009");
        assert_eq!(text(Header { session: 8, ..reply }), session);
        assert_eq!(text(Header { version: 2, ..reply }), said("version 2, and 1"));
        let stranger = Header { message_type: 0x83, ..ASKED };
        assert_eq!(verdict(stranger, 4).code(), Code::DevNoise);
        assert_eq!(verdict(Header { seq: 4, ..reply }, 1).code(), Code::DevTimeout);
    }
}
