//! What came while an answer was waited for, and what that usually means.
//!
//! "No answer" is told only where nothing came: a line that returns what is sent, a firmware
//! that counts by itself and a stranger's frames each look like silence to whoever compares
//! numbers, and need another remedy.

use firmware_interface::codec::Header;
use firmware_interface::ids::{ERROR_TYPE, RequestType};
use firmware_interface::timing;

use crate::error::LinkError;

/// Counts since a session began; the difference of two is what came in between.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Heard {
    /// Bytes of any kind.
    pub(super) bytes: u64,
    /// Sound frames.
    pub(super) frames: u64,
    /// Bytes of those, at most.
    in_frames: u64,
    /// Requests, which only this station sends.
    pub(super) echoes: u64,
    /// Answers whose type lacks the bit that says so, and the type of the last of them.
    unmarked: (u64, u8),
    /// Frames that answer nothing of what was asked, and the type of the last of them.
    unasked: (u64, u8),
    /// Answers of the right type under another sequence number, and the last of them.
    seq: (u64, u16),
    /// The same for the session.
    session: (u64, u32),
    /// The same for the version.
    version: (u64, u8),
}

impl Heard {
    /// Counts a sound frame of so many bytes.
    pub(super) fn frame(&mut self, bytes: usize) {
        self.frames += 1;
        self.in_frames += bytes as u64;
    }

    /// Counts a frame whose type says that it is a request: what was sent, come back, or an answer
    /// of a firmware that forgot the bit. The two differ in how long they are.
    pub(super) fn without_reply_bit(&mut self, message_type: u8, length: usize) {
        match is_request(message_type, length) {
            true => self.echoes += 1,
            false => self.unmarked = (self.unmarked.0 + 1, message_type),
        }
    }

    /// Counts a reply that is not the one that was waited for.
    pub(super) fn stray(&mut self, asked: Header, came: Header) {
        let right_type = [asked.message_type | 0x80, ERROR_TYPE].contains(&came.message_type);
        if !right_type {
            self.unasked = (self.unasked.0 + 1, came.message_type);
        } else if came.session != asked.session {
            self.session = (self.session.0 + 1, came.session);
        } else if came.version != asked.version {
            self.version = (self.version.0 + 1, came.version);
        } else {
            self.seq = (self.seq.0 + 1, came.seq);
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
        if is_rule(self.unmarked.0, before.unmarked.0) {
            let (came, expected) = (self.unmarked.1, kind.reply_type());
            let what = format!("its type is {came:#04x}, and {expected:#04x} was expected");
            return wrong(what + ": the bit 0x80 of a reply is missing");
        }
        if is_rule(self.echoes, before.echoes) {
            return LinkError::Echo { request, frames: self.echoes - before.echoes };
        }
        if is_rule(self.unasked.0, before.unasked.0) {
            let (frames, came) = (self.unasked.0 - before.unasked.0, self.unasked.1);
            return LinkError::Unasked { request, frames, came };
        }
        // Beside a late frame from before, what else came is told as what it is.
        let in_frames = self.in_frames - before.in_frames;
        match bytes.saturating_sub(in_frames) {
            0 => LinkError::Timeout { request, waited_ms, sent },
            bytes => LinkError::Noise { request, bytes },
        }
    }
}

/// Whether a body of this length belongs to a request of this type, and not to its answer. What
/// has no body either way counts as a request; an answer to CHUNK has eight bytes, and its data
/// would be four.
fn is_request(message_type: u8, length: usize) -> bool {
    match RequestType::from_wire(message_type) {
        Some(RequestType::Identify | RequestType::Finish) => length == 2,
        Some(RequestType::Begin) => length > 37,
        Some(RequestType::Chunk) => length != 8,
        Some(RequestType::Commit | RequestType::Prove) => length == 32,
        Some(RequestType::Read) => length == 7,
        Some(RequestType::Keygen) => length == 5,
        Some(RequestType::Csr) => length == 6,
        Some(RequestType::Restart | RequestType::Abort | RequestType::Erase) => length == 0,
        None => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::code::Code;

    const ASKED: Header = Header { version: 1, message_type: 0x07, seq: 5, session: 9 };

    fn verdict(came: Header, count: u64) -> LinkError {
        let mut heard = Heard { bytes: 100, ..Heard::default() };
        (0..count).for_each(|_| heard.frame(100));
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
        assert!(text(stranger).contains("the last of type 0x83"), "{}", text(stranger));
        assert_eq!(verdict(Header { seq: 4, ..reply }, 1).code(), Code::DevTimeout);
    }

    /// What came beside one late frame, after FINISH was sent four times.
    fn beside_a_late_one(came: impl Fn(&mut Heard)) -> LinkError {
        let mut heard = Heard { bytes: 20, ..Heard::default() };
        heard.frame(20);
        heard.stray(ASKED, Header { message_type: 0x81, seq: 4, ..ASKED });
        (0..4).for_each(|_| came(&mut heard));
        heard.verdict(Heard::default(), ASKED, RequestType::Finish, 4, 70)
    }

    #[test]
    fn a_late_frame_hides_nothing_of_what_else_came() {
        let silence = beside_a_late_one(|_| {});
        assert_eq!(silence.code(), Code::DevTimeout);
        let damaged = beside_a_late_one(|heard| heard.bytes += 17);
        assert_eq!(damaged.to_string(), "68 bytes came after FINISH, and no frame among them");
        let echoed = |length| {
            beside_a_late_one(move |heard: &mut Heard| {
                heard.bytes += 17;
                heard.frame(17);
                heard.without_reply_bit(0x07, length);
            })
        };
        assert_eq!(echoed(2).code(), Code::DevEcho);
        let forgot = echoed(1);
        assert_eq!(forgot.code(), Code::DevMalformed);
        assert!(forgot.to_string().contains("its type is 0x07, and 0x87 was expected"), "{forgot}");
    }
}
