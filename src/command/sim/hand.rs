//! `station sim pull`, `put`, `move` and `next`: simulated devices moved by hand.

use std::path::Path;

use serde::Serialize;

use crate::cli::{SimHand, SimMove};
use crate::domain::code::Code;
use crate::say;
use crate::shell::{Exit, Failure};
use crate::sim::{self, ControlError, Order, UnitId};

use super::super::context::Context;

/// A device that was moved.
#[derive(Serialize)]
struct Moved<'a> {
    event: &'static str,
    act: &'static str,
    link: &'a str,
    of: &'a str,
    unit: u32,
}

pub(super) fn pull(hand: &SimHand, context: &mut Context) -> Result<Exit, Failure> {
    let unit = tell(&hand.link, &Order::Pull)?;
    say("pull", &hand.link, &unit, true, context)
}

pub(super) fn put(hand: &SimHand, context: &mut Context) -> Result<Exit, Failure> {
    let unit = tell(&hand.link, &Order::Put)?;
    say("put", &hand.link, &unit, false, context)
}

pub(super) fn next(hand: &SimHand, context: &mut Context) -> Result<Exit, Failure> {
    let unit = tell(&hand.link, &Order::Next)?;
    say("next", &hand.link, &unit, false, context)
}

pub(super) fn carry(moved: &SimMove, context: &mut Context) -> Result<Exit, Failure> {
    // The simulator may have another working directory.
    let to = std::path::absolute(&moved.to).map_err(|error| {
        Failure::said(Code::Usage, say!("TO is no path", "TO 不是路径")).caused_by(&error)
    })?;
    let unit = tell(&moved.from, &Order::Move(to))?;
    say("move", &moved.to, &unit, false, context)
}

fn tell(link: &Path, order: &Order) -> Result<UnitId, Failure> {
    sim::tell(link, order).map_err(|error| {
        let (code, help) = match &error {
            ControlError::Refused(_) => {
                let help = say!(
                    "`station sim pull --help` says where devices lie",
                    "`station sim pull --help` 说明设备放在哪里"
                );
                (Code::Usage, help)
            }
            ControlError::Nobody { .. } | ControlError::Silent { .. } => (
                Code::PortOpen,
                say!(
                    "start `station sim device --link LINK` first, and name the same link",
                    "先启动 `station sim device --link LINK`，并用同一个链接"
                ),
            ),
        };
        Failure::told(code, &error).with_help(help)
    })
}

fn say(
    act: &'static str,
    link: &Path,
    unit: &UnitId,
    is_out: bool,
    context: &mut Context,
) -> Result<Exit, Failure> {
    let link = link.to_string_lossy();
    let UnitId { home, number } = unit;
    if context.out.is_json() {
        let of = home.as_str();
        context.out.json(&Moved { event: "moved", act, link: &link, of, unit: *number })?;
    } else {
        context.out.say(&match is_out {
            true => say!(
                "device {number} of {home} was taken out of {link}",
                "已从 {link} 取出 {home} 的设备 {number}"
            ),
            false => say!(
                "device {number} of {home} was put into {link}",
                "已把 {home} 的设备 {number} 放入 {link}"
            ),
        })?;
    }
    Ok(Exit::Done)
}
