//! A simulated nRF91 with Nordic's Serial Modem application before it.
//!
//! Each answer is that of Nordic's "nRF91x1 AT Commands Reference Guide" (chapters "Credential
//! storage management %CMNG", "Generate keys %KEYGEN", "Functional mode +CFUN"); `#XRESET` and
//! `Ready` are of the Serial Modem's own page. It is right where Nordic's tools can't tell it
//! from a modem: `tests/modems`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use super::brand::{Answer, Brand, Errors, Manner, Then, command_of, parameters};
use super::chip::{Change, Chip};
use super::fault::Fault;
use super::key;
use crate::domain::modem::{HIGHEST_TAG, USUAL_TAG};
use crate::error::SimError;

/// What every modem of this firmware lists besides: keys of its maker.
const OF_THE_MAKER: [&str; 2] = ["4294967293,10", "4294967294,6"];

/// An nRF91's memory that a restart clears.
pub(super) struct Nrf91 {
    errors: Errors,
    mode: u8,
}

impl Nrf91 {
    pub(super) const fn new() -> Self {
        Self { errors: Errors::Plain, mode: ACTIVE }
    }

    /// `+CFUN` 1, 2 and 21 are active: "The write and delete operations are allowed only when
    /// the modem is not activated".
    const fn is_active(&self) -> bool {
        matches!(self.mode, 1 | 2 | 21)
    }

    fn error(&self, chip: &Chip, number: u32) -> Answer {
        let words = match number {
            513 => "not found",
            514 => "no access",
            515 => "memory full",
            518 => "not allowed in active state",
            519 => "already exists",
            523 => "key generation failed",
            527 => "invalid content",
            _ => "unknown",
        };
        self.errors.answer(chip, number, words)
    }

    fn changed(&self, chip: &Chip, change: Change) -> Answer {
        match change {
            Change::Done => Answer::ok(),
            Change::Unsaid => Answer::nothing(),
            Change::Refused => self.error(chip, 514),
            Change::Full => self.error(chip, 515),
            Change::PowerLost => Answer::dark(),
        }
    }

    fn functional_mode(&mut self, chip: &Chip, text: &str) -> Answer {
        match text.parse() {
            Ok(4) if chip.has(&Fault::Busy) => Answer::error(),
            Ok(mode @ (0..=2 | 4 | 20 | 21 | 30 | 31 | 40 | 41 | 44)) => {
                self.mode = mode;
                Answer::ok()
            }
            _ => Answer::error(),
        }
    }

    fn credentials(&self, chip: &mut Chip, text: &str) -> Result<Answer, SimError> {
        let given = parameters(text);
        let number = |place: usize| given.get(place).and_then(|field| field.parse::<u32>().ok());
        let place = || Some((number(1).filter(|tag| *tag <= HIGHEST_TAG)?, number(2)?));
        match (given[0], place(), given.len()) {
            ("0", Some((tag, kind)), 4) => self.write(chip, tag, kind, given[3]),
            ("1", _, 1) => Ok(list(chip, None, None)),
            ("1", _, 2) if number(1).is_some() => Ok(list(chip, number(1), None)),
            ("1", Some(_), 3) => Ok(list(chip, number(1), number(2))),
            ("2", Some((tag, kind)), 3) => Ok(self.read(chip, tag, kind)),
            ("3", Some((tag, kind)), 3) => self.delete(chip, tag, kind),
            _ => Ok(Answer::error()),
        }
    }

    fn write(
        &self,
        chip: &mut Chip,
        tag: u32,
        kind: u32,
        content: &str,
    ) -> Result<Answer, SimError> {
        if self.is_active() {
            return Ok(self.error(chip, 518));
        }
        // "An empty string is not allowed."
        if kind > 4 || content.is_empty() {
            return Ok(Answer::error());
        }
        if chip.get(&name(tag, kind)).is_some() {
            return Ok(self.error(chip, 519));
        }
        // "527 – Invalid content": certificates are parsed, keys are not.
        if kind < 2 && !is_certificates(content) {
            return Ok(self.error(chip, 527));
        }
        let change = chip.put(&name(tag, kind), content.as_bytes())?;
        Ok(self.changed(chip, change))
    }

    fn read(&self, chip: &Chip, tag: u32, kind: u32) -> Answer {
        let Some(content) = chip.get(&name(tag, kind)) else { return self.error(chip, 513) };
        // A key never leaves; what is public does: "exactly what is written".
        if matches!(kind, 2 | 3) {
            return self.error(chip, 514);
        }
        let (digest, text) = (hash(content), String::from_utf8_lossy(content));
        Answer::told(format!("%CMNG: {tag},{kind},\"{digest}\",\"{text}\""))
    }

    fn delete(&self, chip: &mut Chip, tag: u32, kind: u32) -> Result<Answer, SimError> {
        if self.is_active() {
            return Ok(self.error(chip, 518));
        }
        Ok(match chip.remove(&name(tag, kind))? {
            None => self.error(chip, 513),
            Some(change) => self.changed(chip, change),
        })
    }

    /// `%KEYGEN=<sec_tag>,2,0[,"<attributes>"]`: a client key, and a request for it.
    fn make_key(&self, chip: &mut Chip, text: &str) -> Result<Answer, SimError> {
        let given = parameters(text);
        let tag = given[0].parse::<u32>().ok().filter(|tag| *tag <= HIGHEST_TAG);
        let (Some(tag), Some(&"2"), Some(&"0")) = (tag, given.get(1), given.get(2)) else {
            return Ok(Answer::error());
        };
        if self.is_active() {
            return Ok(self.error(chip, 518));
        }
        if chip.get(&name(tag, 2)).is_some() {
            return Ok(self.error(chip, 519));
        }
        let imei = chip.imei().to_owned();
        let own = key::uuid_text(&key::uuid_of(&imei));
        let wanted = given.get(3).and_then(|attributes| attributes.strip_prefix("CN="));
        let Some(made) = key::fresh() else { return Ok(self.error(chip, 523)) };
        let change = chip.put(&name(tag, 2), key::to_pem(&made).as_bytes())?;
        let said = key::announced(&made, wanted.unwrap_or(&own), &imei, tag);
        Ok(match change {
            Change::Done => Answer::told(format!("%KEYGEN: \"{said}\"")),
            other => self.changed(chip, other),
        })
    }
}

/// It starts as an application does that connects by itself.
const ACTIVE: u8 = 1;

fn name(tag: u32, kind: u32) -> String {
    format!("{tag}/{kind}")
}

fn hash(content: &[u8]) -> String {
    Sha256::digest(content).iter().map(|byte| format!("{byte:02X}")).collect()
}

/// `%CMNG: <sec_tag>,<type>[,<sha>]`, a line for each.
fn list(chip: &Chip, tag: Option<u32>, kind: Option<u32>) -> Answer {
    let mut lines = Vec::new();
    for (name, content) in chip.items() {
        let Some((its_tag, its_kind)) = name.split_once('/') else { continue };
        let fits = |wanted: Option<u32>, found: &str| {
            wanted.is_none_or(|wanted| found == wanted.to_string())
        };
        if fits(tag, its_tag) && fits(kind, its_kind) {
            let digest = format!(",\"{}\"", hash(content));
            let digest = if chip.has(&Fault::NoHash) { "" } else { &digest };
            lines.push(format!("%CMNG: {its_tag},{its_kind}{digest}"));
        }
    }
    if tag.is_none() {
        lines.extend(OF_THE_MAKER.map(|place| format!("%CMNG: {place},\"{}\"", hash(&[0x4e]))));
    }
    lines.push("OK".to_owned());
    Answer { said: format!("\r\n{}\r\n", lines.join("\r\n")).into_bytes(), then: Then::Listen }
}

/// Whether a text is of whole certificates in PEM.
fn is_certificates(text: &str) -> bool {
    let text = text.replace('\r', "");
    let mut rest = text.trim();
    while let Some(body) = rest.strip_prefix("-----BEGIN CERTIFICATE-----\n") {
        let Some((body, behind)) = body.split_once("-----END CERTIFICATE-----") else {
            return false;
        };
        let Ok(der) = STANDARD.decode(body.replace('\n', "")) else { return false };
        let [0x30, 0x82, high, low, ..] = der[..] else { return false };
        if der.len() != 4 + usize::from(u16::from_be_bytes([high, low])) {
            return false;
        }
        rest = behind.trim_start();
        if rest.is_empty() {
            return true;
        }
    }
    false
}

impl Brand for Nrf91 {
    fn manner(&self) -> Manner {
        Manner { ends: b"\r\n", quotes: true, echoes: false, complains: true, banner: &["Ready"] }
    }

    fn command(&mut self, chip: &mut Chip, text: &str) -> Result<Answer, SimError> {
        let (front, given) = command_of(text);
        Ok(match (front.as_str(), given) {
            ("AT", None) => Answer::ok(),
            ("AT+CGMI", None) => Answer::told("Nordic Semiconductor ASA"),
            ("AT+CGMM", None) => Answer::told(chip.model("nRF9151-LACA")),
            ("AT+CGMR", None) => Answer::told("mfw_nrf91x1_2.0.2"),
            ("AT+CGSN", None) => Answer::told(chip.imei()),
            ("AT+CGSN", Some("1")) => Answer::told(format!("+CGSN: \"{}\"", chip.imei())),
            ("AT+CMEE?", None) => Answer::told(format!("+CMEE: {}", self.errors.number())),
            ("AT+CMEE", Some(given)) => match Errors::of_number(given) {
                // The modem knows numbers alone.
                Some(errors) if errors != Errors::Words => {
                    self.errors = errors;
                    Answer::ok()
                }
                _ => Answer::error(),
            },
            ("AT+CFUN?", None) => Answer::told(format!("+CFUN: {}", self.mode)),
            ("AT+CFUN", Some(given)) => self.functional_mode(chip, given),
            ("AT%CMNG", Some(given)) => self.credentials(chip, given)?,
            ("AT%KEYGEN", Some(given)) => self.make_key(chip, given)?,
            ("AT#XRESET", None) => Answer::restart(chip),
            _ => Answer::error(),
        })
    }

    fn payload(&mut self, _: &mut Chip, _: Vec<u8>) -> Result<Answer, SimError> {
        Ok(Answer::error())
    }

    fn reset(&mut self) {
        *self = Self::new();
    }

    fn is_whole(&self, chip: &Chip) -> bool {
        let certified = chip.items().filter_map(|(name, _)| name.strip_suffix("/1"));
        certified.into_iter().any(|tag| chip.get(&format!("{tag}/2")).is_some())
    }

    fn preload(&self, chip: &mut Chip, certificate: &str) -> Result<(), SimError> {
        chip.preload(&name(USUAL_TAG, 1), certificate.as_bytes().to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chip() -> Chip {
        Chip::open("350457791735879".to_owned(), None, Vec::new()).unwrap()
    }

    fn said(modem: &mut Nrf91, chip: &mut Chip, text: &str) -> String {
        let answer = modem.command(chip, text).unwrap();
        let said = String::from_utf8(answer.said).unwrap();
        said.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn it_takes_writes_offline_and_once() {
        let (mut modem, mut chip) = (Nrf91::new(), chip());
        said(&mut modem, &mut chip, "AT+CMEE=1");
        let write = "AT%CMNG=0,7,2,\"a key\"";
        assert_eq!(said(&mut modem, &mut chip, write), "+CME ERROR: 518");
        assert_eq!(said(&mut modem, &mut chip, "AT+CFUN=4"), "OK");
        assert_eq!(said(&mut modem, &mut chip, write), "OK");
        assert_eq!(said(&mut modem, &mut chip, write), "+CME ERROR: 519");
        assert_eq!(said(&mut modem, &mut chip, "AT%CMNG=2,7,2"), "+CME ERROR: 514");
        let hash = hash(b"a key");
        assert_eq!(said(&mut modem, &mut chip, "AT%CMNG=1,7"), format!("%CMNG: 7,2,\"{hash}\" OK"));
        assert_eq!(said(&mut modem, &mut chip, "AT%CMNG=3,7,2"), "OK");
        assert_eq!(said(&mut modem, &mut chip, "AT%CMNG=3,7,2"), "+CME ERROR: 513");
    }

    #[test]
    fn it_parses_certificates() {
        let (mut modem, mut chip) = (Nrf91::new(), chip());
        said(&mut modem, &mut chip, "AT+CFUN=4");
        said(&mut modem, &mut chip, "AT+CMEE=1");
        let text = key::foreign_certificate(1);
        let cut = &text[..text.len() / 2];
        for wrong in ["HONKHONK", cut, &text.replace('\n', "\\n")] {
            let write = format!("AT%CMNG=0,7,0,\"{wrong}\"");
            assert_eq!(said(&mut modem, &mut chip, &write), "+CME ERROR: 527");
        }
        let write = format!("AT%CMNG=0,7,0,\"{text}{text}\"");
        assert_eq!(said(&mut modem, &mut chip, &write), "OK");
    }
}
