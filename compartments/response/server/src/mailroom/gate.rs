//! The gate: a letter starts only if receivers will accept it as ours.

use cofferdam_core::Personal;
use cofferdam_mail::{Check, Head, Mailbox, Message, Setup, signed};
use cofferdam_wire::Problem;
use response_api::GATE_CLOSED;

use crate::app::App;
use crate::config::GateConfig;

/// Runs every check, and returns the findings for the journal. A closed gate names every failed
/// check.
pub async fn pass_gate(app: &App) -> Result<String, Problem> {
    let config = &app.config.letters;
    let (sends_from, helo, relay_key) = match &config.gate {
        GateConfig::Open { open_because } => return Ok(format!("gate open: {open_because}")),
        GateConfig::Checked { sends_from, helo, relay_key, .. } => (sends_from, helo, relay_key),
    };
    let Some(receivers) = &app.letters.receivers else {
        return Err(closed("there is no resolver to check with"));
    };
    let composer = &app.letters.room.ports().composer;
    let shop = &app.config.shop;
    let bounces_to = match &config.return_domain {
        Some(domain) => format!("postmaster@{domain}"),
        None => shop.mail_from.clone(),
    };
    let sample = sample(app).map_err(|e| closed(&e))?;
    let setup = Setup {
        from_domain: shop.mail_from.rsplit('@').next().unwrap_or_default(),
        bounces_to: &bounces_to,
        helo,
        sends_from,
        keys: &composer.dkim,
        relay_key: relay_key.as_ref().map(|key| (key.domain.as_str(), key.selector.as_str())),
        relays: app.letters.relays.all(),
        sample: &sample,
    };
    let checks = receivers.outside.check(&setup).await;
    let line = |check: &Check| format!("{}: {}", check.what, check.found);
    let failed: Vec<_> = checks.iter().filter(|check| !check.passed).map(line).collect();
    if failed.is_empty() {
        Ok(checks.iter().map(line).collect::<Vec<_>>().join("; "))
    } else {
        Err(closed(&failed.join("; ")))
    }
}

/// Makes a signed sample letter to ourselves.
fn sample(app: &App) -> Result<Vec<u8>, String> {
    let shop = &app.config.shop;
    let ourselves = Mailbox { name: None, address: Personal::new(shop.mail_from.as_str()) };
    let head = Head {
        from: &ourselves,
        to: &ourselves,
        date: app.now(),
        message_id: &format!("gate@{}", shop.message_id_domain),
        feedback_id: None,
    };
    let message = Message { head, subject: "gate", text: "gate\n", html: None }.build();
    let message = message.map_err(|e| e.to_string())?;
    let keys = &app.letters.room.ports().composer.dkim;
    signed(&message, keys, app.now()).map_err(|e| e.to_string())
}

fn closed(what: &str) -> Problem {
    Problem::new(GATE_CLOSED, what)
}
