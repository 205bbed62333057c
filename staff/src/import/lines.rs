//! The bytes of a file as lines: CRLF becomes LF, the last line gets its end, and a record has a
//! largest size. Without that limit, a quote that is never closed would read the rest of the file
//! into memory.

use std::io::{self, BufRead, Read};

/// The largest record, in bytes.
const MAX_RECORD: usize = 1 << 20;

/// A reader that normalises the lines of another one.
pub struct Lines<R> {
    inner: R,
    /// Whether a CR came last. It is kept back until the next byte shows whether an LF follows.
    pending_cr: bool,
    last: Option<u8>,
    /// The number of bytes that are left to the record.
    left: usize,
}

impl<R: BufRead> Lines<R> {
    /// Reads the lines of `inner`.
    pub const fn new(inner: R) -> Self {
        Self { inner, pending_cr: false, last: None, left: MAX_RECORD }
    }

    /// Begins another record, which may have the full size again.
    pub const fn next_record(&mut self) {
        self.left = MAX_RECORD;
    }

    /// Returns the next byte of the normalised text.
    fn next_byte(&mut self) -> io::Result<Option<u8>> {
        loop {
            let Some(byte) = self.inner.fill_buf()?.first().copied() else {
                return Ok(self.final_byte());
            };
            if self.pending_cr && byte != b'\n' {
                self.pending_cr = false;
                return Ok(Some(b'\r'));
            }
            self.inner.consume(1);
            self.pending_cr = byte == b'\r';
            if !self.pending_cr {
                return Ok(Some(byte));
            }
        }
    }

    fn final_byte(&mut self) -> Option<u8> {
        if std::mem::take(&mut self.pending_cr) {
            return Some(b'\r');
        }
        self.last.filter(|last| *last != b'\n').map(|_| b'\n')
    }
}

impl<R: BufRead> Read for Lines<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let room = out.len().min(self.left);
        if room == 0 && !out.is_empty() {
            return Err(io::Error::other("a record has more than 1 MiB: is a quote not closed?"));
        }
        let mut filled = 0;
        while filled < room {
            let Some(byte) = self.next_byte()? else { break };
            self.last = Some(byte);
            out[filled] = byte;
            filled += 1;
        }
        self.left -= filled;
        Ok(filled)
    }
}

#[cfg(test)]
mod tests {
    use std::io::BufReader;

    use proptest::prelude::*;

    use super::*;

    fn read(bytes: &[u8], buffer: usize) -> io::Result<Vec<u8>> {
        let mut lines = Lines::new(BufReader::with_capacity(buffer, bytes));
        let mut out = Vec::new();
        lines.read_to_end(&mut out)?;
        Ok(out)
    }

    #[test]
    fn every_line_ends_in_lf() {
        for (given, expected) in [
            ("", ""),
            ("a", "a\n"),
            ("a\r\nb\r\n", "a\nb\n"),
            ("a\rb\r\r\nc\r", "a\rb\r\nc\r\n"),
            ("a\n\n", "a\n\n"),
        ] {
            for buffer in [1, 2, 100] {
                assert_eq!(read(given.as_bytes(), buffer).unwrap(), expected.as_bytes());
            }
        }
    }

    #[test]
    fn a_record_has_a_limit() {
        assert!(read(&vec![b'a'; MAX_RECORD + 1], 4096).is_err());
        let mut lines = Lines::new(BufReader::new(io::repeat(b'a')));
        for _ in 0..3 {
            lines.read_exact(&mut vec![0; MAX_RECORD]).unwrap();
            lines.next_record();
        }
    }

    proptest! {
        #[test]
        fn nothing_else_is_changed(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            let next = bytes.iter().skip(1).map(Some).chain([None]);
            let pairs = bytes.iter().zip(next);
            let kept = pairs.filter(|pair| *pair != (&b'\r', Some(&b'\n')));
            let mut expected: Vec<u8> = kept.map(|(byte, _)| *byte).collect();
            if expected.last().is_some_and(|last| *last != b'\n') {
                expected.push(b'\n');
            }
            prop_assert_eq!(read(&bytes, 3).unwrap(), expected);
        }
    }
}
