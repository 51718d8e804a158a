//! One request, from its arrival to its answer: faults, signature, limits, action.

use std::collections::HashMap;
use std::io;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Map, Value, json};

use super::actions::{ACTIONS, Action, Caller, REGISTER, Work, uuid};
use super::book::{Book, Change};
use super::certificate::Certificate;
use super::fault::CloudFault;
use super::log::{Log, ReceivedRequest};
use super::options::{Credentials, Options};
use super::pace::{ACTION_RATE, Pace, REGISTRATION_RATE};
use super::refusal::{Answer, Refusal};
use super::signature::{Headers, signer};
use super::store::{Mark, Store};

use crate::say;

const VERSION: &str = "2024-05-16";

/// A request as it arrived.
pub(super) struct Arrived {
    /// Whether it is a POST to `/`.
    pub(super) is_post_to_root: bool,
    pub(super) headers: Headers,
    pub(super) body: Vec<u8>,
}

/// What is sent back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reply {
    Json(Vec<u8>),
    /// A page that some proxy made.
    Page,
    /// An error of some proxy.
    Status(u16),
    /// The connection is reset.
    Reset,
}

/// What becomes of a request.
pub(super) struct Outcome {
    pub(super) reply: Reply,
    /// How much later it is answered.
    pub(super) delay: Duration,
    /// What must be on disk before.
    pub(super) mark: Mark,
    /// The time that the answer's Date says.
    pub(super) date: i64,
}

/// The cloud behind its door.
pub(super) struct Desk {
    pub(super) options: Options,
    keys: Vec<Credentials>,
    book: Book,
    store: Store,
    pace: Pace,
    log: Log,
    number: u32,
    of_action: HashMap<String, u32>,
    started: (SystemTime, std::time::Instant),
}

impl Desk {
    /// A desk over this state; refuses the state of another instance.
    pub(super) fn open(options: Options, log: Log) -> io::Result<Self> {
        let (mut store, mut book) = Store::open(options.state.as_deref())?;
        let ours = (options.instance.id.clone(), options.instance.region.clone());
        match &book.instance {
            Some(kept) if *kept != ours => {
                let (instance, region) = kept;
                let why = say!(
                    "it holds the state of {instance} in {region}",
                    "它保存的是 {region} 的 {instance} 的状态"
                );
                return Err(io::Error::new(io::ErrorKind::InvalidData, why));
            }
            Some(_) => {}
            None => {
                let change = Change::Instance { instance: ours.0, region: ours.1 };
                store.append(&change)?;
                book.apply(change);
            }
        }
        let keys = [Some(options.credentials.clone()), options.revoker.clone()];
        Ok(Self {
            keys: keys.into_iter().flatten().collect(),
            options,
            book,
            store,
            pace: Pace::default(),
            log,
            number: 0,
            of_action: HashMap::new(),
            started: (SystemTime::now(), std::time::Instant::now()),
        })
    }

    /// Answers one request.
    pub(super) fn handle(&mut self, arrived: &Arrived) -> Outcome {
        let since_start = self.started.1.elapsed();
        let wall = self.started.0.duration_since(UNIX_EPOCH).unwrap_or_default() + since_start;
        let action = arrived.headers.value("x-tc-action").unwrap_or_default().to_owned();
        let faults = self.faults(&action);
        let skew = faults.iter().find_map(|fault| match fault {
            CloudFault::Skew(seconds) => Some(*seconds),
            _ => None,
        });
        let now = i64::try_from(wall.as_millis()).unwrap_or(i64::MAX)
            + skew.unwrap_or_default().saturating_mul(1_000);
        let (reply, code) = match before(&faults) {
            Some(reply) => (reply, None),
            None => {
                let answer = self.answer(arrived, &action, &faults, now, since_start);
                let code = answer.as_ref().err().map(|refusal| refusal.code);
                (after(&faults).unwrap_or_else(|| written(answer, &faults)), code)
            }
        };
        self.note(wall, action, code, &faults);
        let delays = faults.iter().map(|fault| match fault {
            CloudFault::Slow(delay) => *delay,
            _ => Duration::ZERO,
        });
        Outcome { reply, delay: delays.sum(), mark: self.store.mark(), date: now / 1_000 }
    }

    fn faults(&mut self, action: &str) -> Vec<CloudFault> {
        self.number += 1;
        let of_action = self.of_action.entry(action.to_owned()).or_default();
        *of_action += 1;
        self.options.faults.of_request(self.number, action, *of_action, self.options.seed)
    }

    fn note(
        &self,
        wall: Duration,
        action: String,
        code: Option<&'static str>,
        faults: &[CloudFault],
    ) {
        let at_us = u64::try_from(wall.as_micros()).unwrap_or(u64::MAX);
        let faults = faults.iter().map(|fault| fault.name()).collect();
        let request = ReceivedRequest { number: self.number, at_us, action, code, faults };
        if let Err(error) = self.log.add(request) {
            tracing::error!("a request can't be logged: {error}");
        }
    }

    fn answer(
        &mut self,
        arrived: &Arrived,
        action: &str,
        faults: &[CloudFault],
        now: i64,
        since_start: Duration,
    ) -> Answer {
        let has = |fault| faults.contains(&fault);
        check_form(arrived)?;
        let key = signer(&arrived.headers, &arrived.body, &self.keys, now / 1_000)?;
        self.check_place(&arrived.headers)?;
        let action = find(action, has(CloudFault::InvalidAction))?;
        check_caller(action, key, &self.options)?;
        if has(CloudFault::Throttle) {
            return Err(Refusal::new("RequestLimitExceeded", "too many requests"));
        }
        let limit = limit(self.options.rate, action.name);
        self.pace.take(action.name, since_start, limit)?;
        if has(CloudFault::InternalError) {
            return Err(Refusal::new("InternalError", "an internal error"));
        }
        let not_ready = has(CloudFault::NotReady);
        let Self { options, book, store, .. } = self;
        let mut work = Work {
            instance: &options.instance,
            serial_form: options.serial_form,
            duplicate: options.duplicate,
            book,
            store,
            now,
            not_ready,
        };
        let answer = work.perform(action, &arrived.body);
        let answer = match has(CloudFault::Duplicate) {
            true => work.perform(action, &arrived.body),
            false => answer,
        };
        if has(CloudFault::Forget) {
            self.forget(&arrived.body);
        }
        answer
    }

    /// Keeps nothing of the client that a request names.
    fn forget(&mut self, body: &[u8]) {
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        if let Some(client_id) = body.get("ClientId").and_then(Value::as_str)
            && let Err(error) = self.uproot(client_id)
        {
            tracing::error!("what is to be forgotten stays: {error}");
        }
    }

    fn check_place(&self, headers: &Headers) -> Result<(), Refusal> {
        let version = headers.value("x-tc-version");
        match version.ok_or_else(|| Refusal::missing("X-TC-Version"))? {
            VERSION => {}
            _ => return Err(Refusal::new("NoSuchVersion", "there is no such version")),
        }
        let region = headers.value("x-tc-region");
        let region = region.ok_or_else(|| Refusal::missing("X-TC-Region"))?;
        match region == self.options.instance.region {
            true => Ok(()),
            false => Err(Refusal::new("UnsupportedRegion", format!("no region {region:?}"))),
        }
    }

    /// Puts a client certificate in as if it had come some other way than through the API.
    pub(super) fn plant(
        &mut self,
        pem: &str,
        client_id: &str,
        status: super::book::Status,
        automatic: bool,
    ) -> Result<(), &'static str> {
        let found = Certificate::read(pem)?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
        let now = i64::try_from(now).unwrap_or(i64::MAX);
        let is_issuer = |ca: &&super::book::AuthorityRow| {
            Certificate::read(&ca.pem).is_ok_and(|ca| found.is_issued_by(&ca))
        };
        let issuer = self.book.authorities().find(is_issuer);
        let row = super::book::CertificateRow {
            sn: found.sn.clone(),
            ca: issuer.map_or_else(|| "00".to_owned(), |ca| ca.sn.clone()),
            pem: pem.to_owned(),
            client_id: client_id.to_owned(),
            cn: found.cn,
            ou: found.ou,
            not_before: found.not_before,
            not_after: found.not_after,
            status,
            source: if automatic { "JITP" } else { "API" }.to_owned(),
            times: super::book::Times::born(status, now),
        };
        self.alter(Change::Certificate(Box::new(row)))
    }

    /// Deletes a client's certificates as if it had happened some other way than through the API.
    pub(super) fn uproot(&mut self, client_id: &str) -> Result<(), &'static str> {
        let of_client = self.book.certificates().filter(|row| row.client_id == client_id);
        let sns: Vec<String> = of_client.map(|row| row.sn.clone()).collect();
        sns.into_iter().try_for_each(|sn| self.alter(Change::CertificateGone { sn }))
    }

    fn alter(&mut self, change: Change) -> Result<(), &'static str> {
        self.store.append(&change).map_err(|_| "the state can't be kept")?;
        self.book.apply(change);
        Ok(())
    }
}

/// What comes instead of anything being done.
fn before(faults: &[CloudFault]) -> Option<Reply> {
    faults.iter().find_map(|fault| match fault {
        CloudFault::Reset => Some(Reply::Reset),
        CloudFault::BadGateway => Some(Reply::Status(502)),
        CloudFault::HtmlBody => Some(Reply::Page),
        _ => None,
    })
}

/// What comes instead of the answer to what was done.
fn after(faults: &[CloudFault]) -> Option<Reply> {
    faults.iter().find_map(|fault| match fault {
        CloudFault::ResetAfter => Some(Reply::Reset),
        CloudFault::BadGatewayAfter => Some(Reply::Status(504)),
        CloudFault::WrongBody => Some(Reply::Json(br#"{"status":"ok","data":{}}"#.to_vec())),
        _ => None,
    })
}

fn check_form(arrived: &Arrived) -> Result<(), Refusal> {
    if !arrived.is_post_to_root {
        return Err(Refusal::new("InvalidRequest", "a POST to / is expected"));
    }
    let content_type = arrived.headers.value("content-type").unwrap_or_default();
    match content_type.to_lowercase().replace(' ', "").as_str() {
        "application/json" | "application/json;charset=utf-8" => Ok(()),
        _ => Err(Refusal::new("InvalidRequest", "Content-Type application/json is expected")),
    }
}

fn find(name: &str, international: bool) -> Result<&'static Action, Refusal> {
    let known = ACTIONS.iter().find(|action| action.name == name);
    known
        .filter(|action| action.international || !international)
        .ok_or_else(|| Refusal::new("InvalidAction", format!("there is no action {name:?}")))
}

fn check_caller(action: &Action, key: &Credentials, options: &Options) -> Result<(), Refusal> {
    let Some(revoker) = &options.revoker else { return Ok(()) };
    let is_revoker = key == revoker;
    let may = match action.caller {
        Caller::Everyone => true,
        Caller::Station => !is_revoker,
        Caller::Revoker => is_revoker,
    };
    let why = "this key has no permission for this action";
    if may { Ok(()) } else { Err(Refusal::new("AuthFailure.UnauthorizedOperation", why)) }
}

/// Requests of an action that are taken in a second.
fn limit(rate: Option<u32>, action: &str) -> Option<u32> {
    match (rate, action == REGISTER) {
        (Some(0), _) => None,
        (Some(rate), true) => Some(rate),
        (Some(rate), false) => Some(rate.max(ACTION_RATE)),
        (None, true) => Some(REGISTRATION_RATE),
        (None, false) => Some(ACTION_RATE),
    }
}

/// An answer in the API's envelope.
fn written(answer: Answer, faults: &[CloudFault]) -> Reply {
    let nulls = faults.contains(&CloudFault::Nulls);
    let mut response = match answer {
        Ok(fields) if nulls => with_nulls(fields),
        Ok(fields) => fields,
        Err(refusal) => {
            let error = json!({"Code": refusal.code, "Message": refusal.message});
            Map::from_iter([("Error".to_owned(), error)])
        }
    };
    response.insert("RequestId".to_owned(), uuid().unwrap_or_default().into());
    let body = match nulls {
        true => json!({"Error": null, "RequestId": null, "Response": response}),
        false => json!({"Response": response}),
    };
    Reply::Json(body.to_string().into_bytes())
}

fn with_nulls(mut fields: Map<String, Value>) -> Map<String, Value> {
    if fields.get("Data").and_then(Value::as_array).is_some_and(Vec::is_empty) {
        fields.insert("Data".to_owned(), Value::Null);
        if let Some(total) = fields.get_mut("TotalCount").filter(|total| **total == json!(0)) {
            *total = Value::Null;
        }
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_that_was_asked_for_holds_for_registrations_and_does_not_slow_the_others() {
        assert_eq!(limit(None, REGISTER), Some(15));
        assert_eq!(limit(None, "DescribeInstance"), Some(20));
        assert_eq!(limit(Some(3), REGISTER), Some(3));
        assert_eq!(limit(Some(3), "DescribeInstance"), Some(20));
        assert_eq!(limit(Some(500), "DescribeInstance"), Some(500));
        assert_eq!(limit(Some(0), REGISTER), None);
    }
}
