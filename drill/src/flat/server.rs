//! The app server: sign-in, a customer's own account, the desk's list of customers, and an access
//! log. Nothing limits the number of reads.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use axum::body::HttpBody;
use axum::extract::{ConnectInfo, Query, Request, State};
use axum::http::header::{COOKIE, SET_COOKIE, USER_AGENT};
use axum::http::{HeaderMap, HeaderName, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{AppendHeaders, IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Json, Router};
use cofferdam_core::{Clock, Personal, Rng};
use serde::{Deserialize, Serialize};
use sqlx::SqlitePool;

use super::error::{FlatError, at};
use super::secrets::{hash_token, verify_password};

/// The number of customers on a page of the desk's list.
pub const PAGE: u32 = 50;

/// The state of the app server.
pub struct App {
    db: SqlitePool,
    log: File,
    clock: Arc<dyn Clock>,
    rng: Arc<dyn Rng>,
}

/// A customer as a page shows it.
#[derive(Debug, Serialize, Deserialize, sqlx::FromRow)]
pub struct CustomerView {
    /// The customer's number.
    pub id: u32,
    name: String,
    email: String,
    phone: String,
    billing_address: String,
    shipping_address: String,
    /// The last digits of the card, for customers with one.
    pub card_last4: Option<String>,
}

/// The form of a sign-in.
#[derive(Debug, Serialize, Deserialize)]
pub struct Login {
    /// The address with which the customer signs in.
    pub email: String,
    /// The password, as typed.
    pub password: Personal,
}

/// A page of the desk's list, from 0.
#[derive(Debug, Deserialize)]
struct Page {
    page: u32,
}

/// The holder of a session: a customer, or the desk, which has no number. A handler passes it to
/// the access log with its answer.
#[derive(Debug, Clone, Copy)]
struct Holder(Option<u32>);

impl App {
    /// Makes an app server that appends to the access log `log`.
    pub fn new(
        db: SqlitePool,
        log: &Path,
        clock: Arc<dyn Clock>,
        rng: Arc<dyn Rng>,
    ) -> Result<Self, FlatError> {
        let log = OpenOptions::new().create(true).append(true).open(log).map_err(at(log))?;
        Ok(Self { db, log, clock, rng })
    }

    /// The routes.
    pub fn router(self) -> Router {
        let app = Arc::new(self);
        Router::new()
            .route("/login", post(login))
            .route("/account", get(account))
            .route("/admin/customers", get(customers))
            .layer(from_fn_with_state(app.clone(), log_access))
            .with_state(app)
    }

    async fn holder(&self, headers: &HeaderMap) -> Result<Option<u32>, StatusCode> {
        let token = header(headers, COOKIE).strip_prefix("session=");
        sqlx::query_scalar("SELECT customer FROM sessions WHERE token_hash = $1")
            .bind(hash_token(token.ok_or(StatusCode::UNAUTHORIZED)?))
            .fetch_optional(&self.db)
            .await
            .map_err(broken)?
            .ok_or(StatusCode::UNAUTHORIZED)
    }
}

/// Opens a session for a customer, or for the desk.
pub async fn open_session(
    db: &SqlitePool,
    token: &str,
    customer: Option<u32>,
    clock: &dyn Clock,
) -> Result<(), sqlx::Error> {
    let insert = sqlx::query("INSERT INTO sessions VALUES ($1, $2, $3)");
    let insert = insert.bind(hash_token(token)).bind(customer).bind(clock.now().to_string());
    insert.execute(db).await.map(drop)
}

async fn login(
    State(app): State<Arc<App>>,
    Json(Login { email, password }): Json<Login>,
) -> Result<impl IntoResponse, StatusCode> {
    let found: Option<(u32, String)> =
        sqlx::query_as("SELECT id, password_hash FROM customers WHERE email = $1")
            .bind(email)
            .fetch_optional(&app.db)
            .await
            .map_err(broken)?;
    let right = found.filter(|(_, hash)| verify_password(&password, hash));
    let (customer, _) = right.ok_or(StatusCode::UNAUTHORIZED)?;
    let token = hex::encode(app.rng.bytes::<16>());
    open_session(&app.db, &token, Some(customer), app.clock.as_ref()).await.map_err(broken)?;
    let cookie = format!("session={token}; HttpOnly; SameSite=Lax");
    Ok((StatusCode::NO_CONTENT, AppendHeaders([(SET_COOKIE, cookie)])))
}

async fn account(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
) -> Result<impl IntoResponse, StatusCode> {
    let holder = app.holder(&headers).await?;
    let view: CustomerView = sqlx::query_as("SELECT * FROM customers WHERE id = $1")
        .bind(holder.ok_or(StatusCode::NOT_FOUND)?)
        .fetch_one(&app.db)
        .await
        .map_err(broken)?;
    Ok((Extension(Holder(holder)), Json(view)))
}

async fn customers(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    Query(Page { page }): Query<Page>,
) -> Result<impl IntoResponse, StatusCode> {
    let holder = app.holder(&headers).await?;
    if holder.is_some() {
        return Err(StatusCode::FORBIDDEN);
    }
    let views: Vec<CustomerView> =
        sqlx::query_as("SELECT * FROM customers ORDER BY id LIMIT $1 OFFSET $2")
            .bind(PAGE)
            .bind(i64::from(page) * i64::from(PAGE))
            .fetch_all(&app.db)
            .await
            .map_err(broken)?;
    Ok((Extension(Holder(holder)), Json(views)))
}

fn broken(_: sqlx::Error) -> StatusCode {
    StatusCode::INTERNAL_SERVER_ERROR
}

fn header(headers: &HeaderMap, name: HeaderName) -> &str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or("-")
}

/// Writes a line in the combined log format. Its user is the customer who is signed in.
async fn log_access(
    State(app): State<Arc<App>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
    next: Next,
) -> Result<Response, StatusCode> {
    let asked = format!("{} {} {:?}", request.method(), request.uri(), request.version());
    let agent = header(request.headers(), USER_AGENT).to_owned();
    let response = next.run(request).await;
    let user = match response.extensions().get() {
        Some(Holder(Some(customer))) => format!("customer-{customer}"),
        Some(Holder(None)) => "desk".to_owned(),
        None => "-".to_owned(),
    };
    let (ip, status) = (peer.ip(), response.status().as_u16());
    let time = app.clock.now().strftime("%d/%b/%Y:%H:%M:%S +0000");
    let size = response.body().size_hint().exact().unwrap_or(0);
    let line = format!("{ip} - {user} [{time}] \"{asked}\" {status} {size} \"-\" \"{agent}\"\n");
    // A line is one write in append mode, so lines never mix.
    (&app.log).write_all(line.as_bytes()).map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
    Ok(response)
}
