//! A CA whose key is in a token: SoftHSM2 behind the real PKCS#11 code.

use std::fs;
use std::process::Command;
use std::time::Instant;

use provisioning_station::sim::SimulatedSlot;
use rustix::process::Signal;

use super::support::keys::held_under;
use super::support::openssl::{assert_verifies, openssl};
use super::support::token::{PIN, Token, module};
use super::support::tpm::{Manager, Tpm};
use super::support::{Factory, LONG, Plan, Process, label, labels};

const INIT: [&str; 4] = ["authority", "init", "--common-name", "Token CA"];

/// A factory whose CA is in a token.
fn with_token_ca(slots: usize) -> (Factory, Token) {
    let mut factory = Factory::with(&Plan { slots, ..Plan::default() });
    let token = Token::for_factory(&mut factory);
    let made = factory.run(&INIT).expect(0).only();
    assert_eq!((&made["key"], &made["subject"]), (&"pkcs11".into(), &"CN=Token CA".into()));
    (factory, token)
}

#[test]
fn twenty_four_units_are_issued_by_a_ca_in_a_token() {
    let (factory, _token) = with_token_ca(4);
    let _devices = ["A", "B", "C", "D"].map(|slot| factory.devices(slot, 6));
    assert_eq!(factory.batch(&labels(24)).expect(0).summary()["passed"], 24);
    let held = held_under(&factory.devices_dir());
    assert_eq!(held.len(), 24);
    for (_, held) in &held {
        assert_verifies(&factory.path("token-ca.pem"), &[], &held.certificate);
    }
    factory.run(&["authority", "check"]).expect(0);
    factory.verify();
    // Whatever else the CA signs goes through the token too.
    let list = factory.path("ca.crl");
    factory.run(&["authority", "crl", "--out", list.to_str().unwrap()]).expect(0);
    let ca = factory.path("token-ca.pem");
    let arguments =
        ["crl", "-noout", "-in", list.to_str().unwrap(), "-CAfile", ca.to_str().unwrap()];
    assert!(openssl(&arguments).contains("verify OK"));
}

#[test]
fn a_key_in_a_token_can_not_be_taken_out_and_is_never_made_twice() {
    let (factory, _token) = with_token_ca(1);
    factory.run(&INIT).expect_error(7, "E-CA-EXISTS");
    // Not even where the certificate is lost.
    fs::rename(factory.path("token-ca.pem"), factory.path("lost.pem")).unwrap();
    factory.run(&INIT).expect_error(7, "E-CA-EXISTS");
    fs::rename(factory.path("lost.pem"), factory.path("token-ca.pem")).unwrap();
    factory.run(&["authority", "check"]).expect(0);
}

#[test]
fn a_ca_that_does_not_come_about_leaves_no_key_in_the_token() {
    let mut factory = Factory::usual();
    let _token = Token::for_factory(&mut factory);
    let text = fs::read_to_string(factory.config()).unwrap();
    // Its directory is a file.
    factory.change("\"token-ca.pem\"", "\"server-root.pem/ca.pem\"");
    factory.run(&INIT).expect_error(1, "E-OUTPUT");
    fs::write(factory.config(), text).unwrap();
    factory.run(&INIT).expect(0);
}

#[test]
fn a_wrong_pin_is_told_tried_once_and_not_printed() {
    let (mut factory, _token) = with_token_ca(1);
    factory.set("STATION_PKCS11_PIN", "000000");
    let _device = factory.devices("A", 1);
    for line in [&["authority", "check"][..], &["batch", "--serials", "-"]] {
        let refused = factory.run(line).expect_error(7, "E-HSM-PIN");
        assert!(!refused.errors.contains("000000"), "{}", refused.story());
    }
    factory.set("STATION_PKCS11_PIN", PIN);
    assert_eq!(factory.batch(&labels(1)).expect(0).summary()["passed"], 1);
}

#[test]
fn a_pin_comes_from_a_private_file() {
    let (mut factory, _token) = with_token_ca(1);
    factory.set("STATION_PKCS11_PIN", "");
    factory.run(&["authority", "check"]).expect_error(7, "E-SECRET-MISSING");
    factory.change("key_label = \"ca\"", "key_label = \"ca\"\npin_file = \"pin\"");
    fs::write(factory.path("pin"), PIN).unwrap();
    super::support::factory::keep_private(&factory.path("pin"));
    factory.run(&["authority", "check"]).expect(0);
}

#[test]
fn a_module_a_token_and_a_key_that_are_not_there_are_told_apart() {
    let (factory, token) = with_token_ca(1);
    let text = fs::read_to_string(factory.config()).unwrap();
    let check = |old: &str, new: &str, code: &str| {
        factory.change(old, new);
        let refused = factory.run(&["authority", "check"]).expect_error(7, code);
        fs::write(factory.config(), &text).unwrap();
        refused.errors
    };
    check("libsofthsm2.so", "libsofthsm3.so", "E-HSM-MODULE");
    assert!(check("\"line-1\"\nkey", "\"line-2\"\nkey", "E-HSM-TOKEN").contains("line-1"));
    check("key_label = \"ca\"", "key_label = \"cb\"", "E-HSM-KEY");
    factory.change("[station]", "[station]\nlanguage = \"zh-CN\"");
    factory.change("key_label = \"ca\"", "key_label = \"cb\"");
    let told = factory.run(&["authority", "check"]).expect_error(7, "E-HSM-KEY").errors;
    assert!(told.contains("令牌 \"line-1\" 没有 EC 私钥 \"cb\""), "{told}");
    fs::write(factory.config(), &text).unwrap();
    // Two of one label can't be told apart.
    token.initialise(super::support::token::LABEL);
    factory.run(&["authority", "check"]).expect_error(7, "E-HSM-TOKEN");
}

#[test]
fn a_certificate_of_another_key_is_refused() {
    let (factory, _token) = with_token_ca(1);
    fs::copy(factory.path("ca.pem"), factory.path("token-ca.pem")).unwrap();
    factory.run(&["authority", "check"]).expect_error(7, "E-CA-MISMATCH");
}

#[test]
fn a_token_that_is_drawn_fails_its_units_alone_and_is_found_again() {
    let (factory, token) = with_token_ca(1);
    let devices = factory.devices("A", 2);
    let mut batch = factory.start(&["batch", "--serials", "-"]);
    let mut scan = |number: usize| {
        batch.say(&(label(number) + "\n"));
        batch.event(LONG).unwrap()
    };
    assert_eq!(scan(1)["outcome"], "pass");
    token.draw();
    let failed = scan(2);
    assert_eq!(failed["outcome"], "fail", "{failed}");
    assert_eq!(failed["code"], "E-HSM-TOKEN", "{failed}");
    assert_eq!(failed["step"], "issue");
    token.put_back();
    // A device that failed is taken out and put in again.
    drop(devices);
    let _device = factory.put_back("A", 2);
    let again = scan(2);
    assert_eq!(again["outcome"], "pass", "{again}");
    batch.finish(LONG).expect(1);
    // Nothing was burned in between, and nothing is left over.
    let attempts = factory.show(&label(2))["attempts"].as_array().unwrap().len();
    assert_eq!(attempts, 2);
    let held = held_under(&factory.devices_dir());
    assert_eq!(held.len(), 2);
    assert_eq!(factory.ledger().in_state("proven").len(), 2);
    assert_eq!(factory.ledger().certificates().len(), 2);
    factory.verify();
}

/// A line whose token was drawn after one unit: the next one found out and failed, and now a unit
/// waits for the token.
fn waiting(factory: &Factory, token: &Token) -> (Process, SimulatedSlot) {
    let devices = factory.devices("A", 2);
    let mut batch = factory.start(&["batch", "--serials", "-"]);
    batch.say(&(label(1) + "\n"));
    assert_eq!(batch.event(LONG).unwrap()["outcome"], "pass");
    token.draw();
    batch.say(&(label(2) + "\n"));
    assert_eq!(batch.event(LONG).unwrap()["code"], "E-HSM-TOKEN");
    // A device that failed is taken out and put in again.
    drop(devices);
    let device = factory.put_back("A", 2);
    batch.say(&(label(2) + "\n"));
    let until = Instant::now() + LONG;
    while !batch.errors().contains("the unit waits for it") {
        assert!(Instant::now() < until, "it never waited: {}", batch.errors());
        std::thread::yield_now();
    }
    (batch, device)
}

#[test]
fn while_the_token_is_away_units_wait_and_none_but_the_first_fails() {
    let (factory, token) = with_token_ca(1);
    let (mut batch, _device) = waiting(&factory, &token);
    token.put_back();
    let again = batch.event(LONG).unwrap();
    assert_eq!(again["outcome"], "pass", "{again}");
    batch.finish(LONG).expect(1);
    assert_eq!(factory.show(&label(2))["attempts"].as_array().unwrap().len(), 2);
    factory.verify();
}

#[test]
fn a_line_that_is_stopped_does_not_wait_for_its_token() {
    let (factory, token) = with_token_ca(1);
    let (batch, _device) = waiting(&factory, &token);
    batch.signal(Signal::INT);
    let ended = batch.finish(LONG).expect(130);
    let last = ended.units().pop().unwrap();
    assert_eq!((&last["code"], &last["step"]), (&"E-STOPPED".into(), &"reserve".into()));
    factory.verify();
}

#[test]
fn a_key_of_another_curve_is_refused() {
    let (factory, token) = with_token_ca(1);
    let key = factory.path("p384.pem");
    let key = key.to_str().unwrap();
    openssl(&["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384", "-out", key]);
    token.import(key, "p384");
    factory.change("key_label = \"ca\"", "key_label = \"p384\"");
    factory.run(&["authority", "check"]).expect_error(7, "E-HSM-KEY");
}

#[test]
fn a_token_that_fails_is_told_with_what_it_said() {
    let mut factory = Factory::usual();
    let _token = Token::for_factory(&mut factory);
    // A token that can write nothing can make no key.
    let station = factory.command(&INIT);
    let mut command = Command::new("sh");
    command.args(["-c", "trap '' XFSZ; ulimit -f 0; exec \"$0\" \"$@\""]);
    command.arg(station.get_program()).args(station.get_args());
    command.envs(station.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let failed = Process::start(command).finish(LONG).expect_error(7, "E-HSM-FAILED");
    assert!(failed.errors.contains("C_GenerateKeyPair"), "{}", failed.story());
    assert!(!factory.path("token-ca.pem").exists());
}

/// A P-256 key in a file, as PEM of PKCS#8; its path.
fn key_file(factory: &Factory) -> String {
    let path = factory.path("p256.pem").display().to_string();
    openssl(&["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", &path]);
    path
}

#[test]
fn a_name_is_free_only_where_neither_the_label_nor_the_id_is_taken() {
    let mut factory = Factory::usual();
    let token = Token::for_factory(&mut factory);
    token.import(&key_file(&factory), "somebody-elses");
    // Its label is free, its id is not: some tokens would overwrite what has it.
    factory.change("key_label = \"ca\"", "key_label = \"ca\"\nkey_id = \"0a\"");
    let refused = factory.run(&INIT).expect_error(7, "E-CA-EXISTS");
    assert!(refused.errors.contains("id 0a"), "{}", refused.errors);
    factory.change("key_id = \"0a\"", "key_id = \"0b\"");
    factory.run(&INIT).expect(0);
}

#[test]
fn a_key_that_is_in_the_token_already_is_taken_where_that_is_asked() {
    let mut factory = Factory::usual();
    let token = Token::for_factory(&mut factory);
    let existing = [&INIT[..], &["--existing-key"]].concat();
    factory.run(&existing).expect_error(7, "E-HSM-KEY");
    token.import(&key_file(&factory), "ca");
    factory.run(&INIT).expect_error(7, "E-CA-EXISTS");
    factory.run(&existing).expect(0);
    factory.run(&["authority", "check"]).expect(0);
    // Its certificate is never overwritten.
    factory.run(&existing).expect_error(7, "E-CA-EXISTS");
}

#[test]
fn a_medium_that_is_not_mounted_is_a_token_that_is_away_and_no_wrong_library() {
    let (factory, token) = with_token_ca(1);
    token.unmount();
    let refused = factory.run(&["authority", "check"]).expect_error(7, "E-HSM-TOKEN");
    assert!(refused.errors.contains("can't be reached"), "{}", refused.errors);
    token.put_back();
    factory.run(&["authority", "check"]).expect(0);
}

#[test]
fn a_process_leaves_the_module_as_it_found_it() {
    let (mut factory, _token) = with_token_ca(1);
    let log = factory.path("spy.log");
    factory.set("PKCS11SPY", module());
    factory.set("PKCS11SPY_OUTPUT", log.as_os_str());
    factory.change(module(), "/usr/lib/x86_64-linux-gnu/pkcs11-spy.so");
    let _device = factory.devices("A", 1);
    assert_eq!(factory.batch(&labels(1)).expect(0).summary()["passed"], 1);
    let calls: Vec<String> = fs::read_to_string(log)
        .unwrap()
        .lines()
        .filter_map(|line| line.split_once(": C_").map(|(_, name)| format!("C_{name}")))
        .collect();
    let last: Vec<&str> = calls.iter().rev().take(3).map(String::as_str).collect();
    assert_eq!(last, ["C_Finalize", "C_CloseSession", "C_Logout"], "{calls:?}");
    let count = |name: &str| calls.iter().filter(|call| *call == name).count();
    assert_eq!(count("C_OpenSession"), count("C_CloseSession"), "{calls:?}");
}

#[test]
fn twenty_four_units_are_issued_by_a_ca_in_a_tpm() {
    let mut factory = Factory::with(&Plan { slots: 2, ..Plan::default() });
    let mut tpm = Tpm::for_factory(&mut factory, Manager::Abrmd);
    factory.run(&INIT).expect(0);
    let _devices = ["A", "B"].map(|slot| factory.devices(slot, 12));
    assert_eq!(factory.batch(&labels(24)).expect(0).summary()["passed"], 24);
    for (_, held) in &held_under(&factory.devices_dir()) {
        assert_verifies(&factory.path("token-ca.pem"), &[], &held.certificate);
    }
    factory.verify();
    tpm.take_away();
    factory.run(&["authority", "check"]).expect_error(7, "E-HSM-TOKEN");
    tpm.bring_back();
    factory.run(&["authority", "check"]).expect(0);
    factory.set("STATION_PKCS11_PIN", "000000");
    factory.run(&["authority", "check"]).expect_error(7, "E-HSM-PIN");
}

#[test]
fn a_tpm_without_a_resource_manager_is_left_empty_by_each_command() {
    let mut factory = Factory::usual();
    let _tpm = Tpm::for_factory(&mut factory, Manager::None);
    factory.run(&INIT).expect(0);
    // It has room for three objects and as many sessions.
    for _ in 0..6 {
        factory.run(&["authority", "check"]).expect(0);
    }
}
