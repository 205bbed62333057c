//! Variables of nginx.

use super::{Token, Value};

/// Splits a format into its variables and the text between them.
pub fn tokens(format: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut parts = format.split('$');
    push(&mut tokens, parts.next().unwrap_or_default());
    for part in parts {
        let braced = part.strip_prefix('{').and_then(|rest| rest.split_once('}'));
        let end = part.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        let plain = || part.split_at(end.unwrap_or(part.len()));
        let (name, after) = braced.unwrap_or_else(plain);
        tokens.push(Token::Value(value(name)));
        push(&mut tokens, after);
    }
    tokens
}

fn push(tokens: &mut Vec<Token>, text: &str) {
    if !text.is_empty() {
        tokens.push(Token::Literal(text.to_owned()));
    }
}

fn value(name: &str) -> Value {
    match name {
        "remote_addr" | "realip_remote_addr" => Value::Client,
        "remote_addr_with_port" => Value::ClientWithPort,
        "http_x_forwarded_for"
        | "proxy_add_x_forwarded_for"
        | "http_x_real_ip"
        | "http_cf_connecting_ip"
        | "http_true_client_ip" => Value::Clients,
        "time_local" => Value::TimeLocal,
        "time_iso8601" => Value::TimeIso,
        "msec" => Value::TimeNumber,
        "request" => Value::Request,
        "request_method" => Value::Method,
        "request_uri" => Value::Target,
        "uri" | "document_uri" => Value::Path,
        "args" | "query_string" => Value::Query,
        "status" => Value::Status,
        "body_bytes_sent" => Value::BodyBytes,
        "ident" | "user_word" => Value::Word,
        "rest" => Value::Rest,
        _ => Value::Other,
    }
}
