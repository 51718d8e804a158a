//! What a row of a returned file claims, held against what the ledger knows.

use crate::domain::certificate::CertificateState;
use crate::domain::code::Code;
use crate::domain::ids::{CertificateSn, Fingerprint};
use crate::domain::state::RegistrationState;
use crate::ledger::outbox::Known;

/// That one certificate was registered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// SHA-256 of its DER: what counts.
    pub fingerprint: Fingerprint,
    /// Its serial number, where the row has one.
    pub certificate_sn: Option<CertificateSn>,
    /// The unit's serial, where the row has one.
    pub serial: Option<String>,
    /// Its client id, where the row has one.
    pub client_id: Option<String>,
}

/// What is to be done about a claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It is to be recorded.
    Record(CertificateSn),
    /// The ledger has it as registered already.
    Already,
    /// It is refused.
    Refused {
        /// Why.
        code: Code,
        /// One sentence with the values.
        message: String,
    },
}

/// Holds a claim against what the ledger knows of its certificate.
pub fn judge(claim: &Claim, known: Option<&Known>) -> Verdict {
    let Some(known) = known else {
        let message = "the ledger has no such certificate".to_owned();
        return Verdict::Refused { code: Code::UnitUnknown, message };
    };
    if let Some(message) = difference(claim, known) {
        return Verdict::Refused { code: Code::HandoffMismatch, message };
    }
    match (known.certificate, known.registration) {
        (CertificateState::Proven, RegistrationState::Registered) => Verdict::Already,
        (CertificateState::Proven, _) => Verdict::Record(known.sn),
        (state, _) => {
            let message = format!("certificate {} is {}", known.sn, word(state));
            Verdict::Refused { code: Code::UnitState, message }
        }
    }
}

fn difference(claim: &Claim, known: &Known) -> Option<String> {
    let differs = |what: &str, said: &str, is: &str| {
        (said != is).then(|| format!("its {what} is {said} in the file and {is} in the ledger"))
    };
    let text = |said: &Option<String>| said.clone();
    let fingerprint =
        differs("fingerprint", &claim.fingerprint.to_string(), &known.fingerprint.to_string());
    fingerprint
        .or_else(|| {
            text(&claim.serial).and_then(|said| differs("serial", &said, known.serial.as_str()))
        })
        .or_else(|| {
            text(&claim.client_id)
                .and_then(|said| differs("client id", &said, known.client_id.as_str()))
        })
}

const fn word(state: CertificateState) -> &'static str {
    match state {
        CertificateState::Issued => "issued and not proven",
        CertificateState::Uncertain => "uncertain",
        CertificateState::Proven => "proven",
        CertificateState::Superseded => "superseded",
        CertificateState::Void => "void",
    }
}
