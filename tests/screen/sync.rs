//! A sync that is started at the screen, against the emulated cloud.

use std::fs::{self, OpenOptions, Permissions};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;

use provisioning_station::pki::certificate_pem;
use provisioning_station::sim::cloud::{Options, SimulatedCloud, start};

use super::works::{Works, label};

/// The emulation's credentials, as its help tells them.
const CREDENTIALS: [(&str, &str); 2] =
    [("secret-id", "AKIDemulatedcloud"), ("secret-key", "for-the-emulated-cloud-alone")];

/// A factory whose units go to this cloud, which knows its CA.
fn works_with(cloud: &SimulatedCloud) -> Works {
    let works = Works::new(&["A"], "any");
    for (name, secret) in CREDENTIALS {
        fs::write(works.path(name), secret).unwrap();
        fs::set_permissions(works.path(name), Permissions::from_mode(0o600)).unwrap();
    }
    let mut file = OpenOptions::new().append(true).open(works.path("station.toml")).unwrap();
    write!(
        file,
        "[cloud]\nendpoint = \"{}\"\nregion = \"ap-guangzhou\"\ninstance_id = \"mqtt-emulated\"\n\
         secret_id_file = \"secret-id\"\nsecret_key_file = \"secret-key\"\n",
        cloud.url()
    )
    .unwrap();
    works.succeeds(&["authority", "register"]);
    works
}

#[test]
fn a_sync_is_started_shown_and_tells_what_failed_and_why() {
    let cloud = start(Options::default()).unwrap();
    let works = works_with(&cloud);
    let _devices = works.devices("A", &["--units", "3"]);
    let screen = works.screen((120, 40), "");
    for number in 1..=3 {
        screen.scans(&label(number));
        screen.wait_until("it is proven", |_| {
            let units = works.json(&["unit", "list", "--state", "proven"]);
            units.iter().any(|unit| unit["serial"] == label(number).as_str())
        });
    }
    // Somebody else has registered the second one's serial number.
    let reader = provisioning_station::ledger::Reader::open(&works.path("data"), None).unwrap();
    let taken = reader.outbox(0, 9).unwrap()[1].sn;
    let key = rcgen::KeyPair::generate().unwrap();
    let mut foreign = rcgen::CertificateParams::new(Vec::new()).unwrap();
    foreign.serial_number = Some(rcgen::SerialNumber::from_slice(taken.as_bytes()));
    let foreign = certificate_pem(foreign.self_signed(&key).unwrap().der()).unwrap();
    cloud.plant(&foreign, "somebody", false).unwrap();

    screen.keys(&["F5"]);
    screen.wait_for("waits");
    screen.keys(&["C-o"]);
    screen.wait_for("Start a sync");
    // A menu takes keys only some time after it was drawn.
    screen.confirm_until("The last sync: 2 done, 1 failed", |shown| shown.contains("Start a sync"));
    screen.wait_for("E-CLOUD-CONFLICT");
    let shown = screen.wait_for(&label(2));
    assert!(shown.contains("conflict"), "{shown}");
    screen.leave();
    works.holds(&[(1, "registered"), (2, "proven"), (3, "registered")]);
}
