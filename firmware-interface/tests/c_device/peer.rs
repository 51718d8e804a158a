//! The C board's process.

use std::io::{BufReader, Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use super::build::board_program;
use super::script::{Answer, Op, STORAGE_LENGTH, is_answered};

pub(crate) struct CBoard {
    process: Child,
    script: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl CBoard {
    pub(crate) fn start() -> Self {
        let mut command = Command::new(board_program());
        let command = command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn().expect("the board's program starts");
        let script = process.stdin.take();
        let answers = BufReader::new(process.stdout.take().expect("stdout is a pipe"));
        Self { process, script, answers }
    }

    /// Does all of it in one go.
    pub(crate) fn run(&mut self, ops: &[Op]) -> Vec<Answer> {
        let mut script = Vec::new();
        ops.iter().for_each(|op| op.write(&mut script));
        script.push(b'Z');
        let pipe = self.script.as_mut().expect("the board runs");
        let answers = &mut self.answers;
        // Both pipes may fill up, so one end must write while the other reads.
        std::thread::scope(|scope| {
            scope.spawn(move || pipe.write_all(&script).expect("the board takes the script"));
            ops.iter().filter(|op| is_answered(op)).map(|op| read_answer(answers, op)).collect()
        })
    }
}

fn read_answer(from: &mut impl Read, op: &Op) -> Answer {
    let mut take = |length: usize| {
        let mut bytes = vec![0; length];
        from.read_exact(&mut bytes).expect("the board lives");
        bytes
    };
    match op {
        Op::Receive(_) => {
            let length = u32::from_le_bytes(take(4).try_into().unwrap());
            Answer::Sent { bytes: take(length as usize), resets: take(1) == [1] }
        }
        _ => Answer::Storage(take(STORAGE_LENGTH)),
    }
}

impl Drop for CBoard {
    fn drop(&mut self) {
        self.script = None;
        let status = self.process.wait();
        if !std::thread::panicking() {
            assert!(status.is_ok_and(|status| status.success()), "the board ended badly");
        }
    }
}
