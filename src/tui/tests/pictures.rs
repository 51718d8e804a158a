//! The pictures of `docs/operator.md` are what the screen draws: those of the walks, which share
//! a work order, stand line by line in the frozen pictures beside this file. The others were
//! taken from a demo, whose numbers differ each time.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

const OF_A_WALK: &str = "WO-1042";

fn drawn() -> BTreeSet<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/snapshots");
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let texts = files.map(|path| fs::read_to_string(path).unwrap());
    texts
        .flat_map(|text| text.lines().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>())
        .collect()
}

#[test]
fn the_pictures_of_the_operator_s_page_are_what_the_screen_draws() {
    let drawn = drawn();
    let page = include_str!("../../../docs/operator.md");
    let pictures = page.split("```text\n").skip(1).filter_map(|rest| rest.split("```").next());
    let of_walks: Vec<&str> = pictures.filter(|picture| picture.contains(OF_A_WALK)).collect();
    assert!(of_walks.len() > 10, "only {} pictures", of_walks.len());
    for line in of_walks.iter().flat_map(|picture| picture.lines()).map(str::trim_end) {
        assert!(line.is_empty() || drawn.contains(line), "no screen draws this line:\n{line}");
    }
}
