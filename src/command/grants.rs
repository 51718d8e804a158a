//! `station work-order sign`, `take`, `give-back` and `verify`.

use std::path::Path;

use serde_json::{Value, json};

use super::authority::{refuse_output, write_new};
use super::context::Context;
use super::person::{approve, person};
use crate::app::fleet::{self, Station};
use crate::app::{from_config, grants, named};
use crate::cli::{GiveBack, NewGrant};
use crate::config::Config;
use crate::domain::bounds;
use crate::domain::clock::Timestamp;
use crate::domain::code::Code;
use crate::domain::evidence::{HeadVerifier, SignatureHolds};
use crate::domain::grant::{Grant, GrantGivenBack, GrantNumber, GrantRow, SignedGrant};
use crate::domain::ids::{OperatorId, WorkOrderId};
use crate::domain::record::Record;
use crate::domain::say::Say;
use crate::handoff::grant::{self as file, SignedGivenBack};
use crate::ledger::{Ledger, Reader};
use crate::pki::{self, Verifier};
use crate::say;
use crate::shell::Failure;

/// Signs a grant into a file.
pub(super) fn sign(config: &Config, new: NewGrant, context: &mut Context) -> Result<(), Failure> {
    // Before a passphrase is asked for in vain.
    refuse_output(&new.out)?;
    let now = context.now();
    let valid_until = new.valid_until.unwrap_or_else(|| later(now, new.valid_for));
    let valid_until = Timestamp(valid_until.seconds().saturating_mul(1_000_000));
    if valid_until <= now {
        let what = say!(
            "the grant would have ended at {valid_until}, before it is signed",
            "授权在签署之前就会于 {valid_until} 到期"
        );
        return Err(Failure::said(Code::Usage, what));
    }
    let order_quantity = match new.order_quantity {
        Some(quantity) => quantity,
        None => known_quantity(config, &new.id).unwrap_or(new.quantity),
    };
    if order_quantity < new.quantity {
        let what = say!(
            "the work order wants {order_quantity} units, {} are granted",
            "工单要 {order_quantity} 个单元，授权了 {} 个",
            new.quantity
        );
        return Err(Failure::said(Code::Usage, what));
    }
    let grant = Grant {
        work_order: new.id,
        station: new.station,
        profile: match new.profile {
            Some(profile) => profile,
            None => config.profile_digest()?,
        },
        number: new.number.unwrap_or_else(|| GrantNumber::of_time(now)),
        quantity: new.quantity,
        order_quantity,
        serials: new.serials,
        valid_until,
        // A file has milliseconds.
        made_at: Timestamp(now.0.div_euclid(1_000) * 1_000),
    };
    let signed = grants::order_key(config, now)?.sign(grant)?;
    write_new(&new.out, &file::grant_text(&signed)?)?;
    match context.out.is_json() {
        true => context.out.json(&json!({ "written": new.out, "grant": as_json(&signed.grant) })),
        false => {
            context.out.say(&in_words(&signed.grant))?;
            context.out.say(&say!("signed in {}", "已签署，写入 {}", new.out.display()))
        }
    }
}

fn later(now: Timestamp, by: std::time::Duration) -> Timestamp {
    Timestamp(now.0.saturating_add(i64::try_from(by.as_micros()).unwrap_or(i64::MAX)))
}

/// The quantity of a work order that this machine's own ledger has, where there is one.
fn known_quantity(config: &Config, id: &WorkOrderId) -> Option<u32> {
    let reader = Reader::open(&config.station.data_dir, Some(&config.station.id)).ok()?;
    Some(reader.work_order(id).ok()??.work_order.quantity)
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let bytes = bounds::read_file(path, bounds::GRANT);
    bytes.map_err(|error| {
        Failure::said(Code::Input, say!("{} can't be read", "{} 无法读取", path.display()))
            .caused_by(&error)
    })
}

/// Verifies a grant and puts it into the ledger.
pub(super) fn take(
    config: &Config,
    path: &Path,
    by: Option<OperatorId>,
    context: &mut Context,
) -> Result<WorkOrderId, Failure> {
    take_file(config, &read(path)?, by, context)
}

/// The same with each grant that the fleet has for this station: the work orders of those that
/// are new, and why the first of the others was refused, if one was.
pub(super) fn take_from_fleet(
    config: &Config,
    by: Option<&OperatorId>,
    context: &mut Context,
) -> Result<(Vec<WorkOrderId>, Option<Failure>), Failure> {
    let given = {
        let station = Station::enrolled(config, &context.clock())?;
        fleet::wait(station.client.grants())??
    };
    let (mut taken, mut refused) = (Vec::new(), None);
    for grant in given {
        match take_file(config, grant.file.as_bytes(), by.cloned(), context) {
            Ok(id) => taken.push(id),
            // It was taken before, from here or from a stick.
            Err(failure) if failure.code == Code::GrantTaken => {}
            Err(failure) => refused = refused.or(Some(failure)),
        }
    }
    Ok((taken, refused))
}

fn take_file(
    config: &Config,
    bytes: &[u8],
    by: Option<OperatorId>,
    context: &mut Context,
) -> Result<WorkOrderId, Failure> {
    let signed = file::read_grant(bytes)?;
    let signer = grants::check(config, &signed, context.now())?;
    tracing::info!(number = %signed.grant.number, signer = %signer.name, "a grant holds");
    let (ledger, _) = from_config::open_ledger(config, &context.clock())?;
    let records = grants::records(config, &ledger.reader()?, &signed, &person(by))?;
    write(&ledger, records, config, context)?;
    Ok(signed.grant.work_order)
}

/// Makes records durable that one person asks for at once: the PIN is asked for once.
fn write(
    ledger: &Ledger,
    records: Vec<Record>,
    config: &Config,
    context: &Context,
) -> Result<(), Failure> {
    if let Some(first) = records.first() {
        approve(ledger, first, config, context)?;
    }
    for record in records {
        let done = ledger.writer().record(record);
        done.map_err(|refusal| Failure::from(refusal.fault()))?;
    }
    Ok(())
}

/// Gives back what is left, and writes what stands then.
pub(super) fn give_back(
    config: &Config,
    asked: GiveBack,
    context: &mut Context,
) -> Result<(), Failure> {
    refuse_output(&asked.out)?;
    let ledger = from_config::open_existing_ledger(config, &context.clock())?;
    let reader = ledger.reader()?;
    let records = what_is_left(&reader, &asked)?;
    let given: u32 = records.iter().map(|given| given.quantity).sum();
    write(&ledger, records.into_iter().map(Record::GrantGivenBack).collect(), config, context)?;
    let key = from_config::journal_key(config)?;
    let said = grants::given_back(config, &reader, &key, &asked.id, context.now())?;
    write_new(&asked.out, &file::given_back_text(&said)?)?;
    match context.out.is_json() {
        true => context.out.json(&json!({
            "written": asked.out, "given_back": given, "grants": said.given_back.grants,
        })),
        false => context.out.say(&say!(
            "{given} units of {} are given back; {} says so to who granted them",
            "已退回工单 {} 的 {given} 个单元；{} 向授权方说明",
            asked.id,
            asked.out.display()
        )),
    }
}

fn what_is_left(reader: &Reader, asked: &GiveBack) -> Result<Vec<GrantGivenBack>, Failure> {
    let id = &asked.id;
    if reader.work_order(id)?.is_none() {
        return Err(Failure::said(
            Code::WorkOrderUnknown,
            say!("there is no work order {id}", "没有工单 {id}"),
        ));
    }
    let mut rows = reader.grants(id)?;
    rows.retain(|row| asked.number.is_none_or(|number| row.grant.number == number));
    if rows.is_empty() {
        let what =
            say!("no such grant of work order {id} was taken", "工单 {id} 没有收到这样的授权");
        return Err(Failure::said(Code::GrantNeeded, what));
    }
    let given = |row: &GrantRow| GrantGivenBack {
        work_order: id.clone(),
        number: row.grant.number,
        quantity: asked.quantity.unwrap_or_else(|| row.left()),
        by: person(asked.by.clone()),
    };
    Ok(rows.iter().map(given).filter(|given| given.quantity > 0).collect())
}

/// Verifies a file and says what it holds.
pub(super) fn verify(
    config: &Config,
    path: &Path,
    ca: Option<&Path>,
    context: &mut Context,
) -> Result<(), Failure> {
    let bytes = read(path)?;
    let trusted = match ca {
        Some(path) => named::certificates(path)?,
        None => grants::trusted(config)?,
    };
    match file::is_given_back(&bytes) {
        true => verify_given_back(&file::read_given_back(&bytes)?, config, ca, context),
        false => verify_grant(&file::read_grant(&bytes)?, &trusted, context),
    }
}

fn verify_grant(
    signed: &SignedGrant,
    trusted: &[Vec<u8>],
    context: &mut Context,
) -> Result<(), Failure> {
    let signer = pki::check_grant(signed, trusted, context.now())?;
    match context.out.is_json() {
        true => context.out.json(&json!({
            "valid": true, "signer": signer.name, "grant": as_json(&signed.grant),
        })),
        false => {
            context.out.say(&in_words(&signed.grant))?;
            context.out.say(&say!("signed by {}", "签名人：{}", signer.name))
        }
    }
}

fn verify_given_back(
    signed: &SignedGivenBack,
    config: &Config,
    ca: Option<&Path>,
    context: &mut Context,
) -> Result<(), Failure> {
    let refused = |what: Say| Err(Failure::said(Code::GrantChanged, what));
    let Some(der) = &signed.journal_certificate else {
        return refused(say!(
            "the file has no certificate of the journal key: no line ran before it",
            "文件里没有日志密钥的证书：在它之前没有产线运行过"
        ));
    };
    // The station's own CA signs journal keys, whoever signs order keys.
    let authorities = match ca {
        Some(ca) => named::certificates(ca)?,
        None => pki::read_certificates(&config.authority.certificate)?,
    };
    let key = authorities.iter().find_map(|ca| pki::journal_key_of(der, ca).ok());
    let Some(key) = key else {
        let what = say!(
            "the journal key of what was given back was certified by no CA that is known",
            "所退回内容的日志密钥没有由已知的 CA 签发证书"
        );
        return Err(Failure::said(Code::GrantForeign, what));
    };
    let said = &signed.given_back;
    let holds = Verifier.verify(&key.public_key, &said.signed_bytes(), &signed.signature.0);
    if key.station != said.station || holds != Some(SignatureHolds) {
        return refused(say!(
            "the file does not carry the signature of the station's journal key",
            "文件没有本站日志密钥的签名"
        ));
    }
    if context.out.is_json() {
        return context.out.json(&json!({
            "valid": true, "station": said.station, "work_order": said.work_order,
            "instance": said.instance, "seq": said.seq, "made_at": said.made_at.to_string(),
            "grants": said.grants,
        }));
    }
    let (station, seq) = (&said.station, said.seq);
    context.out.say(&say!(
        "{station} says at entry {seq} of its journal:",
        "站 {station} 在日志第 {seq} 条处说明："
    ))?;
    said.grants.iter().try_for_each(|line| {
        let (number, given_back, quantity) = (line.number, line.given_back, line.quantity);
        let (used, under_way) = (line.used, line.under_way);
        context.out.say(&say!(
            "grant {number}: {given_back} of {quantity} given back, {used} used up, {under_way} \
             under way",
            "授权 {number}：退回 {given_back}/{quantity}，已用 {used}，处理中 {under_way}"
        ))
    })
}

/// A grant as JSON has it.
pub(super) fn as_json(grant: &Grant) -> Value {
    json!({
        "number": grant.number,
        "work_order": grant.work_order,
        "station": grant.station,
        "profile": grant.profile,
        "quantity": grant.quantity,
        "order_quantity": grant.order_quantity,
        "serials": grant.serials,
        "valid_until": grant.valid_until.to_string(),
        "made_at": grant.made_at.to_string(),
    })
}

/// A grant in one sentence.
fn in_words(grant: &Grant) -> Say {
    let Grant { number, station, quantity, order_quantity, work_order, valid_until, .. } = grant;
    say!(
        "grant {number}: station {station} may make {quantity} of the {order_quantity} units of \
         work order {work_order}",
        "授权 {number}：站 {station} 可生产工单 {work_order} 共 {order_quantity} 个单元中的 {quantity} 个"
    )
    .with(&serials_of(grant))
    .with(&say!(" until {valid_until}", "，有效期到 {valid_until}"))
}

/// The serials that a grant is for, where it names any.
fn serials_of(grant: &Grant) -> Say {
    let serials = grant.serials.as_ref();
    serials.map(|serials| say!(", serials {serials}", "，序列号 {serials}")).unwrap_or_default()
}

/// The grants of a work order, with how they stand.
pub(super) fn rows_as_json(rows: &[GrantRow], now: Timestamp) -> Value {
    let row = |row: &GrantRow| {
        let mut value = as_json(&row.grant);
        let expired = row.is_expired(now);
        value["used"] = row.used.into();
        value["under_way"] = row.under_way.into();
        value["given_back"] = row.given_back.into();
        value["left"] = if expired { 0 } else { row.left() }.into();
        value["expired"] = expired.into();
        value
    };
    Value::Array(rows.iter().map(row).collect())
}

/// The same for people, a line each.
pub(super) fn row_in_words(row: &GrantRow, now: Timestamp) -> Say {
    let GrantRow { grant, given_back, used, under_way } = row;
    let Grant { number, quantity, valid_until, .. } = grant;
    let state = match row.is_expired(now) {
        true => say!("; ended {valid_until}", "；已于 {valid_until} 到期"),
        false => say!("; holds until {valid_until}", "；有效期到 {valid_until}"),
    };
    say!(
        "    grant {number}: {used} of {quantity} used up, {under_way} under way, {given_back} \
         given back",
        "    授权 {number}：已用 {used}/{quantity}，处理中 {under_way}，退回 {given_back}"
    )
    .with(&serials_of(grant))
    .with(&state)
}

/// Units that may still begin under these grants.
pub(super) fn left(rows: &[GrantRow], now: Timestamp) -> u64 {
    let valid = rows.iter().filter(|row| !row.is_expired(now));
    valid.map(|row| u64::from(row.left())).sum()
}
