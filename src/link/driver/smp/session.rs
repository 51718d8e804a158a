//! Questions and answers: one request under way at a time, sent again where it is not
//! answered.
//!
//! No message is longer than two lines. A server's serial driver often has two line buffers
//! and loses what comes faster than it takes it up, whatever length it advertises.

use std::time::{Duration, Instant};

use super::files::Source;
use super::line::{self, AROUND, BUFFER, Ear, LINE_DATA, MEMORY};
use super::message::{self, Command, FS, Item, Refusal, Reply};
use crate::driver::gone::Restarting;
use crate::error::LinkError;
use crate::port::Port;

/// How often a request is sent.
const SENDS: u32 = 3;

/// How long an answer may take: flash is written and erased in it.
const PATIENCE: Duration = Duration::from_secs(2);

/// How often a file is begun anew before it counts as one that can't be written.
const BEGINNINGS: u32 = 3;

/// The longest message that fits two lines.
const ROOM: usize = 2 * LINE_DATA - AROUND;

/// What a device says of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    /// There is none.
    Missing,
    /// Its length, in bytes.
    Length(u32),
}

/// The line to a device.
pub(super) struct Session {
    port: Port,
    ear: Ear,
    seq: u8,
    /// The longest message to send.
    room: usize,
    /// Whether it answered since the port was opened.
    is_met: bool,
}

impl Restarting for Session {
    fn ping(&mut self, within: Duration) -> Result<bool, LinkError> {
        self.ping(within)
    }

    fn has_started(&self) -> bool {
        false
    }

    fn reopen(&mut self) -> Result<bool, LinkError> {
        self.ear.clear();
        self.is_met = false;
        self.port.is_back()
    }

    fn port(&mut self) -> &mut Port {
        &mut self.port
    }
}

impl Session {
    pub(super) fn new(port: Port) -> Self {
        Self { port, ear: Ear::default(), seq: 0, room: ROOM, is_met: false }
    }

    pub(super) fn port(&mut self) -> &mut Port {
        &mut self.port
    }

    pub(super) fn into_port(self) -> Port {
        self.port
    }

    /// Waits and reads what comes, so that the system's buffer does not fill.
    pub(super) fn discard(&mut self, time: Duration) -> Result<(), LinkError> {
        let until = Instant::now() + time;
        let mut buffer = [0; 256];
        while self.port.read(&mut buffer, until)? > 0 {}
        self.ear.clear();
        Ok(())
    }

    pub(super) fn silent(&self, request: &'static str, waited: Duration, sent: u32) -> LinkError {
        let waited_ms = u64::try_from(waited.as_millis()).unwrap_or(u64::MAX);
        LinkError::Timeout { request, waited_ms, sent }
    }

    /// Whether somebody answers, asked once.
    pub(super) fn ping(&mut self, wait: Duration) -> Result<bool, LinkError> {
        let mut random = [0; 4];
        getrandom::fill(&mut random).map_err(|why| LinkError::Random { why: why.to_string() })?;
        let text = crate::domain::ids::to_hex(&random);
        let map = [("d", Item::Text(&text))];
        let until = Instant::now() + wait;
        self.seq = self.seq.wrapping_add(1);
        if !self.is_met {
            // Ends what may lie in its line: a beginning that is no marker hides what follows.
            self.port.write_all(b"\n", until)?;
        }
        send(&mut self.port, message::ECHO, self.seq, &map, until)?;
        let answer = self.listen(message::ECHO, self.seq, 1, until)?;
        let is_its = answer.is_some_and(|reply| reply.text("r") == Some(&text));
        self.is_met |= is_its;
        Ok(is_its)
    }

    /// Learns how long a message may be; a server that does not say so takes two lines.
    pub(super) fn learn_limits(&mut self) -> Result<(), LinkError> {
        let reply = self.ask(message::LIMITS, &[])?;
        if let Some(size) = reply.number("buf_size").and_then(|size| usize::try_from(size).ok()) {
            self.room = ROOM.min(size.saturating_sub(AROUND));
        }
        Ok(())
    }

    /// A part of what the operating system says of itself, where it says something.
    pub(super) fn os_info(&mut self, format: &str) -> Result<Option<String>, LinkError> {
        let reply = self.ask(message::INFO, &[("format", Item::Text(format))])?;
        let printable = |c: &char| c.is_ascii_graphic() || *c == ' ';
        Ok(reply.text("output").map(|text| text.chars().filter(printable).take(64).collect()))
    }

    /// Asks for a restart. The answer may be lost with the port.
    pub(super) fn reset(&mut self) -> Result<(), LinkError> {
        match self.ask(message::RESET, &[]) {
            Ok(reply) => accepted(message::RESET, &reply),
            Err(LinkError::Unplugged { .. } | LinkError::Timeout { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Whether a file is there, and how long it is.
    pub(super) fn status(&mut self, path: &str) -> Result<Answer, LinkError> {
        let reply = self.ask(message::STATUS, &[("name", Item::Text(path))])?;
        if is_missing(&reply) {
            return Ok(Answer::Missing);
        }
        accepted(message::STATUS, &reply)?;
        let length = reply.number("len").ok_or_else(|| malformed(message::STATUS, "no length"))?;
        Ok(Answer::Length(length))
    }

    /// SHA-256 of a file; none where there is none, or an empty one.
    pub(super) fn hash(&mut self, path: &str) -> Result<Option<[u8; 32]>, LinkError> {
        let map = [("name", Item::Text(path)), ("type", Item::Text("sha256"))];
        let reply = self.ask(message::HASH, &map)?;
        if is_missing(&reply) {
            return Ok(None);
        }
        accepted(message::HASH, &reply)?;
        let hash = reply.bytes("output").and_then(|bytes| bytes.try_into().ok());
        hash.map(Some).ok_or_else(|| malformed(message::HASH, "no SHA-256"))
    }

    /// A file that is no secret, whole.
    pub(super) fn download(&mut self, path: &str) -> Result<Option<Vec<u8>>, LinkError> {
        let mut file = Vec::new();
        let mut length = u32::MAX;
        while u32::try_from(file.len()).is_ok_and(|have| have < length) {
            let offset = u32::try_from(file.len()).unwrap_or(u32::MAX);
            match self.part_of_file(path, offset)? {
                None => return Ok(None),
                Some((part, _)) if part.is_empty() => break,
                Some((part, whole)) => {
                    if offset == 0 {
                        length = whole;
                    }
                    file.extend(part);
                }
            }
            if file.len() > usize::from(u16::MAX) {
                return Err(malformed(message::DOWNLOAD, "the file has no end"));
            }
        }
        Ok(Some(file))
    }

    /// A file's bytes from an offset on, as many as one answer has, and its length.
    fn part_of_file(
        &mut self,
        path: &str,
        offset: u32,
    ) -> Result<Option<(Vec<u8>, u32)>, LinkError> {
        let map = [("name", Item::Text(path)), ("off", Item::Number(offset))];
        let reply = self.ask(message::DOWNLOAD, &map)?;
        if is_missing(&reply) {
            return Ok(None);
        }
        accepted(message::DOWNLOAD, &reply)?;
        let data = reply.bytes("data").ok_or_else(|| malformed(message::DOWNLOAD, "no data"))?;
        Ok(Some((data.to_vec(), reply.number("len").unwrap_or(0))))
    }

    /// Writes a file from its beginning and closes it.
    ///
    /// A server that was closed in the middle and goes on never ends a file by itself, so
    /// whatever goes wrong, it begins anew.
    pub(super) fn upload(
        &mut self,
        path: &str,
        source: &Source<'_>,
        progress: &mut dyn FnMut(u32),
    ) -> Result<(), LinkError> {
        let total = source.length();
        let (mut at, mut beginnings) = (0, 1);
        while at < total {
            let reply = self.send_part(path, source, at, total)?;
            match (reply.refusal(), reply.number("off")) {
                (None, Some(next)) if next > at && next <= total => {
                    at = next;
                    progress(at);
                }
                (None | Some(Refusal { group: Some(FS), rc: 11 }), _)
                    if beginnings < BEGINNINGS =>
                {
                    beginnings += 1;
                    at = 0;
                }
                (Some(refusal), _) => return Err(not_stored(path, &message::in_words(refusal))),
                (None, _) => return Err(not_stored(path, "its answers make no progress")),
            }
        }
        let closed = self.ask(message::CLOSE, &[])?;
        match closed.refusal() {
            // Older servers close a file by themselves.
            None | Some(Refusal { group: None, rc: 8 }) => Ok(()),
            Some(refusal) => Err(not_stored(path, &message::in_words(refusal))),
        }
    }

    fn send_part(
        &mut self,
        path: &str,
        source: &Source<'_>,
        at: u32,
        total: u32,
    ) -> Result<Reply, LinkError> {
        let around = around(path, at, total).ok_or_else(|| not_stored(path, "its name is long"))?;
        let room = u32::try_from(self.room.saturating_sub(around)).unwrap_or(0);
        let end = total.min(at + room);
        if end == at {
            let why = format!("the device takes messages of {} bytes, too short", self.room);
            return Err(not_stored(path, &why));
        }
        self.ask_with(message::UPLOAD, &mut |port, seq, until| {
            source.lend(at..end, &mut |part, buffers| {
                let map = part_of(path, at, total, part);
                let map = if at == 0 { &map[..] } else { &map[..3] };
                send_from(port, message::UPLOAD, seq, map, until, buffers)
            })
        })
    }

    /// Asks until it is answered, [`SENDS`] times at most.
    pub(super) fn ask(
        &mut self,
        command: Command,
        map: &[(&str, Item<'_>)],
    ) -> Result<Reply, LinkError> {
        self.ask_with(command, &mut |port, seq, until| send(port, command, seq, map, until))
    }

    fn ask_with(
        &mut self,
        command: Command,
        send: &mut dyn FnMut(&mut Port, u8, Instant) -> Result<(), LinkError>,
    ) -> Result<Reply, LinkError> {
        for sent in 1..=SENDS {
            self.seq = self.seq.wrapping_add(1);
            let until = Instant::now() + PATIENCE;
            send(&mut self.port, self.seq, until)?;
            // An answer to an earlier one of these may come late.
            if let Some(reply) = self.listen(command, self.seq, sent, until)? {
                return Ok(reply);
            }
        }
        Err(self.silent(command.name, PATIENCE, SENDS))
    }

    /// Waits for the answer to one of the last `sent` requests.
    fn listen(
        &mut self,
        command: Command,
        seq: u8,
        sent: u32,
        until: Instant,
    ) -> Result<Option<Reply>, LinkError> {
        let mut buffer = [0; 256];
        loop {
            let count = self.port.read(&mut buffer, until)?;
            if count == 0 {
                return Ok(None);
            }
            let mut answer = None;
            for byte in &buffer[..count] {
                let Some(message) = self.ear.take(*byte) else { continue };
                let ours = (0..sent).map(|back| seq.wrapping_sub(back as u8));
                answer =
                    answer.or(ours.into_iter().find_map(|seq| Reply::read(&message, command, seq)));
            }
            if answer.is_some() {
                return Ok(answer);
            }
        }
    }
}

/// A part of an upload's map: its name first, and the total only in the first part.
fn part_of<'a>(path: &'a str, at: u32, total: u32, part: &'a [u8]) -> [(&'a str, Item<'a>); 4] {
    [
        ("name", Item::Text(path)),
        ("off", Item::Number(at)),
        ("data", Item::Bytes(part)),
        ("len", Item::Number(total)),
    ]
}

/// Bytes of an upload's message beside its data.
fn around(path: &str, at: u32, total: u32) -> Option<usize> {
    /// A byte string's head may grow by so much beyond that of none.
    const HEAD: usize = 2;
    let mut buffer = [0; BUFFER];
    message::write(message::UPLOAD, 0, &part_of(path, at, total, &[]), &mut buffer)
        .map(|length| length + HEAD)
}

fn send(
    port: &mut Port,
    command: Command,
    seq: u8,
    map: &[(&str, Item<'_>)],
    until: Instant,
) -> Result<(), LinkError> {
    send_from(port, command, seq, map, until, &mut [0; MEMORY])
}

/// Sends a request by way of the caller's memory.
fn send_from(
    port: &mut Port,
    command: Command,
    seq: u8,
    map: &[(&str, Item<'_>)],
    until: Instant,
    buffers: &mut [u8],
) -> Result<(), LinkError> {
    let unfit = || LinkError::Unfit { part: "a request", why: "it is too long".to_owned() };
    let (message, rest) = buffers.split_at_mut_checked(BUFFER).ok_or_else(unfit)?;
    let (packet, lines) = rest.split_at_mut_checked(BUFFER).ok_or_else(unfit)?;
    let length = message::write(command, seq, map, message).ok_or_else(unfit)?;
    let end = line::encode(&message[..length], packet, lines).ok_or_else(unfit)?;
    // What the line did not take in time is asked for again, like an answer that is lost.
    port.write_all(&lines[..end], until).map(drop)
}

fn is_missing(reply: &Reply) -> bool {
    matches!(reply.refusal(), Some(Refusal { group: Some(FS), rc: 3 | 16 }))
}

fn accepted(command: Command, reply: &Reply) -> Result<(), LinkError> {
    match reply.refusal() {
        None => Ok(()),
        Some(refusal) => Err(LinkError::Refused {
            request: command.name,
            error: message::in_words(refusal),
            detail: refusal.rc,
        }),
    }
}

fn malformed(command: Command, why: &str) -> LinkError {
    LinkError::Malformed { request: command.name, why: why.to_owned() }
}

fn not_stored(path: &str, why: &str) -> LinkError {
    LinkError::NotStored { why: format!("{path}: {why}") }
}
