//! SMP messages: a header of eight bytes and a CBOR map (Zephyr's `smp_protocol.rst`).
//!
//! Requests are written by hand into the caller's memory, because one of them carries a
//! private key; answers are public and are read with a library.

use ciborium::Value;

/// Bytes of a header.
const HEADER: usize = 8;

/// Version 2 of the protocol, in the header's first byte: errors come with their group.
const VERSION_2: u8 = 1 << 3;

/// Reading or writing, as the header says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Op {
    Read = 0,
    Write = 2,
}

/// A command of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Command {
    pub(super) name: &'static str,
    op: Op,
    group: u16,
    id: u8,
}

const fn command(name: &'static str, op: Op, group: u16, id: u8) -> Command {
    Command { name, op, group, id }
}

/// The group of the operating system.
const OS: u16 = 0;
/// The group of the file system.
pub(super) const FS: u16 = 8;

pub(super) const ECHO: Command = command("echo", Op::Write, OS, 0);
pub(super) const RESET: Command = command("reset", Op::Write, OS, 5);
pub(super) const LIMITS: Command = command("parameters", Op::Read, OS, 6);
pub(super) const INFO: Command = command("info", Op::Read, OS, 7);
pub(super) const UPLOAD: Command = command("file upload", Op::Write, FS, 0);
pub(super) const DOWNLOAD: Command = command("file download", Op::Read, FS, 0);
pub(super) const STATUS: Command = command("file status", Op::Read, FS, 1);
pub(super) const HASH: Command = command("file hash", Op::Read, FS, 2);
pub(super) const CLOSE: Command = command("file close", Op::Write, FS, 4);

/// A value in a request's map.
#[derive(Debug, Clone, Copy)]
pub(super) enum Item<'a> {
    Text(&'a str),
    Number(u32),
    Bytes(&'a [u8]),
}

/// Writes a request; none where `into` is too short.
pub(super) fn write(
    command: Command,
    seq: u8,
    map: &[(&str, Item<'_>)],
    into: &mut [u8],
) -> Option<usize> {
    let mut out = Writer { into, end: HEADER };
    out.head(5, u32::try_from(map.len()).ok()?)?;
    for (key, item) in map {
        out.text(key)?;
        match *item {
            Item::Text(text) => out.text(text)?,
            Item::Number(number) => out.head(0, number)?,
            Item::Bytes(bytes) => {
                out.head(2, u32::try_from(bytes.len()).ok()?)?;
                out.raw(bytes)?;
            }
        }
    }
    let end = out.end;
    let length = u16::try_from(end - HEADER).ok()?.to_be_bytes();
    let group = command.group.to_be_bytes();
    let op = command.op as u8 | VERSION_2;
    let head = [op, 0, length[0], length[1], group[0], group[1], seq, command.id];
    into.get_mut(..HEADER)?.copy_from_slice(&head);
    Some(end)
}

struct Writer<'a> {
    into: &'a mut [u8],
    end: usize,
}

impl Writer<'_> {
    fn raw(&mut self, bytes: &[u8]) -> Option<()> {
        self.into.get_mut(self.end..self.end + bytes.len())?.copy_from_slice(bytes);
        self.end += bytes.len();
        Some(())
    }

    /// A CBOR head in its shortest form (RFC 8949, section 3).
    fn head(&mut self, major: u8, value: u32) -> Option<()> {
        let major = major << 5;
        let [.., c, d] = value.to_be_bytes();
        match value {
            0..24 => self.raw(&[major | d]),
            24..0x100 => self.raw(&[major | 24, d]),
            0x100..0x1_0000 => self.raw(&[major | 25, c, d]),
            _ => {
                self.raw(&[major | 26])?;
                self.raw(&value.to_be_bytes())
            }
        }
    }

    fn text(&mut self, text: &str) -> Option<()> {
        self.head(3, u32::try_from(text.len()).ok()?)?;
        self.raw(text.as_bytes())
    }
}

/// An answer.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Reply {
    map: Vec<(Value, Value)>,
}

/// A device's own word that it did not do something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Refusal {
    /// The group whose number it is; none for the protocol's own numbers.
    pub(super) group: Option<u16>,
    /// The number.
    pub(super) rc: u32,
}

impl Reply {
    /// Reads the answer to this command and sequence number; none where it is another's.
    pub(super) fn read(message: &[u8], command: Command, seq: u8) -> Option<Self> {
        let (head, body) = message.split_first_chunk::<HEADER>()?;
        let group = u16::from_be_bytes([head[4], head[5]]);
        // The answer's operation is the request's and one.
        let is_its = head[0] & 7 == command.op as u8 + 1
            && group == command.group
            && (head[6], head[7]) == (seq, command.id);
        let length = usize::from(u16::from_be_bytes([head[2], head[3]]));
        let body = body.get(..length).filter(|_| is_its)?;
        match ciborium::from_reader(body) {
            Ok(Value::Map(map)) => Some(Self { map }),
            _ => None,
        }
    }

    fn get(&self, key: &str) -> Option<&Value> {
        in_map(&self.map, key)
    }

    /// A number in the map.
    pub(super) fn number(&self, key: &str) -> Option<u32> {
        number(self.get(key)?)
    }

    /// A text in the map.
    pub(super) fn text(&self, key: &str) -> Option<&str> {
        self.get(key)?.as_text()
    }

    /// Bytes in the map.
    pub(super) fn bytes(&self, key: &str) -> Option<&[u8]> {
        self.get(key)?.as_bytes().map(Vec::as_slice)
    }

    /// Whether it refuses, and how.
    pub(super) fn refusal(&self) -> Option<Refusal> {
        if let Some(Value::Map(error)) = self.get("err") {
            let part = |key| in_map(error, key).and_then(number);
            let group = part("group").and_then(|group| u16::try_from(group).ok());
            return Some(Refusal { group, rc: part("rc")? });
        }
        let rc = self.number("rc").filter(|rc| *rc != 0)?;
        Some(Refusal { group: None, rc })
    }
}

fn in_map<'a>(map: &'a [(Value, Value)], key: &str) -> Option<&'a Value> {
    map.iter().find(|(name, _)| name.as_text() == Some(key)).map(|(_, value)| value)
}

fn number(value: &Value) -> Option<u32> {
    u32::try_from(i128::from(value.as_integer()?)).ok()
}

/// A refusal in words, after `smp_protocol.rst` and `smp_group_8.rst`.
pub(super) fn in_words(refusal: Refusal) -> String {
    let meaning = match (refusal.group, refusal.rc) {
        (None, 2) => "out of memory",
        (None, 3) => "an argument is wrong",
        (None, 5) => "no such entry",
        (None, 7) => "the answer is too long for its buffer",
        (None, 8) => "its firmware does not have this command",
        (None, 10) => "it is busy",
        (None, 11) => "access denied",
        (Some(FS), 2) => "the file's name is wrong",
        (Some(FS), 3) => "there is no such file",
        (Some(FS), 4) => "it is a directory",
        (Some(FS), 5) => "the file can't be opened",
        (Some(FS), 6) => "the file can't be positioned",
        (Some(FS), 7) => "the file can't be read",
        (Some(FS), 8) => "the file can't be cut",
        (Some(FS), 10) => "the file can't be written; the file system may be full",
        (Some(FS), 11) => "the file has another length",
        (Some(FS), 13) => "it has no SHA-256",
        (Some(FS), 14) => "no file system is mounted there",
        (Some(FS), 15) => "the file system is read-only",
        (Some(FS), 16) => "the file is empty",
        _ => "no meaning known",
    };
    match refusal.group {
        Some(group) => format!("error {} of group {group} ({meaning})", refusal.rc),
        None => format!("error {} ({meaning})", refusal.rc),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(command: Command, seq: u8, body: &str) -> Vec<u8> {
        let value: serde_json::Value = serde_json::from_str(body).unwrap();
        let mut cbor = Vec::new();
        ciborium::into_writer(&value, &mut cbor).unwrap();
        let length = u16::try_from(cbor.len()).unwrap().to_be_bytes();
        let group = command.group.to_be_bytes();
        let op = (command.op as u8 + 1) | VERSION_2;
        let head = [op, 0, length[0], length[1], group[0], group[1], seq, command.id];
        [&head[..], &cbor].concat()
    }

    #[test]
    fn a_request_is_a_header_and_a_map() {
        let mut into = [0; 64];
        let length = write(ECHO, 1, &[("d", Item::Text("hi"))], &mut into).unwrap();
        assert_eq!(into[..length], *b"\x0a\0\0\x06\0\0\x01\0\xa1\x61d\x62hi");
        assert_eq!(write(ECHO, 1, &[("d", Item::Text("hi"))], &mut into[..12]), None);
    }

    #[test]
    fn numbers_and_bytes_have_their_shortest_heads() {
        for (number, expected) in [
            (23, &[0x17][..]),
            (24, &[0x18, 24]),
            (300, &[0x19, 1, 0x2c]),
            (70_000, &[0x1a, 0, 1, 0x11, 0x70]),
        ] {
            let mut into = [0; 32];
            let length = write(STATUS, 0, &[("o", Item::Number(number))], &mut into).unwrap();
            assert_eq!(&into[11..length], expected);
        }
    }

    #[test]
    fn only_the_answer_to_this_question_is_read() {
        let message = reply(STATUS, 7, r#"{"len":12}"#);
        assert_eq!(Reply::read(&message, STATUS, 7).unwrap().number("len"), Some(12));
        assert_eq!(Reply::read(&message, STATUS, 8), None);
        assert_eq!(Reply::read(&message, HASH, 7), None);
        assert_eq!(Reply::read(&message[..10], STATUS, 7), None);
        assert_eq!(Reply::read(&[0xff; 30], STATUS, 7), None);
    }

    #[test]
    fn a_refusal_is_read_in_both_versions_of_the_protocol() {
        let read = |body| Reply::read(&reply(STATUS, 1, body), STATUS, 1).unwrap().refusal();
        let refusal = Refusal { group: Some(8), rc: 3 };
        assert_eq!(read(r#"{"err":{"group":8,"rc":3}}"#), Some(refusal));
        assert_eq!(read(r#"{"rc":8}"#), Some(Refusal { group: None, rc: 8 }));
        assert_eq!(read(r#"{"rc":0}"#), None);
        assert!(in_words(refusal).contains("no such file"));
    }
}
