//! Values in statements that name customers.

use cofferdam_core::Personal;
use sqlparser::ast::{CastKind, Expr, UnaryOperator, Value};

/// The parameters of a statement, `$1` first; `None` if they were not logged.
pub type Parameters<'a> = Option<&'a [String]>;

/// The value of a literal or of a parameter; `None` for any other expression, and for a text that
/// servers read in different ways.
pub fn literal(expr: &Expr, parameters: Parameters<'_>) -> Option<String> {
    match expr {
        Expr::Nested(inner) => literal(inner, parameters),
        Expr::Cast {
            kind: CastKind::Cast | CastKind::DoubleColon,
            expr,
            data_type,
            format: None,
        } => {
            let value = literal(expr, parameters)?;
            keeps(&data_type.to_string(), &value).then_some(value)
        }
        Expr::TypedString(typed) => {
            let value = literal(&Expr::Value(typed.value.clone()), parameters)?;
            keeps(&typed.data_type.to_string(), &value).then_some(value)
        }
        Expr::UnaryOp { op: UnaryOperator::Minus, expr } => match expr.as_ref() {
            Expr::Value(_) => Some(format!("-{}", literal(expr, parameters)?)),
            _ => None,
        },
        Expr::Value(value) => match &value.value {
            Value::Number(number, false) => Some(number.clone()),
            // With `standard_conforming_strings` off, a backslash means something else.
            Value::SingleQuotedString(text) if !text.contains('\\') => Some(text.clone()),
            Value::Placeholder(name) => {
                let place: usize = name.strip_prefix('$')?.parse().ok()?;
                parameters?.get(place.checked_sub(1)?).cloned()
            }
            _ => None,
        },
        _ => None,
    }
}

/// Whether a value stays the same in a type. Casts between other types round or cut.
fn keeps(data_type: &str, value: &str) -> bool {
    let whole = is_whole_number(value);
    match data_type.to_ascii_lowercase().as_str() {
        "text" | "varchar" | "character varying" => true,
        "uuid" => is_uuid(value),
        "int" | "integer" | "int2" | "int4" | "int8" | "smallint" | "bigint" | "numeric"
        | "decimal" => whole,
        _ => false,
    }
}

/// Whether a type, by its name, keeps every value of a key: two keys never become one.
pub fn type_keeps_keys(data_type: &str) -> bool {
    ["text", "varchar", "character varying"].contains(&data_type.to_ascii_lowercase().as_str())
}

/// A key in the one form in which a table has it; `None` if the same key can be written in another
/// way, such as `007`, `7.00`, ` 7` or a UUID in capitals.
pub fn key(value: &str) -> Option<Personal> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.:/".contains(&b);
    let is_code = || {
        let begins = value.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric());
        let like_a_number = value.bytes().all(|b| b.is_ascii_digit() || b"_.".contains(&b))
            || value.parse::<f64>().is_ok()
            || value.starts_with("0x")
            || value.starts_with("0X");
        begins && value.bytes().all(plain) && !like_a_number && !is_like_a_uuid(value)
    };
    (is_whole_number(value) || is_uuid(value) || is_code()).then(|| Personal::new(value))
}

/// An e-mail address; `None` for any other text.
pub fn email(value: &str) -> Option<Personal> {
    let odd = |c: char| c.is_whitespace() || c.is_control() || "<>(),;\"%".contains(c);
    let whole = value.matches('@').count() == 1 && !value.starts_with('@') && !value.ends_with('@');
    (whole && !value.contains(odd)).then(|| Personal::new(value))
}

/// Whether a text is a whole number without a sign for plus and without leading zeros.
pub fn is_whole_number(value: &str) -> bool {
    let digits = value.strip_prefix('-').unwrap_or(value);
    let all = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    all && (!digits.starts_with('0') || value == "0")
}

fn is_like_a_uuid(value: &str) -> bool {
    let hexadecimal = value.bytes().filter(u8::is_ascii_hexdigit).count();
    hexadecimal == 32 && value.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-')
}

fn is_uuid(value: &str) -> bool {
    let hyphens: Vec<_> = value.bytes().enumerate().filter(|(_, b)| *b == b'-').collect();
    value.len() == 36
        && hyphens.iter().map(|(place, _)| *place).eq([8, 13, 18, 23])
        && is_like_a_uuid(value)
        && !value.bytes().any(|b| b.is_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_key_in_its_one_form_names_a_customer() {
        let uuid = "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11";
        for good in ["7", "0", "-7", "C-100", "ab", "12ab", uuid] {
            assert!(key(good).is_some(), "{good}");
        }
        let capitals = uuid.to_uppercase();
        let bare = uuid.replace('-', "");
        for bad in [
            "",
            "007",
            "7.00",
            "7.",
            "+7",
            " 7",
            "7 ",
            "1_000",
            "7e0",
            "0x7",
            "NaN",
            "inf",
            "-0",
            "<long param suppressed>",
            "{7}",
            "ä",
            "'",
            &capitals,
            &bare,
        ] {
            assert!(key(bad).is_none(), "{bad}");
        }
        assert!(email("ada@post.example").is_some());
        for bad in ["", "ada", "@x", "a@", "a@b@c", "a %@x", "<long param suppressed>"] {
            assert!(email(bad).is_none(), "{bad}");
        }
    }
}
