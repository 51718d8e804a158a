//! A CA's key for tests that start the station many times.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

/// Encrypts a CA's key anew, under the same passphrase and by a derivation of one round: the
/// station's own takes a quarter of a second at each start, half of what whole suites compute.
pub(crate) fn encrypt_anew(key: &Path, passphrase: &str) {
    let sealed = fs::read(key).unwrap();
    let clear = pkcs8(&["-passin", "env:SECRET"], passphrase, &sealed);
    let quick = ["-topk8", "-v2", "aes-256-cbc", "-iter", "1", "-passout", "env:SECRET"];
    fs::write(key, pkcs8(&quick, passphrase, &clear)).unwrap();
}

/// What openssl makes of a key; a clear one is in a pipe alone.
fn pkcs8(arguments: &[&str], passphrase: &str, key: &[u8]) -> Vec<u8> {
    let mut command = Command::new("openssl");
    command.arg("pkcs8").args(arguments).env("SECRET", passphrase);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(key).unwrap();
    let ended = child.wait_with_output().unwrap();
    assert!(ended.status.success(), "openssl pkcs8 {arguments:?}");
    ended.stdout
}
