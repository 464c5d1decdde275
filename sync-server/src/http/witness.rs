//! A witness to ask (C2SP tlog-witness; `spec/witness.md`, add-checkpoint).

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, FromRequest as _, Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use merestone_core::witness::REQUEST_BYTES_MAX;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use crate::witness::Witness;

/// POST `/add-checkpoint`.
pub(crate) fn witness_routes(witness: Arc<Witness>) -> Router {
    Router::new()
        .route("/add-checkpoint", post(add_checkpoint))
        .layer(DefaultBodyLimit::max(REQUEST_BYTES_MAX))
        .with_state(witness)
}

/// Time for a request's body, 36 kB at most: at 64 kbit/s it takes five seconds.
const BODY_MAX: Duration = Duration::from_secs(10);

async fn add_checkpoint(State(witness): State<Arc<Witness>>, request: Request) -> Response {
    let body = match timeout(BODY_MAX, Bytes::from_request(request, &())).await {
        Ok(Ok(body)) => body,
        Ok(Err(refused)) => return refused.into_response(),
        Err(_) => return StatusCode::REQUEST_TIMEOUT.into_response(),
    };
    // It flushes before it answers.
    let Ok(answered) = spawn_blocking(move || witness.answer(&body)).await else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let answer = match answered {
        Ok(answer) => answer,
        Err(error) => {
            tracing::error!("nothing is cosigned: {error}");
            return StatusCode::INTERNAL_SERVER_ERROR.into_response();
        }
    };
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let kind = match status {
        StatusCode::CONFLICT => "text/x.tlog.size",
        _ => "text/plain; charset=utf-8",
    };
    (status, [(header::CONTENT_TYPE, kind)], answer.body).into_response()
}
