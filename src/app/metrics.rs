//! The station's figures for a monitoring system, gathered from the ledger and the machine.

use std::collections::BTreeMap;

use crate::app::from_config;
use crate::config::Config;
use crate::domain::clock::Timestamp;
use crate::domain::slot::SlotShows;
use crate::ledger::{Reader, Work, WorkLock};
use crate::pki::AuthorityInfo;
use crate::report::Reading;
use crate::shell::Failure;

/// Reads them.
pub fn read(config: &Config, reader: &Reader, now: Timestamp) -> Result<Reading, Failure> {
    let data_dir = &config.station.data_dir;
    let line_runs = WorkLock::is_held(data_dir, Work::Line);
    let head = reader.head()?;
    let backups = from_config::backups(config);
    let authority = AuthorityInfo::read(&from_config::authority_place(&config.authority));
    let order = reader.order_at_work()?;
    Ok(Reading {
        at: now,
        station: config.station.id.as_str().to_owned(),
        stats: reader.recent_stats(&config.station.zone)?,
        slots: slots(config, reader, line_runs, now)?,
        line_runs,
        pace: reader.pace(now, order.as_ref())?.map(|pace| pace.units_an_hour),
        order,
        backlog: reader.backlog()?,
        head,
        newest: reader.newest_wall()?,
        newest_backup: backups.newest_of(head.seq)?.and_then(|backup| backup.made_at()),
        authority_ends: authority.ok().map(|info| info.not_after),
        disk_free: free(config),
    })
}

/// What each slot of station.toml shows.
fn slots(
    config: &Config,
    reader: &Reader,
    line_runs: bool,
    now: Timestamp,
) -> Result<BTreeMap<String, SlotShows>, Failure> {
    let newest = reader.newest_by_slot()?;
    let deadline = config.station.unit_deadline;
    let shows = |slot: &crate::config::Slot| {
        let shows = newest.get(&slot.name).map(|newest| newest.shows(line_runs, deadline, now));
        (slot.name.as_str().to_owned(), shows.unwrap_or(SlotShows::Nothing))
    };
    Ok(config.slots.iter().map(shows).collect())
}

fn free(config: &Config) -> u64 {
    let found = rustix::fs::statvfs(&config.station.data_dir);
    found.map_or(0, |found| found.f_bavail.saturating_mul(found.f_frsize))
}
