//! One mail provider of five begins to answer 421. Measures the time until it gets fewer letters,
//! and the rate of the others.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, BufWriter};
use tokio::net::{TcpListener, TcpStream};

use crate::sending;
use crate::site::Site;

/// The time for which letters are counted before the flood, and after it begins.
const SPAN: Duration = Duration::from_secs(15);
/// The time after which letters leave at full speed.
const SETTLED: Duration = Duration::from_secs(10);
/// The time between two counts.
const TICK: Duration = Duration::from_millis(100);
const TICKS_A_SECOND: usize = 10;

/// The number of recipients named to the relay so far.
#[derive(Debug, Default)]
pub struct Counts {
    flooded: AtomicU64,
    others: AtomicU64,
    flooding: AtomicBool,
}

impl Counts {
    fn now(&self) -> [u64; 2] {
        [&self.flooded, &self.others].map(|count| count.load(Ordering::Relaxed))
    }
}

/// The figures, in recipients a second.
pub struct Flood {
    pub flooded_before: f64,
    pub others_before: f64,
    /// The seconds until the flooded provider had a second with at most half of its earlier rate.
    pub slowed_after: Option<f64>,
    /// The rate of the flooded provider in the last five seconds.
    pub flooded_at_the_end: f64,
    pub others_after: f64,
}

/// Starts a relay that accepts everything, and refuses the first domain once the flood begins.
pub async fn relay(at: SocketAddr) -> Arc<Counts> {
    let counts = Arc::new(Counts::default());
    let (listener, of) = (TcpListener::bind(at).await.unwrap(), counts.clone());
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            tokio::spawn(serve(stream, of.clone()));
        }
    });
    counts
}

/// Serves one connection. It ends with the first 421, like that of a real server.
async fn serve(stream: TcpStream, counts: Arc<Counts>) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let (read, write) = stream.into_split();
    let (mut read, mut write) = (BufReader::new(read), BufWriter::new(write));
    write.write_all(b"220 relay\r\n").await?;
    let (mut line, mut text) = (Vec::new(), false);
    loop {
        line.clear();
        // Replies to commands that arrived together are sent together.
        if read.buffer().is_empty() {
            write.flush().await?;
        }
        if read.read_until(b'\n', &mut line).await? == 0 {
            return Ok(());
        }
        let reply: &[u8] = match line.get(..4) {
            _ if text && line != b".\r\n" => continue,
            _ if text => {
                text = false;
                b"250 queued as 1\r\n"
            }
            Some(b"EHLO") => b"250-relay\r\n250-PIPELINING\r\n250 8BITMIME\r\n",
            Some(b"RCPT") if line.windows(8).any(|part| part == b"@flooded") => {
                counts.flooded.fetch_add(1, Ordering::Relaxed);
                if counts.flooding.load(Ordering::Relaxed) {
                    write.write_all(b"421 4.7.0 too many, later\r\n").await?;
                    return write.shutdown().await;
                }
                b"250 ok\r\n"
            }
            Some(b"RCPT") => {
                counts.others.fetch_add(1, Ordering::Relaxed);
                b"250 ok\r\n"
            }
            Some(b"DATA") => {
                text = true;
                b"354 go on\r\n"
            }
            Some(b"QUIT") => return write.shutdown().await,
            _ => b"250 ok\r\n",
        };
        write.write_all(reply).await?;
    }
}

/// Writes to every customer, and lets the flood begin during that.
pub async fn measure(site: &Site, counts: &Counts) -> Flood {
    let sending = sending::begin(site).await;
    tokio::time::sleep(SETTLED).await;
    let before = ticks(counts).await;
    counts.flooding.store(true, Ordering::Relaxed);
    let after = ticks(counts).await;
    let running = sending.is_running().await;
    assert!(running, "too few customers: the letter ended before the flood did");
    sending.stop_following();

    let [flooded_before, others_before] = [0, 1].map(|of| rate(&before, of));
    let slow = |second: &[[u64; 2]]| rate(second, 0) <= flooded_before / 2.0;
    let slowed = after.windows(TICKS_A_SECOND + 1).position(slow);
    Flood {
        flooded_before,
        others_before,
        slowed_after: slowed.map(|tick| (tick + TICKS_A_SECOND) as f64 * TICK.as_secs_f64()),
        flooded_at_the_end: rate(&after[after.len() - 1 - 5 * TICKS_A_SECOND..], 0),
        others_after: rate(&after, 1),
    }
}

/// The counts at each tick.
async fn ticks(counts: &Counts) -> Vec<[u64; 2]> {
    let mut clock = tokio::time::interval(TICK);
    let mut out = Vec::new();
    for _ in 0..=SPAN.as_millis() / TICK.as_millis() {
        clock.tick().await;
        out.push(counts.now());
    }
    out
}

/// The number of recipients a second between the first tick and the last.
fn rate(ticks: &[[u64; 2]], of: usize) -> f64 {
    let seconds = (ticks.len() - 1) as f64 * TICK.as_secs_f64();
    (ticks[ticks.len() - 1][of] - ticks[0][of]) as f64 / seconds
}
