//! Grants: files that somebody signed for a station. The fleet keeps them and hands them out; a
//! station verifies them itself, and brings none: what was granted is not a station's to say.

use hyper::StatusCode;

use super::super::arrival::Known;
use super::super::error::FleetError;
use super::asked::{Given, House, json};

pub(super) async fn answer(house: &House, known: &Known) -> Result<Given, FleetError> {
    Ok(json(StatusCode::OK, &house.store.grants(&known.station).await?))
}
