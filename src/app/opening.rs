//! What a line opens when it starts, as checks: the same functions of `from_config` that
//! `line::start` calls, each by itself, so that one that fails hides no other.
//!
//! Nothing is made here that is not there yet.

use crate::checks::{self, Finding};
use crate::config::Config;
use crate::domain::clock::Timestamp;
use crate::domain::code::Code;
use crate::domain::device::Fault;
use crate::domain::grant::GrantRow;
use crate::domain::ids::WorkOrderId;
use crate::ledger::{self, Reader};
use crate::printer;
use crate::say;

use super::{from_config, view};

/// The CA and what it is to issue.
pub fn authority(config: &Config, now: Timestamp) -> Finding {
    match from_config::profile(config) {
        Ok(profile) => {
            checks::authority(from_config::authority(config).map_err(Fault::from), &profile, now)
        }
        Err(failure) => Finding::fail("authority", failure.into()),
    }
}

/// What devices are told of the broker: its roots above all.
pub fn broker(config: &Config) -> Finding {
    const NAME: &str = "broker";
    match from_config::broker_settings(config) {
        Ok(_) => {
            let root = config.broker.server_root.display();
            Finding::ok(NAME, say!("{root} can be read", "{root} 可读取"))
        }
        Err(failure) => Finding::fail(NAME, failure.into()),
    }
}

/// The station's own broker, where devices are to connect to one.
pub fn connect(config: &Config) -> Option<Finding> {
    const NAME: &str = "connect";
    let listen = config.connect.as_ref()?.listen;
    let opened = from_config::authority(config).and_then(|ca| from_config::witness(config, &ca));
    Some(match opened {
        Ok(_) => Finding::ok(
            NAME,
            say!("the station's own broker starts at {listen}", "本站 Broker 可在 {listen} 启动"),
        ),
        Err(failure) => Finding::fail(NAME, failure.into()),
    })
}

/// The page for a wall screen, where there is one.
pub fn view(config: &Config) -> Option<Finding> {
    const NAME: &str = "view";
    config.view.as_ref()?;
    Some(match view::settings(config, None) {
        Ok(settings) => {
            let listen = settings.listen;
            Finding::ok(NAME, say!("may listen at {listen}", "可在 {listen} 提供页面"))
        }
        Err(failure) => Finding::fail(NAME, failure.into()),
    })
}

/// The label printer, where there is one, and labels that wait for somebody.
pub fn labels(config: &Config) -> Option<Finding> {
    let settings = config.label.as_ref()?;
    let printer = printer::look(&settings.printer).map_err(|error| Fault::from(&error));
    let reader = Reader::open(&config.station.data_dir, Some(&config.station.id));
    // The ledger's own check tells what is wrong with it.
    let open = reader.and_then(|reader| reader.open_label_count()).unwrap_or_default();
    Some(checks::labels(printer, open))
}

/// The key that signs the journal.
pub fn journal_key(config: &Config) -> Finding {
    const NAME: &str = "journal-key";
    let data_dir = &config.station.data_dir;
    let files = [from_config::JOURNAL_KEY_FILE, ledger::LEDGER_FILE];
    if files.iter().all(|name| !data_dir.join(name).exists()) {
        return Finding::ok(
            NAME,
            say!("there is none yet; it is made with the ledger", "尚无密钥，随账本一起建立"),
        );
    }
    match from_config::journal_key(config) {
        Ok(_) => Finding::ok(NAME, say!("opens", "可打开")),
        Err(failure) => Finding::fail(NAME, failure.into()),
    }
}

/// The work order that a line without `--work-order` takes, and its rule for labels. Where
/// several are open one must be named, which is no fault of the station.
pub fn work_order(config: &Config, now: Timestamp) -> Finding {
    const NAME: &str = "work-order";
    let reader = match Reader::open(&config.station.data_dir, Some(&config.station.id)) {
        Ok(reader) => reader,
        Err(error) => {
            return checks::without_ledger(NAME, &error, say!("there is none yet", "尚无工单"));
        }
    };
    let order = from_config::work_order(config, &reader, None);
    let order =
        order.and_then(|order| from_config::label_rule(config, order.as_ref()).map(|_| order));
    match order {
        Ok(None) => Finding::ok(
            NAME,
            say!("none is open: any number of units", "没有打开的工单：单元数量不限"),
        ),
        Ok(Some(order)) => match reader.grants(&order.id) {
            Ok(grants) if !grants.is_empty() => granted(NAME, &order.id, &grants, now),
            // The ledger's own check tells what is wrong with it.
            Ok(_) | Err(_) => {
                let id = order.id;
                Finding::ok(NAME, say!("{id} is open", "{id} 已打开"))
            }
        },
        Err(failure) if failure.code == Code::WorkOrderAmbiguous => {
            Finding::warn(NAME, failure.into())
        }
        Err(failure) => Finding::fail(NAME, failure.into()),
    }
}

/// How much of what was granted is left.
fn granted(name: &'static str, id: &WorkOrderId, grants: &[GrantRow], now: Timestamp) -> Finding {
    let valid: Vec<&GrantRow> = grants.iter().filter(|row| !row.is_expired(now)).collect();
    let left: u64 = valid.iter().map(|row| u64::from(row.left())).sum();
    let all: u64 = valid.iter().map(|row| u64::from(row.grant.quantity)).sum();
    match (valid.is_empty(), left) {
        (true, _) => {
            let detail =
                say!("every grant of work order {id} has ended", "工单 {id} 的授权都已到期");
            Finding::warn(name, Fault::said(Code::GrantExpired, detail))
        }
        (false, 0) => {
            let detail = say!(
                "what was granted of work order {id} is used up or given back",
                "工单 {id} 的授权已用完或已退回"
            );
            Finding::warn(name, Fault::said(Code::GrantUsedUp, detail))
        }
        (false, _) => Finding::ok(
            name,
            say!(
                "{id} is open, {left} of {all} granted units are left",
                "{id} 已打开，已授权 {all} 个单元，剩余 {left} 个"
            ),
        ),
    }
}
