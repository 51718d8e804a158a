//! What changes on the line's page, sent to all who look (server-sent events).

use std::sync::Arc;
use std::time::Duration;

use hyper::body::Bytes;
use tokio::sync::{mpsc, watch};
use tokio::task::spawn_blocking;
use tokio::time::{interval, timeout};

use super::content::Content;

/// How often the ledger is asked whether anything changed, while anybody looks.
const LOOK: Duration = Duration::from_millis(500);

/// After so many looks the page is made anew all the same: ages and the pace change too.
const ANYWAY: u32 = 10;

/// A sign of life where nothing changes, so that nobody between closes the connection.
const QUIET: Duration = Duration::from_secs(15);

/// What the line's page shows, to whoever looks.
pub(super) type Shown = watch::Sender<Arc<str>>;

/// Keeps what is shown up to date, while anybody looks.
pub(super) async fn keep_up(shown: Shown, content: Arc<dyn Content>) {
    let mut looks = interval(LOOK);
    let (mut state, mut unchanged) = (None, 0);
    loop {
        looks.tick().await;
        if shown.receiver_count() == 0 {
            state = None;
            continue;
        }
        let asked = Arc::clone(&content);
        let now = spawn_blocking(move || asked.state()).await.ok();
        unchanged += 1;
        if now == state && unchanged < ANYWAY {
            continue;
        }
        (state, unchanged) = (now, 0);
        let asked = Arc::clone(&content);
        // A panic in it is told by its hook; the page stays as it is.
        let Ok(line) = spawn_blocking(move || asked.line()).await else { continue };
        shown.send_if_modified(|shown| {
            let changed = **shown != *line;
            if changed {
                *shown = line.into();
            }
            changed
        });
    }
}

/// Tells one who looks, until he goes away.
pub(super) async fn tell(mut shown: watch::Receiver<Arc<str>>, to: mpsc::Sender<Bytes>) {
    loop {
        let text = Arc::clone(&shown.borrow_and_update());
        if !text.is_empty() && to.send(event(&text)).await.is_err() {
            return;
        }
        loop {
            match timeout(QUIET, shown.changed()).await {
                Ok(Ok(())) => break,
                Ok(Err(_)) => return,
                Err(_) => {
                    if to.send(Bytes::from_static(b": still here\n\n")).await.is_err() {
                        return;
                    }
                }
            }
        }
    }
}

fn event(text: &str) -> Bytes {
    let lines: String = text.lines().map(|line| format!("data: {line}\n")).collect();
    format!("event: line\n{lines}\n").into()
}
