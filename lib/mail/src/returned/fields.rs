//! `Name: value` fields of a header or of a report's machine-readable part.

/// The number of fields that are kept. No honest header comes near it.
const FIELDS: usize = 300;
/// The number of bytes of a value that are kept.
const VALUE: usize = 4 << 10;

/// Fields in their order, with unfolded values.
#[derive(Debug, Default)]
pub struct Fields(Vec<(String, String)>);

impl Fields {
    /// Reads the fields up to the first blank line and returns the rest behind it. Lines that are
    /// no fields are skipped.
    pub fn read(text: &[u8]) -> (Self, &[u8]) {
        let mut fields: Vec<(String, Vec<u8>)> = Vec::new();
        let mut rest = text;
        // Whether the line before was a field, which a folded line may continue.
        let mut in_field = false;
        while !rest.is_empty() {
            let (line, after) = cut_line(rest);
            rest = after;
            if line.trim_ascii().is_empty() {
                break;
            }
            if line.starts_with(b" ") || line.starts_with(b"\t") {
                if let Some((_, value)) = fields.last_mut().filter(|_| in_field) {
                    value.push(b' ');
                    append(value, line);
                }
                continue;
            }
            let field = field(line).filter(|_| fields.len() < FIELDS);
            in_field = field.is_some();
            fields.extend(field);
        }
        let text = |value: Vec<u8>| String::from_utf8_lossy(value.trim_ascii()).into_owned();
        (Self(fields.into_iter().map(|(name, value)| (name, text(value))).collect()), rest)
    }

    /// The first value under a name, in any case of letters.
    pub fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(n, _)| n.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// Whether a field with this name exists.
    pub fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }
}

/// The rest of `text` from the first line on that is not blank.
pub fn past_blank_lines(mut text: &[u8]) -> &[u8] {
    while !text.is_empty() {
        let (line, after) = cut_line(text);
        if !line.trim_ascii().is_empty() {
            break;
        }
        text = after;
    }
    text
}

/// Splits off the first line, without its line end.
pub fn cut_line(text: &[u8]) -> (&[u8], &[u8]) {
    let (line, rest) = match text.iter().position(|b| *b == b'\n') {
        Some(end) => (&text[..end], &text[end + 1..]),
        None => (text, &[][..]),
    };
    (line.strip_suffix(b"\r").unwrap_or(line), rest)
}

fn field(line: &[u8]) -> Option<(String, Vec<u8>)> {
    let colon = line.iter().position(|b| *b == b':')?;
    let name = std::str::from_utf8(line[..colon].trim_ascii_end()).ok()?;
    if name.is_empty() || name.len() > 100 || !name.bytes().all(|b| b.is_ascii_graphic()) {
        return None;
    }
    let mut value = Vec::new();
    append(&mut value, &line[colon + 1..]);
    Some((name.to_owned(), value))
}

fn append(value: &mut Vec<u8>, more: &[u8]) {
    let more = more.trim_ascii();
    let room = VALUE.saturating_sub(value.len());
    value.extend_from_slice(&more[..more.len().min(room)]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_unfolded_and_other_lines_are_skipped() {
        let text = b"From x Mon Jan 12:00\r\nA : 1\r\n  2\r\nno field\r\n lost\r\na: 3\r\nB:\r\n\r\nC: 4\r\n";
        let (fields, rest) = Fields::read(text);
        assert_eq!(
            (fields.get("a"), fields.get("B"), fields.get("c")),
            (Some("1 2"), Some(""), None)
        );
        assert_eq!(rest, b"C: 4\r\n");
        assert_eq!(past_blank_lines(b"\r\n \n\nA: 1\n"), b"A: 1\n");
    }
}
