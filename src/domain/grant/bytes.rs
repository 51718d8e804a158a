//! The canonical bytes of a grant and of what is given back: what is signed, and nothing else.

use super::given_back::GivenBack;
use super::granted::Grant;

/// What stands before a grant's fields, so that its signature is nothing else's.
pub(super) const GRANT_TAG: &[u8] = b"provisioning-station grant 1\n";

/// What stands before the fields of what is given back.
pub(super) const GIVEN_BACK_TAG: &[u8] = b"provisioning-station grant given back 1\n";

/// A text with its length before it, two bytes, big-endian. No id or range is longer.
fn put_text(bytes: &mut Vec<u8>, text: &str) {
    let length = u16::try_from(text.len()).unwrap_or(u16::MAX);
    bytes.extend_from_slice(&length.to_be_bytes());
    bytes.extend_from_slice(text.as_bytes());
}

impl Grant {
    /// What the order key signs.
    pub fn signed_bytes(&self) -> Vec<u8> {
        let mut bytes = GRANT_TAG.to_vec();
        put_text(&mut bytes, self.work_order.as_str());
        put_text(&mut bytes, self.station.as_str());
        bytes.extend_from_slice(self.profile.as_bytes());
        bytes.extend_from_slice(&self.number.get().to_be_bytes());
        bytes.extend_from_slice(&self.quantity.to_be_bytes());
        bytes.extend_from_slice(&self.order_quantity.to_be_bytes());
        let serials = self.serials.as_ref().map(ToString::to_string);
        put_text(&mut bytes, serials.as_deref().unwrap_or_default());
        bytes.extend_from_slice(&self.valid_until.0.to_be_bytes());
        bytes.extend_from_slice(&self.made_at.0.to_be_bytes());
        bytes
    }
}

impl GivenBack {
    /// What the station's journal key signs.
    pub fn signed_bytes(&self) -> Vec<u8> {
        let mut bytes = GIVEN_BACK_TAG.to_vec();
        put_text(&mut bytes, self.work_order.as_str());
        put_text(&mut bytes, self.station.as_str());
        put_text(&mut bytes, &self.instance);
        bytes.extend_from_slice(&self.seq.to_be_bytes());
        bytes.extend_from_slice(&self.made_at.0.to_be_bytes());
        let lines = u32::try_from(self.grants.len()).unwrap_or(u32::MAX);
        bytes.extend_from_slice(&lines.to_be_bytes());
        for line in &self.grants {
            bytes.extend_from_slice(&line.number.get().to_be_bytes());
            for count in [line.quantity, line.given_back, line.used, line.under_way] {
                bytes.extend_from_slice(&count.to_be_bytes());
            }
        }
        bytes
    }
}
