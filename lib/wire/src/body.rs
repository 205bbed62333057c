//! Bodies of requests and answers: JSON by default, postcard for calls that move thousands of keys.

use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;

use cofferdam_core::{ProblemType, RoomFull};

use crate::Problem;

/// The largest body that a server or client accepts, in bytes.
pub const MAX_BODY: usize = 16 << 20;

/// The media type of postcard bodies.
pub(crate) const POSTCARD: &str = "application/vnd.cofferdam.postcard";
pub(crate) const JSON: &str = "application/json";

/// The body of a request, parsed by its content type, as an extractor.
#[derive(Debug)]
pub struct Body<T>(
    /// The parsed request.
    pub T,
    /// The encoding of the request, which the answer must use too.
    pub Encoding,
);

/// The encoding of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// JSON, as `application/json`.
    Json,
    /// The binary format postcard, as `application/vnd.cofferdam.postcard`.
    Postcard,
}

impl Encoding {
    /// The encoding that a content type names.
    pub(crate) fn from_headers(headers: &HeaderMap) -> Option<Self> {
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

    /// Serialises `value`. An error means that the format can't represent the type.
    pub(crate) fn encode<T: Serialize>(self, value: &T) -> Result<Vec<u8>, String> {
        match self {
            Self::Json => serde_json::to_vec(value).map_err(|e| e.to_string()),
            Self::Postcard => postcard::to_stdvec(value).map_err(|e| e.to_string()),
        }
    }

    /// Parses a whole body. The error names the place of the fault and never the value, which may
    /// be personal.
    pub(crate) fn decode<T: DeserializeOwned>(self, bytes: &[u8]) -> Result<T, String> {
        match self {
            Self::Json => {
                let mut json = serde_json::Deserializer::from_slice(bytes);
                let value = serde_path_to_error::deserialize(&mut json);
                let value = value.map_err(|e| json_error(&e))?;
                json.end().map_err(|_| "the JSON value is followed by more text".to_owned())?;
                Ok(value)
            }
            Self::Postcard => match postcard::take_from_bytes(bytes) {
                Ok((value, [])) => Ok(value),
                Ok(_) => Err("the postcard value is followed by more bytes".to_owned()),
                Err(e) => Err(e.to_string()),
            },
        }
    }
}

/// Names the faulty field and the fault without the offending value. Serde's own message, such as
/// `invalid type: string "ada@…"`, would carry personal data into logs.
fn json_error(error: &serde_path_to_error::Error<serde_json::Error>) -> String {
    let (cause, path) = (error.inner(), error.path().to_string());
    let place = match path.as_str() {
        // Neither path names a field: `.` is the whole body, `?` a place where parsing failed.
        "." | "?" => format!("line {} column {}", cause.line(), cause.column()),
        path => path.to_owned(),
    };
    let text = cause.to_string();
    let named = ["unknown field", "missing field", "unknown variant", "duplicate field"];
    let invalid = ["invalid type", "invalid value", "invalid length"];
    // The text behind the value says what was expected. It comes from our own types.
    let expected = text.rsplit_once(", expected ").map(|(_, expected)| expected);
    let expected = expected.and_then(|text| text.split(" at line ").next());
    match expected {
        _ if named.iter().any(|start| text.starts_with(start)) => format!("{place}: {text}"),
        Some(expected) if invalid.iter().any(|start| text.starts_with(start)) => {
            format!("{place}: bad value, expected {expected}")
        }
        _ => format!("{place}: bad value"),
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let encoding = Encoding::from_headers(request.headers()).ok_or_else(|| {
            Problem::bad_request(format!("the body must be {JSON} or {POSTCARD}"))
        })?;
        let body = axum::body::to_bytes(request.into_body(), MAX_BODY).await;
        let bytes = body.map_err(|e| unread(&e))?;
        let value = encoding.decode(&bytes).map_err(Problem::bad_request)?;
        Ok(Self(value, encoding))
    }
}

/// The problem of a body that could not be read.
fn unread(error: &axum::Error) -> Problem {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = cause {
        if error.is::<RoomFull>() {
            let detail = "too many bodies are on their way; send this one again later";
            return Problem::new(ProblemType::UNAVAILABLE, detail);
        }
        cause = error.source();
    }
    let detail = format!("the body must arrive whole and have at most {MAX_BODY} bytes");
    Problem::new(ProblemType::TOO_LARGE, detail)
}

/// An answer in the encoding of its request.
#[derive(Debug)]
pub struct Answer<T>(
    /// The value to send.
    pub T,
    /// The encoding of the request.
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
                Problem::new(ProblemType::INTERNAL, "the answer could not be encoded")
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
    #[expect(dead_code, reason = "the test only parses it")]
    struct Strict {
        number: u32,
        names: Vec<cofferdam_core::CallerName>,
    }

    #[test]
    fn an_error_names_the_field_and_never_the_value() {
        for (json, says) in [
            (r#"{"number": "ada@example.com", "names": []}"#, "number: bad value, expected u32"),
            (r#"{"number": 1, "names": ["a", "Ada Lovelace"]}"#, "names[1]: bad value"),
            (r#"{"number": 1, "names": [], "nams": 2}"#, "unknown field `nams`"),
            (r#"{"number": 1}"#, "missing field `names`"),
            (r#"{"number": 1, "names": [], "#, "line 1 column"),
            (r#"{"number": 1, "names": []} {}"#, "followed by more text"),
        ] {
            let text = Encoding::Json.decode::<Strict>(json.as_bytes()).unwrap_err();
            assert!(text.contains(says), "{json}: {text}");
            assert!(!text.to_lowercase().contains("ada"), "{text}");
        }
    }
}
