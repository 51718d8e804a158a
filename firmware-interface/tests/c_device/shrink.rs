//! Makes a stream that shows a difference as short as it gets.

use super::script::Op;

/// Leaves out orders as long as what is left still `fails`.
pub(crate) fn shrink(mut ops: Vec<Op>, mut fails: impl FnMut(&[Op]) -> bool) -> Vec<Op> {
    let mut step = ops.len() / 2;
    while step > 0 {
        let mut at = 0;
        while at + step <= ops.len() {
            let shorter = [&ops[..at], &ops[at + step..]].concat();
            if fails(&shorter) {
                ops = shorter;
            } else {
                at += step;
            }
        }
        step /= 2;
    }
    ops
}
