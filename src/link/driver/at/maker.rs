//! What one maker's modems bring to the family: where they keep an identity's parts, how those
//! are written and looked at, and how the modem restarts.
//!
//! Each is a small description; what follows what, and what counts, stands in `mod.rs`.

use std::time::Instant;

use super::parts::{Measure, Part, Stored};
use super::session::{FLASH, Refusal, Reply, Session, Sign, refused};
use crate::domain::certificate::Proof;
use crate::domain::identity::SigningRequest;
use crate::domain::ids::{Fingerprint, HardwareId};
use crate::error::LinkError;

/// What a modem says of itself and does not change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct About {
    pub(super) hardware: HardwareId,
    pub(super) model: String,
    pub(super) firmware: String,
}

/// What a modem lets one read of the certificate that it keeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kept {
    /// Its text.
    Text(Vec<u8>),
    /// A mark that the station left beside it.
    Marked(Fingerprint),
    /// None that is whole.
    Nothing,
}

/// What came of a write.
pub(super) enum Written {
    /// The modem says OK, which alone means nothing.
    Said,
    /// It refused.
    Refused(Refusal),
    /// It said nothing in time.
    Silent,
}

/// A text, as it is lent.
pub(super) struct Text<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) measure: Measure,
    /// Memory to work in, locked where the text is a key.
    pub(super) scratch: &'a mut [u8],
}

/// One maker's modems.
pub(super) trait Maker: Send + Sync {
    /// What ends a command.
    fn line_end(&self) -> &'static str;

    /// Asks who it is.
    fn about(&self, line: &mut Session) -> Result<About, LinkError>;

    /// What the modem says of a part.
    fn look(&self, line: &mut Session, part: Part) -> Result<Stored, LinkError>;

    /// What it says of each part, in the order of [`Part::ALL`].
    fn stored(&self, line: &mut Session) -> Result<[Stored; 3], LinkError> {
        let [first, second, third] = Part::ALL;
        Ok([self.look(line, first)?, self.look(line, second)?, self.look(line, third)?])
    }

    /// What it will say of a part that it keeps rightly.
    fn promises(&self, part: Part, measure: Measure) -> Stored;

    /// The certificate that it keeps.
    fn certificate(&self, line: &mut Session) -> Result<Kept, LinkError>;

    /// Has it take writes.
    fn open(&self, _: &mut Session) -> Result<(), LinkError> {
        Ok(())
    }

    /// Writes a part to a place that is empty.
    fn write(
        &self,
        line: &mut Session,
        part: Part,
        text: &mut Text<'_>,
    ) -> Result<Written, LinkError>;

    /// Empties a part's place.
    fn delete(&self, line: &mut Session, part: Part) -> Result<(), LinkError>;

    /// Leaves a mark of the certificate, where the modem keeps nothing that tells it.
    fn mark(&self, _: &mut Session, _: &Fingerprint) -> Result<(), LinkError> {
        Ok(())
    }

    /// Has it restart. The answer may be lost with the port.
    fn restart(&self, line: &mut Session) -> Result<(), LinkError>;

    /// The strongest proof that it can give.
    fn best_proof(&self) -> Proof;

    /// Whether it makes keys.
    fn makes_keys(&self) -> bool {
        false
    }

    /// Has it make a key in an empty place.
    fn make_key(&self, _: &mut Session, _: &HardwareId) -> Result<SigningRequest, LinkError> {
        Err(LinkError::CannotRead { what: "a key that it made" })
    }
}

/// A hardware id from an IMEI: its fifteen digits behind a zero, two in a byte, so that it is
/// read as the label has it.
pub(super) fn hardware_of_imei(
    request: &'static str,
    digits: &str,
) -> Result<HardwareId, LinkError> {
    let malformed = || LinkError::Malformed { request, why: "no IMEI of 15 digits".to_owned() };
    if digits.len() != 15 || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return Err(malformed());
    }
    format!("0{digits}").parse().map_err(LinkError::HardwareId)
}

/// The IMEI among the lines of an answer.
pub(super) fn imei_in<'l>(lines: impl IntoIterator<Item = &'l String>) -> Option<&'l str> {
    let is_imei = |text: &&str| text.len() == 15 && text.bytes().all(|b| b.is_ascii_digit());
    let mut words = lines.into_iter().map(|line| {
        let text = line.rsplit(':').next().unwrap_or_default();
        text.trim().trim_matches('"')
    });
    words.find(is_imei)
}

/// A model or a version as it may be shown and recorded.
pub(super) fn plain(text: &str) -> String {
    let printable = |c: &char| c.is_ascii_graphic() || *c == ' ';
    let short: String = text.chars().filter(printable).take(64).collect();
    match short.trim() {
        "" => "unknown".to_owned(),
        text => text.to_owned(),
    }
}

/// What the usual commands say of a modem: `+CGMM`, `+CGMR`, `+CGSN`.
pub(super) fn usual_about(line: &mut Session) -> Result<About, LinkError> {
    let model = line.demand("AT+CGMM", "AT+CGMM")?;
    let firmware = line.demand("AT+CGMR", "AT+CGMR")?;
    let imei = line.demand("AT+CGSN", "AT+CGSN")?;
    let no_imei = || LinkError::Malformed { request: "AT+CGSN", why: "no IMEI in it".to_owned() };
    Ok(About {
        hardware: hardware_of_imei("AT+CGSN", imei_in(&imei.lines).ok_or_else(no_imei)?)?,
        model: plain(model.text().unwrap_or_default()),
        firmware: plain(revision_in(&firmware)),
    })
}

/// The revision in an answer to `+CGMR`, which makers introduce each in their own way.
fn revision_in(reply: &Reply) -> &str {
    let introduced = reply.behind("+CGMR:").next();
    let text = introduced.or_else(|| reply.text()).unwrap_or_default();
    text.trim_start_matches("Revision:")
}

/// Restarts by a command whose answer may be lost with the port, or come as the start itself.
pub(super) fn restart_by(
    line: &mut Session,
    request: &'static str,
    text: &str,
) -> Result<(), LinkError> {
    match line.tell(request, text, FLASH) {
        Ok(Some(Reply { refusal: Some(refusal), .. })) => Err(refused(request, &refusal)),
        Ok(_) | Err(LinkError::Unplugged { .. }) => Ok(()),
        Err(LinkError::Refused { .. }) if line.has_started => Ok(()),
        Err(error) => Err(error),
    }
}

/// Writes a text behind a prompt.
pub(super) fn write_behind_prompt(
    line: &mut Session,
    request: &'static str,
    command: &str,
    bytes: &[u8],
) -> Result<Written, LinkError> {
    let until = Instant::now() + FLASH;
    line.begin(request, command, until)?;
    line.end_command(request, until)?;
    match line.prompt(request, until)? {
        Sign::Refused(refusal) => return Ok(Written::Refused(refusal)),
        Sign::Silence => return Ok(Written::Silent),
        Sign::Prompt => {}
    }
    line.send(bytes, until)?;
    Ok(match line.answer(request, None, until)? {
        None => Written::Silent,
        Some(reply) => reply.refusal.map_or(Written::Said, Written::Refused),
    })
}

/// What is said of a key that does not read back as it was written.
pub(super) fn changed() -> Written {
    Written::Refused(Refusal { number: None, words: "it reads back changed".to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_imei_is_read_off_its_hardware_id() {
        let hardware = hardware_of_imei("AT+CGSN", "350457791735879").unwrap();
        assert_eq!(hardware.to_string(), "0350457791735879");
        for wrong in ["35045779173587", "35045779173587x", "3504577917358790"] {
            assert!(hardware_of_imei("AT+CGSN", wrong).is_err(), "{wrong}");
        }
        let lines = ["+CEREG: 2".to_owned(), "+CGSN: \"350457791735879\"".to_owned()];
        assert_eq!(imei_in(&lines), Some("350457791735879"));
    }

    #[test]
    fn what_is_shown_of_a_modem_is_short_and_printable() {
        assert_eq!(plain(" BG95-M3\u{1b}[31m "), "BG95-M3[31m");
        assert_eq!(plain("\u{7}"), "unknown");
        assert_eq!(plain(&"x".repeat(300)).len(), 64);
    }
}
