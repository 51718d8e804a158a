//! A whole fleet in one directory: a PostgreSQL, a server, and stations with work orders, of
//! which the last makes a serial that the first has made already.

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::app::batch::{self, Talk};
use crate::app::demo::{self, Factory};
use crate::app::fleet::{self, Opened, wait};
use crate::app::from_config;
use crate::app::labels::Labels;
use crate::app::line::Session;
use crate::batch::Style;
use crate::config::Config;
use crate::domain::clock::Clock;
use crate::domain::code::Code;
use crate::domain::ids::{IdError, StationId, WorkOrderId};
use crate::domain::person::Person;
use crate::domain::record::{Record, WorkOrderCreated};
use crate::domain::work_order::WorkOrder;
use crate::fleet::{Pushed, Server};
use crate::say;
use crate::shell::{Exit, Failure};

use super::postgres::{Postgres, open_to_others};

/// Stations of a demo.
pub const STATIONS: u32 = 3;

/// How long PostgreSQL may take to be there.
const PATIENCE: Duration = Duration::from_secs(180);

/// How long one waits before it asks again.
const PAUSE: Duration = Duration::from_millis(50);

/// A fleet on this machine.
pub struct Demo {
    /// Where everything lies.
    pub dir: PathBuf,
    keep: bool,
    server: Option<Server>,
    database: Option<Postgres>,
    clock: Arc<dyn Clock>,
}

/// What one station made and sent.
pub struct Made {
    /// The station.
    pub station: StationId,
    /// Where it lies.
    pub dir: PathBuf,
    /// How its line ended.
    pub exit: Exit,
    /// What did not pass in the end: serial and code.
    pub not_passed: Vec<(String, String)>,
    /// What was sent.
    pub pushed: Pushed,
}

impl Demo {
    /// Starts a database and a server in this directory, or in one that is removed in the end.
    pub fn start(dir: Option<&Path>, clock: Arc<dyn Clock>) -> Result<Self, Failure> {
        let (dir, keep) = match dir {
            Some(dir) => (std::path::absolute(dir).map_err(|error| failed(dir, &error))?, true),
            None => {
                let name = format!("station-fleet-demo-{}", std::process::id());
                (std::env::temp_dir().join(name), false)
            }
        };
        let made = DirBuilder::new().recursive(true).mode(0o711).create(&dir);
        made.map_err(|error| failed(&dir, &error))?;
        let mut entries = std::fs::read_dir(&dir).map_err(|error| failed(&dir, &error))?;
        if entries.next().is_some() {
            let what = say!("{} is not empty", "{} 不是空的", dir.display());
            return Err(Failure::said(Code::Usage, what)
                .with_help(say!("name a new or an empty one", "指定一个新的或空的目录")));
        }
        open_to_others(&dir).map_err(|error| failed(&dir, &error))?;
        let mut demo = Self { dir, keep, server: None, database: None, clock };
        let database = demo.database.insert(Postgres::start(&demo.dir)?);
        wait_for(database)?;
        let url = database.url();
        let settings = Opened { url: &url, ca: None }.settings(0, 8)?;
        let listen = std::net::SocketAddr::from(([127, 0, 0, 1], 0));
        let clock = Arc::clone(&demo.clock);
        let pages = fleet::pages(Opened { url: &url, ca: None }, listen, None, Arc::clone(&clock))?;
        demo.server = Some(fleet::server(settings, listen, None, 15, pages, clock)?);
        Ok(demo)
    }

    /// The address of its server.
    pub fn url(&self) -> String {
        self.server.as_ref().map(Server::url).unwrap_or_default()
    }

    /// The address of its database.
    pub fn database(&self) -> String {
        self.database.as_ref().map(Postgres::url).unwrap_or_default()
    }

    /// Lays out a station, makes its units, enrols it and sends its journal. The last station
    /// makes the first unit of the first one too.
    pub fn run_station(
        &self,
        number: u32,
        (first, units): (u32, u32),
        color: bool,
    ) -> Result<Made, Failure> {
        let name = format!("line-{number}");
        let dir = self.dir.join(&name);
        let mut serials = demo::serials_from(first, units);
        if number == STATIONS
            && let Some(last) = serials.last_mut()
        {
            *last = demo::serials(1).remove(0);
        }
        let seed = u64::from(std::process::id()) << 8 | u64::from(number);
        let factory = Factory::lay_out_as(&name, &dir, units, seed)?;
        let config = Config::load(&factory.config(), None)?;
        let order = self.order(&config, &name, units)?;
        let session = Session { work_order: Some(order), is_practice: true, ..Session::default() };
        let run = |serials: Vec<String>| {
            let mut lines = Vec::new();
            let mut talk = Talk { style: Style::Json, out: &mut lines, color };
            let exit = batch::run(&config, Labels::of_list(serials), session.clone(), &mut talk)?;
            Ok::<_, Failure>((exit, not_passed(&lines)))
        };
        let mut ended = run(serials)?;
        if !ended.1.is_empty() && ended.0 != Exit::Stopped {
            // As a person does on a machine that was too busy for a device's deadlines.
            ended = run(ended.1.into_iter().map(|(serial, _)| serial).collect())?;
        }
        let pushed = self.join(&config)?;
        let (exit, not_passed) = ended;
        Ok(Made { station: config.station.id.clone(), dir, exit, not_passed, pushed })
    }

    fn order(&self, config: &Config, name: &str, units: u32) -> Result<WorkOrderId, Failure> {
        let id = format!("WO-{}", name.to_uppercase());
        let id: WorkOrderId = id.parse().map_err(|error: IdError| {
            Failure::said(Code::Bug, say!("a demo's work order has no id", "演示的工单没有编号"))
                .caused_by(&error)
        })?;
        let work_order = WorkOrder {
            id: id.clone(),
            product: config.product.name.clone(),
            quantity: units,
            serial_pattern: None,
            serial_range: None,
            check_character: config.product.check_character,
            hardware_ids: Vec::new(),
            profile: config.profile_digest()?,
        };
        let by = Person { operator: None, uid: rustix::process::getuid().as_raw() };
        let (ledger, _) = from_config::open_ledger(config, &self.clock)?;
        let created = Record::WorkOrderCreated(WorkOrderCreated { work_order, by });
        let done = ledger.writer().record(created);
        done.map_err(|refusal| Failure::from(refusal.fault()))?;
        Ok(id)
    }

    /// The station belongs to the fleet from here on.
    fn join(&self, config: &Config) -> Result<Pushed, Failure> {
        let valid_for = Duration::from_secs(600);
        let new = fleet::code(&config.station.id, None, valid_for, &*self.clock)?;
        let database = self.database();
        wait(async {
            let store = Opened { url: &database, ca: None }.open().await?;
            Ok::<_, Failure>(store.add_code(&new).await?)
        })??;
        fleet::enrol(config, &self.clock, &self.url(), &new.code, None)?;
        fleet::push(config, &self.clock)
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        self.server = None;
        self.database = None;
        if !self.keep {
            // What is left of a demo in the system's temporary directory harms nobody.
            let _ = std::fs::remove_dir_all(&self.dir);
        }
    }
}

/// The units of a batch that did not pass, from its lines of JSON.
fn not_passed(lines: &[u8]) -> Vec<(String, String)> {
    let lines = lines.split(|byte| *byte == b'\n');
    let events = lines.filter_map(|line| serde_json::from_slice::<serde_json::Value>(line).ok());
    let units = events.filter(|event| event["event"] == "unit" && event["outcome"] != "pass");
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    units.map(|unit| (text(&unit["serial"]), text(&unit["code"]))).collect()
}

fn failed(dir: &Path, error: &std::io::Error) -> Failure {
    let what = say!("the demo can't be laid out in {}", "演示无法在 {} 中建立", dir.display());
    Failure::said(Code::Output, what).caused_by(error)
}

/// Until the database answers.
fn wait_for(database: &mut Postgres) -> Result<(), Failure> {
    let begun = Instant::now();
    let url = database.url();
    wait(async {
        loop {
            match (Opened { url: &url, ca: None }).open().await {
                Ok(_) => return Ok(()),
                Err(failure) if database.has_ended() || begun.elapsed() > PATIENCE => {
                    return Err(failure);
                }
                Err(_) => tokio::time::sleep(PAUSE).await,
            }
        }
    })?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_did_not_pass_is_named_with_its_code() {
        let lines = b"{\"event\":\"unit\",\"serial\":\"A-1\",\"outcome\":\"pass\"}\n\
            {\"event\":\"unit\",\"serial\":\"A-2\",\"outcome\":\"fail\",\"code\":\"E-DEV-TIMEOUT\"}\n\
            {\"event\":\"summary\",\"passed\":1}\n";
        assert_eq!(not_passed(lines), [("A-2".to_owned(), "E-DEV-TIMEOUT".to_owned())]);
    }
}
