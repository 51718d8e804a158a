//! Signs certificates: a device's by the product's profile, and the journal key's.

use rcgen::{
    CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, KeyUsagePurpose,
    SerialNumber,
};
use time::OffsetDateTime;

use super::authority::Authority;
use super::ca_certificate::{CA_CERTIFICATE, refused};
use super::check::{Expected, Purpose, check};
use super::error::PkiError;
use super::fingerprint::fingerprint_of;
use super::profile::Profile;
use super::signer::Subject;
use crate::domain::cause::Told;
use crate::domain::certificate::Certificate;
use crate::domain::clock::Timestamp;
use crate::domain::ids::{CertificateSn, ClientId, PublicKey};
use crate::say;

/// What differs from one device's certificate to the next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssueRequest {
    /// The device's public key.
    pub public_key: PublicKey,
    /// The client id, which becomes the CN.
    pub client_id: ClientId,
    /// The serial number, reserved before.
    pub sn: CertificateSn,
    /// The station's wall clock.
    pub now: Timestamp,
}

/// A fresh serial number.
pub fn random_sn() -> Result<CertificateSn, PkiError> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(PkiError::Random)?;
    Ok(CertificateSn::from_random(bytes))
}

impl Authority {
    /// Signs a device's certificate, reads it back, compares each part with what was asked
    /// for and verifies it under the CA; only then is it given out.
    pub fn issue(
        &self,
        request: &IssueRequest,
        profile: &Profile,
    ) -> Result<Certificate, PkiError> {
        self.ca.check_valid_at(request.now)?;
        let expected = Expected {
            sn: &request.sn,
            organization: profile.organization(),
            organizational_unit: profile.organizational_unit(),
            common_name: request.client_id.as_str(),
            public_key: &request.public_key,
            not_before: self.start_of(request.now, profile.backdate()),
            not_after: self.end_of(profile, request.now)?,
            purpose: Purpose::Device,
        };
        let der = self.sign_checked(&expected)?;
        Ok(Certificate {
            sn: request.sn,
            fingerprint: fingerprint_of(&der),
            der: der.into(),
            public_key: request.public_key,
            issuer: self.ca.fingerprint,
            not_before: expected.not_before,
            not_after: expected.not_after,
        })
    }

    /// The start of validity, in whole seconds: set back, but never before the CA's.
    pub(super) fn start_of(&self, now: Timestamp, backdate: std::time::Duration) -> Timestamp {
        let back = i64::try_from(backdate.as_secs()).unwrap_or(i64::MAX);
        let start = now.seconds().saturating_sub(back).max(self.ca.not_before.seconds());
        Timestamp(start.saturating_mul(1_000_000))
    }

    /// Signs once at start-up, for nobody: a CA whose subject rcgen can't repeat byte for
    /// byte, or whose key does not work, is found before the first device is in a slot.
    pub(super) fn rehearse(&self) -> Result<(), PkiError> {
        let expected = Expected {
            sn: &CertificateSn::from_random([0; 16]),
            organization: None,
            organizational_unit: None,
            common_name: "rehearsal",
            public_key: &self.ca.public_key,
            not_before: self.ca.not_before,
            not_after: self.ca.not_before,
            purpose: Purpose::Journal,
        };
        let unusable = |error| match error {
            PkiError::Token(_) => error,
            _ => refused(
                CA_CERTIFICATE,
                say!("can't be issued with", "不能用来签发").then(&error.sentence()),
            ),
        };
        self.sign_checked(&expected).map(|_| ()).map_err(unusable)
    }

    /// Signs what is expected and checks that it came out so.
    pub(super) fn sign_checked(&self, expected: &Expected<'_>) -> Result<Vec<u8>, PkiError> {
        let signed = parameters(expected)?
            .signed_by(&Subject(expected.public_key), &self.issuer)
            .map_err(|error| self.cannot_sign(&error))?;
        let der = signed.der().to_vec();
        check(&der, expected, &self.ca)?;
        Ok(der)
    }
}

fn parameters(expected: &Expected<'_>) -> Result<CertificateParams, PkiError> {
    let mut parameters = CertificateParams::default();
    parameters.distinguished_name = subject(expected);
    parameters.serial_number = Some(SerialNumber::from_slice(expected.sn.as_bytes()));
    parameters.not_before = utc(expected.not_before)?;
    parameters.not_after = utc(expected.not_after)?;
    // Not `NoCa`: rcgen would leave out basic constraints and the subject key identifier.
    parameters.is_ca = IsCa::ExplicitNoCa;
    parameters.use_authority_key_identifier_extension = true;
    parameters.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    parameters.extended_key_usages = vec![match expected.purpose {
        Purpose::Device => ExtendedKeyUsagePurpose::ClientAuth,
        Purpose::Journal => ExtendedKeyUsagePurpose::Other(Purpose::DOCUMENT_SIGNING.to_vec()),
    }];
    Ok(parameters)
}

fn subject(expected: &Expected<'_>) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    if let Some(organization) = expected.organization {
        name.push(DnType::OrganizationName, organization);
    }
    if let Some(unit) = expected.organizational_unit {
        name.push(DnType::OrganizationalUnitName, unit);
    }
    name.push(DnType::CommonName, expected.common_name);
    name
}

/// In UTC: rcgen chooses between the two ASN.1 time types by the year of the local date.
pub(super) fn utc(time: Timestamp) -> Result<OffsetDateTime, PkiError> {
    OffsetDateTime::from_unix_timestamp(time.seconds()).map_err(|_| PkiError::Sign {
        problem: say!("{time} is no date of the calendar", "{time} 不是日历上的日期"),
    })
}
