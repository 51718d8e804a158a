//! The fields of each action, as the API spells them, and what they mean here.
//!
//! A request has the fields that its action defines and no other: the API refuses unknown
//! ones. An answer may have new ones.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::pem;
use crate::domain::clock::Timestamp;
use crate::domain::registration::{CaSn, CloudAuthority, CloudCertificate, CloudStatus};
use crate::domain::say::Say;
use crate::say;
use crate::{CertificateFilter, CertificatePage, InstanceFacts};

/// The only format of certificates.
const PEM: &str = "PEM";

/// For actions that ask of the instance alone.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct OfInstance<'a> {
    pub(super) instance_id: &'a str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct RegisterAuthority<'a> {
    instance_id: &'a str,
    ca_certificate: &'a str,
    verification_certificate: &'a str,
    format: &'static str,
    status: &'static str,
}

impl<'a> RegisterAuthority<'a> {
    pub(super) const fn active(instance_id: &'a str, ca: &'a str, verification: &'a str) -> Self {
        Self {
            instance_id,
            ca_certificate: ca,
            verification_certificate: verification,
            format: PEM,
            status: CloudStatus::Active.as_str(),
        }
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct RegisterCertificate<'a> {
    instance_id: &'a str,
    device_certificate: &'a str,
    ca_sn: &'a str,
    client_id: &'a str,
    format: &'static str,
    status: &'static str,
}

impl<'a> RegisterCertificate<'a> {
    pub(super) const fn new(
        instance_id: &'a str,
        pem: &'a str,
        ca: &'a CaSn,
        client_id: &'a str,
        status: CloudStatus,
    ) -> Self {
        let (ca_sn, status) = (ca.0.as_str(), status.as_str());
        Self { instance_id, device_certificate: pem, ca_sn, client_id, format: PEM, status }
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct OfCertificate<'a> {
    pub(super) instance_id: &'a str,
    pub(super) device_certificate_sn: &'a str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Filter<'a> {
    name: &'static str,
    values: [&'a str; 1],
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ListCertificates<'a> {
    instance_id: &'a str,
    filters: [Filter<'a>; 1],
    limit: u64,
    offset: u64,
    order_by: &'static str,
}

impl<'a> ListCertificates<'a> {
    pub(super) fn new(
        instance_id: &'a str,
        filter: &'a CertificateFilter,
        offset: u64,
        limit: u64,
    ) -> Self {
        let (name, value) = match filter {
            CertificateFilter::Authority(sn) => ("CaSn", &sn.0),
            CertificateFilter::Sn(sn) => ("DeviceCertificateSn", sn),
            CertificateFilter::ClientId(id) => ("ClientId", id),
        };
        let filters = [Filter { name, values: [value] }];
        // Pages stay apart only in an order that new entries don't disturb.
        Self { instance_id, filters, limit, offset, order_by: "CREATE_TIME_ASC" }
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Instance {
    instance_status: String,
    instance_type: String,
    #[serde(rename = "X509Mode")]
    x509_mode: Option<String>,
    device_certificate_provision_type: Option<String>,
    transport_layer_security: Option<String>,
    registration_code: Option<String>,
    max_ca_num: Option<i64>,
}

impl From<Instance> for InstanceFacts {
    fn from(instance: Instance) -> Self {
        let versions = instance.transport_layer_security.unwrap_or_default();
        let versions = versions.split(',').map(str::trim).filter(|version| !version.is_empty());
        Self {
            status: instance.instance_status,
            edition: instance.instance_type,
            x509_mode: instance.x509_mode.unwrap_or_default(),
            provision_type: instance.device_certificate_provision_type.unwrap_or_default(),
            tls_versions: versions.map(str::to_owned).collect(),
            registration_code: instance.registration_code.filter(|code| !code.is_empty()),
            max_authorities: instance.max_ca_num.and_then(|count| u64::try_from(count).ok()),
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Endpoints {
    endpoints: Option<Vec<Endpoint>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Endpoint {
    host: Option<String>,
    port: Option<i64>,
    url: Option<String>,
}

impl Endpoints {
    /// Host and port of each endpoint that has both.
    pub(super) fn hosts(self) -> Vec<(String, u16)> {
        self.endpoints.unwrap_or_default().into_iter().filter_map(Endpoint::host).collect()
    }
}

impl Endpoint {
    fn host(self) -> Option<(String, u16)> {
        let port = self.port.and_then(|port| u16::try_from(port).ok());
        match (self.host.filter(|host| !host.is_empty()), port) {
            (Some(host), Some(port)) => Some((host, port)),
            _ => host_and_port(&self.url?),
        }
    }
}

/// `host:port`, with or without a scheme before it.
fn host_and_port(url: &str) -> Option<(String, u16)> {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let (host, port) = rest.split('/').next()?.rsplit_once(':')?;
    Some((host.to_owned(), port.parse().ok()?)).filter(|(host, _)| !host.is_empty())
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct AppliedCode {
    pub(super) registration_code: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct RegisteredAuthority {
    pub(super) ca_sn: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct RegisteredCertificate {
    pub(super) device_certificate_sn: String,
}

/// For actions whose answer has no fields of its own.
#[derive(Debug, Deserialize)]
pub(super) struct Nothing {}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Authorities {
    data: Option<Vec<Authority>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Authority {
    ca_sn: String,
    ca_certificate: Option<String>,
    status: Option<String>,
    not_after_time: Option<i64>,
}

impl From<Authorities> for Vec<CloudAuthority> {
    fn from(list: Authorities) -> Self {
        list.data.unwrap_or_default().into_iter().map(CloudAuthority::from).collect()
    }
}

impl From<Authority> for CloudAuthority {
    fn from(authority: Authority) -> Self {
        Self {
            sn: CaSn(authority.ca_sn),
            fingerprint: authority.ca_certificate.as_deref().and_then(pem::fingerprint),
            status: authority.status.as_deref().and_then(CloudStatus::from_word),
            not_after: Timestamp(authority.not_after_time.unwrap_or(0).saturating_mul(1_000)),
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Certificates {
    // Absent is not null: a body without it is the answer to another question.
    total_count: Value,
    data: Option<Vec<Certificate>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Certificate {
    device_certificate_sn: String,
    device_certificate: Option<String>,
    ca_sn: Option<String>,
    client_id: Option<String>,
    status: Option<String>,
    certificate_source: Option<String>,
}

impl Certificates {
    /// The page, or what is contradictory in it.
    pub(super) fn page(self, offset: u64) -> Result<CertificatePage, Say> {
        let certificates: Vec<CloudCertificate> =
            self.data.unwrap_or_default().into_iter().map(CloudCertificate::from).collect();
        let end = offset.saturating_add(certificates.len() as u64);
        let total = match &self.total_count {
            Value::Null => end,
            count => count
                .as_u64()
                .ok_or_else(|| say!("its TotalCount is no number", "TotalCount 不是数字"))?,
        };
        if certificates.is_empty() && total > offset {
            return Err(say!("it counts certificates and shows none", "它数到了证书，却没有给出"));
        }
        Ok(CertificatePage { total: total.max(end), certificates })
    }
}

impl From<Certificate> for CloudCertificate {
    fn from(certificate: Certificate) -> Self {
        Self {
            sn: certificate.device_certificate_sn,
            fingerprint: certificate.device_certificate.as_deref().and_then(pem::fingerprint),
            ca: CaSn(certificate.ca_sn.unwrap_or_default()),
            client_id: certificate.client_id.unwrap_or_default(),
            status: certificate.status.as_deref().and_then(CloudStatus::from_word),
            automatic: certificate.certificate_source.as_deref() == Some("JITP"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{from_value, json, to_value};

    #[test]
    fn a_registration_has_the_fields_of_its_action_and_no_other() {
        let ca = CaSn("956a30da".to_owned());
        let request =
            RegisterCertificate::new("mqtt-g839agr2", "PEM\n", &ca, "VIN0001", CloudStatus::Active);
        let wanted = json!({
            "InstanceId": "mqtt-g839agr2", "DeviceCertificate": "PEM\n", "CaSn": "956a30da",
            "ClientId": "VIN0001", "Format": "PEM", "Status": "ACTIVE",
        });
        assert_eq!(to_value(&request).unwrap(), wanted);
        let request = RegisterAuthority::active("i", "CA", "V");
        let wanted = json!({
            "InstanceId": "i", "CaCertificate": "CA", "VerificationCertificate": "V",
            "Format": "PEM", "Status": "ACTIVE",
        });
        assert_eq!(to_value(&request).unwrap(), wanted);
    }

    #[test]
    fn a_list_names_its_filter_page_and_order() {
        let filter = CertificateFilter::ClientId("client-1".to_owned());
        let wanted = json!({
            "InstanceId": "i", "Filters": [{"Name": "ClientId", "Values": ["client-1"]}],
            "Limit": 100, "Offset": 200, "OrderBy": "CREATE_TIME_ASC",
        });
        assert_eq!(to_value(ListCertificates::new("i", &filter, 200, 100)).unwrap(), wanted);
    }

    #[test]
    fn an_instance_may_leave_much_unsaid() {
        let full = json!({
            "InstanceStatus": "RUNNING", "InstanceType": "PRO", "X509Mode": "BYOC",
            "DeviceCertificateProvisionType": "API", "TransportLayerSecurity": "TLSv1.3,TLSv1.2",
            "RegistrationCode": "bb18", "MaxCaNum": 20, "RequestId": "1", "TrustedCaLimit": 3,
        });
        let facts = InstanceFacts::from(from_value::<Instance>(full).unwrap());
        assert_eq!(facts.tls_versions, ["TLSv1.3", "TLSv1.2"]);
        assert_eq!(
            (facts.max_authorities, facts.registration_code.as_deref()),
            (Some(20), Some("bb18"))
        );
        let bare = json!({
            "InstanceStatus": "RUNNING", "InstanceType": "BASIC", "RegistrationCode": "",
            "X509Mode": null, "MaxCaNum": -1,
        });
        let facts = InstanceFacts::from(from_value::<Instance>(bare).unwrap());
        assert_eq!((facts.registration_code, facts.max_authorities), (None, None));
        assert!(from_value::<Instance>(json!({"RequestId": "1"})).is_err());
    }

    #[test]
    fn an_empty_list_is_one_only_if_it_says_so() {
        let page = |body: Value| from_value::<Certificates>(body).map(|list| list.page(0));
        let empty = CertificatePage { total: 0, certificates: Vec::new() };
        assert_eq!(page(json!({"TotalCount": 0, "Data": []})).unwrap(), Ok(empty.clone()));
        assert_eq!(page(json!({"TotalCount": null, "Data": null})).unwrap(), Ok(empty.clone()));
        assert_eq!(page(json!({"TotalCount": 0})).unwrap(), Ok(empty));
        assert!(page(json!({"TotalCount": 3, "Data": null})).unwrap().is_err());
        assert!(page(json!({"TotalCount": "0", "Data": []})).unwrap().is_err());
        assert!(page(json!({"Data": []})).is_err());
        assert!(page(json!({"RequestId": "1"})).is_err());
        assert!(page(json!({"TotalCount": 1, "Data": [{"ClientId": "x"}]})).is_err());
    }

    #[test]
    fn an_endpoint_is_a_host_and_a_port_or_a_url_with_both() {
        let list = json!({"Endpoints": [
            {"Type": "PUBLIC", "Host": "a.example", "Port": 8883, "Url": null},
            {"Type": "PUBLIC", "Url": "ssl://b.example:8883"},
            {"Type": "PUBLIC", "Url": "b.example"},
            {},
        ]});
        let hosts = from_value::<Endpoints>(list).unwrap().hosts();
        assert_eq!(hosts, [("a.example".to_owned(), 8883), ("b.example".to_owned(), 8883)]);
        assert!(from_value::<Endpoints>(json!({"Endpoints": null})).unwrap().hosts().is_empty());
    }
}
