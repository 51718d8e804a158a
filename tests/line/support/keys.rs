//! Finding a private key where none may be: in any file, in any encoding.

use std::fs;
use std::path::{Path, PathBuf};

use provisioning_station::sim::{Held, held_identity};

/// Every flash file under a directory, with what its device holds.
pub(crate) fn held_under(devices: &Path) -> Vec<(PathBuf, Held)> {
    let flash = files_under(devices, &[]);
    let flash = flash.into_iter().filter(|file| file.extension().is_some_and(|e| e == "flash"));
    flash
        .filter_map(|file| {
            let held = held_identity(&file).unwrap()?;
            Some((file, held))
        })
        .collect()
}

/// Every file under a directory, except under those named.
pub(crate) fn files_under(folder: &Path, except: &[&Path]) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let path = entry.path();
        let kind = entry.file_type().unwrap();
        if kind.is_dir() && !except.contains(&path.as_path()) {
            files.extend(files_under(&path, except));
        } else if kind.is_file() {
            files.push(path);
        }
    }
    files
}

/// Every way in which a scalar could have been written down.
pub(crate) fn encodings(key: &[u8; 32]) -> Vec<Vec<u8>> {
    let lower: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
    let spaced: Vec<_> = key.iter().map(|byte| format!("{byte:02x}")).collect();
    let decimal: Vec<_> = key.iter().map(u8::to_string).collect();
    let reversed: Vec<u8> = key.iter().rev().copied().collect();
    let mut texts = vec![lower.clone(), lower.to_uppercase()];
    for separator in [" ", ":", ", "] {
        texts.push(spaced.join(separator));
        texts.push(spaced.join(separator).to_uppercase());
    }
    for separator in [",", ", ", " "] {
        texts.push(decimal.join(separator));
    }
    for alignment in 0..3 {
        let text = base64_inside(key, alignment);
        texts.push(text.replace('+', "-").replace('/', "_"));
        texts.push(text);
    }
    let mut found: Vec<Vec<u8>> = texts.into_iter().map(String::into_bytes).collect();
    found.extend([key.to_vec(), reversed]);
    found
}

/// The characters of base64 that depend on these bytes alone, where so many stand before.
fn base64_inside(bytes: &[u8], before: usize) -> String {
    let mut padded = vec![0; before];
    padded.extend_from_slice(bytes);
    let bits: String = padded.iter().map(|byte| format!("{byte:08b}")).collect();
    let whole = bits.as_bytes().chunks_exact(6);
    let text: String = whole.map(|six| char::from(alphabet(six))).collect();
    let spoilt = (before * 8).div_ceil(6);
    text[spoilt..].to_owned()
}

fn alphabet(six: &[u8]) -> u8 {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let number = six.iter().fold(0, |number, bit| number * 2 + usize::from(bit - b'0'));
    ALPHABET[number]
}

/// Whether these bytes stand somewhere in those.
pub(crate) fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}

/// Fails if a key stands in one of these texts.
#[track_caller]
pub(crate) fn assert_absent(keys: &[[u8; 32]], texts: &[(String, Vec<u8>)]) {
    let needles: Vec<_> = keys.iter().flat_map(encodings).collect();
    for (name, text) in texts {
        // A file that has no first pair of bytes of a needle is most of them.
        let mut pairs = vec![false; 1 << 16];
        for pair in text.windows(2) {
            pairs[usize::from(pair[0]) << 8 | usize::from(pair[1])] = true;
        }
        let present = needles
            .iter()
            .filter(|needle| pairs[usize::from(needle[0]) << 8 | usize::from(needle[1])]);
        for needle in present {
            assert!(!contains(text, needle), "{name} holds a device key");
        }
    }
}

#[test]
fn a_key_is_found_in_base64_at_every_alignment() {
    let key = [0xd5; 32];
    // "x" and "xy" and nothing before the key, as an encoder would write it.
    assert_eq!(&base64_inside(&key, 0)[..8], "1dXV1dXV");
    assert_eq!(&base64_inside(&key, 1)[..8], "XV1dXV1d");
    assert_eq!(&base64_inside(&key, 2)[..8], "V1dXV1dX");
}
