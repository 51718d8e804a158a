//! Shares of the rate that a cloud takes.

use hyper::StatusCode;

use crate::domain::share::Question;

use super::super::arrival::Known;
use super::super::error::FleetError;
use super::asked::{Asked, Given, House, json};
use crate::say;

/// The longest name of a cloud's instance, in bytes.
const LONGEST: usize = 512;

pub(super) async fn answer(
    house: &House,
    known: &Known,
    asked: &Asked,
) -> Result<Given, FleetError> {
    let question: Question = asked.read()?;
    let cloud = question.instance.to_string();
    if cloud.len() > LONGEST {
        return Err(FleetError::Asked(say!("this is no instance of a cloud", "这不是云端实例")));
    }
    let asked = (question.want, question.has);
    let share = house.store.share(&cloud, house.cloud_rate, &known.station, asked).await?;
    Ok(json(StatusCode::OK, &share))
}
