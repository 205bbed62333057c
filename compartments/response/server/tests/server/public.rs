//! The public pages, over plain HTTP.

use response_api::{Audience, StartLetter};
use response_letter::LetterCodes;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::bench::Bench;

/// The whole answer to a request.
async fn ask(bench: &Bench, first_line: &str, fields: &str, body: &str) -> String {
    let mut stream = TcpStream::connect(&bench.public).await.unwrap();
    let request =
        format!("{first_line} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{fields}\r\n{body}");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

async fn check(bench: &Bench, code: &str) -> String {
    let body = format!("code={code}");
    let length = body.len();
    let fields =
        format!("Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {length}\r\n");
    ask(bench, "POST /verify", &fields, &body).await
}

/// A network has twenty attempts a minute.
#[tokio::test]
async fn a_network_that_guesses_codes_is_slowed_down() {
    let bench = Bench::start_alone().await;
    let mut answers = Vec::new();
    for _ in 0..25 {
        let answer = check(&bench, "AAAAA-AAAAA").await;
        answers.push(answer.split_whitespace().nth(1).unwrap().to_owned());
    }
    assert!(answers[..20].iter().all(|status| status == "200"), "{answers:?}");
    // One attempt may have grown back in between.
    assert!(answers.iter().filter(|status| *status == "429").count() >= 4, "{answers:?}");
    assert!(ask(&bench, "GET /verify", "", "").await.starts_with("HTTP/1.1 200"));
}

/// The code of a letter that was started shows its subject, and no other code does.
#[tokio::test]
async fn a_code_is_genuine_once_its_letter_was_started() {
    let bench = Bench::start().await;
    let incident = bench.scoped_table().await;
    let letter = bench.plan(incident, Audience::Staff).await;
    let draft = bench.approve(letter).await;
    let codes = LetterCodes::new(&bench.store().await.letter_key([0; 32]).await.unwrap());
    let of = |person| codes.code(letter, person).unwrap();
    let english = draft.variants.iter().find(|of| of.language == "en").unwrap();
    let shows_subject = async |code: String| check(&bench, &code).await.contains(&english.subject);
    assert!(!shows_subject(of(0)).await, "it was not started");
    bench.done(StartLetter { letter, before_staff: None }).await;
    assert!(shows_subject(of(0)).await);
    assert!(!shows_subject(of(2)).await, "there is no such person");
    assert!(!shows_subject("AAAAA-AAAAA".to_owned()).await);
}

/// The notice is read without a certificate, and nothing else is.
#[tokio::test]
async fn the_notice_is_a_static_page() {
    let bench = Bench::start_alone().await;
    let get = async |path: &str| ask(&bench, &format!("GET {path}"), "", "").await;
    assert!(get("/").await.starts_with("HTTP/1.1 404"));
    std::fs::write(bench.dir.path().join("notice/index.html"), "<h1>Notice</h1>").unwrap();
    let page = get("/").await;
    assert!(page.starts_with("HTTP/1.1 200") && page.ends_with("<h1>Notice</h1>"), "{page}");
    assert!(page.contains("content-security-policy: default-src 'none'"), "{page}");
    for other in ["/../response.db", "/index.html.sha256", "/v1/incidents/list"] {
        assert!(get(other).await.starts_with("HTTP/1.1 404"), "{other}");
    }
}
