//! Any text from a scanner: no panic, and what is accepted is the text itself, short and of
//! characters that a file name, a terminal and a certificate can take.
#![no_main]

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use provisioning_station::app::parts;
use provisioning_station::config::Config;
use provisioning_station::domain::label::LabelRule;

const CONFIG: &[u8] = b"[station]\nid = \"line-1\"\ndata_dir = \"data\"\n\
    [product]\nname = \"TH200\"\nserial_pattern = \"TH200-[0-9A-Z]{1,12}\"\n\
    client_id = \"th.{serial}\"\n\
    [certificate]\nvalid_for = \"20y\"\n\
    [authority]\ncertificate = \"ca.pem\"\nkey = \"ca.key\"\n\
    [broker]\nhost = \"mqtt.example.com\"\nserver_root = \"root.pem\"\n\
    [[slots]]\nname = \"A\"\nport = \"/dev/null\"\n";

fn rule() -> &'static LabelRule {
    static RULE: OnceLock<LabelRule> = OnceLock::new();
    RULE.get_or_init(|| {
        let config = Config::parse(Path::new("station.toml"), PathBuf::from("/etc"), CONFIG);
        parts::label_rule(&config.expect("the configuration is right"), None).expect("a rule")
    })
}

fuzz_target!(|text: &str| {
    let Ok((serial, client_id)) = rule().accept(text) else { return };
    assert_eq!(serial.as_str(), text);
    assert_eq!(client_id.as_str(), format!("th.{text}"));
    assert!(text.len() <= 64 && text.bytes().all(|byte| byte.is_ascii_graphic()), "{text:?}");
});
