//! `station ledger …`

use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::{Value, json};

use super::context::Context;
use super::person::{approve, person, pin_of, reason, record};
use crate::app::{from_config, named, people};
use crate::cli::{LedgerAct, LedgerCommand};
use crate::config::Config;
use crate::domain::code::Code;
use crate::domain::device::Fault;
use crate::domain::evidence::HeadSigner;
use crate::domain::ids::{OperatorId, PublicKey, to_hex};
use crate::domain::keeping::Vouched;
use crate::domain::record::{GapAccepted, Record, Restored};
use crate::domain::say::Say;
use crate::ledger::{self, Audit, FileCheck, Reader, Restoring, Verification};
use crate::pki::{self, Verifier};
use crate::say;
use crate::shell::{self, Exit, Failure};

/// Does what `station ledger …` says.
pub(super) fn run(command: LedgerCommand, context: &mut Context) -> Result<Exit, Failure> {
    // Segments are read where there is neither a ledger nor a station.
    let command = match command {
        LedgerCommand::Segments { act } => return super::segments::run(act, context),
        command => command,
    };
    let config = context.config()?;
    match command {
        LedgerCommand::Verify { new, every_head, key, anchor } => {
            let extent = Extent { only_new: new, every_head };
            return verify_by(config, key, anchor, extent, context);
        }
        LedgerCommand::Stats(of) => super::stats::run(&config, &of, context)?,
        LedgerCommand::Check => check(&config, context)?,
        LedgerCommand::Backup { file } => backup(&config, &file, context)?,
        LedgerCommand::Restore { file, by, .. } => restore(&config, file, by, context)?,
        LedgerCommand::AcceptGap(act) => accept_gap(&config, act, context)?,
        LedgerCommand::SetAside(act) => set_aside(&config, act, context)?,
        LedgerCommand::Reindex(act) => reindex(&config, act, context)?,
        LedgerCommand::Vouch(act) => vouch(&config, act, context)?,
        LedgerCommand::Segments { .. } => {}
    }
    Ok(Exit::Done)
}

/// Audits the ledger, by the witnesses that were named instead of those of station.toml.
fn verify_by(
    mut config: Config,
    key: Option<PathBuf>,
    anchor: Option<PathBuf>,
    extent: Extent,
    context: &mut Context,
) -> Result<Exit, Failure> {
    // A file that can't be used says nothing about the ledger.
    let authorities = key.as_deref().map(named::certificates).transpose()?;
    anchor.as_deref().map_or(Ok(()), demand_note)?;
    config.authority.certificate = key.unwrap_or(config.authority.certificate);
    config.ledger.anchor = anchor.or(config.ledger.anchor);
    let certified = authorities.map_or(Ok(()), |ca| demand_certified(&config, &ca));
    match certified.and_then(|()| audit(&config, extent, context)) {
        Ok(verification) => say_verdict(&verification, context),
        Err(failure) => {
            if context.out.is_json() && failure.exit() == Exit::Ledger {
                context.out.json(&unaudited(&failure))?;
            }
            Err(failure)
        }
    }
}

/// Refuses a file without a head in it: an audit that was to go by it would go by nothing.
fn demand_note(path: &Path) -> Result<(), Failure> {
    let name = path.display();
    let refused = match ledger::is_note(path) {
        Ok(true) => return Ok(()),
        Ok(false) => {
            let what = say!("{name} has no head of a journal in it", "{name} 里没有日志的头");
            Failure::said(Code::Input, what)
        }
        Err(error) => Failure::said(Code::Input, say!("{name} can't be read", "{name} 无法读取"))
            .caused_by(&error),
    };
    Err(refused.with_help(say!(
        "name a copy of `journal.head`, or of what the station writes at `[ledger] anchor`",
        "指定 `journal.head` 的副本，或本站在 `[ledger] anchor` 处所写文件的副本"
    )))
}

/// Refuses a CA that certified no journal key of this station: no audit goes by it. What keeps
/// the ledger from being asked is told instead.
fn demand_certified(config: &Config, authorities: &[Vec<u8>]) -> Result<(), Failure> {
    let Config { station, authority, .. } = config;
    let reader = Reader::open(&station.data_dir, Some(&station.id))?;
    let certified = from_config::certified_keys(&reader, authorities, &station.id)?;
    if !certified.is_empty() {
        return Ok(());
    }
    let what = say!(
        "{} certified no journal key of this station",
        "{} 没有为本站的日志密钥签发证书",
        authority.certificate.display()
    );
    Err(Failure::said(Code::LedgerKey, what)
        .with_help(say!("name the CA certificate of this station", "指定本站的 CA 证书")))
}

#[derive(Serialize)]
struct Summary<'a> {
    event: &'static str,
    #[serde(flatten)]
    verification: &'a Verification,
    #[serde(flatten)]
    blame: Option<Blame>,
}

/// What stands in each summary of a ledger that does not hold.
#[derive(Serialize)]
struct Blame {
    /// None where it is no single entry, as where the last ones are missing.
    first_bad_entry: Option<u64>,
}

/// The summary of a ledger of which nothing could be read that counts.
fn unaudited(failure: &Failure) -> Value {
    let Fault { code, detail, .. } = failure.clone().into();
    json!({
        "event": "summary", "entries": null, "valid": false, "head": null,
        "first_bad_entry": null, "why": detail, "code": code,
    })
}

/// How much of a ledger is audited.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Extent {
    /// Only what came since the last audit.
    only_new: bool,
    /// The signatures of all older heads.
    every_head: bool,
}

/// Holds the journal against everything that is known of it.
pub(super) fn audit(
    config: &Config,
    Extent { only_new, every_head }: Extent,
    context: &Context,
) -> Result<Verification, Failure> {
    let authorities = pki::read_certificates(&config.authority.certificate).ok();
    let audit = Audit {
        station: Some(config.station.id.clone()),
        authorities: authorities.iter().flatten().map(|der| pki::fingerprint_of(der)).collect(),
        certified: from_config::certified_by_own_ca(config),
        expected_key: expected_key(config, context)?,
        anchor: config.ledger.anchor.clone(),
        // What came since the last audit is little.
        every_head: every_head || only_new,
        file: FileCheck::Whole,
        skip_tables: false,
        beside_a_line: false,
        only_new,
        noted_at: Some(config.station.data_dir.join(ledger::AUDITED_FILE)),
    };
    let verify = || ledger::verify(&config.station.data_dir, &Verifier, &audit);
    Ok(context.watching(verify)?)
}

fn say_verdict(verification: &Verification, context: &mut Context) -> Result<Exit, Failure> {
    if context.out.is_json() {
        let first_bad_entry = verification.first_bad_entry;
        let blame = (!verification.valid).then_some(Blame { first_bad_entry });
        context.out.json(&Summary { event: "summary", verification, blame })?;
    }
    match &verification.why {
        None => {
            if !context.out.is_json() {
                say_valid(verification, context)?;
            }
            Ok(Exit::Done)
        }
        Some(why) => {
            let code = verification.code.unwrap_or(Code::LedgerJournal);
            let (english, chinese) = (why.clone(), verification.why_zh.clone());
            let chinese = chinese.unwrap_or_default();
            Failure::said(code, Say { english, chinese }).print(context.color);
            // Whatever the code, what was asked for is whether the ledger verifies.
            Ok(Exit::Ledger)
        }
    }
}

fn say_valid(verification: &Verification, context: &mut Context) -> Result<(), Failure> {
    let Verification { entries, head, remarks, .. } = verification;
    let before = verification.verified_before;
    let before =
        before.map(|last| say!(", up to {last} verified before", "，到第 {last} 条为止以前已核对"));
    context.out.say(
        &say!("{entries} entries hold", "{entries} 条记录核对通过")
            .with(&before.unwrap_or_default())
            .with(&say!(", head {head}", "，日志头 {head}")),
    )?;
    if let (Some(station), Some(instance)) = (&verification.station, &verification.instance) {
        let heads = verification.heads;
        context.out.say(&say!(
            "station {station}, instance {instance}, {heads} signed heads",
            "站 {station}，实例 {instance}，签名的头 {heads} 个"
        ))?;
    }
    remarks.iter().try_for_each(|remark| context.out.say(&say!("note", "注意").then(remark)))
}

/// The journal key as the CA certified it; without the CA's certificate at hand, or
/// before the first line start, the ledger is held against the key that it names itself.
fn expected_key(config: &Config, context: &Context) -> Result<Option<PublicKey>, Failure> {
    let Ok(reader) = Reader::open(&config.station.data_dir, Some(&config.station.id)) else {
        // What is wrong with it is told by the audit itself.
        return Ok(None);
    };
    let Ok(authorities) = pki::read_certificates(&config.authority.certificate) else {
        return Ok(None);
    };
    let certificates = reader.journal_certificates().unwrap_or_default();
    let certified = from_config::certified_keys(&reader, &authorities, &config.station.id);
    let key = certified.unwrap_or_default().into_iter().next();
    if key.is_none() && !certificates.is_empty() && context.global.verbose > 0 {
        tracing::info!("this CA certified no journal key of this station");
    }
    Ok(key)
}

fn check(config: &Config, context: &mut Context) -> Result<(), Failure> {
    let entries = ledger::check(&config.station.data_dir)?;
    match context.out.is_json() {
        true => context.out.json(&json!({ "valid": true, "entries": entries })),
        false => {
            let what =
                say!("no damage found; {entries} entries", "没有发现损坏，共 {entries} 条记录");
            context.out.say(&what)
        }
    }
}

fn backup(config: &Config, file: &Path, context: &mut Context) -> Result<(), Failure> {
    let reader = Reader::open(&config.station.data_dir, Some(&config.station.id))?;
    let entries = context.watching(|| reader.backup(file, &Verifier))?;
    match context.out.is_json() {
        true => context.out.json(&json!({ "written": file, "entries": entries })),
        false => context.out.say(&say!(
            "{entries} entries are in {}; keep journal.key and the journal secret with it, but not \
             in one place",
            "{entries} 条记录已写入 {}；journal.key 和日志口令也要保存，但不要放在同一处",
            file.display()
        )),
    }
}

/// Brings back the backup that was named, or the newest that holds.
fn restore(
    config: &Config,
    from: Option<PathBuf>,
    by: Option<OperatorId>,
    context: &mut Context,
) -> Result<(), Failure> {
    if let Some(from) = &from {
        // Before a journal key is made: what is no backup leaves nothing behind.
        demand_backup(from)?;
    }
    let settings = from_config::ledger_settings(config);
    let key = from_config::journal_key(config)?;
    let clock = context.clock();
    let (now, watched) = (context.now(), &*context);
    let bring = |from: &Path| -> Result<Restored, Failure> {
        let begin = || Restoring::begin(from, &settings, &Verifier);
        let restoring = watched.watching(begin)?;
        for remark in restoring.remarks() {
            shell::warn(&Fault::said(Code::LedgerSegment, remark.clone()), watched.color);
        }
        let ask = |id: &OperatorId| pin_of(config, id);
        people::approve_restore(&restoring.reader()?, by.as_ref(), ask, now)?;
        Ok(restoring.finish(&key, &Verifier, clock.as_ref(), person(by.clone()))?)
    };
    let (file, restored) = match from {
        Some(from) => {
            let restored = bring(&from).map_err(|failure| of_backup(&from, failure))?;
            (from, restored)
        }
        None => newest_that_holds(config, context.color, bring)?,
    };
    let (last, known) = (restored.last_seq, restored.known_seq);
    if context.out.is_json() {
        let line = json!({ "restored": last, "known": known, "from": file, "gap": "open" });
        return context.out.json(&line);
    }
    context.out.say(&say!(
        "{last} entries are restored from {}",
        "已从 {} 恢复 {last} 条记录",
        file.display()
    ))?;
    if let Some(known) = known.filter(|known| *known > last) {
        context.out.say(&say!(
            "entries up to {known} are known to have existed: what they held is lost",
            "已知曾有到第 {known} 条为止的记录：其余内容已丢失"
        ))?;
    }
    context.out.say(&say!(
        "the line is closed until `station sync --full` or `station ledger accept-gap`",
        "产线已关闭，直到运行 `station sync --full` 或 `station ledger accept-gap`"
    ))
}

/// Refuses what never was a copy of a ledger, nor a directory that may hold its segments.
fn demand_backup(from: &Path) -> Result<(), Failure> {
    let is_one = match from.is_dir() {
        true => Ok(true),
        // A copy is read more than once, as no pipe can be.
        false => ledger::is_database(from).map(|is_one| is_one && from.is_file()),
    };
    let what = || say!("{} is no backup", "{} 不是备份", from.display());
    let refused = match is_one {
        Ok(true) => return Ok(()),
        Ok(false) => Failure::said(Code::Input, what()),
        Err(error) => Failure::said(Code::Input, what()).caused_by(&error),
    };
    Err(refused.with_help(say!(
        "name a copy that `station ledger backup` made, or a directory of segments",
        "指定 `station ledger backup` 建立的副本，或日志段所在的目录"
    )))
}

/// A failure of a backup that was named: what is wrong with its contents says nothing about a
/// ledger of the station.
fn of_backup(from: &Path, failure: Failure) -> Failure {
    use Code::{
        LedgerCorrupt, LedgerCut, LedgerJournal, LedgerNewer, LedgerRolledBack, LedgerSchema,
        LedgerStation,
    };
    match failure.code {
        LedgerCorrupt | LedgerJournal | LedgerSchema | LedgerCut | LedgerRolledBack
        | LedgerNewer | LedgerStation => {}
        _ => return failure,
    }
    let Failure { code, what, chinese, causes, .. } = failure;
    let why = Say { english: what, chinese: chinese.unwrap_or_default() };
    let what = say!("{} can't be restored", "{} 无法恢复", from.display()).then(&why);
    let told = Failure { causes, ..Failure::said(code, what) };
    match code {
        // A newer program can restore it.
        LedgerNewer => told,
        _ => told.with_help(say!(
            "nothing was restored; take another backup of this station: `station ledger restore \
             FILE`",
            "什么都没有恢复；换用本站的另一个备份：`station ledger restore FILE`"
        )),
    }
}

/// Tries the backups of `[ledger] backup_dir` from the newest on; one that does not hold is
/// told and passed over.
fn newest_that_holds(
    config: &Config,
    color: bool,
    bring: impl Fn(&Path) -> Result<Restored, Failure>,
) -> Result<(PathBuf, Restored), Failure> {
    let backups = from_config::backups(config);
    let settings = from_config::ledger_settings(config);
    for (_, backup) in backups.to_restore(&Verifier)? {
        // What can't be read is told by the restore itself.
        if ledger::was_left_behind(&backup, &settings, &Verifier).unwrap_or(false) {
            let name = backup.display();
            let what = say!(
                "{name} is of a history that an earlier restore left behind",
                "{name} 属于早先恢复后不再沿用的历史"
            );
            shell::warn(&Fault::said(Code::LedgerBackup, what), color);
            continue;
        }
        match bring(&backup) {
            Ok(restored) => return Ok((backup, restored)),
            Err(error)
                if matches!(
                    error.code,
                    Code::LedgerCorrupt
                        | Code::LedgerJournal
                        | Code::LedgerSchema
                        | Code::LedgerSegment
                ) =>
            {
                let code = error.code;
                let what = say!("{} does not hold", "{} 核对不通过", backup.display());
                let what = what.then(&Fault::from(error).sentence());
                shell::warn(&Fault::said(code, what), color);
            }
            Err(error) => return Err(error),
        }
    }
    let what = say!(
        "no backup of station {} that holds is in {}",
        "{1} 里没有站 {0} 的核对通过的备份",
        config.station.id,
        backups.dir().display()
    );
    Err(Failure::said(Code::LedgerBackup, what).with_help(say!(
        "name a backup on another medium: `station ledger restore FILE`",
        "指定另一介质上的备份：`station ledger restore FILE`"
    )))
}

fn accept_gap(config: &Config, act: LedgerAct, context: &mut Context) -> Result<(), Failure> {
    let (reason, by) = (reason(&act.reason)?, person(act.by));
    let gap = Reader::open(&config.station.data_dir, Some(&config.station.id))?.gap()?;
    let restored_seq = gap.map(|gap| gap.restored_seq);
    if let Some(restored_seq) = restored_seq {
        record(
            config,
            context,
            Record::GapAccepted(GapAccepted { restored_seq, compared: false, reason, by }),
        )?;
    }
    match (context.out.is_json(), restored_seq) {
        (true, seq) => context.out.json(&json!({ "accepted": seq })),
        (false, Some(seq)) => context.out.say(&say!(
            "what the restore of entry {seq} lost is accepted: the line is open",
            "已接受恢复到第 {seq} 条所缺失的记录：产线可以运行"
        )),
        (false, None) => context.out.say(&say!("there is no gap to accept", "没有需要接受的缺失")),
    }
}

/// The reason goes into the note beside the ledger: its journal may be what is wrong.
fn set_aside(config: &Config, act: LedgerAct, context: &mut Context) -> Result<(), Failure> {
    if let Ok(reader) = Reader::open(&config.station.data_dir, Some(&config.station.id)) {
        let ask = |id: &OperatorId| pin_of(config, id);
        people::approve_restore(&reader, act.by.as_ref(), ask, context.now())?;
    }
    let who = act.by.as_ref().map_or("-", |id| id.as_str());
    let uid = person(None).uid;
    let why = format!("{} (by {who}, user {uid})", reason(&act.reason)?);
    let aside = ledger::set_aside(&config.station.data_dir, &why, context.now())?;
    match context.out.is_json() {
        true => context.out.json(&json!({ "set_aside": aside })),
        false => context.out.say(&say!(
            "the ledger is {} now; bring a backup back with `station ledger restore`",
            "账本已移到 {}；用 `station ledger restore` 恢复备份",
            aside.display()
        )),
    }
}

/// The PIN is asked of a reader of its own: no other opens this ledger.
fn reindex(config: &Config, act: LedgerAct, context: &mut Context) -> Result<(), Failure> {
    let reader = Reader::open_to_mend(&config.station.data_dir)?;
    let ask = |id: &OperatorId| pin_of(config, id);
    people::approve_restore(&reader, act.by.as_ref(), ask, context.now())?;
    drop(reader);
    let (reason, by) = (reason(&act.reason)?, person(act.by));
    let (settings, key) = (from_config::ledger_settings(config), from_config::journal_key(config)?);
    let clock = context.clock();
    let rebuilt = ledger::reindex(&settings, &key, &Verifier, clock.as_ref(), reason, by)?;
    let indices = rebuilt.map(|rebuilt| rebuilt.indices);
    match (context.out.is_json(), indices) {
        (true, indices) => context.out.json(&json!({ "rebuilt": indices.unwrap_or_default() })),
        (false, Some(indices)) => {
            let made = say!("made anew", "已重建").then(&Say::same(indices.join(", ")));
            context.out.say(&made)
        }
        (false, None) => {
            context.out.say(&say!("every index holds what it should", "所有索引都正确"))
        }
    }
}

/// The CA's certificate is what counts afterwards: an entry alone could be invented too.
fn vouch(config: &Config, act: LedgerAct, context: &mut Context) -> Result<(), Failure> {
    let (reason, by) = (reason(&act.reason)?, person(act.by));
    let clock = context.clock();
    let authority = from_config::authority(config)?;
    let ledger = from_config::open_existing_ledger(config, &clock)?;
    let key = from_config::journal_key(config)?.public_key();
    let der = authority.certify_journal_key(&key, &config.station.id, context.now())?;
    let record = Record::Vouched(Vouched {
        authority: authority.fingerprint(),
        journal_certificate: to_hex(&der),
        reason,
        by,
    });
    approve(&ledger, &record, config, context)?;
    ledger.writer().record(record).map_err(|refusal| Failure::from(refusal.fault()))?;
    let (instance, authority) = (ledger.instance().to_string(), authority.fingerprint());
    match context.out.is_json() {
        true => context.out.json(&json!({ "vouched": instance, "authority": authority })),
        false => context.out.say(&say!(
            "instance {instance} is this station's own: CA {authority} certified its key",
            "实例 {instance} 属于本站：CA {authority} 已为它的密钥签发证书"
        )),
    }
}
