//! What narrows a list, from the command line.

use crate::cli::{Filters, UnitState};
use crate::config::Config;
use crate::domain::clock::Timestamp;
use crate::domain::code::Code;
use crate::domain::local::Zone;
use crate::ledger::states;
use crate::ledger::views::{AttemptFilter, UnitFilter};
use crate::say;
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
        let help = say!(
            "write 2026-01-05, 2026-01-05T22:00 or 2026-01-05T14:00:00Z",
            "写成 2026-01-05、2026-01-05T22:00 或 2026-01-05T14:00:00Z"
        );
        Failure::said(Code::Usage, say!("{text:?} is no time", "{text:?} 不是时间")).with_help(help)
    })
}

fn no_code(text: &str) -> Failure {
    let what = say!("{text:?} is no code of this program", "{text:?} 不是本程序的代码");
    Failure::said(Code::Usage, what).with_help(say!(
        "docs/errors.md lists them: E-DEV-TIMEOUT, …",
        "docs/errors.zh.md 列出全部代码：E-DEV-TIMEOUT 等"
    ))
}

fn device(text: String) -> Result<String, Failure> {
    let plain = text.replace(':', "");
    match plain.len() >= 4 && plain.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        true => Ok(plain),
        false => {
            let what = say!(
                "{text:?} is no hardware id, nor the beginning of one",
                "{text:?} 不是设备编号，也不是它的开头"
            );
            Err(Failure::said(Code::Usage, what)
                .with_help(say!("write at least four digits, 0-9 a-f", "至少写四位，0-9 a-f")))
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
