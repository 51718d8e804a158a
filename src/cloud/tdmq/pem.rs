//! Certificates as the API takes and returns them: PEM.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use crate::domain::ids::Fingerprint;

const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
const END: &str = "-----END CERTIFICATE-----";

/// One certificate as PEM, lines of 64 characters.
pub(super) fn encode(der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let mut pem = format!("{BEGIN}\n");
    let mut rest = text.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at(rest.len().min(64));
        pem.push_str(line);
        pem.push('\n');
        rest = after;
    }
    pem.push_str(END);
    pem.push('\n');
    pem
}

/// The DER of the first certificate in a text: the cloud may return what stands above it
/// too. None where there is no certificate that can be read.
pub(super) fn first_der(text: &str) -> Option<Vec<u8>> {
    let (_, rest) = text.split_once(BEGIN)?;
    let (body, _) = rest.split_once(END)?;
    let digits: String = body.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    STANDARD.decode(digits).ok().filter(|der| !der.is_empty())
}

/// SHA-256 of the first certificate's DER.
pub(super) fn fingerprint(text: &str) -> Option<Fingerprint> {
    first_der(text).map(|der| Fingerprint::new(Sha256::digest(der).into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_encoded_reads_back() {
        for length in [1, 47, 48, 49, 96, 487] {
            let der: Vec<u8> = (0..length).map(|byte| byte as u8).collect();
            let pem = encode(&der);
            assert!(pem.lines().all(|line| line.len() <= 64));
            assert_eq!(first_der(&pem), Some(der));
        }
    }

    #[test]
    fn the_first_of_several_certificates_counts_however_its_lines_end() {
        let (leaf, above) = (encode(b"leaf"), encode(b"ca"));
        let both = format!("subject=CN\r\n{}{above}", leaf.replace('\n', "\r\n"));
        assert_eq!(first_der(&both).as_deref(), Some(b"leaf".as_slice()));
        assert_eq!(fingerprint(&both), fingerprint(&leaf));
        assert_ne!(fingerprint(&both), fingerprint(&above));
    }

    #[test]
    fn what_is_no_certificate_has_no_fingerprint() {
        let empty = format!("{BEGIN}\n{END}");
        let damaged = encode(b"leaf").replace("bGVhZg", "b*VhZg");
        for text in ["", "MIIB", BEGIN, empty.as_str(), damaged.as_str()] {
            assert_eq!(fingerprint(text), None, "{text}");
        }
    }
}
