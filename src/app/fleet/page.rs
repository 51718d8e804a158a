//! The fleet's page: what it shows is read from the store, and how from the reports.

use std::cmp::Reverse;
use std::sync::{Arc, Mutex, PoisonError};

use crate::domain::clock::{Clock, Timestamp};
use crate::domain::local::Zone;
use crate::domain::say::Say;
use crate::fleet::{
    FoundUnit, GrantFile, GrantUse, OrderRow, PageRequest, Pages, Settings, Shown, Store,
};
use crate::handoff::grant::read_grant;
use crate::report::{
    self, Factory, FleetDay, FleetFact, FleetGrant, FleetOrder, FleetPeriod, FleetStation,
    FleetUnit, FleetWall, Look, Place,
};
use crate::say;
use crate::shell::{self, Failure};
use crate::text::Language;
use crate::view::{self, Asked, Page};

use super::conflict;
use super::wait::wait;

/// A station that is silent for longer is told so.
const SILENT_MS: i64 = 24 * 3_600 * 1_000;

/// Conflicts that are shown.
const CONFLICTS: i64 = 500;

/// Of how many days a report is where nobody says it.
const DAYS: u32 = 7;

const DAY_US: i64 = 86_400_000_000;

/// The page, one look at a time.
pub(super) struct FleetPages {
    turn: Mutex<()>,
    settings: Box<dyn Fn() -> Result<Settings, Failure> + Send + Sync>,
    factory: Factory,
    language: Language,
    token: Option<Vec<u8>>,
    clock: Arc<dyn Clock>,
}

impl FleetPages {
    /// Nothing is opened yet.
    pub(super) fn new(
        settings: Box<dyn Fn() -> Result<Settings, Failure> + Send + Sync>,
        token: Option<Vec<u8>>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let factory = Factory {
            station: "fleet".to_owned(),
            product: String::new(),
            zone: Zone::of_system(),
            shifts: Vec::new(),
        };
        let (turn, language) = (Mutex::new(()), shell::language());
        Self { turn, settings, factory, language, token, clock }
    }

    fn look(&self) -> Look<'_> {
        Look { language: self.language, factory: &self.factory, place: Place::Fleet }
    }

    /// Asks a store that is this look's own: a connection that is kept needs somebody who drives
    /// it, or the database finds it idle in the middle of a transaction.
    fn ask<T>(
        &self,
        question: impl AsyncFnOnce(&Store) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let settings = (self.settings)()?;
        wait(async { question(&Store::open(settings).await?).await })?
    }

    fn wall(&self) -> Result<FleetWall, Failure> {
        let now = self.clock.now().wall;
        let today = i32::try_from(now.0.div_euclid(DAY_US)).unwrap_or(i32::MAX);
        let read = self.ask(async |store| {
            let stations = store.stations().await?;
            let days = store.days(today, today).await?;
            let conflicts = store.conflicts(false, CONFLICTS).await?;
            Ok::<_, Failure>((
                stations,
                days,
                conflicts,
                store.orders().await?,
                store.every_grant().await?,
                store.grants_used().await?,
            ))
        });
        let (stations, days, conflicts, orders, given, used) = read?;
        let of_today = |station: &str| {
            let own = days.iter().filter(|day| day.station.as_str() == station);
            own.fold((0, 0), |sum, day| (sum.0 + day.passed, sum.1 + day.failed))
        };
        let stations = stations.iter().map(|row| FleetStation {
            station: row.station.to_string(),
            is_active: row.is_active,
            seen: row.seen,
            is_silent: row.is_active && now.milliseconds_since(row.seen) > SILENT_MS,
            entries: row.head,
            units: row.units.values().sum(),
            uncertain: row.units.get("uncertain").copied().unwrap_or(0),
            today: of_today(row.station.as_str()),
            conflicts: row.conflicts,
        });
        let conflicts = conflicts.into_iter().map(conflict::shown);
        Ok(FleetWall {
            stations: stations.collect(),
            conflicts: conflicts.collect(),
            orders: orders.into_iter().map(order).collect(),
            grants: grants(&given, used),
            at: now,
        })
    }

    fn period(&self, days: u32) -> Result<FleetPeriod, Failure> {
        let now = self.clock.now().wall;
        let today = i32::try_from(now.0.div_euclid(DAY_US)).unwrap_or(i32::MAX);
        let first = today.saturating_sub(i32::try_from(days).unwrap_or(1) - 1);
        let (mut rows, orders) =
            self.ask(async |store| Ok((store.days(first, today).await?, store.orders().await?)))?;
        rows.sort_by_key(|row| Reverse(row.day));
        let rows = rows.into_iter().map(|row| FleetDay {
            day: row.day.into(),
            station: row.station.to_string(),
            passed: row.passed,
            failed: row.failed,
            interrupted: row.interrupted,
        });
        let (rows, orders) = (rows.collect(), orders.into_iter().map(order).collect());
        Ok(FleetPeriod { days, rows, orders, at: now })
    }

    fn units(&self, text: &str) -> Result<Vec<FleetUnit>, Failure> {
        let found = self.ask(async |store| Ok(store.find(text).await?))?;
        Ok(found.iter().map(|found| unit(found, &self.factory.zone)).collect())
    }

    fn answer(&self, asked: &Asked) -> Result<Page, Failure> {
        let path: Vec<&str> = asked.path.iter().map(String::as_str).collect();
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(match path.as_slice() {
            [] => Page::html(200, report::fleet_page(&self.wall()?, self.look())),
            ["live"] => Page::html(200, report::fleet_middle(&self.wall()?, self.look())),
            ["live.js"] => Page {
                status: 200,
                content_type: "text/javascript; charset=utf-8",
                body: report::FLEET_SCRIPT.as_bytes().to_vec(),
            },
            ["report"] => self.report(DAYS)?,
            ["report", days] => match days.parse() {
                Ok(days) if report::FLEET_DAYS.contains(&days) => self.report(days)?,
                _ => self.no_such_page(),
            },
            ["conflicts"] => {
                let wall = self.wall()?;
                Page::html(200, report::fleet_conflicts_page(&wall, self.look()))
            }
            ["find"] => self.unit(asked.value("q").unwrap_or_default())?,
            ["unit", text] => self.unit(text)?,
            ["style.css"] => Page {
                status: 200,
                content_type: "text/css; charset=utf-8",
                body: report::STYLE.as_bytes().to_vec(),
            },
            _ => self.no_such_page(),
        })
    }

    fn unit(&self, text: &str) -> Result<Page, Failure> {
        let units = self.units(text)?;
        let status = if units.is_empty() { 404 } else { 200 };
        Ok(Page::html(status, report::fleet_unit_page(text, &units, &self.wall()?, self.look())))
    }

    fn report(&self, days: u32) -> Result<Page, Failure> {
        let period = self.period(days)?;
        Ok(Page::html(200, report::fleet_report_page(&period, self.look())))
    }

    fn no_such_page(&self) -> Page {
        let text = "There is no such page.";
        Page::html(404, report::message_page("404", text, self.look()))
    }
}

fn order(row: OrderRow) -> FleetOrder {
    FleetOrder {
        work_order: row.work_order,
        station: row.station.to_string(),
        quantity: row.quantity,
        units: row.units.into_iter().collect(),
    }
}

/// What the fleet keeps, with what became of it; then what stations took from elsewhere.
fn grants(given: &[(GrantFile, Timestamp)], mut used: Vec<GrantUse>) -> Vec<FleetGrant> {
    let of_fleet = given.iter().filter_map(|(file, at)| {
        let grant = read_grant(file.file.as_bytes()).ok()?.grant;
        let number = grant.number.get();
        let same = |one: &GrantUse| {
            (one.work_order.as_str(), &one.station, one.number)
                == (grant.work_order.as_str(), &grant.station, number)
        };
        let taken = used.iter().position(same).map(|place| used.remove(place));
        Some(FleetGrant {
            work_order: grant.work_order.to_string(),
            station: grant.station.to_string(),
            number,
            quantity: grant.quantity.into(),
            used: taken.as_ref().map(|taken| taken.used),
            given_back: taken.map_or(0, |taken| taken.given_back),
            given: Some(*at),
        })
    });
    let mut all: Vec<FleetGrant> = of_fleet.collect();
    all.extend(used.into_iter().map(|taken| FleetGrant {
        work_order: taken.work_order,
        station: taken.station.to_string(),
        number: taken.number,
        quantity: taken.quantity,
        used: Some(taken.used),
        given_back: taken.given_back,
        given: None,
    }));
    all
}

fn unit(found: &FoundUnit, zone: &Zone) -> FleetUnit {
    let story = &found.story;
    let fact = |name: Say, value: String, is_id| FleetFact { name, value, is_id };
    let mut facts = vec![
        fact(say!("Client id", "客户端 ID"), story.client_id.to_string(), true),
        fact(say!("Last recorded", "最近记录"), zone.show(story.last_at), false),
        fact(say!("Attempts", "处理次数"), story.attempts.to_string(), false),
    ];
    if let Some(order) = &story.work_order {
        facts.push(fact(say!("Work order", "工单"), order.to_string(), false));
    }
    if let Some(slot) = &story.slot {
        facts.push(fact(say!("Slot", "工位"), slot.to_string(), false));
    }
    if let Some(code) = story.code {
        facts.push(fact(say!("Code", "代码"), code.as_str().to_owned(), false));
    }
    if let Some(proven) = &story.proven {
        let certificate = &proven.certificate;
        let (sn, key) = (certificate.certificate_sn.to_string(), certificate.public_key);
        let fingerprint = certificate.fingerprint_sha256.to_string();
        facts.push(fact(say!("Proven", "验证时间"), zone.show(proven.at), false));
        facts.push(fact(say!("Device", "设备"), proven.hardware_id.to_string(), true));
        facts.push(fact(say!("Certificate", "证书号"), sn, true));
        facts.push(fact(say!("Fingerprint", "指纹"), fingerprint, true));
        facts.push(fact(say!("Public key", "公钥"), key.to_string(), true));
    }
    FleetUnit {
        serial: story.serial.to_string(),
        station: found.station.to_string(),
        state: story.state().as_str().to_owned(),
        facts,
    }
}

impl Pages for FleetPages {
    fn page(&self, request: &PageRequest) -> Shown {
        let page = view::once(request, self.token.as_deref(), |asked| {
            self.answer(asked).unwrap_or_else(|failure| {
                tracing::warn!("a page: {}: {}", failure.code, failure.what);
                let code = failure.code.as_str();
                Page::html(503, report::message_page(code, code, self.look()))
            })
        });
        Shown { status: page.status, content_type: page.content_type, body: page.body }
    }

    fn rules(&self) -> &'static [(&'static str, &'static str)] {
        view::RULES
    }
}
