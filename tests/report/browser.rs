//! Debian's chromium, driven as WebDriver says: what a page shows, and how it looks.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

/// How a page is looked at.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Window {
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) dark: bool,
}

/// A browser with a profile of its own; it ends when this is dropped.
pub(crate) struct Browser {
    driver: Child,
    port: u16,
    session: String,
    _profile: tempfile::TempDir,
}

impl Browser {
    pub(crate) fn new() -> Self {
        let profile = tempfile::tempdir().unwrap();
        let mut driver = Command::new("chromedriver")
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromium-driver is installed");
        let port = port_of(&mut driver);
        let mut browser = Self { driver, port, session: String::new(), _profile: profile };
        let folder = format!("--user-data-dir={}", browser._profile.path().display());
        let options = json!({ "args": [
            // No sandbox: tests run as root. Nothing of its own leaves the machine.
            "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
            "--disable-background-networking", "--disable-component-update", "--no-first-run",
            "--disable-sync", "--hide-scrollbars", "--disable-extensions", folder,
        ] });
        let capabilities = json!({ "capabilities": { "alwaysMatch": {
            "browserName": "chrome", "goog:chromeOptions": options, "acceptInsecureCerts": true,
        } } });
        let made = browser.call("POST", "/session", &capabilities);
        browser.session = made["sessionId"].as_str().unwrap().to_owned();
        browser
    }

    /// One call of the driver; what it answers.
    fn call(&self, method: &str, path: &str, body: &Value) -> Value {
        let body = if method == "GET" { String::new() } else { body.to_string() };
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
        let mut answer = BufReader::new(stream);
        let mut length = 0;
        loop {
            let mut line = String::new();
            answer.read_line(&mut line).unwrap();
            let lower = line.to_ascii_lowercase();
            if let Some(value) = lower.strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
            if line.trim().is_empty() {
                break;
            }
        }
        let mut bytes = vec![0; length];
        answer.read_exact(&mut bytes).unwrap();
        let answer: Value = serde_json::from_slice(&bytes).unwrap();
        assert!(answer["value"]["error"].is_null(), "{method} {path}: {answer}");
        answer["value"].clone()
    }

    fn post(&self, path: &str, body: &Value) -> Value {
        self.call("POST", &format!("/session/{}{path}", self.session), body)
    }

    fn get(&self, path: &str) -> Value {
        self.call("GET", &format!("/session/{}{path}", self.session), &Value::Null)
    }

    /// Opens a page, and waits until it is loaded.
    pub(crate) fn open(&self, address: &str) {
        self.post("/url", &json!({ "url": address }));
    }

    /// What a piece of script gives.
    pub(crate) fn script(&self, script: &str) -> Value {
        self.post("/execute/sync", &json!({ "script": script, "args": [] }))
    }

    /// Waits until a piece of script gives true.
    pub(crate) fn wait_until(&self, script: &str) {
        let timeouts = json!({ "script": 60_000 });
        self.post("/timeouts", &timeouts);
        let asked = format!(
            "const done = arguments[0]; const look = () => ({script}) ? done(true)
                : requestAnimationFrame(look); look();"
        );
        self.post("/execute/async", &json!({ "script": asked, "args": [] }));
    }

    /// The text that a person reads.
    pub(crate) fn text(&self) -> String {
        self.script("return document.body.innerText").as_str().unwrap().to_owned()
    }

    fn element(&self, selector: &str) -> String {
        let found = self.post("/element", &json!({ "using": "css selector", "value": selector }));
        found.as_object().unwrap().values().next().unwrap().as_str().unwrap().to_owned()
    }

    pub(crate) fn click(&self, selector: &str) {
        let element = self.element(selector);
        self.post(&format!("/element/{element}/click"), &json!({}));
    }

    /// Types into an element; `\u{e007}` is Enter.
    pub(crate) fn write(&self, selector: &str, text: &str) {
        let element = self.element(selector);
        self.post(&format!("/element/{element}/value"), &json!({ "text": text }));
    }

    /// What a screen reader calls an element.
    pub(crate) fn name_of(&self, selector: &str) -> String {
        let element = self.element(selector);
        self.get(&format!("/element/{element}/computedlabel")).as_str().unwrap().to_owned()
    }

    /// Looks through a window of this size.
    pub(crate) fn resize(&self, window: Window) {
        let Window { width, height, dark } = window;
        let metrics = json!({
            "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false,
        });
        self.command("Emulation.setDeviceMetricsOverride", &metrics);
        let scheme = if dark { "dark" } else { "light" };
        let media = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
        self.command("Emulation.setEmulatedMedia", &media);
    }

    /// A command of the browser's own protocol.
    fn command(&self, name: &str, parameters: &Value) -> Value {
        self.post("/goog/cdp/execute", &json!({ "cmd": name, "params": parameters }))
    }

    /// A picture of what the window shows.
    pub(crate) fn picture(&self, window: Window, out: &Path) {
        self.resize(window);
        let picture = self.get("/screenshot");
        std::fs::write(out, BASE64_STANDARD.decode(picture.as_str().unwrap()).unwrap()).unwrap();
    }

    /// Whether nothing sticks out of a window of this width.
    pub(crate) fn fits(&self, window: Window) {
        self.resize(window);
        let wide = self.script("return document.documentElement.scrollWidth").as_u64().unwrap();
        assert!(wide <= u64::from(window.width), "{wide} in a window of {}", window.width);
    }

    /// The page on paper, as a PDF.
    pub(crate) fn paper(&self, out: &Path) {
        let page = json!({ "page": { "width": 21.0, "height": 29.7 } });
        let printed = self.post("/print", &page);
        std::fs::write(out, BASE64_STANDARD.decode(printed.as_str().unwrap()).unwrap()).unwrap();
    }

    /// Where everything came from that the page has loaded.
    pub(crate) fn loaded_from(&self) -> Vec<String> {
        let names = "return performance.getEntriesByType('resource').map((entry) => entry.name)";
        let names = self.script(names);
        names.as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned()).collect()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let session = format!("/session/{}", self.session);
        if !self.session.is_empty() && !std::thread::panicking() {
            self.call("DELETE", &session, &json!({}));
        }
        // It has nothing more to do; the browser went with its session.
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

/// The port that the driver says it has.
fn port_of(driver: &mut Child) -> u16 {
    let mut lines = BufReader::new(driver.stdout.take().unwrap()).lines();
    let line = lines
        .find_map(|line| line.ok().filter(|line| line.contains("successfully on port")))
        .unwrap();
    // What it says later is read by nobody, and must not block it.
    std::thread::spawn(move || lines.for_each(drop));
    let port = line.rsplit("on port ").next().unwrap();
    port.trim_end_matches('.').trim().parse().unwrap()
}

/// A file as an address.
pub(crate) fn address_of(path: &Path) -> String {
    format!("file://{}", path.display())
}

/// Where pictures are left to be looked at: with `UPDATE_PICTURES` those of the docs.
pub(crate) fn gallery(name: &str) -> PathBuf {
    let update = std::env::var_os("UPDATE_PICTURES").is_some();
    let folder = if update { "docs/pictures" } else { "target/pictures" };
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    std::fs::create_dir_all(&folder).unwrap();
    folder.join(name)
}
