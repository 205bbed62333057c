//! Directives of Apache.

use super::{Token, Value};

/// Splits a format into its directives and the text between them, and gives the formats of
/// the parts of its time.
pub fn tokens(format: &str) -> Result<(Vec<Token>, Vec<String>), String> {
    let (mut tokens, mut times, mut literal) = (Vec::new(), Vec::new(), String::new());
    let mut chars = format.chars().peekable();
    while let Some(c) = chars.next() {
        if c == '\\' {
            literal.extend(chars.next().map(|c| if c == 't' { '\t' } else { c }));
            continue;
        }
        if c != '%' {
            literal.push(c);
            continue;
        }
        while chars.next_if(|c| matches!(c, '0'..='9' | ',' | '!' | '<' | '>')).is_some() {}
        let mut argument = None;
        if chars.next_if_eq(&'{').is_some() {
            argument = Some(chars.by_ref().take_while(|c| *c != '}').collect::<String>());
        }
        let letter = match chars.next() {
            Some('%') => {
                literal.push('%');
                continue;
            }
            Some('^') => chars.by_ref().take(2).last(),
            letter => letter,
        };
        let letter = letter.ok_or("it ends within a directive")?;
        let in_brackets = letter == 't' && argument.is_none();
        literal.extend(in_brackets.then_some('['));
        if !literal.is_empty() {
            tokens.push(Token::Literal(std::mem::take(&mut literal)));
        }
        let value = value(letter, argument.as_deref());
        if value == Value::TimeCustom {
            let text = argument.unwrap_or_default();
            let text = text.strip_prefix("begin:").or(text.strip_prefix("end:")).unwrap_or(&text);
            times.push(text.to_owned());
        }
        tokens.push(Token::Value(value));
        literal.extend(in_brackets.then_some(']'));
    }
    if !literal.is_empty() {
        tokens.push(Token::Literal(literal));
    }
    Ok((tokens, times))
}

fn value(letter: char, argument: Option<&str>) -> Value {
    let is_client = |name: &str| {
        let name = name.to_ascii_lowercase();
        ["x-forwarded-for", "x-real-ip", "cf-connecting-ip", "true-client-ip"].contains(&&*name)
    };
    match (letter, argument) {
        ('h' | 'a', _) => Value::Client,
        ('i', Some(name)) if is_client(name) => Value::Clients,
        ('t', None) => Value::TimeLocal,
        ('t', Some(format)) => time(format),
        ('r', _) => Value::Request,
        ('m', _) => Value::Method,
        ('U', _) => Value::Path,
        ('q', _) => Value::Query,
        ('s', _) => Value::Status,
        ('b' | 'B', _) => Value::BodyBytes,
        _ => Value::Other,
    }
}

fn time(format: &str) -> Value {
    let format = format.strip_prefix("begin:").or(format.strip_prefix("end:")).unwrap_or(format);
    match format {
        "sec" | "msec" | "usec" => Value::TimeNumber,
        "msec_frac" | "usec_frac" => Value::Other,
        _ => Value::TimeCustom,
    }
}
