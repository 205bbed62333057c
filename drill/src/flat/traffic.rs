//! Ordinary traffic: customers sign in and look at their accounts.

use std::net::SocketAddr;

use axum::body::{Body, to_bytes};
use axum::http::header::{CONTENT_TYPE, COOKIE, SET_COOKIE, USER_AGENT};
use axum::http::request::Builder;
use axum::http::{Request, Response};
use cofferdam_core::{Personal, Rng};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde::de::DeserializeOwned;

use super::error::FlatError;
use super::server::Login;
use super::shop::FlatPerson;
use super::tally::Tally;

/// The number of times that a customer who signed in looks at the account.
const VIEWS: u32 = 2;
/// The largest answer, in bytes.
const LONGEST: usize = 1 << 20;

/// A client of the app server.
pub struct Browser {
    http: Client<HttpConnector, Body>,
    server: SocketAddr,
    agent: &'static str,
}

impl Browser {
    /// Makes a browser with the name `agent`.
    pub fn new(server: SocketAddr, agent: &'static str) -> Self {
        Self { http: Client::builder(TokioExecutor::new()).build_http(), server, agent }
    }

    /// Signs in. Returns the cookie.
    async fn sign_in(&self, login: &Login) -> Result<Personal, FlatError> {
        let json = "application/json";
        let request = self.request("/login").method("POST").header(CONTENT_TYPE, json);
        let answer = self.send(request, Body::from(serde_json::to_vec(login)?)).await?;
        let cookie = answer.headers().get(SET_COOKIE).and_then(|cookie| cookie.to_str().ok());
        let cookie = cookie.and_then(|cookie| cookie.split(';').next());
        cookie.map(Personal::new).ok_or_else(|| FlatError::App("no cookie was set".into()))
    }

    /// Opens a page.
    pub async fn get<T: DeserializeOwned>(
        &self,
        path: &str,
        cookie: &Personal,
    ) -> Result<T, FlatError> {
        let request = self.request(path).header(COOKIE, cookie.expose());
        let answer = self.send(request, Body::empty()).await?;
        let body = to_bytes(answer.into_body(), LONGEST).await.map_err(FlatError::app)?;
        Ok(serde_json::from_slice(&body)?)
    }

    fn request(&self, path: &str) -> Builder {
        let uri = format!("http://{}{path}", self.server);
        Request::builder().uri(uri).header(USER_AGENT, self.agent)
    }

    async fn send(&self, request: Builder, body: Body) -> Result<Response<Body>, FlatError> {
        let request = request.body(body).map_err(FlatError::app)?;
        let asked = request.uri().path().to_owned();
        let answer = self.http.request(request).await.map_err(FlatError::app)?;
        match answer.status() {
            status if status.is_success() => Ok(answer.map(Body::new)),
            status => Err(FlatError::App(format!("{asked} was answered with {status}"))),
        }
    }
}

/// Draws `count` numbers below `end`. A number may come twice.
pub fn draw(count: u32, end: u32, rng: &dyn Rng) -> Vec<u32> {
    (0..count).map(|_| u32::from_le_bytes(rng.bytes()) % end).collect()
}

/// Lets customers visit one after another. Returns the data that they were shown.
pub async fn visit(
    browser: &Browser,
    shoppers: &[u32],
    person: &impl Fn(u32) -> FlatPerson,
) -> Result<Tally, FlatError> {
    let mut tally = Tally::default();
    for shopper in shoppers {
        let FlatPerson { email, password, .. } = person(*shopper);
        let cookie = browser.sign_in(&Login { email, password }).await?;
        for _ in 0..VIEWS {
            tally.add_view(&browser.get("/account", &cookie).await?);
        }
    }
    Ok(tally)
}
