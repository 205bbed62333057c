//! Packed files: gzip and zstd, known by their first bytes. Logs in UTF-16 are read as UTF-8.

use std::io::{self, BufRead, BufReader, Cursor, Read};

use encoding_rs::{UTF_16BE, UTF_16LE};
use encoding_rs_io::DecodeReaderBytesBuilder;
use flate2::bufread::MultiGzDecoder;

/// The number of bytes by which a packed file is known.
const START: u64 = 6;
/// The first bytes of gzip (RFC 1952) and of zstd (RFC 8878).
const GZIP: &[u8] = &[0x1f, 0x8b];
const ZSTD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];
/// What follows the first byte of a frame that zstd passes over. Programs that pack in parallel
/// begin a file with one.
const ZSTD_PASSED_OVER: &[u8] = &[0x2a, 0x4d, 0x18];
/// The first bytes of what is not unpacked here.
const OTHERS: [(&str, &[u8]); 5] = [
    ("xz", &[0xfd, b'7', b'z', b'X', b'Z', 0]),
    ("bzip2", b"BZh91A"),
    ("zip", b"PK\x03\x04"),
    ("7z", b"7z\xbc\xaf\x27\x1c"),
    ("compress", &[0x1f, 0x9d]),
];

/// The content of a file, unpacked if it is packed. A file of several packed parts gives all of them.
pub fn unpack<'a>(file: impl BufRead + 'a) -> io::Result<Box<dyn BufRead + 'a>> {
    let (start, whole) = peek(file, START)?;
    if let Some((name, _)) = OTHERS.iter().find(|(_, first)| start.starts_with(first)) {
        return Err(io::Error::other(format!("it is packed with {name}: unpack it first")));
    }
    let is_passed_over = matches!(start[..], [0x50..=0x5f, ..])
        && start.get(1..).is_some_and(|rest| rest.starts_with(ZSTD_PASSED_OVER));
    Ok(if start.starts_with(GZIP) {
        Box::new(BufReader::new(MultiGzDecoder::new(whole)))
    } else if start.starts_with(ZSTD) || is_passed_over {
        Box::new(BufReader::new(zstd::stream::Decoder::with_buffer(whole)?))
    } else {
        Box::new(whole)
    })
}

/// The text of a log, unpacked. UTF-16 with a byte order mark becomes UTF-8; everything else stays as
/// it is, but for a byte order mark before it.
pub fn unpack_text<'a>(log: impl BufRead + 'a) -> io::Result<Box<dyn BufRead + 'a>> {
    let (start, mut whole) = peek(unpack(log)?, 3)?;
    let encoding = match start[..] {
        [0xff, 0xfe, ..] => UTF_16LE,
        [0xfe, 0xff, ..] => UTF_16BE,
        [0xef, 0xbb, 0xbf] => {
            whole.consume(start.len());
            return Ok(Box::new(whole));
        }
        _ => return Ok(Box::new(whole)),
    };
    let decoder =
        DecodeReaderBytesBuilder::new().strip_bom(true).encoding(Some(encoding)).build(whole);
    Ok(Box::new(BufReader::new(decoder)))
}

/// The first bytes of a file, and all of it.
fn peek<'a>(mut file: impl BufRead + 'a, bytes: u64) -> io::Result<(Vec<u8>, impl BufRead + 'a)> {
    let mut start = Vec::new();
    file.by_ref().take(bytes).read_to_end(&mut start)?;
    Ok((start.clone(), Cursor::new(start).chain(file)))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn unpacked(bytes: &[u8]) -> io::Result<String> {
        let mut text = String::new();
        unpack(bytes)?.read_to_string(&mut text)?;
        Ok(text)
    }

    fn gzip(text: &str) -> Vec<u8> {
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packed.write_all(text.as_bytes()).unwrap();
        packed.finish().unwrap()
    }

    #[test]
    fn packed_files_and_their_several_parts_are_read_whole() {
        let zstd = |text: &str| zstd::encode_all(text.as_bytes(), 1).unwrap();
        assert_eq!(unpacked(&[gzip("a\n"), gzip("b\n")].concat()).unwrap(), "a\nb\n");
        assert_eq!(unpacked(&[zstd("a\n"), zstd("b\n")].concat()).unwrap(), "a\nb\n");
        let passed_over = b"\x50\x2a\x4d\x18\x02\0\0\0xy".to_vec();
        assert_eq!(unpacked(&[passed_over, zstd("a\n")].concat()).unwrap(), "a\n");
        for plain in ["", "a", "plain text\n", "P*M", "BZhang"] {
            assert_eq!(unpacked(plain.as_bytes()).unwrap(), plain);
        }
        for whole in [gzip("a long line that is cut off\n"), zstd("a long line\n")] {
            assert!(unpacked(&whole[..whole.len() - 9]).is_err());
        }
    }

    #[test]
    fn what_is_packed_in_another_way_is_an_error_that_names_it() {
        for (name, first) in OTHERS {
            let error = unpacked(&[first, b"rest"].concat()).unwrap_err().to_string();
            assert!(error.contains(name), "{error}");
        }
    }

    #[test]
    fn a_log_may_be_utf_16_and_begin_with_a_byte_order_mark() {
        let text = "\u{feff}GET /Zoë\n";
        let wide = |bytes: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(bytes).collect();
        for log in [text.as_bytes().to_vec(), wide(u16::to_le_bytes), wide(u16::to_be_bytes)] {
            let mut read = String::new();
            unpack_text(&log[..]).unwrap().read_to_string(&mut read).unwrap();
            assert_eq!(read, "GET /Zoë\n");
        }
    }
}
