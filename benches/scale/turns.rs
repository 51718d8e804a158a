//! An older build of the program and this one verify the same journal, taking turns.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use super::line::STATION;
use super::older::{BEFORE_ONCE, FIRST, make_older};

/// How often each verifies; the median is told.
const ROUNDS: usize = 5;

/// Lets them take turns. The older program gets a copy in a schema that it knows: its journal
/// is the same, byte for byte.
pub(crate) fn take(config: &Path, data: &Path, other: &Path) {
    let copy = data.with_file_name("older");
    let before = config_of_before(config);
    let known = (FIRST..=BEFORE_ONCE).rev().find(|schema| {
        copied(data, &copy);
        make_older(&copy.join("ledger.db"), *schema);
        verify(other, &before, &copy).is_some()
    });
    let Some(known) = known else { return println!("{} verifies no schema", other.display()) };
    println!("{} verifies schema {known}", other.display());
    let (mut old, mut new) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        old.push(verify(other, &before, &copy).unwrap());
        new.push(verify(Path::new(STATION), config, data).unwrap());
    }
    let median = |times: &mut Vec<f64>| {
        times.sort_by(f64::total_cmp);
        times[ROUNDS / 2]
    };
    let (old, new) = (median(&mut old), median(&mut new));
    println!("ledger verify: {old:.2} s and {new:.2} s, {:.1} times as fast", old / new);
}

/// The station's settings without the sections that came after the program that measured them
/// first, and which it would refuse as unknown.
fn config_of_before(config: &Path) -> PathBuf {
    let mut known: toml::Table = fs::read_to_string(config).unwrap().parse().unwrap();
    known.remove("label");
    let path = config.with_file_name("older.toml");
    fs::write(&path, known.to_string()).unwrap();
    path
}

/// A copy of a data directory.
fn copied(from: &Path, to: &Path) {
    let _ = fs::remove_dir_all(to);
    fs::create_dir(to).unwrap();
    let files = fs::read_dir(from).unwrap().map(|file| file.unwrap().path());
    for file in files.filter(|file| file.is_file()) {
        let name: PathBuf = file.file_name().unwrap().into();
        fs::copy(&file, to.join(name)).unwrap();
    }
}

/// Seconds of one `ledger verify`; none where it does not hold.
fn verify(program: &Path, config: &Path, data: &Path) -> Option<f64> {
    let mut command = Command::new(program);
    command.arg("--config").arg(config).arg("--data-dir").arg(data).args(["ledger", "verify"]);
    let begun = Instant::now();
    let output = command.output().unwrap();
    if !output.status.success() {
        // A schema that it does not know yet, or why none is taken.
        print!("{}", String::from_utf8_lossy(&output.stderr));
    }
    output.status.success().then(|| begun.elapsed().as_secs_f64())
}
