//! What the program is made of: where each package comes from, under which licence, and what
//! must not be among them. The lists are those of `tests/deny.toml`, which `cargo deny` reads too.

#![expect(clippy::unwrap_used, reason = "a test that fails here is right to")]

use std::process::Command;

use serde_json::Value;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

fn rules() -> toml::Table {
    std::fs::read_to_string(format!("{ROOT}/tests/deny.toml")).unwrap().parse().unwrap()
}

fn words(rules: &toml::Table, section: &str, key: &str) -> Vec<String> {
    let list = rules[section][key].as_array().unwrap().iter();
    let word = |value: &toml::Value| match value {
        toml::Value::String(word) => word.clone(),
        table => table["crate"].as_str().unwrap().to_owned(),
    };
    list.map(word).collect()
}

/// Every package of the lock file.
fn packages() -> Vec<Value> {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(ROOT).args(["metadata", "--locked", "--format-version", "1"]);
    let output = cargo.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    metadata["packages"].as_array().unwrap().clone()
}

/// Whether one of the alternatives that an SPDX expression leaves is allowed as a whole.
fn is_allowed(expression: &str, allowed: &[String]) -> bool {
    let one = |licence: &str| allowed.iter().any(|allowed| allowed == licence.trim());
    expression.split(" AND ").all(|part| {
        let part = part.trim().trim_start_matches('(').trim_end_matches(')');
        // Old manifests have a stroke for OR.
        part.split(" OR ").flat_map(|part| part.split('/')).any(one)
    })
}

#[test]
fn an_expression_is_allowed_where_one_of_its_alternatives_is() {
    let allowed = ["MIT".to_owned(), "Unicode-3.0".to_owned()];
    for good in ["MIT", "GPL-3.0-only OR MIT", "MIT/Apache-2.0", "(MIT OR X) AND Unicode-3.0"] {
        assert!(is_allowed(good, &allowed), "{good}");
    }
    for bad in ["GPL-3.0-only", "MIT AND GPL-3.0-only", "MITX", ""] {
        assert!(!is_allowed(bad, &allowed), "{bad}");
    }
}

#[test]
fn every_package_has_an_allowed_licence() {
    let allowed = words(&rules(), "licenses", "allow");
    for package in packages() {
        let licence = package["license"].as_str().unwrap_or_default();
        assert!(is_allowed(licence, &allowed), "{}: {licence:?}", package["id"]);
    }
}

#[test]
fn every_package_is_from_the_registry_or_from_here() {
    let registries = words(&rules(), "sources", "allow-registry");
    for package in packages() {
        match package["source"].as_str() {
            Some(source) => {
                let known = registries.iter().any(|known| source == format!("registry+{known}"));
                assert!(known, "{}: {source}", package["id"]);
            }
            None => assert!(package["manifest_path"].as_str().unwrap().starts_with(ROOT)),
        }
    }
}

#[test]
fn nothing_that_is_banned_is_among_them() {
    let banned = words(&rules(), "bans", "deny");
    for package in packages() {
        let name = package["name"].as_str().unwrap();
        assert!(!banned.iter().any(|banned| banned == name), "{name}");
    }
}
