//! What the emulated cloud knows, from its state file, against the journal.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::Moment;
use super::model::Model;

/// A client certificate in the cloud.
struct Registered {
    der: Vec<u8>,
    client_id: String,
    status: String,
}

/// The cloud knows nothing that the ledger lacks; in the end it takes every proven
/// certificate, once for each client id, and no other one.
pub(crate) fn hold(file: &Path, model: &Model, moment: Moment, findings: &mut Vec<String>) {
    let registered = read(&fs::read_to_string(file).unwrap_or_default());
    let taken = |one: &&Registered| one.status != "REVOKED";
    for one in registered.iter().filter(taken) {
        let Some((sn, known)) = model.certificates.iter().find(|(_, row)| row.der == one.der)
        else {
            findings.push(format!("the cloud takes one of {}, which is unknown", one.client_id));
            continue;
        };
        let revokable = moment < Moment::Completed && matches!(known.state, "void" | "superseded");
        if known.state != "proven" && !revokable {
            findings.push(format!("the cloud takes {sn}, which is {}", known.state));
        }
    }
    let proven = model.certificates.iter().filter(|(_, row)| row.state == "proven");
    for (sn, certificate) in proven.filter(|_| moment == Moment::Completed) {
        let times =
            registered.iter().filter(taken).filter(|one| one.der == certificate.der).count();
        if times != 1 {
            findings.push(format!("{sn} is proven and {times} times in the cloud"));
        }
    }
}

fn read(text: &str) -> Vec<Registered> {
    let mut registered: BTreeMap<String, Registered> = BTreeMap::new();
    // A torn last line was never answered.
    for change in text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()) {
        let text = |name: &str| change[name].as_str().unwrap_or_default().to_owned();
        match change["change"].as_str() {
            Some("certificate") => {
                let der = der(&text("pem"));
                let one = Registered { der, client_id: text("client_id"), status: text("status") };
                registered.insert(text("sn"), one);
            }
            Some("certificate_status") => {
                if let Some(one) = registered.get_mut(&text("sn")) {
                    one.status = text("status");
                }
            }
            Some("certificate_gone") => drop(registered.remove(&text("sn"))),
            _ => {}
        }
    }
    registered.into_values().collect()
}

fn der(pem: &str) -> Vec<u8> {
    let body: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
    STANDARD.decode(body.trim()).unwrap_or_default()
}
