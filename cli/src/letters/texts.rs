//! The texts of a letter's version, checked and written on this machine: whoever signs an order
//! need not believe whoever hands it over.

use std::fs;
use std::path::Path;

use cofferdam_core::{FieldSet, WarrantSubject};
use cofferdam_mail::{CODE, NAME};
use keys_api::{Signed, Warrant};
use response_server::{Body, Texts, Variant, Writer};
use serde::{Deserialize, Serialize};

use crate::CommandError;
use crate::incident::table::printable;

/// The approval of a letter's version, with the version itself.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LetterOrder {
    /// What is signed: it names the version's SHA-256.
    pub warrant: Signed<Warrant>,
    /// The version.
    pub body: String,
}

impl LetterOrder {
    /// Refuses texts that the warrant is not for, or that no letter may say.
    pub fn check(&self) -> Result<(), CommandError> {
        texts(&self.writer()?).map(|_| ())
    }

    /// Each text in a line: for whom, and its subject; and what they may link to.
    pub fn lines(&self) -> Result<Vec<String>, CommandError> {
        let writer = self.writer()?;
        let line =
            |(of, texts): &(Variant, Texts)| format!("  {}: {}", for_whom(of), texts.subject);
        let links = format!("  links and addresses only at {}", writer.domains().join(", "));
        Ok(texts(&writer)?.iter().map(line).chain([links]).collect())
    }

    fn writer(&self) -> Result<Writer, CommandError> {
        let WarrantSubject::Letter { version, .. } = self.warrant.order.subject else {
            return Err("the order is for no letter".into());
        };
        let body = Body::parse(&self.body, &version.to_string())
            .map_err(|_| "the texts in the order are not those that its warrant is for")?;
        Ok(Writer::new(body)?)
    }

    /// Writes the texts into a new directory, one folder each.
    pub fn write(&self, dir: &Path) -> Result<(), CommandError> {
        fs::create_dir(dir).map_err(|e| format!("{}: {e}", dir.display()))?;
        for (number, (of, texts)) in (1..).zip(texts(&self.writer()?)?) {
            // Whoever made the order chose these; a folder's name is letters and hyphens.
            let place = [of.locale.language.as_str(), of.locale.jurisdiction.as_str()].join("-");
            let place: String =
                place.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').collect();
            let folder = dir.join(format!("{number:04}-{}", place.trim_end_matches('-')));
            fs::create_dir(&folder)?;
            let filled = |text: &str| {
                let text = text.replace(NAME, "[name]").replace(CODE, "[code]");
                text.split('\n').map(printable).collect::<Vec<_>>().join("\n")
            };
            fs::write(folder.join("whom.txt"), filled(&for_whom(&of)) + "\n")?;
            fs::write(folder.join("subject.txt"), filled(&texts.subject))?;
            fs::write(folder.join("text.txt"), filled(&texts.text))?;
            fs::write(folder.join("html.html"), filled(&texts.html))?;
        }
        Ok(())
    }
}

/// Every text, if they may be sent.
fn texts(writer: &Writer) -> Result<Vec<(Variant, Texts)>, CommandError> {
    let written = |of: &Variant| {
        let texts = writer.write_approved(&of.locale, of.fields)?;
        match writer.faults(&of.locale, &texts)?.first() {
            None => Ok((of.clone(), texts)),
            Some(fault) => Err(format!("no letter may say this: {fault}").into()),
        }
    };
    writer.body().variants.iter().map(written).collect()
}

fn for_whom(of: &Variant) -> String {
    whom(&of.locale.language, &of.locale.jurisdiction, of.fields)
}

/// Whom a text is for, in words.
pub fn whom(language: &str, jurisdiction: &str, lost: FieldSet) -> String {
    let fields: Vec<_> = lost.iter().map(|field| field.to_string()).collect();
    let lost = if fields.is_empty() { "nothing".to_owned() } else { fields.join(", ") };
    let place = format!("{language} {jurisdiction}");
    format!("{}, lost {lost}", place.trim())
}
