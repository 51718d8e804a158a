//! The second half of a demo: its CA and its units registered with the emulated cloud.

use std::io::{self, Write};

use serde_json::{Map, Value};

use super::super::context::Context;
use super::super::person::person;
use super::super::sync;
use crate::app::enrol;
use crate::app::sync::{Ended, Wanted};
use crate::config::Config;
use crate::domain::code::Code;
use crate::say;
use crate::shell::{Exit, Failure};
use crate::sync::{Event, Summary};

/// Registers the CA and whatever is proven. The last line says what the line made, `made`,
/// and what became of it: whoever reads the last summary of a demo reads all of it.
pub(super) fn run(config: &Config, made: &[u8], context: &mut Context) -> Result<Exit, Failure> {
    let enrolled = enrol::run(config, &context.clock(), person(None))?;
    if !context.out.is_json() {
        let ca_sn = enrolled.ca_sn.0;
        context.out.say(&say!("the cloud knows the CA as {ca_sn}", "CA 已在云端注册为 {ca_sn}"))?;
    }
    let ended = sync::carry_out(config, &Wanted::default(), &person(None), context)?;
    if !context.out.is_json() {
        return sync::conclude(ended, context);
    }
    let Ended { summary, faults, exit } = ended;
    context.out.json(&both(made, summary)?)?;
    for fault in &faults {
        Failure::from(fault).print(context.color);
    }
    Ok(exit)
}

/// One summary of both; each field has one meaning in either, but for the time, which adds up.
fn both(made: &[u8], registered: Summary) -> Result<Map<String, Value>, Failure> {
    let failed = |error: serde_json::Error| {
        Failure::said(Code::Bug, say!("a summary can't be read", "总数无法读取")).caused_by(&error)
    };
    let time = |summary: &Map<String, Value>| summary.get("duration_ms").and_then(Value::as_u64);
    let mut all: Map<String, Value> = serde_json::from_slice(made).map_err(failed)?;
    let registered = serde_json::to_value(Event::Summary(registered)).map_err(failed)?;
    let registered: Map<String, Value> = serde_json::from_value(registered).map_err(failed)?;
    let whole = time(&all).unwrap_or_default() + time(&registered).unwrap_or_default();
    all.extend(registered);
    all.insert("duration_ms".to_owned(), whole.into());
    Ok(all)
}

/// Standard output whose last line is kept.
pub(super) struct LastLine<W> {
    out: W,
    line: Vec<u8>,
    ended: bool,
}

impl<W> LastLine<W> {
    pub(super) fn of(out: W) -> Self {
        Self { out, line: Vec::new(), ended: false }
    }

    /// The last line that was written.
    pub(super) fn line(&self) -> &[u8] {
        &self.line
    }
}

impl<W: Write> Write for LastLine<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        for byte in bytes {
            if std::mem::take(&mut self.ended) {
                self.line.clear();
            }
            match byte {
                b'\n' => self.ended = true,
                byte => self.line.push(*byte),
            }
        }
        self.out.write_all(bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_is_kept_however_it_was_written() {
        let mut out = LastLine::of(Vec::new());
        for part in ["one\ntw", "o\n", "thr", "ee", "\n"] {
            out.write_all(part.as_bytes()).unwrap();
        }
        assert_eq!(out.line(), b"three");
        assert_eq!(out.out, b"one\ntwo\nthree\n");
    }

    #[test]
    fn both_halves_stand_in_one_summary() {
        let made = br#"{"event":"summary","passed":4,"duration_ms":1000}"#;
        let registered = Summary { registered: 4, duration_ms: 300, ..Summary::default() };
        let all = both(made, registered).unwrap();
        assert_eq!((&all["passed"], &all["registered"]), (&4.into(), &4.into()));
        assert_eq!((&all["event"], &all["duration_ms"]), (&"summary".into(), &1300.into()));
    }
}
