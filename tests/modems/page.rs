//! The page for whoever has a modem says what the program takes.

use std::fs;
use std::path::Path;

use super::support::Factory;

/// What stands in station.toml besides what the page shows.
const REST: &str = "[station]\nid = \"line-1\"\ndata_dir = \"data\"\n\
    [certificate]\norganization = \"Example\"\nvalid_for = \"20y\"\n\
    [authority]\ncertificate = \"ca.pem\"\nkey = \"ca.key\"\n\
    [broker]\nhost = \"mqtt.example.com\"\nserver_root = \"server-root.pem\"\n";

#[test]
fn the_examples_of_the_page_are_right() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/modems.md");
    let page = fs::read_to_string(page).unwrap();
    let (_, example) = page.split_once("```toml\n").unwrap();
    let (example, _) = example.split_once("```").unwrap();
    let factory = Factory::usual();
    for (modem, driver) in
        [("nrf91", "at"), ("quectel", "at"), ("simcom", "at"), ("esp-at", "auto")]
    {
        let example = example.replace("\"nrf91\"", &format!("\"{modem}\""));
        let example = example.replace("\"at\"", &format!("\"{driver}\""));
        fs::write(factory.config(), format!("{REST}{example}")).unwrap();
        let checked = factory.run(&["config", "check"]);
        let story = checked.lines.join("\n") + &checked.errors;
        assert!(!story.contains("error[E-CONFIG"), "{story}");
        assert!(story.contains(modem), "{story}");
        checked.expect(0);
    }
}

#[test]
fn what_belongs_to_modems_alone_is_refused_elsewhere() {
    for key in ["modem = \"nrf91\"", "sec_tag = 7"] {
        let factory = Factory::usual();
        factory.change("port = \"slot-A\"", &format!("port = \"slot-A\"\n{key}"));
        let refused = factory.run(&["config", "check"]).expect(3);
        assert!(refused.errors.contains("belongs to modems"), "{}", refused.errors);
    }
}
