//! Automatic replies (RFC 3834, and the conventions before it).

use super::mime::Opened;

/// The beginnings of the subjects of automatic replies, in lower case.
const BEGINS: [&str; 18] = [
    "out of office",
    "out of the office",
    "automatic reply",
    "auto reply",
    "auto-reply",
    "autoreply",
    "auto response",
    "auto-response",
    "automatische antwort",
    "abwesenheit",
    "réponse automatique",
    "respuesta automática",
    "resposta automática",
    "risposta automatica",
    "automatisch antwoord",
    "autosvar",
    "odpowiedź automatyczna",
    "自動応答",
];
/// Words in the subjects of automatic replies, in lower case. They count only if the message calls
/// itself a mass mailing, because other mail has these words too.
const WITHIN: [&str; 6] =
    ["vacation", "holiday", "out of office", "out of the office", "away from", "urlaub"];
/// Header fields that only automatic replies have.
const FIELDS: [&str; 5] =
    ["X-Autoreply", "X-Autorespond", "X-Autoresponse", "X-AutoReply-From", "X-Mail-Autoreply"];

/// Whether a machine wrote `message` instead of a person.
pub fn is_automatic(message: &Opened) -> bool {
    let field = |name| message.fields.get(name).unwrap_or_default().to_ascii_lowercase();
    let submitted = field("Auto-Submitted");
    let submitted = submitted.split([';', ' ']).next().unwrap_or_default();
    if !matches!(submitted, "" | "no") || FIELDS.iter().any(|name| message.fields.has(name)) {
        return true;
    }
    // A read receipt.
    if message.report_type.as_deref() == Some("disposition-notification") {
        return true;
    }
    let subject = message.subject().to_lowercase();
    let precedence = field("Precedence");
    matches!(&*precedence, "auto_reply" | "auto-reply")
        || BEGINS.iter().any(|word| subject.starts_with(word))
        || (matches!(&*precedence, "bulk" | "junk" | "list")
            && WITHIN.iter().any(|word| subject.contains(word)))
}
