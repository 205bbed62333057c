//! Tells mail systems from people by the header of a message.

use super::fields::Fields;

/// The author of a message, as its header tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Author {
    /// A mail system by its name, such as `MAILER-DAEMON`, or an empty `From`.
    System,
    /// An address that mail systems and people share, such as `postmaster`.
    Postmaster,
    /// An address of a service or robot.
    Service,
    /// A person, or a machine that does not show itself as one.
    Person,
}

/// The local parts of mail systems, with blanks for all punctuation.
const SYSTEMS: &[&str] = &[
    "mailer daemon",
    "mail daemon",
    "maildaemon",
    "mailerdaemon",
    "mdaemon",
    "mail delivery",
    "maildelivery",
    "mailsystem",
    "mail system",
    "microsoftexchange",
    "delivery status",
    "mail failure",
    "mailfailure",
    "mailerror",
    "mail error",
];
/// Words in the display names of mail systems.
const SYSTEM_NAMES: &[&str] = &[
    "mail delivery sub",
    "mail delivery sys",
    "mail delivery serv",
    "mail delivery agent",
    "mail transfer agent",
    "internet mail delivery",
    "mail transport",
    "mailer-daemon",
    "mailer daemon",
    "system administrator",
    "delivery status notif",
    "mail administrator",
];
/// Words in the local parts of services' addresses.
const SERVICES: &[&str] = &[
    "postmaster",
    "postmeister",
    "service",
    "daemon",
    "noreply",
    "no-reply",
    "no_reply",
    "donotreply",
    "do-not-reply",
    "bounce",
    "delivery",
    "mailer",
    "courrier",
    "correo",
    "gateway",
    "admin",
    "system",
    "robot",
    "mailgate",
    "mta",
    "antispam",
    "notification",
    "return",
    "smtp",
    "exchange",
];

/// The author of the message with these fields. Some mail systems put their name into the return
/// path and write `From` as they like.
pub fn author(fields: &Fields) -> Author {
    let from = fields.get("From").unwrap_or_default().to_ascii_lowercase();
    let path = fields.get("Return-Path").unwrap_or_default().to_ascii_lowercase();
    let local = local_part(&from);
    let is_nobody = from.ends_with("<>") || (fields.has("From") && from.is_empty());
    if is_nobody
        || is_system(local)
        || is_system(local_part(&path))
        || SYSTEM_NAMES.iter().any(|name| from.contains(name))
    {
        return Author::System;
    }
    if local.replace(['-', '_', '.'], "").starts_with("postmaster") {
        return Author::Postmaster;
    }
    let is_service = SERVICES.iter().any(|name| local.contains(name));
    if is_service { Author::Service } else { Author::Person }
}

fn is_system(local: &str) -> bool {
    let plain = local.replace(['-', '_', '.', '+'], " ");
    SYSTEMS.iter().any(|name| plain.starts_with(name))
}

/// The local part of the address in a field.
fn local_part(field: &str) -> &str {
    let address = field.rsplit_once('<').map_or(field, |(_, address)| address);
    let address = address.trim_start_matches(['"', ' ']);
    address.split(['@', '>', '"']).next().unwrap_or_default().trim()
}

/// Whether the return path is empty, as that of every notice should be (RFC 5321, section 4.5.5).
/// Automatic replies have an empty one too (RFC 3834).
pub fn has_null_sender(fields: &Fields) -> bool {
    fields.get("Return-Path").is_some_and(|path| path.is_empty() || path == "<>")
}

/// Whether a mail server wrote the message instead of a person: its return path is empty, or its
/// author is a mail system.
pub fn is_from_a_machine(fields: &Fields) -> bool {
    has_null_sender(fields) || matches!(author(fields), Author::System | Author::Postmaster)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mail_systems_are_told_from_people() {
        for (from, expected) in [
            ("Mail Delivery System <MAILER-DAEMON@mx.example>", Author::System),
            ("Mail.Delivery.System@mx.example", Author::System),
            ("<>", Author::System),
            ("Postmaster <>", Author::System),
            ("", Author::System),
            ("MDaemon@mail.example", Author::System),
            ("Help desk <postmaster@school.example>", Author::Postmaster),
            ("service-courrier@banque.example", Author::Service),
            ("Pia <pia@mail.example>", Author::Person),
        ] {
            let text = format!("From: {from}\n");
            assert_eq!(author(&Fields::read(text.as_bytes()).0), expected, "{from}");
        }
        assert_eq!(author(&Fields::read(b"To: x\n").0), Author::Person);
    }
}
