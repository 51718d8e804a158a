//! Requests of any kind and what comes back, each with the time that it took.
//!
//! A reply belongs to a request by its seq alone, so that what else it carries can be
//! judged. Whatever comes without having been asked for is kept: the run looks at it at
//! its end. The port, the frame reader and the arithmetic of deadlines are the session's.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use firmware_interface::codec::{self, Header};
use firmware_interface::ids::RequestType;
use firmware_interface::timing;

use super::frame::frame;
use super::verdict::{Checked, Wrong};
use crate::domain::say::Say;
use crate::driver::framed::session::Session;
use crate::error::LinkError;
use crate::say;

/// How much longer than its deadline an answer is awaited, so that a late one is told from
/// none and disturbs nothing that follows.
const GRACE: Duration = Duration::from_millis(1500);

/// How long a device that restarts may take beyond what it declared, before it counts as
/// gone; whether it was late is judged elsewhere.
const BOOT_GRACE: Duration = Duration::from_secs(5);

/// How long the system takes to bring a USB device back.
const ENUMERATION: Duration = Duration::from_secs(3);

/// How often a port that vanished is looked for.
const LOOK: Duration = Duration::from_millis(20);

/// A reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) header: Header,
    pub(super) body: Vec<u8>,
    /// From the first byte of the request to the last one of the answer.
    pub(super) took: Duration,
    /// What it may take at most.
    pub(super) may_take: Duration,
}

/// The line as a conformance run uses it.
pub(super) struct Wire {
    session: Session,
    seq: u16,
    /// Of requests that were sent more than once: their answers may come again.
    repeated: BTreeSet<u16>,
    /// What came though nothing asked for it, in words.
    strays: Vec<Say>,
    /// To which type the answer had the most other bytes before its end, and how many.
    noisiest: Option<(u8, u64)>,
}

impl Wire {
    /// A device that was asked more than once who it is, since it was still starting, may answer
    /// each time: those answers pass first.
    pub(super) fn new(mut session: Session) -> Result<Self, LinkError> {
        for _ in 0..session.counts().resent {
            if session.receive_frame(Instant::now() + GRACE)?.is_none() {
                break;
            }
        }
        let (repeated, strays) = (BTreeSet::new(), Vec::new());
        Ok(Self { session, seq: 0, repeated, strays, noisiest: None })
    }

    /// The request whose answer had the most other bytes around it, how many, and how many
    /// cross the line in the time that an answer may be late.
    pub(super) fn noisiest(&mut self) -> Option<(String, u64, u64)> {
        let (message_type, bytes) = self.noisiest?;
        let baud = u64::from(self.session.port().settings().baud);
        let room = baud * u64::from(timing::REPLY_MARGIN_MS) / 10_000;
        let request = RequestType::from_wire(message_type)
            .map_or_else(|| format!("type {message_type:#04x}"), |kind| kind.to_string());
        Some((request, bytes, room))
    }

    fn note_noise(&mut self, message_type: u8, body: &[u8], came: u64) {
        let whole = codec::frame_length(body.len()) as u64;
        let noise = came.saturating_sub(whole);
        if self.noisiest.is_none_or(|(_, most)| noise > most) {
            self.noisiest = Some((message_type, noise));
        }
    }

    /// The seq of the next request.
    pub(super) fn next_seq(&mut self) -> u16 {
        self.seq = self.seq.wrapping_add(1);
        self.seq
    }

    /// Goes on from there.
    pub(super) fn set_seq(&mut self, seq: u16) {
        self.seq = seq;
    }

    /// The first frame that came though nothing asked for it.
    pub(super) fn stray(&self) -> Option<&Say> {
        self.strays.first()
    }

    /// Asks, with resends, and waits beyond the deadline; the answer must carry what the
    /// request carried.
    pub(super) fn ask(
        &mut self,
        header: Header,
        body: &[u8],
        busy: Duration,
        sends: u32,
    ) -> Checked<Answer> {
        let bytes = frame(header, body);
        for count in 0..sends {
            if count > 0 {
                self.repeated.insert(header.seq);
            }
            if let Some(answer) = self.send_once(header, &bytes, busy)? {
                check_header(header, answer.header)?;
                return Ok(answer);
            }
        }
        self.repeated.insert(header.seq);
        Err(Wrong::silence(header.message_type, sends))
    }

    fn send_once(
        &mut self,
        header: Header,
        bytes: &[u8],
        busy: Duration,
    ) -> Checked<Option<Answer>> {
        let start = Instant::now();
        let due = start + self.may_take(bytes.len(), timed_as(header.message_type), busy);
        if !self.session.send_frame(header, bytes, due + GRACE)? {
            return Ok(None);
        }
        let before = self.session.counts().bytes;
        let answer = self.await_answer(header.seq, start, due, due + GRACE)?;
        if let Some(answer) = &answer {
            let came = self.session.counts().bytes - before;
            self.note_noise(header.message_type, &answer.body, came);
        }
        Ok(answer)
    }

    fn await_answer(
        &mut self,
        seq: u16,
        start: Instant,
        due: Instant,
        until: Instant,
    ) -> Checked<Option<Answer>> {
        while let Some(received) = self.session.receive_frame(until)? {
            let (header, body) = received.into_parts();
            if header.seq == seq {
                let (took, may_take) = (start.elapsed(), due - start);
                return Ok(Some(Answer { header, body, took, may_take }));
            }
            self.note_stray(header);
        }
        Ok(None)
    }

    fn note_stray(&mut self, header: Header) {
        if !self.repeated.contains(&header.seq) {
            let Header { message_type, seq, .. } = header;
            self.strays.push(say!(
                "a frame of type {message_type:#04x} with seq {seq}",
                "类型 {message_type:#04x}、序号 {seq} 的帧"
            ));
        }
    }

    /// Puts bytes on the line, and a request behind them that is known to be answered:
    /// since a device keeps the order, what it says to the bytes comes before that answer.
    pub(super) fn probe(
        &mut self,
        bytes: &[u8],
        known: Header,
        body: &[u8],
    ) -> Checked<Vec<(Header, Vec<u8>)>> {
        let known_bytes = frame(known, body);
        let all = [bytes, &known_bytes].concat();
        let mut heard = Vec::new();
        for count in 0..=timing::RESENDS {
            let sent: &[u8] = if count == 0 { &all } else { &known_bytes };
            if self.collect(sent, known, &mut heard)? {
                return Ok(heard);
            }
            self.repeated.insert(known.seq);
        }
        Err(Wrong::Silent(say!("it answers nothing any more", "它不再应答")))
    }

    fn collect(
        &mut self,
        bytes: &[u8],
        known: Header,
        heard: &mut Vec<(Header, Vec<u8>)>,
    ) -> Checked<bool> {
        let kind = timed_as(known.message_type);
        let until = Instant::now() + self.may_take(bytes.len(), kind, Duration::ZERO) + GRACE;
        if !self.session.send_frame(known, bytes, until)? {
            return Ok(false);
        }
        while let Some(received) = self.session.receive_frame(until)? {
            let (header, body) = received.into_parts();
            if header.seq == known.seq {
                return Ok(true);
            }
            heard.push((header, body));
        }
        Ok(false)
    }

    /// Sends bytes and waits a little, so that they arrive apart from what follows.
    pub(super) fn put(&mut self, bytes: &[u8], pause: Duration) -> Checked {
        let until = Instant::now() + GRACE + self.line_time(bytes.len());
        self.session.port().write_all(bytes, until)?;
        self.session.pause(pause)?;
        Ok(())
    }

    /// Sends frames in one burst and gives their answers in the order of their arrival.
    pub(super) fn burst(
        &mut self,
        frames: &[(Header, Vec<u8>)],
        busy: Duration,
    ) -> Checked<Vec<(Header, Vec<u8>)>> {
        let bytes: Vec<u8> =
            frames.iter().flat_map(|(header, body)| frame(*header, body)).collect();
        let Some((first, _)) = frames.first() else { return Ok(Vec::new()) };
        let kind = timed_as(first.message_type);
        let count = u32::try_from(frames.len()).unwrap_or(u32::MAX);
        let until = Instant::now() + self.may_take(bytes.len(), kind, busy * count) + GRACE;
        self.session.send_frame(*first, &bytes, until)?;
        let mut heard = Vec::new();
        while heard.len() < frames.len()
            && let Some(received) = self.session.receive_frame(until)?
        {
            heard.push(received.into_parts());
        }
        Ok(heard)
    }

    /// Asks a device that restarts until it answers; also how long that took.
    pub(super) fn ask_until_booted(
        &mut self,
        header: Header,
        body: &[u8],
        boot: Duration,
    ) -> Checked<Answer> {
        let bytes = frame(header, body);
        self.repeated.insert(header.seq);
        let start = Instant::now();
        let due =
            start + boot + self.session.reply_allowance(RequestType::Identify, Duration::ZERO);
        let last = due + BOOT_GRACE;
        while Instant::now() < last {
            match self.ask_booting(header, &bytes, start, due) {
                Ok(Some(answer)) => return Ok(answer),
                Ok(None) => {}
                Err(Wrong::Link(LinkError::Unplugged { .. })) => self.reopen(last + ENUMERATION)?,
                Err(wrong) => return Err(wrong),
            }
        }
        let waited = (last - start).as_millis();
        Err(Wrong::Silent(say!(
            "no answer to IDENTIFY within {waited} ms of the restart",
            "重启后 {waited} ms 内 IDENTIFY 没有应答"
        )))
    }

    fn ask_booting(
        &mut self,
        header: Header,
        bytes: &[u8],
        start: Instant,
        due: Instant,
    ) -> Checked<Option<Answer>> {
        let kind = RequestType::Identify;
        let shortest = Duration::from_millis(timing::IDENTIFY_INTERVAL_MS.into());
        let next = Instant::now() + shortest.max(self.session.round_trip(bytes.len(), kind));
        if !self.session.send_frame(header, bytes, next)? {
            return Ok(None);
        }
        self.await_answer(header.seq, start, due, next)
    }

    /// Opens a port that vanished, as soon as it is there again.
    pub(super) fn reopen(&mut self, until: Instant) -> Checked {
        while !self.session.reopen()? {
            if Instant::now() >= until {
                return Err(Wrong::device(("its port did not come back", "它的端口没有回来")));
            }
            self.session.pause(LOOK)?;
        }
        Ok(())
    }

    /// Waits; what comes meanwhile answers nothing.
    pub(super) fn idle(&mut self, time: Duration) -> Checked {
        let until = Instant::now() + time;
        while let Some(received) = self.session.receive_frame(until)? {
            let (header, _) = received.into_parts();
            self.note_stray(header);
        }
        Ok(())
    }

    /// The deadline of section 7, for a line that is free: every answer was awaited.
    fn may_take(&self, bytes: usize, kind: RequestType, busy: Duration) -> Duration {
        let margin = Duration::from_millis(timing::REPLY_MARGIN_MS.into());
        self.session.round_trip(bytes, kind) + busy + margin
    }

    fn line_time(&self, bytes: usize) -> Duration {
        self.session.round_trip(bytes, RequestType::Abort)
    }
}

/// An unknown type may be answered as long as the longest of all.
fn timed_as(message_type: u8) -> RequestType {
    RequestType::from_wire(message_type).unwrap_or(RequestType::Read)
}

fn check_header(asked: Header, answered: Header) -> Checked {
    let expected = (asked.version, asked.session);
    if (answered.version, answered.session) == expected {
        return Ok(());
    }
    Err(Wrong::device(say!(
        "the answer to type {:#04x} carries version {} and session {:#010x}, not {} and {:#010x}",
        "类型 {:#04x} 的应答带有版本 {} 和会话 {:#010x}，而不是 {} 和 {:#010x}",
        asked.message_type,
        answered.version,
        answered.session,
        asked.version,
        asked.session
    )))
}

#[cfg(test)]
mod tests {
    use firmware_interface::version;

    use super::*;
    use crate::driver::framed::session::Policy;
    use crate::driver::framed::test_device::{Bench, Fate};
    use crate::port::Port;
    use crate::settings::PortSettings;
    use crate::stop::Stop;

    #[test]
    fn a_late_answer_to_who_it_is_answers_nothing_else() {
        let mut replies = 0;
        let bench = Bench::scripted(move |crossing| {
            replies += u32::from(!crossing.is_request());
            match (crossing.is_request(), replies) {
                (false, 1) => Fate::Lose,
                (false, 2) => Fate::Double,
                _ => Fate::Pass,
            }
        });
        let settings = PortSettings::new(bench.path(), 921_600);
        let mut session = Session::new(Port::open(settings, Stop::new()).unwrap()).unwrap();
        session.identify(&Policy::default()).unwrap();
        let mut wire = Wire::new(session).unwrap();
        let seq = wire.next_seq();
        let message_type = RequestType::Identify.to_wire();
        let header = Header { version: version::IDENTIFY, message_type, seq, session: 7 };
        let answer = wire.ask(header, &[version::MIN, version::CURRENT], Duration::ZERO, 1);
        assert_eq!(answer.unwrap().header.session, 7);
        assert_eq!(wire.stray(), None);
    }
}
