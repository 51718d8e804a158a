//! Debian's chromium without a screen: what a page says, and how it looks.

use std::path::{Path, PathBuf};
use std::process::Command;

/// How a page is looked at.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Window {
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) dark: bool,
}

/// A browser with a profile of its own.
pub(crate) struct Browser {
    profile: tempfile::TempDir,
}

impl Browser {
    pub(crate) fn new() -> Self {
        Self { profile: tempfile::tempdir().unwrap() }
    }

    fn command(&self) -> Command {
        let mut command = Command::new("chromium");
        // No sandbox: tests run as root. Nothing of its own leaves the machine.
        command.args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]);
        command.args(["--disable-background-networking", "--disable-component-update"]);
        command.args(["--no-first-run", "--disable-sync", "--hide-scrollbars", "--lang=en"]);
        command.args(["--disable-extensions", "--no-default-browser-check"]);
        command.arg(format!("--user-data-dir={}", self.profile.path().display()));
        command
    }

    /// The document as it stands when the page is loaded.
    pub(crate) fn document(&self, address: &str) -> String {
        let output = self.command().args(["--dump-dom", address]).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// A picture of the page.
    pub(crate) fn picture(&self, address: &str, window: Window, out: &Path) {
        let Window { width, height, dark } = window;
        let mut command = self.command();
        command.arg(format!("--window-size={width},{height}"));
        command.arg(format!("--screenshot={}", out.display()));
        if dark {
            command.arg("--blink-settings=preferredColorScheme=0");
        }
        let output = command.arg(address).output().unwrap();
        assert!(out.exists(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    /// The page on paper.
    pub(crate) fn paper(&self, address: &str, out: &Path) {
        let mut command = self.command();
        command.arg("--no-pdf-header-footer").arg(format!("--print-to-pdf={}", out.display()));
        let output = command.arg(address).output().unwrap();
        assert!(out.exists(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

/// A file as an address.
pub(crate) fn address_of(path: &Path) -> String {
    format!("file://{}", path.display())
}

/// Where pictures are left to be looked at.
pub(crate) fn gallery() -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/pictures");
    std::fs::create_dir_all(&folder).unwrap();
    folder
}
