//! TDMQ for MQTT: the cloud's API of version 2024-05-16, one request for one question.
//!
//! Nothing is tried twice here. The API has no token that would make a repeated call
//! harmless, and says nothing of what a second registration of one certificate does; so
//! every end that is not a clear answer is [`ErrorClass::LookUpFirst`]. Start with [`Tdmq`].

mod classes;
mod envelope;
mod http;
mod messages;
mod pem;
mod settings;
mod sign;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::time::Instant;

use self::envelope::Answer;
use self::http::{Headers, Http, HttpError, Reply};
pub use self::settings::{ClientError, Credentials, Roots, Settings};
use self::sign::ToSign;
use super::pace::{Pace, Turn};
use super::{
    CallError, CertificateFilter, CertificatePage, ClockSkew, ErrorClass, InstanceFacts, Registrar,
    Usage,
};
use crate::domain::cause::{Told, cause};
use crate::domain::clock::Clock;
use crate::domain::code::Code;
use crate::domain::registration::{
    CaSn, CloudAuthority, CloudInstance, CloudStatus, NewRegistration, SnValue,
};
use crate::domain::say::Say;
use crate::say;

const SERVICE: &str = "mqtt";
const VERSION: &str = "2024-05-16";
const CONTENT_TYPE: &str = "application/json";
const CLIENT: &str = concat!("provisioning-station_", env!("CARGO_PKG_VERSION"));

/// The API takes 20 calls a second of each action; others of the account call too.
const OTHERS_A_SECOND: f64 = 15.0;

/// Characters of a text of the cloud that are passed on: a sentence, not a page.
const LONGEST_MESSAGE: usize = 300;

const REGISTER: &str = "RegisterDeviceCertificate";

/// Every action that is called. Those that change something have no second try anywhere.
const ACTIONS: [&str; 10] = [
    REGISTER,
    "ApplyRegistrationCode",
    "RegisterCaCertificate",
    "ActivateDeviceCertificate",
    "DeactivateDeviceCertificate",
    // The past tense is the API's.
    "RevokedDeviceCertificate",
    "DescribeInstance",
    "DescribeInsPublicEndpoints",
    "DescribeCaCertificates",
    "DescribeDeviceCertificates",
];

/// A client for one instance with one set of credentials.
pub struct Tdmq {
    instance: CloudInstance,
    http: Http,
    credentials: Credentials,
    call_limit: Duration,
    pace: Pace,
    clock: Arc<dyn Clock>,
    requests: AtomicU64,
    throttled: AtomicU64,
    /// The newest two, the newer first.
    skews: Mutex<[Option<ClockSkew>; 2]>,
}

impl std::fmt::Debug for Tdmq {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tdmq").field("instance", &self.instance).finish_non_exhaustive()
    }
}

impl Tdmq {
    /// A client; nothing is sent yet.
    pub fn new(
        settings: &Settings,
        credentials: Credentials,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, ClientError> {
        let http = Http::new(&settings.endpoint, &settings.roots, settings.proxy.as_deref())?;
        let rate = |action| match action {
            REGISTER => (action, f64::from(settings.rate_per_second)),
            other => (other, OTHERS_A_SECOND),
        };
        let instance = CloudInstance {
            site: http.site(),
            region: settings.region.clone(),
            instance: settings.instance.clone(),
        };
        Ok(Self {
            instance,
            http,
            credentials,
            call_limit: settings.call_limit,
            pace: Pace::new(&ACTIONS.map(rate)),
            clock,
            requests: AtomicU64::new(0),
            throttled: AtomicU64::new(0),
            skews: Mutex::new([None; 2]),
        })
    }

    /// Makes one call: waits for its turn, sends, reads the answer.
    async fn call<T: DeserializeOwned>(
        &self,
        action: &'static str,
        request: &impl Serialize,
    ) -> Result<T, CallError> {
        let fields = self.exchange(action, request).await?;
        envelope::fields(fields).map_err(|error| {
            let what = say!("the answer is not that of this action", "应答不是这个接口的");
            unclear(action, Code::CloudAnswer, what.then(&cause(&error)))
        })
    }

    async fn exchange(
        &self,
        action: &'static str,
        request: &impl Serialize,
    ) -> Result<serde_json::Value, CallError> {
        // Serialised once: what is hashed is what is sent.
        let body = serde_json::to_vec(request)
            .map_err(|error| call_error(action, ErrorClass::ItemNever, Code::Bug, cause(&error)))?;
        // Half of the limit for the turn, so that whoever gets one has time for the answer.
        let half = self.call_limit / 2;
        let Ok(turn) = tokio::time::timeout(half, self.pace.turn(action)).await else {
            let what = say!(
                "no turn within {half:?}, nothing was sent",
                "{half:?} 内没有轮到，什么也没有发出"
            );
            return Err(call_error(action, ErrorClass::Throttled, Code::CloudThrottled, what));
        };
        self.requests.fetch_add(1, Ordering::Relaxed);
        let reply = match tokio::time::timeout(half, self.send(action, body, turn)).await {
            Ok(sent) => sent.map_err(|error| self.unsent(action, &error))?,
            Err(_) => return Err(self.unsent(action, &HttpError::Timeout)),
        };
        self.note_date(&reply);
        self.read(action, &reply)
    }

    async fn send(
        &self,
        action: &'static str,
        body: Vec<u8>,
        mut turn: Turn,
    ) -> Result<Reply, HttpError> {
        let timestamp = self.clock.now().wall.seconds();
        let to_sign = ToSign {
            service: SERVICE,
            host: self.http.host(),
            content_type: CONTENT_TYPE,
            action: None,
            timestamp,
            body: &body,
        };
        let Credentials { id, key, token } = &self.credentials;
        let authorization = to_sign.authorization(id, key).map_err(|_| HttpError::Header)?;
        let headers = Headers {
            content_type: CONTENT_TYPE,
            authorization: &authorization,
            token: token.as_ref().map(|token| token.as_str()),
            others: &[
                ("x-tc-action", action),
                ("x-tc-version", VERSION),
                ("x-tc-timestamp", &timestamp.to_string()),
                ("x-tc-region", &self.instance.region),
                ("x-tc-language", "en-US"),
                ("x-tc-requestclient", CLIENT),
            ],
        };
        self.http.post(&headers, body, move || turn.sent()).await
    }

    /// A request that has no whole answer: what came of it is not known.
    fn unsent(&self, action: &'static str, error: &HttpError) -> CallError {
        let code = match error {
            HttpError::TooLong => Code::CloudAnswer,
            // Only a secret has bytes of its own in a header.
            HttpError::Header => Code::CloudCredentials,
            _ => Code::CloudUnreachable,
        };
        let class = match error {
            HttpError::Header => ErrorClass::StopRun,
            _ => ErrorClass::LookUpFirst,
        };
        call_error(action, class, code, Say::same(self.http.host()).then(&error.sentence()))
    }

    fn note_date(&self, reply: &Reply) {
        let now = self.clock.now().wall;
        let skew = reply.date.as_deref().and_then(|date| ClockSkew::of(date, now));
        if skew.is_some() {
            let mut skews = self.skews.lock().unwrap_or_else(PoisonError::into_inner);
            *skews = [skew, skews[0]];
        }
    }

    fn read(&self, action: &'static str, reply: &Reply) -> Result<serde_json::Value, CallError> {
        if reply.status != reqwest::StatusCode::OK {
            let (host, status) = (self.http.host(), reply.status.as_u16());
            let what = say!("{host} answered HTTP {status}", "{host} 应答 HTTP {status}");
            return Err(unclear(action, Code::CloudAnswer, what));
        }
        match envelope::read(&reply.body) {
            Ok(Answer::Done { fields, request_id }) => {
                tracing::debug!(action, request_id, "the cloud answered");
                Ok(fields)
            }
            Ok(Answer::Refused { code, message, request_id }) => {
                Err(self.refused(action, code, &message, &request_id))
            }
            Err(error) => {
                let host = self.http.host();
                let what =
                    say!("{host} did not answer as the API does", "{host} 的应答不是云 API 的");
                Err(unclear(action, Code::CloudAnswer, what.then(&error.sentence())))
            }
        }
    }

    fn refused(
        &self,
        action: &'static str,
        cloud_code: String,
        text: &str,
        request_id: &str,
    ) -> CallError {
        let (class, code) = classes::class_of(&cloud_code);
        tracing::debug!(action, cloud_code, request_id, "the cloud refused");
        if class == ErrorClass::Throttled {
            self.throttled.fetch_add(1, Ordering::Relaxed);
            self.pace.throttled(action);
        }
        let mut message = say!("the cloud answered {}", "云端应答 {}", shortened(&cloud_code));
        if let (Code::CloudClock, Some(skew)) = (code, self.newest_skew()) {
            message.english += &format!("; the station's clock is {skew}");
            message.chinese += &format!("；本站时钟{}", skew.sentence().chinese);
        }
        if !text.is_empty() {
            // The cloud's own words, in the language that it was asked in.
            message = message.then(&Say::same(shortened(text)));
        }
        if !request_id.is_empty() {
            message.english += &format!(" (request {})", shortened(request_id));
            message.chinese += &format!("（请求 {}）", shortened(request_id));
        }
        CallError { action, class, code, cloud_code: Some(cloud_code), message }
    }

    fn newest_skew(&self) -> Option<ClockSkew> {
        self.skews.lock().unwrap_or_else(PoisonError::into_inner)[0]
    }
}

impl Registrar for Tdmq {
    fn instance(&self) -> &CloudInstance {
        &self.instance
    }

    fn call_limit(&self) -> Duration {
        self.call_limit
    }

    fn set_rate(&self, per_second: u32, until: Option<Instant>) {
        self.pace.set_rate(REGISTER, f64::from(per_second), until);
    }

    fn unsent(&self) -> usize {
        self.pace.unsent(REGISTER)
    }

    fn usage(&self) -> Usage {
        let requests = self.requests.load(Ordering::Relaxed);
        Usage { requests, throttled: self.throttled.load(Ordering::Relaxed) }
    }

    fn clock_skew(&self) -> Option<ClockSkew> {
        match *self.skews.lock().unwrap_or_else(PoisonError::into_inner) {
            [Some(newest), Some(before)] => Some(newest.smaller(before)),
            [newest, _] => newest,
        }
    }

    async fn instance_facts(&self) -> Result<InstanceFacts, CallError> {
        let request = messages::OfInstance { instance_id: &self.instance.instance };
        let answer: messages::Instance = self.call("DescribeInstance", &request).await?;
        Ok(answer.into())
    }

    async fn endpoints(&self) -> Result<Vec<(String, u16)>, CallError> {
        let request = messages::OfInstance { instance_id: &self.instance.instance };
        let answer: messages::Endpoints = self.call("DescribeInsPublicEndpoints", &request).await?;
        Ok(answer.hosts())
    }

    async fn authorities(&self) -> Result<Vec<CloudAuthority>, CallError> {
        let request = messages::OfInstance { instance_id: &self.instance.instance };
        let answer: messages::Authorities = self.call("DescribeCaCertificates", &request).await?;
        Ok(answer.into())
    }

    async fn apply_registration_code(&self) -> Result<String, CallError> {
        const ACTION: &str = "ApplyRegistrationCode";
        let request = messages::OfInstance { instance_id: &self.instance.instance };
        let answer: messages::AppliedCode = self.call(ACTION, &request).await?;
        Some(answer.registration_code).filter(|code| !code.is_empty()).ok_or_else(|| {
            unclear(ACTION, Code::CloudAnswer, say!("the registration code is empty", "注册码为空"))
        })
    }

    async fn register_authority(
        &self,
        ca_pem: &str,
        verification_pem: &str,
    ) -> Result<CaSn, CallError> {
        const ACTION: &str = "RegisterCaCertificate";
        let id = &self.instance.instance;
        let request = messages::RegisterAuthority::active(id, ca_pem, verification_pem);
        let answer: messages::RegisteredAuthority = self.call(ACTION, &request).await?;
        Ok(CaSn(answer.ca_sn))
    }

    async fn register(&self, certificate: &NewRegistration) -> Result<String, CallError> {
        let pem = pem::encode(&certificate.der);
        let request = messages::RegisterCertificate::new(
            &self.instance.instance,
            &pem,
            &certificate.ca,
            certificate.client_id.as_str(),
            certificate.status,
        );
        let answer: messages::RegisteredCertificate = self.call(REGISTER, &request).await?;
        let sn = answer.device_certificate_sn;
        match sn.parse() == Ok(SnValue::from(&certificate.sn)) {
            true => Ok(sn),
            false => {
                let what = say!("the answer is about another certificate", "应答说的是另一张证书")
                    .then(&Say::same(shortened(&sn)));
                Err(unclear(REGISTER, Code::CloudAnswer, what))
            }
        }
    }

    async fn certificates(
        &self,
        filter: &CertificateFilter,
        offset: u64,
        limit: u64,
    ) -> Result<CertificatePage, CallError> {
        const ACTION: &str = "DescribeDeviceCertificates";
        let id = &self.instance.instance;
        let request = messages::ListCertificates::new(id, filter, offset, limit);
        let answer: messages::Certificates = self.call(ACTION, &request).await?;
        answer.page(offset).map_err(|why| {
            let what = say!("the answer contradicts itself", "应答自相矛盾");
            unclear(ACTION, Code::CloudAnswer, what.then(&why))
        })
    }

    async fn set_status(&self, sn: &str, status: CloudStatus) -> Result<(), CallError> {
        let action = match status {
            CloudStatus::Active => "ActivateDeviceCertificate",
            CloudStatus::Inactive => "DeactivateDeviceCertificate",
            CloudStatus::Revoked => "RevokedDeviceCertificate",
            CloudStatus::PendingActivation => {
                let what = say!(
                    "no certificate can be made to wait for its activation",
                    "不能让证书等待激活"
                );
                return Err(call_error("-", ErrorClass::ItemNever, Code::Bug, what));
            }
        };
        let instance_id = &self.instance.instance;
        let request = messages::OfCertificate { instance_id, device_certificate_sn: sn };
        let messages::Nothing {} = self.call(action, &request).await?;
        Ok(())
    }
}

fn unclear(action: &'static str, code: Code, message: Say) -> CallError {
    call_error(action, ErrorClass::LookUpFirst, code, message)
}

fn call_error(action: &'static str, class: ErrorClass, code: Code, message: Say) -> CallError {
    CallError { action, class, code, cloud_code: None, message }
}

/// The cloud's own words, no longer than a sentence.
fn shortened(text: &str) -> String {
    text.chars().take(LONGEST_MESSAGE).collect()
}

#[cfg(test)]
mod tests;
