//! Certificates as PEM texts: the form in which families keep them that know no other.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::error::LinkError;

const BEGIN: &str = "-----BEGIN CERTIFICATE-----\n";
const END: &str = "-----END CERTIFICATE-----\n";

/// Certificates as PEM; they come as DER, one behind the other.
pub(super) fn to_pem(ders: &[u8], part: &'static str) -> Result<Vec<u8>, LinkError> {
    let unfit = || LinkError::Unfit { part, why: "it is no certificate in DER".to_owned() };
    let (mut pem, mut rest) = (String::new(), ders);
    while !rest.is_empty() {
        let [0x30, 0x82, high, low, ..] = rest else { return Err(unfit()) };
        let length = 4 + usize::from(u16::from_be_bytes([*high, *low]));
        let (der, behind) = rest.split_at_checked(length).ok_or_else(unfit)?;
        pem.push_str(BEGIN);
        let text = STANDARD.encode(der);
        for line in text.as_bytes().chunks(LINE) {
            pem.push_str(&String::from_utf8_lossy(line));
            pem.push('\n');
        }
        pem.push_str(END);
        rest = behind;
    }
    Ok(pem.into_bytes())
}

/// Characters of a line.
pub(super) const LINE: usize = 64;

/// Writes a text between its first and its last line into lent memory, each line where it belongs:
/// as a whole it never stands anywhere else. Its length; none where the memory is too short.
pub(super) fn write_between(
    (begin, end): (&[u8], &[u8]),
    der: &[u8],
    memory: &mut [u8],
) -> Option<usize> {
    memory.get_mut(..begin.len())?.copy_from_slice(begin);
    let mut next = begin.len();
    // So many bytes make one line.
    for part in der.chunks(LINE / 4 * 3) {
        let length = STANDARD.encode_slice(part, memory.get_mut(next..)?).ok()?;
        *memory.get_mut(next + length)? = b'\n';
        next += length + 1;
    }
    memory.get_mut(next..next + end.len())?.copy_from_slice(end);
    Some(next + end.len())
}

/// The first certificate of a file that the station wrote, DER; none where the file is not
/// whole. It is compared by hash afterwards, so nothing else is looked for in it.
pub(super) fn first_certificate(pem: &[u8]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(pem).ok()?;
    let text = text.strip_prefix(BEGIN)?;
    text.ends_with(END).then_some(())?;
    let (body, _) = text.split_once(END)?;
    STANDARD.decode(body.replace('\n', "")).ok()
}

/// The first certificate in a text of anybody's, DER: with any line ends, and whatever stands
/// around it. None where none is whole.
pub(super) fn certificate_in(text: &[u8]) -> Option<Vec<u8>> {
    let text = String::from_utf8_lossy(text);
    let (_, rest) = text.split_once(BEGIN.trim_end())?;
    let (body, _) = rest.split_once(END.trim_end())?;
    let body: String = body.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    let der = STANDARD.decode(body).ok()?;
    let [0x30, 0x82, high, low, ..] = der[..] else { return None };
    (der.len() == 4 + usize::from(u16::from_be_bytes([high, low]))).then_some(der)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn certificates_become_pem_and_the_first_comes_back() {
        let der = |fill: u8, length: u8| {
            let mut der = vec![0x30, 0x82, 0, length];
            der.extend(vec![fill; length.into()]);
            der
        };
        let both = [der(1, 100), der(2, 60)].concat();
        let pem = to_pem(&both, "the certificate").unwrap();
        assert_eq!(first_certificate(&pem), Some(der(1, 100)));
        for cut in 0..pem.len() {
            assert!(
                first_certificate(&pem[..cut]).is_none() || pem[..cut].ends_with(END.as_bytes())
            );
        }
        assert!(to_pem(&both[..50], "the certificate").is_err());
        assert_eq!(first_certificate(&[0]), None);
    }

    #[test]
    fn a_certificate_is_found_with_any_line_ends_and_only_where_it_is_whole() {
        let der = [&[0x30, 0x82, 0, 60][..], &[5; 60]].concat();
        let pem = String::from_utf8(to_pem(&der, "the certificate").unwrap()).unwrap();
        let theirs = pem.replace('\n', "\r\n");
        assert_eq!(certificate_in(theirs.trim_end().as_bytes()), Some(der));
        assert_eq!(certificate_in(&pem.as_bytes()[..90]), None);
        let torn = pem.replacen("BQUF", "", 1);
        assert_eq!(certificate_in(torn.as_bytes()), None);
    }
}
