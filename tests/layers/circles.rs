//! No two files import each other, straight or in a circle; and inside the larger modules
//! each room uses those that stand before it in [`ROOMS`].

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use super::imports::{Imports, Sources};
use super::root;

/// Inside a module, its rooms: each may use those before it, and none behind it. Whoever comes
/// into the module from outside goes through its `mod.rs`, which stands over all of them.
const ROOMS: &[(&str, &[&str])] = &[
    (
        "ledger",
        &[
            "error", "tables", "keep", "journal", "segment", "apply", "decide", "settings", "ask",
            "audit", "write", "backup", "open", "mend", "tests",
        ],
    ),
    (
        "link",
        &[
            "error",
            "stop",
            "settings",
            "discovery",
            "permission",
            "readback",
            "test_line",
            "port",
            "scanner",
            "driver",
            "presence",
        ],
    ),
    (
        "tui",
        &[
            "mouse", "theme", "keymap", "layout", "msg", "model", "input", "view", "update",
            "screen", "tests",
        ],
    ),
    (
        "sim",
        &[
            // What is wrong with a device, and what crosses its line.
            "error",
            "schedule",
            "lane",
            "stop",
            "dice",
            "mishap",
            "transcript",
            "sayings",
            "fault",
            "preloaded",
            "timings",
            "progress",
            "line",
            "pty",
            "foreign",
            // A device, and what it is taken from.
            "flash",
            "firmware",
            "conversation",
            "lies",
            "device",
            "held",
            "unit",
            "hands",
            "options",
            "making",
            // A slot, and who works it.
            "control",
            "relay",
            "slot",
            "wire",
            "program",
            "esp",
            "modem",
            "tests",
            // These have no device.
            "sight",
            "cloud",
        ],
    ),
];

/// Sets of files each of which leads to every other, in the order of their names.
fn circles(imports: &Imports) -> Vec<Vec<String>> {
    let reached: BTreeMap<&Vec<String>, BTreeSet<&Vec<String>>> =
        imports.keys().map(|file| (file, reached_from(imports, file))).collect();
    let mut found = BTreeSet::new();
    for (file, from_here) in &reached {
        let back = |other: &&Vec<String>| reached[*other].contains(*file);
        let circle: BTreeSet<String> =
            from_here.iter().copied().filter(back).map(|file| file.join("::")).collect();
        if !circle.is_empty() {
            found.insert(circle.into_iter().collect::<Vec<_>>());
        }
    }
    found.into_iter().collect()
}

fn reached_from<'a>(imports: &'a Imports, file: &'a Vec<String>) -> BTreeSet<&'a Vec<String>> {
    let mut reached = BTreeSet::new();
    let mut ahead: Vec<&Vec<String>> = vec![file];
    while let Some(next) = ahead.pop() {
        for to in &imports[next] {
            if reached.insert(to) {
                ahead.push(to);
            }
        }
    }
    reached
}

/// Imports that lead from a room to one behind it, and files that stand in no room.
fn upwards(imports: &Imports, module: &str, rooms: &[&str]) -> Vec<String> {
    let floor = |file: &[String]| match file {
        [first, room, ..] if first == module => rooms.iter().position(|known| known == room),
        _ => None,
    };
    let mut wrong = Vec::new();
    for (file, to) in
        imports.iter().filter(|(file, _)| file[..].first().is_some_and(|first| first == module))
    {
        let Some(here) = floor(file) else {
            if file.len() > 1 {
                wrong.push(format!("{} stands in no room of {module}", file.join("::")));
            }
            continue;
        };
        let above = to.iter().filter(|to| floor(to).is_some_and(|there| there > here));
        wrong.extend(above.map(|to| format!("{} uses {}", file.join("::"), to.join("::"))));
    }
    wrong
}

/// The imports of the station and of the firmware's interface.
static ALL: LazyLock<[Imports; 2]> = LazyLock::new(|| {
    ["src", "firmware-interface/src"].map(|src| Sources::below(&root().join(src)).imports())
});

/// A circle's imports, one a line, so that one sees which to turn round.
fn told(imports: &Imports, circle: &[String]) -> String {
    let mut lines = Vec::new();
    for (file, to) in imports {
        let inside = |other: &&Vec<String>| circle.contains(&other.join("::"));
        if !inside(&file) {
            continue;
        }
        lines.extend(
            to.iter()
                .filter(inside)
                .map(|to| format!("{} uses {}", file.join("::"), to.join("::"))),
        );
    }
    lines.join("\n")
}

#[test]
fn no_two_files_import_each_other_straight_or_in_a_circle() {
    let of = |imports| circles(imports).into_iter().map(|circle| told(imports, &circle));
    let found: Vec<String> = ALL.iter().flat_map(of).collect();
    assert!(found.is_empty(), "{} circles:\n\n{}", found.len(), found.join("\n\n"));
}

#[test]
fn every_room_uses_only_those_before_it() {
    let wrong: Vec<String> =
        ROOMS.iter().flat_map(|(module, rooms)| upwards(&ALL[0], module, rooms)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The circles of files that hold this.
fn found_in(files: &[(&str, &str)]) -> Vec<String> {
    circles(&Sources::of(files).imports()).into_iter().map(|circle| circle.join(", ")).collect()
}

#[test]
fn a_circle_is_found_however_the_import_is_written() {
    for back in [
        "use super::a::A;",
        "use crate::m::a::A;",
        "use super::{a, c};",
        "use super::a; fn f() { a::f() }",
        "fn f() { super::a::f() }",
        "fn f() -> crate::m::a::A { todo!() }",
        "fn f() { println!(\"{}\", crate::m::a::NAME) }",
        "macro_rules! m { () => { $crate::m::a::f() } }",
        "use crate::m; fn f() { m::a::f() }",
        "use crate::m as n; fn f() { n::a::f() }",
        "pub use super::a::A;",
        "mod inner { use super::super::a::A; }",
    ] {
        let files = [
            ("m", "mod a; mod b; mod c;"),
            ("m::a", "use super::b::B;"),
            ("m::b", back),
            ("m::c", ""),
        ];
        assert_eq!(found_in(&files), ["m::a, m::b"], "{back}");
    }
}

#[test]
fn a_circle_over_three_files_and_one_through_the_parent_are_found() {
    let three = [("a", "use crate::b::B;"), ("b", "use crate::c::C;"), ("c", "use crate::a::A;")];
    assert_eq!(found_in(&three), ["a, b, c"]);
    let parent = [("m", "mod a; use a::A;"), ("m::a", "use super::M;")];
    assert_eq!(found_in(&parent), ["m, m::a"]);
}

#[test]
fn what_is_no_circle_is_not_found() {
    let files = [
        ("m", "mod a; mod b; pub use a::A; pub use b::B;"),
        ("m::a", "use super::b::B; mod tests { use super::*; }"),
        ("m::b", "use std::a::A; fn f() { other::a::f(); self::g() }"),
    ];
    assert_eq!(found_in(&files), [""; 0]);
}

#[test]
fn an_import_from_a_lower_room_to_a_higher_one_is_found() {
    let files =
        [("m", "pub use b::B;"), ("m::a", "use super::b::x::B;"), ("m::b::x", ""), ("m::z", "")];
    let wrong = upwards(&Sources::of(&files).imports(), "m", &["a", "b"]);
    assert_eq!(wrong, ["m::a uses m::b::x", "m::z stands in no room of m"]);
}
