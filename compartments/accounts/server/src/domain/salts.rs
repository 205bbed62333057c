//! The salts of decoys, which look like those of customers of an older shop.

use cofferdam_core::Rng;

use super::decoy::pick;

/// The least number of salts of one length from which the form of each place is taken. Fewer would show
/// the letters of a neighbour.
const MANY_SALTS: usize = 8;

/// A salt like those of the neighbours: as long as one of theirs, in the smallest usual alphabet
/// that holds all of theirs, because a few neighbours don't show every letter of their alphabet. Many
/// neighbours also show the form of each place, such as a prefix or a number.
#[must_use]
pub fn salt_like(neighbours: &[&[u8]], rng: &dyn Rng) -> Vec<u8> {
    let length = pick(neighbours, rng).map_or(16, |salt| salt.len());
    let same: Vec<&[u8]> = neighbours.iter().copied().filter(|of| of.len() == length).collect();
    if same.len() < MANY_SALTS {
        let alphabet = alphabet(&neighbours.concat());
        return (0..length).filter_map(|_| pick(&alphabet, rng).copied()).collect();
    }
    let column =
        |place| same.iter().filter_map(|salt| salt.get(place).copied()).collect::<Vec<_>>();
    (0..length).filter_map(|place| pick(&alphabet(&column(place)), rng).copied()).collect()
}

/// The smallest usual alphabet that holds the bytes that were seen; one byte if all are the same.
fn alphabet(seen: &[u8]) -> Vec<u8> {
    if let [first, rest @ ..] = seen
        && rest.iter().all(|byte| byte == first)
    {
        return vec![*first];
    }
    let printable: Vec<u8> = (b'!'..=b'~').collect();
    let classes: [&[u8]; 8] = [
        b"0123456789",
        b"0123456789abcdef",
        b"0123456789ABCDEF",
        b"0123456789abcdefghijklmnopqrstuvwxyz",
        b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ",
        b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ",
        b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ+/=",
        &printable,
    ];
    let class = classes.into_iter().find(|class| seen.iter().all(|byte| class.contains(byte)));
    class.unwrap_or(seen).to_vec()
}

#[cfg(test)]
mod tests {
    use cofferdam_core::SeededRng;

    use super::*;

    #[test]
    fn a_salt_looks_like_its_neighbours() {
        let rng = SeededRng::new(4);
        let hex = salt_like(&[b"deadbeef".as_slice(), b"00c0ffee"], &rng);
        assert!(hex.len() == 8 && hex.iter().all(u8::is_ascii_hexdigit), "{hex:?}");
        let odd = salt_like(&[b"a#b#".as_slice()], &rng);
        assert!(odd.len() == 4 && odd.iter().all(u8::is_ascii_graphic), "{odd:?}");
        let numbered: Vec<String> = (100..120).map(|n| format!("s0001{n}-x")).collect();
        let numbered: Vec<&[u8]> = numbered.iter().map(String::as_bytes).collect();
        let salt = String::from_utf8(salt_like(&numbered, &rng)).unwrap();
        let number = salt.strip_prefix("s00011").and_then(|rest| rest.strip_suffix("-x"));
        assert!(number.is_some_and(|of| of.bytes().all(|b| b.is_ascii_digit())), "{salt}");
    }
}
