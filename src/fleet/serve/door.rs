//! Who somebody is. A station is known by the certificate of its journal key, which its CA
//! signed: shown in the TLS handshake, or where there is none (on this machine alone, to try
//! a fleet), by a signature of the request.

use hyper::HeaderMap;

use crate::domain::clock::Timestamp;
use crate::domain::evidence::HeadVerifier;
use crate::domain::ids::{StationId, from_hex};
use crate::ledger::InstanceId;
use crate::pki::{self, Verifier};

use super::super::arrival::Known;
use super::super::error::FleetError;
use super::super::store::Store;
use super::super::store::rows::instance_of;
use super::super::wire::{CERTIFICATE, LEDGER, SIGNATURE, TIME, signed_text};

/// How far a request's own time may be off, in seconds, where it is signed.
const OFF: i64 = 600;

/// What a request says of who sent it.
pub(super) struct Caller {
    /// The certificate whose key TLS proved.
    pub(super) shown: Option<Vec<u8>>,
    /// Whether there is TLS.
    pub(super) is_tls: bool,
}

/// A request's parts that are signed.
pub(super) struct Parts<'a> {
    pub(super) method: &'a str,
    pub(super) target: &'a str,
    pub(super) headers: &'a HeaderMap,
}

fn stranger(why: &str) -> FleetError {
    FleetError::Station(why.to_owned())
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

impl Caller {
    /// The certificate that this request shows, its key proven.
    pub(super) fn certificate(
        &self,
        parts: &Parts<'_>,
        body: &[u8],
        now: Timestamp,
    ) -> Result<Vec<u8>, FleetError> {
        if self.is_tls {
            return self.shown.clone().ok_or_else(|| stranger("no client certificate was shown"));
        }
        let headers = parts.headers;
        let missing = || stranger("the request is not signed");
        let certificate = text(headers, CERTIFICATE).ok_or_else(missing)?;
        let certificate = from_hex("certificate", certificate).map_err(|_| missing())?;
        let time: i64 =
            text(headers, TIME).and_then(|time| time.parse().ok()).ok_or_else(missing)?;
        if (time - now.seconds()).abs() > OFF {
            return Err(stranger("the request's time is not this machine's"));
        }
        let signature = text(headers, SIGNATURE).ok_or_else(missing)?;
        let signature = from_hex("signature", signature).ok();
        let signature = signature.and_then(|bytes| bytes.try_into().ok()).ok_or_else(missing)?;
        let key = pki::p256_key_in(&certificate).ok_or_else(missing)?;
        let message = signed_text(parts.method, parts.target, time, body);
        match Verifier.verify(&key, &message, &signature) {
            Some(_) => Ok(certificate),
            None => Err(stranger("the request's signature does not verify")),
        }
    }

    /// The station that sends this request.
    pub(super) async fn station(
        &self,
        store: &Store,
        parts: &Parts<'_>,
        body: &[u8],
        now: Timestamp,
    ) -> Result<Known, FleetError> {
        let certificate = self.certificate(parts, body, now)?;
        let known = known(store, parts.headers).await?;
        if known.key_of(&certificate).is_none() {
            return Err(stranger(
                "the certificate was not signed by the CA that this station enrolled with",
            ));
        }
        match pki::is_valid_at(&certificate, now) {
            true => Ok(known),
            false => Err(stranger("the certificate is not valid now")),
        }
    }
}

/// The ledger that a request is about, where it is let in.
pub(super) async fn known(store: &Store, headers: &HeaderMap) -> Result<Known, FleetError> {
    let (station, instance) = ledger_of(headers)?;
    let known = store.known(&station, instance).await?;
    known.ok_or_else(|| {
        stranger(&format!("station {station} with ledger {instance} is not enrolled, or revoked"))
    })
}

fn ledger_of(headers: &HeaderMap) -> Result<(StationId, InstanceId), FleetError> {
    let ledger = text(headers, LEDGER).and_then(|ledger| ledger.split_once('/'));
    let (station, instance) = ledger.ok_or_else(|| stranger("it names no ledger"))?;
    let station = station.parse().map_err(|_| stranger("it names no station"))?;
    let instance = instance_of(instance).map_err(|_| stranger("it names no ledger"))?;
    Ok((station, instance))
}
