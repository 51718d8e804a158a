//! HTTP on a socket, in a thread of its own.

use std::convert::Infallible;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::pin::pin;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use hyper::header::{HeaderValue, WWW_AUTHENTICATE};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, mpsc, oneshot, watch};
use tokio::task::{LocalSet, spawn_blocking, spawn_local};
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;

use super::answer::{self, Answer};
use super::content::{Asked, Content, Settings};
use super::door::{self, Outside};
use super::live::{self, Shown};
use crate::domain::cause::Told;
use crate::domain::places::{Place, Places};

/// Connections at a time, and those of one address: a browser keeps six.
const CONNECTIONS: usize = 128;
const CONNECTIONS_OF_ONE: usize = 32;

/// Pages that are made at a time: the line needs the disk more.
const AT_ONCE: usize = 2;

/// How long one may take to say what is asked for, or to agree on a key.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long a page may take.
const PAGE: Duration = Duration::from_secs(30);

/// After this long a connection ends, whatever it does; a browser that listens comes again.
const LIFE: Duration = Duration::from_secs(600);

/// How long one with a wrong token waits for the answer.
const WRONG_TOKEN: Duration = Duration::from_secs(1);

/// How long to wait before the next connection is taken where taking one failed.
const AFTER_FAILED_ACCEPT: Duration = Duration::from_millis(50);

/// Why there is no view.
#[derive(Debug, thiserror::Error)]
pub enum ViewError {
    /// The address can't be listened on.
    #[error("{address} can't be listened on")]
    Listen {
        /// Where it should listen.
        address: SocketAddr,
        /// Why not.
        source: io::Error,
    },
    /// Its thread can't be made.
    #[error("the view's thread can't be made")]
    Thread(#[source] io::Error),
}

/// A view that is open; it ends when this is dropped.
pub struct View {
    address: SocketAddr,
    is_tls: bool,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// Opens a view; it can be looked at when this returns.
pub fn start(settings: Settings, content: Arc<dyn Content>) -> Result<View, ViewError> {
    let wanted = settings.listen;
    let cant_listen = |source| ViewError::Listen { address: wanted, source };
    let listener = TcpListener::bind(wanted).map_err(cant_listen)?;
    listener.set_nonblocking(true).map_err(cant_listen)?;
    let address = listener.local_addr().map_err(cant_listen)?;
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_all().max_blocking_threads(AT_ONCE + 1).build();
    let runtime = runtime.map_err(ViewError::Thread)?;
    let (stop, stopped) = oneshot::channel();
    let is_tls = settings.tls.is_some();
    let serve = move || {
        LocalSet::new().block_on(&runtime, async {
            tokio::select! {
                ended = accept(listener, settings, content) => if let Err(error) = ended {
                    tracing::error!("the view ended: {error}");
                },
                _ = stopped => {}
            }
        });
    };
    let thread = thread::Builder::new().name("view".to_owned()).spawn(serve);
    let thread = Some(thread.map_err(ViewError::Thread)?);
    Ok(View { address, is_tls, stop: Some(stop), thread })
}

impl View {
    /// Its address for a browser.
    pub fn url(&self) -> String {
        format!("{}://{}/", if self.is_tls { "https" } else { "http" }, self.address)
    }
}

impl Drop for View {
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

/// What all connections share.
struct House {
    token: Option<Vec<u8>>,
    content: Arc<dyn Content>,
    shown: Shown,
    /// Pages that may be made now. Who waits for one and leaves has none made.
    pages: Arc<Semaphore>,
}

async fn accept(
    listener: TcpListener,
    settings: Settings,
    content: Arc<dyn Content>,
) -> io::Result<()> {
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let tls = settings.tls.map(TlsAcceptor::from);
    let shown = watch::Sender::new(Arc::from(""));
    spawn_local(live::keep_up(shown.clone(), Arc::clone(&content)));
    let pages = Arc::new(Semaphore::new(AT_ONCE));
    let house = Arc::new(House { token: settings.token, content, shown, pages });
    let places = Places::new(CONNECTIONS, CONNECTIONS_OF_ONE);
    loop {
        match listener.accept().await {
            Ok((stream, from)) => {
                // One who finds no place has his connection closed.
                if let Some(place) = places.take(from.ip()) {
                    spawn_local(receive(stream, tls.clone(), Arc::clone(&house), place));
                }
            }
            Err(error) => {
                tracing::warn!("a connection can't be taken: {error}");
                sleep(AFTER_FAILED_ACCEPT).await;
            }
        }
    }
}

/// One connection, until the browser or its time ends it.
async fn receive(stream: TcpStream, tls: Option<TlsAcceptor>, house: Arc<House>, _place: Place) {
    // A page that waits for a small event should not wait for more of it.
    let _ = stream.set_nodelay(true);
    let conversation = async {
        let Some(tls) = tls else { return converse(stream, house).await };
        match timeout(PATIENCE, tls.accept(stream)).await {
            Ok(Ok(stream)) => converse(stream, house).await,
            Ok(Err(error)) => tracing::debug!("no TLS with a browser: {error}"),
            Err(_) => tracing::debug!("a browser took too long over TLS"),
        }
    };
    let _ = timeout(LIFE, conversation).await;
}

async fn converse(stream: impl AsyncRead + AsyncWrite + Unpin, house: Arc<House>) {
    let service = service_fn(|request| {
        let house = Arc::clone(&house);
        async move { Ok::<_, Infallible>(serve(request, &house).await) }
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(PATIENCE);
    if let Err(error) = pin!(http.serve_connection(TokioIo::new(stream), service)).await {
        tracing::debug!("a connection ended: {error}");
    }
}

async fn serve<B>(request: Request<B>, house: &House) -> Response<Answer> {
    let asked = match door::admit(&request, house.token.as_deref()) {
        Ok(asked) => asked,
        Err(outside) => return refuse(outside).await,
    };
    if asked.path == ["events"] {
        let (to, pieces) = mpsc::channel(1);
        spawn_local(live::tell(house.shown.subscribe(), to));
        return answer::events(pieces);
    }
    match timeout(PAGE, page(asked, house)).await {
        Ok(answer) => answer,
        Err(_) => answer::words(503, "this takes too long; try again when the line has less to do"),
    }
}

async fn page(asked: Asked, house: &House) -> Response<Answer> {
    let content = Arc::clone(&house.content);
    let Ok(turn) = Arc::clone(&house.pages).acquire_owned().await else {
        return answer::words(503, "the view ends");
    };
    let made = spawn_blocking(move || {
        let page = content.page(&asked);
        drop(turn);
        page
    });
    match made.await {
        Ok(page) => answer::whole(page),
        // The hook has told it.
        Err(_) => answer::words(500, "a bug in the station: see its log"),
    }
}

async fn refuse(outside: Outside) -> Response<Answer> {
    match outside {
        Outside::Method => answer::words(405, "nothing can be changed here: GET and HEAD alone"),
        Outside::Host => answer::words(421, "call this view by localhost or 127.0.0.1"),
        Outside::Address => answer::words(400, "this is no address"),
        Outside::Token => {
            sleep(WRONG_TOKEN).await;
            let mut response = answer::words(401, "the token of [view] token_file is wanted");
            let ask = HeaderValue::from_static("Basic realm=\"station\", charset=\"UTF-8\"");
            response.headers_mut().insert(WWW_AUTHENTICATE, ask);
            response
        }
    }
}

impl Told for ViewError {
    fn chinese(&self) -> Option<String> {
        Some(match self {
            Self::Listen { address, .. } => format!("无法在 {address} 监听"),
            Self::Thread(_) => "看板的线程无法建立".to_owned(),
        })
    }
}
