//! Public pages over plain HTTP, for anybody.

use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use cofferdam_core::{RoomLimits, network};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::TcpListener;
use tower::{ServiceExt, service_fn};

use super::accept;
use super::caller::Peer;
use super::connection::{self, Times};
use super::hall::Hall;
use super::pace::Limit;

/// Connections of strangers, by network.
pub(super) const STRANGERS: RoomLimits =
    RoomLimits { guests: 512, guests_each: 128, newest: 128, bytes: 32 << 20, bytes_each: 4 << 20 };
/// Connections of the operator's own proxies.
pub(super) const PROXIES: RoomLimits =
    RoomLimits { guests: 256, guests_each: 256, newest: 0, bytes: 32 << 20, bytes_each: 32 << 20 };
/// Requests that proxies pass on, by the visitor's network.
const VISITORS: RoomLimits =
    RoomLimits { guests: 256, guests_each: 32, newest: 64, bytes: u64::MAX, bytes_each: u64::MAX };
const TIMES: Times =
    Times { quiet: Duration::from_secs(20), body: Duration::from_secs(10), pace: None };
/// The longest time for which a stranger's connection stays open, and for one request that a proxy
/// passes on.
const STAY: Duration = Duration::from_secs(30);

/// The pace of a stranger's connection: a page and what belongs to it at once, and four requests a second
/// in the long run. A visitor beside it has a connection of their own.
const OF_CONNECTION: Limit = Limit { step: Duration::from_millis(250), at_once: 20 };

/// Serves public pages over plain HTTP for as long as the future is polled. The number and the
/// duration of connections are bounded for each network and in all, so that strangers can't exhaust
/// the process. The requests of `proxies` count for the visitor that the proxy names last in
/// `X-Forwarded-For`. Handlers can extract the visitor's address as [`Peer`].
pub async fn serve_anybody(socket: TcpListener, proxies: Vec<IpAddr>, router: Router) {
    let (strangers, through) = (Hall::new("strangers", STRANGERS), Hall::new("proxies", PROXIES));
    let visitors = Hall::new("visitors", VISITORS);
    let proxies: Arc<[IpAddr]> = proxies.into();
    let connections = GracefulShutdown::new();
    loop {
        let (stream, peer) = accept(&socket).await;
        let peer = peer.ip().to_canonical();
        let is_proxy = proxies.contains(&peer);
        let hall = if is_proxy { &through } else { &strangers };
        let Ok(seat) = hall.enter(network(peer), TIMES.quiet) else { continue };
        let (router, visitors) = (router.clone(), is_proxy.then(|| visitors.clone()));
        let service =
            service_fn(move |request| answer(request, peer, visitors.clone(), router.clone()));
        let pace = (!is_proxy).then_some(OF_CONNECTION);
        let times = Times { pace, ..TIMES };
        let served = connection::serve(stream, service, seat, times, connections.watcher());
        tokio::spawn(async move {
            if is_proxy {
                served.await;
            } else {
                // A stranger's broken connection is no fault of ours, so it is not logged.
                let _ = tokio::time::timeout(STAY, served).await;
            }
        });
    }
}

/// Answers one request. One that a proxy passes on takes a seat among the `visitors`.
async fn answer(
    mut request: Request,
    peer: IpAddr,
    visitors: Option<Hall<IpAddr>>,
    router: Router,
) -> Result<Response, Infallible> {
    let Some(visitors) = visitors else {
        request.extensions_mut().insert(Peer(peer));
        return router.oneshot(request).await;
    };
    let visitor = last_forwarded(request.headers()).unwrap_or(peer);
    request.extensions_mut().insert(Peer(visitor));
    let busy = || (StatusCode::SERVICE_UNAVAILABLE, "Too many requests.\n").into_response();
    let Ok(seat) = visitors.enter(network(visitor), STAY) else { return Ok(busy()) };
    tokio::select! {
        answered = router.oneshot(request) => answered,
        () = seat.over() => Ok(busy()),
    }
}

/// The last address in `X-Forwarded-For`, which the proxy itself wrote.
fn last_forwarded(headers: &HeaderMap) -> Option<IpAddr> {
    let forwarded = headers.get_all("x-forwarded-for").iter().next_back()?;
    forwarded.to_str().ok()?.rsplit(',').next()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_address_is_the_proxys_own_word() {
        let mut headers = HeaderMap::new();
        assert_eq!(last_forwarded(&headers), None);
        headers.insert("x-forwarded-for", "203.0.113.9, 198.51.100.7".parse().unwrap());
        assert_eq!(last_forwarded(&headers), "198.51.100.7".parse().ok());
        headers.insert("x-forwarded-for", "nonsense".parse().unwrap());
        assert_eq!(last_forwarded(&headers), None);
    }
}
