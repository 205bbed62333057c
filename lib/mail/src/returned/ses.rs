//! Notifications of Amazon SES as JSON: bare, in the envelope of SNS, or in a mail of SNS.
//!
//! The form is documented in the SES developer guide, "Amazon SNS notification contents" and "Event
//! data". `mail.source` is the envelope sender of the letter, and so its return path.

use serde::Deserialize;

use super::Returned;
use super::codes;
use super::mime::Opened;
use super::original::Original;
use super::reason::{locals, reason};
use super::why::BounceReason;
use super::words;

/// A message in the envelope of SNS.
#[derive(Deserialize)]
struct Envelope {
    #[serde(rename = "Message")]
    message: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Notification {
    /// The kind, by which notifications are told from other JSON. Event publishing has its own name
    /// for it.
    #[serde(rename = "notificationType", alias = "eventType")]
    kind: String,
    mail: Mail,
    bounce: Option<Bounce>,
    complaint: Option<Complaint>,
    #[serde(alias = "deliveryDelayed")]
    delivery_delay: Option<Delay>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Mail {
    source: Option<String>,
    headers: Vec<Header>,
    common_headers: CommonHeaders,
}

#[derive(Deserialize)]
struct Header {
    name: String,
    value: String,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct CommonHeaders {
    message_id: Option<String>,
    return_path: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Bounce {
    #[serde(rename = "bounceType")]
    kind: String,
    #[serde(rename = "bounceSubType")]
    sub_kind: String,
    bounced_recipients: Vec<Recipient>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Delay {
    #[serde(rename = "delayType")]
    kind: String,
    delayed_recipients: Vec<Recipient>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Recipient {
    email_address: String,
    status: Option<String>,
    diagnostic_code: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Complaint {
    complaint_feedback_type: Option<String>,
}

/// Reads a notification that is bare JSON; `None` for everything else.
pub fn read(bytes: &[u8]) -> Option<(Returned, Original)> {
    let bytes = bytes.trim_ascii();
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if bytes.first() != Some(&b'{') {
        return None;
    }
    let notification = match serde_json::from_slice::<Envelope>(bytes) {
        Ok(envelope) => serde_json::from_str(&envelope.message).ok()?,
        Err(_) => serde_json::from_slice::<Notification>(bytes).ok()?,
    };
    Some(notification.read())
}

/// Reads a notification in a mail, as SNS sends it to an e-mail address.
pub fn read_mail(message: &Opened) -> Option<(Returned, Original)> {
    // Sendmail breaks long lines in this way.
    let text = message.text().replace("!\r\n ", "").replace("!\n ", "");
    let begin =
        text.find('{').filter(|_| text.contains("otificationType") || text.contains("ventType"))?;
    // SNS adds a line on how to unsubscribe below the JSON.
    let mut stream =
        serde_json::Deserializer::from_str(&text[begin..]).into_iter::<serde_json::Value>();
    let first = stream.next()?.ok()?;
    read(first.to_string().as_bytes())
}

impl Notification {
    fn read(self) -> (Returned, Original) {
        let mut original = Original::default();
        let headers = &self.mail.headers;
        let header = |name: &str| headers.iter().find(|of| of.name.eq_ignore_ascii_case(name));
        let message_id = header("Message-ID").map(|of| of.value.as_str());
        let common = &self.mail.common_headers;
        original.add(self.mail.source.as_deref(), message_id.or(common.message_id.as_deref()));
        original.add(common.return_path.as_deref(), None);
        let what = match self.kind.as_str() {
            "Bounce" => self.bounce.unwrap_or_default().read(),
            "Complaint" => self.complaint.unwrap_or_default().read(),
            "DeliveryDelay" => self.delivery_delay.unwrap_or_default().read(),
            "Delivery" | "Open" | "Click" => Returned::Delivered,
            // SES took the letter and then found a virus in it.
            "Reject" => failed("5.7.0".to_owned(), "rejected by Amazon SES", &[]),
            _ => Returned::Other,
        };
        (what, original)
    }
}

impl Bounce {
    fn read(self) -> Returned {
        let class = if self.kind == "Transient" { '4' } else { '5' };
        let detail = match self.sub_kind.as_str() {
            "NoEmail" | "Suppressed" | "OnAccountSuppressionList" => "1.1",
            "MailboxFull" => "2.2",
            "MessageTooLarge" => "3.4",
            "ContentRejected" | "AttachmentRejected" => "7.1",
            _ => "0.0",
        };
        let (status, words) = said(&self.bounced_recipients, &format!("{class}.{detail}"));
        let words = words.unwrap_or_else(|| format!("{} {}", self.kind, self.sub_kind));
        failed(status, &words, &self.bounced_recipients)
    }
}

impl Delay {
    fn read(self) -> Returned {
        let general = match self.kind.as_str() {
            "MailboxFull" => "4.2.2",
            "SpamDetected" | "IPFailure" => "4.7.1",
            "TransientCommunicationFailure" | "RecipientServerError" => "4.4.1",
            _ => "4.0.0",
        };
        let (status, words) = said(&self.delayed_recipients, general);
        let words = words.unwrap_or(self.kind);
        let reason = reason(&words, &locals(&addresses(&self.delayed_recipients)));
        Returned::Delayed { status, reason }
    }
}

impl Complaint {
    fn read(self) -> Returned {
        let kind = self.complaint_feedback_type.unwrap_or_default();
        super::complaint::of_kind(&kind)
    }
}

/// The code and the words that the first recipient's server gave, or the `general` code.
fn said(recipients: &[Recipient], general: &str) -> (String, Option<String>) {
    let words = recipients.iter().find_map(|of| of.diagnostic_code.clone());
    let stated = recipients.iter().find_map(|of| codes::enhanced(of.status.as_deref()?, "45"));
    let exact = |status: &String| !codes::is_general(status);
    let found = words.as_deref().and_then(codes::find).map(|code| code.status);
    let status = stated.clone().filter(exact).or_else(|| found.filter(exact));
    // The kind of bounce is more exact than a code that names its class only.
    let status = status.unwrap_or_else(|| {
        let general = general.to_owned();
        if exact(&general) { general } else { stated.unwrap_or(general) }
    });
    let status = words::refined(status, words.as_deref().unwrap_or_default());
    (status, words)
}

fn failed(status: String, words: &str, recipients: &[Recipient]) -> Returned {
    let why = BounceReason::of(&status, words);
    let reason = reason(words, &locals(&format!("{words} {}", addresses(recipients))));
    Returned::Bounced { status, why, reason }
}

fn addresses(recipients: &[Recipient]) -> String {
    recipients.iter().map(|of| of.email_address.as_str()).collect::<Vec<_>>().join(" ")
}
