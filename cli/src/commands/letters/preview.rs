//! `cofferdam letters preview`

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use cofferdam_core::{Clock, SystemClock, SystemRng};
use response_api::{DraftLetter, LetterDraft, LetterVariant};
use staff::order::{LetterOrder, RenderedText, recipients};
use staff::warrant;

use crate::options::{CommandError, LetterArgs, check_new};
use crate::{output, words};

/// `cofferdam letters preview`
#[derive(Debug, Args)]
pub struct PreviewArgs {
    #[command(flatten)]
    of: LetterArgs,
    /// Write every text and its HTML into this new directory
    #[arg(long, value_name = "DIR")]
    texts: Option<PathBuf>,
}

/// Drafts a version, and shows the text that most people would get. No letter is sent.
pub async fn run(args: PreviewArgs) -> Result<ExitCode, CommandError> {
    let PreviewArgs { of, texts } = args;
    texts.as_deref().map_or(Ok(()), check_new)?;
    let call = DraftLetter { letter: of.letter };
    let draft = staff::call(&of.response.client()?, &call).await?;
    let warrant = warrant::draw_up(draft.warrant.clone(), SystemClock.now(), &SystemRng);
    let order = LetterOrder { warrant, body: draft.body.clone() };
    if let Some(dir) = &texts {
        order.write_texts(dir)?;
        output::note(&format!("The texts are in {}.", dir.display()));
    }
    let rendered = order.texts()?;
    of.response.print(&draft, |draft| lines(draft, rendered.first()))?;
    let letter = of.letter;
    output::next(&format!("cofferdam letters test {letter} --to ADDRESS"));
    output::next(&format!("cofferdam order draft letter {letter} --out letter-{letter}.order"));
    Ok(ExitCode::SUCCESS)
}

fn lines(draft: &LetterDraft, first: Option<&RenderedText>) -> Vec<String> {
    let mut out = vec![format!("letter {}, version {}", draft.letter, draft.version)];
    out.extend(draft.variants.iter().enumerate().map(|(n, of)| variant(n, of)));
    if let Some(RenderedText { recipients, subject, text }) = first {
        out.push(String::new());
        out.push(format!("The text for {recipients}:"));
        out.push(format!("  Subject: {subject}"));
        out.extend(text.lines().map(|line| format!("  {line}").trim_end().to_owned()));
    }
    out
}

fn variant(number: usize, of: &LetterVariant) -> String {
    let place = (of.language.as_str(), of.jurisdiction.as_str());
    let recipients = recipients(place, of.fields, of.while_signed_in);
    format!("  {number:>4}  {:>10} people: {recipients}", words::number(of.people))
}
