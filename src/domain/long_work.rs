//! How far long work is: told where it is done, heard by whoever asked for it.
//!
//! [`hear`] sets an ear for the thread while it does something, and [`tell`] reaches it from
//! any depth of that work. Where nobody listens, telling costs next to nothing. It is for
//! people who wait; nothing may depend on being heard.

use std::cell::RefCell;

/// Hears how much is done, and how much there is in all.
pub type Ear = Box<dyn FnMut(u64, u64)>;

thread_local! {
    static EAR: RefCell<Option<Ear>> = const { RefCell::new(None) };
}

/// Takes the ear off again, also where the work ends with a panic.
struct Listening;

impl Drop for Listening {
    fn drop(&mut self) {
        EAR.with(|ear| ear.borrow_mut().take());
    }
}

/// Does `work`, and has `ear` hear how far it is.
pub fn hear<R>(ear: Ear, work: impl FnOnce() -> R) -> R {
    EAR.with(|slot| *slot.borrow_mut() = Some(ear));
    let _listening = Listening;
    work()
}

/// Says how far it is.
pub fn tell(done: u64, total: u64) {
    EAR.with(|ear| {
        // An ear that is told something while it listens hears the first only.
        if let Ok(mut ear) = ear.try_borrow_mut()
            && let Some(ear) = ear.as_mut()
        {
            ear(done, total);
        }
    });
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::rc::Rc;

    use super::*;

    #[test]
    fn whoever_listens_hears_it_and_nobody_else() {
        let heard = Rc::new(Cell::new((0, 0)));
        let notes = Rc::clone(&heard);
        tell(1, 9);
        let given = hear(Box::new(move |done, total| notes.set((done, total))), || {
            tell(2, 9);
            "given back"
        });
        tell(3, 9);
        assert_eq!((given, heard.get()), ("given back", (2, 9)));
    }
}
