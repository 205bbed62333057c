//! Alarms are delivered at least once.

use cofferdam_wire::write_secret;
use keys_server::SinkConfig;
use tokio::net::UdpSocket;

use crate::support::Keys;

async fn next_line(socket: &UdpSocket) -> String {
    let mut buffer = [0; 2_048];
    let length = socket.recv(&mut buffer).await.unwrap();
    String::from_utf8(buffer[..length].to_vec()).unwrap()
}

#[tokio::test]
async fn an_alarm_that_nobody_took_is_delivered_after_a_restart_and_once() {
    let mut keys = Keys::start().await;
    keys.release("web-ky-2", &[1]).await.unwrap_err();
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = format!("udp://{}", socket.local_addr().unwrap());
    keys.alarms_to = vec![SinkConfig::Syslog { name: "siem".into(), address }];
    keys.restart().await;
    let line = next_line(&socket).await;
    assert!(line.contains("kind=\"refused_grant\" caller=\"web-ky-2\""), "{line}");
    // The policy does not know this name, so the alarm names the compartment that gave it. The
    // alarm is delivered when the first one is noted as delivered.
    keys.release("stranger", &[1]).await.unwrap_err();
    let line = next_line(&socket).await;
    assert!(line.contains("caller=\"accounts\"") && line.contains("stranger"), "{line}");
    keys.restart().await;
    keys.release("web-ky-2", &[2]).await.unwrap_err();
    // The last alarm before the restart may be delivered again, but not the first.
    loop {
        let line = next_line(&socket).await;
        assert!(!line.contains("seq=\"1\""), "told again: {line}");
        if line.contains("caller=\"web-ky-2\"") {
            break;
        }
    }
}

#[tokio::test]
async fn a_place_that_was_down_gets_the_alarm_when_it_is_back() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut keys = Keys::start().await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let secret_file = keys.file("webhook.secret");
    write_secret(&secret_file, b"whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD").unwrap();
    keys.alarms_to = vec![SinkConfig::Webhook {
        name: "pager".into(),
        url: format!("http://127.0.0.1:{port}/hook"),
        secret_file,
        ca: None,
    }];
    keys.restart().await;
    keys.release("web-ky-2", &[1]).await.unwrap_err();
    let mut answers = ["503 Service Unavailable", "204 No Content"].into_iter();
    let mut ids = Vec::new();
    for answer in answers.by_ref() {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = vec![0; 8_192];
        let length = stream.read(&mut request).await.unwrap();
        let request = String::from_utf8_lossy(&request[..length]).to_lowercase();
        let id = request.lines().find(|line| line.starts_with("webhook-id:")).unwrap();
        ids.push(id.to_owned());
        let head = format!("HTTP/1.1 {answer}\r\ncontent-length: 0\r\n\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
    }
    assert_eq!(ids[0], ids[1], "the same alarm under the same number");
}
