//! Nordic's own tools, unmodified, at the simulated nRF91: they provision it, read it, and agree
//! with the station about what it holds.
//!
//! They come from PyPI in the versions of `judges.txt`, once, into `target/nordic`. Where they
//! can't be had, the tests that need them say so and pass, unless `STATION_NORDIC=required`,
//! which `tests/run` sets.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use super::bench::{Modems, NRF91, factory, newest};
use super::support::openssl::openssl;
use super::support::{Factory, label, labels};

fn here(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// Where the tools are.
#[allow(clippy::print_stderr, reason = "a test that is left out says so")]
fn tools() -> Option<&'static Path> {
    static TOOLS: OnceLock<Option<PathBuf>> = OnceLock::new();
    let found = TOOLS.get_or_init(|| {
        let installed = here("target/nordic");
        // Whole or not at all.
        let problem = if installed.exists() { None } else { install(&installed).err() };
        let is_required = std::env::var_os("STATION_NORDIC").is_some_and(|word| word == "required");
        assert!(problem.is_none() || !is_required, "Nordic's tools are not there: {problem:?}");
        match problem {
            None => Some(installed),
            Some(why) => {
                eprintln!("left out: Nordic's tools can't be had: {why}");
                None
            }
        }
    });
    found.as_deref()
}

fn install(into: &Path) -> Result<(), String> {
    let draft = tempfile::tempdir_in(here("target")).map_err(|error| error.to_string())?;
    let place = draft.path().join("nordic");
    let text = |path: &Path| path.to_str().unwrap().to_owned();
    let packages = text(&place.join("packages"));
    let judges = text(&here("tests/modems/judges.txt"));
    let pip = ["-m", "pip", "install", "-q", "--disable-pip-version-check", "--no-deps"];
    done(Command::new("python3").args(pip).args(["--target", &packages, "-r", &judges]))?;
    let site = Path::new(&packages).join("sitecustomize.py");
    fs::copy(here("tests/modems/ports.py"), site).map_err(|error| error.to_string())?;
    fs::rename(place, into).map_err(|error| error.to_string())
}

fn done(command: &mut Command) -> Result<(), String> {
    let output = command.output().map_err(|error| error.to_string())?;
    match output.status.success() {
        true => Ok(()),
        false => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
    }
}

/// Runs one of the tools over a modem; what it says.
#[track_caller]
fn tool(tools: &Path, factory: &Factory, module: &str, arguments: &[&str]) -> String {
    let run = format!("from {module} import run; import sys; sys.exit(run())");
    let output = Command::new("python3")
        .args(["-c", &run])
        .args(arguments)
        .env("PYTHONPATH", tools.join("packages"))
        .env("MODEM_PORTS", factory.port("A"))
        .current_dir(factory.path(""))
        .output()
        .unwrap();
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    assert!(output.status.success(), "{module} {arguments:?}: {said}");
    said
}

const INSTALLER: &str = "nrfcloud_utils.device_credentials_installer";
const CREDSTORE: &str = "nrfcredstore.cli";

fn port(factory: &Factory) -> String {
    factory.port("A").to_str().unwrap().to_owned()
}

fn sha256(text: &str) -> String {
    use sha2::{Digest, Sha256};
    Sha256::digest(text).iter().map(|byte| format!("{byte:02X}")).collect()
}

#[test]
fn nordics_installer_provisions_and_verifies_a_simulated_modem() {
    let Some(tools) = tools() else { return };
    let factory = factory(NRF91, 1);
    let modems = Modems::plug(&factory, NRF91, "A", &["--stay"]);
    let at = |name: &str| factory.path(name).to_str().unwrap().to_owned();
    openssl(&["ecparam", "-genkey", "-name", "prime256v1", "-noout", "-out", &at("their.key")]);
    let made = ["req", "-x509", "-key", &at("their.key"), "-subj", "/CN=Theirs", "-out"];
    openssl(&[&made[..], &[&at("their.pem"), "-days", "30"]].concat());
    for how in [&["--csv", "on-device.csv"][..], &["--csv", "local.csv", "--local-cert"]] {
        let common = ["--port", &port(&factory), "--ca", "their.pem", "--ca-key", "their.key"];
        let further = ["--id-str", "theirs-1", "-d", "--verify", "-P", "--cmd-type", "at"];
        let said = tool(tools, &factory, INSTALLER, &[&common[..], &further, how].concat());
        assert!(said.contains("Credential verification: PASS"), "{said}");
        let flash = modems.flash().remove(0);
        assert!(said.contains(&flash.imei), "{said}");
        fs::write(at("stored.pem"), flash.text(NRF91.certificate).unwrap()).unwrap();
        openssl(&["verify", "-CAfile", &at("their.pem"), &at("stored.pem")]);
        if how.len() == 2 {
            assert!(said.contains("COSE digest matches payload"), "{said}");
        }
    }
}

#[test]
fn nordics_list_agrees_with_what_the_station_wrote() {
    let Some(tools) = tools() else { return };
    let factory = factory(NRF91, 1);
    let modems = Modems::plug(&factory, NRF91, "A", &["--stay"]);
    factory.batch(&labels(1)).expect(0);
    let flash = modems.flash().remove(0);
    assert!(flash.holds(NRF91, &newest(&factory, &label(1))));
    let said = tool(tools, &factory, CREDSTORE, &[&port(&factory), "imei"]);
    assert!(said.contains(&flash.imei), "{said}");
    let said = tool(tools, &factory, CREDSTORE, &[&port(&factory), "list", "--tag", "16842753"]);
    let parts = [
        ("ROOT_CA_CERT", NRF91.roots),
        ("CLIENT_CERT", NRF91.certificate),
        ("CLIENT_KEY", NRF91.key),
    ];
    for (name, item) in parts {
        let hash = sha256(&flash.text(item).unwrap());
        let line = said.lines().find(|line| line.contains(name)).unwrap_or_default();
        assert!(line.contains(&hash), "{name} {hash}: {said}");
    }
}

#[test]
fn a_modem_that_nordics_tools_provisioned_is_not_taken_for_a_blank_one() {
    let Some(tools) = tools() else { return };
    let factory = factory(NRF91, 1);
    let modems = Modems::plug(&factory, NRF91, "A", &["--stay"]);
    let theirs = factory.path("server-root.pem");
    let write = [&port(&factory), "write", "16842753", "CLIENT_CERT", theirs.to_str().unwrap()];
    tool(tools, &factory, CREDSTORE, &write);
    let unit = factory.batch(&labels(1)).units().remove(0);
    assert_eq!(unit["code"], "E-DEV-UNKNOWN-IDENTITY", "{unit}");
    assert!(modems.flash()[0].text(NRF91.key).is_none());
    tool(tools, &factory, CREDSTORE, &[&port(&factory), "delete", "16842753", "CLIENT_CERT"]);
    factory.batch(&labels(1)).expect(0);
}
