//! A real Chromium, driven through its `WebDriver`.

use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::json;
use tempfile::TempDir;

use crate::free_address;

const CHROMIUM: &str = "/usr/bin/chromium";
const DRIVER: &str = "/usr/bin/chromedriver";

/// One window without cookies or history. It ends with this value.
#[derive(Debug)]
pub struct Browser {
    client: Client,
    driver: Child,
    _profile: TempDir,
}

impl Browser {
    /// Opens a window as wide and high as this, in pixels.
    pub async fn open(width: u32, height: u32) -> Self {
        let at = free_address();
        let mut command = Command::new(DRIVER);
        command.arg(format!("--port={}", at.port())).stdout(Stdio::null()).stderr(Stdio::null());
        let driver = command.spawn().expect("Chromium's driver is installed: ./test does it");
        while TcpStream::connect(at).is_err() {
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
        // No window of its own is as narrow as a phone.
        let screen = json!({ "width": width, "height": height, "pixelRatio": 2.0 });
        let options = json!({
            "binary": CHROMIUM, "args": args, "mobileEmulation": { "deviceMetrics": screen }
        });
        let serde_json::Value::Object(wanted) = json!({ "goog:chromeOptions": options }) else {
            unreachable!("an object")
        };
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(wanted)
            .connect(&format!("http://{at}"))
            .await
            .unwrap();
        Self { client, driver, _profile: profile }
    }

    /// Goes to an address.
    pub async fn go(&self, url: &str) {
        self.client.goto(url).await.unwrap();
    }

    /// Types into a field, found by CSS.
    pub async fn type_into(&self, css: &str, text: &str) {
        let field = self.client.find(Locator::Css(css)).await.unwrap();
        field.clear().await.unwrap();
        field.send_keys(text).await.unwrap();
    }

    /// Clicks something, found by CSS.
    pub async fn click(&self, css: &str) {
        self.client.find(Locator::Css(css)).await.unwrap().click().await.unwrap();
    }

    /// What can be read of something, once it is there.
    pub async fn read(&self, css: &str) -> String {
        let wait = self.client.wait().at_most(Duration::from_secs(20));
        wait.for_element(Locator::Css(css)).await.unwrap().text().await.unwrap()
    }

    /// Whether all of the page is within the window's width.
    pub async fn fits(&self) -> bool {
        let script = "return document.documentElement.scrollWidth <= window.innerWidth";
        self.client.execute(script, Vec::new()).await.unwrap() == json!(true)
    }

    /// What the window shows, as PNG.
    pub async fn screenshot(&self) -> Vec<u8> {
        self.client.screenshot().await.unwrap()
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
