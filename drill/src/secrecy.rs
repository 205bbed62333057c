//! Searches for customers' data in places where none may be in clear: in the raw bytes of
//! databases, of the files of `keys`, and of every log.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::people::People;

/// The number of customers whose data is searched for.
const SAMPLE: u32 = 300;
/// The shortest text to search for, in bytes. Shorter texts turn up by chance.
const SHORTEST: usize = 6;
/// The number of bytes of a file that are searched at once.
const PIECE: usize = 1 << 20;

/// A text of a customer that was found in clear.
#[derive(Debug, PartialEq, Eq)]
pub struct Leak {
    /// The path of the file.
    pub file: PathBuf,
    /// The kind of text, as `a name`.
    pub what: &'static str,
}

/// Texts to search for, by their first bytes.
pub struct Needles {
    texts: HashMap<[u8; SHORTEST], Vec<(Vec<u8>, &'static str)>>,
    longest: usize,
}

impl Needles {
    /// The texts of some synthetic customers, evenly spread over `0..count`.
    pub fn sample(people: &People, count: u32) -> Self {
        let mut needles = Self { texts: HashMap::new(), longest: 0 };
        let step = count.div_ceil(SAMPLE).max(1);
        for number in (0..count).step_by(step as usize) {
            let person = people.person(number);
            needles.add(&person.name, "a name");
            needles.add(&person.email, "an e-mail address");
            needles.add(&person.phone, "a telephone number");
            needles.add(&person.billing_address, "a billing address");
            needles.add(&person.shipping_address, "a shipping address");
            // The common passwords are words of the language and may stand anywhere.
            if person.password.len() > 8 {
                needles.add(&person.password, "a password");
            }
        }
        needles
    }

    fn add(&mut self, text: &str, what: &'static str) {
        let bytes = text.as_bytes();
        let Some(head) = bytes.first_chunk::<SHORTEST>() else { return };
        self.longest = self.longest.max(bytes.len());
        self.texts.entry(*head).or_default().push((bytes.to_vec(), what));
    }

    /// The kind of the first text that a file contains.
    fn find_in(&self, path: &Path) -> io::Result<Option<&'static str>> {
        let mut file = match File::open(path) {
            // SQLite may remove a journal at any time.
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
            opened => opened?,
        };
        let mut window = Vec::with_capacity(PIECE + self.longest);
        let heads = self.heads();
        loop {
            let read = file.by_ref().take(PIECE as u64).read_to_end(&mut window)?;
            if let Some(what) = self.find(&window, &heads) {
                return Ok(Some(what));
            }
            if read == 0 {
                return Ok(None);
            }
            // A text that begins at the end of a piece continues in the next one.
            window.drain(..window.len().saturating_sub(self.longest));
        }
    }

    /// The pairs of bytes with which a text begins. Most places of a file are no such pair.
    fn heads(&self) -> Vec<bool> {
        let mut heads = vec![false; 1 << 16];
        for head in self.texts.keys() {
            heads[usize::from(u16::from_be_bytes([head[0], head[1]]))] = true;
        }
        heads
    }

    fn find(&self, window: &[u8], heads: &[bool]) -> Option<&'static str> {
        let begins = |pair: &[u8]| heads[usize::from(pair[0]) << 8 | usize::from(pair[1])];
        (0..window.len().saturating_sub(1)).find_map(|at| {
            if !begins(&window[at..]) {
                return None;
            }
            let rest = &window[at..];
            let texts = self.texts.get(rest.first_chunk::<SHORTEST>()?)?;
            texts.iter().find(|(text, _)| rest.starts_with(text)).map(|(_, what)| *what)
        })
    }
}

/// Searches the files of every compartment. Two places are not searched: the sink, because its mail
/// has left the compartments, and the drill's own files, because they hold the texts to search for.
/// Returns the number of searched files.
pub fn search(estate: &Path, needles: &Needles) -> io::Result<(usize, Vec<Leak>)> {
    let places = ["keys", "accounts", "payments", "response", "mail/sink.log"];
    search_in(&places.map(|place| estate.join(place)), needles)
}

/// Searches directories and files. Returns the number of searched files.
pub fn search_in(places: &[PathBuf], needles: &Needles) -> io::Result<(usize, Vec<Leak>)> {
    let mut files = Vec::new();
    for place in places {
        if place.is_dir() {
            collect_files(place, &mut files)?;
        } else {
            files.push(place.clone());
        }
    }
    let mut leaks = Vec::new();
    for file in &files {
        if let Some(what) = needles.find_in(file)? {
            leaks.push(Leak { file: file.clone(), what });
        }
    }
    Ok((files.len(), leaks))
}

fn collect_files(dir: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            collect_files(&entry.path(), files)?;
        } else {
            files.push(entry.path());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_found_wherever_it_stands_even_across_pieces() {
        let dir = tempfile::tempdir().unwrap();
        let people = People::new(1);
        let needles = Needles::sample(&people, 10);
        let path = dir.path().join("accounts.db");
        let email = people.person(3).email;
        for before in [0, 1, PIECE - 5, PIECE, 2 * PIECE - 1] {
            let mut bytes = vec![b'x'; before];
            bytes.extend(email.as_bytes());
            bytes.extend([0; 40]);
            fs::write(&path, &bytes).unwrap();
            assert_eq!(needles.find_in(&path).unwrap(), Some("an e-mail address"), "{before}");
        }
        fs::write(&path, vec![b'x'; 3 * PIECE]).unwrap();
        assert_eq!(needles.find_in(&path).unwrap(), None);
    }
}
