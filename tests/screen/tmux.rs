//! A terminal: a tmux server of its own with one shell in it.

use std::cell::Cell;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::LONG;

/// How often the screen is looked at.
const LOOK: Duration = Duration::from_millis(40);

/// Longer than an Enter must be from the key before it to answer a question.
const CONSIDERED: Duration = Duration::from_millis(400);

/// What a person leaves at least between two keys.
const PERSON: Duration = Duration::from_millis(150);

/// What the shell says when it is ready for a command.
const PROMPT: &str = "ready>";

/// A terminal with a shell in it. Dropping it ends both.
pub(crate) struct Tmux {
    socket: PathBuf,
    /// When something was typed last.
    typed: Cell<Option<Instant>>,
}

impl Drop for Tmux {
    fn drop(&mut self) {
        // A server that has ended needs no end.
        let _ = self.tmux(&["kill-server"]).output();
    }
}

impl Tmux {
    /// A shell in a terminal of that size.
    pub(crate) fn new(dir: &Path, (columns, lines): (u16, u16)) -> Tmux {
        let terminal = Tmux { socket: dir.join("tmux.sock"), typed: Cell::new(None) };
        let (columns, lines) = (columns.to_string(), lines.to_string());
        let shell = format!("env PS1='{PROMPT} ' LC_ALL=C.UTF-8 sh");
        let session = ["new-session", "-d", "-x", &columns, "-y", &lines, &shell];
        terminal.begin(&session);
        terminal.run(&["set", "-g", "window-size", "manual"]);
        terminal.run(&["set", "-g", "escape-time", "0"]);
        // Every key is the program's.
        terminal.run(&["set", "-g", "prefix", "None"]);
        terminal.wait_for(PROMPT);
        terminal
    }

    /// A server of tmux ends now and then while it starts, before anything runs in it.
    fn begin(&self, session: &[&str]) {
        for _ in 0..2 {
            let output = self.tmux(session).output().unwrap();
            if !String::from_utf8_lossy(&output.stderr).contains("server exited unexpectedly") {
                assert!(output.status.success(), "tmux {session:?}: {output:?}");
                return;
            }
        }
        self.run(session);
    }

    fn tmux(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("tmux");
        command.arg("-u").arg("-f").arg("/dev/null").arg("-S").arg(&self.socket).args(arguments);
        command.env_remove("TMUX").env("LC_ALL", "C.UTF-8");
        command
    }

    #[track_caller]
    fn run(&self, arguments: &[&str]) -> String {
        let output = self.tmux(arguments).output().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "tmux {arguments:?}: {errors}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// What stands on the screen.
    pub(crate) fn screen(&self) -> String {
        self.run(&["capture-pane", "-p"])
    }

    /// A person's pause: what comes sooner is a scanner's, and no command.
    fn pause(&self) {
        if let Some(typed) = self.typed.get() {
            thread::park_timeout(PERSON.saturating_sub(typed.elapsed()));
        }
        self.typed.set(Some(Instant::now()));
    }

    /// Presses keys, as tmux names them.
    pub(crate) fn keys(&self, keys: &[&str]) {
        self.pause();
        self.run(&[&["send-keys"], keys].concat());
    }

    /// Types a text and an Enter, all at once.
    pub(crate) fn types(&self, text: &str) {
        self.pause();
        self.run(&["send-keys", "-l", text]);
        self.keys(&["Enter"]);
    }

    /// Scans: all characters and the Enter as fast as the terminal takes them.
    pub(crate) fn scans(&self, text: &str) {
        let mut keys: Vec<String> = text.bytes().map(|byte| format!("{byte:02x}")).collect();
        keys.push("0d".to_owned());
        let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
        self.pause();
        self.run(&[&["send-keys", "-H"], &keys[..]].concat());
    }

    /// Leaves the screen, and says yes when it asks.
    #[track_caller]
    pub(crate) fn leave(&self) {
        self.leave_with(0);
    }

    /// The same, where the program ends with this status; what it printed comes back.
    #[track_caller]
    pub(crate) fn leave_with(&self, status: u8) -> String {
        self.keys(&["F10"]);
        self.confirm_until(&format!("left={status}"), |shown| shown.contains("Leave?"))
    }

    /// Presses Enter while there is a question, until the screen shows this text. An Enter that
    /// comes soon after another key answers nothing.
    #[track_caller]
    pub(crate) fn confirm_until(&self, text: &str, asks: impl Fn(&str) -> bool) -> String {
        let pressed = Cell::new(Instant::now());
        self.wait_until(text, |shown| {
            if asks(shown) && pressed.get().elapsed() > CONSIDERED {
                self.keys(&["Enter"]);
                pressed.set(Instant::now());
            }
            shown.contains(text)
        })
    }

    pub(crate) fn resize(&self, columns: u16, lines: u16) {
        let (columns, lines) = (columns.to_string(), lines.to_string());
        self.run(&["resize-window", "-x", &columns, "-y", &lines]);
    }

    /// Whether a program has the alternate screen.
    pub(crate) fn has_alternate_screen(&self) -> bool {
        self.run(&["display", "-p", "#{alternate_on}"]).trim() == "1"
    }

    /// The process that has the terminal's foreground.
    pub(crate) fn shell(&self) -> String {
        self.run(&["display", "-p", "#{pane_pid}"]).trim().to_owned()
    }

    /// Waits until the screen shows this text.
    #[track_caller]
    pub(crate) fn wait_for(&self, text: &str) -> String {
        self.wait_until(text, |screen| screen.contains(text))
    }

    /// Waits until the screen is as wanted.
    #[track_caller]
    pub(crate) fn wait_until(&self, what: &str, wanted: impl Fn(&str) -> bool) -> String {
        let deadline = Instant::now() + LONG;
        loop {
            let screen = self.screen();
            if wanted(&screen) {
                return screen;
            }
            assert!(Instant::now() < deadline, "never shown: {what}\n{screen}");
            thread::park_timeout(LOOK);
        }
    }

    /// A keyboard at this terminal, behind which a scanner types.
    pub(crate) fn keyboard(&self) -> Keyboard {
        let socket = self.socket.display();
        let attach = format!("tmux -u -f /dev/null -S {socket} attach");
        let mut command = Command::new("script");
        command.args(["-qfc", &attach, "/dev/null"]).stdin(Stdio::piped()).stdout(Stdio::null());
        command.env("TERM", "xterm").env("LC_ALL", "C.UTF-8").env_remove("TMUX");
        let keyboard = Keyboard(command.spawn().unwrap());
        let deadline = Instant::now() + LONG;
        while self.run(&["list-clients"]).trim().is_empty() {
            assert!(Instant::now() < deadline, "nobody is attached");
            thread::park_timeout(LOOK);
        }
        keyboard
    }
}

/// A client of the terminal that types.
pub(crate) struct Keyboard(Child);

impl Drop for Keyboard {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Keyboard {
    /// Types a text and an Enter with 5 ms between the keys.
    pub(crate) fn scans(&mut self, text: &str) {
        self.sends(&[text.as_bytes(), b"\r"].concat(), 5);
    }

    /// Types bytes as fast as they are taken, a person's pause before the first: no pause of this
    /// machine's own comes between them.
    pub(crate) fn sends_at_once(&mut self, bytes: &[u8]) {
        thread::park_timeout(PERSON);
        let input = self.0.stdin.as_mut().unwrap();
        input.write_all(bytes).and_then(|()| input.flush()).unwrap();
    }

    /// Types bytes with so many milliseconds between characters, a person's pause before the first.
    pub(crate) fn sends(&mut self, bytes: &[u8], pause: u64) {
        thread::park_timeout(PERSON);
        let input = self.0.stdin.as_mut().unwrap();
        // A keyboard gives a character beyond ASCII as a whole.
        for character in bytes.chunk_by(|_, next| next & 0xc0 == 0x80) {
            input.write_all(character).and_then(|()| input.flush()).unwrap();
            thread::park_timeout(Duration::from_millis(pause));
        }
    }
}
