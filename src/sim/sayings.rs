//! Answers with other bytes in them than the firmware gave.
//!
//! The frame around them stays sound, so that only a station which holds an answer against
//! what must follow finds the lie. Start with [`Sayings::say`].

use firmware_interface::codec::{self, Header, MAX_FRAME};
use firmware_interface::ids::{REPLY_BIT, RequestType};
use firmware_interface::message::{Message, Sink};

use super::transcript::trimmed;

/// One piece of an answer that a device replaces, from some point on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Saying {
    /// Answers to these requests are changed.
    pub(crate) of: RequestType,
    /// Where in the body of the answer.
    pub(crate) at: usize,
    /// What stands there instead; the body grows where that reaches beyond its end.
    pub(crate) bytes: Vec<u8>,
    /// So many answers to `after` come before the first that is changed.
    pub(crate) count: u32,
    /// Which answers are counted for that.
    pub(crate) after: RequestType,
}

/// What a device writes around its answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum HeaderLie {
    /// Every sequence number is one too high.
    Seq,
    /// Every session is another one.
    Session,
}

/// Everything that a device says instead of what its firmware says.
#[derive(Debug, Default)]
pub(crate) struct Sayings {
    sayings: Vec<Saying>,
    header: Option<HeaderLie>,
}

/// A body as it is, under whatever type.
struct Raw<'b> {
    message_type: u8,
    body: &'b [u8],
}

impl Message for Raw<'_> {
    fn message_type(&self) -> u8 {
        self.message_type
    }

    fn body_length(&self) -> usize {
        self.body.len()
    }

    fn write_body(&self, sink: &mut impl Sink) {
        sink.put(self.body);
    }
}

impl Sayings {
    pub(crate) fn new(sayings: Vec<Saying>, header: Option<HeaderLie>) -> Self {
        Self { sayings, header }
    }

    /// What leaves instead of this answer.
    pub(crate) fn say(&mut self, answer: Vec<u8>) -> Vec<u8> {
        if self.sayings.is_empty() && self.header.is_none() {
            return answer;
        }
        self.changed(&answer).unwrap_or(answer)
    }

    fn changed(&mut self, answer: &[u8]) -> Option<Vec<u8>> {
        let mut between = trimmed(answer).to_vec();
        let frame = codec::decode(&mut between).ok()?;
        let answered = RequestType::from_wire(frame.header.message_type & !REPLY_BIT)?;
        let mut body = frame.body.to_vec();
        for saying in &mut self.sayings {
            saying.put_into(answered, &mut body);
        }
        let header = self.header.map_or(frame.header, |lie| lie.told(frame.header));
        let raw = Raw { message_type: header.message_type, body: &body };
        let mut room = [0; MAX_FRAME];
        let length = codec::encode(header, &raw, &mut room).ok()?;
        Some(room[..length].to_vec())
    }
}

impl Saying {
    fn put_into(&mut self, answered: RequestType, body: &mut Vec<u8>) {
        if answered == self.of && self.count == 0 {
            let end = self.at + self.bytes.len();
            body.resize(body.len().max(end), 0);
            body[self.at..end].copy_from_slice(&self.bytes);
        }
        if answered == self.after {
            self.count = self.count.saturating_sub(1);
        }
    }
}

impl HeaderLie {
    fn told(self, honest: Header) -> Header {
        match self {
            HeaderLie::Seq => Header { seq: honest.seq.wrapping_add(1), ..honest },
            HeaderLie::Session => Header { session: !honest.session, ..honest },
        }
    }
}

#[cfg(test)]
mod tests {
    use firmware_interface::ids::Lifecycle;
    use firmware_interface::message::{FinishReply, Reply};

    use super::*;

    fn answer() -> Vec<u8> {
        let reply = Reply::Finish(FinishReply { lifecycle: Lifecycle::Provisioned });
        let header =
            Header { version: 1, message_type: reply.message_type(), seq: 4, session: 0x1122 };
        let mut room = [0; MAX_FRAME];
        let length = codec::encode(header, &reply, &mut room).unwrap();
        room[..length].to_vec()
    }

    fn read(frame: &[u8]) -> (Header, Vec<u8>) {
        let mut between = trimmed(frame).to_vec();
        let frame = codec::decode(&mut between).unwrap();
        (frame.header, frame.body.to_vec())
    }

    #[test]
    fn a_piece_is_replaced_from_its_point_on_and_the_frame_stays_sound() {
        let blank = Saying {
            of: RequestType::Finish,
            at: 0,
            bytes: vec![0],
            count: 1,
            after: RequestType::Finish,
        };
        let mut sayings = Sayings::new(vec![blank], None);
        assert_eq!(read(&sayings.say(answer())).1, [2]);
        assert_eq!(read(&sayings.say(answer())).1, [0]);
    }

    #[test]
    fn a_header_lies_about_its_number_and_its_session() {
        let told = |lie| read(&Sayings::new(Vec::new(), Some(lie)).say(answer())).0;
        assert_eq!((told(HeaderLie::Seq).seq, told(HeaderLie::Seq).session), (5, 0x1122));
        assert_eq!(told(HeaderLie::Session).session, !0x1122);
    }
}
