//! Status codes in the texts of mail servers: `550 5.1.1`, `#5.1.1`, `550`.

/// The number of lines that are searched.
const LINES: usize = 1000;

/// The basic codes of a refusal (RFC 5321). Any other number of three digits is not a code.
const BASIC: [&str; 21] = [
    "421", "432", "441", "442", "450", "451", "452", "454", "500", "501", "503", "504", "510",
    "511", "530", "541", "550", "551", "552", "553", "554",
];

/// A code and the line that contains it.
pub struct Code<'a> {
    pub status: String,
    pub line: &'a str,
}

/// The code of a temporary or permanent refusal that says most: gateways write a general code such
/// as `5.1.0` before the one of the mailbox. A specific code wins over a general one, an enhanced
/// code over a basic one, and the first of equals.
pub fn find(text: &str) -> Option<Code<'_>> {
    let lines = || text.lines().take(LINES);
    let found = |of: fn(&str) -> Option<String>| {
        lines().find_map(|line| Some(Code { status: of(line)?, line }))
    };
    found(specific).or_else(|| found(|line| enhanced(line, "45"))).or_else(|| found(basic))
}

/// Whether `status` names its subject only: `5.0.0`, `5.1.0`.
pub fn is_general(status: &str) -> bool {
    status.ends_with(".0")
}

/// The first code of a refusal in a line as a server replies with it: behind a basic code, or behind
/// a `#`. A version number stands elsewhere.
pub fn reply(text: &str) -> Option<Code<'_>> {
    let lines = text.lines().take(LINES);
    let mut replies =
        lines.filter(|line| line.contains(" #") || line.contains("(#") || basic(line).is_some());
    replies.find_map(|line| {
        let status = specific(line).or_else(|| enhanced(line, "45")).or_else(|| basic(line))?;
        Some(Code { status, line })
    })
}

/// The first enhanced code (RFC 3463) whose class is a digit in `classes`.
pub fn enhanced(text: &str, classes: &str) -> Option<String> {
    all_enhanced(text, classes).next()
}

/// The first enhanced code of a refusal that names more than its subject.
fn specific(text: &str) -> Option<String> {
    all_enhanced(text, "45").find(|status| !is_general(status))
}

fn all_enhanced<'a>(text: &'a str, classes: &'a str) -> impl Iterator<Item = String> + 'a {
    let bytes = text.as_bytes();
    let starts = bytes
        .windows(2)
        .enumerate()
        .filter(|(_, pair)| pair[1] == b'.' && classes.as_bytes().contains(&pair[0]));
    starts.map(|(at, _)| at).filter_map(|at| {
        let within = at > 0 && (bytes[at - 1].is_ascii_alphanumeric() || bytes[at - 1] == b'.');
        if within { None } else { enhanced_at(&text[at..]) }
    })
}

/// The code at the beginning of `text`. The subject of a code has only one digit here, so that no
/// version number or address passes for a code.
fn enhanced_at(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let subject = bytes.get(2).filter(|b| (b'0'..=b'7').contains(b))?;
    let detail = text.get(3..)?.strip_prefix('.')?;
    let digits = detail.bytes().take_while(u8::is_ascii_digit).count();
    let after = detail.as_bytes().get(digits..).unwrap_or_default();
    let goes_on = after.first() == Some(&b'.') && after.get(1).is_some_and(u8::is_ascii_digit);
    if !(1..=3).contains(&digits) || goes_on {
        return None;
    }
    let detail: u16 = detail[..digits].parse().ok()?;
    Some(format!("{}.{}.{detail}", char::from(bytes[0]), char::from(*subject)))
}

/// The class of the first basic code in a line, as an enhanced code.
pub fn basic(line: &str) -> Option<String> {
    let bytes = line.as_bytes();
    let found = bytes.windows(3).enumerate().find(|(at, code)| {
        let before = at.checked_sub(1).map_or(b' ', |before| bytes[before]);
        let after = bytes.get(at + 3).copied().unwrap_or(b' ');
        BASIC.iter().any(|known| known.as_bytes() == *code)
            && !before.is_ascii_alphanumeric()
            && !matches!(before, b'.' | b'-' | b',')
            && matches!(after, b' ' | b'-' | b'_' | b':' | b';' | b')' | b']')
    });
    found.map(|(_, code)| format!("{}.0.0", char::from(code[0])))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_found_and_other_numbers_are_not_codes() {
        for (text, status) in [
            ("550 5.1.1 <a@b>: no", Some("5.1.1")),
            ("550-5.7.606 no", Some("5.7.606")),
            ("Sorry. (#5.1.10)", Some("5.1.10")),
            ("5.01.1, or 4.4.007", Some("4.4.7")),
            ("host said: 550 no\nor 452 4.2.2 full", Some("4.2.2")),
            ("said 421-later", Some("4.0.0")),
            ("Remote host said: 550", Some("5.0.0")),
            ("5.1.0 - Unknown address error 550-'5.2.2 <a@b>... Full'", Some("5.2.2")),
            ("5.1.0\n5.0.0", Some("5.1.0")),
            ("Exim 4.94.2, sendmail 8.14.4, from 5.1.1.7 or 14.4.1 or 5.9.1", None),
            ("on 4.1.2012 the 1,550 or 192.0.550 or 4500 or 550 ", Some("5.0.0")),
            ("1,550 0.550 5500 550.1 4.1.2012 5.1 5. 5", None),
            ("2.1.5 ok", None),
            ("\u{e9}5.1.\u{e9}", None),
            ("", None),
        ] {
            let found = find(text).map(|code| code.status);
            assert_eq!(found.as_deref(), status, "{text:?}");
        }
        assert_eq!(enhanced("2.1.5", "245").as_deref(), Some("2.1.5"));
    }

    #[test]
    fn a_reply_stands_behind_a_basic_code_or_a_number_sign() {
        let status = |text| reply(text).map(|code| code.status);
        assert_eq!(status("We run 5.1.1\nsaid 550 5.7.1 no").as_deref(), Some("5.7.1"));
        assert_eq!(status("Sorry. (#5.1.1)").as_deref(), Some("5.1.1"));
        assert_eq!(status("our software is at 5.1.1"), None);
    }
}
