//! ESP-AT: three values of the manufacturing partition, `SYSMFG`.
//!
//! All are read back whole whenever the modem is looked at. The key is compared once in the
//! locked memory from which it was written; later it passes through a small buffer that is wiped,
//! and leaves a check sum.

use std::time::Instant;

use sha2::{Digest, Sha256};

use super::maker::{
    About, Kept, Maker, Text, Written, changed, plain, restart_by, write_behind_prompt,
};
use super::parts::{CHECK, Measure, Part, Stored};
use super::session::{FLASH, Head, Session, silent};
use crate::domain::certificate::Proof;
use crate::domain::ids::HardwareId;
use crate::error::LinkError;

/// The longest value that is read back: more than the partition's certificates have.
const LONGEST: usize = 16 * 1024;

/// Binary, among the types of values.
const BINARY: u8 = 8;

/// An Espressif chip with the ESP-AT firmware.
pub(super) struct EspAt;

/// The namespace and key of a part: those that `AT+MQTTUSERCFG` reads.
const fn place(part: Part) -> &'static str {
    match part {
        Part::Roots => "mqtt_ca",
        Part::Certificate => "mqtt_cert",
        Part::Key => "mqtt_key",
    }
}

impl Maker for EspAt {
    fn line_end(&self) -> &'static str {
        "\r\n"
    }

    fn about(&self, line: &mut Session) -> Result<About, LinkError> {
        let reply = line.demand("AT+GMR", "AT+GMR")?;
        let version = reply.behind("AT version:").next().unwrap_or_default();
        let build = reply.behind("Bin version:").next().unwrap_or_default();
        // `v3.4.0.0(ESP32C3-4MB)`: what stands in brackets is the module.
        let model = build.split_once('(').map(|(_, model)| model.trim_end_matches(')'));
        let firmware = version.split('(').next().unwrap_or_default();
        Ok(About {
            hardware: address(line)?,
            model: plain(model.unwrap_or("ESP-AT")),
            firmware: plain(firmware),
        })
    }

    fn look(&self, line: &mut Session, part: Part) -> Result<Stored, LinkError> {
        if part == Part::Key {
            return look_at_key(line);
        }
        let value = read(line, part)?;
        Ok(value.map_or(Stored::Missing, |value| Stored::Hash(Sha256::digest(value).into())))
    }

    fn promises(&self, part: Part, measure: Measure) -> Stored {
        match part {
            Part::Key => measure.checked(),
            Part::Roots | Part::Certificate => Stored::Hash(measure.hash),
        }
    }

    fn certificate(&self, line: &mut Session) -> Result<Kept, LinkError> {
        Ok(read(line, Part::Certificate)?.map_or(Kept::Nothing, Kept::Text))
    }

    fn write(
        &self,
        line: &mut Session,
        part: Part,
        text: &mut Text<'_>,
    ) -> Result<Written, LinkError> {
        let place = place(part);
        let length = text.measure.length;
        let command = format!("AT+SYSMFG=2,\"{place}\",\"{place}\",{BINARY},{length}");
        let written = write_behind_prompt(line, "AT+SYSMFG=2", &command, text.bytes)?;
        if part != Part::Key || !matches!(written, Written::Said) {
            return Ok(written);
        }
        Ok(if reads_back(line, part, text)? { Written::Said } else { changed() })
    }

    fn delete(&self, line: &mut Session, part: Part) -> Result<(), LinkError> {
        let place = place(part);
        let command = format!("AT+SYSMFG=0,\"{place}\",\"{place}\"");
        let reply = line.tell("AT+SYSMFG=0", &command, FLASH)?;
        // It refuses what is not there, without a reason: what counts is looked at later.
        reply.map(drop).ok_or_else(|| silent("AT+SYSMFG=0", FLASH, 1))
    }

    fn restart(&self, line: &mut Session) -> Result<(), LinkError> {
        restart_by(line, "AT+RST", "AT+RST")
    }

    fn best_proof(&self) -> Proof {
        Proof::ReadBack
    }
}

/// The hardware id: the station's MAC address. A chip whose radio is off does not say it, and
/// has it turned on until its next restart.
fn address(line: &mut Session) -> Result<HardwareId, LinkError> {
    let mut reply = line.ask("AT+CIPSTAMAC?", "AT+CIPSTAMAC?")?;
    if reply.refusal.is_some() {
        line.demand("AT+SYSSTORE=0", "AT+SYSSTORE=0")?;
        line.demand("AT+CWMODE=1", "AT+CWMODE=1")?;
        reply = line.demand("AT+CIPSTAMAC?", "AT+CIPSTAMAC?")?;
    }
    let said = reply.behind("+CIPSTAMAC:").next().unwrap_or_default();
    let digits: String = said.chars().filter(char::is_ascii_hexdigit).collect();
    if digits.len() != 12 {
        let why = "no MAC address in it".to_owned();
        return Err(LinkError::Malformed { request: "AT+CIPSTAMAC?", why });
    }
    digits.parse().map_err(LinkError::HardwareId)
}

/// Asks for a value; its length where there is one, and its bytes follow.
fn ask(line: &mut Session, part: Part) -> Result<Option<usize>, LinkError> {
    let until = Instant::now() + FLASH;
    let place = place(part);
    line.begin("AT+SYSMFG=1", &format!("AT+SYSMFG=1,\"{place}\",\"{place}\""), until)?;
    line.end_command("AT+SYSMFG=1", until)?;
    match line.head("AT+SYSMFG=1", ("+SYSMFG:", 4), until)? {
        // It refuses what is not there, without a reason.
        Head::Nothing => Ok(None),
        Head::Fields(fields) => {
            let length = fields.trim_end_matches(',').rsplit(',').next().unwrap_or_default();
            let length = length.parse().ok().filter(|length| *length <= LONGEST);
            length.map(Some).ok_or_else(|| malformed("its length is no number"))
        }
    }
}

/// A value that is no secret, whole.
fn read(line: &mut Session, part: Part) -> Result<Option<Vec<u8>>, LinkError> {
    let Some(length) = ask(line, part)? else { return Ok(None) };
    let mut value = vec![0; length];
    match fetch(line, &mut |line, until| line.fill(&mut value, until))? {
        true => Ok(Some(value)),
        false => Err(malformed("it ends early")),
    }
}

/// What is done with the bytes of a value; `false` where they do not all come.
type Take<'t> = &'t mut dyn FnMut(&mut Session, Instant) -> Result<bool, LinkError>;

/// Has the bytes of the value come that was asked for; `false` where they are not all there.
fn fetch(line: &mut Session, take: Take<'_>) -> Result<bool, LinkError> {
    let until = Instant::now() + FLASH;
    if !take(line, until)? {
        return Ok(false);
    }
    let reply = line.answer("AT+SYSMFG=1", None, until)?;
    Ok(reply.is_some_and(|reply| reply.refusal.is_none()))
}

/// What the modem has of a key.
fn look_at_key(line: &mut Session) -> Result<Stored, LinkError> {
    let Some(length) = ask(line, Part::Key)? else { return Ok(Stored::Missing) };
    let length = u32::try_from(length).unwrap_or(u32::MAX);
    let mut sum = CHECK.digest();
    let is_whole = fetch(line, &mut |line, until| {
        line.pass_on(length, until, &mut |bytes| sum.update(bytes))
    })?;
    Ok(match is_whole {
        true => Stored::Checked { length, sum: sum.finalize() },
        false => Stored::Present,
    })
}

/// Whether a key has the bytes that were written, compared where those lie.
fn reads_back(line: &mut Session, part: Part, text: &mut Text<'_>) -> Result<bool, LinkError> {
    let Some(place) = text.scratch.get_mut(..text.bytes.len()) else { return Ok(false) };
    if ask(line, part)? != Some(place.len()) {
        line.settle()?;
        return Ok(false);
    }
    let is_whole = fetch(line, &mut |line, until| line.fill(place, until))?;
    Ok(is_whole && place == text.bytes)
}

fn malformed(why: &str) -> LinkError {
    LinkError::Malformed { request: "AT+SYSMFG=1", why: why.to_owned() }
}
