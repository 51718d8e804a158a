//! The files that are shipped beside the program agree with it.

#![expect(clippy::unwrap_used, reason = "a test that fails here is right to")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use provisioning_station::config::{self, Config};
use provisioning_station::domain::code::Code;
use provisioning_station::domain::family::Family;
use provisioning_station::shell;
use serde_json::Value;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn shipped() -> String {
    fs::read_to_string(root().join("station.toml")).unwrap()
}

fn load(text: &str) -> Config {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("station.toml");
    fs::write(&path, text).unwrap();
    Config::load(&path, None).unwrap_or_else(|error| panic!("{error}"))
}

/// The example with what is commented out switched on, section by section.
fn with_every_setting(text: &str) -> String {
    let is_setting = |line: &str| {
        let key = line.split(['=', ' ']).next().unwrap_or_default();
        line.starts_with('[') || (line.contains(" = ") && !key.is_empty())
    };
    let mut lines = Vec::new();
    for line in text.lines() {
        match line.strip_prefix('#') {
            Some(rest) if !rest.starts_with(' ') && is_setting(rest) => lines.push(rest),
            _ => lines.push(line),
        }
    }
    lines.join("\n")
}

#[test]
fn each_family_has_its_page_its_simulator_and_its_keys() {
    let schema = fs::read_to_string(root().join("docs/station.schema.json")).unwrap();
    for family in Family::ALL {
        let word = family.as_str();
        let page = fs::read_to_string(root().join(family.page()));
        assert!(page.is_ok_and(|page| page.starts_with("# ")), "{word}: {}", family.page());
        let mut command = Command::new(env!("CARGO_BIN_EXE_station"));
        let command = command.args(family.simulator().split(' ')).arg("--help");
        assert!(command.output().unwrap().status.success(), "{word}: {}", family.simulator());
        for key in family.keys() {
            let name = key.rsplit('.').next().unwrap();
            assert!(schema.contains(&format!("\"{name}\": {{")), "{word}: {key}");
        }
    }
}

#[test]
fn the_shipped_example_is_right() {
    let config = Config::load(&root().join("station.toml"), None).unwrap();
    assert_eq!(config.slots.len(), 2);
    assert_eq!(config.dir, root());
}

#[test]
fn what_the_example_comments_out_is_right_too() {
    let all = with_every_setting(&shipped());
    // A port is for a serial scanner, and the example has the default, a keyboard.
    let config = load(&all.replace("kind = \"keyboard\"", "kind = \"serial\""));
    assert!(config.cloud.is_some() && config.ledger.anchor.is_some());
}

#[test]
fn what_the_example_calls_a_default_is_one() {
    let text = shipped();
    let mut before = "";
    for line in text.lines() {
        let setting = line.strip_prefix('#').filter(|rest| !rest.starts_with(' '));
        let has_default = !before.contains("No default");
        // The cloud has no section in the example, and the scanner's port needs its kind.
        if let Some(setting) = setting.filter(|rest| rest.contains(" = ") && has_default) {
            if setting.starts_with("kind = \"tdmq\"") {
                break;
            }
            let same = ["port = \"/dev", "rts", "journal_secret_file", "exclusive"];
            if !same.iter().any(|start| setting.starts_with(start)) {
                let changed = load(&text.replacen(line, setting, 1));
                assert_eq!(without_digest(&changed), without_digest(&load(&text)), "{setting}");
            }
        }
        if line.starts_with("# ") {
            before = line;
        }
    }
}

/// Everything that the file means, as text, without what hangs on its bytes and its place.
fn without_digest(config: &Config) -> String {
    let text = format!("{config:#?}").replace(&config.digest.to_string(), "…");
    text.replace(&config.dir.display().to_string(), "…")
}

/// A key of the schema or of the example, with its section, and what is said of its default.
type Keys = BTreeMap<String, Option<Value>>;

/// Each key of the schema with its default, `[[slots]] baud` as `slots.baud`.
fn keys_of_schema() -> Keys {
    let mut keys = Keys::new();
    collect_keys("", &config::schema(), &mut keys);
    keys
}

fn collect_keys(section: &str, table: &Value, keys: &mut Keys) {
    for (key, wanted) in table["properties"].as_object().unwrap() {
        let full = format!("{section}.{key}").trim_start_matches('.').to_owned();
        match wanted.get("items").unwrap_or(wanted) {
            inner if inner.get("properties").is_some() => collect_keys(&full, inner, keys),
            _ => drop(keys.insert(full, wanted.get("default").cloned())),
        }
    }
}

/// Each key of the example, the commented ones too, with the value that stands there.
fn keys_of_example() -> Keys {
    let text = shipped();
    let (mut section, mut keys) = (String::new(), Keys::new());
    for line in text.lines().map(|line| line.trim_start_matches('#').trim_start()) {
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            section = name.trim_matches(['[', ']']).to_owned();
        } else if let Some((key, value)) = line.split_once(" = ")
            && key.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
        {
            // A value of the example is written alike in TOML and JSON.
            keys.insert(format!("{section}.{key}"), serde_json::from_str(value).ok());
        }
    }
    keys
}

#[test]
fn the_checked_in_schema_is_the_program_s() {
    let text = fs::read_to_string(root().join("docs/station.schema.json")).unwrap();
    let printed = format!("{}\n", serde_json::to_string_pretty(&config::schema()).unwrap());
    let how = "cargo run -- config schema >docs/station.schema.json";
    assert!(text == printed, "docs/station.schema.json is out of date: {how}");
}

#[test]
fn the_example_shows_every_key_of_the_schema_and_no_other() {
    let schema: Vec<String> = keys_of_schema().into_keys().collect();
    let example: Vec<String> = keys_of_example().into_keys().collect();
    assert_eq!(example, schema);
}

/// What another implementation of JSON Schema finds wrong with each of these files.
fn judged(files: &[String]) -> Vec<Vec<String>> {
    const JUDGE: &str = "
import json, sys
from jsonschema import Draft7Validator
schema, files = json.load(sys.stdin)
Draft7Validator.check_schema(schema)
judge = Draft7Validator(schema)
json.dump([[error.message for error in judge.iter_errors(file)] for file in files], sys.stdout)
";
    let files: Vec<Value> = files.iter().map(|text| toml::from_str(text).unwrap()).collect();
    let mut judge = Command::new("/usr/bin/python3")
        .args(["-c", JUDGE])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let wanted = serde_json::to_vec(&(config::schema(), files)).unwrap();
    judge.stdin.take().unwrap().write_all(&wanted).unwrap();
    let output = judge.wait_with_output().unwrap();
    assert!(output.status.success(), "python3-jsonschema is missing, or the schema is none");
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn another_implementation_takes_the_example_and_refuses_what_the_program_refuses() {
    let all = with_every_setting(&shipped());
    let wrong = [
        ("id = ", "id_of = "),
        ("[[slots]]", "[[slot]]"),
        ("name = \"A\"", "name = 1"),
        ("baud = 115200", "baud = 300"),
        ("presence = \"poll\"", "presence = \"usb\""),
        ("valid_for = \"20y\"", "valid_for = \"forever\""),
        ("require = []", "require = [\"tpm\"]"),
        ("reserve = \"256MiB\"", "reserve = \"much\""),
        ("data_dir = ", "#data_dir = "),
        ("server_root = \"server-root.pem\"", "server_root = \"\""),
    ];
    let mut files = vec![shipped(), all.clone()];
    for (old, new) in wrong {
        assert!(all.contains(old), "{old}");
        files.push(all.replacen(old, new, 1));
    }
    let found = judged(&files);
    assert_eq!(found[..2], [Vec::<String>::new(), Vec::new()]);
    for ((_, wrong), errors) in wrong.iter().zip(&found[2..]) {
        assert!(!errors.is_empty(), "{wrong} is taken");
    }
    for text in &files[2..] {
        assert!(Config::parse(Path::new("s"), root(), text.as_bytes()).is_err());
    }
}

#[test]
fn the_schema_s_defaults_are_those_that_the_example_shows() {
    let example = keys_of_example();
    let shown = shipped();
    for (key, default) in keys_of_schema() {
        let name = key.rsplit('.').next().unwrap();
        let is_commented = shown.contains(&format!("\n#{name} = "));
        if let (Some(default), true) = (default, is_commented) {
            assert_eq!(example[&key], Some(default), "{key}");
        }
    }
}

#[test]
fn every_code_is_explained_once_and_in_order() {
    let page = fs::read_to_string(root().join("docs/errors.md")).unwrap();
    let headings: Vec<&str> =
        page.lines().filter_map(|line| line.strip_prefix("### ")).map(str::trim).collect();
    let codes: Vec<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
    assert_eq!(headings, codes);
}

#[test]
fn the_chinese_page_of_error_codes_is_made_of_the_program_s_texts() {
    let (path, made) = (root().join("docs/errors.zh.md"), shell::error_page());
    if std::env::var_os("UPDATE_PAGES").is_some() {
        fs::write(&path, &made).unwrap();
    }
    let how = "UPDATE_PAGES=1 cargo test --test config chinese_page";
    let is_there = fs::read_to_string(&path).unwrap_or_default();
    assert!(is_there == made, "docs/errors.zh.md is out of date: {how}");
}

#[test]
fn both_pages_of_error_codes_have_the_same_groups() {
    let page = fs::read_to_string(root().join("docs/errors.md")).unwrap();
    let groups = page.split("\n## ").skip(1);
    let firsts = groups.map(|group| {
        let first = group.lines().find_map(|line| line.strip_prefix("### ")).unwrap();
        first.trim().parse::<Code>().unwrap()
    });
    let english: Vec<Code> = firsts.collect();
    let chinese: Vec<Code> = shell::group_beginnings().collect();
    assert_eq!(chinese, english, "src/shell/error_page.rs names the first code of each group");
}

#[test]
fn every_explanation_says_something_of_its_own() {
    let page = fs::read_to_string(root().join("docs/errors.md")).unwrap();
    let mut seen = BTreeSet::new();
    for section in page.split("\n### ").skip(1) {
        let (code, text) = section.split_once('\n').unwrap();
        let text = text.split("\n## ").next().unwrap().trim();
        assert!(text.len() > 40, "{code} is not explained");
        assert!(seen.insert(text.to_owned()), "{code} has another code's text");
    }
}

#[test]
fn every_code_that_the_documents_name_exists() {
    let known: BTreeSet<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
    let documents = fs::read_dir(root().join("docs")).unwrap().map(|entry| entry.unwrap().path());
    for path in documents.filter(|path| path.extension().is_some_and(|ending| ending == "md")) {
        for code in codes_in(&path) {
            assert!(known.contains(code.as_str()), "{} names {code}", path.display());
        }
    }
}

fn codes_in(path: &Path) -> Vec<String> {
    let text = fs::read_to_string(path).unwrap();
    let is_code = |c: char| c.is_ascii_uppercase() || c == '-';
    let words = text.split(|c: char| !is_code(c));
    let long = |word: &&str| word.starts_with("E-") && word.len() > 4 && !word.ends_with('-');
    words.filter(long).map(str::to_owned).collect()
}

/// The words of a unit's line, each once it was named.
fn unit_lines(name: &str, key: &str) -> Vec<String> {
    let path = root().join("packaging/debian").join(name);
    let text = fs::read_to_string(path).unwrap();
    let lines = text.lines().filter_map(|line| line.trim_start_matches('#').strip_prefix(key));
    lines.map(|rest| rest.trim_start_matches('=').to_owned()).collect()
}

#[test]
fn the_nightly_unit_calls_the_program_as_it_is_and_gives_the_secrets_that_it_reads() {
    use clap::Parser;
    use provisioning_station::cli::Cli;
    use provisioning_station::secret;

    for line in unit_lines("station.station-sync.service", "ExecStart") {
        Cli::try_parse_from(line.split_whitespace()).unwrap();
    }
    let known = [
        secret::journal_secret(None),
        secret::cloud_secret_id(None),
        secret::cloud_secret_key(None),
        secret::cloud_token(None),
        secret::revoker_secret_id(None),
        secret::revoker_secret_key(None),
    ];
    let known: BTreeSet<String> =
        known.iter().map(|wanted| wanted.variable.to_ascii_lowercase()).collect();
    let given = unit_lines("station.station-sync.service", "LoadCredentialEncrypted");
    let given = given.iter().filter_map(|line| line.split(':').next());
    assert_eq!(given.map(str::to_owned).collect::<BTreeSet<_>>(), known);
}

#[test]
fn the_nightly_timer_spreads_stations_over_half_an_hour() {
    assert_eq!(unit_lines("station.station-sync.timer", "RandomizedDelaySec"), ["30min"]);
    assert_eq!(unit_lines("station.station-sync.timer", "Persistent"), ["yes"]);
    assert_eq!(unit_lines("station.station-sync.timer", "OnCalendar").len(), 1);
}
