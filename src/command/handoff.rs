//! `station export` and `station import-registered`: the hand-off for the console.

use serde::Serialize;

use super::context::Context;
use super::person::person;
use super::tables;
use crate::app::report_of::no_order;
use crate::app::{cloud, from_config};
use crate::cli::{self, ExportCertificates, ExportFormat};
use crate::config::Config;
use crate::domain::certificate::Proof;
use crate::domain::code::Code;
use crate::domain::ids::{CertificateSn, Serial};
use crate::domain::outbox::RegisteredByHand;
use crate::domain::person::Person;
use crate::domain::record::Record;
use crate::domain::registration::CloudInstance;
use crate::domain::say::Say;
use crate::handoff::{self, Claim, Exported, Format, HandoffError, Verdict};
use crate::ledger::{Reader, Ticket};
use crate::say;
use crate::shell::{self, Exit, Failure};
use crate::text::{named, proof_word, said};

/// Certificates that are read, and rows that are recorded, at a time.
const PAGE: u32 = 500;

impl From<HandoffError> for Failure {
    fn from(error: HandoffError) -> Self {
        Failure::told(error.code(), &error)
    }
}

fn reader(config: &Config) -> Result<Reader, Failure> {
    Ok(Reader::open(&config.station.data_dir, Some(&config.station.id))?)
}

/// Does what `station export` says.
pub(super) fn export(asked: cli::Export, context: &mut Context) -> Result<Exit, Failure> {
    match (asked.table, asked.certificates) {
        (Some(table), _) => tables::export(table, context),
        (None, Some(asked)) => certificates(&asked, context),
        // The command line's own rules ask for one of them.
        (None, None) => Err(Failure::said(
            Code::Usage,
            say!("it is not said what to export", "没有说明要导出什么"),
        )),
    }
}

/// Hands certificates off, as `station export` says.
fn certificates(asked: &ExportCertificates, context: &mut Context) -> Result<Exit, Failure> {
    let config = context.config()?;
    let reader = reader(&config)?;
    if let Some(id) = &asked.work_order
        && reader.work_order(id)?.is_none()
    {
        return Err(no_order(id.as_str()));
    }
    let (station, product) = (config.station.id.as_str(), config.product.name.as_str());
    let mut export = handoff::Export::create(&asked.out, format(asked.format), station, product)?;
    let mut last: Option<Serial> = None;
    let (mut progress, mut written) = (context.progress(), 0);
    loop {
        let page = reader.export_page(asked.work_order.as_ref(), asked.all, last.as_ref(), PAGE)?;
        for row in &page {
            export.add(row)?;
            written += 1;
            progress.at(written, None, said(&say!("certificates", "张证书"), shell::language()));
        }
        match page.into_iter().last() {
            Some(row) => last = Some(row.row.serial),
            None => break,
        }
    }
    progress.clear();
    say_exported(asked, &export.finish()?, context)?;
    Ok(Exit::Done)
}

const fn format(format: ExportFormat) -> Format {
    match format {
        ExportFormat::PemZip => Format::PemZip,
        ExportFormat::Csv => Format::Csv,
        ExportFormat::Ndjson => Format::Ndjson,
    }
}

#[derive(Serialize)]
struct ExportedLine<'a> {
    event: &'static str,
    certificates: u64,
    by_proof: &'a std::collections::BTreeMap<&'static str, u64>,
    out: &'a std::path::Path,
    sha256: &'a str,
    manifest: Option<&'a std::path::Path>,
}

fn say_exported(
    asked: &ExportCertificates,
    exported: &Exported,
    context: &mut Context,
) -> Result<(), Failure> {
    let Exported { certificates, by_proof, sha256, manifest } = exported;
    let (certificates, manifest) = (*certificates, manifest.as_deref());
    if context.out.is_json() {
        let (event, out) = ("exported", &*asked.out);
        let line = ExportedLine { event, certificates, by_proof, out, sha256, manifest };
        return context.out.json(&line);
    }
    let out = asked.out.display();
    context.out.say(&say!(
        "{certificates} certificates written to {out}, SHA-256 {sha256}",
        "已把 {certificates} 张证书写入 {out}，SHA-256 {sha256}"
    ))?;
    for (proof, count) in by_proof {
        let known = Proof::ALL.iter().find(|known| known.as_str() == *proof);
        let word = known.map_or_else(|| Say::same(*proof), |how| named(proof, proof_word(*how)));
        context.out.say(&say!("  {count} proven by ", "  {count} 张：").with(&word))?;
    }
    match manifest {
        Some(path) => context.out.say(&say!("manifest in {}", "清单已写入 {}", path.display())),
        None => Ok(()),
    }
}

/// What became of one row of a returned file.
#[derive(Serialize)]
struct RowLine<'a> {
    event: &'static str,
    row: u64,
    serial: Option<&'a str>,
    certificate_sn: Option<CertificateSn>,
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<Code>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<&'a str>,
}

#[derive(Debug, Default, Serialize)]
struct Summary {
    event: &'static str,
    registered_by_hand: u64,
    already_registered: u64,
    refused: u64,
}

/// A row, and what is to be told of it once its record is durable.
struct Handled {
    place: u64,
    claim: Option<Claim>,
    sn: Option<CertificateSn>,
    fate: Fate,
}

enum Fate {
    Recorded(Ticket),
    Already,
    Refused(Code, Say),
}

/// Does what `station import-registered` says.
pub(super) fn import(
    asked: &cli::ImportRegistered,
    context: &mut Context,
) -> Result<Exit, Failure> {
    let config = context.config()?;
    let instance = cloud::instance(&config)?;
    let rows = handoff::read_claims(&asked.file)?;
    let (ledger, _) = from_config::open_ledger(&config, &context.clock())?;
    let reader = reader(&config)?;
    refuse_another_instance(&reader, &instance)?;
    let writer = ledger.writer();
    let by = person(Some(asked.by.clone()));
    let mut summary = Summary { event: "summary", ..Summary::default() };
    let mut rows = rows.into_iter().peekable();
    while rows.peek().is_some() {
        let page = rows.by_ref().take(usize::try_from(PAGE).unwrap_or(usize::MAX));
        let handle = |row: handoff::Read| {
            handle(row, &reader, &|sn| {
                writer.submit(Record::RegisteredByHand(by_hand(sn, &instance, &by)))
            })
        };
        let handled: Vec<Handled> = page.map(handle).collect::<Result<_, Failure>>()?;
        for row in handled {
            tell(row, &mut summary, context)?;
        }
    }
    say_summary(&summary, context)?;
    Ok(if summary.refused == 0 { Exit::Done } else { Exit::NotAll })
}

/// A ledger whose certificates go elsewhere takes no word about this instance.
fn refuse_another_instance(reader: &Reader, instance: &CloudInstance) -> Result<(), Failure> {
    match reader.cloud()? {
        Some(chosen) if chosen != *instance => {
            let what = say!(
                "the ledger's cloud is {chosen}, that of station.toml {instance}",
                "账本的云端是 {chosen}，station.toml 的是 {instance}"
            );
            Err(Failure::said(Code::CloudInstanceChanged, what))
        }
        _ => Ok(()),
    }
}

fn by_hand(sn: CertificateSn, cloud: &CloudInstance, by: &Person) -> RegisteredByHand {
    RegisteredByHand { certificate_sn: sn, cloud: cloud.clone(), by: by.clone() }
}

/// Judges a row, and hands its record in where it has one.
fn handle(
    row: handoff::Read,
    reader: &Reader,
    record: &dyn Fn(CertificateSn) -> Ticket,
) -> Result<Handled, Failure> {
    let place = row.place;
    let claim = match row.claim {
        Ok(claim) => claim,
        Err(why) => {
            let fate = Fate::Refused(Code::Input, why);
            return Ok(Handled { place, claim: None, sn: None, fate });
        }
    };
    let sn = match claim.certificate_sn {
        Some(sn) => Some(sn),
        None => reader.sn_of_fingerprint(&claim.fingerprint)?,
    };
    let known = sn.map_or(Ok(None), |sn| reader.known(&sn))?;
    let fate = match handoff::judge(&claim, known.as_ref()) {
        Verdict::Record(sn) => Fate::Recorded(record(sn)),
        Verdict::Already => Fate::Already,
        Verdict::Refused { code, message } => Fate::Refused(code, message),
    };
    Ok(Handled { place, claim: Some(claim), sn, fate })
}

fn tell(row: Handled, summary: &mut Summary, context: &mut Context) -> Result<(), Failure> {
    let (outcome, refusal) = match row.fate {
        Fate::Already => ("already_registered", None),
        Fate::Refused(code, message) => ("refused", Some((code, message))),
        Fate::Recorded(ticket) => match ticket.wait() {
            Ok(_) => ("registered_by_hand", None),
            Err(crate::domain::record::Refusal::Row(fault)) => {
                ("refused", Some((fault.code, fault.sentence())))
            }
            // The ledger can't write any more: what follows would fail too.
            Err(refusal) => return Err(Failure::from(refusal.fault())),
        },
    };
    match outcome {
        "registered_by_hand" => summary.registered_by_hand += 1,
        "already_registered" => summary.already_registered += 1,
        _ => summary.refused += 1,
    }
    let serial = row.claim.as_ref().and_then(|claim| claim.serial.as_deref());
    if context.out.is_json() {
        return context.out.json(&RowLine {
            event: "registration",
            row: row.place,
            serial,
            certificate_sn: row.sn,
            outcome,
            code: refusal.as_ref().map(|(code, _)| *code),
            message: refusal.as_ref().map(|(_, message)| message.english.as_str()),
        });
    }
    match refusal {
        None => Ok(()),
        Some((code, message)) => {
            let serial = serial.unwrap_or("-");
            let what = say!(
                "row {} ({serial}) refused, {code}",
                "第 {} 行（{serial}）被拒，{code}",
                row.place
            );
            context.out.say(&what.then(&message))
        }
    }
}

fn say_summary(summary: &Summary, context: &mut Context) -> Result<(), Failure> {
    if context.out.is_json() {
        return context.out.json(summary);
    }
    let Summary { registered_by_hand, already_registered, refused, .. } = summary;
    let what = say!(
        "{registered_by_hand} recorded as registered by hand, {already_registered} were \
         registered already, {refused} refused",
        "记为人工注册 {registered_by_hand}，早已注册 {already_registered}，被拒 {refused}"
    );
    context.out.say(&what)
}
