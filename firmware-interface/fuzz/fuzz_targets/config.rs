//! Any bytes as a station.toml: no panic, and an error names the file.
#![no_main]

use std::path::{Path, PathBuf};

use libfuzzer_sys::fuzz_target;
use provisioning_station::config::Config;

fuzz_target!(|bytes: &[u8]| {
    let read = || Config::parse(Path::new("station.toml"), PathBuf::from("/etc"), bytes);
    match (read(), read()) {
        (Ok(one), Ok(other)) => assert_eq!(format!("{one:?}"), format!("{other:?}")),
        (Err(one), Err(other)) => {
            assert_eq!(one.to_string(), other.to_string());
            assert!(one.to_string().contains("station.toml"), "{one}");
        }
        _ => panic!("the same bytes are read differently"),
    }
});
