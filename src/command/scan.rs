//! `station scan` and `station config check --label`: what a scan is, without a line.

use std::io::{IsTerminal, Write};

use serde_json::{Map, Value, json};

use super::context::Context;
use crate::app::from_config;
use crate::app::one_scan::OneScan;
use crate::cli::Scan;
use crate::config::{Config, ScannerKind};
use crate::domain::cause::Told;
use crate::domain::device::Fault;
use crate::domain::ids::to_hex;
use crate::domain::say::Say;
use crate::domain::scan::{Aim, Fields, Verdict};
use crate::domain::text::escaped;
use crate::say;
use crate::shell::{self, Exit, Failure};
use crate::text::{Language, remedy, said, told};

pub(super) fn run(scan: &Scan, context: &mut Context) -> Result<Exit, Failure> {
    let config = context.config()?;
    let one = match (&scan.text, &scan.port, &config.scanner.port) {
        (Some(text), ..) => OneScan::of_text(&config.scanner, text),
        (None, Some(port), _) => OneScan::of_port(&config.scanner, port)?,
        (None, None, Some(port)) if config.scanner.kind == ScannerKind::Serial => {
            OneScan::of_port(&config.scanner, &port.to_string())?
        }
        (None, None, _) => {
            if std::io::stdin().is_terminal() && !context.global.quiet {
                hint();
            }
            OneScan::of_keyboard(&config.scanner)?
        }
    };
    tell(&config, &one, context)
}

/// A person who waits for a prompt would wait for ever.
fn hint() {
    // Who can't read it needs none.
    let hint = say!("scan one label; Ctrl-C ends it", "请扫描一张标签；按 Ctrl-C 结束");
    let _ = writeln!(std::io::stderr(), "{}", said(&hint, shell::language()));
}

/// Says what a scan is; exit 1 where it is refused.
pub(super) fn tell(config: &Config, one: &OneScan, context: &mut Context) -> Result<Exit, Failure> {
    if let Some(warning) = &one.warning {
        shell::warn(&Fault::said(warning.code(), warning.sentence()), context.color);
    }
    let rule = from_config::label_rule(config, None)?;
    let verdict = config.scanner.rules.read(&one.text(), &rule);
    let exit = if verdict.outcome.is_ok() { Exit::Done } else { Exit::NotAll };
    match context.out.is_json() {
        true => context.out.json(&as_json(one, &verdict))?,
        false => {
            for (name, value) in in_words(config, one, &verdict) {
                context.out.say(&name.padded(9).with(&value))?;
            }
        }
    }
    Ok(exit)
}

/// Why it is refused, or what it is.
fn message(verdict: &Verdict) -> Result<Say, Fault> {
    match &verdict.outcome {
        Ok(reading) => {
            let (serial, client_id) = (&reading.serial, &reading.client_id);
            let device = reading.hardware.as_ref();
            let device = device.map(|hardware| say!(", device {hardware}", "，设备 {hardware}"));
            Ok(say!("unit {serial}, client id {client_id}", "单元 {serial}，客户端 ID {client_id}")
                .with(&device.unwrap_or_default()))
        }
        Err(unread) => Err(unread.clone().into()),
    }
}

fn as_json(one: &OneScan, verdict: &Verdict) -> Value {
    let (accepted, code, message) = match message(verdict) {
        Ok(message) => (true, None, message.english),
        Err(fault) => (false, Some(fault.code), fault.detail),
    };
    let mut fields = Map::new();
    for (name, value) in verdict.fields.iter() {
        fields.entry(name).or_insert_with(|| Value::from(value));
    }
    json!({
        "event": "scan",
        "bytes": to_hex(&one.bytes),
        "aim": verdict.aim.map(|aim| aim.to_string()),
        "rule": verdict.rule,
        "serial": verdict.serial,
        "fields": fields,
        "verdict": if accepted { "accepted" } else { "refused" },
        "code": code,
        "message": message,
    })
}

fn in_words(config: &Config, one: &OneScan, verdict: &Verdict) -> Vec<(Say, Say)> {
    let form =
        |rule: usize| config.scanner.rules.rules.get(rule - 1).map(|rule| rule.form().as_str());
    let mut lines = vec![
        (say!("bytes", "字节"), Say::same(hexadecimal(&one.bytes))),
        (say!("text", "文本"), Say::same(escaped(&one.text()))),
    ];
    lines.extend(verdict.aim.map(|aim| (Say::same("AIM"), Say::same(in_words_aim(aim)))));
    lines.extend(verdict.rule.map(|rule| {
        let form = form(rule).unwrap_or_default();
        (say!("rule", "规则"), Say::same(format!("{rule} ({form})")))
    }));
    lines.extend(fields(&verdict.fields).map(|field| (say!("field", "字段"), Say::same(field))));
    let serial = verdict.serial.as_ref();
    lines.extend(serial.map(|serial| (say!("serial", "序列号"), Say::same(escaped(serial)))));
    match message(verdict) {
        Ok(message) => lines.push((say!("accepted", "接受"), message)),
        Err(fault) => {
            let [english, chinese] =
                [Language::English, Language::Chinese].map(|language| remedy(fault.code, language));
            let code = Say::same(fault.code.to_string());
            lines.push((say!("refused", "拒绝"), code.then(&told(&fault))));
            lines.push((say!("help", "处理"), say!("{english}", "{chinese}")));
        }
    }
    lines
}

fn fields(fields: &Fields) -> impl Iterator<Item = String> {
    fields.iter().map(|(name, value)| format!("{} = {}", escaped(name), escaped(value)))
}

fn in_words_aim(aim: Aim) -> String {
    match aim.symbology() {
        Some(name) => format!("{aim} ({name})"),
        None => aim.to_string(),
    }
}

/// Bytes by two digits, so that a person can count them.
fn hexadecimal(bytes: &[u8]) -> String {
    let pairs: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    pairs.join(" ")
}
