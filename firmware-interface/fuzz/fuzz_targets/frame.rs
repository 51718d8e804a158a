//! Any bytes on the line: no panic, and every frame that is found has one encoding.
#![no_main]

use firmware_interface::codec::{self, MAX_FRAME};
use firmware_interface::frame::{FrameReader, FullFrameReader};
use firmware_interface::message::{Message, Sink};
use libfuzzer_sys::fuzz_target;

struct Raw<'b>(&'b [u8]);

impl Message for Raw<'_> {
    fn message_type(&self) -> u8 {
        0
    }

    fn body_length(&self) -> usize {
        self.0.len()
    }

    fn write_body(&self, sink: &mut impl Sink) {
        sink.put(self.0);
    }
}

fuzz_target!(|line: &[u8]| {
    let mut full = FullFrameReader::new();
    let mut input = line;
    while let Some(frame) = full.next_frame(&mut input) {
        let taken = &line[..line.len() - input.len()];
        let mut out = [0; MAX_FRAME];
        let length = codec::encode(frame.header, &Raw(frame.body), &mut out).unwrap();
        assert!(taken.ends_with(&out[1..length]), "a second encoding was taken");
    }
    let mut small = FrameReader::<48>::new();
    let mut input = line;
    while small.next_frame(&mut input).is_some() {}
});
