//! The texts of a letter's version, checked and written on this machine: whoever signs an order
//! need not believe whoever hands it over.

use std::fs;
use std::path::Path;

use cofferdam_mail::{CODE, NAME};
use keys_api::{Signed, Warrant};
use response_server::{Body, Variant, Writer};
use serde::{Deserialize, Serialize};

use crate::CommandError;

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
    /// What stands in the order, if it is what the warrant is for.
    pub fn writer(&self) -> Result<Writer, CommandError> {
        let purpose = &self.warrant.order.purpose;
        let (_, version) = purpose.rsplit_once(", version ").ok_or("the order names no version")?;
        let body = Body::parse(&self.body, version)
            .map_err(|_| "the texts in the order are not those that its warrant is for")?;
        Ok(Writer::new(body)?)
    }

    /// Each text in a line: for whom, and its subject.
    pub fn lines(&self) -> Result<Vec<String>, CommandError> {
        let writer = self.writer()?;
        let line = |of: &Variant| Ok(format!("  {}: {}", whom(of), written(&writer, of)?.subject));
        writer.body().variants.iter().map(line).collect()
    }

    /// Writes the texts into a new directory, one folder each.
    pub fn write(&self, dir: &Path) -> Result<(), CommandError> {
        let writer = self.writer()?;
        fs::create_dir(dir).map_err(|e| format!("{}: {e}", dir.display()))?;
        for (number, of) in (1..).zip(&writer.body().variants) {
            let texts = written(&writer, of)?;
            let place = [of.locale.language.as_str(), of.locale.jurisdiction.as_str()].join(" ");
            let folder = dir.join(format!("{number:04}-{}", place.trim().replace(' ', "-")));
            fs::create_dir(&folder)?;
            let filled = |text: &str| text.replace(NAME, "[name]").replace(CODE, "[code]");
            fs::write(folder.join("whom.txt"), whom(of) + "\n")?;
            fs::write(folder.join("subject.txt"), &texts.subject)?;
            fs::write(folder.join("text.txt"), filled(&texts.text))?;
            fs::write(folder.join("html.html"), filled(&texts.html))?;
        }
        Ok(())
    }
}

fn written(writer: &Writer, of: &Variant) -> Result<response_server::Texts, CommandError> {
    Ok(writer.write_approved(&of.locale, of.fields)?)
}

fn whom(of: &Variant) -> String {
    let fields: Vec<_> = of.fields.iter().map(|field| field.to_string()).collect();
    let lost = if fields.is_empty() { "nothing".to_owned() } else { fields.join(", ") };
    let place = format!("{} {}", of.locale.language, of.locale.jurisdiction);
    format!("{}, lost {lost}", place.trim())
}
