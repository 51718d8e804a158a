//! Whether one certificate stands in the cloud as the ledger says: asked before a unit leaves.

use super::plan::Nonsense;
use crate::cloud::{CallError, CertificateFilter, Registrar};
use crate::domain::cause::Told;
use crate::domain::ids::to_hex;
use crate::domain::outbox::{Contradicted, Contradiction, Found};
use crate::domain::record::Record;
use crate::domain::registration::{CloudStatus, Registering, SnValue};
use crate::ledger::outbox::Known;

/// What the cloud says of a certificate that the ledger calls registered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stands {
    /// The same.
    AsSaid,
    /// Something else, which is to be recorded.
    Otherwise(Box<Record>),
}

impl Stands {
    fn otherwise(record: Record) -> Stands {
        Stands::Otherwise(Box::new(record))
    }
}

/// What is told of a certificate that somebody else revoked.
pub(super) const REVOKED: &str = "it is revoked in the cloud";

/// Asks the cloud for one certificate.
pub async fn look(
    registrar: &impl Registrar,
    known: &Known,
    registering: Registering,
) -> Result<Stands, CallError> {
    let filter = CertificateFilter::Sn(to_hex(known.sn.as_bytes()));
    let page = registrar.certificates(&filter, 0, 1).await?;
    let asked = SnValue::from(&known.sn);
    let found = page.certificates.iter().find(|found| found.sn.parse() == Ok(asked.clone()));
    let Some(found) = found else {
        if page.total > 0 {
            return Err(nonsense(&Nonsense::NotShown(page.total)));
        }
        let missing = Contradiction::Missing;
        return Ok(contradicted(known, missing, missing.told().to_owned()));
    };
    let its_own = found.client_id.is_empty() || found.client_id == known.client_id.as_str();
    Ok(match found.fingerprint {
        None => return Err(nonsense(&Nonsense::Unreadable)),
        Some(fingerprint) if fingerprint != known.fingerprint => {
            let differs = Contradiction::Differs;
            contradicted(known, differs, differs.told().to_owned())
        }
        Some(_) if !its_own => {
            let message = format!("it stands in the cloud for client id {:?}", found.client_id);
            contradicted(known, Contradiction::Differs, message)
        }
        Some(_)
            if found.status == Some(CloudStatus::Revoked) && registering == Registering::Manual =>
        {
            contradicted(known, Contradiction::Differs, REVOKED.to_owned())
        }
        Some(_) if found.status != known.status => Stands::otherwise(Record::Found(Found {
            certificate_sn: known.sn,
            sn: found.sn.clone(),
            status: found.status,
            revoke: false,
        })),
        Some(_) => Stands::AsSaid,
    })
}

fn contradicted(known: &Known, contradiction: Contradiction, message: String) -> Stands {
    let certificate_sn = known.sn;
    Stands::otherwise(Record::Contradicted(Contradicted { certificate_sn, contradiction, message }))
}

fn nonsense(why: &Nonsense) -> CallError {
    CallError {
        action: "look-up",
        class: crate::cloud::ErrorClass::LookUpFirst,
        code: crate::domain::code::Code::CloudUnclear,
        cloud_code: None,
        message: why.sentence(),
    }
}
