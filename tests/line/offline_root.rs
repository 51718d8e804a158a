//! Stations' CAs below an offline root: each device carries the chain of its own station.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::TempDir;

use super::support::broker::Broker;
use super::support::keys::held_under;
use super::support::openssl::{assert_verifies, openssl, pem_file, refusal};
use super::support::token::Token;
use super::support::{Factory, Plan, label, labels};

/// What the root gives a station's CA.
const STATION_CA: &str = "basicConstraints=critical,CA:TRUE,pathlen:0\n\
    keyUsage=critical,keyCertSign,cRLSign\nsubjectKeyIdentifier=hash\n\
    authorityKeyIdentifier=keyid\n";

/// A root of OpenSSL's making, in a directory of its own.
struct Root {
    folder: TempDir,
}

impl Root {
    fn new() -> Self {
        Self::with_path_length(1)
    }

    fn with_path_length(length: u32) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = Self { folder };
        let constraint = format!("basicConstraints=critical,CA:TRUE,pathlen:{length}");
        let (key, certificate) = (root.path("root.key"), root.certificate());
        openssl(&[
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-noenc",
            "-keyout",
            text(&key),
            "-out",
            text(&certificate),
            "-subj",
            "/CN=Factory root",
            "-days",
            "20000",
            "-addext",
            &constraint,
            "-addext",
            "keyUsage=critical,keyCertSign,cRLSign",
        ]);
        root
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn certificate(&self) -> PathBuf {
        self.path("root.pem")
    }

    /// Signs a station's request; gives the certificate's file.
    fn signs(&self, request: &Path, name: &str) -> PathBuf {
        let (extensions, certificate) = (self.path("ca.ext"), self.path(name));
        fs::write(&extensions, STATION_CA).unwrap();
        openssl(&[
            "x509",
            "-req",
            "-in",
            text(request),
            "-CA",
            text(&self.certificate()),
            "-CAkey",
            text(&self.path("root.key")),
            "-days",
            "15000",
            "-extfile",
            text(&extensions),
            "-out",
            text(&certificate),
        ]);
        certificate
    }

    /// A list of this root with one certificate on it; gives its file.
    fn revokes(&self, certificate: &Path) -> PathBuf {
        let (config, list) = (self.path("ca.cnf"), self.path("root.crl"));
        fs::write(self.path("index.txt"), "").unwrap();
        let text_of_it = format!(
            "[ca]\ndefault_ca=root\n[root]\ndatabase={}\ncertificate={}\nprivate_key={}\n\
             default_md=sha256\ndefault_crl_days=30\n",
            self.path("index.txt").display(),
            self.certificate().display(),
            self.path("root.key").display()
        );
        fs::write(&config, text_of_it).unwrap();
        openssl(&["ca", "-config", text(&config), "-revoke", text(certificate)]);
        openssl(&["ca", "-config", text(&config), "-gencrl", "-out", text(&list)]);
        list
    }
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// A factory whose CA was asked for at the root, and the CA's certificate.
fn below(root: &Root, factory: &Factory, name: &str) -> PathBuf {
    let request = factory.path("ca.csr");
    let arguments = ["authority", "request", "--out", text(&request), "--common-name", name];
    let asked = factory.run(&arguments).expect(0).only();
    assert_eq!(asked["made_key"], true);
    openssl(&["req", "-verify", "-noout", "-in", text(&request)]);
    root.signs(&request, &format!("{}.pem", name.replace(' ', "-")))
}

/// Imports a station's certificate with the root behind it.
fn import(factory: &Factory, certificate: &Path, root: &Root) -> Value {
    let bundle = factory.path("bundle.pem");
    let both = [fs::read(certificate).unwrap(), fs::read(root.certificate()).unwrap()].concat();
    fs::write(&bundle, both).unwrap();
    factory.run(&["authority", "import", text(&bundle)]).expect(0).only()
}

/// A factory that has no CA yet, and a place for what will stand above it.
fn without_a_ca() -> Factory {
    let factory = Factory::usual();
    for name in ["ca.pem", "ca.key"] {
        fs::remove_file(factory.path(name)).unwrap();
    }
    factory.change("key = \"ca.key\"", "key = \"ca.key\"\nchain = \"ca-chain.pem\"");
    factory
}

#[test]
fn devices_of_two_stations_carry_their_chains_and_one_station_is_shut_off_alone() {
    let root = Root::new();
    let in_files = without_a_ca();
    let mut in_token = Factory::with(&Plan { station_id: "line-2", ..Plan::default() });
    let _token = Token::for_factory(&mut in_token);
    let mut devices = Vec::new();
    for (factory, name) in [(&in_files, "Line 1 CA"), (&in_token, "Line 2 CA")] {
        let certificate = below(&root, factory, name);
        let shown = import(factory, &certificate, &root);
        assert_eq!(shown["subject"], format!("CN={name}"));
        assert!(shown["chain_pem"].as_str().unwrap().contains("BEGIN CERTIFICATE"));
        let _device = factory.devices("A", 1);
        factory.batch(&labels(1)).expect(0);
        let (_, held) = held_under(&factory.devices_dir()).remove(0);
        assert_verifies(&root.certificate(), &held.chain, &held.certificate);
        devices.push((certificate, held));
    }
    // A broker that knows the root alone takes both, and with one station's list alone only
    // that station's: it has nothing by which to judge the other's.
    let lists = [&in_files, &in_token].map(|factory| {
        let list = factory.path("own.crl");
        factory.run(&["authority", "crl", "--out", text(&list)]).expect(0);
        list
    });
    let both = Broker::start(&[&root.certificate()], &[&lists[0], &lists[1]]);
    devices.iter().for_each(|(_, held)| both.assert_takes(held, &label(1)));
    let second = Broker::start(&[&root.certificate()], &[&lists[1]]);
    second.assert_takes(&devices[1].1, &label(1));
    second.assert_refuses(&devices[0].1, &label(1), "UnknownCA");
    // The root's list names the first station's CA.
    let list = root.revokes(&devices[0].0);
    for ((_, held), (factory, shut_off)) in
        devices.iter().zip([(&in_files, true), (&in_token, false)])
    {
        let own = factory.path("own.crl");
        factory.run(&["authority", "crl", "--out", text(&own)]).expect(0);
        let (leaf, above) = (pem_file(&held.certificate), pem_file(&held.chain));
        let lists = factory.path("lists.pem");
        let both = [fs::read(&list).unwrap(), fs::read(&own).unwrap()].concat();
        fs::write(&lists, both).unwrap();
        let refused = refusal(&[
            "verify",
            "-crl_check_all",
            "-CAfile",
            text(&root.certificate()),
            "-CRLfile",
            text(&lists),
            "-untrusted",
            text(above.path()),
            text(leaf.path()),
        ]);
        assert_eq!(refused.contains("certificate revoked"), shut_off, "{refused}");
        assert_eq!(refused.is_empty(), !shut_off, "{refused}");
    }
}

#[test]
fn a_broker_is_given_the_path_to_the_root_and_the_self_test_is_red_without_it() {
    let root = Root::new();
    let factory = without_a_ca();
    let certificate = below(&root, &factory, "Line 1 CA");
    import(&factory, &certificate, &root);
    let _device = factory.devices("A", 1);
    factory.batch(&labels(1)).expect(0);
    let (_, held) = held_under(&factory.devices_dir()).remove(0);
    let export = |name: &str, options: &[&str]| {
        let file = factory.path(name);
        let out = ["authority", "export", "--out", text(&file)];
        factory.run(&[&out[..], options].concat()).expect(0);
        file
    };
    let alone = export("alone.pem", &[]);
    let path = export("path.pem", &["--chain"]);
    let self_test = |file: &Path| {
        let run = factory.run(&["selftest", "--broker", "--trusted", text(file)]);
        let checks = run.events();
        checks.iter().find(|event| event["check"] == "path").cloned().unwrap()
    };
    // What the self-test says of a file is what a real broker makes of it.
    let list = factory.path("own.crl");
    factory.run(&["authority", "crl", "--out", text(&list)]).expect(0);
    assert_eq!(self_test(&alone)["verdict"], "fail");
    let said = self_test(&alone)["detail"].to_string();
    assert!(said.contains("CN=Factory root"), "{said}");
    Broker::start(&[&alone], &[&list]).assert_refuses(&held, &label(1), "UnknownCA");
    assert_eq!(self_test(&path)["verdict"], "pass");
    Broker::start(&[&path], &[&list]).assert_takes(&held, &label(1));
}

#[test]
fn a_request_uses_the_key_that_is_there_and_writes_over_nothing() {
    let factory = without_a_ca();
    let request = |name: &str| {
        let out = factory.path(name);
        factory.run(&["authority", "request", "--out", text(&out)])
    };
    assert_eq!(request("first.csr").expect(0).only()["made_key"], true);
    let key = fs::read(factory.path("ca.key")).unwrap();
    assert_eq!(request("second.csr").expect(0).only()["made_key"], false);
    assert_eq!(fs::read(factory.path("ca.key")).unwrap(), key);
    request("first.csr").expect_error(1, "E-OUTPUT");
    let public =
        |name: &str| openssl(&["req", "-pubkey", "-noout", "-in", text(&factory.path(name))]);
    assert_eq!(public("first.csr"), public("second.csr"));
}

#[test]
fn what_does_not_hold_is_not_imported() {
    let root = Root::new();
    let factory = without_a_ca();
    let certificate = below(&root, &factory, "Line 1 CA");
    let import = |parts: &[&Path]| {
        let bundle = factory.path("bundle.pem");
        let all: Vec<u8> = parts.iter().flat_map(|path| fs::read(path).unwrap()).collect();
        fs::write(&bundle, all).unwrap();
        factory.run(&["authority", "import", text(&bundle)])
    };
    let (root_file, other) = (root.certificate(), Root::new());
    // Of another key, without its issuer, behind its issuer, below another root.
    import(&[&root_file, &root_file]).expect_error(7, "E-CA-MISMATCH");
    import(&[&certificate]).expect_error(7, "E-CA-PROFILE");
    import(&[&root_file, &certificate]).expect_error(7, "E-CA-PROFILE");
    import(&[&certificate, &other.certificate()]).expect_error(7, "E-CA-PROFILE");
    // Below a root that allows no CA below it.
    let narrow = Root::with_path_length(0);
    let refused = narrow.signs(&factory.path("ca.csr"), "narrow.pem");
    let told = import(&[&refused, &narrow.certificate()]).expect_error(7, "E-CA-PROFILE");
    assert!(told.errors.contains("path length"), "{}", told.story());
    assert!(!factory.path("ca.pem").exists() && !factory.path("ca-chain.pem").exists());

    import(&[&certificate, &root_file]).expect(0);
    // Once more is no harm; another certificate does not take its place.
    import(&[&certificate, &root_file]).expect(0);
    let again = root.signs(&factory.path("ca.csr"), "again.pem");
    import(&[&again, &root_file]).expect_error(7, "E-CA-EXISTS");
    factory.run(&["authority", "check"]).expect(0);
}
