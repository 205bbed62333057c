//! The text after DATA: dots in front of lines taken off, the end found. Only CRLF ends a line,
//! and only CRLF.CRLF the text, whatever else looks like it.

/// Reads one text, in pieces as they arrive.
#[derive(Debug, Default)]
pub struct TextReader {
    place: Place,
    text: Vec<u8>,
    too_large: bool,
}

/// Where in a line the reader stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Place {
    #[default]
    LineStart,
    Within,
    /// After a CR.
    Cr,
    /// After a dot that began a line.
    Dot,
    /// After `.` CR.
    DotCr,
}

impl TextReader {
    /// Takes what it needs of `piece`; how much, and whether the text is at its end.
    pub fn feed(&mut self, piece: &[u8], limit: usize) -> (usize, bool) {
        let mut at = 0;
        while let Some(byte) = piece.get(at) {
            if self.place == Place::Within && *byte != b'\r' {
                let rest = &piece[at..];
                let run = rest.iter().position(|b| *b == b'\r').unwrap_or(rest.len());
                self.keep(&rest[..run], limit);
                at += run;
                continue;
            }
            at += 1;
            if self.step(*byte, limit) {
                return (at, true);
            }
        }
        (at, false)
    }

    /// The text; `None` when it was larger than allowed.
    pub fn finish(self) -> Option<Vec<u8>> {
        (!self.too_large).then_some(self.text)
    }

    /// Takes one byte; whether it ended the text.
    fn step(&mut self, byte: u8, limit: usize) -> bool {
        self.place = match (self.place, byte) {
            (Place::DotCr, b'\n') => return true,
            (Place::LineStart, b'.') => return self.go(Place::Dot),
            // The dot in front of a line is not part of it.
            (Place::Dot, b'\r') => return self.go(Place::DotCr),
            (Place::DotCr, _) => {
                self.keep(b"\r", limit);
                self.place = Place::Cr;
                return self.step(byte, limit);
            }
            (Place::Cr, b'\n') => Place::LineStart,
            (_, b'\r') => Place::Cr,
            _ => Place::Within,
        };
        self.keep(&[byte], limit);
        false
    }

    fn go(&mut self, place: Place) -> bool {
        self.place = place;
        false
    }

    fn keep(&mut self, bytes: &[u8], limit: usize) {
        if self.too_large || self.text.len() + bytes.len() > limit {
            self.too_large = true;
            self.text = Vec::new();
        } else {
            self.text.extend_from_slice(bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Reads `sent` in pieces of `size`; the text, and what came after it.
    fn read(sent: &[u8], size: usize) -> Option<(Vec<u8>, usize)> {
        let mut reader = TextReader::default();
        let mut used = 0;
        for piece in sent.chunks(size) {
            let (taken, ended) = reader.feed(piece, 1_000_000);
            used += taken;
            if ended {
                return reader.finish().map(|text| (text, used));
            }
        }
        None
    }

    #[test]
    fn only_a_lone_dot_between_crlf_ends_a_text() {
        for (sent, text) in [
            (".\r\n", Some("")),
            ("a\r\n.\r\n", Some("a\r\n")),
            ("..\r\n.b\r\n.\r\n", Some(".\r\nb\r\n")),
            ("a\n.\nb\r\n.\r\n", Some("a\n.\nb\r\n")),
            ("a\r.\rb\r\n.\r\n", Some("a\r.\rb\r\n")),
            ("a\n.\r\nb\r\n.\r\n", Some("a\n.\r\nb\r\n")),
            (".\rb\r\n.\r\n", Some("\rb\r\n")),
            ("a\r\n.\n", None),
            ("a.\r\n", None),
        ] {
            for size in [1, 2, 100] {
                let got = read(sent.as_bytes(), size).map(|(text, _)| text);
                assert_eq!(got.as_deref(), text.map(str::as_bytes), "{sent:?}");
            }
        }
    }

    #[test]
    fn a_text_past_the_limit_is_read_to_its_end_and_not_kept() {
        let mut reader = TextReader::default();
        assert_eq!(reader.feed(b"12345\r\n.\r\nQUIT\r\n", 6), (10, true));
        assert_eq!(reader.finish(), None);
    }

    proptest! {
        #[test]
        fn it_does_not_matter_how_a_text_is_cut(sent in "[.a\r\n]{0,40}", size in 1_usize..8) {
            prop_assert_eq!(read(sent.as_bytes(), size), read(sent.as_bytes(), 1000));
        }
    }
}
