//! Reads the text after DATA: removes the extra dot in front of a line and finds the end. Only CRLF
//! ends a line and only CRLF.CRLF ends the text, so that no other sequence can smuggle in a second
//! message.

/// Reads one text in pieces, as they arrive.
#[derive(Debug, Default)]
pub struct TextReader {
    place: Place,
    text: Vec<u8>,
    too_large: bool,
}

/// The position of the reader in a line.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Place {
    #[default]
    LineStart,
    Within,
    /// Behind a CR.
    Cr,
    /// Behind a dot at the start of a line.
    Dot,
    /// Behind a CR that follows a dot at the start of a line.
    DotCr,
}

impl TextReader {
    /// Reads from `piece` and returns the number of bytes used and whether the text has ended. A
    /// text of more than `limit` bytes is read to its end but not kept.
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

    /// The text; `None` if it exceeded the limit.
    pub fn finish(self) -> Option<Vec<u8>> {
        (!self.too_large).then_some(self.text)
    }

    /// Reads one byte and returns whether it ended the text.
    fn step(&mut self, byte: u8, limit: usize) -> bool {
        self.place = match (self.place, byte) {
            (Place::DotCr, b'\n') => return true,
            // A dot at the start of a line is not part of the text (RFC 5321, section 4.5.2).
            (Place::LineStart, b'.') => return self.move_to(Place::Dot),
            (Place::Dot, b'\r') => return self.move_to(Place::DotCr),
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

    /// Moves on without keeping the byte or ending the text.
    fn move_to(&mut self, place: Place) -> bool {
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

    /// Reads `sent` in pieces of `size` and returns the text and the number of bytes used.
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
    fn a_text_beyond_the_limit_is_read_to_its_end_and_not_kept() {
        let mut reader = TextReader::default();
        assert_eq!(reader.feed(b"12345\r\n.\r\nQUIT\r\n", 6), (10, true));
        assert_eq!(reader.finish(), None);
    }

    proptest! {
        #[test]
        fn the_text_is_the_same_however_it_is_cut(sent in "[.a\r\n]{0,40}", size in 1_usize..8) {
            prop_assert_eq!(read(sent.as_bytes(), size), read(sent.as_bytes(), 1000));
        }
    }
}
