//! CAs and client certificates: registered, moved, deleted, and what is refused on the way.

use serde_json::json;

use super::client::{Ca, call, device, refused, running};
use crate::cloud::instance::{Duplicate, SerialForm};
use crate::cloud::options::Options;
use crate::cloud::server::start;

const REGISTER: &str = "RegisterDeviceCertificate";

#[test]
fn a_ca_needs_the_code_in_a_certificate_that_it_signed() {
    let (cloud, ca) = (running(), Ca::new(&[0x11, 0x01]));
    let register = |verification: &str| {
        let fields = json!({"CaCertificate": ca.pem, "VerificationCertificate": verification});
        refused(&cloud, "RegisterCaCertificate", fields)
    };
    let early = register(&ca.issue("anything", &[0x44]));
    assert_eq!(early, "FailedOperation.InstanceRegistrationCodeEmpty");
    let code = call(&cloud, "ApplyRegistrationCode", json!({})).unwrap();
    let code = code["RegistrationCode"].as_str().unwrap();
    let told = call(&cloud, "DescribeInstance", json!({})).unwrap();
    assert_eq!(told["RegistrationCode"], code);
    let other_name = register(&ca.issue("anything", &[0x44]));
    assert_eq!(other_name, "FailedOperation.RegistrationCodeVerifyFailed");
    // Of the same name, and with another key.
    let other_key = register(&Ca::new(&[0x11, 0x02]).issue(code, &[0x44]));
    assert_eq!(other_key, "FailedOperation.CertificateVerificationFailed");
    assert_eq!(register("no PEM"), "InvalidParameterValue");
    assert_eq!(register(""), "MissingParameter");
    assert_eq!(ca.register(&cloud), "1101");
    let listed = call(&cloud, "DescribeCaCertificates", json!({})).unwrap();
    assert_eq!(listed["Data"][0]["Status"], "ACTIVE");
    assert_eq!(listed["Data"][0]["CaCn"], "Test CA");
    assert!(listed["Data"][0]["VerificationCertificate"].is_string());
    let one = call(&cloud, "DescribeCaCertificate", json!({"CaSn": "1101"})).unwrap();
    assert_eq!(one["CaCertificate"], ca.pem);
    assert!(one.get("VerificationCertificate").is_none());
}

#[test]
fn an_instance_takes_so_many_cas() {
    let cloud = running();
    cloud.change_instance(|instance| instance.max_authorities = 1);
    Ca::new(&[0x11, 0x01]).register(&cloud);
    let second = Ca::new(&[0x11, 0x02]);
    let code = call(&cloud, "ApplyRegistrationCode", json!({})).unwrap();
    let verification = second.issue(code["RegistrationCode"].as_str().unwrap(), &[0x44]);
    let fields = json!({"CaCertificate": second.pem, "VerificationCertificate": verification});
    assert_eq!(refused(&cloud, "RegisterCaCertificate", fields), "LimitExceeded");
}

#[test]
fn a_client_certificate_needs_its_ca() {
    let (cloud, ca, stranger) = (running(), Ca::new(&[0x11]), Ca::new(&[0x12]));
    let pem = ca.issue("unit-1", &[0x21]);
    assert_eq!(refused(&cloud, REGISTER, device(&pem, "11", "unit-1")), "ResourceNotFound.Ca");
    let sn = ca.register(&cloud);
    let strange = stranger.issue("unit-1", &[0x21]);
    let code = refused(&cloud, REGISTER, device(&strange, &sn, "unit-1"));
    assert_eq!(code, "FailedOperation.CertificateVerificationFailed");
    let itself = refused(&cloud, REGISTER, device(&ca.pem, &sn, "unit-1"));
    assert_eq!(itself, "FailedOperation.CertificateVerificationFailed");
    let two = format!("{pem}{}", ca.pem);
    assert_eq!(refused(&cloud, REGISTER, device(&two, &sn, "")), "InvalidParameterValue");
    let answer = call(&cloud, REGISTER, device(&pem, &sn, "unit-1")).unwrap();
    assert_eq!((&answer["DeviceCertificateSn"], &answer["CaSn"]), (&"21".into(), &"11".into()));
    let told = json!({"DeviceCertificateSn": "21"});
    let told = call(&cloud, "DescribeDeviceCertificate", told).unwrap();
    assert_eq!(told["DeviceCertificate"], pem);
    for (field, value) in [
        ("ClientId", "unit-1"),
        ("DeviceCertificateCn", "unit-1"),
        ("OrganizationalUnit", "TH200"),
        ("Status", "ACTIVE"),
        ("CertificateSource", "API"),
        ("CaSn", "11"),
    ] {
        assert_eq!(told[field], value, "{field}");
    }
}

#[test]
fn a_serial_number_is_unique_over_the_instance_and_not_per_ca() {
    let (cloud, one, two) = (running(), Ca::new(&[0x11]), Ca::new(&[0x12]));
    let (first, second) = (one.register(&cloud), two.register(&cloud));
    let pem = one.issue("unit-1", &[0x21]);
    call(&cloud, REGISTER, device(&pem, &first, "unit-1")).unwrap();
    let exists = "UnsupportedOperation.ResourceAlreadyExists";
    assert_eq!(refused(&cloud, REGISTER, device(&pem, &first, "unit-1")), exists);
    let other = two.issue("unit-2", &[0x21]);
    assert_eq!(refused(&cloud, REGISTER, device(&other, &second, "unit-2")), exists);
}

#[test]
fn a_duplicate_is_answered_as_was_asked_for_and_never_is_another_certificate_success() {
    for (duplicate, same, other) in [
        (Duplicate::Failed, Err("FailedOperation"), "FailedOperation"),
        (Duplicate::Success, Ok("21"), "UnsupportedOperation.ResourceAlreadyExists"),
    ] {
        let options = Options { rate: Some(0), duplicate, ..Options::default() };
        let (cloud, ca) = (start(options).unwrap(), Ca::new(&[0x11]));
        let sn = ca.register(&cloud);
        let pem = ca.issue("unit-1", &[0x21]);
        call(&cloud, REGISTER, device(&pem, &sn, "unit-1")).unwrap();
        let again = call(&cloud, REGISTER, device(&pem, &sn, "unit-1"));
        let again = again.map(|answer| answer["DeviceCertificateSn"].as_str().unwrap().to_owned());
        assert_eq!(again.as_deref().map_err(String::as_str), same);
        let fields = device(&ca.issue("unit-1", &[0x21]), &sn, "unit-1");
        assert_eq!(refused(&cloud, REGISTER, fields), other);
    }
}

#[test]
fn a_certificate_moves_and_a_revoked_one_stays_so() {
    let (cloud, ca) = (running(), Ca::new(&[0x11]));
    let sn = ca.register(&cloud);
    let mut fields = device(&ca.issue("unit-1", &[0x21]), &sn, "unit-1");
    fields["Status"] = "REVOKED".into();
    assert_eq!(refused(&cloud, REGISTER, fields.clone()), "InvalidParameterValue");
    fields["Status"] = "INACTIVE".into();
    call(&cloud, REGISTER, fields).unwrap();
    let one = json!({"DeviceCertificateSn": "21"});
    let status = || {
        let told = call(&cloud, "DescribeDeviceCertificate", one.clone()).unwrap();
        told["Status"].as_str().unwrap().to_owned()
    };
    assert_eq!(status(), "INACTIVE");
    for (action, then) in [
        ("ActivateDeviceCertificate", "ACTIVE"),
        ("DeactivateDeviceCertificate", "INACTIVE"),
        ("RevokedDeviceCertificate", "REVOKED"),
        ("RevokedDeviceCertificate", "REVOKED"),
    ] {
        call(&cloud, action, one.clone()).unwrap();
        assert_eq!(status(), then, "{action}");
    }
    let back = refused(&cloud, "ActivateDeviceCertificate", one.clone());
    assert_eq!(back, "FailedOperation");
    assert_eq!(refused(&cloud, "DeleteDeviceCertificate", one), "OperationDenied");
    let unknown = json!({"DeviceCertificateSn": "22"});
    let code = refused(&cloud, "RevokedDeviceCertificate", unknown);
    assert_eq!(code, "ResourceNotFound.Certificate");
}

#[test]
fn what_has_certificates_is_not_deleted_and_what_is_deleted_frees_its_number() {
    let (cloud, ca) = (running(), Ca::new(&[0x11]));
    let sn = ca.register(&cloud);
    let (a_ca, one) = (json!({"CaSn": sn}), json!({"DeviceCertificateSn": "21"}));
    call(&cloud, REGISTER, device(&ca.issue("unit-1", &[0x21]), &sn, "unit-1")).unwrap();
    assert_eq!(refused(&cloud, "DeleteCaCertificate", a_ca.clone()), "OperationDenied");
    call(&cloud, "DeactivateCaCertificate", a_ca.clone()).unwrap();
    let related = refused(&cloud, "DeleteCaCertificate", a_ca.clone());
    assert_eq!(related, "FailedOperation.RelatedDeviceCertificateExists");
    let fields = device(&ca.issue("unit-2", &[0x22]), &sn, "unit-2");
    let code = refused(&cloud, REGISTER, fields);
    assert_eq!(code, "FailedOperation.CertificateVerificationFailed");
    assert_eq!(refused(&cloud, "DeleteDeviceCertificate", one.clone()), "OperationDenied");
    call(&cloud, "DeactivateDeviceCertificate", one.clone()).unwrap();
    call(&cloud, "DeleteDeviceCertificate", one).unwrap();
    call(&cloud, "ActivateCaCertificate", a_ca.clone()).unwrap();
    call(&cloud, REGISTER, device(&ca.issue("unit-3", &[0x21]), &sn, "unit-3")).unwrap();
}

#[test]
fn serial_numbers_are_printed_and_taken_in_one_form_alone() {
    for (serial_form, printed, other) in
        [(SerialForm::Padded, "0eef", "eef"), (SerialForm::Plain, "eef", "0eef")]
    {
        let options = Options { rate: Some(0), serial_form, ..Options::default() };
        let (cloud, ca) = (start(options).unwrap(), Ca::new(&[0x0e, 0xef]));
        assert_eq!(ca.register(&cloud), printed);
        let pem = ca.issue("unit-1", &[0x0e, 0xef]);
        assert_eq!(refused(&cloud, REGISTER, device(&pem, other, "")), "ResourceNotFound.Ca");
        let answer = call(&cloud, REGISTER, device(&pem, printed, "")).unwrap();
        assert_eq!(answer["DeviceCertificateSn"], printed);
        let found = |sn: &str| {
            let filters = json!([{"Name": "DeviceCertificateSn", "Values": [sn]}]);
            let fields = json!({"Filters": filters});
            let answer = call(&cloud, "DescribeDeviceCertificates", fields).unwrap();
            answer["TotalCount"].as_u64().unwrap()
        };
        assert_eq!((found(printed), found(other)), (1, 0));
    }
}
