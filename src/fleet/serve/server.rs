//! The socket, in a thread of its own: connections, TLS, requests of bounded size and time.

use std::convert::Infallible;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::pin::pin;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderName, HeaderValue, WWW_AUTHENTICATE};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use rustix::process::{Resource, getrlimit, setrlimit};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, oneshot};
use tokio::task::LocalSet;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;

use crate::domain::cause::cause;
use crate::domain::clock::Clock;

use super::super::arrival::MOST_PACKED;
use super::super::error::FleetError;
use super::super::store::{self, Store};
use super::asked::{Asked, Given, House, refuse};
use super::door::{Caller, Parts};
use super::pages::{self, Pages};
use super::room::{Room, Seat};
use super::routes;
use super::tls::{self, ServerTls};
use crate::say;

/// How long one may take to agree on a key, or to say what is asked.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long a request may take, from its first byte to its answer.
const REQUEST: Duration = Duration::from_secs(120);

/// Bodies that are in memory at a time, in KiB.
const MEMORY: u32 = 256 << 10;

/// A request of so many bytes is read before it is known whose it is.
const SMALL: usize = 64 << 10;

/// How long to wait before the next connection is taken where taking one failed.
const AFTER_FAILED_ACCEPT: Duration = Duration::from_millis(50);

/// Segments that are verified at a time.
const AT_ONCE: usize = 4;

/// How a fleet is served.
pub struct ServerSettings {
    /// Where it listens.
    pub listen: SocketAddr,
    /// Its certificate; without one it speaks plain HTTP, on this machine alone.
    pub tls: Option<ServerTls>,
    /// Its store.
    pub store: store::Settings,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// Registrations a second that a cloud takes from everybody together.
    pub cloud_rate: u32,
    /// What browsers are shown; without it nothing.
    pub pages: Option<Arc<dyn Pages>>,
}

/// A fleet that is served; it ends when this is dropped.
pub struct Server {
    address: SocketAddr,
    is_tls: bool,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// Opens the store and the socket; the fleet can be asked when this returns.
pub fn start(settings: ServerSettings) -> Result<Server, FleetError> {
    if settings.tls.is_none() && !settings.listen.ip().is_loopback() {
        let what = say!(
            "{} is not this machine alone, and there is no TLS",
            "{} 不只限于本机，却没有 TLS",
            settings.listen
        );
        return Err(FleetError::Asked(what));
    }
    let tls = settings.tls.as_ref().map(tls::config).transpose()?;
    let listener = listen(settings.listen)?;
    let address = listener.local_addr().map_err(|error| cant_listen(settings.listen, error))?;
    open_many_files();
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_all().max_blocking_threads(AT_ONCE).build();
    let runtime = runtime.map_err(no_thread)?;
    let (stop, stopped) = oneshot::channel();
    let (told, opened) = std::sync::mpsc::channel();
    let is_tls = tls.is_some();
    let serve = move || {
        LocalSet::new().block_on(&runtime, async {
            let store = match Store::open(settings.store).await {
                Ok(store) => store,
                // Whoever started it hears of it.
                Err(error) => return drop(told.send(Err(error))),
            };
            let house = House { store, clock: settings.clock, cloud_rate: settings.cloud_rate };
            // Nobody listens only when the start was given up.
            let _ = told.send(Ok(()));
            tokio::select! {
                ended = accept(listener, tls.map(Arc::new), house, settings.pages) => if let Err(error) = ended {
                    tracing::error!("the fleet's server ended: {error}");
                },
                _ = stopped => {}
            }
        });
    };
    let thread = thread::Builder::new().name("fleet".to_owned()).spawn(serve).map_err(no_thread)?;
    opened.recv().unwrap_or_else(|_| {
        Err(FleetError::Database(say!("the server ended before it began", "服务还没开始就结束了")))
    })?;
    Ok(Server { address, is_tls, stop: Some(stop), thread: Some(thread) })
}

fn listen(address: SocketAddr) -> Result<TcpListener, FleetError> {
    let bound = TcpListener::bind(address).and_then(|listener| {
        listener.set_nonblocking(true)?;
        Ok(listener)
    });
    bound.map_err(|error| cant_listen(address, error))
}

fn cant_listen(address: SocketAddr, source: io::Error) -> FleetError {
    let what = say!("{address} can't be listened on", "无法在 {address} 监听");
    FleetError::Asked(what.then(&cause(&source)))
}

fn no_thread(source: io::Error) -> FleetError {
    FleetError::System {
        what: say!("the fleet's thread can't be made", "总库的线程无法建立"),
        source,
    }
}

/// As many connections as the system allows this process.
fn open_many_files() {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    if let Err(error) = setrlimit(Resource::Nofile, limit) {
        tracing::debug!("the number of open files stays as it is: {error}");
    }
}

impl Server {
    /// Its address.
    pub fn url(&self) -> String {
        format!("{}://{}", if self.is_tls { "https" } else { "http" }, self.address)
    }
}

impl Drop for Server {
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

/// What connections share.
struct Shared {
    house: House,
    pages: Option<Arc<dyn Pages>>,
    memory: Semaphore,
}

async fn accept(
    listener: TcpListener,
    tls: Option<Arc<rustls::ServerConfig>>,
    house: House,
    pages: Option<Arc<dyn Pages>>,
) -> io::Result<()> {
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let tls = tls.map(TlsAcceptor::from);
    let permits = usize::try_from(MEMORY).unwrap_or(usize::MAX);
    let shared = Arc::new(Shared { house, pages, memory: Semaphore::new(permits) });
    let room = Room::default();
    loop {
        match listener.accept().await {
            Ok((stream, from)) => {
                let (tls, shared, seat) = (tls.clone(), Arc::clone(&shared), room.enter(from.ip()));
                tokio::task::spawn_local(receive(stream, tls, shared, Arc::new(seat)));
            }
            Err(error) => {
                tracing::warn!("a connection can't be taken: {error}");
                sleep(AFTER_FAILED_ACCEPT).await;
            }
        }
    }
}

/// One connection, until its other end or its silence ends it.
async fn receive(
    stream: TcpStream,
    tls: Option<TlsAcceptor>,
    shared: Arc<Shared>,
    seat: Arc<Seat>,
) {
    // A small answer should not wait for more of it.
    let _ = stream.set_nodelay(true);
    let conversation = async {
        let Some(tls) = tls else {
            let caller = Caller { shown: None, is_tls: false };
            return converse(stream, shared, caller, Arc::clone(&seat)).await;
        };
        match timeout(PATIENCE, tls.accept(stream)).await {
            Ok(Ok(stream)) => {
                let shown = stream.get_ref().1.peer_certificates().and_then(<[_]>::first);
                let shown = shown.map(|certificate| certificate.to_vec());
                let caller = Caller { shown, is_tls: true };
                converse(stream, shared, caller, Arc::clone(&seat)).await;
            }
            Ok(Err(error)) => tracing::debug!("no TLS with somebody: {error}"),
            Err(_) => tracing::debug!("somebody took too long over TLS"),
        }
    };
    tokio::select! {
        () = conversation => {}
        () = seat.must_leave() => tracing::debug!("a silent connection made room"),
    }
}

async fn converse(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    shared: Arc<Shared>,
    caller: Caller,
    seat: Arc<Seat>,
) {
    let caller = Arc::new(caller);
    let service = service_fn(|request| {
        let (shared, caller, seat) = (Arc::clone(&shared), Arc::clone(&caller), Arc::clone(&seat));
        async move {
            let given = timeout(REQUEST, serve(request, &shared, &caller, &seat)).await;
            seat.sit();
            let late = |_| refuse(&FleetError::Database(say!("it took too long", "用时过长")));
            Ok::<_, Infallible>(respond(given.unwrap_or_else(late)))
        }
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(PATIENCE);
    if let Err(error) = pin!(http.serve_connection(TokioIo::new(stream), service)).await {
        tracing::debug!("a connection ended: {error}");
    }
}

/// Answers one request. Until its sender is known, or all of it is there, its connection counts as
/// silent: a body that only drips keeps nobody out.
async fn serve(request: Request<Incoming>, shared: &Shared, caller: &Caller, seat: &Seat) -> Given {
    let (parts, body) = request.into_parts();
    let length = parts.headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok());
    let length: usize = length.and_then(|length| length.parse().ok()).unwrap_or(0);
    if length > MOST_PACKED {
        let mut given =
            refuse(&FleetError::Segment(say!("it has {length} bytes", "它有 {length} 字节")));
        given.status = StatusCode::PAYLOAD_TOO_LARGE;
        return given;
    }
    let target = parts.uri.path_and_query().map_or("/", |target| target.as_str()).to_owned();
    // Memory is for those who are known; without TLS, who it is stands in the signed whole.
    if length > SMALL && caller.is_tls {
        let known =
            Parts { method: parts.method.as_str(), target: &target, headers: &parts.headers };
        let now = shared.house.clock.now().wall;
        if let Err(error) = caller.station(&shared.house.store, &known, &[], now).await {
            return refuse(&error);
        }
        seat.stand();
    }
    let wanted = u32::try_from(length >> 10).unwrap_or(MEMORY).saturating_add(1).min(MEMORY);
    let Ok(_room) = shared.memory.acquire_many(wanted).await else {
        return refuse(&FleetError::Database(say!(
            "the fleet's server ends",
            "总库的服务正在结束"
        )));
    };
    let body = match Limited::new(body, length).collect().await {
        Ok(body) => body.to_bytes().to_vec(),
        Err(error) => {
            let what = say!("the request broke off: {error}", "请求中断：{error}");
            return refuse(&FleetError::Asked(what));
        }
    };
    seat.stand();
    let asked = Asked { method: parts.method, target, headers: parts.headers, body };
    match &shared.pages {
        Some(pages) if !asked.target.starts_with("/v1/") => pages::answer(pages, asked).await,
        _ => routes::answer(&shared.house, caller, asked).await,
    }
}

fn respond(given: Given) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(given.body)));
    *response.status_mut() = given.status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(given.content_type));
    for (name, value) in given.rules {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    if given.status == StatusCode::UNAUTHORIZED {
        let ask = HeaderValue::from_static("Basic realm=\"fleet\", charset=\"UTF-8\"");
        headers.insert(WWW_AUTHENTICATE, ask);
    }
    response
}
