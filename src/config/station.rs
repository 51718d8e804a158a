//! `[station]`: this machine.

use crate::say;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::kinds::{Placed, time_or, under};
use super::raw;
use super::refusal::Refusal;
use super::words::Language;
use crate::domain::ids::StationId;
use crate::domain::label::SerialRange;
use crate::domain::local::Zone;

/// `[station]`
#[derive(Debug, Clone)]
pub struct Station {
    /// Its id; the ledger belongs to it.
    pub id: StationId,
    /// The language of the screens.
    pub language: Language,
    /// The factory's time zone: what people read and count by.
    pub zone: Zone,
    /// The directory of the ledger, absolute.
    pub data_dir: PathBuf,
    /// The serials that this station may provision.
    pub serial_range: Option<SerialRange>,
    /// How far the clock may be ahead of the journal.
    pub max_clock_gap: Duration,
    /// How long one unit may take.
    pub unit_deadline: Duration,
    /// How long a scan of a batch waits for a device.
    pub device_wait: Duration,
    /// After how long without a key or a scan the screen signs its person out.
    pub idle_lock: Duration,
    /// What a badge's text begins with, before the person's id.
    pub badge_prefix: String,
    /// The file that holds the PIN with which acts are approved.
    pub operator_pin_file: Option<PathBuf>,
}

const DAY: Duration = Duration::from_secs(86_400);

pub(super) fn station(raw: raw::Station, dir: &Path) -> Result<Station, Refusal> {
    Ok(Station {
        id: raw.id.0,
        language: raw.language.map_or(Language::English, |word| word.0),
        zone: raw.timezone.map_or_else(Zone::of_system, |zone| zone.0),
        data_dir: raw.data_dir.under(dir),
        serial_range: raw.serial_range.map(|range| range.0),
        // A line may stand still over a long holiday, a dead clock battery is further off.
        max_clock_gap: time_or(raw.max_clock_gap, 30 * DAY),
        // A unit takes seconds; what takes two minutes will not end well.
        unit_deadline: time_or(raw.unit_deadline, Duration::from_secs(120)),
        device_wait: time_or(raw.device_wait, Duration::from_secs(600)),
        // Longer than a unit takes, shorter than a break.
        idle_lock: time_or(raw.idle_lock, Duration::from_secs(600)),
        badge_prefix: badge_prefix(raw.badge_prefix)?,
        operator_pin_file: under(raw.operator_pin_file, dir),
    })
}

/// A prefix that tells a badge from a label.
fn badge_prefix(prefix: Option<Placed<String>>) -> Result<String, Refusal> {
    let Some(prefix) = prefix else { return Ok("OP:".to_owned()) };
    let is_plain = prefix.value().chars().all(|c| c.is_ascii_graphic());
    match is_plain && (1..=16).contains(&prefix.value().len()) {
        true => Ok(prefix.into_value()),
        false => Err(prefix.refuse(say!(
            "a badge's prefix is 1 to 16 printable ASCII characters",
            "工牌前缀是 1 到 16 个可打印 ASCII 字符"
        ))),
    }
}
