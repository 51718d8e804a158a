//! Shares of the rate that a cloud takes.

use hyper::StatusCode;

use crate::domain::clock::Timestamp;

use super::super::arrival::Known;
use super::super::error::FleetError;
use super::super::wire::ShareRequest;
use super::asked::{Asked, Given, House, json};

/// The longest name of a cloud's instance.
const LONGEST: usize = 128;

pub(super) async fn answer(
    house: &House,
    known: &Known,
    asked: &Asked,
    now: Timestamp,
) -> Result<Given, FleetError> {
    let request: ShareRequest = asked.read()?;
    if request.instance.is_empty() || request.instance.len() > LONGEST {
        return Err(FleetError::Asked("this is no instance of a cloud".to_owned()));
    }
    let rates = (request.want, house.cloud_rate);
    let share = house.store.share(&request.instance, &known.station, rates, now).await?;
    Ok(json(StatusCode::OK, &share))
}
