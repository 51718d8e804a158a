//! `station report work-order --certificate-of-conformity` and `station report verify`.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use serde_json::json;
use sha2::{Digest, Sha256};

use super::context::Context;
use super::destination::write_to;
use super::page::language;
use super::story::reader;
use crate::app::lot::{tell, write_bundle};
use crate::app::named;
use crate::app::report_of::factory;
use crate::cli::{ReportForm, VerifyBundle};
use crate::config::Config;
use crate::domain::cause::Told;
use crate::domain::code::Code;
use crate::domain::ids::{WorkOrderId, to_hex};
use crate::domain::say::Say;
use crate::handoff::{Bundle, BundleError, verify_bundle};
use crate::pki::Verifier;
use crate::report::{Look, Place, lot_html};
use crate::say;
use crate::shell::{Exit, Failure};

/// Writes a lot's sheet, and its bundle where one was asked for.
pub(super) fn write(
    config: &Config,
    id: &WorkOrderId,
    bundle: Option<&Path>,
    form: ReportForm,
    context: &mut Context,
) -> Result<(), Failure> {
    let (factory, reader) = (factory(config), reader(config)?);
    let told = tell(config, &reader, id, context.now())?;
    let language = language(config, form.language);
    let sheet = lot_html(&told.lot, Look { language, factory: &factory, place: Place::File });
    if let Some(path) = bundle {
        let failed = |error: std::io::Error| {
            let what = say!("{} can't be written", "{} 无法写入", path.display());
            Failure::said(Code::Output, what).caused_by(&error)
        };
        // A bundle goes to a customer: one that is there is never replaced.
        let mut options = OpenOptions::new();
        let file = options.write(true).create_new(true).mode(0o600).open(path).map_err(failed)?;
        let mut bundle = Bundle::into_file(file);
        write_bundle(&told, &sheet, config, &reader, &mut bundle, path)?;
        let file = bundle.finish().map_err(failed)?;
        let file = file.into_inner().map_err(|error| failed(error.into_error()))?;
        file.sync_all().map_err(failed)?;
    }
    if context.out.is_json() {
        let value = json!({
            "report": "lot",
            "work_order": id,
            "quantity": told.lot.order.work_order.quantity,
            "units": told.lot.count,
            "exceptions": told.lot.exception_count,
            "registered": told.lot.registered,
            "units_sha256": told.lot.units_sha256,
            "head": told.lot.head,
            "authority_sha256": told.lot.authority_fingerprint,
        });
        return context.out.json(&value);
    }
    write_to(form.out.as_deref(), context, |sink| Ok(sink.write_all(sheet.as_bytes())?))
}

/// Verifies a bundle.
pub(super) fn verify(asked: &VerifyBundle, context: &mut Context) -> Result<Exit, Failure> {
    let found = verify_bundle(&asked.bundle, &Verifier).map_err(|error| {
        let file = Say::same(asked.bundle.display().to_string());
        match error {
            BundleError::Read(source) => {
                let what = file.with(&say!(" can't be read", " 无法读取"));
                Failure::said(Code::Input, what).caused_by(&source)
            }
            BundleError::NoBundle(_) => Failure::said(Code::Input, file.then(&error.sentence())),
            BundleError::Wrong(_) => Failure::told(Code::LedgerJournal, &error),
        }
    })?;
    if let Some(path) = &asked.ca {
        let known = named::certificates(path)?;
        let is_known = known.iter().any(|der| to_hex(&Sha256::digest(der)) == found.authority);
        if !is_known {
            let what =
                say!("the bundle is of another CA, {}", "这个包属于另一个 CA：{}", found.authority);
            return Err(Failure::said(Code::LedgerUnvouched, what));
        }
    }
    if context.out.is_json() {
        context.out.json(&json!({
            "event": "summary",
            "valid": true,
            "units": found.units,
            "entries": found.entries,
            "head": found.head.hash,
            "authority_sha256": found.authority,
        }))?;
        return Ok(Exit::Done);
    }
    let (units, entries) = (found.units, found.entries);
    context.out.say(&say!(
        "{units} units are shown by {entries} entries of the journal",
        "{units} 个单元由 {entries} 条日志记录证明"
    ))?;
    let (seq, hash) = (found.head.seq, &found.head.hash);
    context.out.say(&say!("signed at entry {seq}, {hash}", "在第 {seq} 条签名，{hash}"))?;
    let ca = found.authority;
    context.out.say(&say!("by a CA with the fingerprint {ca}", "CA 指纹 {ca}"))?;
    Ok(Exit::Done)
}
