//! A server that knows no API: it keeps what it gets and answers what it was told.

use std::future::Future;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use zeroize::Zeroizing;

use super::super::{Credentials, Roots, Settings, Tdmq};
use crate::domain::clock::{Clock, Now, Timestamp};

/// What is answered to one request.
#[derive(Debug, Clone)]
pub(super) enum Reply {
    /// These bytes.
    Bytes(String),
    /// Nothing; the connection is closed.
    Close,
    /// Nothing; the connection stays open until the server ends.
    Silence,
}

impl Reply {
    pub(super) fn json(body: &str) -> Self {
        Self::status(200, body)
    }

    pub(super) fn status(status: u16, body: &str) -> Self {
        let length = body.len();
        Self::Bytes(format!("HTTP/1.1 {status} X\r\nContent-Length: {length}\r\n\r\n{body}"))
    }

    fn map(self, change: impl FnOnce(String) -> String) -> Self {
        match self {
            Reply::Bytes(bytes) => Reply::Bytes(change(bytes)),
            other => other,
        }
    }

    /// Both texts have the same length, or the header would lie.
    pub(super) fn replacing(self, old: &str, new: &str) -> Self {
        let new = format!("{new:0<width$}", width = old.len());
        self.map(|bytes| bytes.replace(old, &new))
    }

    pub(super) fn dated(self, date: &str) -> Self {
        self.map(|bytes| bytes.replacen("\r\n", &format!("\r\nDate: {date}\r\n"), 1))
    }

    pub(super) fn cut_short(self) -> Self {
        self.map(|bytes| bytes[..bytes.len() - 5].to_owned())
    }
}

/// A request as it came.
#[derive(Debug, Clone)]
pub(super) struct Request {
    pub(super) head: String,
    pub(super) body: Vec<u8>,
}

impl Request {
    pub(super) fn header(&self, name: &str) -> Option<String> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(':'));
        lines.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, v)| v.trim().to_owned())
    }
}

struct Inner {
    replies: Mutex<std::vec::IntoIter<Reply>>,
    requests: Mutex<Vec<Request>>,
    connections: AtomicUsize,
}

/// The server; its thread ends with the test's process at the latest.
pub(super) struct Server {
    address: SocketAddr,
    inner: Arc<Inner>,
}

impl Server {
    pub(super) fn start(replies: Vec<Reply>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let inner = Arc::new(Inner {
            replies: Mutex::new(replies.into_iter()),
            requests: Mutex::default(),
            connections: AtomicUsize::new(0),
        });
        let of_thread = Arc::clone(&inner);
        std::thread::spawn(move || {
            let mut silent = Vec::new();
            for stream in listener.incoming() {
                // The one who holds the test's end is gone.
                if Arc::strong_count(&of_thread) == 1 {
                    return;
                }
                of_thread.connections.fetch_add(1, Ordering::SeqCst);
                silent.extend(serve(&of_thread, stream.unwrap()));
            }
        });
        Self { address, inner }
    }

    pub(super) fn host(&self) -> String {
        self.address.to_string()
    }

    pub(super) fn requests(&self) -> Vec<Request> {
        self.inner.requests.lock().unwrap().clone()
    }

    pub(super) fn connections(&self) -> usize {
        self.inner.connections.load(Ordering::SeqCst)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Wakes the thread, which then finds itself alone and closes its port.
        self.inner = Arc::new(Inner {
            replies: Mutex::new(Vec::new().into_iter()),
            requests: Mutex::default(),
            connections: AtomicUsize::new(0),
        });
        let _ = TcpStream::connect(self.address);
        while TcpStream::connect(self.address).is_ok() {
            std::thread::yield_now();
        }
    }
}

/// Serves one connection; gives back one that is to stay open.
fn serve(inner: &Inner, stream: TcpStream) -> Option<TcpStream> {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    while let Some(request) = read(&mut reader) {
        inner.requests.lock().unwrap().push(request);
        match inner.replies.lock().unwrap().next() {
            Some(Reply::Bytes(bytes)) => (&stream).write_all(bytes.as_bytes()).unwrap(),
            Some(Reply::Silence) => return Some(stream),
            Some(Reply::Close) | None => break,
        }
        // A body that is shorter than announced ends with its connection.
        let whole = inner.replies.lock().unwrap().len() > 0;
        if !whole {
            break;
        }
    }
    let _ = stream.shutdown(Shutdown::Both);
    None
}

fn read(reader: &mut BufReader<TcpStream>) -> Option<Request> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head).ok()? == 0 {
            return None;
        }
    }
    let mut request = Request { head, body: Vec::new() };
    let length = request.header("content-length").map_or(0, |length| length.parse().unwrap());
    request.body.resize(length, 0);
    reader.read_exact(&mut request.body).ok()?;
    Some(request)
}

/// 1994-11-06T08:37:37Z, twelve minutes before the date of the examples.
struct Fixed;

impl Clock for Fixed {
    fn now(&self) -> Now {
        Now { monotonic: Duration::ZERO, wall: Timestamp(784_111_057_000_000) }
    }
}

/// A client for the server.
pub(super) fn client(server: &Server) -> Tdmq {
    fast_client(server, Duration::from_secs(60))
}

/// The same with a limit of its own.
pub(super) fn fast_client(server: &Server, call_limit: Duration) -> Tdmq {
    let settings = Settings {
        endpoint: format!("http://{}", server.host()),
        region: "ap-guangzhou".to_owned(),
        instance: "mqtt-a".to_owned(),
        rate_per_second: 10,
        call_limit,
        roots: Roots::System,
        proxy: None,
    };
    let secret = |text: &str| Zeroizing::new(text.to_owned());
    let credentials = Credentials {
        id: secret("the-id"),
        key: secret("the-key"),
        token: Some(secret("the-token")),
    };
    Tdmq::new(&settings, credentials, Arc::new(Fixed)).unwrap()
}

pub(super) fn block_on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}
