//! What may be asked of a fleet, and what it answers.

use hyper::StatusCode;
use serde::Serialize;
use sha2::{Digest, Sha256};
use tokio::task::spawn_blocking;

use crate::domain::cause::Told as _;
use crate::domain::clock::Timestamp;
use crate::domain::code::Code;
use crate::domain::ids::from_hex;
use crate::pki::{self, Verifier};

use super::super::arrival::{Arrival, Known};
use super::super::error::FleetError;
use super::super::store::rows::instance_of;
use super::super::store::{Enrolment, FoundUnit};
use super::super::wire::{
    ENDS, ENROL, EnrolRequest, FIND, GRANTS, HeadText, SEGMENTS, SHARES, STANDING, Standing,
};
use super::asked::{Asked, Given, House, json, refuse};
use super::door::{Caller, Parts};
use super::{grants, shares};
use crate::say;

/// The ends of segments that are told to a station that looks for where it parted.
const ENDS_TOLD: i64 = 100_000;

/// Answers one request.
pub(super) async fn answer(house: &House, caller: &Caller, asked: Asked) -> Given {
    let (method, path) = (asked.method.clone(), asked.path().to_owned());
    match route(house, caller, asked).await {
        Ok(given) => given,
        Err(error) => {
            tracing::info!("{method} {path}: {}: {error}", error.code());
            refuse(&error)
        }
    }
}

async fn route(house: &House, caller: &Caller, asked: Asked) -> Result<Given, FleetError> {
    let now = house.clock.now().wall;
    let path = asked.path().to_owned();
    match (asked.method.as_str(), path.as_str()) {
        ("GET", "/v1/alive") => Ok(json(StatusCode::OK, &serde_json::json!({"alive": true}))),
        ("POST", ENROL) => enrol(house, caller, &asked, now).await,
        ("GET", STANDING) => {
            let known = station(house, caller, &asked, now).await?;
            standing(house, &known, now).await
        }
        ("POST", SEGMENTS) => {
            let known = station(house, caller, &asked, now).await?;
            segment(house, known, asked, now).await
        }
        ("GET", ENDS) => {
            let known = station(house, caller, &asked, now).await?;
            let ends = house.store.ends(&known, ENDS_TOLD).await?;
            let ends: Vec<HeadText> = ends.into_iter().map(HeadText::from).collect();
            Ok(json(StatusCode::OK, &ends))
        }
        ("GET", FIND) => {
            let known = station(house, caller, &asked, now).await?;
            find(house, &known, &asked).await
        }
        ("GET", GRANTS) => {
            let known = station(house, caller, &asked, now).await?;
            grants::answer(house, &known).await
        }
        ("POST", SHARES) => {
            let known = station(house, caller, &asked, now).await?;
            shares::answer(house, &known, &asked).await
        }
        _ => {
            let what = serde_json::json!({"code": Code::Usage.as_str(), "message": "there is no such page"});
            Ok(json(StatusCode::NOT_FOUND, &what))
        }
    }
}

async fn station(
    house: &House,
    caller: &Caller,
    asked: &Asked,
    now: Timestamp,
) -> Result<Known, FleetError> {
    let parts = parts(asked);
    caller.station(&house.store, &parts, &asked.body, now).await
}

fn parts(asked: &Asked) -> Parts<'_> {
    Parts { method: asked.method.as_str(), target: &asked.target, headers: &asked.headers }
}

async fn enrol(
    house: &House,
    caller: &Caller,
    asked: &Asked,
    now: Timestamp,
) -> Result<Given, FleetError> {
    let shown = caller.certificate(&parts(asked), &asked.body, now)?;
    let request: EnrolRequest = asked.read()?;
    let refused = FleetError::Station;
    let hex = |text: &str| {
        from_hex("certificate", text)
            .map_err(|_| refused(say!("it is no certificate", "它不是证书")))
    };
    let (authority, certificate) = (hex(&request.authority)?, hex(&request.certificate)?);
    if shown != certificate {
        return Err(refused(say!(
            "another certificate was shown than the one to enrol",
            "出示的证书不是要加入的那一张"
        )));
    }
    let key = pki::journal_key_of(&certificate, &authority)
        .map_err(|error| FleetError::Station(error.sentence()))?;
    if key.station != request.station {
        return Err(refused(say!("the certificate is another station's", "证书是另一个站的")));
    }
    let enrolment = Enrolment {
        code: request.code,
        station: request.station,
        instance: instance_of(&request.instance)
            .map_err(|_| refused(say!("the ledger's id is none", "账本的 id 无效")))?,
        authority,
        key: key.public_key,
    };
    house.store.enrol(&enrolment, now).await?;
    tracing::info!("station {} enrolled with ledger {}", enrolment.station, enrolment.instance);
    let known = house.store.known(&enrolment.station, enrolment.instance).await?;
    let known =
        known.ok_or_else(|| refused(say!("the station was revoked just now", "该站刚刚被撤销")))?;
    standing(house, &known, now).await
}

async fn standing(house: &House, known: &Known, now: Timestamp) -> Result<Given, FleetError> {
    let head = house.store.head(known, now).await?;
    let (conflicts, claimed) = house.store.contradicted(known).await?;
    Ok(json(StatusCode::OK, &Standing { head: head.into(), conflicts, claimed }))
}

async fn segment(
    house: &House,
    known: Known,
    asked: Asked,
    now: Timestamp,
) -> Result<Given, FleetError> {
    let digest = Sha256::digest(&asked.body);
    let (verified, known) =
        spawn_blocking(move || (Arrival::verify(asked.body, &known, &Verifier), known))
            .await
            .map_err(|_| {
                FleetError::Segment(say!(
                    "it made the fleet fail; see the fleet's log",
                    "它使总库出错；见总库的日志"
                ))
            })?;
    let arrival = verified?;
    debug_assert_eq!(digest[..], arrival.digest);
    house.store.take(&known, &arrival, now).await?;
    standing(house, &known, now).await
}

/// A unit as a station hears of it: all of its own, and of another's where it is.
#[derive(Serialize)]
struct Told<'a> {
    station: &'a str,
    instance: String,
    by: &'static str,
    state: &'static str,
    serial: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    story: Option<&'a super::super::story::Story>,
}

async fn find(house: &House, known: &Known, asked: &Asked) -> Result<Given, FleetError> {
    let query = asked.target.split_once('?').map_or("", |(_, query)| query);
    let text = query.strip_prefix("q=").map(from_query).unwrap_or_default();
    let found = house.store.find(&text).await?;
    let told = found.iter().map(|unit: &FoundUnit| Told {
        station: unit.station.as_str(),
        instance: unit.instance.to_string(),
        by: unit.by.as_str(),
        state: unit.story.state().as_str(),
        serial: unit.story.serial.as_str(),
        story: (unit.station == known.station).then_some(&unit.story),
    });
    let told: Vec<_> = told.collect();
    Ok(json(StatusCode::OK, &told))
}

/// A text as it stands in a query: hexadecimal, so that nothing of it means anything there.
fn from_query(text: &str) -> String {
    let bytes = from_hex("text", text).unwrap_or_default();
    String::from_utf8(bytes).unwrap_or_default()
}
