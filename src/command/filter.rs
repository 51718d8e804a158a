//! What narrows a list, from the command line.

use crate::cli::{Filters, UnitState};
use crate::config::Config;
use crate::domain::clock::Timestamp;
use crate::domain::code::Code;
use crate::domain::local::Zone;
use crate::ledger::states;
use crate::ledger::views::{AttemptFilter, UnitFilter};
use crate::shell::Failure;

/// Reads what narrows a list; times are the factory's where they don't say an offset.
pub(super) fn of(config: &Config, wanted: Filters) -> Result<UnitFilter, Failure> {
    let zone = &config.station.zone;
    let instant =
        |text: Option<String>, end| text.map(|text| instant(zone, &text, end)).transpose();
    let code = wanted.code.map(|text| text.to_uppercase().parse().map_err(|_| no_code(&text)));
    Ok(UnitFilter {
        state: wanted.state.map(in_the_ledger),
        work_order: wanted.work_order,
        attempt: AttemptFilter {
            from: instant(wanted.from, false)?,
            until: instant(wanted.to, true)?,
            operator: wanted.operator,
            slot: wanted.slot,
            code: code.transpose()?,
            device: wanted.device.map(device).transpose()?,
        },
    })
}

/// A time of the factory's, or one with its offset; a date at the `end` of a range is meant with
/// its whole day.
pub(super) fn instant(zone: &Zone, text: &str, end: bool) -> Result<Timestamp, Failure> {
    zone.instant_of(text, end).ok_or_else(|| {
        let help = "write 2026-01-05, 2026-01-05T22:00 or 2026-01-05T14:00:00Z";
        Failure::new(Code::Usage, format!("{text:?} is no time")).with_help(help)
    })
}

fn no_code(text: &str) -> Failure {
    let what = format!("{text:?} is no code of this program");
    Failure::new(Code::Usage, what).with_help("docs/errors.md lists them: E-DEV-TIMEOUT, …")
}

fn device(text: String) -> Result<String, Failure> {
    let plain = text.replace(':', "");
    match plain.len() >= 4 && plain.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        true => Ok(plain),
        false => {
            let what = format!("{text:?} is no hardware id, nor the beginning of one");
            Err(Failure::new(Code::Usage, what).with_help("write at least four digits, 0-9 a-f"))
        }
    }
}

const fn in_the_ledger(state: UnitState) -> states::UnitState {
    match state {
        UnitState::Reserved => states::UnitState::Reserved,
        UnitState::Issued => states::UnitState::Issued,
        UnitState::Uncertain => states::UnitState::Uncertain,
        UnitState::Failed => states::UnitState::Failed,
        UnitState::Proven => states::UnitState::Proven,
        UnitState::Registered => states::UnitState::Registered,
        UnitState::Shipped => states::UnitState::Shipped,
        UnitState::Rework => states::UnitState::Rework,
        UnitState::Void => states::UnitState::Void,
        UnitState::Scrapped => states::UnitState::Scrapped,
    }
}
