//! The packets of MQTT 3.1.1 that one connection and one message need (OASIS standard
//! mqtt-v3.1.1, section 3). What a broker hears of its clients stands in [`served`].

use std::io::{self, Read};

pub(super) mod served;

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
}
