//! `station ledger segments …`: pieces of a journal, read where no ledger is.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::context::Context;
use crate::app::named;
use crate::cli::SegmentsCommand;
use crate::domain::code::Code;
use crate::domain::ids::PublicKey;
use crate::domain::say::Say;
use crate::ledger::segments::{self, SegmentEntry, SegmentHeader};
use crate::pki::{self, Verifier};
use crate::say;
use crate::shell::{Exit, Failure};

/// Does what `station ledger segments …` says.
pub(super) fn run(command: SegmentsCommand, context: &mut Context) -> Result<Exit, Failure> {
    match command {
        SegmentsCommand::List { files } => list(&files, context)?,
        SegmentsCommand::Show { file } => show(&file, context)?,
        SegmentsCommand::Verify { files, ca, part } => {
            return verify(&files, ca.as_deref(), part, context);
        }
    }
    Ok(Exit::Done)
}

fn list(files: &[PathBuf], context: &mut Context) -> Result<(), Failure> {
    for file in segments::files(files)? {
        let header = segments::header(&file)?;
        say_header(&file, &header, context)?;
    }
    Ok(())
}

fn say_header(file: &Path, header: &SegmentHeader, context: &mut Context) -> Result<(), Failure> {
    let (first, last) = header.entries();
    let (station, instance) = (header.station(), header.instance().to_string());
    match context.out.is_json() {
        true => context.out.json(&json!({
            "event": "segment", "file": file, "station": station, "instance": instance,
            "first": first, "last": last, "head": header.head().to_string(), "key": header.key(),
        })),
        false => context.out.say(&Say::same(file.display().to_string()).then(&say!(
            "entries {first} to {last} of station {station}, instance {instance}",
            "站 {station} 的第 {first} 到 {last} 条，实例 {instance}"
        ))),
    }
}

fn show(file: &Path, context: &mut Context) -> Result<(), Failure> {
    let header = segments::header(file)?;
    say_header(file, &header, context)?;
    // What was printed counts only when the whole held, which is told at the end.
    let mut printed = Ok(());
    segments::read(file, &Verifier, |entry| {
        if printed.is_ok() {
            printed = say_entry(&entry, context);
        }
    })?;
    printed
}

fn say_entry(entry: &SegmentEntry, context: &mut Context) -> Result<(), Failure> {
    let SegmentEntry { seq, at, kind, payload } = entry;
    match context.out.is_json() {
        true => {
            let payload: Value = serde_json::from_slice(payload).unwrap_or_default();
            let line = json!({
                "event": "entry", "seq": seq, "at": at.to_string(), "kind": kind,
                "payload": payload,
            });
            context.out.json(&line)
        }
        false => {
            let payload = String::from_utf8_lossy(payload);
            context.out.line(format!("{seq} {at} {kind} {payload}"))
        }
    }
}

/// A chain of segments that holds: how many they are, the first and the last.
struct Held {
    count: u64,
    first: SegmentHeader,
    last: SegmentHeader,
}

fn verify(
    files: &[PathBuf],
    ca: Option<&Path>,
    part: bool,
    context: &mut Context,
) -> Result<Exit, Failure> {
    let authorities = match ca {
        Some(ca) => named::certificates(ca)?,
        None => {
            let config = context.config().map_err(or_name_the_ca)?;
            pki::read_certificates(&config.authority.certificate)?
        }
    };
    let mut held = None;
    let found = context.watching(|| verify_all(files, &authorities, part, &mut held));
    if found.is_ok() && held.is_none() {
        // Where nothing was looked at, there is no verdict.
        let names: Vec<_> = files.iter().map(|file| file.display().to_string()).collect();
        let what = say!("there are no segments in {}", "{} 里没有日志段", names.join(", "));
        return Err(Failure::said(Code::Input, what));
    }
    if context.out.is_json() {
        context.out.json(&summary(held.as_ref(), found.as_ref().err()))?;
    }
    match found {
        Err(failure) => {
            failure.print(context.color);
            Ok(Exit::Ledger)
        }
        Ok(()) => {
            if !context.out.is_json() {
                held.iter().try_for_each(|held| say_held(held, context))?;
            }
            Ok(Exit::Done)
        }
    }
}

fn summary(held: Option<&Held>, failure: Option<&Failure>) -> Value {
    let last = held.map(|held| &held.last);
    json!({
        "event": "summary", "segments": held.map_or(0, |held| held.count),
        "valid": failure.is_none(),
        "station": last.map(SegmentHeader::station),
        "instance": last.map(|last| last.instance().to_string()),
        "first": held.map(|held| held.first.entries().0), "last": last.map(|last| last.entries().1),
        "head": last.map(|last| last.head().to_string()),
        "code": failure.map(|failure| failure.code), "why": failure.map(ToString::to_string),
    })
}

fn say_held(held: &Held, context: &mut Context) -> Result<(), Failure> {
    let Held { count, first, last } = held;
    let (first, end) = (first.entries().0, last.entries().1);
    context.out.say(&say!(
        "{count} segments hold, entries {first} to {end}",
        "{count} 个日志段核对通过，第 {first} 到 {end} 条"
    ))?;
    let (station, instance, head) = (last.station(), last.instance(), last.head());
    context.out.say(&say!(
        "station {station}, instance {instance}, head {head}",
        "站 {station}，实例 {instance}，日志头 {head}"
    ))
}

/// Where there is no station.toml, the CA's certificate is all that is missing.
fn or_name_the_ca(failure: Failure) -> Failure {
    if failure.code != Code::ConfigMissing {
        return failure;
    }
    let name_it = say!(
        "name the CA's certificate with `--ca PEM`, and no station.toml is needed",
        "用 `--ca PEM` 指定 CA 证书，就不需要 station.toml"
    );
    let known = failure.help.as_deref().cloned();
    let all: Vec<Say> = std::iter::once(name_it).chain(known).collect();
    failure.with_help(Say::all(&all))
}

fn verify_all(
    files: &[PathBuf],
    authorities: &[Vec<u8>],
    part: bool,
    held: &mut Option<Held>,
) -> Result<(), Failure> {
    for (file, expected) in segments::in_order(&segments::files(files)?)? {
        let header = segments::read(&file, &Verifier, |_| ())?;
        if header != expected {
            return Err(bad(&file, &say!("it was changed while it was read", "读取时它被改动")));
        }
        follows(&file, held.as_ref().map(|held| &held.last), &header, part)?;
        if !is_certified(&header, authorities) {
            let key = header.key();
            return Err(bad(
                &file,
                &say!(
                    "this CA certified no journal key {key} of it",
                    "这个 CA 没有为它的日志密钥 {key} 签发证书"
                ),
            ));
        }
        *held = Some(match held.take() {
            None => Held { count: 1, first: header.clone(), last: header },
            Some(held) => Held { count: held.count + 1, last: header, ..held },
        });
    }
    Ok(())
}

/// Whether a segment continues the one before it, by hash.
fn follows(
    file: &Path,
    before: Option<&SegmentHeader>,
    next: &SegmentHeader,
    part: bool,
) -> Result<(), Failure> {
    let (first, end) = (next.entries().0, before.map_or(0, |before| before.entries().1));
    let foreign = before.is_some_and(|before| {
        (before.station(), before.instance()) != (next.station(), next.instance())
    });
    match before {
        _ if foreign => Err(bad(
            file,
            &say!("it is of another station, or of another ledger", "它属于另一个站或另一个账本"),
        )),
        None if part => Ok(()),
        _ if first > end + 1 => Err(bad(
            file,
            &say!(
                "entries {} to {} before it are missing",
                "它前面的第 {} 到 {} 条缺失",
                end + 1,
                first - 1
            ),
        )),
        _ if first <= end => Err(bad(
            file,
            &say!(
                "its entries from {first} on stand in another segment too",
                "它从第 {first} 条起的记录也在另一个日志段里"
            ),
        )),
        _ if !next.continues(before) => Err(bad(
            file,
            &say!(
                "it is of another history: it does not continue the one before it",
                "它属于另一份历史：接不上前一段"
            ),
        )),
        _ => Ok(()),
    }
}

fn is_certified(header: &SegmentHeader, authorities: &[Vec<u8>]) -> bool {
    let certified = |ca: &Vec<u8>| -> Option<PublicKey> {
        let found = pki::journal_key_of(header.certificate()?, ca).ok()?;
        (found.station == *header.station()).then_some(found.public_key)
    };
    authorities.iter().any(|ca| certified(ca) == Some(header.key()))
}

fn bad(file: &Path, why: &Say) -> Failure {
    Failure::said(Code::LedgerSegment, Say::same(file.display().to_string()).then(why))
}
