//! Replies that a machine wrote for a person (RFC 3834, and what there was before it).

use super::mime::Opened;

/// How subjects of such replies begin, in small letters.
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
/// What stands in the subject of a mass mailing only when it is such a reply.
const WITHIN: [&str; 6] =
    ["vacation", "holiday", "out of office", "out of the office", "away from", "urlaub"];
/// Fields that nothing else has.
const FIELDS: [&str; 5] =
    ["X-Autoreply", "X-Autorespond", "X-Autoresponse", "X-AutoReply-From", "X-Mail-Autoreply"];

/// Whether `message` is such a reply, or another message that no person wrote.
pub fn is(message: &Opened) -> bool {
    let field = |name| message.fields.get(name).unwrap_or_default().to_ascii_lowercase();
    let submitted = field("Auto-Submitted");
    let submitted = submitted.split([';', ' ']).next().unwrap_or_default();
    if !matches!(submitted, "" | "no") || FIELDS.iter().any(|name| message.fields.has(name)) {
        return true;
    }
    // "Your message was read."
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
