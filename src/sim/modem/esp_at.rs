//! A simulated ESP32-C3 with ESP-AT: values of the manufacturing partition.
//!
//! Each answer is that of Espressif's "ESP-AT User Guide" (Basic AT Commands: `+SYSMFG`, `+GMR`,
//! `+RST`, `+SYSLOG`, `+SYSSTORE`; Wi-Fi AT Commands: `+CIPSTAMAC`, `+CWMODE`; AT+SYSMFG Command
//! Examples). Errors are `ERROR`, and behind `+SYSLOG=1` a code before it.

use sha2::{Digest, Sha256};

use super::brand::{Answer, Brand, Manner, Then, command_of, parameters};
use super::chip::{Change, Chip};
use crate::error::SimError;

/// Those of the namespaces that a modem has whose values are binary.
const NAMESPACES: [&str; 3] = ["mqtt_ca", "mqtt_cert", "mqtt_key"];

/// An ESP-AT's memory that a restart clears.
pub(super) struct EspAt {
    says_codes: bool,
    /// "Wi-Fi mode 0: null mode", as it comes.
    wifi: bool,
    place: String,
}

impl EspAt {
    pub(super) const fn new() -> Self {
        Self { says_codes: false, wifi: false, place: String::new() }
    }

    /// `ERR CODE:0x01<subcategory><extension>`: 0x07 is an invalid parameter, 0x0A that the
    /// command could not be executed.
    fn error(&self, code: u8) -> Answer {
        match self.says_codes {
            true => Answer::lines(&[format!("ERR CODE:0x01{code:02x}0000"), "ERROR".to_owned()]),
            false => Answer::error(),
        }
    }

    fn manufacturing(&mut self, chip: &mut Chip, text: &str) -> Result<Answer, SimError> {
        let given = parameters(text);
        let (Some(space), Some(key)) = (given.get(1), given.get(2)) else {
            return Ok(self.error(0x06));
        };
        if !NAMESPACES.contains(space) || space != key {
            return Ok(self.error(0x07));
        }
        match (given[0], given.len()) {
            ("0", 3) => Ok(match chip.remove(key)? {
                None => self.error(0x0a),
                Some(Change::PowerLost) => Answer::dark(),
                Some(_) => Answer::ok(),
            }),
            ("1", 3 | 5) => Ok(self.read(chip, key, &given[3..])),
            ("2", 5) => Ok(self.begin(key, &given[3..])),
            _ => Ok(self.error(0x06)),
        }
    }

    /// `+SYSMFG:<"namespace">,<"key">,<type>,<length>,<value>`
    fn read(&self, chip: &Chip, key: &str, range: &[&str]) -> Answer {
        let Some(value) = chip.get(key) else { return self.error(0x0a) };
        let part = match range {
            [] => Some(value),
            [offset, length, ..] => offset.parse().ok().zip(length.parse().ok()).and_then(
                |(offset, length): (usize, usize)| {
                    let end = value.len().min(offset.checked_add(length)?);
                    value.get(offset..end).filter(|part| !part.is_empty())
                },
            ),
            _ => None,
        };
        let Some(part) = part else { return self.error(0x07) };
        let head = format!("+SYSMFG:\"{key}\",\"{key}\",8,{},", part.len());
        let said = [head.as_bytes(), part, b"\r\n\r\nOK\r\n"].concat();
        Answer { said, then: Then::Listen }
    }

    /// Type 8 is binary; "AT returns `>`", behind an OK.
    fn begin(&mut self, key: &str, given: &[&str]) -> Answer {
        let length = given.get(1).and_then(|length| length.parse().ok());
        match (given.first(), length) {
            (Some(&"8"), Some(length @ 1..=4000)) => {
                self.place = key.to_owned();
                Answer { said: b"\r\nOK\r\n\r\n>".to_vec(), then: Then::Take(length) }
            }
            _ => self.error(0x07),
        }
    }
}

/// A MAC address of Espressif's, for a modem whose number is this.
fn address(imei: &str) -> String {
    let digest = Sha256::digest(imei);
    let own: Vec<String> = digest[..3].iter().map(|byte| format!("{byte:02x}")).collect();
    format!("1a:fe:34:{}", own.join(":"))
}

impl Brand for EspAt {
    fn manner(&self) -> Manner {
        Manner { ends: b"\n", quotes: false, echoes: true, complains: true, banner: &["ready"] }
    }

    fn command(&mut self, chip: &mut Chip, text: &str) -> Result<Answer, SimError> {
        let (front, given) = command_of(text);
        Ok(match (front.as_str(), given) {
            ("AT", None) => Answer::ok(),
            ("AT+GMR", None) => Answer::lines(&[
                "AT version:3.4.0.0(c3d4e7f - ESP32C3 - Jun 12 2024)".to_owned(),
                "SDK version:v5.1.4".to_owned(),
                "compile time(4c8b2fd0):Jun 12 2024 08:00:00".to_owned(),
                format!("Bin version:v3.4.0.0({})", chip.model("MINI-1")),
                "OK".to_owned(),
            ]),
            ("AT+CIPSTAMAC?", None) if self.wifi => {
                Answer::told(format!("+CIPSTAMAC:\"{}\"", address(chip.imei())))
            }
            ("AT+SYSSTORE", Some("0" | "1")) => Answer::ok(),
            ("AT+CWMODE", Some(mode @ ("0" | "1" | "2" | "3"))) => {
                self.wifi = matches!(mode, "1" | "3");
                Answer::ok()
            }
            ("AT+SYSLOG", Some(on @ ("0" | "1"))) => {
                self.says_codes = on == "1";
                Answer::ok()
            }
            ("AT+SYSMFG?", None) => {
                let names = NAMESPACES.iter().map(|name| format!("+SYSMFG:\"{name}\""));
                Answer::lines(&names.chain(["OK".to_owned()]).collect::<Vec<_>>())
            }
            ("AT+SYSMFG", Some(given)) => self.manufacturing(chip, given)?,
            ("AT+RST", None) => Answer::restart(chip),
            _ => self.error(0x09),
        })
    }

    fn payload(&mut self, chip: &mut Chip, bytes: Vec<u8>) -> Result<Answer, SimError> {
        Ok(match chip.put(&self.place, &bytes)? {
            Change::Done => Answer::ok(),
            Change::Unsaid => Answer::nothing(),
            Change::Refused | Change::Full => self.error(0x0a),
            Change::PowerLost => Answer::dark(),
        })
    }

    fn reset(&mut self) {
        *self = Self::new();
    }

    fn is_whole(&self, chip: &Chip) -> bool {
        chip.get("mqtt_cert").is_some() && chip.get("mqtt_key").is_some()
    }

    fn preload(&self, chip: &mut Chip, certificate: &str) -> Result<(), SimError> {
        chip.preload("mqtt_cert", certificate.as_bytes().to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_written_behind_its_prompt_and_read_whole_and_in_part() {
        let mut chip = Chip::open("350457791735879".to_owned(), None, Vec::new()).unwrap();
        let mut modem = EspAt::new();
        let place = "\"mqtt_ca\",\"mqtt_ca\"";
        let begun = modem.command(&mut chip, &format!("AT+SYSMFG=2,{place},8,4")).unwrap();
        assert_eq!((&begun.said[..], begun.then), (&b"\r\nOK\r\n\r\n>"[..], Then::Take(4)));
        assert_eq!(modem.payload(&mut chip, b"A\nB\n".to_vec()).unwrap(), Answer::ok());
        let mut read = |range: &str| {
            let answer = modem.command(&mut chip, &format!("AT+SYSMFG=1,{place}{range}")).unwrap();
            String::from_utf8(answer.said).unwrap()
        };
        assert_eq!(read(""), "+SYSMFG:\"mqtt_ca\",\"mqtt_ca\",8,4,A\nB\n\r\n\r\nOK\r\n");
        assert_eq!(read(",3,9"), "+SYSMFG:\"mqtt_ca\",\"mqtt_ca\",8,1,\n\r\n\r\nOK\r\n");
        assert_eq!(read(",4,1"), "\r\nERROR\r\n");
    }
}
