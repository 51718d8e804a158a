//! `station sync`: what it does is in `sync`, what is printed of it here.

use super::context::Context;
use super::person::person;
use crate::app::sync::{self, Ended, Wanted};
use crate::app::{cloud, from_config};
use crate::checks;
use crate::cli::Sync;
use crate::config::Config;
use crate::domain::clock::Timestamp;
use crate::domain::code::Code;
use crate::domain::device::Fault;
use crate::domain::outbox::Operation;
use crate::domain::person::Person;
use crate::domain::say::Say;
use crate::ledger::Reader;
use crate::pki::AuthorityInfo;
use crate::say;
use crate::shell::{self, Exit, Failure, Output, Progress};
use crate::sync::{DifferenceKind, Event, Outcome, Summary};
use crate::text::{Language, said, what};

/// Does what `station sync` says.
pub(super) fn run(args: &Sync, context: &mut Context) -> Result<Exit, Failure> {
    let config = context.config()?;
    let wanted = Wanted {
        full: args.full,
        dry_run: args.dry_run,
        migrate: args.migrate,
        limit: args.limit,
        deadline: args.deadline,
    };
    if let Some(fault) = cloud::international(&config) {
        shell::warn(&fault, context.color);
    }
    if let Some(fault) = ending_list(&config, context.now()) {
        shell::warn(&fault, context.color);
    }
    let ended = carry_out(&config, &wanted, &person(args.by.clone()), context)?;
    conclude(ended, context)
}

/// A word where the newest list of the CA's revoked certificates ends soon.
fn ending_list(config: &Config, now: Timestamp) -> Option<Fault> {
    let authority = from_config::authority_place(&config.authority);
    let fingerprint = AuthorityInfo::read(&authority).ok()?.fingerprint;
    let station = &config.station;
    let reader = Reader::open(&station.data_dir, Some(&station.id)).ok()?;
    checks::list_fault(&reader.newest_list(&fingerprint).ok()??, now)
}

/// One sync; every line of it but the summary is printed.
pub(super) fn carry_out(
    config: &Config,
    wanted: &Wanted,
    by: &Person,
    context: &Context,
) -> Result<Ended, Failure> {
    let station = &config.station;
    let open = Reader::open(&station.data_dir, Some(&station.id)).and_then(|r| r.outbox_open());
    let open: u64 = open.unwrap_or_default().iter().map(|(_, count)| count).sum();
    let mut teller = Teller::new(context, wanted.limit.map_or(open, |limit| open.min(limit)));
    let tell = Box::new(move |event| teller.tell(&event));
    sync::run(config, &context.clock(), wanted, by, tell)
}

/// Prints the summary and what is wrong beside it.
pub(super) fn conclude(ended: Ended, context: &mut Context) -> Result<Exit, Failure> {
    let Ended { summary, faults, exit } = ended;
    match context.out.is_json() {
        true => context.out.json(&Event::Summary(summary))?,
        false => {
            summary_in_words(&summary).iter().try_for_each(|line| context.out.say(line))?;
        }
    }
    for fault in &faults {
        Failure::from(fault).print(context.color);
    }
    Ok(exit)
}

/// Prints events as they come.
struct Teller {
    out: Output,
    /// Every certificate, or only those that went wrong.
    every: bool,
    progress: Progress,
    total: u64,
    done: u64,
    wrong: u64,
}

impl Teller {
    fn new(context: &Context, total: u64) -> Self {
        let out = Output::stdout(context.global.json);
        let (every, progress) = (context.global.verbose > 0, context.progress());
        Self { out, every, progress, total, done: 0, wrong: 0 }
    }

    fn tell(&mut self, event: &Event) {
        self.count(event);
        // Standard output that is gone ends nothing: the ledger has it all.
        let _ = match self.out.is_json() {
            true => self.out.json(event),
            false => match in_words(event, self.every) {
                Some(line) => {
                    self.progress.clear();
                    self.out.say(&line)
                }
                None => Ok(()),
            },
        };
        if self.total > 0 {
            let wrong = self.wrong;
            let note = say!("{wrong} not done", "{wrong} 未完成");
            self.progress.at(self.done, Some(self.total), said(&note, shell::language()));
        }
    }

    fn count(&mut self, event: &Event) {
        let (Event::Registration { outcome, .. } | Event::Status { outcome, .. }) = event else {
            return;
        };
        self.done += 1;
        self.wrong += u64::from(is_wrong(*outcome));
    }
}

const fn is_wrong(outcome: Outcome) -> bool {
    match outcome {
        Outcome::Registered | Outcome::AlreadyRegistered | Outcome::Done | Outcome::Nothing => {
            false
        }
        Outcome::Conflict | Outcome::Rejected | Outcome::Deferred | Outcome::Waiting => true,
    }
}

fn word(outcome: Outcome) -> Say {
    match outcome {
        Outcome::Registered => say!("registered", "已注册"),
        Outcome::AlreadyRegistered => say!("was registered already", "早已注册"),
        Outcome::Conflict => say!("conflict", "冲突"),
        Outcome::Rejected => say!("rejected", "被拒"),
        Outcome::Deferred => say!("deferred", "推迟"),
        Outcome::Done => say!("done", "已完成"),
        Outcome::Nothing => say!("nothing to do", "无需处理"),
        Outcome::Waiting => say!("waits", "等待"),
    }
}

/// What is to be done with a certificate.
fn act(operation: Operation) -> Say {
    match operation {
        Operation::Register => say!("register", "注册"),
        Operation::Activate => say!("activate", "激活"),
        Operation::Deactivate => say!("deactivate", "停用"),
        Operation::Revoke => say!("revoke", "吊销"),
    }
}

/// One line for people; none for what went well, unless every one is wanted.
fn in_words(event: &Event, every: bool) -> Option<Say> {
    match event {
        Event::Registration { serial, certificate_sn, outcome, code, message, .. } => {
            let line = Say::same(format!("{serial} {certificate_sn}: ")).with(&word(*outcome));
            let trouble = code.as_ref().zip(message.as_ref());
            (every || is_wrong(*outcome)).then(|| with_trouble(line, trouble))
        }
        Event::Status { serial, certificate_sn, operation, outcome, code, message, .. } => {
            let deed = act(*operation).with(&Say::same(": ")).with(&word(*outcome));
            let line = Say::same(format!("{serial} {certificate_sn}: ")).with(&deed);
            let trouble = code.as_ref().zip(message.as_ref());
            (every || is_wrong(*outcome)).then(|| with_trouble(line, trouble))
        }
        Event::Difference(difference) => {
            let serial = difference.serial.as_ref().map_or("?", |serial| serial.as_str());
            let of = Say::same(format!("{serial} {}: ", difference.certificate_sn));
            let what = kind(difference.kind).with(&Say::same(": ")).with(&difference.detail);
            Some(of.with(&what))
        }
        Event::Planned { serial, certificate_sn, operation, deed } => {
            let of = say!("{serial} {certificate_sn}: to ", "{serial} {certificate_sn}：需");
            Some(of.with(&act(*operation)).with(&say!(", first {deed}", "，先 {deed}")))
        }
        Event::Paused { message } => {
            Some(say!("the cloud is not ready, waiting", "云端未就绪，等待中").then(message))
        }
        Event::Summary(_) => None,
    }
}

fn with_trouble(line: Say, trouble: Option<(&Code, &Say)>) -> Say {
    let Some((code, message)) = trouble else { return line };
    let Say { english: detail, chinese } = message.clone();
    let chinese = Some(chinese).filter(|chinese| !chinese.is_empty());
    let fault = Fault { code: *code, detail, chinese };
    // Of what a ledger has in English alone, the code says in Chinese what it means.
    let [english, chinese] =
        [Language::English, Language::Chinese].map(|language| what(&fault, language));
    line.with(&say!(" ({code}: {english})", " ({code}: {chinese})"))
}

fn kind(kind: DifferenceKind) -> Say {
    match kind {
        DifferenceKind::MissingInCloud => say!("missing in the cloud", "云端缺少"),
        DifferenceKind::ForeignInCloud => say!("foreign in the cloud", "云端有外来证书"),
        DifferenceKind::VoidInCloud => say!("void, and usable in the cloud", "已作废，但云端可用"),
        DifferenceKind::DuplicateClientId => {
            say!("its client id stands there twice", "客户端 ID 在云端重复")
        }
        DifferenceKind::StatusDiffers => say!("its status differs", "状态不同"),
        DifferenceKind::CertificateDiffers => say!("the certificate differs", "证书不同"),
    }
}

fn summary_in_words(summary: &Summary) -> Vec<Say> {
    let Summary { registered, already_registered, conflict, rejected, deferred, pending, .. } =
        *summary;
    let mut said = vec![say!(
        "{registered} registered, {already_registered} were there already, {conflict} in \
         conflict, {rejected} rejected, {deferred} deferred, {pending} pending",
        "已注册 {registered}，早已注册 {already_registered}，冲突 {conflict}，被拒 {rejected}，\
         推迟 {deferred}，未处理 {pending}"
    )];
    said.extend(changes_in_words(summary));
    said.extend(left_in_words(summary));
    let Summary { requests, throttled, duration_ms, .. } = *summary;
    said.push(say!(
        "{requests} requests, {throttled} throttled, {duration_ms} ms",
        "请求 {requests}，限流 {throttled}，{duration_ms} 毫秒"
    ));
    said
}

fn changes_in_words(summary: &Summary) -> Option<Say> {
    let Summary { activated, deactivated, revoked, status_failed: failed, .. } = *summary;
    let any = [activated, deactivated, revoked, failed].iter().any(|count| *count > 0);
    any.then(|| {
        say!(
            "{activated} activated, {deactivated} deactivated, {revoked} revoked, {failed} failed",
            "激活 {activated}，停用 {deactivated}，吊销 {revoked}，失败 {failed}"
        )
    })
}

/// What is left for another run, or for somebody else.
fn left_in_words(summary: &Summary) -> Vec<Say> {
    let (revoker, device) = (summary.waiting_for_revoker, summary.waiting_for_device);
    let (elsewhere, different) = (summary.elsewhere, summary.different());
    let lines = [
        (revoker > 0).then(|| {
            say!(
                "{revoker} wait for the revoker's credentials: give them and run it again",
                "{revoker} 项等待吊销凭据：提供后重新运行"
            )
        }),
        (device > 0).then(|| {
            say!(
                "{device} register themselves when their devices first connect",
                "{device} 个在设备首次连接时自动注册"
            )
        }),
        (elsewhere > 0).then(|| {
            say!(
                "{elsewhere} operations are open in another instance than the current one",
                "{elsewhere} 项操作属于另一个实例"
            )
        }),
        summary.differences.is_some().then(|| {
            say!(
                "{different} differences between the cloud and the ledger",
                "云端与账本有 {different} 处差异"
            )
        }),
    ];
    lines.into_iter().flatten().collect()
}
