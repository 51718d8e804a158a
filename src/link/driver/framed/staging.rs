//! Chunks in a window: go-back-N.
//!
//! At most `window` chunks are unanswered, counted so that a device never holds more of
//! them than it said, not even right after a step back. An answer that says "not yet"
//! sends the station back once for each value of `next` until that advances; a silent
//! deadline does so as often as any request is sent again, and then it is over.
//!
//! The chunk with the key is built and sent inside the lender's memory, each time anew.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use firmware_interface::codec::{self, Header, MAX_FRAME};
use firmware_interface::ids::{ErrorCode, RequestType};
use firmware_interface::message::{Chunk, ChunkReply, Reply, Request};
use firmware_interface::timing;

use super::heard::Heard;
use super::image::{Composed, KEY_MEMORY};
use super::session::{Received, Session};
use super::{Framed, answers};
use crate::domain::ids::KeyId;
use crate::domain::lender::KeyLender;
use crate::error::LinkError;

type Progress<'p> = &'p mut dyn FnMut(u32, u32);

impl Framed {
    /// Sends the image; once more from its start where the device lost the transfer.
    pub(super) fn stage_composed(
        &mut self,
        composed: &Composed,
        keys: &dyn KeyLender,
        progress: Progress<'_>,
    ) -> Result<(), LinkError> {
        match self.transfer(composed, keys, progress) {
            Err(error) if is_lost_transfer(&error) => {
                self.identify_same()?;
                self.transfer(composed, keys, progress)
            }
            outcome => outcome,
        }
    }

    fn transfer(
        &mut self,
        composed: &Composed,
        keys: &dyn KeyLender,
        progress: Progress<'_>,
    ) -> Result<(), LinkError> {
        self.begin(composed)?;
        let limits = self.limits("CHUNK")?;
        let window = usize::from(limits.window.chunks());
        let busy = Duration::from_millis(limits.busy.of(RequestType::Chunk).into());
        Window::new(&mut self.session, composed, keys, window, busy).run(progress)
    }

    /// Announces the image. None of it was sent in this transfer, so the device has none.
    fn begin(&mut self, composed: &Composed) -> Result<(), LinkError> {
        let received = self.ask(Request::Begin(composed.begin()))?;
        match received.reply(RequestType::Begin)? {
            Reply::Begin(reply) if reply.next == 0 => Ok(()),
            Reply::Begin(reply) => {
                let why = format!("it has {} bytes of an image of which none was sent", reply.next);
                Err(answers::malformed(RequestType::Begin, why))
            }
            _ => Err(answers::wrong_type(RequestType::Begin)),
        }
    }
}

fn is_lost_transfer(error: &LinkError) -> bool {
    answers::is_lost_session(error) || answers::is_refusal(error, ErrorCode::NoTransfer)
}

fn pieces_before(composed: &Composed, next: u32) -> Result<usize, LinkError> {
    let why = || format!("next is {next}, and no chunk begins there");
    composed.pieces_before(next).ok_or_else(|| answers::malformed(RequestType::Chunk, why()))
}

/// A chunk that was sent and not answered.
struct Flight {
    piece: usize,
    /// When its last byte has left the line.
    sent_by: Instant,
}

/// One transfer under way.
struct Window<'a> {
    session: &'a mut Session,
    composed: &'a Composed,
    keys: &'a dyn KeyLender,
    room: usize,
    busy: Duration,
    /// Of each piece that was ever sent here; a piece sent again keeps its seq.
    headers: Vec<Option<Header>>,
    /// Pieces that the device has.
    acknowledged: usize,
    to_send: usize,
    flights: VecDeque<Flight>,
    last_answer: Instant,
    /// Where the station already went back to, until `acknowledged` advances.
    went_back: Option<usize>,
    silences: u32,
    /// Answers since the last advance that did not advance it.
    refusals: u32,
    before: Heard,
}

impl<'a> Window<'a> {
    fn new(
        session: &'a mut Session,
        composed: &'a Composed,
        keys: &'a dyn KeyLender,
        room: usize,
        busy: Duration,
    ) -> Self {
        let before = session.heard();
        Self {
            session,
            composed,
            keys,
            room,
            busy,
            headers: vec![None; composed.pieces().len()],
            acknowledged: 0,
            to_send: 0,
            flights: VecDeque::with_capacity(room),
            last_answer: Instant::now(),
            went_back: None,
            silences: 0,
            refusals: 0,
            before,
        }
    }

    fn run(mut self, progress: Progress<'_>) -> Result<(), LinkError> {
        while self.acknowledged < self.composed.pieces().len() {
            let taken = self.fill()?;
            let answer = match self.deadline() {
                Some(deadline) if taken => self.session.receive_reply(deadline)?,
                _ => None,
            };
            match answer {
                Some(received) => self.take(&received, progress)?,
                None => self.after_silence()?,
            }
        }
        Ok(())
    }

    /// Sends while the window has room; `false` where the line takes no more.
    fn fill(&mut self) -> Result<bool, LinkError> {
        while self.flights.len() < self.room && self.to_send < self.composed.pieces().len() {
            let piece = self.to_send;
            let header = self.header_of(piece);
            let taken = match self.composed.key() {
                Some(key) if piece == 0 => self.send_key(header, key)?,
                _ => self.send_public(header, piece)?,
            };
            if !taken {
                return Ok(false);
            }
            self.to_send += 1;
        }
        Ok(true)
    }

    fn header_of(&mut self, piece: usize) -> Header {
        let known = self.headers.get(piece).copied().flatten();
        let header = known.unwrap_or_else(|| self.session.next_header(RequestType::Chunk));
        if let Some(place) = self.headers.get_mut(piece) {
            *place = Some(header);
        }
        header
    }

    fn send_public(&mut self, header: Header, piece: usize) -> Result<bool, LinkError> {
        let Some(place) = self.composed.pieces().get(piece).copied() else { return Ok(true) };
        let data = self.composed.public_bytes(place);
        let mut frame = [0; MAX_FRAME];
        let length = encode(header, Chunk { offset: place.start, data }, &mut frame)?;
        self.send(header, piece, &frame[..length])
    }

    /// Builds the frame with the key where the key is, and writes it from there.
    fn send_key(&mut self, header: Header, key: KeyId) -> Result<bool, LinkError> {
        let (keys, composed) = (self.keys, self.composed);
        let mut outcome = Ok(true);
        keys.lend(key, &mut |scalar, scratch| {
            let (memory, frame) = scratch.split_at_mut(KEY_MEMORY);
            let chunk = Chunk { offset: 0, data: composed.secret(scalar, memory) };
            let encoded = encode(header, chunk, frame);
            outcome = encoded.and_then(|length| self.send(header, 0, &frame[..length]));
        })
        .map_err(LinkError::Key)?;
        outcome
    }

    fn send(&mut self, header: Header, piece: usize, frame: &[u8]) -> Result<bool, LinkError> {
        let sent_by = self.session.sent_by(frame.len());
        let until = sent_by + self.session.reply_allowance(RequestType::Chunk, self.busy);
        let taken = self.session.send_frame(header, frame, until)?;
        if taken {
            self.flights.push_back(Flight { piece, sent_by });
        }
        Ok(taken)
    }

    /// When the oldest unanswered chunk must be answered. The device works on one at a
    /// time, so its time begins when the one before was answered.
    fn deadline(&self) -> Option<Instant> {
        let oldest = self.flights.front()?;
        let allowance = self.session.reply_allowance(RequestType::Chunk, self.busy);
        Some(oldest.sent_by.max(self.last_answer) + allowance)
    }

    fn take(&mut self, received: &Received, progress: Progress<'_>) -> Result<(), LinkError> {
        let asked = |header: &Option<Header>| header.is_some_and(|h| received.answers(h));
        let Some(piece) = self.headers.iter().position(asked) else {
            self.session.drop_reply(received);
            return Ok(());
        };
        let Reply::Chunk(reply) = received.reply(RequestType::Chunk)? else {
            return Err(answers::wrong_type(RequestType::Chunk));
        };
        self.land(piece);
        let next = pieces_before(self.composed, reply.next)?;
        if next > self.acknowledged {
            self.advance(next, reply, progress)
        } else {
            self.refusals += 1;
            // Older than what is known, or known and acted upon: nothing new.
            let is_gap = next == self.acknowledged && next <= piece;
            if is_gap && self.went_back != Some(next) {
                self.went_back = Some(next);
                self.to_send = next;
            }
            Ok(())
        }
    }

    /// The device works in order: an answered chunk ends the wait for those before it.
    fn land(&mut self, piece: usize) {
        if let Some(index) = self.flights.iter().position(|flight| flight.piece == piece) {
            self.flights.drain(..=index);
            self.last_answer = Instant::now();
        }
    }

    fn advance(
        &mut self,
        next: usize,
        reply: ChunkReply,
        progress: Progress<'_>,
    ) -> Result<(), LinkError> {
        if self.headers.get(next - 1).copied().flatten().is_none() {
            let why = format!("next is {}, and that much was not sent", reply.next);
            return Err(answers::malformed(RequestType::Chunk, why));
        }
        if reply.crc != self.composed.crc_of(next) {
            let why = format!("its first {} bytes have another check sum", reply.next);
            return Err(LinkError::NotStored { why });
        }
        self.acknowledged = next;
        self.to_send = self.to_send.max(next);
        self.flights.retain(|flight| flight.piece >= next);
        (self.went_back, self.silences, self.refusals) = (None, 0, 0);
        self.before = self.session.heard();
        progress(reply.next, self.composed.total());
        Ok(())
    }

    fn after_silence(&mut self) -> Result<(), LinkError> {
        self.silences += 1;
        if self.silences > timing::RESENDS {
            if self.refusals > 0 {
                let why =
                    format!("it answers, and takes nothing after chunk {}", self.acknowledged);
                return Err(LinkError::NotStored { why });
            }
            let waited = self.session.reply_allowance(RequestType::Chunk, self.busy);
            let kind = RequestType::Chunk;
            return Err(self.session.silence(kind, self.before, self.silences, waited));
        }
        self.flights.clear();
        self.to_send = self.acknowledged;
        Ok(())
    }
}

fn encode(header: Header, chunk: Chunk<'_>, out: &mut [u8]) -> Result<usize, LinkError> {
    codec::encode(header, &Request::Chunk(chunk), out)
        .map_err(|error| answers::malformed(RequestType::Chunk, error.to_string()))
}
