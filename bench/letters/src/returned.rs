//! Mail that comes back, and customers who doubt: measures bounces a second into a real ledger, and
//! the time to check a letter's code.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::time::Instant;

use response_api::{LedgerState, LetterId, ReadLetter};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader as Lines};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::site::Site;

/// The number of mail servers that hand bounces in at the same time.
const SERVERS: usize = 8;
/// The number of codes that are checked.
const CODES: usize = 500;

/// The figures of returned mail.
pub struct Returned {
    pub bounces: usize,
    pub bounces_a_second: f64,
    pub verify_median_ms: f64,
    pub verify_worst_ms: f64,
}

/// The parts of a letter that lead back to it.
#[derive(Default)]
struct Letter {
    return_path: String,
    code: String,
}

/// Checks codes, and lets every letter of the sink's `dump` bounce.
pub async fn measure(site: &Site, dump: &Path) -> Returned {
    let letters = letters(dump);
    let config: toml::Table =
        fs::read_to_string(site.dir.join("response/response.toml")).unwrap().parse().unwrap();
    let page: SocketAddr = config["notice_listen"].as_str().unwrap().parse().unwrap();
    let door = config["letters"]["return_listen"].as_str().unwrap().parse().unwrap();

    let mut times = Vec::new();
    let with_code = letters.iter().filter(|letter| !letter.code.is_empty());
    for (n, letter) in with_code.take(CODES).enumerate() {
        times.push(check_code(page, &letter.code, n).await);
    }
    assert_eq!(times.len(), CODES, "too few codes were found in the letters");
    times.sort_by(f64::total_cmp);

    let (begun, count) = (Instant::now(), letters.len());
    let mut servers = JoinSet::new();
    for some in letters.chunks(count.div_ceil(SERVERS)) {
        let paths = some.iter().map(|letter| letter.return_path.clone()).collect();
        servers.spawn(hand_in(door, paths));
    }
    servers.join_all().await;
    let seconds = begun.elapsed().as_secs_f64();
    let status = site.staff().call(&ReadLetter { letter: LetterId(2) }).await.unwrap();
    assert_eq!(status.of(LedgerState::Bounced), count as u64, "bounces are missing in the ledger");
    Returned {
        bounces: count,
        bounces_a_second: count as f64 / seconds,
        verify_median_ms: times[times.len() / 2],
        verify_worst_ms: times[times.len() - 1],
    }
}

/// The letters to customers, as smtp-sink wrote them down.
fn letters(dump: &Path) -> Vec<Letter> {
    let mut letters: Vec<Letter> = Vec::new();
    for line in BufReader::new(fs::File::open(dump).unwrap()).split(b'\n').map(Result::unwrap) {
        let line = String::from_utf8_lossy(&line);
        if let Some(path) = line.strip_prefix("X-Mail-Args: <") {
            let return_path = path.split('>').next().unwrap().to_owned();
            letters.push(Letter { return_path, code: String::new() });
        } else if let (Some(code), Some(letter)) = (code(&line), letters.last_mut()) {
            letter.code = code;
        }
    }
    letters.retain(|letter| letter.return_path.starts_with("b-2-"));
    letters
}

/// The code in a line of a letter.
fn code(line: &str) -> Option<String> {
    let is = |word: &&str| {
        word.len() == 11
            && word.bytes().enumerate().all(|(at, byte)| match at {
                5 => byte == b'-',
                _ => byte.is_ascii_uppercase() || byte.is_ascii_digit(),
            })
    };
    line.split_whitespace().find(is).map(str::to_owned)
}

/// The milliseconds to check a code, the connection included. Each check comes from a network of
/// its own.
async fn check_code(page: SocketAddr, code: &str, n: usize) -> f64 {
    let body = format!("code={code}");
    let begun = Instant::now();
    let mut stream = TcpStream::connect(page).await.unwrap();
    let request = format!(
        "POST /verify HTTP/1.1\r\nHost: shop.example\r\nX-Forwarded-For: 10.{}.{}.1\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\
         Accept-Language: en\r\nConnection: close\r\n\r\n{body}",
        n / 256,
        n % 256,
        body.len()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    begun.elapsed().as_secs_f64() * 1_000.0
}

/// Hands in a bounce for each return path, over one connection.
async fn hand_in(door: SocketAddr, paths: Vec<String>) {
    let mut stream = Lines::new(TcpStream::connect(door).await.unwrap());
    expect_reply(&mut stream, "220").await;
    stream.write_all(b"LHLO mx.example\r\n").await.unwrap();
    expect_reply(&mut stream, "250").await;
    for path in paths {
        let steps = [
            ("MAIL FROM:<>\r\n".to_owned(), "250"),
            (format!("RCPT TO:<{path}>\r\n"), "250"),
            ("DATA\r\n".to_owned(), "354"),
            (BOUNCE.replace('\n', "\r\n"), "250"),
        ];
        for (command, reply) in steps {
            stream.write_all(command.as_bytes()).await.unwrap();
            expect_reply(&mut stream, reply).await;
        }
    }
    stream.write_all(b"QUIT\r\n").await.unwrap();
}

const BOUNCE: &str = "From: MAILER-DAEMON@mx.example\nSubject: Undelivered Mail\nMIME-Version: 1.0\n\
    Content-Type: multipart/report; report-type=delivery-status; boundary=\"b\"\n\n--b\n\
    Content-Type: text/plain\n\nSorry.\n\n--b\nContent-Type: message/delivery-status\n\n\
    Reporting-MTA: dns; mx.example\n\nFinal-Recipient: rfc822; p@post.example\nAction: failed\n\
    Status: 5.1.1\nDiagnostic-Code: smtp; 550 5.1.1 no such user\n\n--b--\n.\n";

/// Reads one reply, however many lines it has.
async fn expect_reply(stream: &mut Lines<TcpStream>, expected: &str) {
    let mut line = String::new();
    loop {
        line.clear();
        stream.read_line(&mut line).await.unwrap();
        assert!(line.starts_with(expected), "{line}");
        if line.get(3..4) != Some("-") {
            return;
        }
    }
}
