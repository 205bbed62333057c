//! Bodies: JSON by default, postcard for calls that move thousands of keys.

use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{Problem, ProblemKind};

/// The largest body, in bytes, that a server or client takes.
pub const MAX_BODY: usize = 16 << 20;

/// The media type of postcard bodies.
pub(crate) const POSTCARD: &str = "application/vnd.cofferdam.postcard";
pub(crate) const JSON: &str = "application/json";

/// The request's body, parsed by its content type.
#[derive(Debug)]
pub struct Body<T>(
    /// What was sent.
    pub T,
    /// How the answer should travel.
    pub Encoding,
);

/// How a body travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// `application/json`
    Json,
    /// `application/vnd.cofferdam.postcard`
    Postcard,
}

impl Encoding {
    pub(crate) fn of(headers: &HeaderMap) -> Option<Self> {
        let kind = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
        match kind.split(';').next().map(str::trim) {
            Some(JSON) => Some(Self::Json),
            Some(POSTCARD) => Some(Self::Postcard),
            _ => None,
        }
    }

    pub(crate) const fn media_type(self) -> &'static str {
        match self {
            Self::Json => JSON,
            Self::Postcard => POSTCARD,
        }
    }

    /// Serialises `value`; an error here is a type that the format can't hold.
    pub(crate) fn encode<T: Serialize>(self, value: &T) -> Result<Vec<u8>, String> {
        match self {
            Self::Json => serde_json::to_vec(value).map_err(|e| e.to_string()),
            Self::Postcard => postcard::to_stdvec(value).map_err(|e| e.to_string()),
        }
    }

    /// Reads a whole body; the message names the place, not the value (which may be personal).
    pub(crate) fn decode<T: DeserializeOwned>(self, bytes: &[u8]) -> Result<T, String> {
        match self {
            Self::Json => serde_json::from_slice(bytes).map_err(|e| json_error(&e)),
            Self::Postcard => match postcard::take_from_bytes(bytes) {
                Ok((value, [])) => Ok(value),
                Ok(_) => Err("bytes are left over".to_owned()),
                Err(e) => Err(e.to_string()),
            },
        }
    }
}

/// What serde says, without the offending value: `invalid type: string "ada@…"` would carry
/// personal data into logs.
fn json_error(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let known = ["unknown field", "missing field", "unknown variant", "duplicate field"];
    if known.iter().any(|start| text.starts_with(start)) {
        return text;
    }
    format!("bad value at line {} column {}", error.line(), error.column())
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let encoding = Encoding::of(request.headers()).ok_or_else(|| {
            Problem::bad_request(format!("the body must be {JSON} or {POSTCARD}"))
        })?;
        let bytes = axum::body::to_bytes(request.into_body(), MAX_BODY).await.map_err(|_| {
            Problem::new(
                ProblemKind::TooLarge,
                format!("a body has at most {MAX_BODY} bytes and must arrive whole"),
            )
        })?;
        let value = encoding.decode(&bytes).map_err(Problem::bad_request)?;
        Ok(Self(value, encoding))
    }
}

/// An answer in the encoding of its request.
#[derive(Debug)]
pub struct Answer<T>(
    /// What to say.
    pub T,
    /// How it travels.
    pub Encoding,
);

impl<T: Serialize> IntoResponse for Answer<T> {
    fn into_response(self) -> Response {
        match self.1.encode(&self.0) {
            Ok(bytes) => {
                let kind = HeaderValue::from_static(self.1.media_type());
                ([(header::CONTENT_TYPE, kind)], bytes).into_response()
            }
            Err(e) => {
                tracing::error!(cause = e, "an answer could not be encoded");
                Problem::new(ProblemKind::Internal, "the answer could not be encoded")
                    .into_response()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Strict {
        #[expect(dead_code, reason = "only its parsing is looked at")]
        number: u32,
    }

    #[test]
    fn an_error_names_the_place_and_never_the_value() {
        let wrong = Encoding::Json.decode::<Strict>(br#"{"number": "ada@example.com"}"#);
        let text = wrong.unwrap_err();
        assert_eq!(text, "bad value at line 1 column 28");
        let unknown = Encoding::Json.decode::<Strict>(br#"{"numbr": 1}"#).unwrap_err();
        assert!(unknown.contains("numbr"), "{unknown}");
    }
}
