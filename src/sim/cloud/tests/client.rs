//! A client that does exactly what a test says, CAs for it, and an emulation to call.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::{SystemTime, UNIX_EPOCH};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, SerialNumber};
use serde_json::{Value, json};

use crate::cloud::options::{Credentials, Options};
use crate::cloud::server::{SimulatedCloud, start};
use crate::cloud::signature::{Headers, authorization};

pub(super) const ID: &str = "mqtt-emulated";

/// An answer as it came over the wire.
#[derive(Debug)]
pub(super) struct Answered {
    pub(super) status: u16,
    pub(super) head: String,
    pub(super) body: String,
}

/// What is sent; a test changes what it wants to be wrong.
pub(super) struct Call {
    pub(super) start_line: String,
    pub(super) headers: Headers,
    pub(super) body: String,
    pub(super) key: Credentials,
    pub(super) time: i64,
}

impl Call {
    pub(super) fn new(action: &str, body: &Value) -> Self {
        let headers = [
            ("host", "127.0.0.1"),
            ("content-type", "application/json"),
            ("x-tc-action", action),
            ("x-tc-version", "2024-05-16"),
            ("x-tc-region", "ap-guangzhou"),
        ];
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        Self {
            start_line: "POST / HTTP/1.1".to_owned(),
            headers: Headers(headers.into()),
            body: body.to_string(),
            key: Credentials::of_the_demo(),
            time: i64::try_from(now).unwrap(),
        }
    }

    pub(super) fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.0.insert(name.to_owned(), value.to_owned());
        self
    }

    pub(super) fn send(mut self, cloud: &SimulatedCloud) -> io::Result<Answered> {
        self.headers.0.insert("x-tc-timestamp".to_owned(), self.time.to_string());
        if !self.headers.0.contains_key("authorization") {
            let signed = authorization(&self.headers, self.body.as_bytes(), &self.key, self.time);
            self.headers.0.insert("authorization".to_owned(), signed);
        }
        let mut text = format!("{}\r\n", self.start_line);
        for (name, value) in &self.headers.0 {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        text.push_str(&format!("content-length: {}\r\nconnection: close\r\n\r\n", self.body.len()));
        text.push_str(&self.body);
        let mut stream = TcpStream::connect(cloud.url().trim_start_matches("http://"))?;
        stream.write_all(text.as_bytes())?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        let (head, body) = answer.split_once("\r\n\r\n").ok_or(io::ErrorKind::UnexpectedEof)?;
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap();
        Ok(Answered { status, head: head.to_owned(), body: body.to_owned() })
    }
}

impl Answered {
    /// The fields of the answer, or the error's code.
    pub(super) fn fields(&self) -> Result<Value, String> {
        assert_eq!(self.status, 200, "{self:?}");
        let answer: Value = serde_json::from_str(&self.body).unwrap();
        let response = answer["Response"].clone();
        assert!(response["RequestId"].is_string(), "{answer}");
        match response["Error"]["Code"].as_str() {
            Some(code) => Err(code.to_owned()),
            None => Ok(response),
        }
    }
}

/// Calls an action of the instance with these fields.
pub(super) fn call(cloud: &SimulatedCloud, action: &str, fields: Value) -> Result<Value, String> {
    let mut body = fields;
    body["InstanceId"] = ID.into();
    Call::new(action, &body).send(cloud).unwrap().fields()
}

/// The code with which a call is refused.
pub(super) fn refused(cloud: &SimulatedCloud, action: &str, fields: Value) -> String {
    call(cloud, action, fields).unwrap_err()
}

pub(super) fn running() -> SimulatedCloud {
    start(Options { rate: Some(0), ..Options::default() }).unwrap()
}

/// A CA and its key.
pub(super) struct Ca {
    params: CertificateParams,
    key: KeyPair,
    pub(super) pem: String,
}

impl Ca {
    pub(super) fn new(serial: &[u8]) -> Self {
        let mut params = named("Test CA");
        params.serial_number = Some(SerialNumber::from_slice(serial));
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        Self { params, key, pem }
    }

    pub(super) fn issue(&self, cn: &str, serial: &[u8]) -> String {
        let mut params = named(cn);
        params.serial_number = Some(SerialNumber::from_slice(serial));
        params.distinguished_name.push(DnType::OrganizationalUnitName, "TH200");
        let issuer = Issuer::from_params(&self.params, &self.key);
        params.signed_by(&KeyPair::generate().unwrap(), &issuer).unwrap().pem()
    }

    /// Registers it, and gives its serial number as the cloud prints it.
    pub(super) fn register(&self, cloud: &SimulatedCloud) -> String {
        let code = call(cloud, "ApplyRegistrationCode", json!({})).unwrap();
        let verification = self.issue(code["RegistrationCode"].as_str().unwrap(), &[0x44]);
        let fields = json!({"CaCertificate": self.pem, "VerificationCertificate": verification});
        let answer = call(cloud, "RegisterCaCertificate", fields).unwrap();
        answer["CaSn"].as_str().unwrap().to_owned()
    }
}

fn named(cn: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, cn);
    params
}

/// The fields that register this certificate.
pub(super) fn device(pem: &str, ca: &str, client_id: &str) -> Value {
    json!({"DeviceCertificate": pem, "CaSn": ca, "ClientId": client_id})
}
