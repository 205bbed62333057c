//! The public page on which anybody can check a letter: `GET` shows the form, `POST` answers. No
//! URL holds the code, and no log holds the code or the answer.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Arc;

use askama::Template;
use axum::Form;
use axum::extract::{FromRequest as _, Query, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use cofferdam_core::network;
use cofferdam_wire::Peer;
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use response_letter::{FALLBACK, Shop, VerifyWords};
use serde::Deserialize;

use super::check_code::check_code;
use crate::app::App;

/// The attempts a minute from one network. A household needs few, and a million guesses take a
/// month.
const ATTEMPTS: NonZeroU32 = NonZeroU32::new(20).unwrap();
/// The most networks that are remembered. The quietest are forgotten first.
const NETWORKS: usize = 50_000;

/// The page, and the attempts of each network.
pub struct Verify {
    app: Arc<App>,
    attempts: DefaultKeyedRateLimiter<IpAddr>,
}

/// The parameters in the URL: the language.
#[derive(Debug, Deserialize)]
pub struct VerifyQuery {
    lang: Option<String>,
}

/// The fields of the form: the code.
#[derive(Deserialize)]
pub struct VerifyForm {
    code: String,
}

enum VerifyAnswer {
    None,
    Genuine { date: String, subject: String },
    Forged,
    Slow,
}

#[derive(Template)]
#[template(path = "verify.html")]
struct Page<'a> {
    shop: &'a Shop,
    language: &'a str,
    languages: Vec<&'a str>,
    words: VerifyWords,
    answer: VerifyAnswer,
}

impl Verify {
    pub fn new(app: Arc<App>) -> Self {
        Self { app, attempts: RateLimiter::keyed(Quota::per_minute(ATTEMPTS)) }
    }

    /// Whether the network of `ip` has an attempt left.
    fn may_try(&self, ip: IpAddr) -> bool {
        if self.attempts.len() > NETWORKS {
            self.attempts.retain_recent();
        }
        self.attempts.check_key(&network(ip)).is_ok()
    }

    fn page(&self, language: &str, answer: VerifyAnswer) -> Response {
        let files = &self.app.letters.files;
        let Ok(words) = files.words(language) else {
            return StatusCode::INTERNAL_SERVER_ERROR.into_response();
        };
        let page = Page {
            shop: &self.app.config.shop,
            language,
            languages: files.languages().collect(),
            words: words.verify,
            answer,
        };
        match page.render() {
            Ok(text) => super::serve::page(text.into_bytes()),
            Err(e) => {
                tracing::error!(cause = %e, "the page for checking letters can't be written");
                StatusCode::INTERNAL_SERVER_ERROR.into_response()
            }
        }
    }

    /// The language of the URL, or else of the browser, or else the fallback.
    fn language(&self, query: &VerifyQuery, headers: &HeaderMap) -> &str {
        let files = &self.app.letters.files;
        let ours = |wanted: &str| {
            let wanted = wanted.trim().split(['-', ';']).next().unwrap_or_default();
            files.languages().find(|of| of.eq_ignore_ascii_case(wanted))
        };
        let accepted = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
        let of_browser = || accepted.unwrap_or_default().split(',').find_map(ours);
        query.lang.as_deref().and_then(ours).or_else(of_browser).unwrap_or(FALLBACK)
    }
}

pub async fn show(
    State(verify): State<Arc<Verify>>,
    Query(query): Query<VerifyQuery>,
    headers: HeaderMap,
) -> Response {
    verify.page(verify.language(&query, &headers), VerifyAnswer::None)
}

pub async fn check(
    State(verify): State<Arc<Verify>>,
    Peer(visitor): Peer,
    Query(query): Query<VerifyQuery>,
    headers: HeaderMap,
    request: Request,
) -> Response {
    let language = verify.language(&query, &headers);
    if !verify.may_try(visitor) {
        let mut answer = verify.page(language, VerifyAnswer::Slow);
        *answer.status_mut() = StatusCode::TOO_MANY_REQUESTS;
        return answer;
    }
    // The form of a visitor with too many attempts is not read.
    let form = match Form::<VerifyForm>::from_request(request, &()).await {
        Ok(Form(form)) => form,
        Err(refused) => return refused.into_response(),
    };
    let answer = match check_code(&verify.app, &form.code).await {
        Ok(Some(genuine)) => {
            let words = verify.app.letters.files.words(language);
            let date = words.map(|words| words.day(genuine.written)).unwrap_or_default();
            VerifyAnswer::Genuine { date, subject: genuine.subject }
        }
        Ok(None) => VerifyAnswer::Forged,
        Err(e) => {
            tracing::error!(cause = %e, "a letter could not be checked");
            return StatusCode::SERVICE_UNAVAILABLE.into_response();
        }
    };
    verify.page(language, answer)
}
