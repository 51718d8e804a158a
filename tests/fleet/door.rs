//! Who is let in: TLS, certificates, codes, revoked stations, and those who only sit there.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::sync::Arc;

use provisioning_station::app::demo::Factory;
use provisioning_station::app::fleet::{self, Opened};
use provisioning_station::app::from_config;
use provisioning_station::domain::clock::{Clock, Now, Timestamp};
use provisioning_station::domain::evidence::HeadSigner;
use provisioning_station::domain::ids::to_hex;

use crate::database::Database;
use crate::program::{at, run};
use crate::server::{Server, code};
use crate::stations::{Station, Yard, clock};

/// A server's certificate under a root of its own, by OpenSSL: `root.pem`, `leaf.pem`, `leaf.key`.
fn certificates(dir: &std::path::Path) {
    let script = "set -e
        printf 'basicConstraints=critical,CA:TRUE\\nkeyUsage=critical,keyCertSign\\n' > root.ext
        printf 'subjectAltName=IP:127.0.0.1\\n' > leaf.ext
        R='openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes'
        $R -keyout root.key -out root.csr -subj /CN=root
        openssl x509 -req -in root.csr -key root.key -days 2 -extfile root.ext -out root.pem
        $R -keyout leaf.key -out leaf.csr -subj /CN=fleet
        openssl x509 -req -in leaf.csr -CA root.pem -CAkey root.key -days 2 \\
            -extfile leaf.ext -out leaf.pem
        chmod 600 leaf.key";
    let made = Command::new("sh").args(["-c", script]).current_dir(dir).output().unwrap();
    assert!(made.status.success(), "{made:?}");
}

#[test]
fn a_station_is_known_by_the_certificate_of_its_journal() {
    let (database, yard) = (Database::start(), Yard::new());
    certificates(yard.path());
    let (leaf, key) = (yard.path().join("leaf.pem"), yard.path().join("leaf.key"));
    let tls = ["--certificate", leaf.to_str().unwrap(), "--key", key.to_str().unwrap()];
    let server = Server::start(&database, &tls);
    assert!(server.url.starts_with("https://"), "{}", server.url);
    let station = yard.station("line-1");
    station.make(&["TH200-00000001"]);
    let root = yard.path().join("root.pem");
    let root = root.to_str().unwrap();
    let given = code(&database, "line-1");
    let enrol = |code: &str| {
        at(&station.dir, &["fleet", "enrol", &server.url, "--code", code, "--ca", root])
    };
    enrol("AAAA-AAAA-AAAA-AAAA-AAAA").refused("E-FLEET-STATION", 6);
    enrol(&code(&database, "line-2")).refused("E-FLEET-STATION", 6);
    enrol(&given).well();
    // The answer may have been lost: the same once more is the same.
    enrol(&given).well();
    let without_root = ["fleet", "enrol", &server.url, "--code", &given];
    at(&station.dir, &without_root).refused("E-FLEET-UNREACHABLE", 6);
    let pushed = station.push().well().last();
    assert_eq!(pushed["confirmed"].as_u64(), Some(station.entries()), "{pushed}");
    // Another station can't take the place of this one, by whatever code.
    let thief = yard.station("line-3");
    thief.make(&["TH200-00000009"]);
    at(&thief.dir, &["fleet", "enrol", &server.url, "--code", &given, "--ca", root])
        .refused("E-FLEET-STATION", 6);
    thief.push().refused("E-FLEET-STATION", 6);
    let stolen = std::fs::read_to_string(station.dir.join("data/fleet.json")).unwrap();
    let url = database.url();
    let revoke = ["fleet", "revoke", "--database", &url, "--station", "line-1"];
    run(&revoke).well();
    station.note(1);
    station.push().refused("E-FLEET-STATION", 6);
    run(&[&revoke[..], &["--undo"]].concat()).well();
    station.push().well();
    // A stolen note of where it enrolled is no key.
    std::fs::write(thief.dir.join("data/fleet.json"), stolen).unwrap();
    thief.push().refused("E-FLEET-STATION", 6);
    run(&["fleet", "revoke", "--database", &url, "--station", "x"]).refused("E-FLEET-STATION", 6);
}

/// A clock that is sixty years ahead.
struct Ahead;

impl Clock for Ahead {
    fn now(&self) -> Now {
        let now = clock().now();
        let ahead = 60 * 366 * 86_400 * 1_000_000;
        Now { wall: Timestamp(now.wall.0 + ahead), ..now }
    }
}

#[test]
fn a_certificate_that_ended_or_of_another_ca_lets_nobody_in() {
    let (database, yard) = (Database::start(), Yard::new());
    certificates(yard.path());
    let (leaf, key) = (yard.path().join("leaf.pem"), yard.path().join("leaf.key"));
    let tls = ["--certificate", leaf.to_str().unwrap(), "--key", key.to_str().unwrap()];
    let server = Server::start(&database, &tls);
    let station = yard.station("line-1");
    station.make(&["TH200-00000001"]);
    let (given, root) = (code(&database, "line-1"), yard.path().join("root.pem"));
    let enrol = ["fleet", "enrol", &server.url, "--code", &given, "--ca", root.to_str().unwrap()];
    at(&station.dir, &enrol).well();
    station.push().well();
    // Another CA certified the same key for the same station.
    let other = yard.path().join("other");
    drop(Factory::lay_out_as("line-1", &other, 0, 0).unwrap());
    let other = Station::open(other, "line-1");
    let journal = from_config::journal_key(&station.config).unwrap();
    let foreign = from_config::authority(&other.config).unwrap();
    let id = &station.config.station.id;
    let foreign = foreign.certify_journal_key(&journal.public_key(), id, clock().now().wall);
    let note = station.dir.join("data/fleet.json");
    let own = std::fs::read_to_string(&note).unwrap();
    let mut changed: serde_json::Value = serde_json::from_str(&own).unwrap();
    changed["certificate"] = to_hex(&foreign.unwrap()).into();
    std::fs::write(&note, changed.to_string()).unwrap();
    station.push().refused("E-FLEET-STATION", 6);
    std::fs::write(&note, own).unwrap();
    station.push().well();
    // A server sixty years on: whatever it is, the certificate is not of that time.
    let url = database.url();
    let settings = Opened { url: &url, ca: None }.settings(0, 2).unwrap();
    let listen = "127.0.0.1:0".parse().unwrap();
    let later = fleet::server(settings, listen, Some((&leaf, &key)), 15, None, Arc::new(Ahead));
    let later = later.unwrap();
    let config = station.dir.join("station.toml");
    let text = std::fs::read_to_string(&config).unwrap();
    std::fs::write(&config, format!("{text}\n[fleet]\nurl = \"{}\"\n", later.url())).unwrap();
    let told = station.push().refused("E-FLEET-STATION", 6);
    assert!(told.err.contains("not valid now"), "{told:?}");
}

#[test]
fn one_code_enrols_one_ca_alone_where_it_is_named() {
    let (database, yard) = (Database::start(), Yard::new());
    let server = Server::start(&database, &[]);
    let (named, other) = (yard.station("line-1"), yard.path().join("other"));
    let ca = named.dir.join("ca.pem");
    let url = database.url();
    let args = ["fleet", "code", "--database", &url, "--station", "line-1", "--ca"];
    let made = run(&[&args[..], &[ca.to_str().unwrap()]].concat()).well().last();
    let code = made["code"].as_str().unwrap();
    drop(provisioning_station::app::demo::Factory::lay_out_as("line-1", &other, 0, 0).unwrap());
    at(&other, &["fleet", "enrol", &server.url, "--code", code]).refused("E-FLEET-STATION", 6);
    at(&named.dir, &["fleet", "enrol", &server.url, "--code", code]).well();
}

#[test]
fn others_than_this_machine_need_tls() {
    let database = Database::start();
    let args = ["fleet", "serve", "--database", &database.url(), "--listen", "0.0.0.0:0"];
    run(&args).refused("E-USAGE", 2);
    let nowhere = ["fleet", "serve", "--database", "postgresql:///x?host=/nonexistent&user=x"];
    run(&[&nowhere[..], &["--listen", "127.0.0.1:0"]].concat()).refused("E-FLEET-DATABASE", 6);
}

fn open_many_files() {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    let raised = rustix::process::Rlimit { current: limit.maximum, maximum: limit.maximum };
    rustix::process::setrlimit(rustix::process::Resource::Nofile, raised).unwrap();
}

#[test]
fn thousands_who_say_nothing_keep_nobody_out() {
    let (database, yard) = (Database::start(), Yard::new());
    let server = Server::start(&database, &[]);
    let station = yard.station("line-1");
    station.make(&["TH200-00000001"]);
    station.enrol(&database, &server);
    open_many_files();
    let mut silent: Vec<TcpStream> = Vec::new();
    // More than may be silent at a time; `tests/soak` has ten thousand.
    let many = std::env::var("FLEET_SILENT").ok().and_then(|text| text.parse().ok());
    for _ in 0..many.unwrap_or(3_000) {
        silent.push(TcpStream::connect(server.address()).unwrap());
    }
    station.push().well();
    // The first of them was sent away to make room.
    let mut first = silent.swap_remove(0);
    assert_eq!(first.read(&mut [0; 1]).unwrap_or(0), 0);
}

#[test]
fn thousands_who_never_end_what_they_began_to_ask_keep_nobody_out() {
    let (database, yard) = (Database::start(), Yard::new());
    let server = Server::start(&database, &[]);
    let station = yard.station("line-1");
    station.make(&["TH200-00000001"]);
    station.enrol(&database, &server);
    open_many_files();
    // Together they announce more than the server reads at a time.
    let begun = b"POST /v1/segments HTTP/1.1\r\nHost: x\r\nContent-Length: 65000\r\n\r\nx";
    let begin = |_| {
        let mut stream = TcpStream::connect(server.address()).unwrap();
        // The first of them are sent away meanwhile.
        let _ = stream.write_all(begun);
        stream
    };
    let _crowd: Vec<TcpStream> = (0..4_400).map(begin).collect();
    station.push().well();
}

#[test]
fn what_is_no_request_is_told_so() {
    let (database, yard) = (Database::start(), Yard::new());
    let server = Server::start(&database, &[]);
    let station = yard.station("line-1");
    station.make(&["TH200-00000001"]);
    station.enrol(&database, &server);
    let ask = |request: &str| {
        let mut stream = TcpStream::connect(server.address()).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    };
    let end = "Host: x\r\nConnection: close\r\n\r\n";
    for (request, status) in [
        (format!("GET /v1/nothing HTTP/1.1\r\n{end}"), "404"),
        (format!("GET /v1/station HTTP/1.1\r\n{end}"), "403"),
        (format!("DELETE /v1/segments HTTP/1.1\r\n{end}"), "404"),
        (format!("POST /v1/segments HTTP/1.1\r\nContent-Length: 99999999999\r\n{end}"), "413"),
        (format!("POST /v1/enrol HTTP/1.1\r\nContent-Length: 2\r\n{end}{{}}"), "403"),
    ] {
        let answer = ask(&request);
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{request}: {answer}");
        assert!(answer.contains("\"code\""), "{request}: {answer}");
    }
    station.push().well();
}
