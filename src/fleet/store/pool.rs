//! Connections to PostgreSQL: so many at a time, kept while they work, made anew when the
//! server went away. What fails is told to whoever asked; nothing here tries twice.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rustls::{ClientConfig, RootCertStore};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Config, Statement, Transaction};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::super::error::FleetError;
use super::schema;
use crate::domain::cause::{cause, chain};
use crate::say;

/// What a connection is told at first: nobody waits for ever for a row that another holds.
const SESSION: &str = "SET statement_timeout = '60s'; SET lock_timeout = '20s'; \
    SET idle_in_transaction_session_timeout = '60s'";

/// Where PostgreSQL has its socket for those on its own machine: Debian's place and its own.
const SOCKETS: [&str; 2] = ["/var/run/postgresql", "/tmp"];

/// PostgreSQL's own port, which its socket's name has too.
const PORT: u16 = 5432;

/// How long a connection may take to come about.
const CONNECT: Duration = Duration::from_secs(5);

/// Where the store is.
pub struct Settings {
    /// Its address, as libpq has it.
    pub url: String,
    /// Its password, where the address has none.
    pub password: Option<Vec<u8>>,
    /// The CAs under which its certificate is verified; without, those of the system.
    pub roots: Vec<Vec<u8>>,
    /// Into how many parts each table is divided when it is made; 0 for none.
    pub partitions: u16,
    /// Connections at a time.
    pub connections: usize,
}

/// A value that a statement is given.
pub(super) type Value<'a> = &'a (dyn ToSql + Sync);

/// The store.
pub struct Store {
    config: Config,
    tls: MakeRustlsConnect,
    idle: Mutex<Vec<Connection>>,
    places: Semaphore,
    partitions: u16,
}

/// One connection, and what was prepared on it.
struct Connection {
    client: Client,
    statements: HashMap<&'static str, Statement>,
}

/// A connection that is in use.
pub(super) struct Lease<'a> {
    store: &'a Store,
    connection: Option<Connection>,
    _place: SemaphorePermit<'a>,
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        let connection = self.connection.take().filter(|kept| !kept.client.is_closed());
        let idle = self.store.idle.lock();
        idle.unwrap_or_else(PoisonError::into_inner).extend(connection);
    }
}

/// A transaction with the statements of its connection.
pub(super) struct Work<'a> {
    pub(super) transaction: Transaction<'a>,
    statements: &'a mut HashMap<&'static str, Statement>,
}

impl Work<'_> {
    /// A statement, prepared once on each connection.
    pub(super) async fn prepare(&mut self, sql: &'static str) -> Result<Statement, FleetError> {
        if let Some(known) = self.statements.get(sql) {
            return Ok(known.clone());
        }
        let statement = self.transaction.prepare(sql).await?;
        self.statements.insert(sql, statement.clone());
        Ok(statement)
    }
}

impl Lease<'_> {
    /// Begins a transaction.
    pub(super) async fn begin(&mut self) -> Result<Work<'_>, FleetError> {
        let gone = || FleetError::Database(say!("the connection is gone", "连接已断开"));
        let connection = self.connection.as_mut().ok_or_else(gone)?;
        let transaction = connection.client.transaction().await?;
        Ok(Work { transaction, statements: &mut connection.statements })
    }
}

impl Store {
    /// Opens the store, and brings its tables to this program's version.
    pub async fn open(settings: Settings) -> Result<Self, FleetError> {
        let wrong = |error: tokio_postgres::Error| FleetError::Database(chain(&error));
        let mut config: Config = settings.url.parse().map_err(wrong)?;
        if config.get_password().is_none()
            && let Some(password) = &settings.password
        {
            config.password(password);
        }
        if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
            let port = config.get_ports().first().copied().unwrap_or(PORT);
            config.host_path(sockets(port));
        }
        config.application_name("station fleet").connect_timeout(CONNECT);
        let store = Store {
            config,
            tls: tls(&settings.roots)?,
            idle: Mutex::default(),
            places: Semaphore::new(settings.connections.max(1)),
            partitions: settings.partitions,
        };
        store.migrate().await?;
        Ok(store)
    }

    async fn migrate(&self) -> Result<(), FleetError> {
        let mut lease = self.lease().await?;
        let work = lease.begin().await?;
        schema::migrate(&work.transaction, self.partitions).await?;
        Ok(work.transaction.commit().await?)
    }

    /// A connection, when one is free.
    pub(super) async fn lease(&self) -> Result<Lease<'_>, FleetError> {
        let place = self.places.acquire().await;
        let place = place.map_err(|_| FleetError::Database(say!("it was closed", "它已关闭")))?;
        let connection = match self.take_idle() {
            Some(connection) => connection,
            None => self.connect().await?,
        };
        Ok(Lease { store: self, connection: Some(connection), _place: place })
    }

    fn take_idle(&self) -> Option<Connection> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some(connection) = idle.pop() {
            if !connection.client.is_closed() {
                return Some(connection);
            }
        }
        None
    }

    async fn connect(&self) -> Result<Connection, FleetError> {
        let (client, connection) = self.config.connect(self.tls.clone()).await?;
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!("a connection to the fleet's database ended: {error}");
            }
        });
        client.batch_execute(SESSION).await?;
        Ok(Connection { client, statements: HashMap::new() })
    }
}

/// The directory in which the server of this port listens; Debian's where none does.
fn sockets(port: u16) -> &'static str {
    let name = format!(".s.PGSQL.{port}");
    let found = SOCKETS.into_iter().find(|place| Path::new(place).join(&name).exists());
    found.unwrap_or(SOCKETS[0])
}

fn tls(roots: &[Vec<u8>]) -> Result<MakeRustlsConnect, FleetError> {
    let wrong = |error: rustls::Error| FleetError::Database(cause(&error));
    let mut store = RootCertStore::empty();
    for der in roots {
        store.add(der.as_slice().into()).map_err(wrong)?;
    }
    if roots.is_empty() {
        store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    }
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(wrong)?;
    Ok(MakeRustlsConnect::new(builder.with_root_certificates(store).with_no_client_auth()))
}
