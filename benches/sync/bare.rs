//! The least that a client can do: requests that were signed before, over connections that
//! are open already, nothing recorded, nothing paced, no answer understood.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{SystemTime, UNIX_EPOCH};

use hmac::{Hmac, KeyInit, Mac};
use provisioning_station::domain::ids::to_hex;
use provisioning_station::sim::cloud::{Credentials, Instance, SimulatedCloud};
use sha2::{Digest, Sha256};

use crate::requests::{REGISTER, per_second, registrations};

/// As many as the station has calls in flight.
const CONNECTIONS: usize = 96;

/// Registers these, and says how many a second it reached.
pub(crate) fn register_all(cloud: &SimulatedCloud, pems: &[(String, String)], ca: &str) -> f64 {
    let host = cloud.url().trim_start_matches("http://").to_owned();
    let requests: Vec<Vec<u8>> =
        pems.iter().map(|(client_id, pem)| request(&host, client_id, pem, ca)).collect();
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..CONNECTIONS {
            scope.spawn(|| send_all(&host, &requests, &next));
        }
    });
    let times = registrations(cloud);
    assert_eq!(times.len(), pems.len());
    per_second(&times)
}

/// Sends the next request that nobody has taken, until there is none.
fn send_all(host: &str, requests: &[Vec<u8>], next: &AtomicUsize) {
    let stream = TcpStream::connect(host).unwrap();
    stream.set_nodelay(true).unwrap();
    let mut answers = BufReader::new(stream.try_clone().unwrap());
    let mut stream = stream;
    while let Some(request) = requests.get(next.fetch_add(1, Ordering::Relaxed)) {
        stream.write_all(request).unwrap();
        let answer = read_answer(&mut answers);
        assert!(answer.contains("DeviceCertificateSn"), "{answer}");
    }
}

fn read_answer(answers: &mut impl BufRead) -> String {
    let mut length = 0;
    loop {
        let mut line = String::new();
        answers.read_line(&mut line).unwrap();
        let line = line.trim_end().to_ascii_lowercase();
        if let Some(value) = line.strip_prefix("content-length: ") {
            length = value.parse().unwrap();
        }
        if line.is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    answers.read_exact(&mut body).unwrap();
    String::from_utf8(body).unwrap()
}

fn request(host: &str, client_id: &str, pem: &str, ca: &str) -> Vec<u8> {
    let instance = Instance::default();
    let body = serde_json::json!({
        "InstanceId": instance.id, "DeviceCertificate": pem, "CaSn": ca, "ClientId": client_id,
    })
    .to_string();
    let time = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let date = jiff::Timestamp::from_second(time.cast_signed()).unwrap();
    let authorization = authorization(host, &body, time, &date.strftime("%Y-%m-%d").to_string());
    format!(
        "POST / HTTP/1.1\r\nhost: {host}\r\ncontent-type: application/json\r\n\
         x-tc-action: {REGISTER}\r\nx-tc-version: 2024-05-16\r\nx-tc-region: {}\r\n\
         x-tc-timestamp: {time}\r\nauthorization: {authorization}\r\n\
         content-length: {}\r\n\r\n{body}",
        instance.region,
        body.len()
    )
    .into_bytes()
}

fn authorization(host: &str, body: &str, time: u64, date: &str) -> String {
    let key = Credentials::of_the_demo();
    let canonical = format!(
        "POST\n/\n\ncontent-type:application/json\nhost:{host}\n\ncontent-type;host\n{}",
        sha256(body)
    );
    let scope = format!("{date}/mqtt/tc3_request");
    let text = format!("TC3-HMAC-SHA256\n{time}\n{scope}\n{}", sha256(&canonical));
    let day = hmac(format!("TC3{}", key.secret_key).as_bytes(), date);
    let signature = to_hex(&hmac(&hmac(&hmac(&day, "mqtt"), "tc3_request"), &text));
    let id = key.secret_id;
    format!(
        "TC3-HMAC-SHA256 Credential={id}/{scope}, SignedHeaders=content-type;host, \
         Signature={signature}"
    )
}

fn sha256(text: &str) -> String {
    to_hex(&Sha256::digest(text))
}

fn hmac(key: &[u8], text: &str) -> Vec<u8> {
    let mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.chain_update(text).finalize().into_bytes().to_vec()
}
