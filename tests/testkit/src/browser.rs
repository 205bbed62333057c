//! A real Chromium, controlled through `WebDriver`.

use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::free_address;

const CHROMIUM: &str = "/usr/bin/chromium";
const DRIVER: &str = "/usr/bin/chromedriver";

/// One browser window without cookies or history. The browser is closed with this value.
#[derive(Debug)]
pub struct Browser {
    client: Client,
    address: SocketAddr,
    driver: Child,
    _profile: TempDir,
}

impl Browser {
    /// Opens a window of the given size, in pixels.
    pub async fn open(width: u32, height: u32) -> Self {
        let address = free_address();
        let mut command = Command::new(DRIVER);
        let port = format!("--port={}", address.port());
        command.arg(port).stdout(Stdio::null()).stderr(Stdio::null());
        let driver = command.spawn().expect("install chromium-driver or run ./test");
        while TcpStream::connect(address).is_err() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let profile = tempfile::tempdir().unwrap();
        let args = [
            "--headless=new".to_owned(),
            "--no-sandbox".to_owned(),
            "--disable-gpu".to_owned(),
            "--disable-background-networking".to_owned(),
            "--disable-component-update".to_owned(),
            "--disable-sync".to_owned(),
            "--no-first-run".to_owned(),
            "--lang=en-US".to_owned(),
            format!("--window-size={width},{height}"),
            format!("--user-data-dir={}", profile.path().display()),
        ];
        // Chromium's windows can't be as narrow as a phone, so the browser emulates the screen.
        let screen = json!({ "width": width, "height": height, "pixelRatio": 2.0 });
        let options = json!({
            "binary": CHROMIUM, "args": args, "mobileEmulation": { "deviceMetrics": screen }
        });
        let Value::Object(wanted) = json!({ "goog:chromeOptions": options }) else {
            unreachable!("an object")
        };
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(wanted)
            .connect(&format!("http://{address}"))
            .await
            .unwrap();
        Self { client, address, driver, _profile: profile }
    }

    /// Opens a URL in the window.
    pub async fn go(&self, url: &str) {
        self.client.goto(url).await.unwrap();
    }

    /// Replaces the text of the form field that the CSS selector finds.
    pub async fn type_into(&self, css: &str, text: &str) {
        let field = self.client.find(Locator::Css(css)).await.unwrap();
        field.clear().await.unwrap();
        field.send_keys(text).await.unwrap();
    }

    /// Clicks the element that the CSS selector finds.
    pub async fn click(&self, css: &str) {
        self.client.find(Locator::Css(css)).await.unwrap().click().await.unwrap();
    }

    /// Waits up to 20 seconds for the element that the CSS selector finds, and returns its visible
    /// text.
    pub async fn read(&self, css: &str) -> String {
        let wait = self.client.wait().at_most(Duration::from_secs(20));
        wait.for_element(Locator::Css(css)).await.unwrap().text().await.unwrap()
    }

    /// Whether the page fits the width of the window.
    pub async fn fits(&self) -> bool {
        let script = "return document.documentElement.scrollWidth <= window.innerWidth";
        self.client.execute(script, Vec::new()).await.unwrap() == json!(true)
    }

    /// The content of the window as PNG.
    pub async fn screenshot(&self) -> Vec<u8> {
        self.client.screenshot().await.unwrap()
    }

    /// Gives the window an authenticator that keeps passkeys, and whose person is there and verified
    /// whenever it is asked (`WebDriver` extension of `WebAuthn`, section 11.3).
    pub async fn add_authenticator(&self) {
        let body = json!({
            "protocol": "ctap2", "transport": "internal", "hasResidentKey": true,
            "hasUserVerification": true, "isUserConsenting": true, "isUserVerified": true,
        });
        let (body, session) = (body.to_string(), self.client.session_id().await.unwrap().unwrap());
        let request = format!(
            "POST /session/{session}/webauthn/authenticator HTTP/1.1\r\nHost: {}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            self.address,
            body.len()
        );
        let mut driver = tokio::net::TcpStream::connect(self.address).await.unwrap();
        driver.write_all(request.as_bytes()).await.unwrap();
        // The driver keeps the connection open.
        let mut status = [0; 12];
        driver.read_exact(&mut status).await.unwrap();
        assert_eq!(status, *b"HTTP/1.1 200");
    }

    /// Runs a script, which calls its last argument with the result.
    pub async fn run(&self, script: &str, arguments: Vec<Value>) -> Value {
        self.client.execute_async(script, arguments).await.unwrap()
    }

    /// Closes the window.
    pub async fn close(self) {
        self.client.clone().close().await.unwrap();
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}
