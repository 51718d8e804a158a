//! A conformance run on a new device, with a CA that is made for it and thrown away.
//!
//! It joins the line, which knows the protocol, with the certificates. Neither station.toml
//! nor a ledger nor the station's own CA has a part in it.

use zeroize::Zeroizing;

use super::signals;
use crate::domain::cause::Told;
use crate::domain::certificate::Certificate;
use crate::domain::clock::Timestamp;
use crate::domain::code::Code;
use crate::domain::device::Fault;
use crate::domain::evidence::HeadVerifier;
use crate::domain::identity::SigningRequest;
use crate::domain::ids::{HardwareId, PublicKey};
use crate::domain::say::Say;
use crate::link::Stop;
use crate::link::driver::framed::conformance::{
    self, ConformanceError, Notice, Options, SampleIdentity, Samples, Summary,
};
use crate::link::port::Port;
use crate::link::settings::PortSettings;
use crate::pki::{
    self, Authority, AuthorityRequest, CA_BACKDATE, IssueRequest, PkiError, Profile, ValidFor,
    Verifier,
};
use crate::say;
use crate::shell::Failure;

/// How long anything of such a CA is valid: longer than the longest run.
const VALID_FOR: ValidFor = ValidFor::Days(7);

/// The CN of every certificate that is burned.
const CLIENT_ID: &str = "selftest-00000001";

/// Tries the device at a port; each verdict is told as it is found.
pub fn run(
    settings: PortSettings,
    options: Options,
    now: Timestamp,
    tell: &mut dyn FnMut(Notice<'_>),
) -> Result<Summary, Failure> {
    let workshop = Workshop::new(now)?;
    let stop = Stop::new();
    let asked = stop.clone();
    let _watch = signals::Watch::start(move || asked.set())?;
    let port = Port::open(settings, stop)?;
    conformance::run(port, &workshop, options, tell).map_err(failure)
}

fn failure(error: ConformanceError) -> Failure {
    match error {
        ConformanceError::Link(error) => error.into(),
        ConformanceError::HoldsIdentity => Failure::said(
            Code::DevHoldsIdentity,
            say!(
                "the device holds an identity already, and a run would erase it",
                "设备已有身份，运行会把它擦除"
            ),
        ),
        ConformanceError::Samples(fault) => fault.into(),
    }
}

/// A CA in memory, and what is made and judged with it.
struct Workshop {
    authority: Authority,
    profile: Profile,
    now: Timestamp,
}

impl Workshop {
    fn new(now: Timestamp) -> Result<Self, PkiError> {
        let authority = pki::throw_away(&AuthorityRequest {
            common_name: "Selftest, not to be trusted".to_owned(),
            valid_for: VALID_FOR,
            backdate: CA_BACKDATE,
            now,
        })?;
        let profile = Profile::new(None, None, VALID_FOR, Profile::BACKDATE)?;
        Ok(Self { authority, profile, now })
    }

    fn issue(&self, public_key: PublicKey) -> Result<Certificate, Fault> {
        let client_id = CLIENT_ID.parse();
        let client_id = client_id.map_err(|_| {
            Fault::said(Code::Bug, say!("the client id is none", "客户端 ID 不成立"))
        })?;
        let sn = pki::random_sn()?;
        let request = IssueRequest { public_key, client_id, sn, now: self.now };
        Ok(self.authority.issue(&request, &self.profile)?)
    }
}

impl Samples for Workshop {
    fn identity(&self) -> Result<SampleIdentity, Fault> {
        let mut scalar = Zeroizing::new([0; 32]);
        let public_key = pki::make_key(&mut scalar)
            .ok_or_else(|| Fault::said(Code::Bug, say!("no key could be made", "无法生成密钥")))?;
        let certificate = self.certify(&public_key)?;
        Ok(SampleIdentity { scalar, public_key, certificate })
    }

    fn certify(&self, public_key: &PublicKey) -> Result<Vec<u8>, Fault> {
        Ok(self.issue(*public_key)?.der.to_vec())
    }

    fn ca_certificate(&self) -> Vec<u8> {
        self.authority.certificate_der().to_vec()
    }

    fn is_signed(&self, public_key: &PublicKey, text: &[u8], signature: &[u8; 64]) -> bool {
        Verifier.verify(public_key, text, signature).is_some()
    }

    fn check_request(&self, request: &SigningRequest, hardware: &HardwareId) -> Result<(), Say> {
        match pki::verify_csr(request, hardware) {
            Ok(_) if !pki::has_utf8_subject(&request.der) => Err(say!(
                "names its subject in another form than UTF8String",
                "主题不是 UTF8String"
            )),
            Ok(_) => Ok(()),
            Err(PkiError::SigningRequest { problem }) => Err(problem.into()),
            Err(error) => Err(error.sentence()),
        }
    }
}
