//! What the view shows: the line from the ledger, reports, units, figures for monitoring.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::app::{metrics, report_of};
use crate::config::{Config, Slot};
use crate::domain::bounds;
use crate::domain::clock::{Clock, Timestamp};
use crate::domain::code::Code;
use crate::domain::ids::SlotName;
use crate::domain::pages::OrderProgress;
use crate::domain::say::Say;
use crate::domain::slot::{Newest, SlotShows};
use crate::ledger::views::NamedBy;
use crate::ledger::{Reader, Work, WorkLock};
use crate::report::{self, Factory, Look, OPEN_METRICS, Place, Report, Wall, WallSlot};
use crate::say;
use crate::secret::{self, Process};
use crate::shell::Failure;
use crate::text::{Language, meaning_in_chinese, said};
use crate::view::{Asked, Content, Page, Settings};

/// Where the view is, unless somebody says otherwise: on this machine alone.
const HERE: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 8090);

/// Work orders that are shown.
const ORDERS: u32 = 200;

/// Units that are named where a text means several.
const NAMED: u32 = 50;

/// What the view shows of one station.
pub struct Shown {
    config: Config,
    factory: Factory,
    language: Language,
    clock: Arc<dyn Clock>,
    /// Readers that nobody uses just now.
    readers: Mutex<Vec<Reader>>,
}

impl Shown {
    /// Of this station; the ledger must be there and is opened to read.
    pub fn new(config: Config, clock: Arc<dyn Clock>) -> Result<Self, Failure> {
        let (factory, language) = (report_of::factory(&config), report_of::language(&config));
        let shown = Self { config, factory, language, clock, readers: Mutex::default() };
        let reader = shown.reader()?;
        shown.give_back(reader);
        Ok(shown)
    }

    fn reader(&self) -> Result<Reader, Failure> {
        let idle = self.readers.lock().unwrap_or_else(PoisonError::into_inner).pop();
        if let Some(reader) = idle {
            return Ok(reader);
        }
        Ok(Reader::open(&self.config.station.data_dir, Some(&self.config.station.id))?)
    }

    fn give_back(&self, reader: Reader) {
        self.readers.lock().unwrap_or_else(PoisonError::into_inner).push(reader);
    }

    /// Asks by a reader, which is kept for the next one unless something was wrong with it.
    fn ask<T>(&self, ask: impl FnOnce(&Reader) -> Result<T, Failure>) -> Result<T, Failure> {
        let reader = self.reader()?;
        let answer = ask(&reader)?;
        self.give_back(reader);
        Ok(answer)
    }

    fn look(&self) -> Look<'_> {
        Look { language: self.language, factory: &self.factory, place: Place::View }
    }

    fn now(&self) -> Timestamp {
        self.clock.now().wall
    }

    fn wall(&self, reader: &Reader) -> Result<Wall, Failure> {
        let (now, zone) = (self.now(), &self.factory.zone);
        let line_runs = WorkLock::is_held(&self.config.station.data_dir, Work::Line);
        let newest = reader.newest_by_slot()?;
        let today = reader.stats_within(zone.day(zone.day_of(now)), zone)?;
        let at_work = reader.order_at_work()?;
        let first_pass_yield = match &at_work {
            Some(order) => reader.order_yield(order)?,
            None => today.first_pass_yield,
        };
        let slot = |slot: &Slot| self.slot(slot, &newest, line_runs, now);
        Ok(Wall {
            line_runs,
            slots: self.config.slots.iter().map(slot).collect(),
            orders: open_orders(reader)?,
            today: today.attempts,
            first_pass_yield,
            pace: reader.pace(now, at_work.as_ref())?,
            at_work,
            holds: reader.all_on_hold()?,
            backlog: reader.backlog()?,
        })
    }

    fn slot(
        &self,
        slot: &Slot,
        newest: &BTreeMap<SlotName, Newest>,
        line_runs: bool,
        now: Timestamp,
    ) -> WallSlot {
        let newest = newest.get(&slot.name);
        let deadline = self.config.station.unit_deadline;
        let shows = newest.map(|newest| newest.shows(line_runs, deadline, now));
        WallSlot {
            name: slot.name.as_str().to_owned(),
            shows: shows.unwrap_or(SlotShows::Nothing),
            serial: newest.map(|newest| newest.serial.as_str().to_owned()),
            code: newest.and_then(|newest| newest.code.clone()),
            since: newest.map(|newest| newest.started_at),
        }
    }

    fn answer(&self, asked: &Asked) -> Result<Page, Failure> {
        let path: Vec<&str> = asked.path.iter().map(String::as_str).collect();
        match path.as_slice() {
            [] => self.ask(|reader| {
                Ok(Page::html(200, report::wall_page(&self.wall(reader)?, self.look())))
            }),
            ["style.css"] => Ok(file("text/css; charset=utf-8", report::STYLE)),
            ["live.js"] => Ok(file("text/javascript; charset=utf-8", report::SCRIPT)),
            ["metrics"] => self.metrics(),
            ["orders"] => self.ask(|reader| {
                let orders = reader.work_orders(None, ORDERS)?;
                Ok(Page::html(200, report::orders_page(&orders, self.look())))
            }),
            ["report", rest @ ..] => self.report(rest, asked),
            ["unit", serial] => self.unit(serial),
            ["find"] => self.unit(asked.value("q").unwrap_or_default()),
            _ => Ok(self.not_here()),
        }
    }

    fn not_here(&self) -> Page {
        let (title, text) =
            (say!("Not here", "没有此页"), say!("There is no such page.", "没有这样的页面。"));
        let page = report::message_page(self.said(&title), self.said(&text), self.look());
        Page::html(404, page)
    }

    /// What went wrong, in the language of the pages.
    fn refusal(&self, failure: &Failure) -> Page {
        let status = match failure.code {
            Code::Usage => 400,
            Code::UnitUnknown | Code::WorkOrderUnknown => 404,
            _ => 500,
        };
        let Failure { code, what, chinese, .. } = failure;
        let own = chinese.as_ref().unwrap_or(what);
        let text = Say {
            english: what.clone(),
            chinese: format!("{}（{own}）", meaning_in_chinese(*code)),
        };
        let page = report::message_page(code.as_str(), self.said(&text), self.look());
        Page::html(status, page)
    }

    fn said<'s>(&self, sentence: &'s Say) -> &'s str {
        said(sentence, self.language)
    }

    fn metrics(&self) -> Result<Page, Failure> {
        let reading = self.ask(|reader| metrics::read(&self.config, reader, self.now()))?;
        Ok(Page { status: 200, content_type: OPEN_METRICS, body: reading.to_text().into_bytes() })
    }

    fn report(&self, path: &[&str], query: &Asked) -> Result<Page, Failure> {
        let zone = &self.factory.zone;
        let today = zone.day_of(self.now());
        let day = query.value("date").map(|text| report_of::day_of(text, today)).transpose()?;
        let asked = match path {
            ["shift"] => {
                let name = query.value("name");
                report_of::shift(&self.factory.shifts, zone, name, day, self.now())?
            }
            ["day"] => report_of::of_day(day.unwrap_or(today), zone),
            ["week"] => report_of::of_week(day.unwrap_or(today), zone),
            ["work-order", id] => {
                let id = id.parse().map_err(|_| report_of::no_order(id))?;
                self.ask(|reader| report_of::of_order(reader, id))?
            }
            _ => return Ok(self.not_here()),
        };
        let report =
            self.ask(|reader| Ok(Report::make(asked, &self.factory, reader, self.now())?))?;
        Ok(Page::html(200, report::html(&report, self.look())))
    }

    /// The unit that a text names: by its serial or anything else, as `unit show` finds it.
    fn unit(&self, text: &str) -> Result<Page, Failure> {
        self.ask(|reader| {
            let found = reader.find(text, NAMED)?;
            let [unit] = found.as_slice() else {
                if found.is_empty() {
                    let what = say!("the ledger knows no unit {text}", "账本里没有单元 {text}");
                    return Err(Failure::said(Code::UnitUnknown, what));
                }
                let units = found.iter().map(|unit| (unit.serial.as_str().to_owned(), unit.by));
                let units: Vec<_> = units.collect();
                return Ok(Page::html(200, report::choice_page(text, &units, self.look())));
            };
            let story = reader.unit_story(&unit.serial)?;
            let story = story
                .ok_or_else(|| Failure::said(Code::UnitUnknown, say!("it is gone", "它已不在")))?;
            let by = Some(unit.by).filter(|by| *by != NamedBy::Serial);
            Ok(Page::html(200, report::unit_html(&story, by, self.look(), self.now())))
        })
    }
}

fn open_orders(reader: &Reader) -> Result<Vec<OrderProgress>, Failure> {
    let mut orders = Vec::new();
    for id in reader.open_work_orders()?.into_iter().take(8) {
        let Some(row) = reader.work_order(&id)? else { continue };
        let quantity = row.work_order.quantity;
        orders.push(OrderProgress { id, quantity, proven: row.proven, under_way: row.open });
    }
    Ok(orders)
}

fn file(content_type: &'static str, text: &str) -> Page {
    Page { status: 200, content_type, body: text.as_bytes().to_vec() }
}

impl Content for Shown {
    fn page(&self, asked: &Asked) -> Page {
        self.answer(asked).unwrap_or_else(|failure| self.refusal(&failure))
    }

    fn state(&self) -> u64 {
        self.ask(|reader| Ok(reader.head()?.seq)).unwrap_or(0)
    }

    fn line(&self) -> String {
        let wall = self.ask(|reader| self.wall(reader));
        wall.map_or_else(|_| String::new(), |wall| report::wall_html(&wall, self.look()))
    }
}

/// Where the view listens and who may look; elsewhere than on this machine it wants a token and
/// TLS.
pub fn settings(config: &Config, listen: Option<SocketAddr>) -> Result<Settings, Failure> {
    let view = config.view.as_ref();
    let listen = listen.or_else(|| view?.listen).unwrap_or(HERE);
    let secret = secret::view_token(view.and_then(|view| view.token_file.as_deref()));
    let token = secret.configured_only(&Process)?.map(|token| token.as_bytes().to_vec());
    let tls = match view.and_then(|view| view.certificate.as_deref()) {
        Some(certificate) => Some(Arc::new(tls(certificate, config)?)),
        None => None,
    };
    if !listen.ip().is_loopback() && (token.is_none() || tls.is_none()) {
        let what = say!(
            "others than this machine could look at {listen} without a token and TLS",
            "没有令牌和 TLS，别的机器也能看 {listen}"
        );
        let help = say!(
            "write token_file, certificate and key into [view], or listen on 127.0.0.1",
            "在 [view] 中写 token_file、certificate 和 key，或只监听 127.0.0.1"
        );
        return Err(Failure::said(Code::ConfigValue, what).with_help(help));
    }
    Ok(Settings { listen, token, tls })
}

fn tls(certificate: &std::path::Path, config: &Config) -> Result<rustls::ServerConfig, Failure> {
    let wrong = |what: Say| {
        let help = say!(
            "name a certificate and its key, both PEM, in [view]",
            "在 [view] 中指定证书和它的密钥，都是 PEM"
        );
        let file = Say::same(certificate.display().to_string());
        Failure::said(Code::ConfigValue, file.then(&what)).with_help(help)
    };
    let file = bounds::read_file(certificate, bounds::CERTIFICATES);
    let pem = file.map_err(|error| wrong(say!("can't be read", "无法读取")).caused_by(&error))?;
    let chain: Result<Vec<CertificateDer<'_>>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    let chain = chain.map_err(|_| wrong(say!("is no certificate", "不是证书")))?;
    let file = config.view.as_ref().and_then(|view| view.key.as_deref());
    let key = secret::view_key(file).configured_only(&Process)?;
    let key = key.ok_or_else(|| {
        wrong(say!("has no key: [view] key is missing", "没有密钥：缺少 [view] key"))
    })?;
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes())
        .map_err(|_| wrong(say!("its key is no PEM", "它的密钥不是 PEM")))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| wrong(say!("can't be used", "无法使用")).caused_by(&error))?;
    let server = builder.with_no_client_auth().with_single_cert(chain, key);
    server.map_err(|error| {
        wrong(say!("and its key don't belong together", "与它的密钥不配")).caused_by(&error)
    })
}
