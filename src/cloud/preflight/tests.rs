//! Each thing that must hold, and what is said where it does not.

use super::*;

fn instance() -> CloudInstance {
    CloudInstance {
        site: "mqtt.example.com".to_owned(),
        region: "ap-guangzhou".to_owned(),
        instance: "mqtt-a".to_owned(),
    }
}

fn facts() -> InstanceFacts {
    InstanceFacts {
        status: "RUNNING".to_owned(),
        edition: "PRO".to_owned(),
        x509_mode: "BYOC".to_owned(),
        provision_type: "API".to_owned(),
        tls_versions: vec!["TLSv1.2".to_owned()],
        registration_code: None,
        max_authorities: None,
    }
}

fn judged(change: impl FnOnce(&mut InstanceFacts), by: Registering) -> Option<(Code, String)> {
    let mut facts = facts();
    change(&mut facts);
    judge_instance(&instance(), &facts, by).err().map(|fault| (fault.code, fault.detail))
}

#[test]
fn an_instance_must_run_in_the_edition_and_mode_that_are_needed() {
    assert_eq!(judged(|_| {}, Registering::Manual), None);
    assert_eq!(judged(|facts| facts.edition = "PLATINUM".to_owned(), Registering::Manual), None);
    assert_eq!(
        judged(|facts| facts.provision_type = "JITP".to_owned(), Registering::Automatic),
        None
    );
    let red = |change: fn(&mut InstanceFacts)| judged(change, Registering::Manual).unwrap();
    assert_eq!(
        red(|facts| facts.status = "CREATING".to_owned()),
        (Code::CloudNotReady, "instance mqtt-a is CREATING, not RUNNING".to_owned())
    );
    let (code, text) = red(|facts| facts.edition = "BASIC".to_owned());
    assert!(code == Code::CloudMode && text.contains("Pro or Platinum"), "{text}");
    let (code, text) = red(|facts| facts.x509_mode = "mTLS".to_owned());
    assert!(code == Code::CloudMode && text.contains(X509_PATH), "{text}");
}

#[test]
fn a_mode_that_differs_is_told_with_both_ways_out() {
    let (code, text) =
        judged(|facts| facts.provision_type = "JITP".to_owned(), Registering::Manual).unwrap();
    assert_eq!(code, Code::CloudMode);
    assert!(text.contains("\"JITP\"") && text.contains("\"manual\"") && text.contains(X509_PATH));
    let (code, text) = judged(|_| {}, Registering::Automatic).unwrap();
    assert_eq!(code, Code::CloudMode);
    assert!(text.contains("\"API\"") && text.contains("\"automatic\""), "{text}");
}

#[test]
fn each_ca_that_is_needed_must_be_there_active_and_last_long_enough() {
    let issuer = Fingerprint::new([2; 32]);
    let needed = |not_after| [NeededAuthority { issuer, not_after }];
    let there = |fingerprint, status, not_after| CloudAuthority {
        sn: CaSn("95".to_owned()),
        fingerprint,
        status,
        not_after,
    };
    let (soon, late) = (Timestamp(1_000_000), Timestamp(2_000_000));
    let active = Some(CloudStatus::Active);
    let table = [
        (there(Some(issuer), active, late), soon, None),
        (there(Some(issuer), active, late), late, None),
        (there(Some(issuer), active, Timestamp(0)), late, None),
        (there(Some(issuer), active, soon), late, Some("ends there at")),
        (there(Some(issuer), Some(CloudStatus::Inactive), late), soon, Some("is INACTIVE")),
        (there(Some(issuer), None, late), soon, Some("an unknown status")),
        (there(None, active, late), soon, Some("is not registered")),
        (there(Some(Fingerprint::new([3; 32])), active, late), soon, Some("is not registered")),
    ];
    for (authority, not_after, wanted) in table {
        let found = judge_authorities(std::slice::from_ref(&authority), &needed(not_after));
        match (found, wanted) {
            (Ok(()), None) => {}
            (Err(fault), Some(wanted)) => {
                assert_eq!(fault.code, Code::CloudAuthority);
                assert!(fault.detail.contains(wanted), "{}", fault.detail);
            }
            (found, wanted) => panic!("{authority:?}: {found:?}, wanted {wanted:?}"),
        }
    }
    assert!(judge_authorities(&[], &[]).is_ok());
}
