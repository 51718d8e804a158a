//! The cloud's API: one trait that sync and enrolment speak to, and what implements it.
//!
//! A [`Registrar`] makes one call for one question and says honestly what came of it: an
//! answer, or a [`CallError`] whose class says what may be done next. It neither retries
//! nor decides: when a call may be made again is the business of `sync`. What it does by
//! itself is to wait for its turn: see [`pace`].

use station_domain::{self as domain, say};

pub mod pace;
pub mod preflight;
pub mod probe;
mod skew;
pub mod tdmq;

use std::future::Future;
use std::time::Duration;

use tokio::time::Instant;

pub use skew::{ClockSkew, MAX_SKEW_SECONDS};

use crate::domain::code::Code;
use crate::domain::device::Fault;
use crate::domain::registration::{
    CaSn, CloudAuthority, CloudCertificate, CloudInstance, CloudStatus, NewRegistration,
};
use crate::domain::say::Say;

/// What may be done after a call that gave no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ErrorClass {
    /// It was not carried out: the cloud throttles. Again later, and slower.
    Throttled,
    /// It was not carried out: the instance is not ready. Pause, look at the instance.
    NotReady,
    /// It may have been carried out, or found done before: look up before anything else.
    LookUpFirst,
    /// The cloud will never take this item; others are not affected.
    ItemNever,
    /// Nothing further can succeed in this run: credentials, quota, an unknown CA.
    StopRun,
    /// station.toml points to the wrong place: host, region, instance, API.
    Configuration,
}

/// A call that gave no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{action}: {message}")]
pub struct CallError {
    /// The API's action.
    pub action: &'static str,
    /// What may be done next.
    pub class: ErrorClass,
    /// The station's code for it.
    pub code: Code,
    /// The cloud's own code, where it gave one.
    pub cloud_code: Option<String>,
    /// What happened, with the request id where there is one; no secret.
    pub message: Say,
}

impl CallError {
    /// It in each language, with the action before it.
    pub fn sentence(&self) -> Say {
        Say::same(self.action).then(&self.message)
    }
}

impl From<CallError> for Fault {
    fn from(error: CallError) -> Self {
        Fault::said(error.code, error.sentence())
    }
}

/// What the cloud says of its instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstanceFacts {
    /// `RUNNING` and others.
    pub status: String,
    /// `BASIC`, `PRO` or `PLATINUM`.
    pub edition: String,
    /// `TLS`, `mTLS` or `BYOC` (one device, one certificate).
    pub x509_mode: String,
    /// `API` (manual registration) or `JITP` (automatic).
    pub provision_type: String,
    /// The TLS versions that it speaks, for example `TLSv1.2`.
    pub tls_versions: Vec<String>,
    /// The registration code for CAs; none before one was applied for.
    pub registration_code: Option<String>,
    /// How many CAs it takes; none where it does not say.
    pub max_authorities: Option<u64>,
}

/// One page of client certificates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificatePage {
    /// How many there are in all.
    pub total: u64,
    /// Those of this page.
    pub certificates: Vec<CloudCertificate>,
}

/// Which client certificates are meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CertificateFilter {
    /// Those of one CA.
    Authority(CaSn),
    /// The one with this serial number, as the cloud may print it.
    Sn(String),
    /// Those registered for a client id.
    ClientId(String),
}

/// What a run has asked of the cloud so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Usage {
    /// Requests that were sent.
    pub requests: u64,
    /// Those that the cloud refused for being too many.
    pub throttled: u64,
}

/// A cloud that knows client certificates by registration.
///
/// Each method is one call of the API. It waits for its turn by the [`pace`], then sends,
/// and ends in any case within [`Registrar::call_limit`]; only when that has passed is it
/// certain that a call whose end nobody saw is not on its way any more. To drop the future
/// of a call does not take back what was sent.
pub trait Registrar {
    /// Which instance this is.
    fn instance(&self) -> &CloudInstance;

    /// The longest that a call takes from its first poll: its turn, connecting, the answer.
    fn call_limit(&self) -> Duration;

    /// What was asked so far.
    fn usage(&self) -> Usage;

    /// Registrations a second from here on, and until when; at 0 none gets its turn.
    fn set_rate(&self, per_second: u32, until: Option<Instant>);

    /// Registrations that had their turn and may leave at any moment.
    fn unsent(&self) -> usize;

    /// The difference of the clocks as the newest answers showed it: of two, the smaller.
    fn clock_skew(&self) -> Option<ClockSkew>;

    /// What the cloud says of the instance.
    fn instance_facts(&self) -> impl Future<Output = Result<InstanceFacts, CallError>>;

    /// Host and port of the instance's TLS endpoints.
    fn endpoints(&self) -> impl Future<Output = Result<Vec<(String, u16)>, CallError>>;

    /// All CAs of the instance.
    fn authorities(&self) -> impl Future<Output = Result<Vec<CloudAuthority>, CallError>>;

    /// Applies for the code that a verification certificate must carry.
    fn apply_registration_code(&self) -> impl Future<Output = Result<String, CallError>>;

    /// Registers a CA, active; gives its serial number as the cloud has it.
    fn register_authority(
        &self,
        ca_pem: &str,
        verification_pem: &str,
    ) -> impl Future<Output = Result<CaSn, CallError>>;

    /// Registers a client certificate; gives its serial number as the cloud has it.
    fn register(
        &self,
        certificate: &NewRegistration,
    ) -> impl Future<Output = Result<String, CallError>>;

    /// One page of client certificates in the order of their registration; `limit` at most 100.
    fn certificates(
        &self,
        filter: &CertificateFilter,
        offset: u64,
        limit: u64,
    ) -> impl Future<Output = Result<CertificatePage, CallError>>;

    /// Moves a client certificate to another status: active, inactive or revoked. The serial
    /// number is spelt as the cloud spelt it.
    fn set_status(
        &self,
        sn: &str,
        status: CloudStatus,
    ) -> impl Future<Output = Result<(), CallError>>;
}
