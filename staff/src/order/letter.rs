//! The approval of a letter. The texts are checked and written on the signer's own machine, so that
//! a signer need not trust whoever hands the order over.

use std::fs;
use std::path::Path;

use cofferdam_mail::{CODE, NAME};
use keys_api::{Signed, Warrant};
use response_server::{Body, Texts, Variant, Writer};
use serde::{Deserialize, Serialize};

use super::error::{OrderError, OrderFault};
use super::words;
use crate::printable;

/// The approval of a letter's version, with the version itself.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LetterOrder {
    /// The warrant that is signed. It names the version's SHA-256.
    pub warrant: Signed<Warrant>,
    /// The version.
    pub body: String,
}

impl LetterOrder {
    /// Refuses texts that the warrant is not for, and texts that no letter may say.
    pub(super) fn check(&self) -> Result<(), OrderFault> {
        texts(&self.writer()?).map(|_| ())
    }

    /// The warrant, a line for each text with its recipients and its subject, and the hosts that
    /// the texts may link to.
    pub(super) fn words(&self) -> Result<Vec<String>, OrderFault> {
        let writer = self.writer()?;
        let line = |(of, texts): &(Variant, Texts)| {
            format!("  {}: {}", variant_recipients(of), texts.subject)
        };
        let links = format!("  links and addresses only at {}", writer.domains().join(", "));
        let texts = texts(&writer)?;
        let lines = texts.iter().map(line).chain([links]).map(|line| printable(&line));
        Ok(std::iter::once(words::warrant(&self.warrant.order)).chain(lines).collect())
    }

    /// Writes the texts into a new directory, each into a folder of its own.
    pub fn write_texts(&self, dir: &Path) -> Result<(), OrderError> {
        let faulty = |source| OrderError::Faulty { path: dir.to_owned(), source };
        let texts = self.writer().and_then(|writer| texts(&writer)).map_err(faulty)?;
        write_all(dir, &texts).map_err(|source| OrderError::File { path: dir.to_owned(), source })
    }

    fn writer(&self) -> Result<Writer, OrderFault> {
        let purpose = &self.warrant.order.purpose;
        let (_, version) = purpose.rsplit_once(", version ").ok_or(OrderFault::NoVersion)?;
        let body = Body::parse(&self.body, version).map_err(|_| OrderFault::OtherTexts)?;
        Ok(Writer::new(body)?)
    }
}

/// Every text of a version, if all of them may be sent.
fn texts(writer: &Writer) -> Result<Vec<(Variant, Texts)>, OrderFault> {
    let write = |of: &Variant| {
        let texts = writer.write_approved(&of.locale, of.fields)?;
        match writer.faults(&of.locale, &texts)?.into_iter().next() {
            None => Ok((of.clone(), texts)),
            Some(fault) => Err(OrderFault::Text(fault)),
        }
    };
    writer.body().variants.iter().map(write).collect()
}

fn write_all(dir: &Path, texts: &[(Variant, Texts)]) -> std::io::Result<()> {
    fs::create_dir(dir)?;
    for (number, (of, texts)) in (1..).zip(texts) {
        // The order's author chose language and jurisdiction: a folder's name takes no more than
        // letters, digits and hyphens of them.
        let place = [of.locale.language.as_str(), of.locale.jurisdiction.as_str()].join("-");
        let place: String =
            place.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').collect();
        let folder = dir.join(format!("{number:04}-{}", place.trim_end_matches('-')));
        fs::create_dir(&folder)?;
        let filled = |text: &str| {
            let text = text.replace(NAME, "[name]").replace(CODE, "[code]");
            text.split('\n').map(printable).collect::<Vec<_>>().join("\n")
        };
        fs::write(folder.join("whom.txt"), filled(&variant_recipients(of)) + "\n")?;
        fs::write(folder.join("subject.txt"), filled(&texts.subject))?;
        fs::write(folder.join("text.txt"), filled(&texts.text))?;
        fs::write(folder.join("html.html"), filled(&texts.html))?;
    }
    Ok(())
}

fn variant_recipients(of: &Variant) -> String {
    words::recipients(&of.locale.language, &of.locale.jurisdiction, of.fields)
}
