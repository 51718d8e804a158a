//! A batch's front end: what it asks for, prints and counts.

use std::sync::mpsc;
use std::sync::{Arc, Mutex};

use super::*;
use crate::domain::event::Outcome;

fn scan(text: &str) -> Scan {
    Scan::listed(text, None)
}

fn run(source: Source, heard: Vec<Heard>) -> (Vec<Command>, Ending, String) {
    let commands = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&commands);
    let sink: CommandSink = Box::new(move |command| {
        sink.lock().unwrap().push(command);
        true
    });
    let (sender, receiver) = mpsc::channel();
    for heard in heard {
        sender.send(heard).unwrap();
    }
    drop(sender);
    let (mut out, mut notes) = (Vec::new(), Vec::new());
    let ending = Batch::new(source, sink, Style::Json, &mut out, &mut notes).run(&receiver);
    let commands = commands.lock().unwrap().clone();
    (commands, ending, String::from_utf8(out).unwrap())
}

fn pulled() -> (Arc<Mutex<usize>>, Source) {
    let asked = Arc::new(Mutex::new(0));
    let count = Arc::clone(&asked);
    (asked, Source::Pulled(Box::new(move || *count.lock().unwrap() += 1)))
}

#[test]
fn what_somebody_is_to_do_is_no_line_of_the_units() {
    let slots = ["A", "B"].map(|name| name.parse().unwrap()).to_vec();
    let (_, source) = pulled();
    let (.., out) = run(source, vec![Heard::Line(Event::ToBePulled(slots))]);
    assert_eq!(out, "");
}

#[test]
fn a_file_is_read_only_as_far_as_labels_are_wanted() {
    let (asked, source) = pulled();
    let label = |text| Heard::Label(Label::Scan(scan(text)));
    let heard = vec![Heard::Line(Event::Wanted(2)), label("U1"), label("U2")];
    let (commands, ..) = run(source, heard);
    assert_eq!(commands, [Command::Scan(scan("U1")), Command::Scan(scan("U2"))]);
    assert_eq!(*asked.lock().unwrap(), 2);
}

#[test]
fn the_end_of_the_labels_is_said_once() {
    let (_, source) = pulled();
    let wanted = || Heard::Line(Event::Wanted(1));
    let end = || Heard::Label(Label::End);
    let (commands, ..) = run(source, vec![wanted(), end(), wanted(), end()]);
    assert_eq!(commands, [Command::NoMoreScans]);
}

#[test]
fn labels_that_wait_when_the_source_ends_are_handed_on_before_that_is_said() {
    let label = |text| Heard::Label(Label::Scan(scan(text)));
    let end = Heard::Label(Label::End);
    let wanted = |more| Heard::Line(Event::Wanted(more));
    let heard = vec![label("U1"), label("U2"), end, wanted(1), wanted(1)];
    let (commands, ..) = run(Source::Pushed { ahead: 2 }, heard);
    let scans = ["U1", "U2"].map(|text| Command::Scan(scan(text)));
    assert_eq!(commands, [&scans[..], &[Command::NoMoreScans]].concat());
}

#[test]
fn a_label_that_waits_when_the_line_stops_is_refused() {
    let label = Heard::Label(Label::Scan(scan("U1")));
    let heard = vec![label, Heard::Line(Event::Stopping(None)), Heard::Line(Event::Ended)];
    let (commands, ending, out) = run(Source::Pushed { ahead: 2 }, heard);
    assert_eq!(commands, []);
    assert_eq!(ending.summary.refused, 1);
    assert!(out.contains("U1") && out.contains("E-STOPPED"), "{out}");
}

#[test]
fn a_scanner_may_be_ahead_by_one_label_a_slot() {
    let heard: Vec<_> = ["U1", "U2", "U3"].map(|text| Heard::Label(Label::Scan(scan(text)))).into();
    let (commands, ending, out) = run(Source::Pushed { ahead: 2 }, heard);
    // The line says what is wrong with the third; the others are held until it is gone.
    assert_eq!(commands, [Command::ScanBack(scan("U3"))]);
    assert_eq!(ending.summary.refused, 2, "{out}");
}

#[test]
fn a_unit_on_hold_is_uncertain_to_people_and_nothing_else() {
    let ended = |outcome, uncertain| {
        let fault = Fault::new(Code::DevTimeout, "no answer");
        let unit = UnitReport { outcome, uncertain, ..UnitReport::refused("U1", None, fault) };
        Heard::Line(Event::Unit(Box::new(unit)))
    };
    let heard = vec![
        ended(Outcome::Fail, false),
        ended(Outcome::Fail, true),
        ended(Outcome::Fail, true),
        ended(Outcome::Interrupted, true),
        ended(Outcome::Interrupted, false),
    ];
    let (_, ending, _) = run(Source::Pushed { ahead: 1 }, heard);
    let summary = ending.summary;
    // By their lines, as programs count them.
    assert_eq!((summary.failed, summary.interrupted, summary.uncertain), (3, 2, 3));
    let people = Style::People { color: false, language: crate::text::Language::English };
    assert_eq!(
        people.sum(&summary, 0),
        "0 passed, 1 failed, 1 cut off, 0 refused, 0 proven before, 3 uncertain; 0.000 s"
    );
}

#[test]
fn a_proven_unit_scanned_again_is_not_counted_as_refused() {
    let fault = Fault::new(Code::UnitProven, "proven");
    let unit = UnitReport::refused("U1", None, fault);
    let (_, ending, out) =
        run(Source::Pushed { ahead: 1 }, vec![Heard::Line(Event::Unit(Box::new(unit)))]);
    assert_eq!((ending.summary.already_proven, ending.summary.refused), (1, 0));
    assert!(ending.summary.is_complete());
    assert_eq!(
        out,
        "{\"event\":\"unit\",\"serial\":\"U1\",\"slot\":null,\"outcome\":\"refused\",\
         \"code\":\"E-UNIT-PROVEN\",\"message\":\"proven\",\"duration_ms\":0}\n"
    );
}
