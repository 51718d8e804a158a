//! `station sim device`: simulated devices behind a pseudo-terminal.

use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use serde::Serialize;

use crate::app::signals::Until;
use crate::cli::SimDevice;
use crate::domain::code::Code;
use crate::say;
use crate::shell::{Exit, Failure};
use crate::sim::{self, FAULTS, FaultSpec, Options, SimError, Stay, StopFlag, Timings, Workbench};

use super::super::context::Context;
use super::faults::list_faults;

#[derive(Serialize)]
struct Ready<'a> {
    event: &'static str,
    link: &'a str,
}

pub(super) fn run(device: &SimDevice, context: &mut Context) -> Result<Exit, Failure> {
    if device.fault.as_deref() == Some("list") {
        return list_faults(FAULTS, context);
    }
    let slots = slots(device)?;
    let stop = StopFlag::new().map_err(unusable)?;
    stop_on_signal(&stop)?;
    let mut told = Ok(());
    let mut ready = |link: &Path| {
        if told.is_ok() {
            told = say_ready(context, &link.to_string_lossy());
        }
    };
    sim::run_all(slots, &stop, &mut ready).map_err(unusable)?;
    told?;
    Ok(Exit::Done)
}

pub(super) fn unusable(error: SimError) -> Failure {
    let failure = Failure::told(Code::PortOpen, &error);
    match error {
        SimError::Link { .. }
        | SimError::LinkTaken { .. }
        | SimError::Control { .. }
        | SimError::Flash { .. }
        | SimError::Progress { .. } => failure.with_help(say!(
            "name another path, in a directory that is there and that this user may write to",
            "指定另一个路径，其目录须已存在且当前用户可写"
        )),
        _ => failure,
    }
}

/// One slot a link, all beside one bench.
fn slots(device: &SimDevice) -> Result<Vec<Options>, Failure> {
    if device.link.is_empty() {
        let missing = Failure::said(Code::Usage, say!("--link is missing", "缺少 --link"));
        return Err(missing.with_help(say!("name a path for the port", "指定端口的路径")));
    }
    let bench = Workbench::default();
    let slot = |link: &PathBuf| options(device, link, &bench);
    device.link.iter().map(slot).collect()
}

fn options(device: &SimDevice, link: &Path, bench: &Workbench) -> Result<Options, Failure> {
    let faults = match &device.fault {
        None => FaultSpec::none(),
        Some(text) => FaultSpec::parse(text).map_err(|error| Failure::told(Code::Usage, &error))?,
    };
    let time = Duration::from_millis;
    let mut options = Options::new(link);
    options.state_dir = device.state.clone();
    options.baud = device.baud;
    options.units = device.units;
    options.faults = faults;
    options.seed = device.seed;
    options.model = device.model.clone();
    options.keygen = device.keygen;
    options.keep_key = device.keep_key;
    options.window = device.window;
    options.max_chunk = device.max_chunk;
    options.latency = time(device.latency_ms);
    options.swap_time = time(device.swap_ms);
    options.bench = Some(bench.clone());
    options.control = true;
    if device.stay_ms > 0 {
        options.stay = Stay::For(time(device.stay_ms));
    }
    options.timings = Timings {
        erase: time(device.erase_ms),
        chunk: time(device.chunk_ms),
        commit: time(device.commit_ms),
        prove: time(device.prove_ms),
        boot: time(device.boot_ms),
    };
    Ok(options)
}

pub(super) fn stop_on_signal(stop: &StopFlag) -> Result<(), Failure> {
    let until = Until::told_to_stop()?;
    let stop = stop.clone();
    let wait = move || {
        until.wait();
        stop.set();
    };
    let waiting = thread::Builder::new().name("signals".to_owned()).spawn(wait);
    waiting.map(drop).map_err(|error| {
        Failure::said(Code::Bug, say!("no signal handler", "无法处理信号")).caused_by(&error)
    })
}

pub(super) fn say_ready(context: &mut Context, link: &str) -> Result<(), Failure> {
    match context.out.is_json() {
        true => context.out.json(&Ready { event: "ready", link }),
        false => context.out.say(&say!("ready at {link}", "已就绪：{link}")),
    }
}
