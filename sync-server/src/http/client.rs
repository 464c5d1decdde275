//! One request over plain HTTP, with a limit on everything.

use std::time::Duration;

use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::Request;
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::header::{CONTENT_TYPE, HOST};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Time for a whole exchange: a witness flushes its disk before it answers, and a satellite adds two seconds.
const EXCHANGE_MAX: Duration = Duration::from_secs(15);

/// Where somebody answers HTTP: `http://HOST[:PORT][/PREFIX]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Url {
    host: String,
    port: u16,
    /// Begins with a slash and does not end with one, or is empty.
    prefix: String,
}

/// What came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
}

/// Nothing came back that could be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum HttpError {
    /// Nobody answers there.
    #[error("nobody answers")]
    Unreachable,
    /// No answer, or not all of it, in the time.
    #[error("no answer within {} s", EXCHANGE_MAX.as_secs())]
    TooSlow,
    /// More bytes than such an answer has.
    #[error("the answer is longer than {max} bytes")]
    TooLong {
        /// How many it may have.
        max: usize,
    },
    /// What came is no HTTP.
    #[error("what answers does not speak HTTP")]
    Malformed,
}

impl Url {
    /// Reads one.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        if text.starts_with("https://") {
            return Err(
                "https is not spoken here: what travels is signed; use http, or a tunnel of your own".to_owned()
            );
        }
        let rest = text.strip_prefix("http://").ok_or("a URL begins with http://")?;
        let (authority, prefix) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => {
                (host, port.parse().map_err(|_| "the port is no number from 0 to 65535".to_owned())?)
            }
            Some(_) | None => (authority, 80),
        };
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let is_plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic() && !b"?#@\\\"".contains(&byte));
        if host.is_empty() || !is_plain(host) || !is_plain(prefix) {
            return Err("the URL names no host, or has something that it must not have".to_owned());
        }
        Ok(Self { host: host.to_owned(), port, prefix: prefix.trim_end_matches('/').to_owned() })
    }
}

impl std::fmt::Display for Url {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "http://{}{}", self.authority(), self.prefix)
    }
}

impl Url {
    fn authority(&self) -> String {
        match self.host.contains(':') {
            true => format!("[{}]:{}", self.host, self.port),
            false => format!("{}:{}", self.host, self.port),
        }
    }
}

/// GETs `path` below a URL; at most `bytes_max` bytes of an answer.
///
/// # Errors
/// [`HttpError`]. Any status is an answer.
pub(crate) async fn get(url: &Url, path: &str, bytes_max: usize) -> Result<Answer, HttpError> {
    exchange(url, "GET", path, Vec::new(), bytes_max).await
}

/// POSTs `body` to `path` below a URL; at most `bytes_max` bytes of an answer.
///
/// # Errors
/// As [`get`].
pub(crate) async fn post(url: &Url, path: &str, body: Vec<u8>, bytes_max: usize) -> Result<Answer, HttpError> {
    exchange(url, "POST", path, body, bytes_max).await
}

async fn exchange(url: &Url, method: &str, path: &str, body: Vec<u8>, max: usize) -> Result<Answer, HttpError> {
    timeout(EXCHANGE_MAX, exchange_now(url, method, path, body, max)).await.unwrap_or(Err(HttpError::TooSlow))
}

async fn exchange_now(url: &Url, method: &str, path: &str, body: Vec<u8>, max: usize) -> Result<Answer, HttpError> {
    let stream = TcpStream::connect((url.host.as_str(), url.port)).await.map_err(|_| HttpError::Unreachable)?;
    // The request is small and waited for.
    let _ = stream.set_nodelay(true);
    let malformed = |_| HttpError::Malformed;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(malformed)?;
    let request = Request::builder()
        .method(method)
        .uri(format!("{}/{path}", url.prefix))
        .header(HOST, url.authority())
        .header(CONTENT_TYPE, "text/plain")
        .body(Full::new(Bytes::from(body)))
        .map_err(|_| HttpError::Malformed)?;
    let asked = async {
        let response = sender.send_request(request).await.map_err(malformed)?;
        let status = response.status().as_u16();
        let body = Limited::new(response.into_body(), max).collect().await.map_err(|error| {
            match error.downcast_ref::<LengthLimitError>() {
                Some(_) => HttpError::TooLong { max },
                None => HttpError::Malformed,
            }
        })?;
        Ok(Answer { status, body: body.to_bytes().to_vec() })
    };
    tokio::pin!(asked);
    tokio::select! {
        answer = &mut asked => answer,
        // It ends once the answer is there, too.
        _ = connection => asked.await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_reads_back_and_nothing_else_is_one() {
        let rows = [
            ("http://camp.example:8080/border/", "http://camp.example:8080/border"),
            ("http://127.0.0.1:1", "http://127.0.0.1:1"),
            ("http://[::1]:7412/w", "http://[::1]:7412/w"),
            ("http://camp.example", "http://camp.example:80"),
        ];
        for (text, shown) in rows {
            assert_eq!(Url::read(text).map(|url| url.to_string()).as_deref(), Ok(shown));
        }
        for text in
            ["", "camp:1", "https://camp", "http://", "http://a:99999", "http://a b", "http://a/?x", "http://u@a"]
        {
            assert!(Url::read(text).is_err(), "{text}");
        }
    }
}
