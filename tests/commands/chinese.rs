//! Chinese all the way: whatever these tests have done or refused in English is provoked again at
//! a station that speaks Chinese, and no line that a person reads then has English prose in it.
//!
//! What is refused has no effect and is asked of the same station. What succeeds is asked of a copy
//! of the station's directory as it was before, so that it has its effect there.

use std::fs;
use std::path::Path;

use tempfile::TempDir;

use super::prose::prose_in;
use super::station::{PASSPHRASE, Run, Station};

/// What a refusal leaves behind: to be refused again would be another matter.
const NOT_TWICE: &[(&str, &str)] = &[
    ("E-PIN-WRONG", "counts a wrong PIN, of which the fifth locks"),
    ("E-CLOUD-THROTTLED", "the emulated cloud throttles once"),
];

/// What is not done again, and why: it has an effect beyond the station's directory, or is made
/// for programs.
const NOT_AGAIN: &[(&str, &str)] = &[
    ("batch", "burns devices"),
    ("sync", "asks a cloud that counts"),
    ("authority register --by", "the same"),
    ("authority register --json", "the same"),
    ("unit ship", "the same"),
    ("unit adopt", "asks a device that is there once"),
    ("sim p", "moves a device"),
    ("sim move", "the same"),
    ("sim next", "the same"),
    ("completions", "a script"),
    ("man", "a page of its own"),
    ("config schema", "JSON"),
    ("metrics", "for a monitoring system"),
    ("report", "HTML; its tests are `tests/report`"),
];

impl Station {
    /// The same refusal where the station speaks Chinese.
    pub(crate) fn refuses_in_chinese(&self, line: &str, code: &str) {
        let names_another = line.contains("--config");
        if names_another || NOT_TWICE.iter().any(|(known, _)| *known == code) {
            return;
        }
        let mut command = self.command(line);
        command.env("STATION_AUTHORITY_PASSPHRASE", PASSPHRASE).env("LC_ALL", "zh_CN.UTF-8");
        if let Ok(own) = fs::read_to_string(self.path("station.toml"))
            && own.contains("[station]\n")
        {
            let chinese = own.replacen("[station]\n", "[station]\nlanguage = \"zh-CN\"\n", 1);
            self.write("station.zh.toml", &chinese);
            command.env("STATION_CONFIG", "station.zh.toml");
        }
        let run = Run::of(&mut command);
        let found = prose_in(&run.stderr);
        assert!(found.is_empty(), "{line}\n{found:#?}\nin {}", run.stderr);
    }
}

impl Station {
    /// The station's directory before a command that is to be done again in Chinese.
    pub(crate) fn copy_for_chinese(&self, line: &str) -> Option<TempDir> {
        let config = fs::read_to_string(self.path(self.config())).ok()?;
        let own = self.path("");
        let own = own.to_string_lossy();
        let leads_back = line.contains(&*own);
        let is_for_programs = line.contains("--json") || line.contains("--help");
        let is_another = line.contains("--config");
        let is_kept = NOT_AGAIN.iter().any(|(known, _)| line.starts_with(known));
        // Only a printer that is a folder of the station's own is copied with it.
        let prints = line.starts_with("label") && !config.contains("printer = \"labels\"");
        if leads_back || is_for_programs || is_another || is_kept || prints {
            return None;
        }
        let copy = tempfile::tempdir().unwrap();
        copy_into(&self.path(""), copy.path());
        let place = format!("{}/", copy.path().display());
        let mut config = config.replace(&*own, &place);
        if !config.contains("language = \"zh-CN\"") {
            config = config.replacen("[station]\n", "[station]\nlanguage = \"zh-CN\"\n", 1);
        }
        fs::write(copy.path().join(self.config()), config).unwrap();
        Some(copy)
    }

    /// The same command in that copy, where the station speaks Chinese.
    pub(crate) fn says_in_chinese(&self, line: &str, copy: &Path) {
        let mut command = self.command(line);
        command.current_dir(copy);
        command.env("STATION_AUTHORITY_PASSPHRASE", PASSPHRASE).env("LC_ALL", "zh_CN.UTF-8");
        let run = Run::of(&mut command);
        assert_eq!(run.status, 0, "{line} in Chinese: {}", run.stderr);
        let said = self.without_own_words(&(run.stdout + &run.stderr));
        let found = prose_in(&said);
        assert!(found.is_empty(), "{line}\n{found:#?}\nin {said}");
    }
}

/// Copies files, folders and links; sockets and pipes belong to who holds them.
fn copy_into(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let (kind, place) = (entry.file_type().unwrap(), to.join(entry.file_name()));
        if kind.is_dir() {
            fs::create_dir(&place).unwrap();
            copy_into(&entry.path(), &place);
            let mode = entry.metadata().unwrap().permissions();
            fs::set_permissions(&place, mode).unwrap();
        } else if kind.is_symlink() {
            std::os::unix::fs::symlink(fs::read_link(entry.path()).unwrap(), place).unwrap();
        } else if kind.is_file() {
            fs::copy(entry.path(), place).unwrap();
        }
    }
}
