//! A request that came whole, an answer, and what all of them share.

use std::sync::Arc;

use hyper::{HeaderMap, Method, StatusCode};
use serde::Serialize;

use crate::domain::cause::{Told, cause};
use crate::domain::clock::Clock;

use super::super::error::FleetError;
use super::super::store::Store;
use super::super::wire::Refused;
use crate::say;

/// What all requests share.
pub(super) struct House {
    pub(super) store: Store,
    pub(super) clock: Arc<dyn Clock>,
    /// Registrations a second that a cloud takes from everybody together.
    pub(super) cloud_rate: u32,
}

/// A request that came whole.
pub(super) struct Asked {
    pub(super) method: Method,
    pub(super) target: String,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

/// An answer.
pub(super) struct Given {
    pub(super) status: StatusCode,
    pub(super) content_type: &'static str,
    pub(super) body: Vec<u8>,
    /// What it says to a browser.
    pub(super) rules: &'static [(&'static str, &'static str)],
}

/// JSON as an answer.
pub(super) fn json(status: StatusCode, value: &impl Serialize) -> Given {
    let body = serde_json::to_vec(value).unwrap_or_default();
    Given { status, content_type: "application/json", body, rules: &[] }
}

impl Asked {
    /// The path without what is asked in the query.
    pub(super) fn path(&self) -> &str {
        self.target.split_once('?').map_or(self.target.as_str(), |(path, _)| path)
    }

    /// JSON of the body.
    pub(super) fn read<T: serde::de::DeserializeOwned>(&self) -> Result<T, FleetError> {
        serde_json::from_slice(&self.body).map_err(|error| {
            let what = say!("the request makes no sense", "请求看不懂");
            FleetError::Asked(what.then(&cause(&error)))
        })
    }
}

/// An error as an answer.
pub(super) fn refuse(error: &FleetError) -> Given {
    let status = match error {
        FleetError::Segment(_) => StatusCode::UNPROCESSABLE_ENTITY,
        FleetError::Newer(_) => StatusCode::NOT_IMPLEMENTED,
        FleetError::Behind(_) | FleetError::Fork(_) => StatusCode::CONFLICT,
        FleetError::Station(_) | FleetError::EnrolCode(_) => StatusCode::FORBIDDEN,
        FleetError::Asked(_) => StatusCode::BAD_REQUEST,
        _ => StatusCode::SERVICE_UNAVAILABLE,
    };
    // What is wrong with the database is for its own log.
    let said = match error {
        FleetError::Database(_) | FleetError::Turn(_) => {
            say!("the fleet's database can't be used", "总库的数据库无法使用")
        }
        error => error.sentence(),
    };
    let (message, message_zh) = (said.english, Some(said.chinese));
    json(status, &Refused { code: error.code().as_str().to_owned(), message, message_zh })
}
