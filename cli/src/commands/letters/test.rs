//! `cofferdam letters test`

use std::process::ExitCode;

use clap::Args;
use cofferdam_core::Personal;
use response_api::{DraftLetter, LetterId, TestLetter};
use schemars::JsonSchema;
use serde::Serialize;
use staff::order::recipients;
use staff::printable;

use crate::confirm::Confirm;
use crate::options::{CommandError, LetterArgs};
use crate::output;

/// `cofferdam letters test`
#[derive(Debug, Args)]
pub struct TestArgs {
    #[command(flatten)]
    of: LetterArgs,
    /// The e-mail address to send to; it must be on the staff list
    #[arg(long, value_name = "ADDRESS")]
    to: String,
    /// The number of the text, as `letters preview` shows it
    #[arg(long, value_name = "N", default_value_t = 0)]
    variant: u32,
    #[command(flatten)]
    confirm: Confirm,
}

/// A test letter that went out.
#[derive(Serialize, JsonSchema)]
pub struct TestSent {
    /// The letter that was tested.
    letter: LetterId,
    /// The number of the text in the draft, from 0.
    variant: u32,
    /// The relay's reply when it accepted the letter.
    receipt: String,
}

/// Sends one text of a letter to a member of staff.
pub async fn run(args: TestArgs) -> Result<ExitCode, CommandError> {
    let TestArgs { of, to, variant, confirm } = args;
    let (client, letter) = (of.response.client()?, of.letter);
    let draft = staff::call(&client, &DraftLetter { letter }).await?;
    let place = usize::try_from(variant)?;
    let text = draft.variants.get(place).ok_or_else(|| {
        format!("letter {letter} has {} texts, numbered from 0", draft.variants.len())
    })?;
    confirm.ask(&[format!(
        "send a test of letter {letter} to {}: {}, the text for {}",
        printable(&to),
        printable(&text.subject),
        recipients((&text.language, &text.jurisdiction), text.fields, text.while_signed_in)
    )])?;
    let call = TestLetter { letter, version: draft.version, variant, to: Personal::new(to) };
    let receipt = staff::call(&client, &call).await?;
    of.response.print(&TestSent { letter, variant, receipt }, |sent| {
        vec![format!("sent; the relay said: {}", printable(&sent.receipt))]
    })?;
    output::next(&format!("cofferdam order draft letter {letter} --out letter-{letter}.order"));
    Ok(ExitCode::SUCCESS)
}
