//! Opens the way to the cloud that station.toml names.

use std::sync::Arc;

use tokio::runtime::{Builder, Runtime};
use zeroize::Zeroizing;

use super::clock::SystemClock;
use crate::cloud::tdmq::{Credentials, Roots, Settings, Tdmq};
use crate::config::{self, Config, RegistrationMode};
use crate::domain::cause::Told;
use crate::domain::code::Code;
use crate::domain::device::Fault;
use crate::domain::registration::{CloudInstance, Registering};
use crate::pki;
use crate::say;
use crate::secret::{self, Process, Secret, SecretError};
use crate::shell::Failure;

/// `[cloud]`, which a command that speaks to the cloud needs.
pub fn section(config: &Config) -> Result<&config::Cloud, Failure> {
    config.cloud.as_ref().ok_or_else(|| {
        Failure::said(
            Code::ConfigValue,
            say!("station.toml has no section [cloud]", "station.toml 没有 [cloud] 一节"),
        )
        .with_help(say!(
            "say in [cloud] where certificates are registered; station.toml shows how",
            "在 [cloud] 中写明证书注册到哪里；station.toml 样例中有写法"
        ))
    })
}

/// The one thread on which everything runs that waits for the cloud.
pub fn runtime() -> Result<Runtime, Failure> {
    Builder::new_current_thread().enable_all().build().map_err(|error| {
        Failure::said(Code::Shortage, say!("no runtime for the network", "网络运行环境无法建立"))
            .caused_by(&error)
    })
}

/// The client with the station's own credentials: it registers, looks up and activates.
pub fn client(config: &Config) -> Result<Tdmq, Failure> {
    let cloud = section(config)?;
    let id = secret::cloud_secret_id(cloud.secret_id_file.as_deref()).read(&Process);
    let key = secret::cloud_secret_key(cloud.secret_key_file.as_deref()).read(&Process);
    let token = secret::cloud_token(cloud.token_file.as_deref()).read_if_given(&Process);
    let credentials = Credentials {
        id: text(&id.map_err(|error| refused(&error))?)?,
        key: text(&key.map_err(|error| refused(&error))?)?,
        token: token.map_err(|error| refused(&error))?.as_ref().map(text).transpose()?,
    };
    open(cloud, credentials)
}

/// The same without asking anybody; none where a secret id or key is not given here, as on
/// a station whose nightly sync alone has them.
pub fn client_if_given(config: &Config) -> Result<Option<Tdmq>, Failure> {
    let cloud = section(config)?;
    let id = secret::cloud_secret_id(cloud.secret_id_file.as_deref()).read_if_given(&Process);
    let key = secret::cloud_secret_key(cloud.secret_key_file.as_deref()).read_if_given(&Process);
    let given = id.map_err(|error| refused(&error))?.is_some()
        && key.map_err(|error| refused(&error))?.is_some();
    given.then(|| client(config)).transpose()
}

/// The client with the credentials of who may deactivate and revoke; none where they were
/// not given.
pub fn revoker(config: &Config) -> Result<Option<Tdmq>, Failure> {
    let cloud = section(config)?;
    let id = secret::revoker_secret_id(cloud.revoker_secret_id_file.as_deref());
    let key = secret::revoker_secret_key(cloud.revoker_secret_key_file.as_deref());
    let id = id.read_if_given(&Process).map_err(|error| refused(&error))?;
    let key = key.read_if_given(&Process).map_err(|error| refused(&error))?;
    match (id, key) {
        (None, None) => Ok(None),
        (Some(id), Some(key)) => {
            let credentials = Credentials { id: text(&id)?, key: text(&key)?, token: None };
            open(cloud, credentials).map(Some)
        }
        _ => Err(Failure::said(
            Code::CloudCredentials,
            say!(
                "of the revoker's secret id and secret key only one was given",
                "吊销者的 secret id 和 secret key 只给出了一个"
            ),
        )),
    }
}

/// Which instance station.toml names; no credentials are needed for it.
pub fn instance(config: &Config) -> Result<CloudInstance, Failure> {
    let cloud = section(config)?;
    Ok(CloudInstance {
        site: cloud.endpoint.host().to_ascii_lowercase(),
        region: cloud.region.clone(),
        instance: cloud.instance_id.clone(),
    })
}

/// What must be known of the international site before it is called: what is published of
/// its API (SDK 3.1.193 of October 2026) looks certificates up and registers none.
pub fn international(config: &Config) -> Option<Fault> {
    let cloud = config.cloud.as_ref()?;
    let is_there = cloud.endpoint.host().split('.').any(|label| label.eq_ignore_ascii_case("intl"));
    let what = say!(
        "the international site's published API has no action that registers \
        certificates: hand them off by `station export`, and take them back by \
        `station import-registered`",
        "国际站公布的 API 没有注册证书的接口：用 `station export` 交出，再用 `station import-registered` 收回结果"
    );
    is_there.then(|| Fault::said(Code::CloudAction, what))
}

/// How the instance is to learn of certificates.
pub fn registering(cloud: &config::Cloud) -> Registering {
    match cloud.registration {
        RegistrationMode::Manual => Registering::Manual,
        RegistrationMode::Automatic => Registering::Automatic,
    }
}

fn open(cloud: &config::Cloud, credentials: Credentials) -> Result<Tdmq, Failure> {
    let roots = match &cloud.root {
        Some(path) => Roots::Given(pki::read_certificates(path).map_err(|error| {
            Failure::said(
                Code::CloudRoots,
                say!("the roots for the cloud can't be used", "验证云端的根证书无法使用"),
            )
            .caused_by(&error.sentence())
        })?),
        None => Roots::System,
    };
    let settings = Settings {
        endpoint: cloud.endpoint.as_str().to_owned(),
        region: cloud.region.clone(),
        instance: cloud.instance_id.clone(),
        rate_per_second: cloud.rate_per_second,
        call_limit: cloud.call_limit,
        roots,
        proxy: cloud.proxy.clone(),
    };
    Tdmq::new(&settings, credentials, Arc::new(SystemClock::start()))
        .map_err(|error| Failure::told(error.code(), &error))
}

fn text(secret: &Secret) -> Result<Zeroizing<String>, Failure> {
    let text = std::str::from_utf8(secret.as_bytes()).ok();
    let text = text.filter(|text| !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic()));
    text.map(|text| Zeroizing::new(text.to_owned())).ok_or_else(|| {
        let what = say!(
            "a secret of the cloud has characters that no such secret has",
            "云端密钥中有不应有的字符"
        );
        Failure::said(Code::CloudCredentials, what).with_help(say!(
            "copy it again: it is one word of printable ASCII characters",
            "重新复制：它是一个由可打印 ASCII 字符组成的词"
        ))
    })
}

/// A file that others can read keeps its own code; all else means that there are none.
fn refused(error: &SecretError) -> Failure {
    let code = match error.code() {
        Code::SecretMode => Code::SecretMode,
        _ => Code::CloudCredentials,
    };
    let failure = Failure::told(code, error);
    match error.help() {
        Some(help) => failure.with_help(help),
        None => failure,
    }
}
