//! Packed logs: gzip and zstd, known by their first bytes.

use std::io::{BufRead, BufReader, Read};

use flate2::bufread::MultiGzDecoder;

/// The first bytes of gzip (RFC 1952) and of zstd (RFC 8878).
const GZIP: [u8; 2] = [0x1f, 0x8b];
const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// The content of a log, unpacked if it is packed. A file of several packed parts gives all of them.
pub fn unpack<'a>(mut log: impl BufRead + 'a) -> std::io::Result<Box<dyn BufRead + 'a>> {
    let mut start = Vec::new();
    log.by_ref().take(ZSTD.len() as u64).read_to_end(&mut start)?;
    let whole = std::io::Cursor::new(start.clone()).chain(log);
    Ok(if start.starts_with(&GZIP) {
        Box::new(BufReader::new(MultiGzDecoder::new(whole)))
    } else if start == ZSTD {
        Box::new(BufReader::new(zstd::stream::Decoder::with_buffer(whole)?))
    } else {
        Box::new(whole)
    })
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn unpacked(bytes: &[u8]) -> std::io::Result<String> {
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
        for plain in ["", "a", "plain text\n"] {
            assert_eq!(unpacked(plain.as_bytes()).unwrap(), plain);
        }
        let packed = gzip("a long line that is cut off\n");
        assert!(unpacked(&packed[..packed.len() - 9]).is_err());
    }
}
