//! Requests to the loader in a chip's ROM and their answers.
//!
//! One request is under way at a time and is never sent again here: an answer that was lost may
//! be that of a block which was written, and the same block once more would be written behind
//! itself. Who asks begins anew instead. Payloads are logged nowhere; a key's block is made in
//! lent memory and leaves it through the port alone. `docs/decisions/0034-the-loader.md` says
//! why this is no crate.

use std::time::{Duration, Instant};

use super::slip::{Ear, FRAME, escape};
use crate::cut;
use crate::error::LinkError;
use crate::port::Port;

/// A request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Request {
    /// Its number.
    op: u8,
    /// Its name, for people.
    pub(super) name: &'static str,
}

const fn request(op: u8, name: &'static str) -> Request {
    Request { op, name }
}

const FLASH_BEGIN: Request = request(0x02, "FLASH_BEGIN");
const FLASH_DATA: Request = request(0x03, "FLASH_DATA");
const FLASH_END: Request = request(0x04, "FLASH_END");
const SYNC: Request = request(0x08, "SYNC");
const WRITE_REG: Request = request(0x09, "WRITE_REG");
const READ_REG: Request = request(0x0a, "READ_REG");
const SPI_SET_PARAMS: Request = request(0x0b, "SPI_SET_PARAMS");
const SPI_ATTACH: Request = request(0x0d, "SPI_ATTACH");
const READ_FLASH: Request = request(0x0e, "READ_FLASH");
const CHANGE_BAUDRATE: Request = request(0x0f, "CHANGE_BAUDRATE");
const FLASH_MD5: Request = request(0x13, "FLASH_MD5");
const SECURITY_INFO: Request = request(0x14, "GET_SECURITY_INFO");

/// How long one SYNC is waited for.
const SYNC_WAIT: Duration = Duration::from_millis(100);

/// How long an answer may take beyond the flash's work.
const PATIENCE: Duration = Duration::from_secs(1);

/// What a slow flash takes to erase a sector.
const ERASE_SECTOR: Duration = Duration::from_millis(400);

/// What the loader needs after it changed its rate.
const RATE_CHANGE: Duration = Duration::from_millis(20);

/// Bytes of a block. The ROM takes no longer one.
pub(super) const BLOCK: usize = 0x400;

/// What is erased together.
pub(super) const SECTOR: u32 = 0x1000;

/// Bytes that one read gives.
const READ: usize = 64;

/// Memory in which a part of a packet is escaped.
const PART: usize = 256;

/// What a request that is not known or not allowed is answered with.
const NOT_KNOWN: u8 = 0x05;

/// So often more it is said.
const NOT_KNOWN_AGAIN: usize = 7;

/// What a block is answered with that does not read as it was written.
const WRITE_FAILED: u32 = 0x08;

/// Bits a second and the bits of a byte.
const BITS: u32 = 10;

/// An answer that says that the request was carried out.
struct Answer {
    value: u32,
    data: Vec<u8>,
}

/// What GET_SECURITY_INFO says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct SecurityInfo {
    pub(super) secure_boot: bool,
    pub(super) secure_download: bool,
    pub(super) jtag_off: bool,
    pub(super) encrypted: bool,
    pub(super) chip: Option<u32>,
}

/// The line to a loader.
pub(super) struct Loader {
    port: Port,
    ear: Ear,
    rate: u32,
    /// How often it may still be said of an earlier request that it is not known. Answers keep
    /// their order, so the first one to a later request ends that.
    repeats: usize,
}

impl Loader {
    /// A loader that may be there. It measures the rate of the first SYNC, which is the one
    /// at which the port was opened; an application is expected to speak at it too.
    pub(super) fn new(port: Port) -> Self {
        let rate = port.settings().baud;
        Self { port, ear: Ear::default(), rate, repeats: 0 }
    }

    pub(super) fn port(&mut self) -> &mut Port {
        &mut self.port
    }

    /// Gives the port back, at the rate at which everything starts.
    pub(super) fn into_port(mut self) -> Result<Port, LinkError> {
        let first = self.port.settings().baud;
        self.set_rate(first)?;
        Ok(self.port)
    }

    /// The rate at which it is spoken to.
    pub(super) const fn rate(&self) -> u32 {
        self.rate
    }

    /// Speaks at another rate, whatever the loader does.
    pub(super) fn set_rate(&mut self, rate: u32) -> Result<(), LinkError> {
        if rate == self.rate {
            return Ok(());
        }
        if let Err(error) = self.port.set_baud(rate) {
            // A driver that does not take a rate makes one of its own choice.
            self.port.set_baud(self.rate)?;
            return Err(error);
        }
        self.rate = rate;
        Ok(())
    }

    /// Whether the loader answers, asked once. Its further seven answers are waited for.
    pub(super) fn sync(&mut self) -> Result<bool, LinkError> {
        let mut data = [0x55; 36];
        data[..4].copy_from_slice(&[0x07, 0x07, 0x12, 0x20]);
        self.discard()?;
        match self.ask(SYNC, &data, SYNC_WAIT) {
            Ok(_) => {
                // Those that follow lie in the line before the next answer, and are passed over.
                Ok(true)
            }
            Err(error) if error.is_unanswered() => Ok(false),
            Err(LinkError::Refused { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Reads what lies in the line.
    fn discard(&mut self) -> Result<(), LinkError> {
        let mut buffer = [0; 256];
        while self.port.read(&mut buffer, Instant::now())? > 0 {}
        self.ear.clear();
        Ok(())
    }

    /// Waits and reads what comes.
    pub(super) fn idle(&mut self, time: Duration) -> Result<(), LinkError> {
        let until = Instant::now() + time;
        let mut buffer = [0; 256];
        while self.port.read(&mut buffer, until)? > 0 {}
        Ok(())
    }

    /// What the chip says of its protections; none from one that does not know the request.
    pub(super) fn security_info(&mut self) -> Result<Option<SecurityInfo>, LinkError> {
        let data = match self.ask(SECURITY_INFO, &[], PATIENCE) {
            Ok(answer) => answer.data,
            Err(LinkError::Refused { .. }) => return Ok(None),
            Err(error) => return Err(error),
        };
        let Some((head, rest)) = data.split_first_chunk::<12>() else {
            return Err(malformed(SECURITY_INFO, "it is too short"));
        };
        let flags = word(head, 0);
        Ok(Some(SecurityInfo {
            secure_boot: flags & 1 != 0,
            secure_download: flags & 1 << 2 != 0,
            jtag_off: flags & 0b11 << 6 != 0,
            encrypted: head[4].count_ones() % 2 == 1,
            // Four bytes more are the status of an answer without it.
            chip: (rest.len() >= 8).then(|| word(rest, 0)),
        }))
    }

    pub(super) fn read_register(&mut self, at: u32) -> Result<u32, LinkError> {
        Ok(self.ask(READ_REG, &at.to_le_bytes(), PATIENCE)?.value)
    }

    pub(super) fn write_register(&mut self, at: u32, value: u32) -> Result<(), LinkError> {
        self.ask(WRITE_REG, &words(&[at, value, u32::MAX, 0]), PATIENCE).map(drop)
    }

    /// Makes the flash reachable, up to the size that the ROM can be told.
    pub(super) fn attach(&mut self) -> Result<(), LinkError> {
        const LARGEST: u32 = 16 * 1024 * 1024;
        self.ask(SPI_ATTACH, &words(&[0, 0]), PATIENCE)?;
        let sizes = [0, LARGEST, 0x10000, SECTOR, 0x100, 0xffff];
        self.ask(SPI_SET_PARAMS, &words(&sizes), PATIENCE).map(drop)
    }

    /// Has both sides speak at another rate.
    pub(super) fn change_rate(&mut self, rate: u32) -> Result<(), LinkError> {
        if rate == self.rate {
            return Ok(());
        }
        self.ask(CHANGE_BAUDRATE, &words(&[rate, 0]), PATIENCE)?;
        self.set_rate(rate)?;
        self.idle(RATE_CHANGE)?;
        self.ear.clear();
        Ok(())
    }

    /// Reads flash whose contents are no secret.
    pub(super) fn read(&mut self, at: u32, length: u32) -> Result<Vec<u8>, LinkError> {
        let mut bytes = Vec::with_capacity(length as usize);
        while bytes.len() < length as usize {
            let count = READ.min(length as usize - bytes.len()) as u32;
            let from = at + bytes.len() as u32;
            let answer = self.ask(READ_FLASH, &words(&[from, count]), PATIENCE)?;
            let part = answer.data.get(..count as usize);
            bytes.extend(part.ok_or_else(|| malformed(READ_FLASH, "it is too short"))?);
        }
        Ok(bytes)
    }

    /// The digest of a piece of flash, as the chip computes it.
    pub(super) fn digest(&mut self, at: u32, length: u32) -> Result<[u8; 16], LinkError> {
        let patience = PATIENCE + Duration::from_millis(u64::from(length / 100));
        let answer = self.ask(FLASH_MD5, &words(&[at, length, 0, 0]), patience)?;
        let text = answer.data.get(..32).and_then(|text| std::str::from_utf8(text).ok());
        let number = text.and_then(|text| u128::from_str_radix(text, 16).ok());
        number.map(u128::to_be_bytes).ok_or_else(|| malformed(FLASH_MD5, "it is no MD5"))
    }

    /// Erases whole sectors, and says how many blocks will follow.
    pub(super) fn begin(
        &mut self,
        at: u32,
        erase: u32,
        blocks: u32,
        fifth: bool,
    ) -> Result<(), LinkError> {
        let mut data = words(&[erase, blocks, BLOCK as u32, at]);
        if fifth {
            data.extend([0; 4]);
        }
        let patience = PATIENCE + ERASE_SECTOR * erase.div_ceil(SECTOR);
        self.ask(FLASH_BEGIN, &data, patience).map(drop)
    }

    /// Writes one block of these parts, one behind the other. `room` is memory in which a
    /// part may be escaped: a lender's, where one of them is a key.
    pub(super) fn block(
        &mut self,
        number: u32,
        parts: &[&[u8]],
        room: &mut [u8],
    ) -> Result<(), LinkError> {
        let length: usize = parts.iter().map(|part| part.len()).sum();
        let head = words(&[length as u32, number, 0, 0]);
        let check = parts.iter().flat_map(|part| part.iter()).fold(0xef, |sum, byte| sum ^ byte);
        let all: Vec<&[u8]> = std::iter::once(&head[..]).chain(parts.iter().copied()).collect();
        match self.ask_with(FLASH_DATA, &all, u32::from(check), room, PATIENCE) {
            Err(LinkError::Refused { detail: WRITE_FAILED, .. }) => Err(LinkError::NotStored {
                why: format!("the loader found other bits in block {number} than it wrote"),
            }),
            outcome => outcome.map(drop),
        }
    }

    /// Leaves the loader: the chip resets.
    pub(super) fn leave(&mut self, fifth: bool) -> Result<(), LinkError> {
        // One that was begun has to be ended, so an empty one is.
        self.begin(0, 0, 0, fifth)?;
        gone_is_fine(self.ask(FLASH_END, &words(&[0]), PATIENCE).map(drop))
    }

    fn ask(
        &mut self,
        request: Request,
        data: &[u8],
        patience: Duration,
    ) -> Result<Answer, LinkError> {
        self.ask_with(request, &[data], 0, &mut [0; 2 * PART], patience)
    }

    fn ask_with(
        &mut self,
        request: Request,
        parts: &[&[u8]],
        check: u32,
        room: &mut [u8],
        patience: Duration,
    ) -> Result<Answer, LinkError> {
        let length: usize = parts.iter().map(|part| part.len()).sum();
        let mut head = vec![0x00, request.op];
        head.extend(u16::try_from(length).unwrap_or(u16::MAX).to_le_bytes());
        head.extend(check.to_le_bytes());
        let line_time = self.line_time(2 * (length + 200));
        let until = Instant::now() + line_time + patience;
        tracing::trace!(request = request.name, length, "sent to the loader");
        cut::point(cut::Kind::Send, request.name);
        self.port.write_all(FRAME, until)?;
        for part in std::iter::once(&head[..]).chain(parts.iter().copied()) {
            for piece in part.chunks((room.len() / 2).clamp(1, PART)) {
                let escaped = escape(piece, room);
                let escaped = escaped.ok_or_else(|| malformed(request, "no room to send it"))?;
                self.port.write_all(escaped, until)?;
            }
        }
        self.port.write_all(FRAME, until)?;
        cut::point(cut::Kind::Sent, request.name);
        let answer = self.listen(request, until, line_time + patience);
        cut::point(cut::Kind::Received, request.name);
        answer
    }

    /// Waits for the request's answer; those of others come late and are passed over.
    fn listen(
        &mut self,
        request: Request,
        until: Instant,
        waited: Duration,
    ) -> Result<Answer, LinkError> {
        let (mut buffer, mut bytes) = ([0; 256], 0);
        loop {
            let count = self.port.read(&mut buffer, until)?;
            bytes += count as u64;
            for byte in &buffer[..count] {
                let Some(packet) = self.ear.take(*byte) else { continue };
                if is_not_known(&packet) && self.repeats > 0 {
                    self.repeats -= 1;
                    continue;
                }
                match read_answer(request, &packet) {
                    Some(Ok(answer)) if self.is_complete(request, &answer) => {
                        self.repeats = 0;
                        return Ok(answer);
                    }
                    Some(Err(error)) => {
                        self.repeats = if is_not_known(&packet) { NOT_KNOWN_AGAIN } else { 0 };
                        return Err(error);
                    }
                    _ => {}
                }
            }
            zeroize::Zeroize::zeroize(&mut buffer[..count]);
            if count == 0 || Instant::now() >= until {
                let waited_ms = u64::try_from(waited.as_millis()).unwrap_or(u64::MAX);
                return Err(match bytes {
                    0 => LinkError::Timeout { request: request.name, waited_ms, sent: 1 },
                    _ => LinkError::Noise { request: request.name, bytes },
                });
            }
        }
    }

    /// A late answer to an earlier request of the same number is told by its length, where
    /// that differs.
    fn is_complete(&self, request: Request, answer: &Answer) -> bool {
        match request {
            READ_FLASH => answer.data.len() >= READ,
            FLASH_MD5 => answer.data.len() >= 32,
            _ => true,
        }
    }

    fn line_time(&self, bytes: usize) -> Duration {
        let bits = u64::from(BITS) * bytes as u64;
        Duration::from_micros(bits * 1_000_000 / u64::from(self.rate.max(1)))
    }
}

/// The answer in a packet; none where it is another request's.
fn read_answer(request: Request, packet: &[u8]) -> Option<Result<Answer, LinkError>> {
    let (head, data) = packet.split_first_chunk::<8>()?;
    let length = usize::from(u16::from_le_bytes([head[2], head[3]]));
    if length != data.len() {
        return None;
    }
    // The ROM ends each answer with four bytes that say how it went.
    let (data, status) = data.split_last_chunk::<4>()?;
    let failed = status[0] != 0;
    if head[1] != request.op {
        return is_not_known(packet).then(|| Err(refused(request, NOT_KNOWN)));
    }
    if failed {
        return Some(Err(refused(request, status[1])));
    }
    Some(Ok(Answer { value: word(head, 4), data: data.to_vec() }))
}

/// Whether it says of some request that it is not known: under no request's own number.
fn is_not_known(packet: &[u8]) -> bool {
    packet.len() == 12 && packet[1] == 0 && packet[8] != 0 && packet[9] == NOT_KNOWN
}

fn refused(request: Request, error: u8) -> LinkError {
    let known = match error {
        0x01 => "a wrong parameter",
        NOT_KNOWN => "a request that is not known or not allowed",
        0x06 => "failure",
        0x07 => "a wrong check sum",
        0x08 => "a failed write",
        0x09 | 0x0a => "a failed read",
        _ => "an error",
    };
    let (request, error) = (request.name, (known, u32::from(error)));
    LinkError::Refused { request, error: error.0.to_owned(), detail: error.1 }
}

fn malformed(request: Request, why: &str) -> LinkError {
    LinkError::Malformed { request: request.name, why: why.to_owned() }
}

/// A chip that resets may take its port, or its answer, with it.
pub(super) fn gone_is_fine(outcome: Result<(), LinkError>) -> Result<(), LinkError> {
    match outcome {
        Err(LinkError::Unplugged { .. }) => Ok(()),
        Err(error) if error.is_unanswered() => Ok(()),
        outcome => outcome,
    }
}

fn word(bytes: &[u8], at: usize) -> u32 {
    let byte = |index: usize| bytes.get(at + index).copied().unwrap_or_default();
    u32::from_le_bytes([byte(0), byte(1), byte(2), byte(3)])
}

fn words(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(op: u8, data: &[u8], status: [u8; 4]) -> Vec<u8> {
        let length = u8::try_from(data.len() + 4).unwrap();
        [&[1, op, length, 0, 9, 0, 0, 0], data, &status].concat()
    }

    #[test]
    fn an_answer_is_its_requests_alone() {
        let answer = |op, status| read_answer(READ_REG, &packet(op, &[], status));
        assert_eq!(answer(0x0a, [0; 4]).unwrap().unwrap().value, 9);
        assert!(answer(0x08, [0; 4]).is_none());
        let refused = answer(0x0a, [1, 0x06, 0, 0]).unwrap().err().unwrap();
        assert!(matches!(refused, LinkError::Refused { detail: 6, .. }), "{refused}");
        // A request that is not known is answered under another number.
        assert!(matches!(answer(0, [1, 5, 0, 0]), Some(Err(LinkError::Refused { .. }))));
    }

    #[test]
    fn an_answer_of_another_length_than_it_says_is_none() {
        let whole = packet(0x0a, &[1, 2], [0; 4]);
        assert!(read_answer(READ_REG, &whole[..whole.len() - 1]).is_none());
        assert!(read_answer(READ_REG, &whole[..7]).is_none());
    }
}
