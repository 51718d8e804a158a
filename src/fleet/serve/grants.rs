//! Grants: files that somebody signed for a station. The fleet keeps them and hands them out; a
//! station verifies them itself.

use hyper::{Method, StatusCode};

use crate::domain::clock::Timestamp;

use super::super::arrival::Known;
use super::super::error::FleetError;
use super::super::store::GrantFile;
use super::asked::{Asked, Given, House, json};

pub(super) async fn answer(
    house: &House,
    known: &Known,
    asked: &Asked,
    now: Timestamp,
) -> Result<Given, FleetError> {
    if asked.method == Method::GET {
        return Ok(json(StatusCode::OK, &house.store.grants(&known.station).await?));
    }
    let grant: GrantFile = asked.read()?;
    if grant.station != known.station {
        return Err(FleetError::Station("a station brings its own grants alone".to_owned()));
    }
    house.store.add_grant(&grant, now).await?;
    Ok(json(StatusCode::OK, &grant))
}
