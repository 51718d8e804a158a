//! What the ledger gives out: the stories of [`crate::domain::story`], and a certificate to
//! hand on.

use crate::domain::certificate::Proof;
use crate::domain::ids::WorkOrderId;
use crate::domain::record::CertificateRow;
pub use crate::domain::story::{
    ActStory, AttemptFilter, AttemptStory, CertificateStory, FoundUnit, NamedBy, Outcomes,
    RegistrationStory, Stats, UnitFilter, UnitLine, UnitStory,
};

/// A proven certificate to hand on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportRow {
    /// The certificate and its unit.
    pub row: CertificateRow,
    /// How it was proven.
    pub proof: Option<Proof>,
    /// The unit's work order.
    pub work_order: Option<WorkOrderId>,
    /// Whether it stands in the cloud already.
    pub registered: bool,
}

/// A certificate's DER as PEM.
pub(crate) fn pem(der: &[u8]) -> String {
    let text = base64(der);
    let mut pem = String::from("-----BEGIN CERTIFICATE-----\n");
    for line in text.as_bytes().chunks(64) {
        pem.extend(line.iter().map(|byte| char::from(*byte)));
        pem.push('\n');
    }
    pem.push_str("-----END CERTIFICATE-----\n");
    pem
}

fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let byte = |index: usize| u32::from(group.get(index).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for place in 0..4 {
            let digit = bits >> (18 - 6 * place) & 63;
            let padded = place > group.len();
            let letter = ALPHABET.get(usize::try_from(digit).unwrap_or(0)).copied();
            text.push(if padded { '=' } else { char::from(letter.unwrap_or(b'=')) });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_that_of_rfc_4648() {
        let vectors =
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg==")];
        for (plain, encoded) in vectors {
            assert_eq!(base64(plain.as_bytes()), encoded);
        }
        assert_eq!(base64(&[0xfb, 0xff, 0xfe]), "+//+");
    }

    #[test]
    fn pem_has_lines_of_64() {
        let pem = pem(&[0; 50]);
        assert_eq!(pem.lines().nth(1).unwrap().len(), 64);
        assert_eq!(pem.lines().nth(2).unwrap(), "AAA=");
    }
}
