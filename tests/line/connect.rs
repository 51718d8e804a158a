//! The last proof: a device that connects to the station's own broker with what it holds.

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use provisioning_station::broker::Identity;
use provisioning_station::pki::{pkcs8_of, read_certificates};

use super::support::connecting::{Application, give_broker};
use super::support::factory::station;
use super::support::keys::files_under;
use super::support::zephyr::{Zephyr, program};
use super::support::{Factory, LONG, Process, label, labels, named};

/// A factory with a broker of its own, where devices are waited for this long.
pub(super) fn with_a_broker(within: &str) -> (Factory, SocketAddr) {
    let mut factory = Factory::usual();
    let address = give_broker(&mut factory, within);
    (factory, address)
}

#[test]
fn a_device_that_connects_under_its_client_id_has_shown_it() {
    let (factory, address) = with_a_broker("60s");
    let _device = factory.devices("A", 1);
    let _application = Application::of_simulated(&factory, address, "TH200-00000001");
    let unit = factory.batch(&labels(1)).expect(0).unit(&label(1));
    assert_eq!((&unit["outcome"], &unit["proof"]), (&"pass".into(), &"connect".into()));
    assert_eq!(factory.show(&label(1))["attempts"][0]["proof"], "connect");
    factory.verify();
}

#[test]
fn a_device_that_does_not_connect_is_no_pass_until_it_does() {
    let (factory, address) = with_a_broker("1s");
    let device = factory.devices("A", 1);
    let unit = factory.batch(&labels(1)).expect(1).unit(&label(1));
    assert_eq!((&unit["outcome"], &unit["code"]), (&"fail".into(), &"E-DEV-CONNECT".into()));
    assert_eq!(unit["step"], "prove");
    drop(device);
    let _device = factory.put_back("A", 1);
    factory.change("within = \"1s\"", "within = \"60s\"");
    let _application = Application::of_simulated(&factory, address, "TH200-00000001");
    let unit = factory.batch(&labels(1)).expect(0).unit(&label(1));
    assert_eq!((&unit["outcome"], &unit["proof"]), (&"pass".into(), &"connect".into()));
    assert_eq!(factory.ledger().certificates().len(), 1, "it was not burned again");
    factory.verify();
}

#[test]
fn a_device_that_connects_under_another_client_id_is_no_pass() {
    let (factory, address) = with_a_broker("60s");
    let _device = factory.devices("A", 1);
    let _application = Application::of_simulated(&factory, address, "somebody-else");
    let unit = factory.batch(&labels(1)).expect(1).unit(&label(1));
    assert_eq!((&unit["outcome"], &unit["code"]), (&"fail".into(), &"E-DEV-PROOF".into()));
    assert!(factory.ledger().in_state("proven").is_empty());
}

#[test]
fn another_device_that_connects_under_the_units_client_id_is_no_proof_of_it() {
    let (factory, address) = with_a_broker("1s");
    let devices = factory.devices("A", 1);
    let application = Application::of_simulated(&factory, address, "TH200-00000002");
    factory.change("within = \"1s\"", "within = \"60s\"");
    let other = label(2);
    factory.batch(&(other.clone() + "\n")).expect(0);
    drop((application, devices));
    factory.change("within = \"60s\"", "within = \"1s\"");
    // It holds a certificate of the same CA, and gives itself another name.
    let _liar = Application::of_simulated(&factory, address, "TH200-00000001");
    let _device = factory.another_device("A");
    let unit = factory.batch(&labels(1)).expect(1).unit(&label(1));
    assert_eq!((&unit["outcome"], &unit["code"]), (&"fail".into(), &"E-DEV-CONNECT".into()));
    assert_eq!(factory.show(&other)["state"], "proven");
}

/// What a device of Zephyr keeps, taken out of its flash.
fn in_flash(flash: &Path) -> Option<Identity> {
    const HEAD: [u8; 7] = [0x30, 0x31, 0x02, 0x01, 0x01, 0x04, 0x20];
    const END: &[u8] = b"-----END CERTIFICATE-----\n";
    let bytes = fs::read(flash).ok()?;
    let find = |text: &[u8]| bytes.windows(text.len()).position(|window| window == text);
    let scalar = bytes.get(find(&HEAD)? + HEAD.len()..)?.first_chunk::<32>()?;
    // The roots are PEM too: the client's is the one that has its client id.
    let mut at = 0;
    while let Some(begin) =
        bytes[at..].windows(27).position(|w| w == b"-----BEGIN CERTIFICATE-----")
    {
        let begin = at + begin;
        let end = begin + bytes[begin..].windows(END.len()).position(|window| window == END)?;
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), &bytes[begin..end + END.len()]).unwrap();
        if let Ok(certificates) = read_certificates(file.path())
            && certificates[0].windows(14).any(|window| window == b"TH200-00000001")
        {
            return Some(Identity { certificates, key: pkcs8_of(scalar)? });
        }
        at = end;
    }
    None
}

#[test]
fn a_family_that_can_not_sign_reaches_possession_by_connecting() {
    let (factory, address) = with_a_broker("60s");
    factory.change("port = \"slot-A\"", "port = \"slot-A\"\ndriver = \"smp\"");
    let Some(program) = program("serial_fs") else { return };
    let flash = factory.path("flash.bin");
    let _device = Zephyr::boot(&program, &flash, &factory.port("A"));
    let kept = flash.clone();
    let _application =
        Application::start(&factory, address, "TH200-00000001", move || in_flash(&kept));
    let unit = factory.batch(&named("A", 1)).expect(0).unit(&label(1));
    assert_eq!((&unit["outcome"], &unit["proof"]), (&"pass".into(), &"connect".into()));
    factory.verify();
}

/// A SIMCom modem in the slot, in a process of its own, and a slot that takes it.
fn simcom(factory: &Factory, fault: &str) -> Process {
    factory.change("port = \"slot-A\"", "port = \"slot-A\"\ndriver = \"at\"");
    let mut command = station();
    command.args(["--json", "sim", "modem", "--kind", "simcom", "--stay", "--baud", "0", "--link"]);
    command.arg(factory.port("A")).arg("--state").arg(factory.path("modems"));
    command.args(["--fault", fault]);
    let mut process = Process::start(command);
    assert_eq!(process.event(LONG).unwrap()["event"], "ready");
    process
}

/// What the modem below that folder holds, as its own TLS would read it.
fn in_modem(modems: &Path) -> Option<Identity> {
    let files = files_under(modems, &[]);
    let file = files.iter().find(|file| file.extension().is_some_and(|end| end == "modem"))?;
    let kept: serde_json::Value = serde_json::from_slice(&fs::read(file).ok()?).ok()?;
    let item = |name: &str| STANDARD.decode(kept["items"][name].as_str()?).ok();
    let certificate = tempfile::NamedTempFile::new().ok()?;
    fs::write(certificate.path(), item("cert.pem")?).ok()?;
    let certificates = read_certificates(certificate.path()).ok()?;
    let text = String::from_utf8(item("key.pem")?).ok()?;
    let text = text.strip_suffix("-----END PRIVATE KEY-----\n")?;
    let body: String = text.lines().filter(|line| !line.starts_with('-')).collect();
    let der = STANDARD.decode(body).ok()?;
    Some(Identity { certificates, key: pkcs8_of(der.get(36..68)?.try_into().ok()?)? })
}

#[test]
fn a_modem_whose_store_shows_nothing_is_proven_by_its_connection() {
    let (factory, address) = with_a_broker("60s");
    let _modem = simcom(&factory, "");
    let modems = factory.path("modems");
    let _application =
        Application::start(&factory, address, "TH200-00000001", move || in_modem(&modems));
    let unit = factory.batch(&named("A", 1)).expect(0).unit(&label(1));
    assert_eq!((&unit["outcome"], &unit["proof"]), (&"pass".into(), &"connect".into()));
    factory.verify();
}

#[test]
fn one_that_stored_half_a_key_is_never_a_pass() {
    let (factory, address) = with_a_broker("2s");
    let _modem = simcom(&factory, "torn-write=1");
    let modems = factory.path("modems");
    let _application =
        Application::start(&factory, address, "TH200-00000001", move || in_modem(&modems));
    let unit = factory.batch(&named("A", 1)).unit(&label(1));
    assert_eq!((&unit["outcome"], &unit["code"]), (&"fail".into(), &"E-DEV-CONNECT".into()));
    assert!(factory.ledger().in_state("proven").is_empty());
}

#[test]
fn a_broker_that_can_not_start_stops_the_line_at_once() {
    let (mut factory, address) = with_a_broker("1s");
    let taken = TcpListener::bind(address).unwrap();
    let refused = factory.batch(&labels(1)).expect_error(1, "E-BROKER-START");
    assert!(refused.errors.contains(&address.to_string()), "{}", refused.story());
    drop(taken);
    factory.set("STATION_CONNECT_PASSPHRASE", "another");
    let refused = factory.batch(&labels(1)).expect_error(1, "E-BROKER-START");
    assert!(!refused.errors.contains("another"), "{}", refused.story());
    factory.set("STATION_CONNECT_PASSPHRASE", "");
    factory.batch(&labels(1)).expect_error(7, "E-SECRET-MISSING");
}
