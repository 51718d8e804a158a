//! What a row of a returned file claims, held against what the ledger knows.

use crate::domain::certificate::CertificateState;
use crate::domain::code::Code;
use crate::domain::ids::{CertificateSn, Fingerprint};
use crate::domain::say::{Phrase, Say};
use crate::domain::state::RegistrationState;
use crate::ledger::outbox::Known;
use crate::say;

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
        message: Say,
    },
}

/// Holds a claim against what the ledger knows of its certificate.
pub fn judge(claim: &Claim, known: Option<&Known>) -> Verdict {
    let Some(known) = known else {
        let message = say!("the ledger has no such certificate", "账本里没有这张证书");
        return Verdict::Refused { code: Code::UnitUnknown, message };
    };
    if let Some(message) = difference(claim, known) {
        return Verdict::Refused { code: Code::HandoffMismatch, message };
    }
    match (known.certificate, known.registration) {
        (CertificateState::Proven, RegistrationState::Registered) => Verdict::Already,
        (CertificateState::Proven, _) => Verdict::Record(known.sn),
        (state, _) => {
            let (sn, Phrase { english, chinese }) = (&known.sn, word(state));
            let message = say!("certificate {sn} is {english}", "证书 {sn} 的状态：{chinese}");
            Verdict::Refused { code: Code::UnitState, message }
        }
    }
}

fn difference(claim: &Claim, known: &Known) -> Option<Say> {
    let differs = |(what, in_chinese): (&str, &str), said: &str, is: &str| {
        (said != is).then(|| {
            say!(
                "its {what} is {said} in the file and {is} in the ledger",
                "{in_chinese}在文件里是 {said}，在账本里是 {is}"
            )
        })
    };
    let text = |said: &Option<String>| said.clone();
    let fingerprint = differs(
        ("fingerprint", "指纹"),
        &claim.fingerprint.to_string(),
        &known.fingerprint.to_string(),
    );
    fingerprint
        .or_else(|| {
            text(&claim.serial)
                .and_then(|said| differs(("serial", "序列号"), &said, known.serial.as_str()))
        })
        .or_else(|| {
            text(&claim.client_id).and_then(|said| {
                differs(("client id", "客户端 ID"), &said, known.client_id.as_str())
            })
        })
}

const fn word(state: CertificateState) -> Phrase {
    let (english, chinese) = match state {
        CertificateState::Issued => ("issued and not proven", "已签发，未验证"),
        CertificateState::Uncertain => ("uncertain", "未定"),
        CertificateState::Proven => ("proven", "已验证"),
        CertificateState::Superseded => ("superseded", "已被取代"),
        CertificateState::Void => ("void", "已作废"),
    };
    Phrase { english, chinese }
}
