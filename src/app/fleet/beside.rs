//! What a station does for its fleet beside other work: the line's own sending, and what a sync
//! asks before it registers. Neither waits for the fleet longer than is said here.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{sleep, timeout};

use crate::checks::Finding;
use crate::config::Config;
use crate::domain::cause::Told;
use crate::domain::clock::{Clock, Timestamp};
use crate::domain::code::Code;
use crate::domain::device::Fault;
use crate::domain::event::{Event, EventSink, FleetHeard};
use crate::domain::ids::ClientId;
use crate::domain::say::Say;
use crate::fleet::{Enrolled, Heard};
use crate::say;
use crate::shell::Failure;

use super::station::Station;
use super::wait::wait;

/// How long a sync waits for the fleet at most.
const BEFORE_SYNC: Duration = Duration::from_secs(20);

/// A fleet that is away is asked less often, but never less often than this.
const RAREST: Duration = Duration::from_secs(60);

/// Sends what is new until it is dropped; what is under way then is given up, and sent again.
pub struct PushThread {
    stop: Arc<Stop>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Stop {
    told: AtomicBool,
    wake: Notify,
}

impl PushThread {
    /// Starts it where the station is enrolled.
    pub fn start(
        config: &Config,
        clock: &Arc<dyn Clock>,
        events: EventSink,
    ) -> Result<Option<Self>, Failure> {
        if Enrolled::read(&config.station.data_dir)?.is_none() {
            return Ok(None);
        }
        let stop = Arc::new(Stop::default());
        let (config, clock, told) = (config.clone(), Arc::clone(clock), Arc::clone(&stop));
        let work = move || {
            let sending = async {
                tokio::select! {
                    () = send(&config, &clock, &events, &told) => {}
                    () = told.wake.notified() => {}
                }
            };
            if let Err(failure) = wait(sending) {
                events(Event::Warning(failure.into()));
            }
        };
        let thread = thread::Builder::new().name("fleet".to_owned()).spawn(work);
        let thread = thread.map_err(|error| {
            Failure::said(Code::Shortage, say!("no thread for the fleet", "与总库通信得不到线程"))
                .caused_by(&error)
        })?;
        Ok(Some(Self { stop, thread: Some(thread) }))
    }
}

impl Drop for PushThread {
    fn drop(&mut self) {
        self.stop.told.store(true, Ordering::Relaxed);
        self.stop.wake.notify_one();
        if let Some(thread) = self.thread.take() {
            // It ends when told; a panic in it has been printed.
            let _ = thread.join();
        }
    }
}

/// Sends every few seconds; the same trouble is told once.
async fn send(config: &Config, clock: &Arc<dyn Clock>, events: &EventSink, stop: &Stop) {
    let every = config.fleet.push_every;
    let (mut pause, mut told, mut shown) = (every, None, None);
    if let Ok(Some(heard)) = Heard::read(&config.station.data_dir) {
        events(Event::Fleet(heard_of(&heard)));
    }
    while !stop.told.load(Ordering::Relaxed) {
        match send_once(config, clock, stop).await {
            Ok(heard) => {
                (pause, told) = (every, None);
                // A front end that is told each time would hear of little else.
                let minute = |heard: FleetHeard| (heard.at.seconds() / 60, heard.conflicts);
                if shown.map(minute) != Some(minute(heard)) {
                    shown = Some(heard);
                    events(Event::Fleet(heard));
                }
            }
            Err(failure) => {
                pause = (pause * 2).clamp(every, RAREST.max(every));
                if told != Some(failure.code) {
                    told = Some(failure.code);
                    events(Event::Warning(failure.into()));
                }
            }
        }
        sleep(pause).await;
    }
}

async fn send_once(
    config: &Config,
    clock: &Arc<dyn Clock>,
    stop: &Stop,
) -> Result<FleetHeard, Failure> {
    let station = Station::enrolled(config, clock)?;
    let pushed = station.push(&|| !stop.told.load(Ordering::Relaxed)).await?;
    Ok(heard_of(&Heard::of(&pushed, clock.now().wall)))
}

fn heard_of(heard: &Heard) -> FleetHeard {
    FleetHeard { at: heard.at, conflicts: heard.conflicts }
}

/// Sends before a sync, where there is a fleet; one that is away is warned of, and no more.
pub fn push_first(config: &Config, clock: &Arc<dyn Clock>) {
    let pushed = || -> Result<(), Failure> {
        let Some(station) = Station::open(config, clock)? else { return Ok(()) };
        match wait(async { timeout(BEFORE_SYNC, station.push(&|| true)).await })? {
            Ok(pushed) => pushed.map(|_| ()),
            Err(_) => Err(Failure::said(
                Code::FleetUnreachable,
                say!("the fleet took too long", "总库用时过长"),
            )),
        }
    };
    if let Err(failure) = pushed() {
        tracing::warn!("{}: {}", failure.code, failure.what);
    }
}

/// Client ids that another station holds as proven, by what was last heard.
pub fn claimed(config: &Config) -> BTreeMap<ClientId, String> {
    let heard = Heard::read(&config.station.data_dir).ok().flatten();
    let claimed = heard.map(|heard| heard.claimed).unwrap_or_default();
    let named = claimed.into_iter().filter_map(|claimed| {
        let station = claimed.holder.split('/').next().unwrap_or_default();
        let holder = format!("station {station} (conflict {})", claimed.conflict);
        Some((claimed.client_id.parse().ok()?, holder))
    });
    named.collect()
}

/// Whether the fleet was heard of lately, and has conflicts; none where there is no fleet.
pub fn finding(config: &Config, now: Timestamp) -> Option<Finding> {
    const NAME: &str = "fleet";
    let data_dir = &config.station.data_dir;
    let fault = |code, what: Say| Finding::warn(NAME, Fault::said(code, what));
    let enrolled = match Enrolled::read(data_dir) {
        Ok(None) if config.fleet.url.is_none() => return None,
        Ok(None) => {
            let what = say!(
                "[fleet] names one, and this station is not enrolled there",
                "[fleet] 写明了总库，而本站没有加入"
            );
            return Some(fault(Code::FleetStation, what));
        }
        Ok(Some(enrolled)) => enrolled,
        Err(error) => return Some(fault(error.code(), error.sentence())),
    };
    let heard = Heard::read(data_dir).ok().flatten();
    let url = &enrolled.url;
    let Some(heard) = heard else {
        return Some(fault(
            Code::FleetUnreachable,
            say!("nothing was heard of {url} yet", "还没有收到 {url} 的回应"),
        ));
    };
    let silent = now.milliseconds_since(heard.at);
    if u128::try_from(silent).unwrap_or(0) > config.fleet.max_silence.as_millis() {
        let what = say!("{url} was last heard of {}", "上次收到 {url} 的回应是 {}", heard.at);
        return Some(fault(Code::FleetUnreachable, what));
    }
    if !heard.claimed.is_empty() {
        let count = heard.claimed.len();
        let what = say!(
            "{count} client ids are held by another station",
            "{count} 个客户端 ID 由另一个站持有"
        );
        return Some(fault(Code::FleetClaimed, what));
    }
    let (at, entries) = (heard.at, heard.head.seq);
    Some(Finding::ok(
        NAME,
        say!(
            "{url} has {entries} entries, heard of {at}",
            "{url} 已收到 {entries} 条，最近联系 {at}"
        ),
    ))
}
