//! The door: HTTP on a socket, in a thread of its own.

use std::cell::RefCell;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, DATE};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{HeaderMap, Method, Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use jiff::Timestamp;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::LocalSet;
use tokio::time::timeout;

use super::book::Status;
use super::desk::{Arrived, Desk, Outcome, Reply};
use super::instance::Instance;
use super::log::{Log, ReceivedRequest};
use super::options::Options;
use super::signature::Headers;
use crate::domain::cause::Told;
use crate::domain::places::{Place, Places};

/// The largest body that is read: what the API takes at most.
const MAX_BODY: usize = 10 * 1_024 * 1_024;

/// Connections at a time. They come from this machine, so one address may have most of them.
const CONNECTIONS: usize = 512;
const CONNECTIONS_OF_ONE: usize = 384;

/// After this long a connection is closed behind its next answer, and that long after it
/// in any case: a client that does not read its answer holds no place for ever.
const LIFE: Duration = Duration::from_secs(300);
const LAST_ANSWER: Duration = Duration::from_secs(60);

/// How long to wait before the next connection is taken where taking one failed.
const AFTER_FAILED_ACCEPT: Duration = Duration::from_millis(50);

const PAGE: &str = "<!DOCTYPE html><html><body><h1>Please log in</h1></body></html>";

/// Why the emulated cloud can't be started.
#[derive(Debug, thiserror::Error)]
pub enum CloudSimError {
    /// The address can't be listened on.
    #[error("{address} can't be listened on")]
    Listen {
        /// Where it should listen.
        address: SocketAddr,
        /// Why not.
        source: io::Error,
    },
    /// The state file can't be used.
    #[error("the state file {} can't be used", file.as_deref().unwrap_or("in memory".as_ref()).display())]
    State {
        /// Which file; none where the state is kept in memory.
        file: Option<PathBuf>,
        /// Why not.
        source: io::Error,
    },
    /// The log of requests can't be written.
    #[error("the log of requests can't be written")]
    Log(#[source] io::Error),
    /// Its thread can't be made.
    #[error("the thread of the emulated cloud can't be made")]
    Thread(#[source] io::Error),
}

/// An emulated cloud that is running; it ends when this is dropped.
pub struct SimulatedCloud {
    address: SocketAddr,
    desk: Arc<Mutex<Desk>>,
    log: Log,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// Starts an emulated cloud in a thread of its own; it can be called when this returns.
pub fn start(options: Options) -> Result<SimulatedCloud, CloudSimError> {
    let (wanted, patience) = (options.listen, options.patience);
    let cant_listen = |source| CloudSimError::Listen { address: wanted, source };
    let listener = TcpListener::bind(wanted).map_err(cant_listen)?;
    listener.set_nonblocking(true).map_err(cant_listen)?;
    let address = listener.local_addr().map_err(cant_listen)?;
    let log = Log::open(options.log.as_deref()).map_err(CloudSimError::Log)?;
    let file = options.state.clone();
    let desk =
        Desk::open(options, log.clone()).map_err(|source| CloudSimError::State { file, source })?;
    let desk = Arc::new(Mutex::new(desk));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(CloudSimError::Thread)?;
    let (stop, stopped) = oneshot::channel();
    let served = Arc::clone(&desk);
    let serve = move || {
        let serving = accept(listener, served, patience);
        LocalSet::new().block_on(&runtime, async {
            tokio::select! {
                ended = serving => if let Err(error) = ended {
                    tracing::error!("the emulated cloud ended: {error}");
                },
                _ = stopped => {}
            }
        });
    };
    let thread = thread::Builder::new()
        .name("emulated-cloud".to_owned())
        .spawn(serve)
        .map_err(CloudSimError::Thread)?;
    Ok(SimulatedCloud { address, desk, log, stop: Some(stop), thread: Some(thread) })
}

impl SimulatedCloud {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its address as `[cloud] endpoint` takes it.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Every request that it has received.
    pub fn requests(&self) -> Vec<ReceivedRequest> {
        self.log.all()
    }

    /// Changes its instance from now on.
    pub fn change_instance(&self, change: impl FnOnce(&mut Instance)) {
        change(&mut lock(&self.desk).options.instance);
    }

    /// Changes what is wrong with it from now on; numbers count from the start all the same.
    pub fn change_faults(&self, faults: super::fault::CloudFaults) {
        lock(&self.desk).options.faults = faults;
    }

    /// Puts a client certificate in, active, as if it had come some other way than through
    /// this API: from the console, or `automatic` by its own first connection. No CA is asked.
    pub fn plant(&self, pem: &str, client_id: &str, automatic: bool) -> Result<(), &'static str> {
        lock(&self.desk).plant(pem, client_id, Status::Active, automatic)
    }

    /// Deletes a client's certificates, as an administrator does at the console.
    pub fn uproot(&self, client_id: &str) -> Result<(), &'static str> {
        lock(&self.desk).uproot(client_id)
    }
}

impl Drop for SimulatedCloud {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            // A thread that has ended already has nothing to be told.
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            // It ends when told; a panic in it has been printed.
            let _ = thread.join();
        }
    }
}

fn lock(desk: &Mutex<Desk>) -> MutexGuard<'_, Desk> {
    desk.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn accept(
    listener: TcpListener,
    desk: Arc<Mutex<Desk>>,
    patience: Duration,
) -> io::Result<()> {
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let places = Places::new(CONNECTIONS, CONNECTIONS_OF_ONE);
    loop {
        match listener.accept().await {
            Ok((stream, from)) => {
                // One who finds no place has his connection closed.
                if let Some(place) = places.take(from.ip()) {
                    tokio::task::spawn_local(converse(stream, Arc::clone(&desk), patience, place));
                }
            }
            Err(error) => {
                tracing::warn!("a connection can't be taken: {error}");
                tokio::time::sleep(AFTER_FAILED_ACCEPT).await;
            }
        }
    }
}

/// One connection, until the client or a fault ends it.
async fn converse(stream: TcpStream, desk: Arc<Mutex<Desk>>, patience: Duration, _place: Place) {
    // A client that waits for a small answer should not wait for more of it.
    let _ = stream.set_nodelay(true);
    let stream = Shared(Rc::new(RefCell::new(stream)));
    let service = service_fn(|request| serve(request, &desk, &stream, patience));
    let io = TokioIo::new(stream.clone());
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(patience);
    let mut connection = pin!(http.serve_connection(io, service));
    let ended = match timeout(LIFE, connection.as_mut()).await {
        Ok(ended) => ended,
        Err(_) => {
            connection.as_mut().graceful_shutdown();
            timeout(LAST_ANSWER, connection).await.unwrap_or(Ok(()))
        }
    };
    if let Err(error) = ended {
        tracing::debug!("a connection ended: {error}");
    }
}

/// Why a connection is ended without an answer.
#[derive(Debug, thiserror::Error)]
enum Cut {
    #[error("a fault that was asked for")]
    Fault,
    #[error("the state can't be kept")]
    State,
    #[error("the body is too long, takes too long or was cut off")]
    Body,
}

async fn serve(
    request: Request<Incoming>,
    desk: &Mutex<Desk>,
    stream: &Shared,
    patience: Duration,
) -> Result<Response<Full<Bytes>>, Cut> {
    let (head, body) = request.into_parts();
    let body = Limited::new(body, MAX_BODY).collect();
    let body = timeout(patience, body).await.map_err(|_| Cut::Body)?.map_err(|_| Cut::Body)?;
    let is_root = head.uri.path() == "/" && head.uri.query().is_none();
    let arrived = Arrived {
        is_post_to_root: head.method == Method::POST && is_root,
        headers: headers(&head.headers),
        body: body.to_bytes().to_vec(),
    };
    let outcome = lock(desk).handle(&arrived);
    let Outcome { reply, delay, mark, date } = outcome;
    if !mark.reached().await {
        return Err(Cut::State);
    }
    if !delay.is_zero() {
        tokio::time::sleep(delay).await;
    }
    match reply {
        Reply::Json(body) => Ok(response(200, "application/json", body, date)),
        Reply::Page => Ok(response(200, "text/html", PAGE.into(), date)),
        Reply::Status(status) => Ok(response(status, "text/html", PAGE.into(), date)),
        Reply::Reset => {
            // Where it can't be set the connection is closed, which is as sudden.
            let _ = stream.0.borrow().set_zero_linger();
            Err(Cut::Fault)
        }
    }
}

fn headers(found: &HeaderMap) -> Headers {
    let text = |value: &hyper::header::HeaderValue| {
        String::from_utf8_lossy(value.as_bytes()).trim().to_owned()
    };
    Headers(found.iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect())
}

fn response(status: u16, content_type: &str, body: Vec<u8>, date: i64) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = hyper::StatusCode::from_u16(status).unwrap_or_default();
    let date = Timestamp::from_second(date).unwrap_or_default();
    let date = date.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
    for (name, value) in [(CONTENT_TYPE, content_type), (DATE, &*date)] {
        if let Ok(value) = value.parse() {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

/// A connection that the one who serves it can also get at.
#[derive(Clone)]
struct Shared(Rc<RefCell<TcpStream>>);

impl AsyncRead for Shared {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.0.borrow_mut()).poll_read(context, buffer)
    }
}

impl AsyncWrite for Shared {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut *self.0.borrow_mut()).poll_write(context, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.0.borrow_mut()).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.0.borrow_mut()).poll_shutdown(context)
    }
}

impl Told for CloudSimError {
    fn chinese(&self) -> Option<String> {
        Some(match self {
            Self::Listen { address, .. } => format!("无法在 {address} 监听"),
            Self::State { file, .. } => {
                let file = file.as_deref().map(Path::display);
                match file {
                    Some(file) => format!("状态文件 {file} 无法使用"),
                    None => "内存中的状态无法使用".to_owned(),
                }
            }
            Self::Log(_) => "请求日志无法写入".to_owned(),
            Self::Thread(_) => "模拟云端的线程无法建立".to_owned(),
        })
    }
}
