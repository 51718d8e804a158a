//! Who somebody is. A station is known by the certificate of its journal key, which its CA
//! signed: shown in the TLS handshake, or where there is none (on this machine alone, to try
//! a fleet), by a signature of the request.

use hyper::HeaderMap;

use crate::domain::clock::Timestamp;
use crate::domain::evidence::HeadVerifier;
use crate::domain::ids::{StationId, from_hex};
use crate::domain::say::Say;
use crate::ledger::InstanceId;
use crate::pki::{self, Verifier};

use super::super::arrival::Known;
use super::super::error::FleetError;
use super::super::store::Store;
use super::super::store::rows::instance_of;
use super::super::wire::{CERTIFICATE, LEDGER, SIGNATURE, TIME, signed_text};
use crate::say;

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

const fn stranger(why: Say) -> FleetError {
    FleetError::Station(why)
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
            return self.shown.clone().ok_or_else(|| {
                stranger(say!("no client certificate was shown", "没有出示客户端证书"))
            });
        }
        let headers = parts.headers;
        let missing = || stranger(say!("the request is not signed", "请求没有签名"));
        let certificate = text(headers, CERTIFICATE).ok_or_else(missing)?;
        let certificate = from_hex("certificate", certificate).map_err(|_| missing())?;
        let time: i64 =
            text(headers, TIME).and_then(|time| time.parse().ok()).ok_or_else(missing)?;
        if (time - now.seconds()).abs() > OFF {
            return Err(stranger(say!(
                "the request's time is not this machine's",
                "请求的时间与总库的时钟不符"
            )));
        }
        let signature = text(headers, SIGNATURE).ok_or_else(missing)?;
        let signature = from_hex("signature", signature).ok();
        let signature = signature.and_then(|bytes| bytes.try_into().ok()).ok_or_else(missing)?;
        let key = pki::p256_key_in(&certificate).ok_or_else(missing)?;
        let message = signed_text(parts.method, parts.target, time, body);
        match Verifier.verify(&key, &message, &signature) {
            Some(_) => Ok(certificate),
            None => Err(stranger(say!(
                "the request's signature does not verify",
                "请求的签名核对不通过"
            ))),
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
            return Err(stranger(say!(
                "the certificate was not signed by the CA that this station enrolled with",
                "证书不是由本站加入时的 CA 签发的"
            )));
        }
        match pki::is_valid_at(&certificate, now) {
            true => Ok(known),
            false => {
                Err(stranger(say!("the certificate is not valid now", "证书现在不在有效期内")))
            }
        }
    }
}

/// The ledger that a request is about, where it is let in.
pub(super) async fn known(store: &Store, headers: &HeaderMap) -> Result<Known, FleetError> {
    let (station, instance) = ledger_of(headers)?;
    let known = store.known(&station, instance).await?;
    known.ok_or_else(|| {
        stranger(say!(
            "station {station} with ledger {instance} is not enrolled, or revoked",
            "站 {station}（账本 {instance}）没有加入，或已被撤销"
        ))
    })
}

fn ledger_of(headers: &HeaderMap) -> Result<(StationId, InstanceId), FleetError> {
    let ledger = text(headers, LEDGER).and_then(|ledger| ledger.split_once('/'));
    let (station, instance) =
        ledger.ok_or_else(|| stranger(say!("it names no ledger", "没有写明账本")))?;
    let station =
        station.parse().map_err(|_| stranger(say!("it names no station", "没有写明站")))?;
    let instance =
        instance_of(instance).map_err(|_| stranger(say!("it names no ledger", "没有写明账本")))?;
    Ok((station, instance))
}
