//! Questions and answers in AT commands: lines, final results, prompts, raw bytes.
//!
//! One question is under way at a time. What a modem says unasked stands between the lines of an
//! answer and is left to those who know what they asked for. Nothing that is sent or comes is
//! ever logged or quoted: a request has a name, and that is what errors and traces show. What is
//! dropped unread may be a key that somebody else asked for, so it is wiped.

use std::time::{Duration, Instant};

use zeroize::Zeroizing;

use crate::cut;
use crate::driver::gone::Restarting;
use crate::error::LinkError;
use crate::port::Port;

/// How often a question is asked that changes nothing.
const ASKS: u32 = 3;

/// How long an answer may take that needs no flash.
pub(super) const SOON: Duration = Duration::from_secs(2);

/// How long an answer may take in which flash is written and erased.
pub(super) const FLASH: Duration = Duration::from_secs(10);

/// So long without a byte, and no answer to an earlier question comes any more.
const QUIET: Duration = Duration::from_millis(100);

/// The longest that is waited for such a silence.
const UNREST: Duration = Duration::from_secs(1);

/// The most bytes of one answer; certificates with their chain have a few thousand.
const LONGEST: usize = 32 * 1024;

/// What modems say when they have started, each at the beginning of a line: Nordic's Serial
/// Modem, Quectel, SIMCom, ESP-AT.
const STARTED: &[&str] = &["Ready", "RDY", "*ATREADY", "^SYSSTART", "ready"];

/// What a modem said in the place of OK.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    /// The number behind `+CME ERROR:`.
    pub(super) number: Option<u32>,
    /// The whole of it, printable and short.
    pub(super) words: String,
}

/// The answer to a command, without its final result.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Reply {
    pub(super) lines: Vec<String>,
    pub(super) refusal: Option<Refusal>,
}

impl Reply {
    /// What stands behind this prefix in each line that has it.
    pub(super) fn behind<'r>(&'r self, prefix: &'r str) -> impl Iterator<Item = &'r str> {
        self.lines.iter().filter_map(move |line| line.strip_prefix(prefix)).map(str::trim)
    }

    /// The first line that is an answer by itself: none of those that modems say unasked.
    pub(super) fn text(&self) -> Option<&str> {
        let is_plain = |line: &&String| line.starts_with(|c: char| c.is_ascii_alphanumeric());
        self.lines.iter().find(is_plain).map(String::as_str)
    }
}

/// What ends an answer.
enum Final {
    Ok,
    Refused(Refusal),
}

/// What comes next on the line.
pub(super) enum Sign {
    /// The modem waits for bytes.
    Prompt,
    /// It refused.
    Refused(Refusal),
    /// Nothing came in time.
    Silence,
}

/// What stands before a raw value.
pub(super) enum Head {
    /// Its fields, each with its comma.
    Fields(String),
    /// The modem has no such value, or refuses to say it.
    Nothing,
}

/// The line to a modem.
pub(super) struct Session {
    port: Port,
    /// What has come and was not looked at.
    ahead: Vec<u8>,
    /// Ends each command.
    end: &'static str,
    /// Whether it answered since the port was opened or it restarted.
    pub(super) is_met: bool,
    /// Whether it was heard to start since it was last asked to restart.
    pub(super) has_started: bool,
}

impl Restarting for Session {
    fn ping(&mut self, within: Duration) -> Result<bool, LinkError> {
        self.ping(within)
    }

    fn has_started(&self) -> bool {
        self.has_started
    }

    fn reopen(&mut self) -> Result<bool, LinkError> {
        self.ahead.clear();
        self.is_met = false;
        self.port.is_back()
    }

    fn port(&mut self) -> &mut Port {
        &mut self.port
    }
}

impl Session {
    pub(super) fn new(port: Port) -> Self {
        Self { port, ahead: Vec::new(), end: "\r\n", is_met: false, has_started: false }
    }

    pub(super) fn port(&mut self) -> &mut Port {
        &mut self.port
    }

    pub(super) fn into_port(self) -> Port {
        self.port
    }

    /// From here on commands end so.
    pub(super) fn end_with(&mut self, end: &'static str) {
        self.end = end;
    }

    /// Waits and reads what comes, so that the system's buffer does not fill.
    pub(super) fn discard(&mut self, time: Duration) -> Result<(), LinkError> {
        let until = Instant::now() + time;
        self.ahead.clear();
        let mut buffer = Zeroizing::new([0; 256]);
        while self.port.read(&mut buffer[..], until)? > 0 {}
        Ok(())
    }

    /// Drops what belongs to an earlier question.
    fn clear(&mut self) -> Result<(), LinkError> {
        self.ahead.clear();
        let (now, mut buffer) = (Instant::now(), Zeroizing::new([0; 256]));
        while self.port.read(&mut buffer[..], now)? > 0 {}
        Ok(())
    }

    /// Waits until nothing comes any more.
    pub(super) fn settle(&mut self) -> Result<(), LinkError> {
        let end = Instant::now() + UNREST;
        let mut buffer = Zeroizing::new([0; 256]);
        self.ahead.clear();
        while Instant::now() < end && self.port.read(&mut buffer[..], Instant::now() + QUIET)? > 0 {
        }
        Ok(())
    }

    /// Whether a modem says OK, asked once. Errors before it belong to what lay in its line.
    pub(super) fn ping(&mut self, wait: Duration) -> Result<bool, LinkError> {
        let until = Instant::now() + wait;
        self.clear()?;
        // Ends what may lie in its line; the first line end alone is answered by no modem.
        let greeting: &[u8] = if self.is_met { b"AT\r\n" } else { b"\r\nAT\r\n" };
        self.port.write_all(greeting, until)?;
        while let Some(line) = self.line(until)? {
            if line == "OK" {
                self.is_met = true;
                return Ok(true);
            }
            if is_start(&line) {
                // What was asked before it started is lost.
                (self.has_started, self.is_met) = (true, false);
                return Ok(false);
            }
        }
        Ok(false)
    }

    /// Asks something that changes nothing, again where no answer comes.
    pub(super) fn ask(&mut self, request: &'static str, text: &str) -> Result<Reply, LinkError> {
        for _ in 0..ASKS {
            if let Some(reply) = self.tell(request, text, SOON)? {
                return Ok(reply);
            }
            // An answer that comes late must not pass for one to the next question.
            self.settle()?;
        }
        Err(silent(request, SOON, ASKS))
    }

    /// The same; a refusal is an error.
    pub(super) fn demand(&mut self, request: &'static str, text: &str) -> Result<Reply, LinkError> {
        let reply = self.ask(request, text)?;
        match reply.refusal {
            None => Ok(reply),
            Some(refusal) => Err(refused(request, &refusal)),
        }
    }

    /// Sends a command once; none where no answer came in time.
    pub(super) fn tell(
        &mut self,
        request: &'static str,
        text: &str,
        patience: Duration,
    ) -> Result<Option<Reply>, LinkError> {
        let until = Instant::now() + patience;
        self.begin(request, text, until)?;
        self.end_command(request, until)?;
        self.answer(request, Some(text), until)
    }

    /// Sends the beginning of a command.
    pub(super) fn begin(
        &mut self,
        request: &'static str,
        text: &str,
        until: Instant,
    ) -> Result<(), LinkError> {
        cut::point(cut::Kind::Send, request);
        self.clear()?;
        self.send(text.as_bytes(), until)
    }

    /// Ends a command.
    pub(super) fn end_command(
        &mut self,
        request: &'static str,
        until: Instant,
    ) -> Result<(), LinkError> {
        self.send(self.end.as_bytes(), until)?;
        cut::point(cut::Kind::Sent, request);
        Ok(())
    }

    /// Sends bytes as they are. What the line did not take in time shows in the answer.
    pub(super) fn send(&mut self, bytes: &[u8], until: Instant) -> Result<(), LinkError> {
        self.port.write_all(bytes, until).map(drop)
    }

    /// Collects lines up to the final result; none where it did not come in time.
    pub(super) fn answer(
        &mut self,
        request: &'static str,
        echo: Option<&str>,
        until: Instant,
    ) -> Result<Option<Reply>, LinkError> {
        let (mut reply, mut length) = (Reply::default(), 0);
        while let Some(line) = self.line(until)? {
            if echo == Some(&*line) {
                continue;
            }
            self.refuse_start(request, &line)?;
            length += line.len();
            if length > LONGEST {
                let why = format!("it has more than {LONGEST} bytes");
                return Err(LinkError::Malformed { request, why });
            }
            match final_result(&line) {
                None => reply.lines.push(line),
                Some(Final::Ok) => return Ok(Some(traced(request, reply))),
                Some(Final::Refused(refusal)) => {
                    reply.refusal = Some(refusal);
                    return Ok(Some(traced(request, reply)));
                }
            }
        }
        tracing::debug!(request, "no answer");
        Ok(None)
    }

    /// Waits for a prompt, which no line end follows.
    pub(super) fn prompt(
        &mut self,
        request: &'static str,
        until: Instant,
    ) -> Result<Sign, LinkError> {
        loop {
            if let Some(at) = self.ahead.iter().position(|byte| *byte == b'>') {
                let is_alone = self.ahead[..at].iter().all(u8::is_ascii_whitespace);
                if is_alone {
                    self.ahead.drain(..=at);
                    return Ok(Sign::Prompt);
                }
            }
            match self.line_ahead() {
                Some(line) => {
                    self.refuse_start(request, &line)?;
                    if let Some(Final::Refused(refusal)) = final_result(&line) {
                        return Ok(Sign::Refused(refusal));
                    }
                }
                None if self.hear(until, READ)? => {}
                None => return Ok(Sign::Silence),
            }
        }
    }

    /// Waits for the line that a transfer of raw bytes begins with. Not one byte behind it is
    /// taken up yet.
    pub(super) fn connect(
        &mut self,
        request: &'static str,
        until: Instant,
    ) -> Result<Sign, LinkError> {
        loop {
            match self.line_ahead() {
                Some(line) if line.starts_with("CONNECT") => return Ok(Sign::Prompt),
                Some(line) => {
                    self.refuse_start(request, &line)?;
                    if let Some(Final::Refused(refusal)) = final_result(&line) {
                        return Ok(Sign::Refused(refusal));
                    }
                }
                None if self.hear(until, 1)? => {}
                None => return Ok(Sign::Silence),
            }
        }
    }

    /// Waits for what stands before a raw value: this prefix and so many fields, each ended by a
    /// comma. Not one byte behind it is taken up yet.
    pub(super) fn head(
        &mut self,
        request: &'static str,
        (prefix, fields): (&str, usize),
        until: Instant,
    ) -> Result<Head, LinkError> {
        loop {
            let blank = self.ahead.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
            self.ahead.drain(..blank);
            let commas = self.ahead.iter().filter(|byte| **byte == b',').count();
            if self.ahead.starts_with(prefix.as_bytes()) && commas == fields {
                let head = String::from_utf8_lossy(&self.ahead[prefix.len()..]).into_owned();
                self.ahead.clear();
                return Ok(Head::Fields(head));
            }
            match self.line_ahead() {
                Some(line) => {
                    self.refuse_start(request, &line)?;
                    if final_result(&line).is_some() {
                        return Ok(Head::Nothing);
                    }
                }
                None if self.hear(until, 1)? => {}
                None => return Err(silent(request, SOON, 1)),
            }
        }
    }

    /// Whether this byte comes next, whatever stands before it.
    pub(super) fn acknowledged(&mut self, byte: u8, until: Instant) -> Result<bool, LinkError> {
        loop {
            if let Some(at) = self.ahead.iter().position(|found| *found == byte) {
                self.ahead.drain(..=at);
                return Ok(true);
            }
            if !self.hear(until, READ)? {
                return Ok(false);
            }
        }
    }

    /// Reads raw bytes until a place in the caller's memory is full; `false` where they did not
    /// come in time.
    pub(super) fn fill(&mut self, into: &mut [u8], until: Instant) -> Result<bool, LinkError> {
        let at_hand = self.ahead.len().min(into.len());
        let (mut place, rest) = into.split_at_mut(at_hand);
        place.copy_from_slice(&self.ahead[..at_hand]);
        self.ahead.drain(..at_hand);
        place = rest;
        while !place.is_empty() {
            match self.port.read(place, until)? {
                0 => return Ok(false),
                count => place = place.get_mut(count..).unwrap_or_default(),
            }
        }
        Ok(true)
    }

    /// Hands raw bytes on as they come, by way of a small buffer that is wiped; `false` where
    /// they did not all come in time.
    pub(super) fn pass_on(
        &mut self,
        length: u32,
        until: Instant,
        take: &mut dyn FnMut(&[u8]),
    ) -> Result<bool, LinkError> {
        let (mut left, mut buffer) = (length as usize, Zeroizing::new([0; PASSED]));
        while left > 0 {
            let place = &mut buffer[..left.min(PASSED)];
            if !self.fill(place, until)? {
                return Ok(false);
            }
            take(place);
            left -= place.len();
        }
        Ok(true)
    }

    /// The next line that is not empty; none where it did not come in time.
    fn line(&mut self, until: Instant) -> Result<Option<String>, LinkError> {
        loop {
            if let Some(line) = self.line_ahead() {
                return Ok(Some(line));
            }
            if !self.hear(until, READ)? {
                return Ok(None);
            }
        }
    }

    /// The next line that is not empty, of what has come.
    fn line_ahead(&mut self) -> Option<String> {
        loop {
            let at = self.ahead.iter().position(|byte| *byte == b'\n')?;
            let line = String::from_utf8_lossy(&self.ahead[..at]).trim().to_owned();
            self.ahead.drain(..=at);
            if !line.is_empty() {
                return Some(line);
            }
        }
    }

    /// Takes up what comes, at most so many bytes; `false` where nothing came in time.
    fn hear(&mut self, until: Instant, most: usize) -> Result<bool, LinkError> {
        let mut buffer = [0; READ];
        let count = self.port.read(&mut buffer[..most.min(READ)], until)?;
        self.ahead.extend(&buffer[..count]);
        // A line without an end is nobody's answer.
        if self.ahead.len() > LONGEST {
            self.ahead.clear();
        }
        Ok(count > 0)
    }

    /// A modem that starts knows nothing of what it was asked.
    fn refuse_start(&mut self, request: &'static str, line: &str) -> Result<(), LinkError> {
        if !is_start(line) {
            return Ok(());
        }
        (self.has_started, self.is_met) = (true, false);
        tracing::debug!(request, "the modem started anew");
        let error = "a restart of its own".to_owned();
        Err(LinkError::Refused { request, error, detail: 0 })
    }
}

/// Bytes passed on at once: less than a key's text has.
const PASSED: usize = 48;

/// Bytes taken up at once.
const READ: usize = 512;

/// Whether a modem says so that it has started.
fn is_start(line: &str) -> bool {
    STARTED.iter().any(|word| line.starts_with(word))
}

fn traced(request: &'static str, reply: Reply) -> Reply {
    cut::point(cut::Kind::Received, request);
    let refusal = reply.refusal.as_ref().map(|refusal| refusal.words.as_str());
    tracing::debug!(request, lines = reply.lines.len(), refusal, "answered");
    reply
}

/// The final result that a line is: OK, or an error in any of its forms.
fn final_result(line: &str) -> Option<Final> {
    if line == "OK" || line == "SEND OK" {
        return Some(Final::Ok);
    }
    let is_error = line == "ERROR" || line == "FAIL" || line == "SEND FAIL";
    let coded = ["+CME ERROR:", "+CMS ERROR:"];
    let coded = coded.into_iter().find_map(|prefix| line.strip_prefix(prefix));
    let is_bare = line == "+CME ERROR";
    if !is_error && !is_bare && coded.is_none() {
        return None;
    }
    let number = coded.and_then(|text| text.trim().parse().ok());
    let words = line.chars().filter(|c| c.is_ascii_graphic() || *c == ' ').take(64).collect();
    Some(Final::Refused(Refusal { number, words }))
}

pub(super) fn silent(request: &'static str, waited: Duration, sent: u32) -> LinkError {
    let waited_ms = u64::try_from(waited.as_millis()).unwrap_or(u64::MAX);
    LinkError::Timeout { request, waited_ms, sent }
}

pub(super) fn refused(request: &'static str, refusal: &Refusal) -> LinkError {
    let detail = refusal.number.unwrap_or_default();
    LinkError::Refused { request, error: refusal.words.clone(), detail }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(line: &str) -> Option<Refusal> {
        match final_result(line) {
            Some(Final::Refused(refusal)) => Some(refusal),
            Some(Final::Ok) | None => None,
        }
    }

    #[test]
    fn an_error_is_known_in_words_in_numbers_and_without_either() {
        assert_eq!(refusal("+CME ERROR: 513").unwrap().number, Some(513));
        let in_words = refusal("+CME ERROR: not found").unwrap();
        assert_eq!((in_words.number, &*in_words.words), (None, "+CME ERROR: not found"));
        assert_eq!(refusal("ERROR").unwrap().words, "ERROR");
        assert!(refusal("+CME ERROR").is_some());
        assert_eq!(refusal("ERROR CODE:0x01010101"), None);
        assert!(matches!(final_result("OK"), Some(Final::Ok)));
    }

    #[test]
    fn what_a_modem_says_unasked_is_no_answer() {
        let lines = ["+CEREG: 2", "%XSIM: 1", "nRF9151-LACA"].map(str::to_owned).to_vec();
        let reply = Reply { lines, refusal: None };
        assert_eq!(reply.text(), Some("nRF9151-LACA"));
        assert_eq!(reply.behind("%XSIM:").collect::<Vec<_>>(), ["1"]);
    }
}
