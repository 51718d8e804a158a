//! Quectel: three files in the user file system, `QFUPL` and `QFDWL`.
//!
//! All are read back whole whenever the modem is looked at. The key is compared once in the
//! locked memory from which it was written; later it passes through a small buffer that is wiped,
//! and leaves a check sum.

use std::time::Instant;

use sha2::{Digest, Sha256};

use super::maker::{About, Kept, Maker, Text, Written, changed, restart_by, usual_about};
use super::parts::{CHECK, Measure, Part, Stored};
use super::session::{FLASH, Session, Sign, refused, silent};
use crate::domain::certificate::Proof;
use crate::domain::ids::Fingerprint;
use crate::error::LinkError;

/// File not found.
const NOT_FOUND: u32 = 405;

/// The module says `A` after so many bytes where it is asked to.
const ACKNOWLEDGED: usize = 1024;

/// The longest file that is read back; the module's own limit for certificates is lower.
const LONGEST: u32 = 16 * 1024;

/// A Quectel module.
pub(super) struct Quectel;

/// A part's file; names of eight characters and three, as the manual advises.
const fn file(part: Part) -> &'static str {
    match part {
        Part::Roots => "ca.pem",
        Part::Certificate => "cert.pem",
        Part::Key => "key.pem",
    }
}

impl Maker for Quectel {
    fn line_end(&self) -> &'static str {
        "\r"
    }

    fn about(&self, line: &mut Session) -> Result<About, LinkError> {
        usual_about(line)
    }

    fn look(&self, line: &mut Session, part: Part) -> Result<Stored, LinkError> {
        Ok(match (length(line, part)?, part) {
            (None, _) => Stored::Missing,
            (Some(length), Part::Key) => {
                let mut sum = CHECK.digest();
                let is_whole = fetch(line, part, &mut |line, until| {
                    line.pass_on(length, until, &mut |bytes| sum.update(bytes))
                })?;
                match is_whole {
                    true => Stored::Checked { length, sum: sum.finalize() },
                    false => Stored::Present,
                }
            }
            (Some(length), _) => Stored::Hash(Sha256::digest(download(line, part, length)?).into()),
        })
    }

    fn promises(&self, part: Part, measure: Measure) -> Stored {
        match part {
            Part::Key => measure.checked(),
            Part::Roots | Part::Certificate => Stored::Hash(measure.hash),
        }
    }

    fn certificate(&self, line: &mut Session) -> Result<Kept, LinkError> {
        match length(line, Part::Certificate)? {
            Some(length) => download(line, Part::Certificate, length).map(Kept::Text),
            None => Ok(Kept::Nothing),
        }
    }

    fn write(
        &self,
        line: &mut Session,
        part: Part,
        text: &mut Text<'_>,
    ) -> Result<Written, LinkError> {
        let until = Instant::now() + FLASH;
        let (name, length) = (file(part), text.measure.length);
        line.begin("AT+QFUPL", &format!("AT+QFUPL=\"{name}\",{length},5,1"), until)?;
        line.end_command("AT+QFUPL", until)?;
        match line.connect("AT+QFUPL", until)? {
            Sign::Refused(refusal) => return Ok(Written::Refused(refusal)),
            Sign::Silence => return Ok(Written::Silent),
            Sign::Prompt => {}
        }
        let mut rest = text.bytes;
        while rest.len() > ACKNOWLEDGED {
            let (now, later) = rest.split_at(ACKNOWLEDGED);
            line.send(now, until)?;
            if !line.acknowledged(b'A', until)? {
                return Ok(Written::Silent);
            }
            rest = later;
        }
        line.send(rest, until)?;
        let Some(reply) = line.answer("AT+QFUPL", None, until)? else {
            return Ok(Written::Silent);
        };
        if let Some(refusal) = reply.refusal {
            return Ok(Written::Refused(refusal));
        }
        let said = reply.behind("+QFUPL:").next().unwrap_or_default();
        let is_whole = said.split_once(',').is_some_and(|(length, sum)| {
            length.trim().parse() == Ok(text.measure.length)
                && u16::from_str_radix(sum.trim(), 16) == Ok(checksum(text.bytes))
        });
        let is_whole = is_whole && (part != Part::Key || reads_back(line, part, text)?);
        Ok(if is_whole { Written::Said } else { changed() })
    }

    fn delete(&self, line: &mut Session, part: Part) -> Result<(), LinkError> {
        let command = format!("AT+QFDEL=\"{}\"", file(part));
        let reply = line.tell("AT+QFDEL", &command, FLASH)?;
        match reply.ok_or_else(|| silent("AT+QFDEL", FLASH, 1))?.refusal {
            // Whether it is gone is looked at where it counts.
            None => Ok(()),
            Some(_) if length(line, part)?.is_none() => Ok(()),
            Some(refusal) => Err(refused("AT+QFDEL", &refusal)),
        }
    }

    /// Has the first TLS context use the three files. The module may forget it, and its
    /// application says so again; one that can't has no TLS.
    fn mark(&self, line: &mut Session, _: &Fingerprint) -> Result<(), LinkError> {
        let uses = [("cacert", Part::Roots), ("clientcert", Part::Certificate)];
        for (what, part) in uses.into_iter().chain([("clientkey", Part::Key)]) {
            let command = format!("AT+QSSLCFG=\"{what}\",0,\"UFS:{}\"", file(part));
            line.demand("AT+QSSLCFG", &command)?;
        }
        Ok(())
    }

    fn restart(&self, line: &mut Session) -> Result<(), LinkError> {
        restart_by(line, "AT+CFUN=1,1", "AT+CFUN=1,1")
    }

    fn best_proof(&self) -> Proof {
        Proof::ReadBack
    }
}

/// A file's length; none where there is none.
fn length(line: &mut Session, part: Part) -> Result<Option<u32>, LinkError> {
    let reply = line.ask("AT+QFLST", &format!("AT+QFLST=\"{}\"", file(part)))?;
    if let Some(refusal) = &reply.refusal {
        let in_words = refusal.words.to_ascii_lowercase().contains("not found");
        return match refusal.number == Some(NOT_FOUND) || in_words {
            true => Ok(None),
            false => Err(refused("AT+QFLST", refusal)),
        };
    }
    let files = reply.behind("+QFLST:").filter_map(|text| text.split_once(','));
    let mut ours = files
        .filter(|(name, _)| name.trim().trim_matches('"').trim_start_matches("UFS:") == file(part));
    Ok(ours.next().and_then(|(_, length)| length.trim().parse().ok()))
}

/// A file that is no secret, whole.
fn download(line: &mut Session, part: Part, length: u32) -> Result<Vec<u8>, LinkError> {
    let malformed = |why: &str| LinkError::Malformed { request: "AT+QFDWL", why: why.to_owned() };
    if length > LONGEST {
        return Err(malformed("the file has more than 16384 bytes"));
    }
    let mut bytes = vec![0; length as usize];
    match fetch(line, part, &mut |line, until| line.fill(&mut bytes, until))? {
        true => Ok(bytes),
        false => Err(malformed("it ends early")),
    }
}

/// What is done with the bytes of a file; `false` where they do not all come.
type Take<'t> = &'t mut dyn FnMut(&mut Session, Instant) -> Result<bool, LinkError>;

/// Has a file's bytes come; `false` where they are not all there.
fn fetch(line: &mut Session, part: Part, take: Take<'_>) -> Result<bool, LinkError> {
    let until = Instant::now() + FLASH;
    line.begin("AT+QFDWL", &format!("AT+QFDWL=\"{}\"", file(part)), until)?;
    line.end_command("AT+QFDWL", until)?;
    match line.connect("AT+QFDWL", until)? {
        Sign::Prompt => {}
        Sign::Refused(refusal) => return Err(refused("AT+QFDWL", &refusal)),
        Sign::Silence => return Err(silent("AT+QFDWL", FLASH, 1)),
    }
    if !take(line, until)? {
        return Ok(false);
    }
    let reply = line.answer("AT+QFDWL", None, until)?;
    Ok(reply.is_some_and(|reply| reply.refusal.is_none()))
}

/// Whether a key's file has the bytes that were written, compared where those lie.
fn reads_back(line: &mut Session, part: Part, text: &mut Text<'_>) -> Result<bool, LinkError> {
    let Some(place) = text.scratch.get_mut(..text.bytes.len()) else { return Ok(false) };
    let is_same = length(line, part)? == Some(text.measure.length);
    let is_whole = is_same && fetch(line, part, &mut |line, until| line.fill(place, until))?;
    Ok(is_whole && place == text.bytes)
}

/// Bitwise XOR of words of two bytes, the last of an odd number in the upper half: "16 bit
/// checksum based on bitwise XOR" (BG96 FILE AT Commands Manual, 2.4).
fn checksum(bytes: &[u8]) -> u16 {
    let words = bytes
        .chunks(2)
        .map(|pair| u16::from_be_bytes([pair[0], pair.get(1).copied().unwrap_or_default()]));
    words.fold(0, |sum, word| sum ^ word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_that_of_the_manual() {
        assert_eq!(checksum(b"ABC"), 0x0242);
        assert_eq!(checksum(b""), 0);
    }
}
