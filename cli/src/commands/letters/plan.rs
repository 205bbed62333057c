//! `cofferdam letters plan`

use std::process::ExitCode;

use clap::{Args, ValueEnum};
use response_api::{Audience, ExposedPeople, IncidentId, LetterPlan};

use crate::options::{CommandError, ResponseArgs, incident_number};
use crate::{output, words};

/// `cofferdam letters plan`
#[derive(Debug, Args)]
pub struct PlanArgs {
    /// The incident's number
    #[arg(long, value_parser = incident_number)]
    incident: IncidentId,
    /// The people who get the letter
    #[arg(long, value_enum)]
    audience: To,
    #[command(flatten)]
    response: ResponseArgs,
}

/// An audience on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum To {
    /// Everybody on the staff list
    Staff,
    /// Every customer, whether data of that customer was exposed or not
    Customers,
}

/// Plans a letter. Millions of rows take minutes; the same command continues an interrupted plan.
pub async fn run(args: PlanArgs) -> Result<ExitCode, CommandError> {
    let PlanArgs { incident, audience, response } = args;
    let audience = match audience {
        To::Staff => Audience::Staff,
        To::Customers => Audience::Customers,
    };
    let progress = |plan: &LetterPlan| {
        let written = words::number(plan.people);
        output::note(&format!("letter {}: {written} people planned so far", plan.letter));
    };
    let plan = staff::letters::plan(&response.client()?, incident, audience, progress).await?;
    response.print(&plan, |plan| {
        let people = format!("letter {}: {} people", plan.letter, words::number(plan.people));
        std::iter::once(people).chain(plan.exposed.map(exposed)).collect()
    })?;
    let letter = plan.letter;
    output::next(&format!("cofferdam letters preview {letter}"));
    output::next(&format!("cofferdam order draft letter {letter} --out letter-{letter}.order"));
    Ok(ExitCode::SUCCESS)
}

/// The people exposed, by what became of them.
fn exposed(of: ExposedPeople) -> String {
    let [exposed, told, session, gone] =
        [of.exposed, of.told, of.session_only, of.gone].map(words::number);
    format!(
        "of {exposed} people exposed, {told} read what they lost, {session} lost a session alone, \
         and {gone} are there no longer"
    )
}
