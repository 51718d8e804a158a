//! `docs/ledger.md` says what the code does.

use std::process::Command;

use super::testing::*;
use crate::Kind;

const PAGE: &str = include_str!("../../../docs/ledger.md");

#[test]
fn the_page_lists_every_kind_with_its_number() {
    for kind in Kind::ALL {
        let row = format!("| {} | `{}` |", kind.number(), kind.as_str());
        assert!(PAGE.contains(&row), "docs/ledger.md lacks {row}");
    }
}

fn has(tool: &str) -> bool {
    Command::new("sh")
        .args(["-c", &format!("command -v {tool}")])
        .output()
        .unwrap()
        .status
        .success()
}

/// Another implementation agrees: a shell script with sqlite3 and openssl.
#[test]
fn the_pages_recipe_verifies_a_ledger_and_finds_a_changed_one() {
    if !["sqlite3", "openssl", "xxd", "sha256sum"].into_iter().all(has) {
        println!("skipped: the recipe's tools are not installed");
        return;
    }
    let (_, rest) = PAGE.split_once("<!-- recipe -->\n```sh\n").unwrap();
    let (script, _) = rest.split_once("```").unwrap();
    let dir = tempfile::tempdir().unwrap();
    let ledger = fresh(dir.path());
    take(&ledger, begun(1), 1, Until::Passed);
    let path = dir.path().join("backup.db");
    ledger.reader().unwrap().backup(&path, &Checker).unwrap();
    let audit = || Command::new("sh").args(["-c", script, "audit"]).arg(&path).output().unwrap();
    let told = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let found = audit();
    assert!(found.status.success(), "{}", told(found.stderr));
    assert_eq!(told(found.stdout), "7 entries\nSignature Verified Successfully\n");
    let connection = rusqlite::Connection::open(&path).unwrap();
    connection.execute_batch("UPDATE journal SET entry = zeroblob(30) WHERE seq = 4").unwrap();
    let found = audit();
    assert!(!found.status.success());
    assert_eq!(told(found.stdout), "entry 4 does not give its hash\n");
}
