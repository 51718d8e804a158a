//! The fleet's page: for this machine, or whoever knows the token; nothing can be changed there.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

use crate::database::Database;
use crate::server::Server;
use crate::stations::Yard;

fn ask(server: &Server, request: &str) -> String {
    let mut stream = TcpStream::connect(server.address()).unwrap();
    let request = format!("{request}Connection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

fn page(server: &Server, path: &str) -> String {
    ask(server, &format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n"))
}

#[test]
fn stations_units_and_conflicts_are_shown() {
    let (database, yard) = (Database::start(), Yard::new());
    let server = Server::start(&database, &[]);
    for name in ["line-1", "line-2"] {
        let station = yard.station(name);
        station.make(&["TH200-00000001"]);
        station.enrol(&database, &server);
        station.push().well();
    }
    let wall = page(&server, "/");
    assert!(wall.starts_with("HTTP/1.1 200"), "{wall}");
    for text in ["line-1", "line-2", "fleet settle", "TH200-00000001", "content-security-policy"] {
        assert!(wall.contains(text), "{text}: {wall}");
    }
    let unit = page(&server, "/find?q=TH200-00000001");
    // Both units, and the conflict that they are in.
    assert_eq!(unit.matches("<section").count(), 3, "{unit}");
    assert!(unit.contains("of line-1 proved it first"), "{unit}");
    let mine = yard.station("line-3");
    mine.make(&["TH200-00000003"]);
    mine.enrol(&database, &server);
    mine.push().well();
    let alone = page(&server, "/find?q=TH200-00000003");
    assert_eq!(alone.matches("<section").count(), 1, "{alone}");
    assert!(page(&server, "/find?q=%3Cb%3E").contains("&lt;b&gt;"));
    assert!(page(&server, "/find?q=nobody").starts_with("HTTP/1.1 404"));
    assert!(page(&server, "/conflicts").contains("client id"));
    assert!(page(&server, "/style.css").contains(".tiles"));
    assert!(ask(&server, "POST / HTTP/1.1\r\nHost: localhost\r\n").starts_with("HTTP/1.1 405"));
    let foreign = ask(&server, "GET / HTTP/1.1\r\nHost: evil.example\r\n");
    assert!(foreign.starts_with("HTTP/1.1 421"), "{foreign}");
    // What the page keeps up is its middle alone.
    assert!(wall.contains("src=\"/live.js\""), "{wall}");
    assert!(page(&server, "/live.js").contains("fetch(\"/live\""));
    let middle = page(&server, "/live");
    assert!(middle.contains("line-1") && !middle.contains("<html"), "{middle}");
    let report = page(&server, "/report/30");
    for text in ["line-1", "line-2", "100.0 %"] {
        assert!(report.contains(text), "{text}: {report}");
    }
    assert!(page(&server, "/report").contains("line-1"));
    assert!(page(&server, "/report/8").starts_with("HTTP/1.1 404"));
}

#[test]
fn a_look_leaves_nothing_open_and_outlives_its_database() {
    let mut database = Database::start();
    let server = Server::start(&database, &[]);
    assert!(page(&server, "/").starts_with("HTTP/1.1 200"));
    let open = "SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in transaction%'";
    let begun = Instant::now();
    while database.sql(open) != "0" {
        assert!(begun.elapsed() < Duration::from_secs(300), "a transaction was left open");
    }
    database.kill();
    assert!(page(&server, "/").contains("E-FLEET-DATABASE"));
    database.serve();
    assert!(page(&server, "/").starts_with("HTTP/1.1 200"));
}

#[test]
fn with_a_token_only_those_who_know_it_look() {
    let (database, yard) = (Database::start(), Yard::new());
    let file = yard.path().join("token");
    fs::write(&file, "s3cret").unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    let server = Server::start(&database, &["--token-file", file.to_str().unwrap()]);
    let without = page(&server, "/");
    assert!(without.starts_with("HTTP/1.1 401"), "{without}");
    assert!(without.to_lowercase().contains("www-authenticate"), "{without}");
    let known = "GET / HTTP/1.1\r\nHost: fleet.example\r\nAuthorization: Bearer s3cret\r\n";
    assert!(ask(&server, known).starts_with("HTTP/1.1 200"));
}
