//! Roots and lines' CAs made by the tools that factories have, and devices' chains below them
//! held against three verifiers.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use rustls::RootCertStore;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::WebPkiClientVerifier;

use super::support::keys::held_under;
use super::support::openssl::{openssl, pem_file, split};
use super::support::{Factory, labels};

/// Signs `line.csr` in this directory to `line.pem`, below a `root.pem` that it makes.
type Maker = (&'static str, fn(&Path));

const MAKERS: [Maker; 3] = [("certtool", certtool), ("easy-rsa", easy_rsa), ("cfssl", cfssl)];

fn run(folder: &Path, script: &str) {
    let output = Command::new("bash")
        .args(["-euc", script])
        .current_dir(folder)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}\n{}", String::from_utf8_lossy(&output.stdout));
}

fn certtool(folder: &Path) {
    run(
        folder,
        "
        printf 'cn=Root\nca\ncert_signing_key\nexpiration_days=20000\n' >root.cfg
        printf 'cn=Line\nca\npath_len=0\ncert_signing_key\ncrl_signing_key\nexpiration_days=15000\n' >line.cfg
        certtool --generate-privkey --key-type ecdsa --curve secp384r1 --outfile root.key
        certtool --generate-self-signed --load-privkey root.key --template root.cfg --outfile root.pem
        certtool --generate-certificate --load-request line.csr --load-ca-certificate root.pem \
          --load-ca-privkey root.key --template line.cfg --outfile line.pem
        ",
    );
}

fn easy_rsa(folder: &Path) {
    run(
        folder,
        "
        export EASYRSA_BATCH=1 EASYRSA=/usr/share/easy-rsa EASYRSA_PKI=$PWD/pki
        rsa() { /usr/share/easy-rsa/easyrsa \"$@\"; }
        rsa init-pki
        EASYRSA_CA_EXPIRE=20000 rsa build-ca nopass
        rsa import-req line.csr line
        EASYRSA_CERT_EXPIRE=15000 rsa sign-req ca line
        cp pki/ca.crt root.pem
        openssl x509 -in pki/issued/line.crt -out line.pem
        ",
    );
}

fn cfssl(folder: &Path) {
    run(
        folder,
        r#"
        echo '{"CN":"Root","key":{"algo":"rsa","size":3072},"ca":{"expiry":"480000h"}}' >root.json
        echo '{"signing":{"profiles":{"line":{"usages":["cert sign","crl sign"],
          "expiry":"360000h","ca_constraint":{"is_ca":true,"max_path_len_zero":true}}}}}' >sign.json
        field() { python3 -c 'import json,sys; print(json.load(sys.stdin)[sys.argv[1]], end="")' "$1"; }
        cfssl gencert -initca root.json >root.out
        field cert <root.out >root.pem
        field key <root.out >root.key
        cfssl sign -ca root.pem -ca-key root.key -config sign.json -profile line line.csr |
          field cert >line.pem
        "#,
    );
}

/// Demands that OpenSSL takes it at the level that its TLS clients and servers have. Its
/// strict mode takes nothing of easy-rsa's, whose basic constraints are not critical.
fn assert_openssl_takes(root: &Path, above: &[u8], leaf: &[u8]) {
    let (leaf, above) = (pem_file(leaf), pem_file(above));
    let [root, above, leaf] = [root, above.path(), leaf.path()].map(|path| path.to_str().unwrap());
    let how = ["verify", "-auth_level", "2", "-purpose", "sslclient"];
    openssl(&[&how[..], &["-CAfile", root, "-untrusted", above, leaf]].concat());
}

/// Demands that GnuTLS takes the chain below the root.
fn assert_certtool_takes(root: &Path, chain: &Path) {
    let output = Command::new("certtool")
        .args(["--verify", "--load-ca-certificate"])
        .args([root.as_os_str(), "--infile".as_ref(), chain.as_os_str()])
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && told.contains("The certificate is trusted"), "{told}");
}

/// Demands that a rustls server takes the chain below the root.
fn assert_rustls_takes(root: &Path, chain: &[u8]) {
    let mut roots = RootCertStore::empty();
    let pem = fs::read(root).unwrap();
    let (_, pem) = x509_parser::pem::parse_x509_pem(&pem).unwrap();
    roots.add(CertificateDer::from(pem.contents)).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier =
        WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build().unwrap();
    let mut chain = split(chain).map(|der| CertificateDer::from(der.to_vec()));
    let leaf = chain.next().unwrap();
    let above: Vec<_> = chain.collect();
    verifier.verify_client_cert(&leaf, &above, UnixTime::now()).unwrap();
}

#[test]
fn devices_below_a_root_of_each_usual_tool_are_taken_by_every_verifier() {
    for (tool, make) in MAKERS {
        let factory = Factory::usual();
        for name in ["ca.pem", "ca.key"] {
            fs::remove_file(factory.path(name)).unwrap();
        }
        factory.change("key = \"ca.key\"", "key = \"ca.key\"\nchain = \"ca-chain.pem\"");
        let request = factory.path("line.csr");
        let ask = ["authority", "request", "--out", request.to_str().unwrap(), "--common-name"];
        factory.run(&[&ask[..], &["Line"]].concat()).expect(0);
        let folder = request.parent().unwrap();
        make(folder);
        let root = factory.path("root.pem");
        let bundle = factory.path("bundle.pem");
        let both = [fs::read(factory.path("line.pem")).unwrap(), fs::read(&root).unwrap()];
        fs::write(&bundle, both.concat()).unwrap();
        factory.run(&["authority", "import", bundle.to_str().unwrap()]).expect(0);

        let _device = factory.devices("A", 1);
        factory.batch(&labels(1)).expect(0);
        let (_, held) = held_under(&factory.devices_dir()).remove(0);
        let whole = [&held.certificate[..], &held.chain].concat();
        eprintln!("a device below a root of {tool}");
        assert_openssl_takes(&root, &held.chain, &held.certificate);
        assert_certtool_takes(&root, pem_file(&whole).path());
        assert_rustls_takes(&root, &whole);
    }
}
