//! Any body under any type: no panic, and what is understood is written back the same.
//!
//! The first byte is the type, the rest the body.
#![no_main]

use firmware_interface::codec::{Frame, Header};
use firmware_interface::image::Settings;
use firmware_interface::message::{Message, Reply, Request, Sink};
use libfuzzer_sys::fuzz_target;

struct Bytes(Vec<u8>);

impl Sink for Bytes {
    fn put(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }
}

fn check(message: &impl Message, body: &[u8]) {
    let mut again = Bytes(Vec::new());
    message.write_body(&mut again);
    assert_eq!(again.0, body);
    assert_eq!(message.body_length(), body.len());
}

fuzz_target!(|bytes: &[u8]| {
    let Some((message_type, body)) = bytes.split_first() else { return };
    let header = Header { version: 1, message_type: *message_type, seq: 1, session: 1 };
    let frame = Frame { header, body };
    if let Ok(request) = Request::from_frame(&frame) {
        check(&request, body);
    }
    if let Ok(reply) = Reply::from_frame(&frame) {
        check(&reply, body);
    }
    if let Ok(settings) = Settings::parse(body) {
        let mut again = Bytes(Vec::new());
        settings.write(&mut again);
        assert_eq!(again.0, body);
    }
});
