//! The fleet's page: what it shows is read from the store, and how from the reports.

use std::sync::Arc;
use std::sync::{Mutex, PoisonError};

use tokio::runtime::Runtime;

use crate::domain::clock::{Clock, Timestamp};
use crate::domain::code::Code;
use crate::domain::local::Zone;
use crate::domain::say::Say;
use crate::fleet::{FoundUnit, PageRequest, Pages, Settings, Shown, Store};
use crate::report::{
    self, Factory, FleetConflict, FleetFact, FleetGrant, FleetOrder, FleetStation, FleetUnit,
    FleetWall, Look, Place,
};
use crate::say;
use crate::shell::{self, Failure};
use crate::text::Language;
use crate::view::{self, Asked, Page};

/// A station that is silent for longer is told so.
const SILENT_MS: i64 = 24 * 3_600 * 1_000;

/// Conflicts that are shown.
const CONFLICTS: i64 = 500;

const DAY_US: i64 = 86_400_000_000;

/// The page over a store of its own, one look at a time.
pub(super) struct FleetPages {
    network: Mutex<Network>,
    settings: Box<dyn Fn() -> Result<Settings, Failure> + Send + Sync>,
    factory: Factory,
    language: Language,
    token: Option<Vec<u8>>,
    clock: Arc<dyn Clock>,
}

struct Network {
    runtime: Runtime,
    store: Option<Store>,
}

impl FleetPages {
    /// The store is opened with the first look.
    pub(super) fn new(
        settings: Box<dyn Fn() -> Result<Settings, Failure> + Send + Sync>,
        token: Option<Vec<u8>>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, Failure> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| {
            Failure::new(Code::Shortage, "the page can't be made").caused_by(&error)
        })?;
        let factory = Factory {
            station: "fleet".to_owned(),
            product: String::new(),
            zone: Zone::of_system(),
            shifts: Vec::new(),
        };
        let network = Mutex::new(Network { runtime, store: None });
        Ok(Self { network, settings, factory, language: shell::language(), token, clock })
    }

    fn look(&self) -> Look<'_> {
        Look { language: self.language, factory: &self.factory, place: Place::Fleet }
    }

    fn wall(&self, network: &mut Network) -> Result<FleetWall, Failure> {
        let now = self.clock.now().wall;
        let today = i32::try_from(now.0.div_euclid(DAY_US)).unwrap_or(i32::MAX);
        let store = opened(network, &*self.settings)?;
        let read = network.runtime.block_on(async {
            let stations = store.stations().await?;
            let days = store.days(today, today).await?;
            let conflicts = store.conflicts(false, CONFLICTS).await?;
            Ok::<_, Failure>((
                stations,
                days,
                conflicts,
                store.orders().await?,
                store.every_grant().await?,
            ))
        });
        network.store = Some(store);
        let (stations, days, conflicts, orders, grants) = read?;
        let of_today = |station: &str| {
            let own = days.iter().filter(|day| day.station.as_str() == station);
            own.fold((0, 0), |sum, day| (sum.0 + day.passed, sum.1 + day.failed))
        };
        let stations = stations.iter().map(|row| FleetStation {
            station: row.station.to_string(),
            is_active: row.is_active,
            seen: row.seen,
            is_silent: now.milliseconds_since(row.seen) > SILENT_MS,
            entries: row.head,
            units: row.units.values().sum(),
            uncertain: row.units.get("uncertain").copied().unwrap_or(0),
            today: of_today(row.station.as_str()),
            conflicts: row.conflicts,
        });
        let conflicts = conflicts.into_iter().map(|conflict| FleetConflict {
            id: conflict.id,
            kind: conflict.kind,
            value: conflict.value,
            detail: conflict.detail,
            noticed: conflict.noticed,
            settled: conflict.settled,
        });
        let orders = orders.into_iter().map(|order| FleetOrder {
            work_order: order.work_order,
            station: order.station.to_string(),
            quantity: order.quantity,
            units: order.units.into_iter().collect(),
        });
        let grants = grants.into_iter().map(|(work_order, station, given)| FleetGrant {
            work_order,
            station,
            given: Timestamp(given),
        });
        Ok(FleetWall {
            stations: stations.collect(),
            conflicts: conflicts.collect(),
            orders: orders.collect(),
            grants: grants.collect(),
            at: now,
        })
    }

    fn units(&self, network: &mut Network, text: &str) -> Result<Vec<FleetUnit>, Failure> {
        let store = opened(network, &*self.settings)?;
        let found = network.runtime.block_on(store.find(text));
        network.store = Some(store);
        Ok(found?.iter().map(unit).collect())
    }

    fn answer(&self, asked: &Asked) -> Result<Page, Failure> {
        let path: Vec<&str> = asked.path.iter().map(String::as_str).collect();
        let mut network = self.network.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(match path.as_slice() {
            [] => Page::html(200, report::fleet_page(&self.wall(&mut network)?, self.look())),
            ["conflicts"] => {
                let wall = self.wall(&mut network)?;
                Page::html(200, report::fleet_conflicts_page(&wall, self.look()))
            }
            ["find"] => {
                let text = asked.value("q").unwrap_or_default();
                let units = self.units(&mut network, text)?;
                let status = if units.is_empty() { 404 } else { 200 };
                Page::html(status, report::fleet_unit_page(text, &units, self.look()))
            }
            ["unit", text] => {
                let units = self.units(&mut network, text)?;
                let status = if units.is_empty() { 404 } else { 200 };
                Page::html(status, report::fleet_unit_page(text, &units, self.look()))
            }
            ["style.css"] => Page {
                status: 200,
                content_type: "text/css; charset=utf-8",
                body: report::STYLE.as_bytes().to_vec(),
            },
            _ => {
                let text = "There is no such page.";
                Page::html(404, report::message_page("404", text, self.look()))
            }
        })
    }
}

/// The store that is kept, or one that is opened; whoever takes it gives it back.
fn opened(
    network: &mut Network,
    settings: &dyn Fn() -> Result<Settings, Failure>,
) -> Result<Store, Failure> {
    match network.store.take() {
        Some(store) => Ok(store),
        None => Ok(network.runtime.block_on(Store::open(settings()?))?),
    }
}

fn unit(found: &FoundUnit) -> FleetUnit {
    let story = &found.story;
    let fact = |name: Say, value: String, is_id| FleetFact { name, value, is_id };
    let mut facts = vec![
        fact(say!("Client id", "客户端 ID"), story.client_id.to_string(), true),
        fact(say!("Last recorded", "最近记录"), story.last_at.to_string(), false),
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
        facts.push(fact(say!("Proven", "验证时间"), proven.at.to_string(), false));
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
