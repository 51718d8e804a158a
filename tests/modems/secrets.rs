//! Nothing that a modem is told or tells stands in a log, and its key in no file but its own.

use std::fs;
use std::path::{Path, PathBuf};

use super::bench::{ESP_AT, Modems, NRF91, QUECTEL, SIMCOM, factory};
use super::support::{LONG, Process, labels};

/// Every file under a directory but what modems keep.
fn files_under(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        match entry.symlink_metadata().unwrap().file_type() {
            kind if kind.is_dir() => files_under(&entry, found),
            kind if kind.is_file() && entry.extension().is_none_or(|end| end != "modem") => {
                found.push(entry);
            }
            _ => {}
        }
    }
}

/// Whether any line of a PEM text stands in these bytes.
fn shows(bytes: &[u8], pem: &str) -> bool {
    let lines = pem.lines().filter(|line| !line.starts_with('-') && line.len() > 20);
    lines.into_iter().any(|line| bytes.windows(line.len()).any(|part| part == line.as_bytes()))
}

#[test]
fn the_most_talkative_log_names_commands_and_shows_no_text() {
    for kind in [NRF91, QUECTEL, SIMCOM, ESP_AT] {
        let mut factory = factory(kind, 1);
        factory.set("STATION_LOG", "trace");
        let modems = Modems::plug(&factory, kind, "A", &["--stay"]);
        let serials = factory.path("serials.txt");
        fs::write(&serials, labels(1)).unwrap();
        let log = factory.path("station.log");
        let batch = ["batch", "--serials", serials.to_str().unwrap()];
        let mut command = factory.command(&batch);
        command.args(["-vvv", "--log-file"]).arg(&log);
        let finished = Process::start(command).finish(LONG);
        let flash = modems.flash().remove(0);
        let log = fs::read(&log).unwrap();
        assert!(String::from_utf8_lossy(&log).contains("AT+C"), "it names commands");
        for part in [kind.key, kind.roots, kind.certificate] {
            let text = flash.text(part).unwrap();
            assert!(!shows(&log, &text), "{}: {part} is in the log", kind.word);
            assert!(!shows(finished.errors.as_bytes(), &text), "{part}");
        }
        let (key, mut files) = (flash.text(kind.key).unwrap(), Vec::new());
        files_under(&factory.path(""), &mut files);
        for file in files {
            assert!(!shows(&fs::read(&file).unwrap(), &key), "the key is in {}", file.display());
        }
    }
}

#[test]
fn a_modems_flash_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let factory = factory(NRF91, 1);
    let _modems = Modems::plug(&factory, NRF91, "A", &[]);
    for entry in fs::read_dir(factory.path("modems-A")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|end| end == "modem") {
            assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }
}
