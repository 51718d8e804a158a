//! Nordic's nRF91: credentials by tag and type (`%CMNG`), keys that never leave (`%KEYGEN`).
//!
//! The modem says the SHA-256 of each credential, of keys too, and gives certificates back. It
//! takes writes only while it is offline (`+CFUN=4`), and takes none over one that is there.

use std::time::Instant;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ciborium::Value;
use sha2::{Digest, Sha256};

use super::maker::{About, Kept, Maker, Text, Written, restart_by, usual_about};
use super::parts::{Measure, Part, Stored, point_in};
use super::session::{FLASH, Refusal, Session, refused, silent};
use crate::domain::certificate::Proof;
use crate::domain::identity::SigningRequest;
use crate::domain::ids::{HardwareId, PublicKey};
use crate::error::LinkError;

/// The credential is not there.
const NOT_FOUND: u32 = 513;

/// An nRF91 whose identity lies under this tag.
pub(super) struct Nrf91 {
    pub(super) tag: u32,
}

/// The type of a part's credential.
const fn kind(part: Part) -> u8 {
    match part {
        Part::Roots => 0,
        Part::Certificate => 1,
        Part::Key => 2,
    }
}

impl Maker for Nrf91 {
    fn line_end(&self) -> &'static str {
        // Nordic's samples take CR, LF or both, as they were built; both suit all.
        "\r\n"
    }

    fn about(&self, line: &mut Session) -> Result<About, LinkError> {
        usual_about(line)
    }

    fn look(&self, line: &mut Session, part: Part) -> Result<Stored, LinkError> {
        let stored = self.stored(line)?;
        let found = Part::ALL.into_iter().zip(stored).find(|(known, _)| *known == part);
        Ok(found.map_or(Stored::Missing, |(_, stored)| stored))
    }

    fn stored(&self, line: &mut Session) -> Result<[Stored; 3], LinkError> {
        let reply = line.demand("AT%CMNG=1", &format!("AT%CMNG=1,{}", self.tag))?;
        let mut stored = [Stored::Missing; 3];
        for entry in reply.behind("%CMNG:").filter_map(Listed::read) {
            let part = Part::ALL.iter().position(|part| kind(*part) == entry.kind);
            let Some(place) = part.filter(|_| entry.tag == self.tag) else { continue };
            stored[place] = entry.hash.map_or(Stored::Present, Stored::Hash);
        }
        Ok(stored)
    }

    fn promises(&self, _: Part, measure: Measure) -> Stored {
        Stored::Hash(measure.hash)
    }

    fn certificate(&self, line: &mut Session) -> Result<Kept, LinkError> {
        let reply = line.ask("AT%CMNG=2", &format!("AT%CMNG=2,{},1", self.tag))?;
        match &reply.refusal {
            Some(refusal) if is_missing(refusal) => return Ok(Kept::Nothing),
            Some(refusal) => return Err(refused("AT%CMNG=2", refusal)),
            None => {}
        }
        // What it says unasked may stand in the middle, and has a colon, which base64 lacks.
        let is_text = |line: &&String| !line.contains(':') || line.contains("-----");
        let lines: Vec<&str> = reply.lines.iter().filter(is_text).map(String::as_str).collect();
        Ok(Kept::Text(lines.join("\n").into_bytes()))
    }

    fn open(&self, line: &mut Session) -> Result<(), LinkError> {
        let until_done = line.tell("AT+CFUN=4", "AT+CFUN=4", FLASH)?;
        match until_done.ok_or_else(|| silent("AT+CFUN=4", FLASH, 1))?.refusal {
            None => Ok(()),
            Some(refusal) => Err(refused("AT+CFUN=4", &refusal)),
        }
    }

    fn write(
        &self,
        line: &mut Session,
        part: Part,
        text: &mut Text<'_>,
    ) -> Result<Written, LinkError> {
        let until = Instant::now() + FLASH;
        line.begin("AT%CMNG=0", &format!("AT%CMNG=0,{},{},\"", self.tag, kind(part)), until)?;
        line.send(text.bytes, until)?;
        line.send(b"\"", until)?;
        line.end_command("AT%CMNG=0", until)?;
        Ok(match line.answer("AT%CMNG=0", None, until)? {
            None => Written::Silent,
            Some(reply) => reply.refusal.map_or(Written::Said, Written::Refused),
        })
    }

    fn delete(&self, line: &mut Session, part: Part) -> Result<(), LinkError> {
        let command = format!("AT%CMNG=3,{},{}", self.tag, kind(part));
        let reply = line.tell("AT%CMNG=3", &command, FLASH)?;
        match reply.ok_or_else(|| silent("AT%CMNG=3", FLASH, 1))?.refusal {
            None => Ok(()),
            Some(refusal) if is_missing(&refusal) => Ok(()),
            Some(refusal) => Err(refused("AT%CMNG=3", &refusal)),
        }
    }

    fn restart(&self, line: &mut Session) -> Result<(), LinkError> {
        // Of Nordic's Serial Modem application; what lacks it is restarted by the fixture.
        restart_by(line, "AT#XRESET", "AT#XRESET")
    }

    fn best_proof(&self) -> Proof {
        Proof::ReadBack
    }

    fn makes_keys(&self) -> bool {
        true
    }

    fn make_key(
        &self,
        line: &mut Session,
        hardware: &HardwareId,
    ) -> Result<SigningRequest, LinkError> {
        let command = format!("AT%KEYGEN={},2,0,\"CN={hardware}\"", self.tag);
        let reply = line.tell("AT%KEYGEN", &command, FLASH)?;
        let reply = reply.ok_or_else(|| silent("AT%KEYGEN", FLASH, 1))?;
        if let Some(refusal) = &reply.refusal {
            return Err(refused("AT%KEYGEN", refusal));
        }
        let said = reply.behind("%KEYGEN:").next().map(|text| text.trim_matches('"'));
        let der = said.ok_or_else(|| nonsense("it has no request"))?;
        let der = request_in(der)?;
        let point = point_in(&der).ok_or_else(|| nonsense("its key is none of P-256"))?;
        let public_key =
            PublicKey::from_bytes(&point).map_err(|error| nonsense(&error.to_string()))?;
        Ok(SigningRequest { public_key, der })
    }
}

/// In numbers or in words.
fn is_missing(refusal: &Refusal) -> bool {
    let in_words = || refusal.words.to_ascii_lowercase().ends_with("not found");
    refusal.number == Some(NOT_FOUND) || refusal.number.is_none() && in_words()
}

fn nonsense(why: &str) -> LinkError {
    LinkError::Malformed { request: "AT%KEYGEN", why: why.to_owned() }
}

/// The signing request in `base64url(request).base64url(COSE_Sign1)`, where the second names the
/// first. Whose signature that is, nobody here can tell: the request carries one of its own.
fn request_in(said: &str) -> Result<Vec<u8>, LinkError> {
    let (body, seal) = said.split_once('.').ok_or_else(|| nonsense("it has one part, not two"))?;
    let decoded = |text: &str| URL_SAFE_NO_PAD.decode(text.trim_end_matches('='));
    let body = decoded(body).map_err(|_| nonsense("its request is not in base64url"))?;
    let seal = decoded(seal).map_err(|_| nonsense("its seal is not in base64url"))?;
    match sealed_digest(&seal) {
        Some(digest) if digest == Sha256::digest(&body)[..] => Ok(body),
        Some(_) => Err(nonsense("its seal is of another request")),
        None => Err(nonsense("its seal is no COSE_Sign1")),
    }
}

/// The digest in the payload of a COSE_Sign1: the fourth item of what Nordic puts there.
fn sealed_digest(seal: &[u8]) -> Option<Vec<u8>> {
    let mut parts = match ciborium::from_reader(seal).ok()? {
        Value::Tag(_, inner) => inner.into_array().ok()?,
        Value::Array(parts) => parts,
        _ => return None,
    };
    let payload = (parts.len() == 4).then(|| parts.swap_remove(2))?.into_bytes().ok()?;
    let mut items = match ciborium::from_reader(&payload[..]).ok()? {
        Value::Array(items) => items,
        _ => return None,
    };
    (items.len() > 3).then(|| items.swap_remove(3))?.into_bytes().ok()
}

/// An entry of the list.
struct Listed {
    tag: u32,
    kind: u8,
    hash: Option<[u8; 32]>,
}

impl Listed {
    /// Reads `<tag>,<type>[,"<SHA-256>"]`.
    fn read(text: &str) -> Option<Self> {
        let mut fields = text.split(',').map(|field| field.trim().trim_matches('"'));
        let tag = fields.next()?.parse().ok()?;
        let kind = fields.next()?.parse().ok()?;
        let hash = fields.next().and_then(hash_in);
        Some(Self { tag, kind, hash })
    }
}

fn hash_in(text: &str) -> Option<[u8; 32]> {
    let mut hash = [0; 32];
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    for (place, byte) in hash.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * place..2 * place + 2], 16).ok()?;
    }
    Some(hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_of_the_list_is_read_with_and_without_its_hash() {
        let hash = "2C43952EE9E000FF2ACC4E2ED0897C0A72AD5FA72C3D934E81741CBD54F05BD1";
        let entry = Listed::read(&format!("16842753, 0, \"{hash}\"")).unwrap();
        assert_eq!((entry.tag, entry.kind), (16_842_753, 0));
        assert_eq!(entry.hash.unwrap()[..2], [0x2c, 0x43]);
        assert_eq!(Listed::read("7,2").unwrap().hash, None);
        assert!(Listed::read("4294967292,11,\"00\"").unwrap().hash.is_none());
        assert!(Listed::read("x").is_none());
    }

    #[test]
    fn a_request_counts_only_under_a_seal_that_names_it() {
        let seal = |digest: &[u8]| {
            let mut payload = Vec::new();
            let items = [9.into(), Value::Bytes(vec![1; 16]), Value::Bytes(vec![5])];
            let items = items.into_iter().chain([Value::Bytes(digest.to_vec())]).collect();
            ciborium::into_writer(&Value::Array(items), &mut payload).unwrap();
            let parts = [vec![], payload, vec![0; 64]].map(Value::Bytes);
            let [first, second, third] = parts;
            let whole = Value::Array(vec![first, Value::Map(vec![]), second, third]);
            let mut bytes = Vec::new();
            ciborium::into_writer(&Value::Tag(18, Box::new(whole)), &mut bytes).unwrap();
            URL_SAFE_NO_PAD.encode(bytes)
        };
        let body = URL_SAFE_NO_PAD.encode(b"a request");
        let right = seal(&Sha256::digest(b"a request"));
        assert_eq!(request_in(&format!("{body}.{right}")).unwrap(), b"a request");
        let wrong = seal(&Sha256::digest(b"another"));
        for said in [format!("{body}.{wrong}"), body.clone(), format!("{body}.AAAA")] {
            assert!(request_in(&said).is_err(), "{said}");
        }
    }
}
