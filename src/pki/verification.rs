//! The certificate by which a CA shows a cloud that its key is here.
//!
//! The cloud gives out a code; whoever can have the CA sign a certificate with that code
//! as its CN holds the CA's key.

use std::time::Duration;

use p256::SecretKey;
use p256::elliptic_curve::Generate;

use super::authority::Authority;
use super::check::{Expected, Purpose};
use super::error::PkiError;
use super::issue::random_sn;
use super::signer::public_point;
use crate::domain::clock::Timestamp;
use crate::domain::ids::ClientId;
use crate::say;

/// It is used within seconds; a day leaves time to carry it to a console.
const VALID: Duration = Duration::from_secs(24 * 3600);

/// The cloud's clock may be behind the station's.
const BACKDATE: Duration = Duration::from_secs(3600);

impl Authority {
    /// Signs a verification certificate for one day; gives its DER.
    ///
    /// Its key is made for it alone and is wiped before this returns: nobody can ever
    /// connect with this certificate.
    pub fn verification_certificate(
        &self,
        code: &ClientId,
        now: Timestamp,
    ) -> Result<Vec<u8>, PkiError> {
        self.ca.check_valid_at(now)?;
        let key = SecretKey::try_generate().map_err(|_| no_key())?;
        let public_key = public_point(&key).ok_or_else(no_key)?;
        // The scalar is zeroed as it goes.
        drop(key);
        let not_before = self.start_of(now, BACKDATE);
        let end = not_before.0.saturating_add(i64::try_from(VALID.as_micros()).unwrap_or(0));
        self.sign_checked(&Expected {
            sn: &random_sn()?,
            organization: None,
            organizational_unit: None,
            common_name: code.as_str(),
            public_key: &public_key,
            not_before,
            not_after: Timestamp(end.min(self.ca.not_after.0)),
            purpose: Purpose::Device,
        })
    }
}

fn no_key() -> PkiError {
    PkiError::Sign { problem: say!("no key could be made", "无法生成密钥") }
}
