//! Requests and their replies on one line: deadlines, resends, what is dropped.
//!
//! [`Session::call`] is the one place that sends a request again. A deadline is absolute
//! and belongs to the request: line time of request and reply, the declared busy time, a
//! margin. Every frame leaves through `send_frame` and arrives through `receive_frame`;
//! both log type, sequence and length, never a body.

use std::time::{Duration, Instant};

use firmware_interface::codec::{self, Header, MAX_FRAME};
use firmware_interface::frame::FullFrameReader;
use firmware_interface::ids::{ERROR_TYPE, REPLY_BIT, RequestType};
use firmware_interface::message::{
    Identify, IdentifyReply, ReadReply, Reply, Request, SIGNATURE_LENGTH,
};
use firmware_interface::{timing, version};
use zeroize::Zeroize;

use super::heard::Heard;
use super::{answers, unreadable};
use crate::cut;
use crate::domain::ids::HardwareId;
use crate::error::LinkError;
use crate::port::Port;

const MARGIN: Duration = Duration::from_millis(timing::REPLY_MARGIN_MS as u64);

/// How much is taken from the port at once.
const READ_SIZE: usize = 512;

/// What came and went on a line since the session began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Frames sent, resends included.
    pub sent: u64,
    /// Frames sent again.
    pub resent: u64,
    /// Sound frames that came.
    pub received: u64,
    /// Those among them that answered nothing that was asked: late, doubled, an echo.
    pub dropped: u64,
    /// Bytes that came, of any kind.
    pub bytes: u64,
}

/// How long and how often a request is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Policy {
    /// How long the device may work on it.
    busy: Duration,
    /// Until when the device may be deaf: sends before that are not counted.
    deaf: Option<Instant>,
    /// Sent again so soon while the device may be deaf, though an answer may still come.
    every: Option<Duration>,
    /// How often it is sent at most, once the device must hear.
    sends: u32,
}

impl Default for Policy {
    fn default() -> Self {
        Self::answered_within(Duration::ZERO)
    }
}

impl Policy {
    /// A request on which the device may work for `busy`.
    pub(super) fn answered_within(busy: Duration) -> Self {
        Self { busy, deaf: None, every: None, sends: 1 + timing::RESENDS }
    }

    /// Sent once, answered or not.
    pub(super) fn once() -> Self {
        Self { sends: 1, ..Self::default() }
    }

    /// For a device that may still be starting, because its port was opened.
    pub(super) fn arriving(until: Instant) -> Self {
        Self { deaf: Some(until), ..Self::default() }
    }

    /// For a device that restarts: sent at short intervals until it must have booted.
    pub(super) fn restarting(until: Instant, every: Duration) -> Self {
        Self { deaf: Some(until), every: Some(every), ..Self::default() }
    }

    fn is_deaf(&self, now: Instant) -> bool {
        self.deaf.is_some_and(|until| now < until)
    }
}

/// A reply to what was asked.
pub(super) struct Received {
    header: Header,
    body: Vec<u8>,
}

impl Received {
    /// The reply, or the refusal that it is.
    pub(super) fn reply(&self, request: RequestType) -> Result<Reply<'_>, LinkError> {
        let parsed = match self.header.message_type {
            ERROR_TYPE => Reply::parse_error(&self.body),
            other if other == request.reply_type() => Reply::parse(request, &self.body),
            other => return Err(answers::other_type(request, other)),
        };
        let why = |error| answers::malformed(request, unreadable::why(request, &self.body, error));
        match parsed.map_err(why)? {
            Reply::Error(error) => Err(answers::refusal(request, error)),
            reply => Ok(reply),
        }
    }

    /// Whether it has the sequence number and the version of what was asked so.
    pub(super) fn answers(&self, asked: Header) -> bool {
        (self.header.seq, self.header.version) == (asked.seq, asked.version)
    }

    /// The frame as it came, for who judges it by itself.
    pub(super) fn into_parts(self) -> (Header, Vec<u8>) {
        (self.header, self.body)
    }
}

/// The station's side of one session.
pub(super) struct Session {
    port: Port,
    reader: FullFrameReader,
    /// Read from the port and not yet looked at.
    pending: Vec<u8>,
    number: u32,
    /// The session that a device answered in last.
    opened: Option<u32>,
    version: u8,
    seq: u16,
    /// When the last byte written so far will have left, at the line's speed.
    line_free: Instant,
    counts: Counts,
    heard: Heard,
    /// What was asked last.
    asked: Header,
    /// Who answered the last IDENTIFY, as far as that could be read.
    answered_by: Option<HardwareId>,
}

impl Session {
    pub(super) fn new(port: Port) -> Result<Self, LinkError> {
        Ok(Self {
            port,
            reader: FullFrameReader::new(),
            pending: Vec::with_capacity(READ_SIZE),
            number: random_number()?,
            opened: None,
            version: version::CURRENT,
            seq: 0,
            line_free: Instant::now(),
            counts: Counts::default(),
            heard: Heard::default(),
            asked: Header { version: 0, message_type: REPLY_BIT, seq: 0, session: 0 },
            answered_by: None,
        })
    }

    pub(super) fn port(&mut self) -> &mut Port {
        &mut self.port
    }

    pub(super) fn into_port(self) -> Port {
        self.port
    }

    pub(super) fn counts(&self) -> Counts {
        self.counts
    }

    /// Who answered the last IDENTIFY, whether or not the answer makes sense.
    pub(super) fn answered_by(&self) -> Option<&HardwareId> {
        self.answered_by.as_ref()
    }

    /// The next IDENTIFY opens another session, and drops what was staged in this one.
    pub(super) fn renew(&mut self) -> Result<(), LinkError> {
        let before = self.number;
        while self.number == before {
            self.number = random_number()?;
        }
        Ok(())
    }

    /// Takes the version that the device chose for this session; whether the session had
    /// been opened before.
    pub(super) fn adopt(&mut self, version: u8) -> bool {
        self.version = version;
        self.opened.replace(self.number) == Some(self.number)
    }

    /// Opens the port by the same path; `false` where it is not there, or not yet ours.
    pub(super) fn reopen(&mut self) -> Result<bool, LinkError> {
        // Half a frame from before has no other half.
        self.reader.wipe();
        self.pending.zeroize();
        self.port.is_back()
    }

    /// Waits without the port.
    pub(super) fn pause(&self, time: Duration) -> Result<(), LinkError> {
        self.port.pause(time)
    }

    pub(super) fn identify(&mut self, policy: &Policy) -> Result<IdentifyReply, LinkError> {
        let range = Identify { min: version::MIN, max: version::CURRENT };
        self.answered_by = None;
        let received = self.call(Request::Identify(range), policy)?;
        match received.reply(RequestType::Identify)? {
            Reply::Identify(reply) => {
                answers::check_version(reply.version)?;
                Ok(reply)
            }
            _ => Err(answers::wrong_type(RequestType::Identify)),
        }
    }

    /// Asks, and asks again with the same seq where no answer comes: the one place.
    pub(super) fn call(
        &mut self,
        request: Request<'_>,
        policy: &Policy,
    ) -> Result<Received, LinkError> {
        let kind = request.request_type();
        let header = self.next_header(kind);
        let mut frame = [0; MAX_FRAME];
        let length = codec::encode(header, &request, &mut frame)
            .map_err(|error| answers::malformed(kind, error.to_string()))?;
        let frame = &frame[..length];
        let (before, mut sent, mut counted) = (self.heard, 0, 0);
        let mut waited = Duration::ZERO;
        while counted < policy.sends {
            let start = Instant::now();
            let mut deadline = self.deadline_of(frame.len(), kind, policy.busy);
            if policy.is_deaf(start) {
                deadline = policy.every.map_or(deadline, |every| deadline.min(start + every));
            } else {
                counted += 1;
            }
            sent += 1;
            self.counts.resent += u64::from(sent > 1);
            if self.send_frame(header, frame, deadline)?
                && let Some(reply) = self.await_reply(header, kind, deadline)?
            {
                return Ok(reply);
            }
            waited = start.elapsed();
        }
        Err(self.silence(kind, before, sent, waited))
    }

    /// A header with the next seq; a resend keeps its header.
    pub(super) fn next_header(&mut self, kind: RequestType) -> Header {
        self.seq = self.seq.wrapping_add(1);
        let version = match kind {
            RequestType::Identify => version::IDENTIFY,
            _ => self.version,
        };
        Header { version, message_type: kind.to_wire(), seq: self.seq, session: self.number }
    }

    /// Sends one frame; `false` means that the line did not take it in time.
    ///
    /// Every frame to a device goes through here.
    pub(super) fn send_frame(
        &mut self,
        header: Header,
        frame: &[u8],
        until: Instant,
    ) -> Result<bool, LinkError> {
        let Header { message_type, seq, .. } = header;
        tracing::trace!(message_type, seq, length = frame.len(), "frame sent");
        self.counts.sent += 1;
        self.asked = header;
        cut::point(cut::Kind::Send, name_of(message_type));
        let sent = self.port.write_all(frame, until)?;
        cut::point(cut::Kind::Sent, name_of(message_type));
        Ok(sent)
    }

    /// The next sound frame, whatever it answers; none where `until` passes.
    ///
    /// Every frame from a device comes through here.
    pub(super) fn receive_frame(&mut self, until: Instant) -> Result<Option<Received>, LinkError> {
        cut::point(cut::Kind::Receive, name_of(self.asked.message_type));
        loop {
            if let Some(received) = self.take_pending() {
                let Header { message_type, seq, .. } = received.header;
                tracing::trace!(message_type, seq, length = received.body.len(), "frame received");
                cut::point(cut::Kind::Received, name_of(message_type));
                return Ok(Some(received));
            }
            // What was read is used up, so noise and floods without end are ended here too.
            if Instant::now() >= until {
                return Ok(None);
            }
            self.fill(until)?;
        }
    }

    /// The next reply under this session, to whichever request; none where `until` passes.
    pub(super) fn receive_reply(&mut self, until: Instant) -> Result<Option<Received>, LinkError> {
        while let Some(received) = self.receive_frame(until)? {
            if received.header.session == self.number {
                return Ok(Some(received));
            }
            self.drop_reply(&received);
        }
        Ok(None)
    }

    /// Counts a reply that nobody waits for.
    pub(super) fn drop_reply(&mut self, received: &Received) {
        let Header { message_type, seq, .. } = received.header;
        tracing::debug!(message_type, seq, "reply to nothing that was asked, dropped");
        self.counts.dropped += 1;
        self.heard.stray(self.asked, received.header);
    }

    /// When a frame sent now must be answered at the latest.
    pub(super) fn deadline_of(
        &mut self,
        bytes: usize,
        kind: RequestType,
        busy: Duration,
    ) -> Instant {
        let sent_by = self.sent_by(bytes);
        sent_by + self.reply_time(kind) + busy + MARGIN
    }

    /// When a frame written now will have left the line, behind those written before.
    pub(super) fn sent_by(&mut self, bytes: usize) -> Instant {
        self.line_free = self.line_free.max(Instant::now()) + self.line_time(bytes);
        self.line_free
    }

    /// How long the longest reply to a request takes, and the margin that every one has.
    pub(super) fn reply_allowance(&self, kind: RequestType, busy: Duration) -> Duration {
        self.reply_time(kind) + busy + MARGIN
    }

    /// What was heard so far, to tell later what came meanwhile.
    pub(super) fn heard(&self) -> Heard {
        self.heard
    }

    /// What an unanswered request ended in: silence, noise, or answers to something else.
    pub(super) fn silence(
        &self,
        kind: RequestType,
        before: Heard,
        sent: u32,
        waited: Duration,
    ) -> LinkError {
        let waited_ms = u64::try_from(waited.as_millis()).unwrap_or(u64::MAX);
        self.heard.verdict(before, self.asked, kind, sent, waited_ms)
    }

    /// Waits, discarding what comes, and fails at once where the line goes.
    pub(super) fn idle(&mut self, time: Duration) -> Result<(), LinkError> {
        let until = Instant::now() + time;
        while self.receive_frame(until)?.is_some() {}
        Ok(())
    }

    /// How long a request and its reply take on the line.
    pub(super) fn round_trip(&self, request_bytes: usize, kind: RequestType) -> Duration {
        self.line_time(request_bytes) + self.reply_time(kind)
    }

    fn await_reply(
        &mut self,
        asked: Header,
        kind: RequestType,
        until: Instant,
    ) -> Result<Option<Received>, LinkError> {
        while let Some(received) = self.receive_reply(until)? {
            if received.answers(asked) {
                if kind == RequestType::Identify {
                    self.answered_by = unreadable::hardware_id(&received.body);
                }
                // A refusal is an error here, so that no caller forgets it.
                received.reply(kind)?;
                return Ok(Some(received));
            }
            self.drop_reply(&received);
        }
        Ok(None)
    }

    fn take_pending(&mut self) -> Option<Received> {
        let mut input = self.pending.as_slice();
        let mut received = None;
        while let Some(frame) = self.reader.next_frame(&mut input) {
            // A line that echoes gives back what was sent, and that may be a key.
            let is_answer = frame.header.message_type & REPLY_BIT != 0;
            let length = frame.body.len();
            if is_answer {
                received = Some(Received { header: frame.header, body: frame.body.to_vec() });
            } else {
                self.heard.without_reply_bit(frame.header.message_type, length);
            }
            self.reader.wipe();
            self.counts.received += 1;
            self.counts.dropped += u64::from(!is_answer);
            self.heard.frame(codec::frame_length(length));
            if received.is_some() {
                break;
            }
        }
        let taken = self.pending.len() - input.len();
        self.pending.copy_within(taken.., 0);
        let left = self.pending.len() - taken;
        self.pending[left..].zeroize();
        self.pending.truncate(left);
        received
    }

    fn fill(&mut self, until: Instant) -> Result<(), LinkError> {
        self.pending.resize(READ_SIZE, 0);
        let outcome = self.port.read(&mut self.pending, until);
        let count = *outcome.as_ref().unwrap_or(&0);
        self.pending.truncate(count);
        self.counts.bytes += count as u64;
        self.heard.bytes += count as u64;
        outcome.map(|_| ())
    }

    fn line_time(&self, bytes: usize) -> Duration {
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        Duration::from_micros(timing::line_time_us(bytes, self.port.settings().baud))
    }

    fn reply_time(&self, kind: RequestType) -> Duration {
        self.line_time(codec::frame_length(longest_reply(kind)))
    }
}

/// The request of a type, or the one that a reply of that type answers.
fn name_of(message_type: u8) -> &'static str {
    match message_type {
        ERROR_TYPE => "error",
        other => RequestType::from_wire(other & !REPLY_BIT).map_or("unknown", RequestType::name),
    }
}

/// Bytes of the longest body that answers a request; an ERROR has six.
const fn longest_reply(kind: RequestType) -> usize {
    match kind {
        RequestType::Identify => IdentifyReply::MAX_SIZE,
        RequestType::Begin
        | RequestType::Chunk
        | RequestType::Restart
        | RequestType::Finish
        | RequestType::Abort
        | RequestType::Erase => 8,
        RequestType::Commit => 36,
        RequestType::Prove | RequestType::Keygen => SIGNATURE_LENGTH + 1,
        RequestType::Read | RequestType::Csr => 4 + ReadReply::MAX_DATA,
    }
}

pub(super) fn random_number() -> Result<u32, LinkError> {
    loop {
        let mut bytes = [0; 4];
        getrandom::fill(&mut bytes)
            .map_err(|error| LinkError::Random { why: error.to_string() })?;
        // 0 means that there was no session.
        if bytes != [0; 4] {
            return Ok(u32::from_le_bytes(bytes));
        }
    }
}
