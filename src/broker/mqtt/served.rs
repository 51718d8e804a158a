//! What a broker hears of a client, in MQTT 3.1.1 and 5, and answers (OASIS standards
//! mqtt-v3.1.1 and mqtt-v5.0, section 3).

use std::io::{self, Read};

use super::invalid;

/// The longest packet of a client that is read: a CONNECT with a name, a password and a will.
const LONGEST: usize = 64 << 10;

/// The filters of one SUBSCRIBE that are answered.
const MOST_FILTERS: usize = 64;

const CONNECT: u8 = 0x10;
const PUBACK: u8 = 0x40;
const PUBREC: u8 = 0x50;
const PUBREL: u8 = 0x62;
const PUBCOMP: u8 = 0x70;
const SUBSCRIBE: u8 = 0x82;
const SUBACK: u8 = 0x90;
const UNSUBSCRIBE: u8 = 0xa2;
const UNSUBACK: u8 = 0xb0;
const PINGREQ: u8 = 0xc0;
const PINGRESP: u8 = 0xd0;
const DISCONNECT: u8 = 0xe0;

/// The version that a client speaks: some answers differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Version {
    V3,
    V5,
}

impl Version {
    /// CONNACK for a new session.
    pub(crate) fn accepted(self) -> Vec<u8> {
        self.answer(0x20, [0, 0])
    }

    /// A packet of two bytes and, in version 5, no properties.
    fn answer(self, kind: u8, body: [u8; 2]) -> Vec<u8> {
        let [first, second] = body;
        match self {
            Version::V3 => vec![kind, 2, first, second],
            Version::V5 => vec![kind, 3, first, second, 0],
        }
    }
}

/// A client's CONNECT.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Connect {
    pub(crate) version: Version,
    pub(crate) client_id: String,
}

/// What a client did behind its CONNECT.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Deed {
    /// It published, subscribed or pinged, and gets this answer, where it wants one.
    Spoke(Vec<u8>),
    /// It said good-bye, or closed the connection.
    Left,
}

/// Reads a client's CONNECT.
pub(crate) fn read_connect(from: &mut impl Read) -> io::Result<Connect> {
    let (kind, body) = read_packet(from)?;
    if kind != CONNECT {
        return Err(invalid("the first packet is no CONNECT"));
    }
    connect(&body).ok_or_else(|| invalid("CONNECT can't be read"))
}

fn connect(body: &[u8]) -> Option<Connect> {
    let (name, rest) = field(body)?;
    let (level, rest) = rest.split_first()?;
    let version = match (name, level) {
        (b"MQTT", 4) => Version::V3,
        (b"MQTT", 5) => Version::V5,
        _ => return None,
    };
    // Flags and keep alive.
    let rest = behind_properties(version, rest.get(3..)?)?;
    let client_id = String::from_utf8(field(rest)?.0.to_vec()).ok()?;
    Some(Connect { version, client_id })
}

/// Reads what a client does next.
pub(crate) fn read_deed(from: &mut impl Read, version: Version) -> io::Result<Deed> {
    let (kind, body) = match read_packet(from) {
        Ok(packet) => packet,
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(Deed::Left),
        Err(error) => return Err(error),
    };
    let unread = || invalid("a packet behind CONNECT can't be read");
    let answer = match kind {
        DISCONNECT => return Ok(Deed::Left),
        PINGREQ => Some(vec![PINGRESP, 0]),
        PUBREL => number(&body).map(|[high, low]| vec![PUBCOMP, 2, high, low]),
        SUBSCRIBE => subscribed(version, &body),
        UNSUBSCRIBE => unsubscribed(version, &body),
        0x30..=0x3f => published(kind, &body),
        _ => return Err(invalid("a packet that no client sends")),
    };
    answer.map(Deed::Spoke).ok_or_else(unread)
}

/// The answer to PUBLISH, by its quality of service.
fn published(kind: u8, body: &[u8]) -> Option<Vec<u8>> {
    let behind = field(body)?.1;
    let answer = |kind| number(behind).map(|[high, low]| vec![kind, 2, high, low]);
    match kind >> 1 & 3 {
        0 => Some(Vec::new()),
        1 => answer(PUBACK),
        2 => answer(PUBREC),
        _ => None,
    }
}

/// SUBACK that grants each filter what it asks for.
fn subscribed(version: Version, body: &[u8]) -> Option<Vec<u8>> {
    let mut rest = behind_properties(version, body.get(2..)?)?;
    let mut granted = Vec::new();
    while !rest.is_empty() {
        let (options, behind) = field(rest)?.1.split_first()?;
        granted.push(options & 3);
        rest = behind;
    }
    acknowledged(SUBACK, version, body, &granted)
}

fn unsubscribed(version: Version, body: &[u8]) -> Option<Vec<u8>> {
    let mut rest = behind_properties(version, body.get(2..)?)?;
    let mut codes = Vec::new();
    while !rest.is_empty() {
        rest = field(rest)?.1;
        codes.push(0);
    }
    let told: &[u8] = if version == Version::V5 { &codes } else { &[] };
    acknowledged(UNSUBACK, version, body, told)
}

fn acknowledged(kind: u8, version: Version, body: &[u8], codes: &[u8]) -> Option<Vec<u8>> {
    if codes.len() > MOST_FILTERS {
        return None;
    }
    let properties: &[u8] = if version == Version::V5 { &[0] } else { &[] };
    let length = u8::try_from(2 + properties.len() + codes.len()).ok()?;
    Some([&[kind, length], &number(body)?[..], properties, codes].concat())
}

/// The number of the packet at the beginning of its body.
fn number(body: &[u8]) -> Option<[u8; 2]> {
    body.first_chunk::<2>().copied()
}

/// What stands behind the properties that version 5 has.
fn behind_properties(version: Version, body: &[u8]) -> Option<&[u8]> {
    match version {
        Version::V3 => Some(body),
        Version::V5 => {
            let (length, behind) = varint(body)?;
            behind.get(length..)
        }
    }
}

/// A string or binary field: its bytes, and what is behind it.
fn field(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<2>()?;
    rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))
}

fn varint(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let mut value = 0;
    for (index, byte) in bytes.iter().take(4).enumerate() {
        value |= usize::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            return Some((value, bytes.get(index + 1..)?));
        }
    }
    None
}

fn read_packet(from: &mut impl Read) -> io::Result<(u8, Vec<u8>)> {
    let mut byte = [0];
    from.read_exact(&mut byte)?;
    let [kind] = byte;
    let (mut length, mut shift) = (0_usize, 0);
    loop {
        from.read_exact(&mut byte)?;
        length |= usize::from(byte[0] & 0x7f) << shift;
        shift += 7;
        match byte[0] & 0x80 {
            0 => break,
            _ if shift > 21 => return Err(invalid("a packet's length has no end")),
            _ => {}
        }
    }
    if length > LONGEST {
        return Err(invalid("a packet is too long"));
    }
    let mut body = vec![0; length];
    from.read_exact(&mut body)?;
    Ok((kind, body))
}

#[cfg(test)]
mod tests {
    use super::super::{DISCONNECT, connect, publish};
    use super::*;

    fn deed(version: Version, packet: &[u8]) -> Deed {
        read_deed(&mut &packet[..], version).unwrap()
    }

    #[test]
    fn a_clients_connect_is_read_in_both_versions() {
        let said = read_connect(&mut &connect("TH200-1")[..]).unwrap();
        assert_eq!(said, Connect { version: Version::V3, client_id: "TH200-1".to_owned() });
        let of_five = b"\x10\x13\x00\x04MQTT\x05\x02\x00\x1e\x05\x11\x00\x00\x00\x01\x00\x01a";
        let said = read_connect(&mut &of_five[..]).unwrap();
        assert_eq!(said, Connect { version: Version::V5, client_id: "a".to_owned() });
        for cut in 0..connect("TH200-1").len() {
            assert!(read_connect(&mut &connect("TH200-1")[..cut]).is_err(), "{cut}");
        }
        let endless = b"\x10\xff\xff\xff\xff\xff\x01";
        assert!(read_connect(&mut &endless[..]).is_err());
    }

    #[test]
    fn connack_has_the_form_of_its_version() {
        assert_eq!(Version::V3.accepted(), [0x20, 2, 0, 0]);
        assert_eq!(Version::V5.accepted(), [0x20, 3, 0, 0, 0]);
    }

    #[test]
    fn what_shows_that_connack_came_gets_its_answer() {
        use Version::{V3, V5};
        let spoke = |bytes: &[u8]| Deed::Spoke(bytes.to_vec());
        assert_eq!(deed(V3, b"\xc0\x00"), spoke(b"\xd0\x00"));
        assert_eq!(deed(V3, &publish("t", b"x")), spoke(b"\x40\x02\x00\x01"));
        assert_eq!(deed(V3, b"\x30\x04\x00\x01tx"), spoke(b""));
        assert_eq!(deed(V3, b"\x34\x06\x00\x01t\x00\x07x"), spoke(b"\x50\x02\x00\x07"));
        assert_eq!(deed(V3, b"\x62\x02\x00\x07"), spoke(b"\x70\x02\x00\x07"));
        assert_eq!(deed(V3, b"\x82\x06\x00\x09\x00\x01t\x01"), spoke(b"\x90\x03\x00\x09\x01"));
        let of_five = b"\x82\x07\x00\x09\x00\x00\x01t\x02";
        assert_eq!(deed(V5, of_five), spoke(b"\x90\x04\x00\x09\x00\x02"));
        assert_eq!(deed(V3, b"\xa2\x05\x00\x09\x00\x01t"), spoke(b"\xb0\x02\x00\x09"));
        assert_eq!(deed(V5, b"\xa2\x06\x00\x09\x00\x00\x01t"), spoke(b"\xb0\x04\x00\x09\x00\x00"));
    }

    #[test]
    fn a_client_that_leaves_has_said_nothing() {
        assert_eq!(deed(Version::V3, &DISCONNECT), Deed::Left);
        assert_eq!(deed(Version::V3, b""), Deed::Left);
        assert!(read_deed(&mut &b"\x36\x06\x00\x01t\x00\x07x"[..], Version::V3).is_err());
        assert!(read_deed(&mut &b"\x20\x02\x00\x00"[..], Version::V3).is_err());
    }

    #[test]
    fn a_subscription_to_far_too_much_is_refused() {
        let body = [&[0, 1][..], &b"\x00\x01t\x00".repeat(65)].concat();
        let packet = [&[0x82, 0x86, 0x02][..], &body].concat();
        assert!(read_deed(&mut &packet[..], Version::V3).is_err());
    }
}
