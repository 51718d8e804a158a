//! Segments that a line wrote, read by people who have neither its ledger nor its station.

use std::fs;
use std::path::PathBuf;

use super::support::LONG;
use super::support::factory::{Factory, Plan, label, station};
use super::support::process::Process;

/// A line that wrote so many segments while it worked; where they lie.
fn written(factory: &Factory, count: usize) -> Vec<PathBuf> {
    let mut batch = factory.start(&["batch", "--serials", "-"]);
    let mut number = 0;
    while segments(factory).len() < count {
        number += 1;
        batch.say(&(label(number) + "\n"));
        assert_eq!(batch.event(LONG).unwrap()["outcome"], "pass");
    }
    batch.finish(LONG).expect(0);
    segments(factory)
}

fn segments(factory: &Factory) -> Vec<PathBuf> {
    let dir = fs::read_dir(factory.data_dir().join("backups")).into_iter().flatten().flatten();
    let mut files: Vec<PathBuf> = dir.map(|file| file.path()).collect();
    files.retain(|file| {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        name.ends_with(".segment") && !name.starts_with('.')
    });
    files.sort();
    files
}

/// Reads segments where there is no station.toml.
fn read(arguments: &[&str], code: i32) -> (String, String) {
    let elsewhere = tempfile::tempdir().unwrap();
    let mut command = station();
    command.args(["ledger", "segments"]).args(arguments).current_dir(elsewhere.path());
    let finished = Process::start(command).finish(LONG).expect(code);
    (finished.lines.join("\n"), finished.errors)
}

#[test]
fn segments_are_verified_from_the_ca_alone_and_the_first_bad_one_is_named() {
    let ledger = "reserve = \"1MiB\"\nbackup_every = \"1s\"";
    let factory = Factory::with(&Plan { ledger, ..Plan::default() });
    let _devices = factory.devices("A", 400);
    let files = written(&factory, 4);
    let (dir, ca) = (factory.data_dir().join("backups"), factory.path("ca.pem"));
    let (dir, ca) = (dir.to_str().unwrap(), ca.to_str().unwrap());
    let verify = ["verify", dir, "--ca", ca];
    let (said, _) = read(&verify, 0);
    assert!(said.contains("segments hold, entries 1 to "), "{said}");
    let (listed, _) = read(&["list", dir], 0);
    assert!(listed.lines().count() >= 4, "{listed}");
    let (shown, _) = read(&["show", files[0].to_str().unwrap()], 0);
    assert!(shown.contains(" created ") && shown.contains(" line-started "), "{shown}");
    // Another CA certified nothing of it.
    let stranger = factory.path("server-root.pem");
    let (_, told) = read(&["verify", dir, "--ca", stranger.to_str().unwrap()], 4);
    assert!(
        told.contains("E-LEDGER-SEGMENT") && told.contains("certified no journal key"),
        "{told}"
    );
    let name = |file: &PathBuf| file.file_name().unwrap().to_str().unwrap().to_owned();
    let good = fs::read(&files[1]).unwrap();
    let mut bad = good.clone();
    let middle = bad.len() / 2;
    bad[middle] ^= 1;
    fs::write(&files[1], &bad).unwrap();
    let (_, told) = read(&verify, 4);
    assert!(told.contains(&name(&files[1])), "{told}");
    fs::write(&files[1], &good[..middle]).unwrap();
    let (_, told) = read(&verify, 4);
    assert!(told.contains(&name(&files[1])) && told.contains("torn"), "{told}");
    fs::remove_file(&files[1]).unwrap();
    let (_, told) = read(&verify, 4);
    assert!(told.contains(&name(&files[2])) && told.contains("before it are missing"), "{told}");
    fs::write(&files[1], &good).unwrap();
    read(&verify, 0);
    let twice = factory.data_dir().join("backups/copy.segment");
    fs::write(&twice, &good).unwrap();
    let (_, told) = read(&verify, 4);
    assert!(told.contains("stand in another segment too"), "{told}");
    fs::remove_file(twice).unwrap();
    // The first one gone is as bad as any, unless a part is asked for.
    fs::remove_file(&files[0]).unwrap();
    read(&verify, 4);
    read(&[&verify[..], &["--part"]].concat(), 0);
}
