//! SIMCom: three files of the certificate store, `CCERTDOWN` and `CCERTLIST`.
//!
//! The store gives nothing back: no text, no length, no digest. A modem says that a file is
//! there, and so its proof is `none`. Which certificate it is tells a fourth file, whose name is
//! the fingerprint; it is written last.

use super::maker::{
    About, Kept, Maker, Text, Written, restart_by, usual_about, write_behind_prompt,
};
use super::parts::{Measure, Part, Stored};
use super::session::{FLASH, Session, refused, silent};
use crate::domain::certificate::Proof;
use crate::domain::ids::Fingerprint;
use crate::error::LinkError;

/// A SIMCom module.
pub(super) struct Simcom;

/// Stands around the fingerprint in the mark's name; the store wants the ending.
const MARK: (&str, &str) = ("id-", ".pem");

/// What the mark's file has in it: the store takes no empty one.
const MARKED: &[u8] = b"provisioned\n";

/// A part's file.
const fn file(part: Part) -> &'static str {
    match part {
        Part::Roots => "ca.pem",
        Part::Certificate => "cert.pem",
        Part::Key => "key.pem",
    }
}

impl Maker for Simcom {
    fn line_end(&self) -> &'static str {
        "\r"
    }

    fn about(&self, line: &mut Session) -> Result<About, LinkError> {
        usual_about(line)
    }

    fn look(&self, line: &mut Session, part: Part) -> Result<Stored, LinkError> {
        let is_there = files(line)?.iter().any(|name| name == file(part));
        Ok(if is_there { Stored::Present } else { Stored::Missing })
    }

    fn promises(&self, _: Part, _: Measure) -> Stored {
        Stored::Present
    }

    fn certificate(&self, line: &mut Session) -> Result<Kept, LinkError> {
        let files = files(line)?;
        let mut marks = files.iter().filter_map(|name| marked(name));
        // Two marks say nothing.
        Ok(match (marks.next(), marks.next()) {
            (Some(fingerprint), None) => Kept::Marked(fingerprint),
            _ => Kept::Nothing,
        })
    }

    fn write(
        &self,
        line: &mut Session,
        part: Part,
        text: &mut Text<'_>,
    ) -> Result<Written, LinkError> {
        write(line, file(part), text.bytes)
    }

    fn delete(&self, line: &mut Session, part: Part) -> Result<(), LinkError> {
        for name in files(line)? {
            let is_mark = part == Part::Certificate && marked(&name).is_some();
            if is_mark || name == file(part) {
                delete(line, &name)?;
            }
        }
        Ok(())
    }

    fn mark(&self, line: &mut Session, certificate: &Fingerprint) -> Result<(), LinkError> {
        let name = format!("{}{certificate}{}", MARK.0, MARK.1);
        let why = match write(line, &name, MARKED)? {
            Written::Said if files(line)?.contains(&name) => return Ok(()),
            Written::Said => "the modem says OK and has nothing there".to_owned(),
            Written::Silent => "the modem does not answer".to_owned(),
            Written::Refused(refusal) => refusal.words,
        };
        Err(LinkError::NotStored { why: format!("the certificate's mark: {why}") })
    }

    fn restart(&self, line: &mut Session) -> Result<(), LinkError> {
        restart_by(line, "AT+CRESET", "AT+CRESET")
    }

    fn best_proof(&self) -> Proof {
        Proof::None
    }
}

/// The names of what is stored.
fn files(line: &mut Session) -> Result<Vec<String>, LinkError> {
    let reply = line.demand("AT+CCERTLIST", "AT+CCERTLIST")?;
    let names = reply.behind("+CCERTLIST:").map(|name| name.trim_matches('"').to_owned());
    Ok(names.collect())
}

fn write(line: &mut Session, name: &str, bytes: &[u8]) -> Result<Written, LinkError> {
    let command = format!("AT+CCERTDOWN=\"{name}\",{}", bytes.len());
    write_behind_prompt(line, "AT+CCERTDOWN", &command, bytes)
}

fn delete(line: &mut Session, name: &str) -> Result<(), LinkError> {
    let reply = line.tell("AT+CCERTDELE", &format!("AT+CCERTDELE=\"{name}\""), FLASH)?;
    match reply.ok_or_else(|| silent("AT+CCERTDELE", FLASH, 1))?.refusal {
        None => Ok(()),
        Some(refusal) => Err(refused("AT+CCERTDELE", &refusal)),
    }
}

/// The fingerprint in a mark's name.
fn marked(name: &str) -> Option<Fingerprint> {
    name.strip_prefix(MARK.0)?.strip_suffix(MARK.1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_the_fingerprint_and_nothing_else() {
        let fingerprint = Fingerprint::new([0xa7; 32]);
        assert_eq!(marked(&format!("id-{fingerprint}.pem")), Some(fingerprint));
        for name in ["cert.pem", "id-.pem", "id-a7a7.pem"] {
            assert_eq!(marked(name), None, "{name}");
        }
    }
}
