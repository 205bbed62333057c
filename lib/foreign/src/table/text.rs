//! Text files in the encodings that spreadsheets and databases write, read as UTF-8.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek as _};

use encoding_rs::{UTF_16BE, UTF_16LE, WINDOWS_1252};
use encoding_rs_io::DecodeReaderBytesBuilder;
use schemars::JsonSchema;
use serde::Serialize;

use crate::unpack::unpack;

/// Bytes that Windows-1252 does not use.
const NOT_IN_WINDOWS_1252: [u8; 5] = [0x81, 0x8d, 0x8f, 0x90, 0x9d];
const BUFFER: usize = 1 << 16;
/// The longest beginning of a character of UTF-8 whose end may be missing.
const LONGEST_PART: usize = 3;

/// The encoding of a text file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub enum Encoding {
    /// UTF-8, with or without a byte order mark. ASCII is UTF-8 too.
    #[serde(rename = "UTF-8")]
    Utf8,
    /// UTF-16, little-endian.
    #[serde(rename = "UTF-16LE")]
    Utf16Le,
    /// UTF-16, big-endian.
    #[serde(rename = "UTF-16BE")]
    Utf16Be,
    /// Windows-1252, assumed for text that is neither UTF-8 nor UTF-16.
    #[serde(rename = "Windows-1252")]
    Windows1252,
}

/// A text file, packed or not, that can be read several times.
pub struct TextFile {
    file: File,
    /// The encoding that was found.
    pub encoding: Encoding,
}

impl TextFile {
    /// Finds the encoding of a file. Text without a byte order mark is read to its end for it.
    pub fn open(file: File) -> io::Result<Self> {
        let encoding = find(unpacked(&file)?)?;
        Ok(Self { file, encoding })
    }

    /// Reads the text from its beginning, as UTF-8 without a byte order mark. Bytes that are no
    /// UTF-8 stay as they are; in other encodings, such places become U+FFFD.
    pub fn read(&self) -> io::Result<BufReader<impl Read + '_>> {
        let mut decoder = DecodeReaderBytesBuilder::new();
        decoder.strip_bom(true);
        match self.encoding {
            Encoding::Utf8 => decoder.utf8_passthru(true),
            Encoding::Utf16Le => decoder.encoding(Some(UTF_16LE)),
            Encoding::Utf16Be => decoder.encoding(Some(UTF_16BE)),
            Encoding::Windows1252 => decoder.encoding(Some(WINDOWS_1252)),
        };
        Ok(BufReader::new(decoder.build(unpacked(&self.file)?)))
    }
}

fn unpacked(mut file: &File) -> io::Result<impl Read + '_> {
    file.rewind()?;
    unpack(BufReader::new(file))
}

fn find(mut text: impl Read) -> io::Result<Encoding> {
    let mut start = Vec::new();
    text.by_ref().take(4).read_to_end(&mut start)?;
    match start[..] {
        [0xff, 0xfe, 0, 0] | [0, 0, 0xfe, 0xff] => Err(unknown_encoding()),
        [0xef, 0xbb, 0xbf, ..] => Ok(Encoding::Utf8),
        // The names of columns begin with ASCII, of which every second byte is 0 in UTF-16.
        [0xff, 0xfe, ..] | [1..=0xff, 0, ..] => Ok(Encoding::Utf16Le),
        [0xfe, 0xff, ..] | [0, 1..=0xff, ..] => Ok(Encoding::Utf16Be),
        _ => find_by_content(io::Cursor::new(start).chain(text)),
    }
}

/// Tells UTF-8 from Windows-1252 by the bytes that are no ASCII: whatever most of them are.
fn find_by_content(mut text: impl Read) -> io::Result<Encoding> {
    let mut buffer = vec![0; BUFFER];
    let (mut characters, mut faults, mut is_windows) = (0_u64, 0_u64, true);
    // Bytes at the end of the buffer that may be the beginning of a character.
    let mut kept = 0;
    loop {
        let read = text.read(&mut buffer[kept..BUFFER])?;
        let bytes = &buffer[..kept + read];
        let part = if read == 0 { 0 } else { unfinished(bytes) };
        let whole = &bytes[..bytes.len() - part];
        is_windows &= !whole.iter().any(|byte| NOT_IN_WINDOWS_1252.contains(byte));
        for chunk in whole.utf8_chunks() {
            characters += chunk.valid().chars().filter(|c| !c.is_ascii()).count() as u64;
            faults += u64::from(!chunk.invalid().is_empty());
        }
        if read == 0 {
            break;
        }
        let from = bytes.len() - part;
        buffer.copy_within(from..from + part, 0);
        kept = part;
    }
    match (faults <= characters, is_windows) {
        (true, _) => Ok(Encoding::Utf8),
        (false, true) => Ok(Encoding::Windows1252),
        (false, false) => Err(unknown_encoding()),
    }
}

/// The number of bytes at the end that begin a character and do not finish it.
fn unfinished(bytes: &[u8]) -> usize {
    let last = bytes.utf8_chunks().last().map_or(0, |chunk| chunk.invalid().len());
    let could_go_on = |len: usize| {
        let part = &bytes[bytes.len() - len..];
        std::str::from_utf8(part).is_err_and(|e| e.error_len().is_none())
    };
    if (1..=LONGEST_PART).contains(&last) && could_go_on(last) { last } else { 0 }
}

fn unknown_encoding() -> io::Error {
    io::Error::other(
        "the text is neither UTF-8, UTF-16 nor Windows-1252; convert it to UTF-8, as with iconv",
    )
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn text_of(bytes: &[u8]) -> io::Result<(Encoding, Vec<u8>)> {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        let file = TextFile::open(file)?;
        for _ in 0..2 {
            let mut text = Vec::new();
            file.read()?.read_to_end(&mut text)?;
            if !text.is_empty() {
                return Ok((file.encoding, text));
            }
        }
        Ok((file.encoding, Vec::new()))
    }

    fn utf16(text: &str, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(bytes).collect()
    }

    #[test]
    fn each_encoding_is_found_and_gives_the_same_text() {
        let text = "id,name\n7,Zoë 日本\n";
        let with_mark = format!("\u{feff}{text}");
        for (bytes, encoding) in [
            (text.as_bytes().to_vec(), Encoding::Utf8),
            (with_mark.as_bytes().to_vec(), Encoding::Utf8),
            (utf16(&with_mark, u16::to_le_bytes), Encoding::Utf16Le),
            (utf16(&with_mark, u16::to_be_bytes), Encoding::Utf16Be),
            (utf16(text, u16::to_le_bytes), Encoding::Utf16Le),
            (utf16(text, u16::to_be_bytes), Encoding::Utf16Be),
            (zstd::encode_all(text.as_bytes(), 1).unwrap(), Encoding::Utf8),
        ] {
            assert_eq!(text_of(&bytes).unwrap(), (encoding, text.as_bytes().to_vec()));
        }
        let windows = b"id,name\n7,Zo\xeb \x80\n";
        let read = text_of(windows).unwrap();
        assert_eq!(read, (Encoding::Windows1252, "id,name\n7,Zoë €\n".as_bytes().to_vec()));
        assert_eq!(text_of(b"").unwrap(), (Encoding::Utf8, Vec::new()));
    }

    #[test]
    fn a_broken_place_in_utf_8_does_not_make_it_windows_1252() {
        let mixed = b"7,Zo\xc3\xab\n8,\xc3\xa9\n9,\xff\n";
        assert_eq!(text_of(mixed).unwrap(), (Encoding::Utf8, mixed.to_vec()));
        assert!(text_of(b"7,\x81\x82\n").is_err(), "Shift JIS, say");
        assert!(text_of(b"\xff\xfe\0\0i\0\0\0").is_err(), "UTF-32");
    }

    #[test]
    fn a_character_may_stand_across_two_buffers() {
        for before in BUFFER - 4..=BUFFER {
            let bytes = ["a".repeat(before), "日本".repeat(2)].concat();
            assert_eq!(text_of(bytes.as_bytes()).unwrap().0, Encoding::Utf8);
            let cut = &bytes.as_bytes()[..bytes.len() - 1];
            assert_eq!(text_of(cut).unwrap().0, Encoding::Utf8);
        }
    }
}
