//! Chips to which nothing may be written: a code each, and every byte of their flash as it was.

use super::bench::{chips, factory, factory_with, flashes, outcome};
use super::support::{labels, named};

/// What is wrong with a chip or asked of one, and what its unit ends with.
#[track_caller]
fn refused(esp: &str, fault: &str, code: &str) {
    let factory = factory_with(1, esp);
    let _chips = chips(&factory, "A", &["--fault", fault]);
    let before = flashes(&factory);
    let run = factory.batch(&labels(1));
    let (outcome, found) = outcome(&run);
    assert_eq!(found, code, "{fault}: {outcome} {run:?}");
    assert_ne!(outcome, "pass", "{fault}");
    assert!(flashes(&factory) == before, "{fault}: something was written");
    assert!(factory.ledger().in_state("proven").is_empty());
    factory.verify();
}

#[test]
fn a_chip_in_secure_download_mode() {
    refused("", "secure-download", "E-ESP-SECURE-DOWNLOAD");
}

#[test]
fn an_s2_in_secure_download_mode() {
    refused("", "chip=esp32s2,secure-download", "E-ESP-SECURE-DOWNLOAD");
}

#[test]
fn a_chip_with_flash_encryption() {
    refused("", "encrypted", "E-ESP-ENCRYPTED");
}

#[test]
fn an_esp32_with_flash_encryption() {
    refused("", "chip=esp32,encrypted", "E-ESP-ENCRYPTED");
}

#[test]
fn a_chip_whose_efuses_forbid_the_loader() {
    let factory = factory(1);
    let _chips = chips(&factory, "A", &["--fault", "no-download"]);
    let (outcome, code) = outcome(&factory.batch(&labels(1)));
    assert_eq!((outcome.as_str(), code.as_str()), ("fail", "E-DEV-TIMEOUT"));
}

#[test]
fn another_chip_than_the_file_names() {
    refused("chip = \"esp32c3\"\n", "chip=esp32s3", "E-ESP-CHIP");
}

#[test]
fn a_chip_without_a_partition_table() {
    refused("", "no-table", "E-ESP-PARTITION");
}

#[test]
fn a_table_that_lacks_the_partition() {
    refused("", "no-partition", "E-ESP-PARTITION");
}

#[test]
fn a_partition_that_lies_elsewhere_than_the_file_says() {
    refused("offset = 0xd000\n", "moved", "E-ESP-PARTITION");
}

#[test]
fn a_partition_of_another_size_than_the_file_says() {
    refused("size = 0x2000\n", "short=4096", "E-ESP-PARTITION");
}

#[test]
fn a_partition_that_is_too_small() {
    refused("", "short=4096", "E-DEV-CAPACITY");
}

#[test]
fn an_identity_that_was_made_elsewhere() {
    refused("", "holds-unknown", "E-DEV-UNKNOWN-IDENTITY");
}

#[test]
fn something_else_in_the_partition() {
    refused("", "holds-junk", "E-ESP-IN-USE");
}

#[test]
fn something_else_in_an_nvs_partition() {
    refused("format = \"nvs\"\n", "holds-junk", "E-ESP-IN-USE");
}

#[test]
fn a_partition_that_moved_is_found_by_its_table() {
    let factory = factory(1);
    let _chips = chips(&factory, "A", &["--fault", "moved"]);
    let before = flashes(&factory).into_values().next().unwrap();
    factory.batch(&labels(1)).expect(0);
    let after = flashes(&factory).into_values().next().unwrap();
    assert!(after[..0xf000] == before[..0xf000] && after[0x11000..] == before[0x11000..]);
    assert!(after[0xf000..0x11000] != before[0xf000..0x11000]);
}

#[test]
fn the_identity_of_another_unit() {
    let factory = factory(2);
    let first = chips(&factory, "A", &[]);
    factory.batch(&named("A", 1)).expect(0);
    drop(first);
    let progress = factory.devices_dir().join("slot-A.slot.json");
    let text = std::fs::read_to_string(&progress).unwrap();
    std::fs::write(progress, text.replace("\"unit\":2", "\"unit\":1")).unwrap();
    let _again = chips(&factory, "A", &[]);
    let before = flashes(&factory);
    let (refused, code) = outcome(&factory.batch(&named("A", 2)));
    assert_eq!((refused.as_str(), code.as_str()), ("refused", "E-DEV-OTHER-LABEL"));
    assert!(flashes(&factory) == before);
}
