//! The view: what comes in and what does not, what a browser shows of it, and that it follows
//! a line.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use provisioning_station::app::demo::Factory;
use provisioning_station::sim::FaultSpec;

use crate::browser::{Browser, Window, gallery};
use crate::history::{History, ORDER};
use crate::pages::{LAPTOP, PHONE, WALL};

/// A view that is open; it ends when this is dropped.
pub(crate) struct View {
    process: Child,
    url: String,
}

impl View {
    pub(crate) fn at(command: &mut Command) -> Self {
        let mut process = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let ready: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(ready["event"], "ready");
        Self { process, url: ready["url"].as_str().unwrap().to_owned() }
    }

    pub(crate) fn of(history: &History) -> Self {
        Self::at(&mut history.command("view --listen 127.0.0.1:0 --json"))
    }

    fn address(&self) -> &str {
        self.url.trim_start_matches("http://").trim_end_matches('/')
    }

    /// What it answers to a request, from its first line on.
    fn answer(&self, request: &str) -> String {
        let mut stream = TcpStream::connect(self.address()).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    pub(crate) fn get(&self, path: &str) -> String {
        let host = self.address();
        self.answer(&format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"))
    }
}

impl Drop for View {
    fn drop(&mut self) {
        // It holds nothing that a kill could harm.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn nothing_can_be_changed_and_nobody_from_elsewhere_comes_in() {
    let history = History::whole();
    let view = View::of(&history);
    let page = view.get("/");
    assert!(page.starts_with("HTTP/1.1 200"), "{page}");
    for rule in [
        "frame-ancestors 'none'",
        "default-src 'none'",
        "x-frame-options: DENY",
        "x-content-type-options: nosniff",
        "referrer-policy: no-referrer",
        "cache-control: no-store",
    ] {
        assert!(page.contains(rule), "{rule} is not in {page}");
    }
    assert!(!page.to_lowercase().contains("set-cookie"));
    let host = view.address();
    for method in ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"] {
        let request = format!("{method} / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        assert!(view.answer(&request).starts_with("HTTP/1.1 405"), "{method}");
    }
    let rebound = "GET / HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n";
    assert!(view.answer(rebound).starts_with("HTTP/1.1 421"));
    assert!(view.get("/nothing").starts_with("HTTP/1.1 404"));
    assert!(view.get("/unit/NOBODY").starts_with("HTTP/1.1 404"));
    assert!(view.get("/report/work-order/WO-0").starts_with("HTTP/1.1 404"));
    assert!(view.get("/report/day?date=soon").starts_with("HTTP/1.1 400"));
    assert!(view.get("/find?q=%3Cscript%3E").contains("&lt;script&gt;"));
    let metrics = view.get("/metrics");
    assert!(metrics.contains("application/openmetrics-text"), "{metrics}");
    assert!(metrics.ends_with("# EOF\n"), "{metrics}");
}

#[test]
fn elsewhere_a_token_and_tls_are_wanted() {
    let history = History::whole();
    let output = history.command("view --listen 0.0.0.0:0").output().unwrap();
    assert_eq!(output.status.code(), Some(3));
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(told.contains("without a token and TLS"), "{told}");
    let mut command = history.command("view --listen 127.0.0.1:0 --json");
    let view = View::at(command.env("STATION_VIEW_TOKEN", "open sesame"));
    let with = |said: &str| {
        let host = view.address();
        view.answer(&format!(
            "GET /metrics HTTP/1.1\r\nHost: {host}\r\n{said}Connection: close\r\n\r\n"
        ))
    };
    let refused = with("");
    assert!(refused.starts_with("HTTP/1.1 401") && refused.contains("www-authenticate: Basic"));
    assert!(with("Authorization: Bearer wrong\r\n").starts_with("HTTP/1.1 401"));
    assert!(with("Authorization: Bearer open sesame\r\n").starts_with("HTTP/1.1 200"));
}

#[test]
fn a_browser_finds_a_unit_by_its_certificate_and_a_bar_leads_to_its_units() {
    let history = History::whole();
    let (view, browser) = (View::of(&history), Browser::new());
    let story = history.json("unit show TH200-00000002 --json");
    let number = story["certificates"][0]["certificate_sn"].as_str().unwrap();
    browser.open(&view.url);
    assert_eq!(
        browser.name_of("input[type=search]"),
        "Serial, client id, certificate, fingerprint or device"
    );
    assert_eq!(browser.name_of("article.slot"), "Slot A");
    browser.write("input[type=search]", &format!("{number}\u{e007}"));
    browser.wait_until("document.title.includes('TH200-00000002')");
    assert!(browser.text().contains("Found by its certificate number"), "{}", browser.text());
    browser.open(&format!("{}report/shift?name=night&date=2025-10-25", view.url));
    browser.click("td.drawn a[href='#code-E-DEV-TIMEOUT']");
    browser.click(":target tbody td a");
    browser.wait_until("location.pathname.startsWith('/unit/')");
    assert!(browser.text().contains("A device did not answer in time"));
    for page in ["", "report/day?date=2025-10-26", "orders", &format!("report/work-order/{ORDER}")]
    {
        browser.open(&format!("{}{page}", view.url));
        browser.fits(PHONE);
        browser.fits(WALL);
        let elsewhere: Vec<String> =
            browser.loaded_from().into_iter().filter(|name| !name.starts_with(&view.url)).collect();
        assert!(elsewhere.is_empty(), "{elsewhere:?}");
    }
}

#[test]
fn the_view_follows_a_line() {
    let dir = tempfile::tempdir().unwrap();
    let factory = watched(&dir.path().join("station"));
    let station = |line: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_station"));
        command.arg("--config").arg(factory.config()).args(line.split_whitespace());
        command
    };
    let labels = dir.path().join("labels.txt");
    std::fs::write(&labels, "A\tTH200-00000001\n").unwrap();
    let first = station(&format!("batch --serials {}", labels.display())).output().unwrap();
    assert!(first.status.success(), "{}", String::from_utf8_lossy(&first.stderr));
    let view = View::at(&mut station("view --listen 127.0.0.1:0 --json"));
    let browser = Browser::new();
    browser.open(&view.url);
    let text = browser.text();
    assert!(text.contains("TH200-00000001") && text.contains("PASS"), "{text}");
    assert!(text.contains("No line runs."), "{text}");
    // Who comes by the keyboard can go past the links that every page has, and stays where he is
    // when the page changes.
    browser.write("body", "\u{e004}");
    assert_eq!(browser.script("return document.activeElement.innerText"), "Skip to the page");
    browser.script("document.querySelector('article.slot a').focus()");
    // A line that runs, and takes labels for as long as somebody may write some.
    let mut line = station("batch --serials -");
    let mut line = line.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    let mut hand = line.stdin.take().unwrap();
    let tile = |name: &str, count: u32| {
        let shown = format!("document.querySelector('.tile.{name} dd').innerText === '{count}'");
        format!("document.querySelector('.tile.{name}') && {shown}")
    };
    // It passes through "under way" on its way there.
    hand.write_all(b"A\tTH200-00000002\nB\tTH200-00000003\nC\tTH200-00000004\n").unwrap();
    browser.wait_until(&tile("pass", 4));
    assert!(browser.text().contains("TH200-00000002"));
    hand.write_all(b"C\tTH200-00000005\n").unwrap();
    browser.wait_until(&tile("fail", 1));
    hand.write_all(b"D\tTH200-00000006\n").unwrap();
    browser.wait_until("document.querySelector('article.slot.busy')");
    assert!(!browser.text().contains("No line runs."), "{}", browser.text());
    let focused = "return document.activeElement.closest('article')?.ariaLabel ?? null";
    assert_eq!(browser.script(focused), "Slot A");
    assert_eq!(browser.script("return document.getElementById('gone').hidden"), true);
    browser.picture(Window { height: 620, ..LAPTOP }, &gallery("view.png"));
    browser.picture(Window { height: 1080, width: 1920, dark: true }, &gallery("view-wall.png"));
    drop(hand);
    line.wait().unwrap();
    browser.wait_until(&tile("pass", 5));
    drop(view);
    browser.wait_until("!document.getElementById('gone').hidden");
}

/// Four slots: in C the second device signs with another key, and D takes its time, so that
/// something is under way for as long as a picture takes.
fn watched(dir: &Path) -> Factory {
    Factory::lay_out_with(Some(dir), 16, 4, &mut |name, options| match name {
        "C" => options.faults = FaultSpec::parse("lie-key@2").unwrap(),
        "D" => options.timings.chunk = Duration::from_millis(1_500),
        _ => {}
    })
    .unwrap()
}

#[test]
fn with_a_token_and_tls_others_may_look() {
    let history = History::whole();
    let dir = history.dir();
    let openssl = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 \
         -subj /CN=line-1.example -keyout view.key -out view.pem";
    let made = Command::new("openssl").current_dir(&dir).args(openssl.split_whitespace()).output();
    assert!(made.unwrap().status.success());
    std::fs::write(dir.join("view.token"), "open sesame\n").unwrap();
    for name in ["view.key", "view.token"] {
        let private = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        std::fs::set_permissions(dir.join(name), private).unwrap();
    }
    let toml = std::fs::read_to_string(dir.join("station.toml")).unwrap();
    let section = "\n[view]\nlisten = \"0.0.0.0:0\"\ntoken_file = \"view.token\"\n\
         certificate = \"view.pem\"\nkey = \"view.key\"\n";
    std::fs::write(dir.join("station.toml"), toml + section).unwrap();
    let view = View::at(&mut history.command("view --json"));
    let port = view.url.trim_end_matches('/').rsplit(':').next().unwrap().to_owned();
    assert!(view.url.starts_with("https://"), "{}", view.url);
    let ask = |said: &str| {
        let request = format!(
            "GET /metrics HTTP/1.1\r\nHost: line-1.example\r\n{said}Connection: close\r\n\r\n"
        );
        let mut client = Command::new("openssl")
            .args(["s_client", "-quiet", "-no_ign_eof", "-connect", &format!("127.0.0.1:{port}")])
            .args(["-CAfile", &dir.join("view.pem").display().to_string(), "-verify_return_error"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        client.stdin.as_ref().unwrap().write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        client.stdout.take().unwrap().read_to_string(&mut answer).unwrap();
        client.wait().unwrap();
        answer
    };
    assert!(ask("").starts_with("HTTP/1.1 401"));
    let answer = ask("Authorization: Bearer open sesame\r\n");
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("# EOF\n"), "{answer}");
    // A key that others can read is no secret.
    let readable = std::os::unix::fs::PermissionsExt::from_mode(0o644);
    std::fs::set_permissions(dir.join("view.key"), readable).unwrap();
    let refused = history.command("view --json").output().unwrap();
    assert!(String::from_utf8_lossy(&refused.stderr).contains("E-SECRET-MODE"), "{refused:?}");
}

#[test]
fn a_crowd_from_one_address_finds_no_more_places_than_there_are() {
    let history = History::whole();
    let view = View::of(&history);
    let held: Vec<TcpStream> =
        (0..32).map(|_| TcpStream::connect(view.address()).unwrap()).collect();
    let mut one_more = TcpStream::connect(view.address()).unwrap();
    let mut nothing = Vec::new();
    // Closed at once: there is nothing to read, and maybe nobody who says so.
    let _ = one_more.read_to_end(&mut nothing);
    assert!(nothing.is_empty());
    drop(held);
    // Places are given back as their connections end.
    while TcpStream::connect(view.address()).is_ok_and(|mut stream| {
        let request = "GET /style.css HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
        let mut answer = String::new();
        stream.write_all(request.as_bytes()).is_err()
            || stream.read_to_string(&mut answer).is_err()
            || !answer.starts_with("HTTP/1.1 200")
    }) {}
}
