//! The ledger to read: its newest checkpoint, tiles and bundles (C2SP tlog-tiles; `spec/ledger.md`, Tiles).

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use merestone_core::ledger::{Row, TILE_WIDTH, TileAddress};
use merestone_node::replica::{LedgerTiles, Replica};
use merestone_store::ReadError;
use tokio::task::spawn_blocking;

/// A full tile never changes; a partial one belongs to a size that was shown.
const FOR_EVER: &str = "public, max-age=31536000, immutable";

/// GET `/checkpoint`, `/tile/…` and `/tile/entries/…` of the ledger that a replica holds.
pub(crate) fn ledger_routes(replica: Replica) -> Router {
    Router::new().route("/checkpoint", get(checkpoint)).route("/tile/{*rest}", get(tile)).with_state(replica)
}

async fn checkpoint(State(replica): State<Replica>) -> Response {
    let read = spawn_blocking(move || {
        // A copy may have been told of a checkpoint before its leaves: whoever reads here wants both.
        let held = replica.store().ledger_size()?;
        let roster = replica.authority().roster();
        Ok::<_, ReadError>(roster.newest_shown_within(held).map(|note| roster.cosigned(note).encode()))
    });
    match read.await {
        Ok(Ok(Some(note))) => {
            let kind = [(header::CONTENT_TYPE, "text/plain; charset=utf-8"), (header::CACHE_CONTROL, "no-cache")];
            (kind, note).into_response()
        }
        Ok(Ok(None)) => StatusCode::NOT_FOUND.into_response(),
        Ok(Err(_)) | Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

async fn tile(State(replica): State<Replica>, Path(rest): Path<String>) -> Response {
    let Ok(address) = TileAddress::parse(&format!("tile/{rest}")) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    // What no checkpoint covers yet may still be lost with the disk: nobody is shown it.
    let size = replica.authority().roster().newest_shown_note().map_or(0, |note| note.size());
    if !is_within(&address, size) {
        return StatusCode::NOT_FOUND.into_response();
    }
    let read = spawn_blocking(move || LedgerTiles::of(replica.store()).read(&address)).await;
    match read {
        Ok(Ok(Some(bytes))) => {
            let kind = [(header::CONTENT_TYPE, "application/octet-stream"), (header::CACHE_CONTROL, FOR_EVER)];
            (kind, bytes).into_response()
        }
        Ok(Ok(None)) => StatusCode::NOT_FOUND.into_response(),
        Ok(Err(_)) | Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// Whether all items of a tile are in a tree of `size` leaves.
fn is_within(address: &TileAddress, size: u64) -> bool {
    let items = match address.row() {
        Row::Hashes(level) => size.checked_shr(8 * u32::from(level)).unwrap_or(0),
        Row::Entries => size,
    };
    let end = address.index().checked_mul(u64::from(TILE_WIDTH));
    end.and_then(|end| end.checked_add(address.width().into())).is_some_and(|end| end <= items)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_checkpoint_does_not_cover_is_not_shown() {
        let rows = [
            ("tile/0/000.p/5", 5, true),
            ("tile/0/000.p/6", 5, false),
            ("tile/0/000", 255, false),
            ("tile/0/000", 256, true),
            ("tile/1/000.p/1", 256, true),
            ("tile/1/000.p/2", 511, false),
            ("tile/entries/001.p/3", 259, true),
            ("tile/entries/001.p/4", 259, false),
            ("tile/0/000.p/1", 0, false),
        ];
        for (path, size, wanted) in rows {
            let address = TileAddress::parse(path).unwrap();
            assert_eq!(is_within(&address, size), wanted, "{path} of {size}");
        }
    }
}
