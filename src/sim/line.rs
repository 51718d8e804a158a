//! Both directions of a simulated line: when frames arrive, and what happens to them.
//!
//! [`Inbound`] turns what a station wrote into frames with a time of arrival;
//! [`Outbound`] turns replies into bytes with a time at which they may be seen. Neither
//! waits, reads or writes. What befalls which frame is decided by [`Mishaps`].

use std::collections::VecDeque;
use std::time::Duration;

use super::dice::Dice;
use super::mishap::{Direction, FrameNumber, Mishap};
use super::schedule::{BaudRate, Line, Moment};

/// What a station's own port buffers; beyond it a station has to wait with writing.
const PORT_BUFFER: usize = 4_096;

/// Bytes without a frame's end that are handed on as they are.
const ENDLESS: usize = 2_048;

/// How long a port adapter collects bytes before it hands them to the station. Never
/// early, a frame's end never late, and a wake-up for each byte is spared.
const COLLECT: Duration = Duration::from_millis(8);

/// What a line's time is rounded down by at most.
const ROUNDED: Duration = Duration::from_nanos(1);

/// What happens to the frames of one device.
#[derive(Debug, Default)]
pub(crate) struct Mishaps {
    planned: Vec<(FrameNumber, Mishap)>,
    /// With what percentage a frame is lost or changed, and from what that is drawn.
    lossy: Option<(f64, Dice)>,
    to_device: u32,
    from_device: u32,
}

impl Mishaps {
    /// These, and no others.
    pub(crate) fn new(planned: Vec<(FrameNumber, Mishap)>, lossy: Option<(f64, Dice)>) -> Self {
        Self { planned, lossy, to_device: 0, from_device: 0 }
    }

    /// Counts the next frame of that direction: its number, and what happens to it.
    pub(crate) fn next(&mut self, direction: Direction) -> (u32, Option<Mishap>) {
        let count = match direction {
            Direction::ToDevice => &mut self.to_device,
            Direction::FromDevice => &mut self.from_device,
        };
        *count += 1;
        let frame = FrameNumber { direction, number: *count };
        let planned = self.planned.iter().find(|(which, _)| *which == frame);
        (frame.number, planned.map(|(_, mishap)| *mishap).or_else(|| self.by_chance()))
    }

    fn by_chance(&mut self) -> Option<Mishap> {
        let (percent, dice) = self.lossy.as_mut()?;
        let hit = dice.happens(*percent);
        let lost = dice.happens(50.0);
        hit.then_some(if lost { Mishap::Drop } else { Mishap::Corrupt })
    }
}

/// Changes one bit in the middle of a frame, and never makes a delimiter.
pub(crate) fn corrupt(frame: &mut [u8]) {
    let middle = frame.len() / 2;
    if let Some(byte) = frame.get_mut(middle) {
        *byte ^= if *byte == 0x01 { 0x02 } else { 0x01 };
    }
}

/// Bytes that reach the device together.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Arrival {
    /// When the last of them does.
    pub(crate) at: Moment,
    /// A frame with its delimiters, or noise that has gone on for long.
    pub(crate) bytes: Vec<u8>,
    /// Whether it is a frame, sound or not.
    pub(crate) is_frame: bool,
}

/// From the station to the device.
#[derive(Debug)]
pub(crate) struct Inbound {
    line: Line,
    partial: Vec<u8>,
}

impl Inbound {
    /// An idle line.
    pub(crate) const fn new(rate: BaudRate) -> Self {
        Self { line: Line::new(rate), partial: Vec::new() }
    }

    /// Takes what the station wrote by `now`; the frames that it completes.
    pub(crate) fn take(&mut self, now: Moment, bytes: &[u8]) -> Vec<Arrival> {
        let start = self.line.carry(now, bytes.len());
        let mut arrivals = Vec::new();
        for (index, byte) in bytes.iter().enumerate() {
            if let Some(is_frame) = self.complete(*byte) {
                let at = start + self.line.rate().line_time(index + 1);
                let bytes = std::mem::take(&mut self.partial);
                arrivals.push(Arrival { at, bytes, is_frame });
            }
        }
        arrivals
    }

    /// Takes one byte; if it completes something, whether that is a frame.
    fn complete(&mut self, byte: u8) -> Option<bool> {
        let in_frame = self.partial.last().is_some_and(|last| *last != 0);
        let is_frame = byte == 0 && in_frame;
        if byte == 0 && !in_frame {
            self.partial.clear();
        }
        self.partial.push(byte);
        (is_frame || self.partial.len() >= ENDLESS).then_some(is_frame)
    }

    /// When the station's port has room again; none if it has room now.
    pub(crate) fn full_until(&self, now: Moment) -> Option<Moment> {
        let waiting = self.line.free_at().since(now);
        let buffered = self.line.rate().line_time(PORT_BUFFER);
        waiting.checked_sub(buffered).filter(|wait| !wait.is_zero()).map(|wait| now + wait)
    }
}

/// Bytes on their way to the station.
#[derive(Debug)]
struct Parcel {
    start: Moment,
    bytes: Vec<u8>,
    sent: usize,
    /// Whether the device is done with its last byte.
    farewell: bool,
}

/// What may be written now.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Due {
    pub(crate) bytes: Vec<u8>,
    /// Whether the device's last reply ends with them.
    pub(crate) farewell: bool,
}

/// From the device to the station.
#[derive(Debug)]
pub(crate) struct Outbound {
    line: Line,
    parcels: VecDeque<Parcel>,
}

impl Outbound {
    /// An idle line.
    pub(crate) const fn new(rate: BaudRate) -> Self {
        Self { line: Line::new(rate), parcels: VecDeque::new() }
    }

    /// Sends bytes that are ready then; says when the last one arrives.
    pub(crate) fn send(&mut self, ready: Moment, bytes: Vec<u8>, farewell: bool) -> Moment {
        let start = self.line.carry(ready, bytes.len());
        self.parcels.push_back(Parcel { start, bytes, sent: 0, farewell });
        self.line.free_at()
    }

    /// What has crossed the line by `now` and was not yet handed over.
    pub(crate) fn due(&mut self, now: Moment) -> Option<Due> {
        let rate = self.line.rate();
        let parcel = self.parcels.front_mut()?;
        if now < handover(rate, parcel) {
            return None;
        }
        let crossed = rate.bytes_in(now.since(parcel.start), parcel.bytes.len());
        let all = now >= parcel.start + rate.line_time(parcel.bytes.len());
        let until = if all { parcel.bytes.len() } else { crossed };
        let bytes = parcel.bytes[parcel.sent.min(until)..until].to_vec();
        parcel.sent = until;
        let farewell = all && parcel.farewell;
        if all {
            self.parcels.pop_front();
        }
        Some(Due { bytes, farewell })
    }

    /// When something is to be handed over next.
    pub(crate) fn next_at(&self) -> Option<Moment> {
        self.parcels.front().map(|parcel| handover(self.line.rate(), parcel))
    }

    /// When everything has crossed.
    pub(crate) const fn free_at(&self) -> Moment {
        self.line.free_at()
    }

    /// Whether nothing is on its way.
    pub(crate) fn is_empty(&self) -> bool {
        self.parcels.is_empty()
    }

    /// Drops what is on its way, as a power cut does.
    pub(crate) fn cut(&mut self) {
        self.parcels.clear();
    }
}

/// When the next bytes of a parcel are handed to the station.
fn handover(rate: BaudRate, parcel: &Parcel) -> Moment {
    let end = parcel.start + rate.line_time(parcel.bytes.len());
    // On a line so slow that a byte takes longer, there is nothing to hand over before it came.
    let collected = rate.line_time(parcel.sent) + COLLECT;
    let next_byte = rate.line_time(parcel.sent + 1) + ROUNDED;
    end.min(parcel.start + collected.max(next_byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SLOW: BaudRate = BaudRate(10_000);
    const BYTE: Duration = Duration::from_millis(1);

    fn at(milliseconds: u64) -> Moment {
        Moment(0) + Duration::from_millis(milliseconds)
    }

    #[test]
    fn a_frame_arrives_with_its_last_byte() {
        let mut line = Inbound::new(SLOW);
        assert_eq!(line.take(at(100), b"\0ab"), []);
        let arrivals = line.take(at(101), b"c\0\0de\0");
        assert_eq!(
            arrivals,
            [
                Arrival { at: at(105), bytes: b"\0abc\0".to_vec(), is_frame: true },
                Arrival { at: at(109), bytes: b"\0de\0".to_vec(), is_frame: true }
            ]
        );
    }

    #[test]
    fn one_delimiter_between_two_frames_is_enough() {
        let mut line = Inbound::new(BaudRate(0));
        let frames: Vec<_> = line.take(at(1), b"\0ab\0cd\0").into_iter().map(|a| a.bytes).collect();
        assert_eq!(frames, [b"\0ab\0".to_vec(), b"cd\0".to_vec()]);
    }

    #[test]
    fn a_station_waits_when_its_port_is_full() {
        let mut line = Inbound::new(SLOW);
        line.take(at(0), &[1; PORT_BUFFER]);
        assert_eq!(line.full_until(at(0)), None);
        line.take(at(0), &[1; 10]);
        assert_eq!(line.full_until(at(0)), Some(at(10)));
        assert_eq!(line.full_until(at(10)), None);
    }

    #[test]
    fn on_the_slowest_line_nothing_is_handed_over_before_a_byte_has_crossed() {
        let mut line = Outbound::new(BaudRate(1_200));
        let end = line.send(at(0), vec![0x55; 60], false);
        let mut now = at(0);
        let mut seen = 0;
        while let Some(next) = line.next_at() {
            assert!(next > now, "{next:?} after {now:?}");
            now = next;
            let due = line.due(now).unwrap();
            assert!(!due.bytes.is_empty(), "at {now:?}");
            seen += due.bytes.len();
        }
        assert_eq!((seen, now), (60, end));
    }

    #[test]
    fn a_reply_is_handed_over_when_its_last_byte_has_crossed() {
        let mut line = Outbound::new(SLOW);
        assert_eq!(line.send(at(50), b"12345".to_vec(), false), at(55));
        assert_eq!(line.next_at(), Some(at(55)));
        assert_eq!(line.due(at(54)), None);
        assert_eq!(line.due(at(55)), Some(Due { bytes: b"12345".to_vec(), farewell: false }));
        assert!(line.is_empty());
    }

    #[test]
    fn a_long_reply_is_handed_over_in_parts_and_never_early() {
        let mut line = Outbound::new(SLOW);
        line.send(at(0), vec![7; 20], true);
        assert_eq!(line.next_at(), Some(at(8)));
        assert_eq!(line.due(at(9)).unwrap(), Due { bytes: vec![7; 9], farewell: false });
        assert_eq!(line.next_at(), Some(at(17)));
        assert_eq!(line.due(at(17)).unwrap(), Due { bytes: vec![7; 8], farewell: false });
        assert_eq!(line.due(at(99)).unwrap(), Due { bytes: vec![7; 3], farewell: true });
    }

    #[test]
    fn a_late_wake_up_does_not_move_the_next_reply() {
        let mut line = Outbound::new(SLOW);
        line.send(at(0), vec![1; 4], false);
        line.send(at(0), vec![2; 4], false);
        line.due(at(7));
        assert_eq!(line.next_at(), Some(at(8)));
        assert_eq!(line.free_at(), at(0) + 8 * BYTE);
    }

    #[test]
    fn only_the_planned_frame_has_a_mishap() {
        let third = FrameNumber { direction: Direction::ToDevice, number: 3 };
        let mut mishaps = Mishaps::new(vec![(third, Mishap::Double)], None);
        let to: Vec<_> = (0..4).map(|_| mishaps.next(Direction::ToDevice)).collect();
        assert_eq!(to, [(1, None), (2, None), (3, Some(Mishap::Double)), (4, None)]);
        let from: Vec<_> = (0..4).map(|_| mishaps.next(Direction::FromDevice).1).collect();
        assert_eq!(from, [None; 4]);
    }

    #[test]
    fn a_lossy_line_loses_about_its_share() {
        let mut mishaps = Mishaps::new(Vec::new(), Some((10.0, Dice::new(1, "line"))));
        let hit = (0..1_000).filter(|_| mishaps.next(Direction::FromDevice).1.is_some()).count();
        assert!((60..140).contains(&hit), "{hit}");
    }

    #[test]
    fn a_corrupted_frame_differs_in_one_bit_and_has_no_new_delimiter() {
        for byte in 1..=255_u8 {
            let mut frame = [0, 9, byte, 9, 0];
            corrupt(&mut frame);
            assert_eq!((frame[2] ^ byte).count_ones(), 1);
            assert_ne!(frame[2], 0);
        }
    }
}
