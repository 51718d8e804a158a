//! Each way to give a secret, and each way to give it wrongly.

use std::cell::{Cell, RefCell};
use std::os::unix::fs::PermissionsExt;

use super::*;

#[derive(Default)]
struct Fake {
    variables: Vec<(&'static str, OsString)>,
    typed: RefCell<Vec<&'static str>>,
    person: bool,
    /// Whether others are shut out; no secret is given before.
    shut: Cell<bool>,
}

impl Surroundings for Fake {
    fn variable(&self, name: &str) -> Option<OsString> {
        assert!(self.shut.get(), "{name} is read while others can read the process");
        let found = self.variables.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| value.clone())
    }

    fn ask(&self, _: &str) -> Option<io::Result<String>> {
        assert!(self.shut.get(), "a person is asked while others can read the process");
        self.person.then(|| Ok(self.typed.borrow_mut().remove(0).to_owned()))
    }

    fn shut_out_readers(&self) -> Result<(), VaultError> {
        self.shut.set(true);
        Ok(())
    }
}

fn person(typed: &[&'static str]) -> Fake {
    Fake { typed: RefCell::new(typed.to_vec()), person: true, ..Fake::default() }
}

fn file(mode: u32, text: &str) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    fs::set_permissions(file.path(), fs::Permissions::from_mode(mode)).unwrap();
    file
}

#[test]
fn the_environment_comes_before_the_file() {
    let file = file(0o600, "from the file");
    let wanted = authority_passphrase(Some(file.path()));
    let variables = vec![("STATION_AUTHORITY_PASSPHRASE", "from the environment".into())];
    let given = Fake { variables, ..Fake::default() };
    assert_eq!(wanted.read(&given).unwrap().as_bytes(), b"from the environment");
    let empty = vec![("STATION_AUTHORITY_PASSPHRASE", "".into())];
    let given = Fake { variables: empty, ..Fake::default() };
    assert_eq!(wanted.read(&given).unwrap().as_bytes(), b"from the file");
}

#[test]
fn one_line_ending_is_no_part_of_a_secret() {
    for (text, secret) in [("a b\n", "a b"), ("a\r\n", "a"), ("a\n\n", "a\n"), ("a", "a")] {
        let file = file(0o400, text);
        let read = authority_passphrase(Some(file.path())).read(&Fake::default()).unwrap();
        assert_eq!(read.as_bytes(), secret.as_bytes(), "{text:?}");
    }
}

#[test]
fn a_file_that_others_can_read_is_refused() {
    for mode in [0o640, 0o604, 0o644, 0o660, 0o601] {
        let file = file(mode, "secret");
        let error = authority_passphrase(Some(file.path())).read(&Fake::default()).unwrap_err();
        assert_eq!(error.code(), Code::SecretMode, "{mode:o}");
        assert!(error.help().unwrap().english.contains("chmod 600"));
    }
}

#[test]
fn a_file_that_is_empty_too_long_or_absent_is_refused() {
    for text in ["", "\n", &"x".repeat(5000)] {
        let file = file(0o600, text);
        let error = authority_passphrase(Some(file.path())).read(&Fake::default()).unwrap_err();
        assert!(matches!(error, SecretError::Length { .. }), "{error}");
    }
    let wanted = authority_passphrase(Some(Path::new("/nowhere/secret")));
    assert_eq!(wanted.read(&Fake::default()).unwrap_err().code(), Code::SecretMissing);
    let wanted = authority_passphrase(Some(Path::new("/")));
    assert!(matches!(wanted.read(&Fake::default()), Err(SecretError::File { .. })));
}

#[test]
fn a_systemd_credential_is_found_by_its_name_in_lower_case() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("station_authority_passphrase"), "credential\n").unwrap();
    let variables = vec![("CREDENTIALS_DIRECTORY", directory.path().into())];
    let given = Fake { variables, ..Fake::default() };
    assert_eq!(authority_passphrase(None).read(&given).unwrap().as_bytes(), b"credential");
    assert_eq!(journal_secret(None).read(&given).unwrap_err().code(), Code::SecretMissing);
}

#[test]
fn a_secret_that_was_not_given_names_all_ways() {
    let error = authority_passphrase(None).read(&Fake::default()).unwrap_err();
    assert_eq!(error.code(), Code::SecretMissing);
    let help = error.help().unwrap().english;
    for way in [
        "STATION_AUTHORITY_PASSPHRASE",
        "[authority] passphrase_file",
        "credential station_authority_passphrase",
        "terminal",
    ] {
        assert!(help.contains(way), "{help}");
    }
}

#[test]
fn a_new_secret_is_typed_twice() {
    let wanted = authority_passphrase(None);
    assert_eq!(wanted.read_new(&person(&["one", "one"])).unwrap().as_bytes(), b"one");
    let error = wanted.read_new(&person(&["one", "two"])).unwrap_err();
    assert!(matches!(error, SecretError::Differ { .. }));
    assert_eq!(wanted.read(&person(&["one"])).unwrap().as_bytes(), b"one");
}

#[test]
fn a_kept_secret_is_made_once_and_private() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("data/journal.secret");
    let wanted = journal_secret(None);
    let refused = wanted.read_or_keep(&Fake::default(), &path, IfAbsent::Refuse);
    assert!(matches!(refused, Err(SecretError::Missing { .. })));
    let made = wanted.read_or_keep(&Fake::default(), &path, IfAbsent::Make).unwrap();
    assert_eq!(made.as_bytes().len(), 64);
    assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
    let again = wanted.read_or_keep(&Fake::default(), &path, IfAbsent::Make).unwrap();
    assert_eq!(again.as_bytes(), made.as_bytes());
    make_random(&path).unwrap();
    let again = wanted.read_or_keep(&Fake::default(), &path, IfAbsent::Refuse).unwrap();
    assert_eq!(again.as_bytes(), made.as_bytes(), "a second maker takes what is there");
    assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "no draft is left");
}

#[test]
fn a_secret_has_no_text_form() {
    let secret = Secret::new(b"hunter2".to_vec());
    assert_eq!(format!("{secret:?}"), "Secret(…)");
}
