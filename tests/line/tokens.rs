//! A CA whose key is in other tokens than SoftHSM2's alone: NSS, p11-kit's server, several of one
//! label, a stranger behind the same module.

use std::fs;

use rustix::process::Signal;

use super::support::keys::held_under;
use super::support::openssl::assert_verifies;
use super::support::p11::{CLIENT, PROXY, Registered, Server, authority_behind, nss};
use super::support::token::{LABEL, PIN, Token, module};
use super::support::{Factory, LONG, Process, label, labels};

const INIT: [&str; 4] = ["authority", "init", "--common-name", "Token CA"];

/// Makes units with the modules of a test, and holds their certificates against the CA.
fn issues(factory: &Factory, registered: &Registered, units: usize) {
    let _devices = factory.devices("A", units as u32);
    let serials = factory.path("serials.txt");
    fs::write(&serials, labels(units)).unwrap();
    let batch = ["batch", "--serials", serials.to_str().unwrap(), "--json"];
    assert_eq!(registered.run(factory, &batch).expect(0).summary()["passed"], units);
    for (_, held) in &held_under(&factory.devices_dir()) {
        assert_verifies(&factory.path("token-ca.pem"), &[], &held.certificate);
    }
}

#[test]
fn units_are_issued_by_a_ca_in_nss_behind_p11_kits_proxy() {
    let mut factory = Factory::usual();
    let registered = Registered::new(&factory);
    registered.add("nss", &nss(&factory, Some(PIN)));
    authority_behind(&mut factory, PROXY);
    registered.run(&factory, &INIT).expect(0);
    issues(&factory, &registered, 24);
    let list = factory.path("ca.crl");
    registered.run(&factory, &["authority", "crl", "--out", list.to_str().unwrap()]).expect(0);
    factory.set("STATION_PKCS11_PIN", "000000");
    registered.run(&factory, &["authority", "check"]).expect_error(7, "E-HSM-PIN");
    factory.set("STATION_PKCS11_PIN", PIN);
    // Away and back.
    fs::rename(factory.path("nss"), factory.path("drawn")).unwrap();
    registered.run(&factory, &["authority", "check"]).expect_error(7, "E-HSM-TOKEN");
    fs::rename(factory.path("drawn"), factory.path("nss")).unwrap();
    registered.run(&factory, &["authority", "check"]).expect(0);
}

#[test]
fn a_token_without_a_log_in_takes_none() {
    let mut factory = Factory::usual();
    let registered = Registered::new(&factory);
    registered.add("nss", &nss(&factory, None));
    authority_behind(&mut factory, PROXY);
    registered.run(&factory, &INIT).expect(0);
    issues(&factory, &registered, 1);
}

#[test]
fn a_stranger_behind_the_same_module_harms_nothing() {
    let mut factory = Factory::usual();
    let _token = Token::for_factory(&mut factory);
    factory.change(module(), PROXY);
    let registered = Registered::new(&factory);
    registered.add("softhsm2", &format!("module: {}\n", module()));
    registered.add("nss", &nss(&factory, None).replace(LABEL, "another"));
    // One that can't even start.
    registered.add("broken", "module: /usr/lib/x86_64-linux-gnu/libc.so.6\n");
    registered.run(&factory, &INIT).expect(0);
    issues(&factory, &registered, 2);
}

#[test]
fn a_ca_behind_p11_kits_server_is_found_again_when_the_server_is() {
    let mut factory = Factory::usual();
    let token = Token::for_factory(&mut factory);
    let socket = factory.path("p11.sock");
    let server = Server::start(&socket, &token.config());
    factory.change(module(), CLIENT);
    factory.set("P11_KIT_SERVER_ADDRESS", server.address.clone());
    factory.run(&INIT).expect(0);
    let _devices = factory.devices("A", 24);
    assert_eq!(factory.batch(&labels(24)).expect(0).summary()["passed"], 24);
    // Another process beside, while the first may still use it.
    factory.run(&["authority", "check"]).expect(0);
    drop(server);
    factory.run(&["authority", "check"]).expect_error(7, "E-HSM-TOKEN");
    let _server = Server::start(&socket, &token.config());
    factory.run(&["authority", "check"]).expect(0);
    factory.verify();
}

/// A factory whose CA is in a token behind a server of p11-kit's.
fn behind_a_server() -> (Factory, Server, Token) {
    let mut factory = Factory::usual();
    let token = Token::for_factory(&mut factory);
    let server = Server::start(&factory.path("p11.sock"), &token.config());
    factory.change(module(), CLIENT);
    factory.set("P11_KIT_SERVER_ADDRESS", server.address.clone());
    factory.run(&INIT).expect(0);
    (factory, server, token)
}

#[test]
fn a_token_that_gives_no_answer_is_told_and_its_units_go_on_when_it_does() {
    let (factory, server, _token) = behind_a_server();
    let _devices = factory.devices("A", 2);
    let mut batch = factory.start(&["batch", "--serials", "-"]);
    batch.say(&labels(1));
    assert_eq!(batch.event(LONG).unwrap()["outcome"], "pass");
    server.signal_those_who_serve(Signal::STOP);
    batch.say(&format!("{}\n", label(2)));
    batch.until_it_says("E-HSM-TOKEN");
    assert!(batch.errors().contains("no answer for 5 s"), "{}", batch.errors());
    server.signal_those_who_serve(Signal::CONT);
    assert_eq!(batch.event(LONG).unwrap()["outcome"], "pass");
    batch.close_input();
    batch.finish(LONG).expect(0);
    factory.verify();
}

#[test]
fn whoever_starts_while_the_token_gives_no_answer_is_told_and_goes_on_when_it_does() {
    let (factory, server, _token) = behind_a_server();
    let _devices = factory.devices("A", 1);
    // Whatever opens the CA: a line, and a command. One after the other: the server that is woken
    // is asked by one alone.
    let waits = |process: &Process, told: &str| {
        process.until_it_says(told);
        server.signal(Signal::CONT);
    };
    server.signal(Signal::STOP);
    let check = factory.start(&["authority", "check"]);
    waits(&check, "the CA's token has given no answer for 5 s; the station waits for it");
    check.finish(LONG).expect(0);
    server.signal(Signal::STOP);
    let mut batch = factory.start(&["batch", "--serials", "-", "-v"]);
    waits(&batch, "warning[E-HSM-TOKEN]: the CA's token has given no answer for 5 s");
    assert!(batch.errors().contains("the token's library is asked"), "{}", batch.errors());
    batch.say(&labels(1));
    batch.close_input();
    assert_eq!(batch.finish(LONG).expect(0).summary()["passed"], 1);
    factory.change("[station]", "[station]\nlanguage = \"zh-CN\"");
    server.signal(Signal::STOP);
    let chinese = factory.start(&["authority", "check"]);
    waits(&chinese, "CA 的令牌已有 5 秒没有回答；本站在等它");
    chinese.finish(LONG).expect(0);
    factory.verify();
}

#[test]
fn of_several_tokens_of_one_label_one_is_named_by_its_serial_number() {
    let mut factory = Factory::usual();
    let token = Token::for_factory(&mut factory);
    let first = token.serials();
    assert_eq!(first.len(), 1, "{first:?}");
    token.initialise(LABEL);
    let told = factory.run(&INIT).expect_error(7, "E-HSM-TOKEN").errors;
    for serial in token.serials() {
        assert!(told.contains(&serial) && told.contains("token_serial"), "{told}");
    }
    let named = format!("key_label = \"ca\"\ntoken_serial = \"{}\"", first[0]);
    factory.change("key_label = \"ca\"", &named);
    factory.run(&INIT).expect(0);
    factory.run(&["authority", "check"]).expect(0);
    let other = token.serials().into_iter().find(|serial| *serial != first[0]).unwrap();
    factory.change(&first[0], &other);
    factory.run(&["authority", "check"]).expect_error(7, "E-HSM-KEY");
    factory.change(&other, "0000");
    factory.run(&["authority", "check"]).expect_error(7, "E-HSM-TOKEN");
}
