//! The packets of MQTT 3.1.1 that one connection and one message need (OASIS standard
//! mqtt-v3.1.1, section 3).

use std::io::{self, Read};

/// A packet that is read is no longer than this: the two that are awaited have four bytes.
const LONGEST: usize = 64;

/// Why a broker answers CONNECT with no.
pub(super) const fn refusal(code: u8) -> &'static str {
    match code {
        1 => "it does not speak MQTT 3.1.1",
        2 => "it does not take the client id",
        3 => "it is not available",
        4 => "it does not take the name or password",
        5 => "the client is not authorised",
        _ => "with a code that MQTT does not have",
    }
}

/// CONNECT with a clean session and nothing but a client id.
pub(super) fn connect(client_id: &str) -> Vec<u8> {
    const CLEAN_SESSION: u8 = 0x02;
    const KEEP_ALIVE: [u8; 2] = [0, 30];
    let mut body = text("MQTT");
    body.extend([4, CLEAN_SESSION]);
    body.extend(KEEP_ALIVE);
    body.extend(text(client_id));
    packet(0x10, body)
}

/// PUBLISH with quality of service 1, as packet 1.
pub(super) fn publish(topic: &str, payload: &[u8]) -> Vec<u8> {
    let mut body = text(topic);
    body.extend([0, 1]);
    body.extend(payload);
    packet(0x32, body)
}

/// CONNACK for a new session.
pub(super) const ACCEPTED: [u8; 4] = [0x20, 2, 0, 0];

/// PUBACK for a packet.
pub(super) fn acknowledged(packet: u16) -> [u8; 4] {
    let [high, low] = packet.to_be_bytes();
    [0x40, 2, high, low]
}

/// DISCONNECT.
pub(super) const DISCONNECT: [u8; 2] = [0xe0, 0];

fn text(text: &str) -> Vec<u8> {
    let length = u16::try_from(text.len()).unwrap_or(u16::MAX).to_be_bytes();
    [&length[..], text.as_bytes()].concat()
}

fn packet(kind: u8, body: Vec<u8>) -> Vec<u8> {
    let mut packet = vec![kind];
    let mut rest = body.len();
    loop {
        let digit = u8::try_from(rest % 128).unwrap_or(0);
        rest /= 128;
        packet.push(if rest > 0 { digit | 0x80 } else { digit });
        if rest == 0 {
            break;
        }
    }
    packet.extend(body);
    packet
}

/// What a broker said.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Said {
    /// CONNACK with its return code.
    Connack(u8),
    /// PUBACK for this packet.
    Puback(u16),
}

/// Reads the next packet.
pub(super) fn read(from: &mut impl Read) -> io::Result<Said> {
    let malformed = || io::Error::new(io::ErrorKind::InvalidData, "not the answer that MQTT has");
    let mut head = [0; 2];
    from.read_exact(&mut head)?;
    let [kind, length] = head;
    let mut body = vec![0; usize::from(length)];
    if length & 0x80 != 0 || body.len() > LONGEST {
        return Err(malformed());
    }
    from.read_exact(&mut body)?;
    match (kind, body.as_slice()) {
        (0x20, [_, code]) => Ok(Said::Connack(*code)),
        (0x40, [high, low]) => Ok(Said::Puback(u16::from_be_bytes([*high, *low]))),
        _ => Err(malformed()),
    }
}

/// The longest packet of a client that is read: a CONNECT with a name, a password and a will.
const LONGEST_OF_CLIENT: usize = 64 << 10;

/// Reads a client's CONNECT of MQTT 3.1.1 or 5; gives its client id.
pub(super) fn read_connect(from: &mut impl Read) -> io::Result<String> {
    let (kind, body) = read_packet(from)?;
    if kind != 0x10 {
        return Err(invalid("the first packet is no CONNECT"));
    }
    connect_id(&body).ok_or_else(|| invalid("CONNECT can't be read"))
}

fn connect_id(body: &[u8]) -> Option<String> {
    let (name, rest) = field(body)?;
    let (level, rest) = rest.split_first()?;
    if name != b"MQTT" || !matches!(level, 4 | 5) {
        return None;
    }
    // Flags and keep alive.
    let mut rest = rest.get(3..)?;
    if *level == 5 {
        let (length, behind) = varint(rest)?;
        rest = behind.get(length..)?;
    }
    String::from_utf8(field(rest)?.0.to_vec()).ok()
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

/// Reads until a client's next PUBLISH that wants an answer; gives its packet's number.
/// None where the client left.
pub(super) fn read_publish(from: &mut impl Read) -> io::Result<Option<u16>> {
    loop {
        let (kind, body) = match read_packet(from) {
            Ok(packet) => packet,
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
            Err(error) => return Err(error),
        };
        match kind {
            0xe0 => return Ok(None),
            0x32 => {
                let behind = field(&body).map(|(_, behind)| behind);
                let number = behind.and_then(|behind| behind.split_first_chunk::<2>());
                let number = number.ok_or_else(|| invalid("PUBLISH can't be read"))?;
                return Ok(Some(u16::from_be_bytes(*number.0)));
            }
            _ => {}
        }
    }
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
    if length > LONGEST_OF_CLIENT {
        return Err(invalid("a packet is too long"));
    }
    let mut body = vec![0; length];
    from.read_exact(&mut body)?;
    Ok((kind, body))
}

fn invalid(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_are_those_of_the_standard() {
        assert_eq!(connect("a"), b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x1e\x00\x01a");
        assert_eq!(publish("t", b"hi"), b"\x32\x07\x00\x01t\x00\x01hi");
        let long = publish("t", &[0; 200]);
        assert_eq!(long[..3], [0x32, 0xcd, 0x01]);
        assert_eq!(long.len(), 3 + 205);
    }

    #[test]
    fn answers_are_read_and_others_refused() {
        assert_eq!(read(&mut &b"\x20\x02\x00\x05"[..]).unwrap(), Said::Connack(5));
        assert_eq!(read(&mut &b"\x40\x02\x00\x01"[..]).unwrap(), Said::Puback(1));
        for wrong in [&b"\x20\x03\x00\x00\x00"[..], b"\x30\x80\x01", b"\x20\x02\x00"] {
            assert!(read(&mut &wrong[..]).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_clients_connect_is_read_in_both_versions() {
        assert_eq!(read_connect(&mut &connect("TH200-1")[..]).unwrap(), "TH200-1");
        let of_five = b"\x10\x13\x00\x04MQTT\x05\x02\x00\x1e\x05\x11\x00\x00\x00\x01\x00\x01a";
        assert_eq!(read_connect(&mut &of_five[..]).unwrap(), "a");
        for cut in 0..connect("TH200-1").len() {
            assert!(read_connect(&mut &connect("TH200-1")[..cut]).is_err(), "{cut}");
        }
        let endless = b"\x10\xff\xff\xff\xff\xff\x01";
        assert!(read_connect(&mut &endless[..]).is_err());
    }

    #[test]
    fn a_message_that_wants_an_answer_gets_its_number() {
        let said = [&b"\xc0\x00"[..], &publish("t", b"x"), &DISCONNECT].concat();
        let mut from = &said[..];
        assert_eq!(read_publish(&mut from).unwrap(), Some(1));
        assert_eq!(read_publish(&mut from).unwrap(), None);
        assert_eq!(read_publish(&mut &b""[..]).unwrap(), None);
    }
}
