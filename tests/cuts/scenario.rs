//! What is done when the cut comes, and how it goes on afterwards.

use std::path::Path;

use provisioning_station::sim::{FaultSpec, Options};

use super::auditor::model::Model;
use super::printer::NOWHERE;
use super::support::factory::keep_private;
use super::support::older::{BEFORE_ONCE, make_older};
use super::world::World;

/// The one unit of every scenario.
pub(crate) const SERIAL: &str = "TH200-00000001";

/// What the station does when it is cut off.
#[derive(Clone, Copy)]
pub(crate) enum Act {
    /// A batch over the unit's label.
    Batch,
    /// Another command.
    Command(&'static [&'static str]),
}

/// One thing that can be interrupted.
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    /// Further lines of `[product]`.
    pub(crate) product: &'static str,
    /// What is done before, uncut.
    pub(crate) prepare: fn(&World),
    /// What is special about the devices during the act.
    pub(crate) devices: fn(&mut Options),
    /// Whether something is wrong with the first of them, which is over afterwards.
    pub(crate) faulty: bool,
    pub(crate) act: Act,
    /// What is special about the devices afterwards.
    pub(crate) devices_after: fn(&mut Options),
    /// Which of the slot's devices is presented afterwards.
    pub(crate) presented: u32,
    /// Commands that a person gives before the unit is presented again; ones that are refused
    /// because they were carried out already are no failure.
    pub(crate) orders: &'static [&'static [&'static str]],
    /// Orders without which the station does not start; its device is there.
    pub(crate) first: &'static [&'static [&'static str]],
    /// Whether there is a cloud.
    pub(crate) cloud: bool,
    /// Whether labels go to a printer on the network, which counts them.
    pub(crate) printer: bool,
    /// Whether a device holds what the ledger lost, until the end.
    pub(crate) gap: bool,
    /// Whether everything is as it should be in the end.
    pub(crate) done: fn(&Model) -> bool,
}

const ENROL: &[&str] = &["authority", "register", "--by", "s04"];
const SYNC: &[&str] = &["sync", "--by", "s04"];
const FULL: &[&str] = &["sync", "--full", "--by", "s04"];
const SHIP: &[&str] = &["unit", "ship", SERIAL, "--by", "s04"];
const CRL: &[&str] = &["authority", "crl", "--out", "out.crl", "--by", "s04"];

/// The emulated instance of the cloud, in place of the broker of station.toml; its address is
/// another one each time.
const CLOUD: &str = "[cloud]\nendpoint = \"http://127.0.0.1:9\"\n\
    region = \"ap-guangzhou\"\ninstance_id = \"mqtt-emulated\"\ninitial_status = \"ACTIVE\"\n\n\
    [broker]\nhost = \"mqtt-emulated-gz-public.mqtt.example.com\"";

fn nothing(_: &World) {}

fn sound(_: &mut Options) {}

fn faults(options: &mut Options, text: &str) {
    options.faults = FaultSpec::parse(text).unwrap();
}

/// The unit is proven, and its last attempt but one was not left open.
fn proven(model: &Model) -> bool {
    model.units.get(SERIAL).is_some_and(|unit| unit.proven.is_some() && unit.open.is_none())
}

/// The unit was given more than one certificate in its life, and the last is proven.
fn proven_anew(model: &Model) -> bool {
    proven(model) && model.certificates.len() >= 2
}

/// The unit is proven, and its place of the grant is used up.
fn made_under_a_grant(model: &Model) -> bool {
    proven(model) && model.grants.len() == 1 && model.grants.values().all(|g| g.used.len() == 1)
}

fn any(_: &Model) -> bool {
    true
}

const USUAL: Scenario = Scenario {
    name: "fresh unit",
    product: "",
    prepare: nothing,
    devices: sound,
    faulty: false,
    act: Act::Batch,
    devices_after: sound,
    presented: 1,
    orders: &[],
    first: &[],
    cloud: false,
    printer: false,
    gap: false,
    done: proven,
};

fn provision(world: &World) {
    let device = world.plug(sound);
    world.show_port();
    world.batch(SERIAL, 0);
    world.hide_port();
    drop(device);
    world.take(1);
}

fn provision_with(world: &World, devices: fn(&mut Options)) {
    let device = world.plug(devices);
    world.show_port();
    world.batch(SERIAL, 1);
    world.hide_port();
    drop(device);
    world.take(1);
}

const REWORK: &[&str] = &["unit", "rework", SERIAL, "--reason", "tried", "--by", "s04"];
const VOID: &[&str] = &["unit", "void", SERIAL, "--reason", "tried", "--by", "s04"];
const SCRAP: &[&str] = &["unit", "scrap", SERIAL, "--reason", "tried", "--by", "s04"];
const ORDER: &[&str] = &["work-order", "create", "WO-1", "--quantity", "5", "--by", "s04"];
const TAKE: &[&str] = &["work-order", "take", "wo-1.grant", "--by", "s04"];
const GIVE_BACK: &[&str] =
    &["work-order", "give-back", "WO-1", "--out", "wo-1.back", "--by", "s04"];
/// The file may be there already where the first try was cut off behind it.
const GIVE_BACK_AGAIN: &[&str] =
    &["work-order", "give-back", "WO-1", "--out", "again.back", "--by", "s04"];
const CLOSE: &[&str] = &["work-order", "close", "WO-1", "--by", "s04"];
const CLOCK: &[&str] = &["clock", "accept", "--reason", "tried", "--by", "s04"];
const GAP: &[&str] = &["ledger", "accept-gap", "--reason", "tried", "--by", "s04"];
const REINDEX: &[&str] = &["ledger", "reindex", "--reason", "tried", "--by", "s04"];
const VOUCH: &[&str] = &["ledger", "vouch", "--reason", "tried", "--by", "s04"];
const ADOPT: &[&str] = &["unit", "adopt", "--slot", "A", "--reason", "tried", "--by", "s04"];
const PERSON: &[&str] = &["operator", "add", "p1", "--role", "operator", "--pin-file", "pin"];
const DISABLE: &[&str] = &["operator", "disable", "p1"];
const RESET_PIN: &[&str] = &["operator", "reset-pin", "p1", "--pin-file", "pin"];
const PROFILE: &[&str] = &["work-order", "accept-profile", "WO-1", "--reason", "tried"];
const BY_HAND: &[&str] = &["import-registered", "out.csv", "--by", "s04"];
const PRINT: &[&str] = &["label", "print", SERIAL, "--by", "s04"];
const READ_LABEL: &[&str] = &["label", "read", "--text", SERIAL, "--by", "s04"];
const RESTORE: &[&str] = &["ledger", "restore", "backup.db", "--by", "s04"];

/// A ledger of an older program with a unit in it, which any command that records brings up.
fn age(world: &World) {
    provision(world);
    let ledger = world.data_dir().join("ledger.db");
    make_older(&ledger, BEFORE_ONCE);
}

/// The line at work.
pub(crate) const LINE: &[Scenario] = &[
    USUAL,
    Scenario { name: "presented again", prepare: provision, ..USUAL },
    Scenario {
        name: "rework",
        prepare: |world| {
            provision(world);
            world.run(REWORK, 0);
        },
        done: proven_anew,
        ..USUAL
    },
    Scenario {
        name: "device lost in mid-write",
        devices: |options| faults(options, "unplug=chunk:2@1"),
        faulty: true,
        presented: 2,
        ..USUAL
    },
    Scenario {
        name: "device lost as it commits",
        devices: |options| faults(options, "unplug=commit@1"),
        faulty: true,
        ..USUAL
    },
    Scenario {
        name: "device lost before it finishes",
        devices: |options| faults(options, "unplug=finish@1"),
        faulty: true,
        ..USUAL
    },
    Scenario {
        name: "finished later",
        prepare: |world| provision_with(world, |options| faults(options, "unplug=finish@1")),
        ..USUAL
    },
    Scenario {
        name: "storage full",
        devices: |options| faults(options, "flash-full=512"),
        faulty: true,
        presented: 2,
        ..USUAL
    },
    Scenario {
        name: "another product",
        devices: |options| faults(options, "model=OTHER-9@1"),
        faulty: true,
        product: "model = \"SIM-1\"",
        presented: 2,
        ..USUAL
    },
    Scenario {
        name: "key made on the device",
        product: "key_origin = \"device\"",
        devices: |options| options.keygen = true,
        devices_after: |options| options.keygen = true,
        ..USUAL
    },
    Scenario { name: "label of a pass", prepare: use_labels, ..USUAL },
    Scenario { name: "label on the network", prepare: use_printer, printer: true, ..USUAL },
    Scenario {
        name: "read back",
        product: "required_proof = \"read-back\"",
        devices: |options| faults(options, "no-prove"),
        devices_after: |options| faults(options, "no-prove"),
        ..USUAL
    },
];

/// Prints the label of each unit that passes.
fn use_labels(world: &World) {
    let label = "[label]\nprinter = \"labels\"\nwhen = \"pass\"\n\
        template = '^XA^BQN,2,6^FDQA,{qr}^FS^XZ'\n\n[ledger]";
    world.change("[ledger]", label);
}

/// The same on a printer on the network.
fn use_printer(world: &World) {
    use_labels(world);
    world.change("printer = \"labels\"", &format!("printer = \"{NOWHERE}\""));
}

/// What people do.
pub(crate) const PEOPLE: &[Scenario] = &[
    Scenario {
        name: "label sent",
        prepare: |world| {
            provision(world);
            use_labels(world);
        },
        act: Act::Command(PRINT),
        ..USUAL
    },
    Scenario {
        name: "label scanned",
        prepare: |world| {
            provision(world);
            use_labels(world);
            world.run(PRINT, 0);
        },
        act: Act::Command(READ_LABEL),
        orders: &[READ_LABEL],
        ..USUAL
    },
    Scenario {
        name: "void of an uncertain one",
        prepare: |world| provision_with(world, |options| faults(options, "unplug=commit@1")),
        act: Act::Command(VOID),
        orders: &[VOID],
        done: proven_anew,
        ..USUAL
    },
    Scenario {
        name: "void of a proven one",
        prepare: provision,
        act: Act::Command(VOID),
        orders: &[VOID],
        ..USUAL
    },
    Scenario {
        name: "rework allowed",
        prepare: provision,
        act: Act::Command(REWORK),
        orders: &[REWORK],
        done: proven_anew,
        ..USUAL
    },
    Scenario {
        name: "scrapped",
        prepare: provision,
        act: Act::Command(SCRAP),
        orders: &[SCRAP],
        done: any,
        ..USUAL
    },
    Scenario {
        name: "work order made",
        prepare: provision,
        act: Act::Command(ORDER),
        orders: &[ORDER],
        ..USUAL
    },
    Scenario {
        name: "work order closed",
        prepare: |world| {
            provision(world);
            world.run(ORDER, 0);
        },
        act: Act::Command(CLOSE),
        orders: &[CLOSE],
        ..USUAL
    },
    Scenario {
        name: "grant taken",
        prepare: |world| {
            world.grant();
        },
        act: Act::Command(TAKE),
        first: &[TAKE],
        done: made_under_a_grant,
        ..USUAL
    },
    Scenario {
        name: "grant given back",
        prepare: |world| {
            world.grant();
            world.run(TAKE, 0);
            provision(world);
        },
        act: Act::Command(GIVE_BACK),
        orders: &[GIVE_BACK_AGAIN],
        done: |model| {
            let given = model.grants.values().all(|grant| grant.given_back == 2);
            made_under_a_grant(model) && given
        },
        ..USUAL
    },
    Scenario {
        name: "clock accepted",
        prepare: provision,
        act: Act::Command(CLOCK),
        orders: &[CLOCK],
        ..USUAL
    },
    Scenario {
        name: "ledger restored",
        prepare: |world| {
            back_up(world);
            world.lose_ledger();
        },
        act: Act::Command(RESTORE),
        first: &[RESTORE, GAP],
        ..USUAL
    },
    Scenario {
        name: "gap accepted",
        prepare: |world| {
            back_up(world);
            world.lose_ledger();
            world.run(RESTORE, 0);
        },
        act: Act::Command(GAP),
        first: &[GAP],
        ..USUAL
    },
    Scenario {
        name: "indices made anew",
        prepare: |world| {
            provision(world);
            world.drop_index("units_proven_hardware");
        },
        act: Act::Command(REINDEX),
        first: &[REINDEX],
        ..USUAL
    },
    Scenario {
        name: "ledger vouched for",
        prepare: provision,
        act: Act::Command(VOUCH),
        orders: &[VOUCH],
        ..USUAL
    },
    Scenario {
        name: "device adopted",
        prepare: |world| {
            back_up(world);
            provision(world);
            world.lose_ledger();
            world.run(RESTORE, 0);
            world.run(GAP, 0);
        },
        act: Act::Command(ADOPT),
        first: &[ADOPT],
        gap: true,
        ..USUAL
    },
    Scenario {
        name: "ledger brought up",
        prepare: age,
        act: Act::Command(ORDER),
        first: &[ORDER],
        ..USUAL
    },
    Scenario {
        name: "person added",
        prepare: provide_pin,
        act: Act::Command(PERSON),
        orders: &[PERSON],
        ..USUAL
    },
    Scenario {
        name: "person disabled",
        prepare: |world| {
            provide_pin(world);
            world.run(PERSON, 0);
        },
        act: Act::Command(DISABLE),
        orders: &[DISABLE],
        ..USUAL
    },
    Scenario {
        name: "PIN changed",
        prepare: |world| {
            provide_pin(world);
            world.run(PERSON, 0);
        },
        act: Act::Command(RESET_PIN),
        orders: &[RESET_PIN],
        ..USUAL
    },
    Scenario {
        name: "profile accepted",
        prepare: |world| {
            world.run(ORDER, 0);
            world.change("\"Example\"", "\"Example two\"");
        },
        act: Act::Command(PROFILE),
        first: &[PROFILE],
        ..USUAL
    },
    Scenario {
        name: "registered by hand",
        prepare: |world| {
            use_cloud(world);
            provision(world);
            world.run(&["export", "--format", "csv", "--out", "out.csv"], 0);
        },
        act: Act::Command(BY_HAND),
        orders: &[BY_HAND],
        ..USUAL
    },
];

/// What is done with the cloud.
pub(crate) const CLOUDED: &[Scenario] = &[
    Scenario {
        name: "CA registered",
        cloud: true,
        prepare: use_cloud,
        act: Act::Command(ENROL),
        orders: &[ENROL],
        ..USUAL
    },
    Scenario {
        name: "registered",
        cloud: true,
        prepare: enrolled,
        act: Act::Command(SYNC),
        orders: &[SYNC],
        ..USUAL
    },
    Scenario {
        name: "revoked",
        cloud: true,
        prepare: |world| {
            registered(world);
            world.run(VOID, 0);
        },
        act: Act::Command(SYNC),
        // Once for the revoke, once for the certificate that the unit gets next.
        orders: &[SYNC],
        ..USUAL
    },
    Scenario {
        name: "reworked and registered",
        cloud: true,
        prepare: |world| {
            registered(world);
            world.run(REWORK, 0);
            provision(world);
        },
        act: Act::Command(SYNC),
        orders: &[SYNC],
        done: proven_anew,
        ..USUAL
    },
    Scenario {
        name: "shipped",
        cloud: true,
        prepare: |world| {
            use_cloud(world);
            world.change("\"ACTIVE\"", "\"INACTIVE\"");
            enrol(world);
            provision(world);
            world.with_cloud(SYNC);
        },
        act: Act::Command(SHIP),
        orders: &[SHIP],
        ..USUAL
    },
    Scenario {
        name: "compared",
        cloud: true,
        prepare: |world| {
            registered(world);
            deactivate_in_the_console(&world.path("cloud.state"));
        },
        act: Act::Command(FULL),
        orders: &[FULL, SYNC],
        ..USUAL
    },
    Scenario {
        name: "deleted and registered again",
        cloud: true,
        prepare: |world| {
            registered(world);
            delete_in_the_console(&world.path("cloud.state"));
        },
        act: Act::Command(FULL),
        orders: &[FULL, SYNC],
        ..USUAL
    },
    Scenario {
        name: "list of revoked ones made",
        prepare: |world| {
            provision(world);
            world.run(VOID, 0);
        },
        act: Act::Command(CRL),
        orders: &[CRL],
        ..USUAL
    },
];

/// Somebody else deactivates every certificate.
fn deactivate_in_the_console(state: &Path) {
    let mut text = std::fs::read_to_string(state).unwrap();
    let changes = text.lines().map(|line| serde_json::from_str(line).unwrap());
    let taken = changes.filter(|change: &serde_json::Value| change["change"] == "certificate");
    let off = taken.map(|change| {
        let sn = &change["sn"];
        let kind = "certificate_status";
        serde_json::json!({"change": kind, "sn": sn, "status": "INACTIVE", "at": 1}).to_string()
    });
    let off: Vec<_> = off.collect();
    text.extend(off.into_iter().map(|line| line + "\n"));
    std::fs::write(state, text).unwrap();
}

/// Somebody else deletes every certificate.
fn delete_in_the_console(state: &Path) {
    let mut text = std::fs::read_to_string(state).unwrap();
    let changes = text.lines().map(|line| serde_json::from_str(line).unwrap());
    let taken = changes.filter(|change: &serde_json::Value| change["change"] == "certificate");
    let gone = taken.map(|change| {
        serde_json::json!({"change": "certificate_gone", "sn": &change["sn"]}).to_string() + "\n"
    });
    let gone: String = gone.collect();
    text.push_str(&gone);
    std::fs::write(state, text).unwrap();
}

fn use_cloud(world: &World) {
    world.change("[broker]\nhost = \"mqtt.example.com\"", CLOUD);
}

/// The cloud knows the CA.
fn enrol(world: &World) {
    world.with_cloud(ENROL);
}

fn enrolled(world: &World) {
    use_cloud(world);
    enrol(world);
    provision(world);
}

fn registered(world: &World) {
    enrolled(world);
    world.with_cloud(SYNC);
}

/// A backup of a ledger that knows a work order and no unit.
fn back_up(world: &World) {
    world.run(ORDER, 0);
    world.run(&["ledger", "backup", "backup.db"], 0);
}

fn provide_pin(world: &World) {
    std::fs::write(world.path("pin"), "2468\n").unwrap();
    keep_private(&world.path("pin"));
}
