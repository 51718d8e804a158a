//! `station sim cloud`: a local emulation of the cloud's API.

use serde::Serialize;

use crate::app::signals::Until;
use crate::cli::{SimCloud, SimCloudMode, SimDuplicate, SimSerialForm};
use crate::domain::code::Code;
use crate::domain::say::Say;
use crate::say;
use crate::shell::{Exit, Failure};
use crate::sim::cloud::{
    self, CLOUD_FAULTS, CloudFaults, CloudSimError, Credentials, Duplicate, Instance, Mode,
    Options, SerialForm,
};

use crate::vault;

use super::super::context::Context;
use super::faults::list_faults;

#[derive(Serialize)]
struct Ready<'a> {
    event: &'static str,
    url: &'a str,
    instance: &'a str,
    region: &'a str,
    secret_id: &'a str,
    /// Only where it is the emulation's own: what the environment gave may be a real one.
    #[serde(skip_serializing_if = "Option::is_none")]
    secret_key: Option<&'a str>,
}

pub(super) fn run(asked: &SimCloud, context: &mut Context) -> Result<Exit, Failure> {
    if asked.fault.as_deref() == Some("list") {
        return list_faults(CLOUD_FAULTS, context);
    }
    // Its credentials may be somebody's own.
    vault::harden_process()?;
    let options = options(asked, &|name| std::env::var(name).ok())?;
    let credentials = options.credentials.clone();
    let until = Until::told_to_stop()?;
    let running = cloud::start(options).map_err(|error| unusable(&error))?;
    say_ready(context, asked, &running.url(), &credentials)?;
    until.wait();
    Ok(Exit::Done)
}

fn unusable(error: &CloudSimError) -> Failure {
    match error {
        CloudSimError::Listen { .. } => Failure::told(Code::Usage, error).with_help(say!(
            "name a free address, or port 0 for any free one",
            "指定一个空闲地址，或用端口 0 任选一个"
        )),
        CloudSimError::State { .. } => Failure::told(Code::Output, error).with_help(say!(
            "name a new file, or the one of this instance; one process at a time",
            "指定新文件，或本实例的文件；同时只能有一个进程"
        )),
        CloudSimError::Log(_) => Failure::told(Code::Output, error),
        CloudSimError::Thread(_) => Failure::told(Code::Shortage, error),
    }
}

fn options(
    asked: &SimCloud,
    variable: &dyn Fn(&str) -> Option<String>,
) -> Result<Options, Failure> {
    let faults = asked.fault.as_deref().unwrap_or_default();
    let faults = CloudFaults::parse(faults).map_err(|error| Failure::told(Code::Usage, &error))?;
    let ours = credentials("STATION_SIM_CLOUD_", variable);
    Ok(Options {
        listen: asked.listen,
        state: asked.state.clone(),
        log: asked.log.clone(),
        faults,
        seed: asked.seed,
        rate: asked.rate,
        patience: Options::default().patience,
        instance: instance(asked),
        serial_form: match asked.serial_form {
            SimSerialForm::Padded => SerialForm::Padded,
            SimSerialForm::Plain => SerialForm::Plain,
        },
        duplicate: match asked.duplicate {
            SimDuplicate::Exists => Duplicate::Exists,
            SimDuplicate::Failed => Duplicate::Failed,
            SimDuplicate::Success => Duplicate::Success,
        },
        credentials: ours
            .or_else(|| credentials("STATION_CLOUD_", variable))
            .unwrap_or_else(Credentials::of_the_demo),
        revoker: credentials("STATION_SIM_CLOUD_REVOKER_", variable),
    })
}

fn instance(asked: &SimCloud) -> Instance {
    Instance {
        id: asked.instance.clone(),
        region: asked.region.clone(),
        edition: asked.edition.clone(),
        status: asked.status.clone(),
        x509_mode: asked.x509_mode.clone(),
        mode: match asked.mode {
            SimCloudMode::Manual => Mode::Manual,
            SimCloudMode::Automatic => Mode::Automatic,
        },
        max_authorities: asked.max_ca,
        authority_pending: std::time::Duration::ZERO,
        tls: asked.tls.clone(),
        host: asked.endpoint_host.clone(),
    }
}

/// The credentials under these names; none where there is no id or no key.
fn credentials(prefix: &str, variable: &dyn Fn(&str) -> Option<String>) -> Option<Credentials> {
    let read = |name: &str| variable(&format!("{prefix}{name}")).filter(|text| !text.is_empty());
    Some(Credentials {
        secret_id: read("SECRET_ID")?,
        secret_key: read("SECRET_KEY")?,
        token: read("TOKEN"),
    })
}

fn say_ready(
    context: &mut Context,
    asked: &SimCloud,
    url: &str,
    credentials: &Credentials,
) -> Result<(), Failure> {
    let (instance, region) = (asked.instance.as_str(), asked.region.as_str());
    let own = *credentials == Credentials::of_the_demo();
    if context.out.is_json() {
        let secret_id = credentials.secret_id.as_str();
        let secret_key = own.then_some(credentials.secret_key.as_str());
        let event = "ready";
        return context.out.json(&Ready { event, url, instance, region, secret_id, secret_key });
    }
    let ready =
        say!("ready at {url}: {instance} in {region}", "已就绪：{url}，{region} 的 {instance}");
    context.out.say(&ready)?;
    let key = match own {
        true => Say::same(credentials.secret_key.as_str()),
        false => say!("(as in the environment)", "（与环境变量相同）"),
    };
    context.out.say(&say!("in station.toml:", "写入 station.toml："))?;
    context.out.line("  [cloud]")?;
    context.out.line(format_args!("  endpoint = \"{url}\""))?;
    context.out.line(format_args!("  region = \"{region}\""))?;
    context.out.line(format_args!("  instance_id = \"{instance}\""))?;
    context.out.say(&say!("in the environment of the station:", "写入本站的环境变量："))?;
    context.out.line(format_args!("  export STATION_CLOUD_SECRET_ID={}", credentials.secret_id))?;
    context.out.say(&Say::same("  export STATION_CLOUD_SECRET_KEY=").with(&key))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(variables: &[(&str, &str)]) -> Option<Credentials> {
        let find = |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        credentials("STATION_CLOUD_", &find)
    }

    #[test]
    fn credentials_are_whole_or_not_there() {
        assert_eq!(of(&[("STATION_CLOUD_SECRET_ID", "a")]), None);
        assert_eq!(of(&[("STATION_CLOUD_SECRET_ID", "a"), ("STATION_CLOUD_SECRET_KEY", "")]), None);
        let found =
            of(&[("STATION_CLOUD_SECRET_ID", "a"), ("STATION_CLOUD_SECRET_KEY", "b")]).unwrap();
        assert_eq!((&*found.secret_id, &*found.secret_key, found.token), ("a", "b", None));
    }
}
