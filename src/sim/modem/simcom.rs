//! A simulated SIMCom A7670: files of the certificate store.
//!
//! Each answer is that of SIMCom's "A76XX Series AT Command Manual" V1.09 (chapter on SSL:
//! `+CCERTDOWN`, `+CCERTLIST`, `+CCERTDELE`; `+CRESET`), as the drivers of others that are built
//! for it use it. The store gives nothing back.

use super::brand::{Answer, Brand, Errors, Manner, Then, command_of, parameters};
use super::chip::{Change, Chip};
use crate::error::SimError;

/// "The length of the file name is from 5 to 108 bytes", its ending included.
const NAME: std::ops::RangeInclusive<usize> = 5..=108;

/// "1-10240"
const LARGEST: usize = 10_240;

/// A SIMCom module's memory that a restart clears.
pub(super) struct Simcom {
    errors: Errors,
    /// The file that is being written.
    file: String,
}

impl Simcom {
    pub(super) const fn new() -> Self {
        Self { errors: Errors::Numbers, file: String::new() }
    }

    /// `+CCERTDOWN=<filename>,<len>`; "the file name must have type like .pem or .der".
    fn begin(&mut self, text: &str) -> Answer {
        let given = parameters(text);
        let is_named = NAME.contains(&given[0].len())
            && (given[0].ends_with(".pem") || given[0].ends_with(".der"));
        let length = given.get(1).and_then(|length| length.parse().ok());
        match length {
            Some(length @ 1..=LARGEST) if is_named && given.len() == 2 => {
                self.file = given[0].to_owned();
                Answer { said: b"\r\n>".to_vec(), then: Then::Take(length) }
            }
            _ => Answer::error(),
        }
    }

    fn delete(chip: &mut Chip, name: &str) -> Result<Answer, SimError> {
        Ok(match chip.remove(name)? {
            None => Answer::error(),
            Some(Change::PowerLost) => Answer::dark(),
            Some(_) => Answer::ok(),
        })
    }
}

impl Brand for Simcom {
    fn manner(&self) -> Manner {
        let banner = &["*ATREADY: 1", "+CPIN: READY", "SMS DONE", "PB DONE"];
        Manner { ends: b"\r", quotes: false, echoes: true, complains: false, banner }
    }

    fn command(&mut self, chip: &mut Chip, text: &str) -> Result<Answer, SimError> {
        let (front, given) = command_of(text);
        Ok(match (front.as_str(), given) {
            ("AT", None) => Answer::ok(),
            ("AT+CGMI", None) => Answer::told("SIMCOM INCORPORATED"),
            ("AT+CGMM", None) => Answer::told(chip.model("A7670E-FASE")),
            ("AT+CGMR", None) => Answer::told("+CGMR: A110B07A7670M7_F"),
            ("AT+CGSN", None) => Answer::told(chip.imei()),
            ("AT+CMEE", Some(given)) => match Errors::of_number(given) {
                Some(errors) => {
                    self.errors = errors;
                    Answer::ok()
                }
                None => Answer::error(),
            },
            ("AT+CCERTDOWN", Some(given)) => self.begin(given),
            ("AT+CCERTLIST", None) => {
                let names = chip.items().map(|(name, _)| format!("+CCERTLIST: \"{name}\""));
                Answer::lines(&names.chain(["OK".to_owned()]).collect::<Vec<_>>())
            }
            ("AT+CCERTDELE", Some(given)) => Self::delete(chip, given.trim_matches('"'))?,
            ("AT+CRESET", None) => Answer::restart(chip),
            _ => Answer::error(),
        })
    }

    fn payload(&mut self, chip: &mut Chip, bytes: Vec<u8>) -> Result<Answer, SimError> {
        Ok(match chip.put(&self.file, &bytes)? {
            Change::Done => Answer::ok(),
            Change::Unsaid => Answer::nothing(),
            Change::Refused | Change::Full => Answer::error(),
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
        chip.preload("cert.pem", certificate.as_bytes().to_vec())?;
        chip.preload(&format!("id-{}.pem", "5a".repeat(32)), b"provisioned\n".to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_taken_behind_its_prompt_and_only_listed_afterwards() {
        let mut chip = Chip::open("350457791735879".to_owned(), None, Vec::new()).unwrap();
        let mut modem = Simcom::new();
        let begun = modem.command(&mut chip, "AT+CCERTDOWN=\"ca.pem\",3").unwrap();
        assert_eq!((&begun.said[..], begun.then), (&b"\r\n>"[..], Then::Take(3)));
        assert_eq!(modem.payload(&mut chip, b"ABC".to_vec()).unwrap(), Answer::ok());
        let listed = modem.command(&mut chip, "AT+CCERTLIST").unwrap();
        assert_eq!(listed, Answer::lines(&["+CCERTLIST: \"ca.pem\"", "OK"]));
        for wrong in ["\"ca.txt\",3", "\"ca.pem\"", "\"ca.pem\",0", "\"ca.pem\",10241"] {
            let said = modem.command(&mut chip, &format!("AT+CCERTDOWN={wrong}")).unwrap();
            assert_eq!(said, Answer::error(), "{wrong}");
        }
    }
}
