//! A token of SoftHSM2 in a directory of its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::Factory;

/// The token's label.
pub(crate) const LABEL: &str = "line-1";
/// The user PIN, which protects nothing.
pub(crate) const PIN: &str = "482915";

/// Where Debian has the module.
const MODULES: [&str; 2] =
    ["/usr/lib/softhsm/libsofthsm2.so", "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so"];

/// Where the token's files are.
pub(crate) struct Token {
    folder: PathBuf,
}

impl Token {
    /// Makes a token and points the factory's authority to a key in it, which is not made.
    pub(crate) fn for_factory(factory: &mut Factory) -> Self {
        let token = Self::new(&factory.path("hsm"));
        factory.set("SOFTHSM2_CONF", token.config());
        factory.set("STATION_PKCS11_PIN", PIN);
        factory.change(
            "kind = \"file\"\ncertificate = \"ca.pem\"\nkey = \"ca.key\"",
            &format!(
                "kind = \"pkcs11\"\ncertificate = \"token-ca.pem\"\n\
                 module = \"{}\"\ntoken_label = \"{LABEL}\"\nkey_label = \"ca\"",
                module()
            ),
        );
        token
    }

    fn new(folder: &Path) -> Self {
        let token = Self { folder: folder.to_owned() };
        fs::create_dir_all(token.files()).unwrap();
        let config = format!(
            "directories.tokendir = {}\nobjectstore.backend = file\nlog.level = ERROR\n",
            token.files().display()
        );
        fs::write(token.config(), config).unwrap();
        token.initialise(LABEL);
        token
    }

    /// Makes another token beside.
    pub(crate) fn initialise(&self, label: &str) {
        let made = Command::new("softhsm2-util")
            .env("SOFTHSM2_CONF", self.config())
            .args(["--init-token", "--free", "--label", label, "--pin", PIN, "--so-pin", "73519"])
            .output()
            .expect("softhsm2-util, of the package softhsm2");
        assert!(made.status.success(), "{made:?}");
    }

    /// The serial numbers of the tokens, in no order.
    pub(crate) fn serials(&self) -> Vec<String> {
        let shown = Command::new("softhsm2-util")
            .env("SOFTHSM2_CONF", self.config())
            .arg("--show-slots")
            .output()
            .unwrap();
        let text = String::from_utf8(shown.stdout).unwrap();
        let serials = text.lines().filter_map(|line| line.trim().strip_prefix("Serial number:"));
        serials.map(|serial| serial.trim().to_owned()).filter(|serial| !serial.is_empty()).collect()
    }

    /// Puts a key of a file into the token, its id `0a`.
    pub(crate) fn import(&self, file: &str, label: &str) {
        let arguments = ["--import", file, "--token", LABEL, "--label", label, "--id", "0a"];
        let imported = Command::new("softhsm2-util")
            .env("SOFTHSM2_CONF", self.config())
            .args(arguments)
            .args(["--pin", PIN])
            .output()
            .unwrap();
        assert!(imported.status.success(), "{imported:?}");
    }

    pub(crate) fn config(&self) -> PathBuf {
        self.folder.join("softhsm2.conf")
    }

    fn files(&self) -> PathBuf {
        self.folder.join("tokens")
    }

    /// Draws the token: its files are gone.
    pub(crate) fn draw(&self) {
        fs::rename(self.files(), self.folder.join("drawn")).unwrap();
        fs::create_dir(self.files()).unwrap();
    }

    /// The directory itself is gone, as when its medium is not mounted: the module can't start.
    pub(crate) fn unmount(&self) {
        fs::rename(self.files(), self.folder.join("drawn")).unwrap();
    }

    /// Puts it back.
    pub(crate) fn put_back(&self) {
        let _ = fs::remove_dir(self.files());
        fs::rename(self.folder.join("drawn"), self.files()).unwrap();
    }
}

pub(crate) fn module() -> &'static str {
    MODULES.into_iter().find(|path| Path::new(path).exists()).expect("SoftHSM2's module")
}
