//! Each code that the vendor documents, product and common ones, with its class.

use super::*;

/// The complete list of the product's codes, then of the codes common to all products.
const DOCUMENTED: &[(&str, ErrorClass, &str)] = &[
    ("FailedOperation", LookUpFirst, "E-CLOUD-UNCLEAR"),
    ("FailedOperation.CallTrade", LookUpFirst, "E-CLOUD-UNCLEAR"),
    ("FailedOperation.CertificateVerificationFailed", ItemNever, "E-CLOUD-VERIFICATION"),
    ("FailedOperation.DeleteProtect", LookUpFirst, "E-CLOUD-UNCLEAR"),
    ("FailedOperation.DuplicateAuthorizationIdOrPriority", LookUpFirst, "E-CLOUD-UNCLEAR"),
    ("FailedOperation.DuplicatePolicy", LookUpFirst, "E-CLOUD-UNCLEAR"),
    ("FailedOperation.DuplicatePriority", LookUpFirst, "E-CLOUD-UNCLEAR"),
    ("FailedOperation.InstanceNotReady", NotReady, "E-CLOUD-NOT-READY"),
    ("FailedOperation.InstanceRegistrationCodeEmpty", ItemNever, "E-CLOUD-VERIFICATION"),
    ("FailedOperation.NotSupportDisableAuthorizationPolicy", LookUpFirst, "E-CLOUD-UNCLEAR"),
    ("FailedOperation.PublicKeyVerifyFailed", ItemNever, "E-CLOUD-VERIFICATION"),
    ("FailedOperation.RegistrationCodeVerifyFailed", ItemNever, "E-CLOUD-VERIFICATION"),
    ("FailedOperation.RelatedDeviceCertificateExists", LookUpFirst, "E-CLOUD-UNCLEAR"),
    ("InvalidParameter.InstanceTypeNotMatch", Configuration, "E-CLOUD-MODE"),
    ("InvalidParameterValue", ItemNever, "E-CLOUD-REJECTED"),
    ("InvalidParameterValue.PublicNetworkInvalidParameterValue", ItemNever, "E-CLOUD-REJECTED"),
    ("LimitExceeded.TopicNum", StopRun, "E-CLOUD-QUOTA"),
    ("MissingParameter", ItemNever, "E-CLOUD-REJECTED"),
    ("OperationDenied", LookUpFirst, "E-CLOUD-UNCLEAR"),
    ("ResourceInUse", LookUpFirst, "E-CLOUD-UNCLEAR"),
    ("ResourceNotFound", LookUpFirst, "E-CLOUD-UNCLEAR"),
    ("ResourceNotFound.AuthorizationPolicy", LookUpFirst, "E-CLOUD-UNCLEAR"),
    ("ResourceNotFound.Ca", StopRun, "E-CLOUD-CA"),
    ("ResourceNotFound.Certificate", LookUpFirst, "E-CLOUD-UNCLEAR"),
    ("ResourceNotFound.Instance", Configuration, "E-CLOUD-INSTANCE"),
    ("ResourceNotFound.Message", LookUpFirst, "E-CLOUD-UNCLEAR"),
    ("ResourceNotFound.NoAuthenticator", LookUpFirst, "E-CLOUD-UNCLEAR"),
    ("ResourceNotFound.Role", LookUpFirst, "E-CLOUD-UNCLEAR"),
    ("ResourceNotFound.Topic", LookUpFirst, "E-CLOUD-UNCLEAR"),
    ("ResourceNotFound.Username", LookUpFirst, "E-CLOUD-UNCLEAR"),
    ("ResourceUnavailable", LookUpFirst, "E-CLOUD-UNCLEAR"),
    ("UnsupportedOperation.ResourceAlreadyExists", LookUpFirst, "E-CLOUD-UNCLEAR"),
    ("ActionOffline", Configuration, "E-CLOUD-ACTION"),
    ("AuthFailure.InvalidAuthorization", StopRun, "E-CLOUD-CREDENTIALS"),
    ("AuthFailure.InvalidSecretId", StopRun, "E-CLOUD-CREDENTIALS"),
    ("AuthFailure.MFAFailure", StopRun, "E-CLOUD-CREDENTIALS"),
    ("AuthFailure.SecretIdNotFound", StopRun, "E-CLOUD-CREDENTIALS"),
    ("AuthFailure.SignatureExpire", StopRun, "E-CLOUD-CLOCK"),
    ("AuthFailure.SignatureFailure", StopRun, "E-CLOUD-CREDENTIALS"),
    ("AuthFailure.TokenFailure", StopRun, "E-CLOUD-CREDENTIALS"),
    ("AuthFailure.UnauthorizedOperation", StopRun, "E-CLOUD-PERMISSION"),
    ("DryRunOperation", LookUpFirst, "E-CLOUD-UNCLEAR"),
    ("InternalError", LookUpFirst, "E-CLOUD-UNCLEAR"),
    ("InvalidAction", Configuration, "E-CLOUD-ACTION"),
    ("InvalidParameter", ItemNever, "E-CLOUD-REJECTED"),
    ("InvalidRequest", ItemNever, "E-CLOUD-REJECTED"),
    ("IpInBlacklist", StopRun, "E-CLOUD-PERMISSION"),
    ("IpNotInWhitelist", StopRun, "E-CLOUD-PERMISSION"),
    ("LimitExceeded", StopRun, "E-CLOUD-QUOTA"),
    ("NoSuchProduct", Configuration, "E-CLOUD-ACTION"),
    ("NoSuchVersion", Configuration, "E-CLOUD-ACTION"),
    ("RequestLimitExceeded", Throttled, "E-CLOUD-THROTTLED"),
    ("RequestLimitExceeded.GlobalRegionUinLimitExceeded", Throttled, "E-CLOUD-THROTTLED"),
    ("RequestLimitExceeded.IPLimitExceeded", Throttled, "E-CLOUD-THROTTLED"),
    ("RequestLimitExceeded.UinLimitExceeded", Throttled, "E-CLOUD-THROTTLED"),
    ("RequestSizeLimitExceeded", ItemNever, "E-CLOUD-REJECTED"),
    ("ResourceInsufficient", LookUpFirst, "E-CLOUD-UNCLEAR"),
    ("ResponseSizeLimitExceeded", LookUpFirst, "E-CLOUD-UNCLEAR"),
    ("ServiceUnavailable", LookUpFirst, "E-CLOUD-UNCLEAR"),
    ("UnauthorizedOperation", StopRun, "E-CLOUD-PERMISSION"),
    ("UnknownParameter", ItemNever, "E-CLOUD-REJECTED"),
    ("UnsupportedOperation", LookUpFirst, "E-CLOUD-UNCLEAR"),
    ("UnsupportedProtocol", Configuration, "E-CLOUD-ACTION"),
    ("UnsupportedRegion", Configuration, "E-CLOUD-INSTANCE"),
];

#[test]
fn each_documented_code_has_its_class() {
    assert_eq!(DOCUMENTED.len(), 64);
    for (cloud_code, class, code) in DOCUMENTED {
        let (found, ours) = class_of(cloud_code);
        assert_eq!((found, ours.as_str()), (*class, *code), "{cloud_code}");
    }
}

#[test]
fn an_unknown_code_is_looked_up_first() {
    for unknown in ["", "Nonsense", "requestlimitexceeded", "AuthFailureX", "ResourceNotFound.Cat"]
    {
        assert_eq!(class_of(unknown), (LookUpFirst, Code::CloudUnclear), "{unknown}");
    }
}

#[test]
fn a_known_family_with_a_new_word_counts_as_the_family() {
    assert_eq!(class_of("RequestLimitExceeded.New").0, Throttled);
    assert_eq!(class_of("AuthFailure.New").0, StopRun);
    assert_eq!(class_of("LimitExceeded.DeviceCertificateNum").0, StopRun);
    assert_eq!(class_of("FailedOperation.New").0, LookUpFirst);
}
