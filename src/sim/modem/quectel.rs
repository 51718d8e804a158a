//! A simulated Quectel BG95: files in the user file system.
//!
//! Each answer is that of Quectel's "BG96 FILE AT Commands Manual" V1.0 (chapters 2.2 to 2.5 and
//! the error codes of chapter 4) and "BG96 SSL AT Commands Manual" (`+QSSLCFG`); what starts it
//! anew, and `RDY`, of the "BG96 AT Commands Manual" (`+CFUN`).

use std::collections::BTreeMap;

use super::brand::{Answer, Brand, Errors, Manner, Then, command_of, parameters};
use super::chip::{Change, Chip};
use super::fault::Fault;
use crate::error::SimError;

/// "The maximum length is 80 bytes."
const LONGEST_NAME: usize = 80;

/// Room for one file: the default of `<file_size>` is 10240.
const LARGEST: usize = 10_240;

/// A Quectel module's memory that a restart clears.
pub(super) struct Quectel {
    errors: Errors,
    /// The file that is being uploaded.
    upload: String,
    /// What TLS contexts were told.
    settings: BTreeMap<String, String>,
}

impl Quectel {
    pub(super) const fn new() -> Self {
        Self { errors: Errors::Numbers, upload: String::new(), settings: BTreeMap::new() }
    }

    fn error(&self, chip: &Chip, number: u32) -> Answer {
        let words = match number {
            400 => "Invalid input value",
            403 => "The drive is full",
            405 => "The file is not found",
            406 => "Invalid file name",
            407 => "The file already existed",
            409 => "Write the file failed",
            423 => "The file is too large",
            _ => "Unknown error",
        };
        self.errors.answer(chip, number, words)
    }

    fn list(&self, chip: &Chip, pattern: &str) -> Answer {
        let wanted = bare(pattern);
        let files = chip.items().filter(|(name, _)| wanted == "*" || *name == wanted);
        let lines: Vec<String> =
            files.map(|(name, bytes)| format!("+QFLST: \"UFS:{name}\",{}", bytes.len())).collect();
        if lines.is_empty() && wanted != "*" {
            return self.error(chip, 405);
        }
        Answer::lines(&[&lines[..], &["OK".to_owned()]].concat())
    }

    /// `+QFUPL=<filename>[,<file_size>[,<timeout>[,<ackmode>]]]`
    fn begin_upload(&mut self, chip: &Chip, text: &str) -> Answer {
        let given = parameters(text);
        let name = bare(given[0]);
        let size = given.get(1).map_or(Ok(LARGEST), |size| size.parse());
        if name.is_empty() || name.len() > LONGEST_NAME {
            return self.error(chip, 406);
        }
        let Ok(size @ 1..) = size else { return self.error(chip, 400) };
        if size > LARGEST {
            return self.error(chip, 423);
        }
        if chip.get(name).is_some() {
            return self.error(chip, 407);
        }
        if chip.has(&Fault::Full) {
            return self.error(chip, 403);
        }
        self.upload = name.to_owned();
        let then = match given.get(3) {
            Some(&"1") => Then::TakeSayingA(size),
            _ => Then::Take(size),
        };
        Answer { said: b"\r\nCONNECT\r\n".to_vec(), then }
    }

    fn download(&self, chip: &Chip, name: &str) -> Answer {
        let Some(bytes) = chip.get(bare(name)) else { return self.error(chip, 405) };
        let end = format!("\r\n+QFDWL: {},{:x}\r\n\r\nOK\r\n", bytes.len(), checksum(bytes));
        let said = [b"\r\nCONNECT\r\n", bytes, end.as_bytes()].concat();
        Answer { said, then: Then::Listen }
    }

    fn delete(&self, chip: &mut Chip, name: &str) -> Result<Answer, SimError> {
        Ok(match chip.remove(bare(name))? {
            None => self.error(chip, 405),
            Some(Change::PowerLost) => Answer::dark(),
            Some(_) => Answer::ok(),
        })
    }

    /// `+QSSLCFG=<what>,<ctxID>[,<value>]`: the module takes any file's name.
    fn configure(&mut self, text: &str) -> Answer {
        let given = parameters(text);
        let is_known = ["cacert", "clientcert", "clientkey"].contains(&given[0]);
        let context = given.get(1).and_then(|context| context.parse::<u8>().ok());
        let (true, Some(context @ 0..=5)) = (is_known, context) else { return Answer::error() };
        let place = format!("{},{context}", given[0]);
        match given.get(2) {
            Some(value) => {
                self.settings.insert(place, (*value).to_owned());
                Answer::ok()
            }
            None => {
                let value = self.settings.get(&place).cloned().unwrap_or_default();
                Answer::told(format!("+QSSLCFG: \"{}\",{context},\"{value}\"", given[0]))
            }
        }
    }
}

/// A file's name without its drive.
fn bare(name: &str) -> &str {
    name.strip_prefix("UFS:").unwrap_or(name)
}

/// "A 16 bit checksum based on bitwise XOR. If the number of the characters is odd, set the last
/// character as the high 8 bit, and the low 8 bit as 0."
fn checksum(bytes: &[u8]) -> u16 {
    let (mut high, mut low) = (0, 0);
    for (place, byte) in bytes.iter().enumerate() {
        match place % 2 {
            0 => high ^= byte,
            _ => low ^= byte,
        }
    }
    u16::from_be_bytes([high, low])
}

impl Brand for Quectel {
    fn manner(&self) -> Manner {
        Manner {
            ends: b"\r",
            quotes: false,
            echoes: true,
            complains: false,
            banner: &["RDY", "APP RDY"],
        }
    }

    fn command(&mut self, chip: &mut Chip, text: &str) -> Result<Answer, SimError> {
        let (front, given) = command_of(text);
        Ok(match (front.as_str(), given) {
            ("AT", None) => Answer::ok(),
            ("AT+CGMI", None) => Answer::told("Quectel"),
            ("AT+CGMM", None) => Answer::told(chip.model("BG95-M3")),
            ("AT+CGMR", None) => Answer::told("BG95M3LAR02A04"),
            ("AT+CGSN", None) => Answer::told(chip.imei()),
            ("AT+CMEE", Some(given)) => match Errors::of_number(given) {
                Some(errors) => {
                    self.errors = errors;
                    Answer::ok()
                }
                None => Answer::error(),
            },
            ("AT+QFLST", given) => self.list(chip, given.unwrap_or("*").trim_matches('"')),
            ("AT+QFUPL", Some(given)) => self.begin_upload(chip, given),
            ("AT+QFDWL", Some(given)) => self.download(chip, given.trim_matches('"')),
            ("AT+QFDEL", Some(given)) => self.delete(chip, given.trim_matches('"'))?,
            ("AT+QSSLCFG", Some(given)) => self.configure(given),
            ("AT+CFUN", Some("1,1")) => Answer::restart(chip),
            _ => Answer::error(),
        })
    }

    fn payload(&mut self, chip: &mut Chip, bytes: Vec<u8>) -> Result<Answer, SimError> {
        let change = chip.put(&self.upload, &bytes)?;
        let said = format!("+QFUPL: {},{:x}", bytes.len(), checksum(&bytes));
        Ok(match change {
            Change::Done => Answer::told(said),
            Change::Unsaid => Answer::nothing(),
            Change::Refused => self.error(chip, 409),
            Change::Full => self.error(chip, 403),
            Change::PowerLost => Answer::dark(),
        })
    }

    fn reset(&mut self) {
        *self = Self::new();
    }

    fn is_whole(&self, chip: &Chip) -> bool {
        chip.get("cert.pem").is_some() && chip.get("key.pem").is_some()
    }

    fn preload(&self, chip: &mut Chip, certificate: &str) -> Result<(), SimError> {
        chip.preload("cert.pem", certificate.as_bytes().to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_uploaded_once_listed_and_downloaded_as_the_manual_says() {
        let mut chip = Chip::open("350457791735879".to_owned(), None, Vec::new()).unwrap();
        let mut modem = Quectel::new();
        let mut say = |modem: &mut Quectel, text: &str| {
            let answer = modem.command(&mut chip, text).unwrap();
            (String::from_utf8(answer.said).unwrap(), answer.then)
        };
        let begun = say(&mut modem, "AT+QFUPL=\"abc.txt\",3");
        assert_eq!(begun, ("\r\nCONNECT\r\n".to_owned(), Then::Take(3)));
        let stored = modem.payload(&mut chip, b"ABC".to_vec()).unwrap();
        assert_eq!(stored.said, b"\r\n+QFUPL: 3,242\r\n\r\nOK\r\n");
        let mut say =
            |text: &str| String::from_utf8(modem.command(&mut chip, text).unwrap().said).unwrap();
        assert_eq!(say("AT+QFUPL=\"abc.txt\",3"), "\r\n+CME ERROR: 407\r\n");
        assert_eq!(say("AT+QFLST=\"*\""), "\r\n+QFLST: \"UFS:abc.txt\",3\r\n\r\nOK\r\n");
        let file = "\r\nCONNECT\r\nABC\r\n+QFDWL: 3,242\r\n\r\nOK\r\n";
        assert_eq!(say("AT+QFDWL=\"UFS:abc.txt\""), file);
        assert_eq!(say("AT+QFDEL=\"abc.txt\""), "\r\nOK\r\n");
        assert_eq!(say("AT+QFLST=\"abc.txt\""), "\r\n+CME ERROR: 405\r\n");
    }
}
