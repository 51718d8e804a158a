//! A device is pulled out at a frame of its unit, and put back: the unit is finished, once.

use std::time::Duration;

use serde_json::Value;

use super::bench::{Bench, Port, Slot};
use super::guest::LONG;

/// How many frames are tried where not all of them are.
const FEW: usize = 5;

pub(crate) fn an_adapter_at_few_frames(bench: &mut Bench) {
    pull(bench, Port::Adapter, FEW);
}

pub(crate) fn an_adapter_at_each_frame(bench: &mut Bench) {
    pull(bench, Port::Adapter, usize::MAX);
}

pub(crate) fn a_board_at_few_frames(bench: &mut Bench) {
    pull(bench, Port::Board, FEW);
}

pub(crate) fn a_board_at_each_frame(bench: &mut Bench) {
    pull(bench, Port::Board, usize::MAX);
}

/// Whose port stays, since it is the PC's own: the device goes from its line.
pub(crate) fn a_uart_s_device_at_each_frame(bench: &mut Bench) {
    pull(bench, Port::Uart, usize::MAX);
}

/// Pulls at so many frames of a unit, evenly from the first to the last.
fn pull(bench: &mut Bench, port: Port, most: usize) {
    let presence = if port == Port::Uart { "poll" } else { "port" };
    bench.configure(&[Slot::at(port).with(&format!("presence = \"{presence}\""))]);
    bench.devices(port);
    bench.begin();
    bench.wire(port).count();
    let label = bench.serial();
    bench.scan(&label);
    let first = bench.unit();
    assert_eq!(first["outcome"], "pass", "{first}");
    let frames = bench.wire(port).frames();
    assert!(frames >= 20, "a unit has {frames} frames");
    let tried = most.min(frames);
    let mut serials = vec![label];
    for number in 1..=tried {
        let frame = number * frames / tried;
        let serial = bench.serial();
        let story = pulled_at(bench, port, frame, &serial);
        println!("  {} frame {frame}: {story}", port.name());
        serials.push(serial);
    }
    bench.finish();
    bench.verify();
    assert_each_is_proven_once(bench, &serials);
}

/// One unit whose device is pulled at that frame; at which, and how it ended until it passed.
fn pulled_at(bench: &mut Bench, port: Port, frame: usize, serial: &str) -> String {
    if port == Port::Adapter {
        bench.pull_adapter();
    }
    bench.take_away(port.name());
    bench.wire(port).cut_at(frame);
    bench.scan(serial);
    bench.put_next(port.name());
    if port == Port::Adapter {
        bench.put_adapter_back();
    }
    let cut = bench.wire(port).was_cut(LONG);
    let mut story = vec![cut.unwrap_or_else(|| panic!("no frame {frame}"))];
    out(bench, port);
    bench.wire(port).mend();
    // A port that goes is seen to go at once; behind one that stays there is silence, and whoever
    // waits there longest has the unit end before the device is back.
    let mut is_back = port != Port::Uart;
    if is_back {
        back(bench, port);
    }
    loop {
        let unit = bench.unit();
        if !is_back {
            bench.wire(port).wait_for_silence();
            back(bench, port);
            is_back = true;
        }
        if unit["serial"] != serial {
            // The scan of a unit that its device had brought back by itself.
            assert_eq!(unit["outcome"], "refused", "{unit}");
            continue;
        }
        let said = said(&unit);
        if story.last() != Some(&said) {
            story.push(said);
        }
        if unit["outcome"] == "pass" {
            return story.join(", ");
        }
        // Scanned before its device was seen again. An uncertain unit is brought back by its
        // device; one that is proven and did not finish waits for its label.
        match unit["code"].as_str().unwrap_or_default() {
            "E-UNIT-ELSEWHERE" => continue,
            "E-UNIT-PROVEN" => {}
            // Nobody answers: the code says at what. Gone before its unit began, it was never seen.
            "E-SCAN-NO-DEVICE" if port == Port::Uart => {}
            code if port == Port::Uart => assert!(code.starts_with("E-DEV-"), "{unit}"),
            code => assert_eq!(code, "E-DEV-UNPLUGGED", "{unit}"),
        }
        bench.scan(serial);
    }
}

fn out(bench: &mut Bench, port: Port) {
    match port {
        Port::Board | Port::Uart => bench.take_out(port.name()),
        _ => bench.pull_adapter(),
    }
}

fn back(bench: &mut Bench, port: Port) {
    match port {
        Port::Board | Port::Uart => bench.put_back(port.name()),
        _ => bench.put_adapter_back(),
    }
}

fn said(unit: &Value) -> String {
    let word = |name: &str| unit[name].as_str().unwrap_or_default().to_owned();
    let took = Duration::from_millis(unit["duration_ms"].as_u64().unwrap_or_default());
    match unit["outcome"].as_str() {
        Some("pass") => format!("pass after {took:?}"),
        _ => format!("{} {} at {}", word("outcome"), word("code"), word("step")),
    }
}

/// Whatever was begun meanwhile, one certificate of each unit counts.
fn assert_each_is_proven_once(bench: &mut Bench, serials: &[String]) {
    for serial in serials {
        let said = bench.station(&format!("--json unit show {serial}")).expect(0);
        let unit: Value = serde_json::from_str(&said).unwrap();
        assert_eq!(unit["state"], "proven", "{unit}");
        let states: Vec<_> =
            unit["certificates"].as_array().unwrap().iter().map(|one| &one["state"]).collect();
        let proven = states.iter().filter(|state| **state == "proven").count();
        let void = states.iter().filter(|state| **state == "void").count();
        assert_eq!((proven, proven + void), (1, states.len()), "{serial}: {states:?}");
    }
}
