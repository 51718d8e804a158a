//! The certificate by which a CA shows a cloud that its key is here.

use super::*;
use crate::ca_certificate::{parse, validity_of};

const CODE: &str = "bb180052-7df5-4ff3-bda9-9b12fed8bf39";

fn verification(place: &Place, now: Timestamp) -> Result<Vec<u8>, PkiError> {
    place.load().verification_certificate(&CODE.parse().unwrap(), now)
}

#[test]
fn it_carries_the_code_for_one_day_and_verifies_under_the_ca() {
    let place = Place::with_ca(ValidFor::Years(30));
    let der = verification(&place, NOW).unwrap();
    let found = parse(&der).unwrap();
    assert_eq!(found.subject().to_string(), format!("CN={CODE}"));
    let ca = place.load().certificate_der();
    let ca = parse(&ca).unwrap();
    assert!(found.verify_signature(Some(ca.public_key())).is_ok());
    let (start, end) = validity_of(&found);
    assert!(start <= NOW && NOW < end);
    assert_eq!(end.seconds() - start.seconds(), DAY);
    // A key of its own each time, which nobody has.
    let again = verification(&place, NOW).unwrap();
    assert_ne!(parse(&again).unwrap().public_key().raw, found.public_key().raw);
}

#[test]
fn it_never_outlives_its_ca_and_an_expired_ca_signs_none() {
    let place = Place::with_ca(ValidFor::Days(1));
    let der = verification(&place, later(1)).unwrap();
    let ca = place.load().certificate_der();
    assert_eq!(validity_of(&parse(&der).unwrap()).1, validity_of(&parse(&ca).unwrap()).1);
    assert!(matches!(verification(&place, later(3)), Err(PkiError::Expired { .. })));
}
