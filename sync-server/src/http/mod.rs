//! HTTP: the ledger of base camp to read, and a witness to ask; both are C2SP's, so that others' programs speak with them.
//!
//! Everything that travels is signed or checked against what is, so it travels in plain HTTP; whoever wants TLS puts a
//! proxy in front. A caller costs a bounded amount: of connections, its own and its network's, of bytes, of time.

mod client;
mod guests;
mod ledger;
mod witness;

pub(crate) use client::{Answer, HttpError, Url, get, post};
pub(crate) use ledger::ledger_routes;
pub(crate) use witness::witness_routes;

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use axum::middleware::map_response;
use axum::response::Response;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::timeout;

use self::guests::Guests;
use crate::exit::{Code, Failure};

/// Time for a request's head.
const HEAD_MAX: Duration = Duration::from_secs(10);
/// How long a connection lives, whatever is said on it: a mirror fetches some thousand tiles in that time, and comes again.
const CONNECTION_MAX: Duration = Duration::from_secs(120);
/// Bytes of a request's head, and of what waits to be read.
const BUFFER_BYTES: usize = 64 << 10;

/// A listener and who answers there. Dropping it ends both.
pub(crate) struct HttpServer {
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl HttpServer {
    /// Answers at `address`; port 0 lets the system choose.
    ///
    /// # Errors
    /// If nobody can listen there.
    pub(crate) async fn begin(address: SocketAddr, routes: Router) -> Result<Self, Failure> {
        let taken = |error: std::io::Error| {
            Failure::new(Code::Unreachable, format!("cannot answer HTTP at {address}: {}; name another", error.kind()))
        };
        let listener = TcpListener::bind(address).await.map_err(taken)?;
        let address = listener.local_addr().map_err(taken)?;
        Ok(Self { address, task: tokio::spawn(answer(listener, routes)) })
    }

    /// Where it answers.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for HttpServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn answer(listener: TcpListener, routes: Router) {
    let guests = Guests::default();
    // Ends with this task, and so do the connections in it.
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        let Ok((stream, from)) = listener.accept().await else {
            // Out of descriptors, or a caller that has gone already: neither is gone at once.
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        let address = from.ip();
        let Some(seat) = guests.seat(address) else { continue };
        let known = guests.clone();
        let given = move |response: Response| {
            if response.status() == StatusCode::OK {
                known.remember(address);
            }
            std::future::ready(response)
        };
        let service = TowerToHyperService::new(routes.clone().layer(map_response(given)));
        connections.spawn(async move {
            let mut builder = http1::Builder::new();
            builder.timer(TokioTimer::new()).header_read_timeout(HEAD_MAX).max_buf_size(BUFFER_BYTES);
            // How a caller ended is its own affair.
            let _ = timeout(CONNECTION_MAX, builder.serve_connection(TokioIo::new(stream), service)).await;
            drop(seat);
        });
    }
}
