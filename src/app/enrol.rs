//! Makes the CA of station.toml known to the cloud of station.toml.

use std::sync::Arc;

use super::{cloud, from_config};
use crate::config::Config;
use crate::domain::clock::Clock;
use crate::domain::code::Code;
use crate::domain::device::Fault;
use crate::domain::person::Person;
use crate::domain::registration::CaSn;
use crate::enrol::{Enrolled, Enrolment, enrol};
use crate::ledger::Reader;
use crate::pki::{Authority, AuthorityInfo};
use crate::say;
use crate::shell::Failure;
use crate::text::{Language, remedy};

/// Registers the CA, or finds it registered.
pub fn run(config: &Config, clock: &Arc<dyn Clock>, by: Person) -> Result<Enrolled, Failure> {
    let section = cloud::section(config)?;
    let authority = from_config::authority(config)?;
    authority.check_profile(&from_config::profile(config)?, clock.now().wall)?;
    let registrar = cloud::client(config)?;
    let (ledger, _) = from_config::open_ledger(config, clock)?;
    let enrolment = Enrolment {
        registrar: &registrar,
        registering: cloud::registering(section),
        authority: &authority,
        writer: &ledger.writer(),
        reader: &ledger.reader()?,
        clock: clock.as_ref(),
        by,
    };
    let enrolled = cloud::runtime()?.block_on(enrol(&enrolment));
    enrolled.map_err(|fault| told(fault, &section.instance_id))
}

/// A verification certificate, PEM, and the CA's: the files for the console.
pub fn for_console(config: &Config, code: &str, clock: &dyn Clock) -> Result<[String; 2], Failure> {
    let authority: Authority = from_config::authority(config)?;
    let verification = crate::enrol::verification(&authority, code, clock)?;
    Ok([authority.info()?.certificate_pem, verification])
}

/// What the CA is called in the cloud of station.toml, as far as the ledger knows.
pub fn ca_sn(config: &Config, info: &AuthorityInfo) -> Result<Option<CaSn>, Failure> {
    let data_dir = &config.station.data_dir;
    if config.cloud.is_none() || !data_dir.join(crate::ledger::LEDGER_FILE).exists() {
        return Ok(None);
    }
    let reader = Reader::open(data_dir, Some(&config.station.id))?;
    Ok(reader.ca_sn(&info.fingerprint, &cloud::instance(config)?)?)
}

/// Where the API can't do it, the console can.
fn told(fault: Fault, instance: &str) -> Failure {
    let console = matches!(
        fault.code,
        Code::CloudAction
            | Code::CloudUnreachable
            | Code::CloudAnswer
            | Code::CloudPermission
            | Code::CloudVerification
    );
    let (failure, first) = (Failure::from(&fault), remedy(fault.code, Language::English));
    if !console {
        return failure;
    }
    failure.with_help(say!(
        "{first}; or by hand: in the console open Cluster > {instance} > CA Certificate Management > \
         Register, copy its registration code, run `station authority register --code CODE --out \
         DIR`, upload DIR/ca.pem and DIR/verification.pem within a day and set the CA to active",
        "或手工办理：在控制台打开 Cluster > {instance} > CA Certificate Management > Register，复制\
         注册码，运行 `station authority register --code CODE --out DIR`，一天之内上传 DIR/ca.pem 和 \
         DIR/verification.pem，并把 CA 设为启用"
    ))
}
