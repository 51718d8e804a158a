//! What each of the API's error codes means for the call that got it.
//!
//! The texts beside the codes change with language and time, so nothing is read from them.
//! A code that stands nowhere here is one that may have been carried out.

use crate::ErrorClass;
use crate::domain::code::Code;

use ErrorClass::{Configuration, ItemNever, LookUpFirst, NotReady, StopRun, Throttled};

/// Codes and their meaning. A code with further words behind a dot counts like the longest
/// one here that it begins with.
const TABLE: &[(&str, ErrorClass, Code)] = &[
    // Not carried out: too many calls.
    ("RequestLimitExceeded", Throttled, Code::CloudThrottled),
    // Not carried out: the cluster does not run.
    ("FailedOperation.InstanceNotReady", NotReady, Code::CloudNotReady),
    // May have been carried out, or was done before.
    ("InternalError", LookUpFirst, Code::CloudUnclear),
    ("ServiceUnavailable", LookUpFirst, Code::CloudUnclear),
    ("ResourceUnavailable", LookUpFirst, Code::CloudUnclear),
    ("ResourceInUse", LookUpFirst, Code::CloudUnclear),
    ("ResourceInsufficient", LookUpFirst, Code::CloudUnclear),
    ("ResponseSizeLimitExceeded", LookUpFirst, Code::CloudUnclear),
    ("FailedOperation", LookUpFirst, Code::CloudUnclear),
    ("OperationDenied", LookUpFirst, Code::CloudUnclear),
    ("UnsupportedOperation", LookUpFirst, Code::CloudUnclear),
    ("ResourceNotFound", LookUpFirst, Code::CloudUnclear),
    ("DryRunOperation", LookUpFirst, Code::CloudUnclear),
    // The cloud will never take this item.
    ("FailedOperation.CertificateVerificationFailed", ItemNever, Code::CloudVerification),
    ("FailedOperation.PublicKeyVerifyFailed", ItemNever, Code::CloudVerification),
    ("FailedOperation.RegistrationCodeVerifyFailed", ItemNever, Code::CloudVerification),
    ("FailedOperation.InstanceRegistrationCodeEmpty", ItemNever, Code::CloudVerification),
    ("MissingParameter", ItemNever, Code::CloudRejected),
    ("InvalidParameter", ItemNever, Code::CloudRejected),
    ("InvalidParameterValue", ItemNever, Code::CloudRejected),
    ("UnknownParameter", ItemNever, Code::CloudRejected),
    ("InvalidRequest", ItemNever, Code::CloudRejected),
    ("RequestSizeLimitExceeded", ItemNever, Code::CloudRejected),
    // Nothing further can succeed in this run.
    ("ResourceNotFound.Ca", StopRun, Code::CloudAuthority),
    ("AuthFailure", StopRun, Code::CloudCredentials),
    ("AuthFailure.SignatureExpire", StopRun, Code::CloudClock),
    ("AuthFailure.UnauthorizedOperation", StopRun, Code::CloudPermission),
    ("UnauthorizedOperation", StopRun, Code::CloudPermission),
    ("IpNotInWhitelist", StopRun, Code::CloudPermission),
    ("IpInBlacklist", StopRun, Code::CloudPermission),
    ("LimitExceeded", StopRun, Code::CloudQuota),
    // station.toml points to the wrong place.
    ("ResourceNotFound.Instance", Configuration, Code::CloudInstance),
    ("UnsupportedRegion", Configuration, Code::CloudInstance),
    ("InvalidParameter.InstanceTypeNotMatch", Configuration, Code::CloudMode),
    ("InvalidAction", Configuration, Code::CloudAction),
    ("ActionOffline", Configuration, Code::CloudAction),
    ("NoSuchVersion", Configuration, Code::CloudAction),
    ("NoSuchProduct", Configuration, Code::CloudAction),
    ("UnsupportedProtocol", Configuration, Code::CloudAction),
];

/// What may be done after this code, and the station's code for it.
pub(super) fn class_of(cloud_code: &str) -> (ErrorClass, Code) {
    let counts = |known: &str| {
        cloud_code.strip_prefix(known).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    let found = TABLE.iter().filter(|(known, ..)| counts(known)).max_by_key(|row| row.0.len());
    found.map_or((LookUpFirst, Code::CloudUnclear), |(_, class, code)| (*class, *code))
}

#[cfg(test)]
mod tests;
