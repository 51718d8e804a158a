//! The fleet's page: for this machine, or whoever knows the token; nothing can be changed there.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;

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
    assert_eq!(unit.matches("<section").count(), 2, "{unit}");
    assert!(page(&server, "/find?q=%3Cb%3E").contains("&lt;b&gt;"));
    assert!(page(&server, "/find?q=nobody").starts_with("HTTP/1.1 404"));
    assert!(page(&server, "/conflicts").contains("client_id"));
    assert!(page(&server, "/style.css").contains(".tiles"));
    assert!(ask(&server, "POST / HTTP/1.1\r\nHost: localhost\r\n").starts_with("HTTP/1.1 405"));
    let foreign = ask(&server, "GET / HTTP/1.1\r\nHost: evil.example\r\n");
    assert!(foreign.starts_with("HTTP/1.1 421"), "{foreign}");
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
