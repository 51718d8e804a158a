//! The figures around the line, and the work orders to choose from.

use std::path::Path;

use crate::app::from_config;
use crate::domain::clock::Timestamp;
use crate::domain::local::Shift;
use crate::domain::pages::{
    Counted, Light, OrderProgress, Overview, Period, SignedInPerson, WorkOrderChoice,
    authority_light, disk_light,
};
use crate::domain::story::Stats;
use crate::pki::AuthorityInfo;
use crate::shell::Failure;

use super::Answers;

/// Uncertain units that are listed, the oldest first; beyond that they are counted.
const LISTED: u32 = 200;

/// Hours of output at the top of the screen: a shift and what was before it.
const HOURS: usize = 12;

/// Work orders that are shown to choose from.
const CHOICES: u32 = 200;

impl Answers {
    pub(super) fn overview(&self, now: Timestamp) -> Result<Overview, Failure> {
        let order = self.order()?;
        let must_choose = order.is_none() && self.reader.open_work_orders()?.len() > 1;
        let first_pass_yield = match &order {
            Some(order) => self.reader.order_yield(&order.id)?,
            None => {
                let zone = &self.config.station.zone;
                self.reader.yield_within(zone.day(zone.day_of(now)))?
            }
        };
        let waiting = self.reader.backlog()?;
        let disk_free = free(&self.config.station.data_dir);
        let (not_after, until) = self.authority(now)?;
        Ok(Overview {
            at: now,
            pace: self.reader.pace(now, order.as_ref().map(|order| &order.id))?,
            first_pass_yield,
            counted: self.counted(now)?,
            passed_by_hour: self.reader.passed_by_hour(now, HOURS, &self.config.station.zone)?,
            uncertain: self.reader.uncertain(LISTED)?,
            sync: self.sync_light(waiting.oldest, now),
            backlog: waiting.count,
            last_sync: self.reader.last_answer_of_cloud()?,
            disk_free,
            disk: disk_light(disk_free, self.config.ledger.reserve),
            clock: self.clock_holds(now)?,
            authority_not_after: not_after,
            issues_until: until,
            authority: authority_light(until, now),
            operator: self.signed_in_person(now)?,
            people_known: self.reader.knows_anybody()?,
            work_order: order,
            must_choose,
        })
    }

    /// What ended in this shift, or today between and without shifts.
    fn counted(&self, now: Timestamp) -> Result<Counted, Failure> {
        let (zone, shifts) = (&self.config.station.zone, &self.config.shifts);
        let (shift, span) = match Shift::at(shifts, now, zone) {
            Some((shift, span)) => (Some(shift.name.clone()), span),
            None => (None, zone.day(zone.day_of(now))),
        };
        Ok(Counted { shift, from: span.from, attempts: self.reader.outcomes_within(span)? })
    }

    /// Counts and yield; a day is the factory's.
    pub(super) fn statistics(&self, period: Period) -> Result<Stats, Failure> {
        let zone = &self.config.station.zone;
        Ok(match period {
            Period::All => self.reader.recent_stats(zone)?,
            Period::Day(day) => self.reader.stats_within(zone.day(day), zone)?,
        })
    }

    fn order(&self) -> Result<Option<OrderProgress>, Failure> {
        let Some(id) = self.lot.work_order() else { return Ok(None) };
        let row = self.reader.work_order(&id)?;
        Ok(row.map(|row| OrderProgress {
            id: id.clone(),
            quantity: row.work_order.quantity,
            proven: row.proven,
            under_way: row.open,
        }))
    }

    /// Amber where a proof has waited for half of what it may, red beyond; green without a
    /// cloud, since nothing is expected then.
    fn sync_light(&self, oldest: Option<Timestamp>, now: Timestamp) -> Light {
        let (Some(cloud), Some(oldest)) = (&self.config.cloud, oldest) else {
            return Light::Green;
        };
        let limit = i64::try_from(cloud.max_backlog.as_micros()).unwrap_or(i64::MAX);
        match now.0.saturating_sub(oldest.0) {
            waited if waited > limit => Light::Red,
            waited if waited > limit / 2 => Light::Amber,
            _ => Light::Green,
        }
    }

    fn clock_holds(
        &self,
        now: Timestamp,
    ) -> Result<Result<(), crate::domain::device::Fault>, Failure> {
        let checked = self.reader.clock_check(now, self.config.station.max_clock_gap);
        Ok(checked.map_err(Into::into))
    }

    /// The CA's end, and until when it can issue what the profile asks for.
    fn authority(&self, now: Timestamp) -> Result<(Timestamp, Timestamp), Failure> {
        let info = AuthorityInfo::read(&from_config::authority_place(&self.config.authority))?;
        let end = info.not_after;
        let wanted = from_config::valid_for(self.config.certificate.valid_for).end(now);
        let until = match wanted {
            Some(wanted) if end != Timestamp::NO_EXPIRY => {
                Timestamp(end.0.saturating_sub(wanted.0.saturating_sub(now.0)))
            }
            _ => end,
        };
        Ok((end, until))
    }

    fn signed_in_person(&self, now: Timestamp) -> Result<Option<SignedInPerson>, Failure> {
        let Some(id) = self.signed_in.operator() else { return Ok(None) };
        let row = self.reader.operator(&id, now)?;
        let role = row.as_ref().map(|row| row.role);
        let name = row.and_then(|row| row.name);
        Ok(Some(SignedInPerson { id, name, role }))
    }

    /// Open ones first, each with whether the product is still what it was made for.
    pub(super) fn work_orders(&self) -> Result<Vec<WorkOrderChoice>, Failure> {
        let profile = self.config.profile_digest()?;
        let rows = self.reader.work_orders(None, CHOICES)?;
        let mut choices: Vec<_> = rows
            .into_iter()
            .map(|row| WorkOrderChoice { profile_holds: row.work_order.profile == profile, row })
            .collect();
        choices.sort_by_key(|choice| choice.row.closed);
        Ok(choices)
    }
}

/// Bytes that are free for the ledger; none where the system does not say.
fn free(data_dir: &Path) -> u64 {
    rustix::fs::statvfs(data_dir).map_or(0, |found| found.f_bavail.saturating_mul(found.f_frsize))
}
