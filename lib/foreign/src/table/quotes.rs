//! Follows the quotes of CSV beside the parser, which forgives them. A quote that is not closed
//! joins rows, and the people of these rows would be lost without a word.

use std::collections::VecDeque;
use std::io::{self, Read};

/// The longest row, in bytes. A quote that is not closed would read the whole file into memory.
const MAX_ROW: u64 = 16 << 20;

/// A reader that notes each place where a quote may have joined rows.
#[derive(Debug)]
pub struct Quotes<R> {
    table: R,
    delimiter: u8,
    /// Whether a CR ends a row as well as an LF.
    cr_ends_row: bool,
    state: State,
    /// The number of bytes that passed.
    passed: u64,
    /// The number of bytes before the row.
    row_start: u64,
    /// The number of cells before this one in the row.
    cell: u64,
    /// The line breaks in the quoted cell.
    breaks: u64,
    /// The delimiters in the quoted cell, and those since its last line break.
    delimiters: u64,
    delimiters_in_line: u64,
    lines: Lines,
    faults: VecDeque<u64>,
}

/// The lines of a row, whatever is quoted in them.
#[derive(Debug, Default)]
struct Lines {
    /// The delimiters of the header; 0 before its end.
    of_header: u64,
    /// The delimiters in the line so far.
    delimiters: u64,
    /// The lines of the row that have as many delimiters as the header: each may be a row.
    whole: u64,
}

impl Lines {
    const fn end_line(&mut self) {
        if self.of_header > 0 && self.delimiters >= self.of_header {
            self.whole += 1;
        }
        self.delimiters = 0;
    }

    /// Ends a row, and tells whether it may be several.
    const fn end_row(&mut self) -> bool {
        if self.of_header == 0 {
            self.of_header = self.delimiters;
        }
        self.end_line();
        let several = self.whole > 1;
        self.whole = 0;
        several
    }
}

/// The place of the next byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    StartOfCell,
    Plain,
    Quoted,
    /// Behind a quote in a quoted cell: its end, or the first of a pair.
    Quote,
}

impl<R> Quotes<R> {
    /// Follows the quotes of a table from its beginning.
    #[must_use]
    pub const fn new(table: R, delimiter: u8) -> Self {
        Self {
            table,
            delimiter,
            cr_ends_row: true,
            state: State::StartOfCell,
            passed: 0,
            row_start: 0,
            cell: 0,
            breaks: 0,
            delimiters: 0,
            delimiters_in_line: 0,
            lines: Lines { of_header: 0, delimiters: 0, whole: 0 },
            faults: VecDeque::new(),
        }
    }

    /// Takes a CR that stands alone for text.
    #[must_use]
    pub fn with_lf_only(self) -> Self {
        Self { cr_ends_row: false, ..self }
    }

    /// The table that is read.
    pub const fn get_mut(&mut self) -> &mut R {
        &mut self.table
    }

    const fn is_line_end(&self, byte: u8) -> bool {
        byte == b'\n' || (byte == b'\r' && self.cr_ends_row)
    }

    /// Whether a quote in the row that ends at `end` may have joined rows. Forgets its faults.
    pub fn fault_up_to(&mut self, end: u64) -> bool {
        let mut found = false;
        while self.faults.front().is_some_and(|at| *at <= end) {
            self.faults.pop_front();
            found = true;
        }
        found
    }

    /// Whether the row that ends at `end` ended within quotes, as only the last one can.
    #[must_use]
    pub fn is_open_at(&self, end: u64) -> bool {
        self.state == State::Quoted && self.passed == end
    }

    fn pass(&mut self, byte: u8) {
        let ends_row = self.is_line_end(byte);
        let ends_cell = byte == self.delimiter || ends_row;
        let (state, is_fault) = match self.state {
            State::StartOfCell if byte == b'"' => {
                (self.breaks, self.delimiters, self.delimiters_in_line) = (0, 0, 0);
                (State::Quoted, false)
            }
            State::Quoted if byte == b'"' => (State::Quote, false),
            State::Quoted => {
                self.note_in_quotes(byte);
                (State::Quoted, false)
            }
            State::Quote if byte == b'"' => (State::Quoted, false),
            State::Quote if ends_cell => (State::StartOfCell, self.may_have_joined_rows(ends_row)),
            State::Quote => (State::Plain, true),
            State::StartOfCell | State::Plain if ends_cell => (State::StartOfCell, false),
            State::StartOfCell | State::Plain => (State::Plain, false),
        };
        let is_end = state == State::StartOfCell && ends_row;
        if self.note_in_line(byte, is_end) || is_fault {
            self.faults.push_back(self.passed);
        }
        self.passed += 1;
        if state == State::StartOfCell {
            self.cell = if ends_row { 0 } else { self.cell + 1 };
            if ends_row {
                self.row_start = self.passed;
            }
        }
        self.state = state;
    }

    fn note_in_quotes(&mut self, byte: u8) {
        if self.is_line_end(byte) {
            (self.breaks, self.delimiters_in_line) = (self.breaks + 1, 0);
        } else if byte == self.delimiter {
            (self.delimiters, self.delimiters_in_line) =
                (self.delimiters + 1, self.delimiters_in_line + 1);
        }
    }

    /// Follows the lines, and tells whether a row ends here that may be several.
    const fn note_in_line(&mut self, byte: u8, ends_row: bool) -> bool {
        if ends_row {
            return self.lines.end_row();
        }
        if self.is_line_end(byte) {
            self.lines.end_line();
        } else if byte == self.delimiter {
            self.lines.delimiters += 1;
        }
        false
    }

    /// If a cell began in one row and ended in another, and the joined row has as many cells as the
    /// header, then the last line in the cell has as many delimiters as stand before the cell. If
    /// it is the first cell, it holds the rest of its row, which has delimiters or is empty.
    const fn may_have_joined_rows(&self, ends_row: bool) -> bool {
        self.breaks > 0
            && self.delimiters_in_line >= self.cell
            && (self.cell > 0 || self.delimiters > 0 || ends_row)
    }
}

impl<R: Read> Read for Quotes<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let read = self.table.read(out)?;
        for byte in &out[..read] {
            self.pass(*byte);
        }
        let is_end = read == 0 && !out.is_empty();
        if is_end && self.state == State::Quote {
            let several = self.lines.end_row();
            if several || self.may_have_joined_rows(true) {
                self.faults.push_back(self.passed);
            }
        }
        if self.passed - self.row_start > MAX_ROW {
            return Err(io::Error::other("a row has more than 16 MiB: is a quote not closed?"));
        }
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The offsets of the faults, and whether a quote is open at the end.
    fn faults(text: &str) -> (Vec<u64>, bool) {
        let mut quotes = Quotes::new(text.as_bytes(), b',');
        io::copy(&mut quotes, &mut io::sink()).unwrap();
        (quotes.faults.iter().copied().collect(), quotes.is_open_at(text.len() as u64))
    }

    #[test]
    fn only_quotes_that_may_have_joined_rows_are_faults() {
        for (text, at, is_open) in [
            ("1,\"a\",b\n", vec![], false),
            ("1,\"a \"\"b\"\" c\"\r\n", vec![], false),
            ("1,5\" b\n", vec![], false),
            ("1,\"Main St 1\nSmallville\"\n", vec![], false),
            ("\"a\nb\",1\n", vec![], false),
            ("\"1,a\n\",b\n", vec![6], false),
            ("\"1\n2\"\n", vec![5], false),
            ("1,\"a\n2,\"", vec![8], false),
            ("1,\"a\n2,\"b\n", vec![8], false),
            ("1,\"a\n2,\"\n", vec![8], false),
            ("1,\"a\" b\n", vec![5], false),
            ("1,\"a\n2,b\n", vec![], true),
            ("1,\"a\"", vec![], false),
        ] {
            assert_eq!(faults(text), (at, is_open), "{text:?}");
        }
    }

    /// Each line has the cells of the header, and quotes of the next row hide its delimiters.
    #[test]
    fn lines_that_may_be_rows_are_a_fault() {
        let head = "a,b,c\n";
        for (rows, is_fault) in [
            ("1,,\",\n\"\",\",\",\"\n", true),
            ("1,,\",\n\"\",\",\",\"", true),
            ("1,\"Main St, 2,\r\nTown\",x\r\n2,,\r\n", false),
            ("1,\"a, b\",\"c\nd, e\"\n", false),
        ] {
            let (at, is_open) = faults(&format!("{head}{rows}"));
            assert_eq!((at.is_empty(), is_open), (!is_fault, false), "{rows:?}");
        }
    }

    #[test]
    fn a_row_without_an_end_is_not_read_into_memory() {
        let endless = b"1,\"".chain(io::repeat(b'a')).take(2 * MAX_ROW);
        let mut quotes = Quotes::new(endless, b',');
        assert!(io::copy(&mut quotes, &mut io::sink()).is_err());
    }
}
