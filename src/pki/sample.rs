//! Identities of a throw-away CA, with which a broker is tried: they protect nothing, and
//! their keys are in ordinary memory.

use std::net::IpAddr;

use p256::SecretKey;
use p256::pkcs8::{EncodePrivateKey, LineEnding};
use rcgen::{
    CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, KeyUsagePurpose,
    SanType, SerialNumber,
};
use zeroize::Zeroizing;

use super::authority::Authority;
use super::error::PkiError;
use super::init::{AuthorityRequest, CA_BACKDATE, new_key, throw_away};
use super::issue::{IssueRequest, random_sn, utc};
use super::profile::{Profile, ValidFor};
use super::signer::{Subject, public_point};
use crate::domain::certificate::Certificate;
use crate::domain::clock::Timestamp;
use crate::domain::ids::ClientId;
use crate::say;

/// A client of a throw-away CA.
pub struct SampleClient {
    /// Its certificate.
    pub certificate: Certificate,
    /// Its key, PKCS#8 in DER.
    pub key: Zeroizing<Vec<u8>>,
}

/// A server of a throw-away root, on this machine.
pub struct SampleServer {
    /// The root by which it is known, DER.
    pub root: Vec<u8>,
    /// Its certificate, PEM.
    pub certificate: String,
    /// Its key, PKCS#8 in PEM, in clear.
    pub key: Zeroizing<String>,
}

impl Authority {
    /// Issues a certificate by this profile, as for a device, with a key made for it.
    pub fn sample_client(
        &self,
        client_id: &ClientId,
        profile: &Profile,
        now: Timestamp,
    ) -> Result<SampleClient, PkiError> {
        let key = new_key()?;
        let public_key = public_point(&key).ok_or_else(unusable)?;
        let request =
            IssueRequest { public_key, client_id: client_id.clone(), sn: random_sn()?, now };
        let certificate = self.issue(&request, profile)?;
        Ok(SampleClient { certificate, key: pkcs8(&key)? })
    }
}

/// PKCS#8 in DER of a P-256 scalar; none where it is no key.
pub fn pkcs8_of(scalar: &[u8; 32]) -> Option<Zeroizing<Vec<u8>>> {
    pkcs8(&SecretKey::from_slice(scalar).ok()?).ok()
}

/// Makes a server for this address, valid for a day, and a root above it.
pub fn sample_server(address: IpAddr, now: Timestamp) -> Result<SampleServer, PkiError> {
    let root = throw_away(&AuthorityRequest {
        common_name: "Broker of a self-test, not to be trusted".to_owned(),
        valid_for: ValidFor::Days(2),
        backdate: CA_BACKDATE,
        now,
    })?;
    let key = new_key()?;
    let public_key = public_point(&key).ok_or_else(unusable)?;
    let mut parameters = CertificateParams::default();
    parameters.distinguished_name = DistinguishedName::new();
    parameters.distinguished_name.push(DnType::CommonName, "broker");
    parameters.serial_number = Some(SerialNumber::from_slice(random_sn()?.as_bytes()));
    parameters.subject_alt_names = vec![SanType::IpAddress(address)];
    parameters.not_before = utc(Timestamp(now.0.saturating_sub(3_600_000_000)))?;
    parameters.not_after = utc(Timestamp(now.0.saturating_add(86_400_000_000)))?;
    parameters.is_ca = IsCa::ExplicitNoCa;
    parameters.use_authority_key_identifier_extension = true;
    parameters.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let signed = parameters
        .signed_by(&Subject(&public_key), &root.issuer)
        .map_err(|error| root.cannot_sign(&error))?;
    Ok(SampleServer {
        root: root.certificate_der().to_vec(),
        certificate: super::certificate_file::certificate_pem(signed.der())?,
        key: key.to_pkcs8_pem(LineEnding::LF).map_err(|_| unusable())?,
    })
}

fn pkcs8(key: &SecretKey) -> Result<Zeroizing<Vec<u8>>, PkiError> {
    Ok(key.to_pkcs8_der().map_err(|_| unusable())?.to_bytes())
}

fn unusable() -> PkiError {
    PkiError::Sign { problem: say!("no key could be made", "无法生成密钥") }
}
