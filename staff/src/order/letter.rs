//! The approval of a letter. The signer's own machine checks and writes the texts, so that a signer
//! need not trust the person who hands the order over.

use std::fs;
use std::path::Path;

use cofferdam_core::WarrantSubject;
use cofferdam_mail::{CODE, NAME};
use keys_api::{Signed, Warrant};
use response_letter::{Texts, Variant, Version, Writer};
use serde::{Deserialize, Serialize};

use super::error::{OrderError, OrderFault};
use super::words;
use crate::printable;

/// The approval of a letter's version, with the version itself.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LetterOrder {
    /// The warrant to sign. It names the version's SHA-256.
    pub warrant: Signed<Warrant>,
    /// The version's canonical text, whose SHA-256 the warrant names.
    pub body: String,
}

impl LetterOrder {
    /// Refuses texts other than those of the warrant, and texts that no letter may say.
    pub(super) fn check(&self) -> Result<(), OrderFault> {
        texts(&self.writer()?).map(|_| ())
    }

    /// Describes the warrant, each text by its recipients and subject, and the hosts that the texts
    /// may link to.
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

    /// Writes every text with its recipients, in the order of the version's variants.
    pub fn texts(&self) -> Result<Vec<RenderedText>, OrderFault> {
        let rendered = |(variant, texts): (Variant, Texts)| RenderedText {
            recipients: printable(&variant_recipients(&variant)),
            subject: filled_in(&texts.subject),
            text: filled_in(&texts.text),
        };
        Ok(texts(&self.writer()?)?.into_iter().map(rendered).collect())
    }

    fn writer(&self) -> Result<Writer, OrderFault> {
        let WarrantSubject::Letter { version, .. } = self.warrant.order.subject else {
            return Err(OrderFault::OtherTexts);
        };
        let version = Version::parse(&self.body, version).map_err(|_| OrderFault::OtherTexts)?;
        Ok(Writer::new(version)?)
    }
}

/// A text of a letter, as its recipients would read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RenderedText {
    /// The recipients' language and place, and the fields that they lost.
    pub recipients: String,
    /// The subject of the e-mail.
    pub subject: String,
    /// The plain text of the e-mail.
    pub text: String,
}

/// Writes every text of a version, if all of them may be sent.
fn texts(writer: &Writer) -> Result<Vec<(Variant, Texts)>, OrderFault> {
    let write = |of: &Variant| {
        let texts = writer.write_approved(&of.locale, of.told)?;
        match writer.faults(&of.locale, &texts)?.into_iter().next() {
            None => Ok((of.clone(), texts)),
            Some(fault) => Err(OrderFault::Text(fault)),
        }
    };
    writer.version().variants.iter().map(write).collect()
}

fn write_all(dir: &Path, texts: &[(Variant, Texts)]) -> std::io::Result<()> {
    fs::create_dir(dir)?;
    for (number, (of, texts)) in (1..).zip(texts) {
        // The order's author chose language and jurisdiction, so only their letters, digits and
        // hyphens enter a folder's name.
        let place = [of.locale.language.as_str(), of.locale.jurisdiction.as_str()].join("-");
        let place: String =
            place.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').collect();
        let folder = dir.join(format!("{number:04}-{}", place.trim_end_matches('-')));
        fs::create_dir(&folder)?;
        fs::write(folder.join("recipients.txt"), filled_in(&variant_recipients(of)) + "\n")?;
        fs::write(folder.join("subject.txt"), filled_in(&texts.subject))?;
        fs::write(folder.join("text.txt"), filled_in(&texts.text))?;
        fs::write(folder.join("html.html"), filled_in(&texts.html))?;
    }
    Ok(())
}

/// Shows a text with marks for name and code, and without characters that command a terminal.
fn filled_in(text: &str) -> String {
    let text = text.replace(NAME, "[name]").replace(CODE, "[code]");
    text.split('\n').map(printable).collect::<Vec<_>>().join("\n")
}

fn variant_recipients(of: &Variant) -> String {
    let Variant { locale, told } = of;
    words::recipients((&locale.language, &locale.jurisdiction), told.fields, told.while_signed_in)
}
