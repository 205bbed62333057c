//! The objects of a file of JSON: one a line, several a line, each over several lines, or the elements
//! of arrays.
//!
//! An object that was torn ends at the first sign of it, so that it takes no other object with it.

use std::io::BufRead;

use serde_json::Value;

use super::parse_bytes;
use crate::ReadError;

/// The largest object, in bytes.
const MAX_OBJECT: usize = 1 << 20;

/// Sees each object with the line on which it begins, or the fault of what stands there instead.
pub type VisitObject<'a, E> = &'a mut dyn FnMut(u64, Result<Value, String>) -> Result<(), E>;

/// Visits the objects of a file.
pub fn objects<E>(mut file: impl BufRead, visit: VisitObject<'_, E>) -> Result<(), ReadError<E>> {
    let mut objects = Objects::default();
    loop {
        let bytes = match file.fill_buf() {
            Err(e) if e.kind() == std::io::ErrorKind::Interrupted => continue,
            read => read.map_err(|source| ReadError::Io { line: objects.line, source })?,
        };
        let len = bytes.len();
        for byte in bytes {
            if let Some((line, object)) = objects.pass(*byte) {
                visit(line, object).map_err(ReadError::Taker)?;
            }
        }
        if len == 0 {
            if objects.state == State::Within {
                visit(objects.start, Err(TORN.to_owned())).map_err(ReadError::Taker)?;
            }
            return Ok(());
        }
        file.consume(len);
    }
}

const TORN: &str = "the line begins a JSON object that does not end";

/// The place of the next byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Between two objects.
    Between,
    /// Within an object.
    Within,
    /// Behind something that is no object: the rest of its line is passed over.
    PassedOver,
}

/// The objects of a file, up to the byte that passed last.
struct Objects {
    state: State,
    /// The number of the line, from 1.
    line: u64,
    /// The blanks at the beginning of the line; `None` behind them.
    indent: Option<usize>,
    /// The object so far.
    object: Vec<u8>,
    /// The line on which it begins, and the blanks before it.
    start: u64,
    start_indent: usize,
    /// The braces that are open.
    depth: usize,
    in_text: bool,
    escaped: bool,
}

impl Default for Objects {
    fn default() -> Self {
        Self {
            state: State::Between,
            line: 1,
            indent: Some(0),
            object: Vec::new(),
            start: 1,
            start_indent: 0,
            depth: 0,
            in_text: false,
            escaped: false,
        }
    }
}

type Found = (u64, Result<Value, String>);

impl Objects {
    /// Takes the next byte, and gives what ends with it.
    fn pass(&mut self, byte: u8) -> Option<Found> {
        let found = match self.state {
            State::Between => self.pass_between(byte),
            State::Within if self.in_text => self.pass_in_text(byte),
            State::Within => self.pass_within(byte),
            State::PassedOver => {
                if byte == b'\n' {
                    self.state = State::Between;
                }
                None
            }
        };
        match byte {
            b'\n' => (self.line, self.indent) = (self.line + 1, Some(0)),
            b' ' | b'\t' => self.indent = self.indent.map(|blanks| blanks + 1),
            _ => self.indent = None,
        }
        found
    }

    fn pass_between(&mut self, byte: u8) -> Option<Found> {
        match byte {
            b'{' => {
                self.begin();
                None
            }
            // Blanks, the signs of arrays, and byte order marks.
            b' ' | b'\t' | b'\r' | b'\n' | b'[' | b']' | b',' | 0xef | 0xbb | 0xbf => None,
            _ => {
                self.state = State::PassedOver;
                Some((self.line, Err("the line is not a JSON object".to_owned())))
            }
        }
    }

    fn begin(&mut self) {
        (self.start, self.start_indent) = (self.line, self.indent.unwrap_or(0));
        (self.depth, self.in_text, self.escaped) = (1, false, false);
        self.object.clear();
        self.object.push(b'{');
        self.state = State::Within;
    }

    fn pass_in_text(&mut self, byte: u8) -> Option<Found> {
        // A text in JSON has no line end.
        if matches!(byte, b'\n' | b'\r') {
            self.state = State::Between;
            return Some((self.start, Err(TORN.to_owned())));
        }
        self.in_text = byte != b'"' || self.escaped;
        self.escaped = byte == b'\\' && !self.escaped;
        self.keep(byte)
    }

    fn pass_within(&mut self, byte: u8) -> Option<Found> {
        match byte {
            // The members of an object stand to the right of its beginning.
            b'{' if self.indent.is_some_and(|indent| indent <= self.start_indent) => {
                let start = self.start;
                self.begin();
                return Some((start, Err(TORN.to_owned())));
            }
            b'{' => self.depth += 1,
            b'}' => self.depth -= 1,
            b'"' => self.in_text = true,
            _ => {}
        }
        let too_long = self.keep(byte);
        if self.depth > 0 || too_long.is_some() {
            return too_long;
        }
        self.state = State::Between;
        let no_json = |_| "the object is not JSON, or has a name twice".to_owned();
        Some((self.start, parse_bytes(&self.object).map_err(no_json)))
    }

    fn keep(&mut self, byte: u8) -> Option<Found> {
        if self.object.len() < MAX_OBJECT {
            self.object.push(byte);
            return None;
        }
        self.state = State::PassedOver;
        Some((self.start, Err("the object has more than 1 MiB".to_owned())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The lines of objects with their member `a`, and `bad` for faults.
    fn read(text: &str) -> Vec<(u64, String)> {
        let mut found = Vec::new();
        let done = objects(text.as_bytes(), &mut |line, object| {
            found.push((line, object.map_or("bad".to_owned(), |of| of["a"].to_string())));
            Ok::<_, ()>(())
        });
        assert!(done.is_ok());
        found
    }

    fn expected(objects: &[(u64, &str)]) -> Vec<(u64, String)> {
        objects.iter().map(|(line, object)| (*line, (*object).to_owned())).collect()
    }

    #[test]
    fn objects_are_found_wherever_they_stand() {
        for (text, objects) in [
            ("{\"a\":1}\n\n{\"a\":2}", vec![(1, "1"), (3, "2")]),
            ("{\"a\":1}{\"a\":2} , {\"a\":3}\r\n", vec![(1, "1"), (1, "2"), (1, "3")]),
            ("[{\"a\":1},\n {\"a\":{\"b\":[{}]}}]\n", vec![(1, "1"), (2, "{\"b\":[{}]}")]),
            (
                "[\n  {\n    \"a\": 1,\n    \"b\":\n    {}\n  }, {\n    \"a\": 2 } ]",
                vec![(2, "1"), (6, "2")],
            ),
            ("\u{feff}{\"a\":1}\n\u{feff}{\"a\":2}", vec![(1, "1"), (2, "2")]),
            ("{\"a\":\"}\\\"{\\\\\"}\n", vec![(1, "\"}\\\"{\\\\\"")]),
            ("{\"a\":1}\r{\"a\":2}\r", vec![(1, "1"), (1, "2")]),
            ("[]\n", vec![]),
        ] {
            assert_eq!(read(text), expected(&objects), "{text}");
        }
    }

    #[test]
    fn a_fault_takes_no_other_object_with_it() {
        for (text, objects) in [
            ("{\"a\":1,\n{\"a\":2}\n", vec![(1, "bad"), (2, "2")]),
            ("{\"a\":\"x\n{\"a\":2}\n", vec![(1, "bad"), (2, "2")]),
            ("[\n  {\"a\":1,\n  {\"a\":2}\n]", vec![(2, "bad"), (3, "2")]),
            ("{\"a\":1}x{\"a\":2}\n{\"a\":3}\n", vec![(1, "1"), (1, "bad"), (2, "3")]),
            ("no object\n7\n{\"a\":3}\n", vec![(1, "bad"), (2, "bad"), (3, "3")]),
            ("{\"a\":1,\"a\":2}\n{\"a\":3}", vec![(1, "bad"), (2, "3")]),
            ("{\"a\":1}\n{\"a\":2", vec![(1, "1"), (2, "bad")]),
            ("{a}\n}\n", vec![(1, "bad"), (2, "bad")]),
        ] {
            assert_eq!(read(text), expected(&objects), "{text}");
        }
        let long = format!("{{\"a\":\"{}\"}}\n{{\"a\":2}}\n", "x".repeat(MAX_OBJECT));
        assert_eq!(read(&long), expected(&[(1, "bad"), (2, "2")]));
    }
}
