//! `station work-order key …`: the key with which who orders units grants them.

use std::path::Path;

use serde_json::json;

use super::context::Context;
use crate::app::{from_config, grants};
use crate::cli::OrderKeyCommand;
use crate::config::Config;
use crate::domain::bounds;
use crate::domain::code::Code;
use crate::domain::grant::Signer;
use crate::domain::ids::to_hex;
use crate::domain::say::Say;
use crate::pki::{self, Passphrase, ValidFor};
use crate::say;
use crate::secret::Process;
use crate::shell::Failure;

/// Does what `station work-order key …` says.
pub(super) fn run(
    command: OrderKeyCommand,
    config: &Config,
    context: &mut Context,
) -> Result<(), Failure> {
    let place = grants::order_place(config);
    let now = context.now();
    let signer = match command {
        OrderKeyCommand::Make { name, days } => {
            // Whoever would be asked for a new passphrase in vain is told at once.
            refuse_existing(&place.key)?;
            refuse_existing(&place.certificate)?;
            let authority = from_config::authority(config)?;
            let secret = secret(config, &place.key)?;
            pki::make_order_key(&place, &secret, &name, &authority, ValidFor::Days(days), now)?
        }
        OrderKeyCommand::Request { name, out } => return request(config, &name, &out, context),
        OrderKeyCommand::Import { certificate } => {
            let bytes = bounds::read_file(&certificate, bounds::CERTIFICATES);
            let bytes = bytes.map_err(|error| {
                let what = say!("{} can't be read", "{} 无法读取", certificate.display());
                Failure::said(Code::Input, what).caused_by(&error)
            })?;
            pki::import_order_certificate(&place, &secret(config, &place.key)?, &bytes, now)?
        }
        OrderKeyCommand::Show => pki::order_signer(&place)?,
    };
    show(config, &signer, context)
}

fn refuse_existing(path: &Path) -> Result<(), Failure> {
    match path.symlink_metadata() {
        Err(_) => Ok(()),
        Ok(_) => {
            let what = say!(
                "{} is there already and is never overwritten",
                "{} 已经存在，不会被覆盖",
                path.display()
            );
            Err(Failure::said(Code::CaExists, what))
        }
    }
}

/// The passphrase: of a key that is not there yet it is a new one.
fn secret(config: &Config, key: &Path) -> Result<Passphrase, Failure> {
    let wanted = grants::order_secret(config);
    let secret = match key.exists() {
        true => wanted.read(&Process)?,
        false => wanted.read_new(&Process)?,
    };
    from_config::passphrase(&secret)
}

fn request(config: &Config, name: &str, out: &Path, context: &mut Context) -> Result<(), Failure> {
    // Before a key is made that nobody would get a request for.
    super::authority::refuse_output(out)?;
    let place = grants::order_place(config);
    let made = pki::request_order_key(&place, &secret(config, &place.key)?, name)?;
    super::authority::write_new(out, &made.pem)?;
    match context.out.is_json() {
        true => context.out.json(&json!({ "written": out, "made_key": made.made_key })),
        false => {
            let key = super::authority::whose_key(made.made_key);
            let written = say!(", is in {}", "，已写入 {}", out.display());
            context.out.say(&say!("a request, with ", "签发请求，使用").with(&key).with(&written))
        }
    }
}

fn show(config: &Config, signer: &Signer, context: &mut Context) -> Result<(), Failure> {
    let Signer { name, public_key, not_after } = signer;
    let settings = &config.work_orders;
    if context.out.is_json() {
        return context.out.json(&json!({
            "name": name,
            "public_key": to_hex(public_key.as_bytes()),
            "not_after": not_after.to_string(),
            "key": settings.key,
            "certificate": settings.certificate,
        }));
    }
    let lines = [
        (say!("signs as", "签名人"), name.to_string()),
        (say!("valid until", "到期"), not_after.to_string()),
        (say!("key", "密钥"), settings.key.display().to_string()),
        (say!("certificate", "证书"), settings.certificate.display().to_string()),
    ];
    lines
        .into_iter()
        .try_for_each(|(what, value)| context.out.say(&what.padded(13).with(&Say::same(value))))
}
