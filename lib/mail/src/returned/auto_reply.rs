//! Automatic replies (RFC 3834, and the conventions before it).

use super::Returned;
use super::author::{Author, author, has_null_sender};
use super::mime::Opened;
use super::text::{joined, places};

/// The beginnings of the subjects of automatic replies, in lower case.
const BEGINS: [&str; 30] = [
    "out of office",
    "out of the office",
    "automatic reply",
    "automated reply",
    "automated response",
    "automatic response",
    "auto reply",
    "auto-reply",
    "autoreply",
    "auto response",
    "auto-response",
    "autoresponse",
    "auto:",
    "automatische antwort",
    "automatisch antwoord",
    "abwesenheit",
    "réponse automatique",
    "respuesta automática",
    "resposta automática",
    "risposta automatica",
    "autosvar",
    "automatiskt svar",
    "odpowiedź automatyczna",
    "автоответ",
    "自動応答",
    "自动回复",
    "thank you for your",
    "thanks for your",
    "we have received your",
    "we received your",
];
/// Words in the subjects of automatic replies, in lower case. They count only if the message calls
/// itself a mass mailing, because other mail has these words too.
const WITHIN: [&str; 6] =
    ["vacation", "holiday", "out of office", "out of the office", "away from", "urlaub"];
/// Header fields that only automatic replies have.
const FIELDS: [&str; 6] = [
    "X-Autoreply",
    "X-Autorespond",
    "X-Autoresponse",
    "X-AutoReply-From",
    "X-Mail-Autoreply",
    "X-Auto-Reply",
];

/// Words of replies that the postmaster's address gives. Mail systems write from this address too, in
/// languages that nobody has listed.
const POSTMASTERS_REPLY: &[&str] = &[
    "ticket",
    "registered",
    "noted",
    "filed",
    "hear from us",
    "colleague",
    "opened",
    "portal",
    "request",
    "case",
    "inquiry",
    "enquiry",
    "question",
    "received",
    "thank",
    "thanks",
    "support",
    "helpdesk",
    "help desk",
    "answer",
    "reply",
    "away",
    "vacation",
    "holiday",
    "office",
    "absence",
    "closed",
    "hours",
    "anfrage",
    "danke",
    "abwesend",
    "abwesenheit",
    "urlaub",
    "merci",
    "demande",
    "absent",
    "absente",
    "gracias",
    "solicitud",
    "consulta",
    "ausente",
    "grazie",
    "richiesta",
    "assente",
    "obrigado",
    "pedido",
    "bedankt",
    "afwezig",
    "спасибо",
    "заявка",
    "отпуск",
    "отпуске",
];

/// Reads `message` as an automatic reply; `None` if it is none. One from the postmaster's address
/// that does not speak as a reply may be a notice, so a person looks at it.
pub fn read(message: &Opened) -> Option<Returned> {
    if !is_automatic(message) {
        return None;
    }
    let is_postmaster = author(&message.fields) == Author::Postmaster;
    let text = joined(&format!("{} {}", message.subject(), message.text()));
    let is_unknown = is_postmaster
        && has_null_sender(&message.fields)
        && !is_by_subject(message)
        && places(&text, POSTMASTERS_REPLY).is_empty();
    Some(if is_unknown { Returned::Other } else { Returned::AutoReply })
}

/// Whether a machine wrote `message` instead of a person.
pub fn is_automatic(message: &Opened) -> bool {
    let precedence = field(message, "Precedence");
    is_marked(message)
        || is_by_subject(message)
        || matches!(&*precedence, "auto_reply" | "auto-reply")
        // A person writes neither from an empty return path nor in bulk.
        || (is_bulk(message)
            && (has_null_sender(&message.fields)
                || WITHIN.iter().any(|word| message.subject().to_lowercase().contains(word))))
}

/// Whether the header marks the message as an automatic reply.
pub fn is_marked(message: &Opened) -> bool {
    let submitted = field(message, "Auto-Submitted");
    let submitted = submitted.split([';', ' ']).next().unwrap_or_default();
    !matches!(submitted, "" | "no") || FIELDS.iter().any(|name| message.fields.has(name))
}

/// Whether the subject begins as that of an automatic reply.
pub fn is_by_subject(message: &Opened) -> bool {
    let subject = message.subject().to_lowercase();
    BEGINS.iter().any(|word| subject.starts_with(word))
}

/// Whether the message calls itself a mass mailing.
pub fn is_bulk(message: &Opened) -> bool {
    matches!(&*field(message, "Precedence"), "bulk" | "junk" | "list")
}

fn field(message: &Opened, name: &str) -> String {
    message.fields.get(name).unwrap_or_default().to_ascii_lowercase()
}
