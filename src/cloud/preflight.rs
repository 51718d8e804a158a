//! What must hold before anything is asked of an instance: pure judgements of what it says
//! of itself and of its CAs.

use super::InstanceFacts;
use crate::domain::clock::Timestamp;
use crate::domain::code::Code;
use crate::domain::device::Fault;
use crate::domain::ids::Fingerprint;
use crate::domain::registration::{CloudAuthority, CloudStatus, Registering};

/// What an instance that takes calls says of itself.
const RUNNING: &str = "RUNNING";

/// The editions that know one certificate for each device.
const EDITIONS: [&str; 2] = ["PRO", "PLATINUM"];

/// One device, one certificate.
const BYOC: &str = "BYOC";

const CONSOLE: &str = "console: the instance, Authentication, X.509 certificates";

/// Refuses an instance in which certificates can't be registered as station.toml says.
pub fn instance(facts: &InstanceFacts, registering: Registering) -> Result<(), Fault> {
    let refuse = |code, detail: String| Err(Fault::new(code, detail));
    if facts.status != RUNNING {
        return refuse(
            Code::CloudNotReady,
            format!("the instance is {}, not {RUNNING}", facts.status),
        );
    }
    if !EDITIONS.contains(&facts.edition.as_str()) {
        let what = format!("the instance is of edition {}, not PRO or PLATINUM", facts.edition);
        return refuse(Code::CloudMode, what);
    }
    if facts.x509_mode != BYOC {
        let what = format!(
            "the instance's X.509 mode is {}, not one device, one certificate ({CONSOLE})",
            facts.x509_mode
        );
        return refuse(Code::CloudMode, what);
    }
    let (wanted, word) = match registering {
        Registering::Manual => ("API", "manual"),
        Registering::Automatic => ("JITP", "automatic"),
    };
    match facts.provision_type == wanted {
        true => Ok(()),
        false => refuse(
            Code::CloudMode,
            format!(
                "the instance registers certificates by {}, station.toml says {word}: {wanted} \
                 ({CONSOLE}, registration)",
                facts.provision_type
            ),
        ),
    }
}

/// The CA among those of the instance, if certificates that end at `not_after` can be
/// registered under it.
pub fn authority<'a>(
    all: &'a [CloudAuthority],
    issuer: &Fingerprint,
    not_after: Timestamp,
) -> Result<&'a CloudAuthority, Fault> {
    let refuse = |what: String| Err(Fault::new(Code::CloudAuthority, what));
    let Some(found) = all.iter().find(|ca| ca.fingerprint == Some(*issuer)) else {
        return refuse(format!("the instance does not know the CA {issuer}"));
    };
    if found.status != Some(CloudStatus::Active) {
        let status = found.status.map_or("in an unknown status", CloudStatus::as_str);
        return refuse(format!("the CA {issuer} is {status} there, not ACTIVE"));
    }
    match found.not_after.seconds() < not_after.seconds() {
        false => Ok(found),
        true => refuse(format!(
            "the CA {issuer} ends at {} there, and certificates that wait at {not_after}",
            found.not_after
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::registration::CaSn;

    fn facts() -> InstanceFacts {
        InstanceFacts {
            status: "RUNNING".to_owned(),
            edition: "PRO".to_owned(),
            x509_mode: "BYOC".to_owned(),
            provision_type: "API".to_owned(),
            tls_versions: vec![],
            registration_code: None,
            max_authorities: None,
        }
    }

    fn code(facts: &InstanceFacts, registering: Registering) -> Option<Code> {
        instance(facts, registering).err().map(|fault| fault.code)
    }

    #[test]
    fn an_instance_must_run_and_be_set_to_what_station_toml_says() {
        let changed = |change: fn(&mut InstanceFacts)| {
            let mut facts = facts();
            change(&mut facts);
            code(&facts, Registering::Manual)
        };
        assert_eq!(changed(|_| {}), None);
        assert_eq!(changed(|f| f.edition = "PLATINUM".to_owned()), None);
        assert_eq!(changed(|f| f.status = "CREATING".to_owned()), Some(Code::CloudNotReady));
        assert_eq!(changed(|f| f.edition = "BASIC".to_owned()), Some(Code::CloudMode));
        assert_eq!(changed(|f| f.x509_mode = "mTLS".to_owned()), Some(Code::CloudMode));
        assert_eq!(changed(|f| f.provision_type = "JITP".to_owned()), Some(Code::CloudMode));
        assert_eq!(code(&facts(), Registering::Automatic), Some(Code::CloudMode));
        let jitp = InstanceFacts { provision_type: "JITP".to_owned(), ..facts() };
        assert_eq!(code(&jitp, Registering::Automatic), None);
    }

    #[test]
    fn a_ca_must_be_there_active_and_end_no_sooner_than_what_it_issued() {
        let issuer = Fingerprint::new([1; 32]);
        let ca = |status, not_after| CloudAuthority {
            sn: CaSn("1".to_owned()),
            fingerprint: Some(issuer),
            status,
            not_after: Timestamp(not_after),
        };
        let end = Timestamp(5_000_000);
        let active = Some(CloudStatus::Active);
        let refused = |all: &[CloudAuthority]| authority(all, &issuer, end).is_err();
        assert!(!refused(&[ca(active, 5_000_000)]));
        assert!(refused(&[ca(active, 4_000_000)]));
        assert!(refused(&[ca(Some(CloudStatus::Inactive), 5_000_000)]));
        assert!(refused(&[ca(None, 5_000_000)]));
        assert!(refused(&[CloudAuthority { fingerprint: None, ..ca(active, 5_000_000) }]));
        assert!(refused(&[]));
    }
}
