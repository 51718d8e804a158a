//! Any text from a scanner, by rules of every form: no panic, and what is accepted is a serial
//! of the product, short and of characters that a file name, a terminal and a certificate can
//! take; its own label is read as the same serial.
#![no_main]

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use provisioning_station::app::from_config;
use provisioning_station::config::Config;
use provisioning_station::domain::ids::Fingerprint;
use provisioning_station::domain::label::LabelRule;
use provisioning_station::domain::print::{Design, Facts};
use provisioning_station::domain::scan::ScanRules;

const CONFIG: &str = "[station]\nid = \"line-1\"\ndata_dir = \"data\"\n\
    [product]\nname = \"TH200\"\nserial_pattern = \"TH200-[0-9A-Z]{1,12}\"\n\
    client_id = \"th.{serial}\"\n\
    [certificate]\nvalid_for = \"20y\"\n\
    [authority]\ncertificate = \"ca.pem\"\nkey = \"ca.key\"\n\
    [broker]\nhost = \"mqtt.example.com\"\nserver_root = \"root.pem\"\n\
    [label]\nprinter = \"labels\"\nqr = \"SN:{serial};\"\n\
    template = '^XA^BQN,2,6^FDQA,{qr}^FS^FD{serial}^FS^XZ'\n\
    [[slots]]\nname = \"A\"\nport = \"/dev/null\"\n";

const RULES: &str = "[scanner]\ncase = \"upper\"\n\
    [[scanner.label]]\nform = \"gs1\"\nrequire = { \"01\" = \"09506000134352\" }\n\
    [[scanner.label]]\nform = \"link\"\n\
    [[scanner.label]]\nform = \"link\"\nquery = \"sn\"\n\
    [[scanner.label]]\nform = \"json\"\nserial = \"device.SN\"\nhardware_id = \"MAC\"\n\
    [[scanner.label]]\nform = \"text\"\ntext = \"SN:{serial};\"\n\
    [[scanner.label]]\nform = \"text\"\ntext = \"{serial};{hardware_id};{_}\"\n";

struct Product {
    bare: ScanRules,
    rules: ScanRules,
    rule: LabelRule,
    design: Design,
}

fn config(more: &str) -> Config {
    let text = format!("{CONFIG}{more}");
    let config = Config::parse(Path::new("station.toml"), PathBuf::from("/etc"), text.as_bytes());
    config.expect("the configuration is right")
}

fn product() -> &'static Product {
    static PRODUCT: OnceLock<Product> = OnceLock::new();
    PRODUCT.get_or_init(|| {
        let (bare, ruled) = (config(""), config(RULES));
        Product {
            rule: from_config::label_rule(&bare, None).expect("a rule"),
            design: bare.label.expect("a design").design,
            bare: bare.scanner.rules,
            rules: ruled.scanner.rules,
        }
    })
}

fuzz_target!(|text: &str| {
    let Product { bare, rules, rule, design } = product();
    for scanner in [bare, rules] {
        let Ok(reading) = scanner.read(text, rule).outcome else { continue };
        let serial = reading.serial.as_str();
        assert_eq!(reading.client_id.as_str(), format!("th.{serial}"));
        assert!(serial.len() <= 64 && serial.bytes().all(|byte| byte.is_ascii_graphic()));
        let facts = Facts {
            serial: reading.serial.clone(),
            client_id: reading.client_id.clone(),
            fingerprint: Fingerprint::new([7; 32]),
            work_order: None,
            date: "2026-01-05".to_owned(),
        };
        let label = design.label(&facts).expect("a serial fits on its label");
        let again = rules.read(&label.code, rule).outcome.expect("a label is read");
        assert_eq!(again.serial, reading.serial);
    }
});
