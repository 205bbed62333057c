//! The crowd: connections that misbehave, in a process of their own.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use cofferdam_wire::TlsFiles;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use rustls::pki_types::ServerName;
use testkit::{Authority, connector};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::Semaphore;
use tokio_rustls::TlsConnector;

use crate::manners::{Manner, Opening, Then, Who};
use crate::site::FROZEN;

/// The networks from which every second connection comes. The others come from the network of the
/// good callers.
const NETWORKS: u32 = 250;

/// The crowd of one measurement.
#[derive(Debug, Args)]
pub struct Crowd {
    #[arg(long)]
    estate: PathBuf,
    #[arg(long)]
    address: SocketAddr,
    #[arg(long)]
    manner: Manner,
    #[arg(long)]
    connections: usize,
    #[arg(long)]
    rate: u32,
    /// The time after which the crowd leaves by itself
    #[arg(long)]
    seconds: u64,
}

impl Crowd {
    /// Keeps its connections open, and opens another one for each that is closed.
    pub async fn run(self) {
        let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
        setrlimit(Resource::RLIMIT_NOFILE, hard, hard).unwrap();
        let opening = Arc::new(self.manner.opening());
        let connector = opening.caller.map(|who| self.connector(who));
        let open = Arc::new(Semaphore::new(self.connections));
        let mut pace = tokio::time::interval(Duration::from_secs(1) / self.rate);
        let end = tokio::time::Instant::now() + Duration::from_secs(self.seconds);
        for number in 0.. {
            let next = async {
                pace.tick().await;
                open.clone().acquire_owned().await.unwrap()
            };
            let Ok(permit) = tokio::time::timeout_at(end, next).await else { return };
            let (opening, connector) = (opening.clone(), connector.clone());
            let address = self.address;
            tokio::spawn(async move {
                // A connection that the server closes is what the crowd has to expect.
                let _ = misbehave(address, number, connector, &opening).await;
                drop(permit);
            });
        }
    }

    fn connector(&self, who: Who) -> TlsConnector {
        match who {
            Who::AppServer => connector(&self.files("web-ky-2")),
            Who::Frozen => connector(&self.files(FROZEN)),
            Who::Foreign => {
                let (ca, authority) = (self.files(FROZEN).ca, Authority::new());
                connector(&TlsFiles { ca, ..authority.files("web-ky-2") })
            }
        }
    }

    fn files(&self, caller: &str) -> TlsFiles {
        let own = self.estate.join("callers").join(caller);
        TlsFiles {
            ca: self.estate.join("ca/ca.pem"),
            cert: own.join("cert.pem"),
            key: own.join("key.pem"),
        }
    }
}

async fn misbehave(
    address: SocketAddr,
    number: u32,
    connector: Option<TlsConnector>,
    opening: &Opening,
) -> std::io::Result<()> {
    let stream = connect(address, number).await?;
    match connector {
        None => go_on(stream, opening).await,
        Some(connector) => {
            let name = ServerName::try_from("localhost").unwrap();
            go_on(connector.connect(name, stream).await?, opening).await
        }
    }
}

async fn connect(address: SocketAddr, number: u32) -> std::io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    if number % 2 == 1 {
        let network = u8::try_from(number / 2 % NETWORKS).unwrap();
        socket.bind((Ipv4Addr::new(127, 1, network, 1), 0).into())?;
    }
    socket.connect(address).await
}

async fn go_on(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    opening: &Opening,
) -> std::io::Result<()> {
    let mut answer = vec![0; 16 << 10];
    loop {
        stream.write_all(&opening.says).await?;
        stream.flush().await?;
        match opening.then {
            Then::Wait => loop {
                if stream.read(&mut answer).await? == 0 {
                    return Ok(());
                }
            },
            Then::Drip => loop {
                tokio::time::sleep(Duration::from_secs(1)).await;
                stream.write_all(b"x").await?;
                stream.flush().await?;
            },
            Then::Again => {
                if stream.read(&mut answer).await? == 0 {
                    return Ok(());
                }
            }
        }
    }
}
