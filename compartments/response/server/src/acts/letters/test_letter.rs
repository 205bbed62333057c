//! A test letter to a member of staff: one text of a drafted version, before two people approve it.

use std::sync::Arc;

use cofferdam_core::Personal;
use cofferdam_mail::Outcome as RelayAnswer;
use cofferdam_wire::{Problem, ProblemType};
use response_api::{JournalAct, LETTER_FAULTY, TestLetter};
use response_letter::{Version, VersionError, Writer};
use response_mailing::{Contact, Letter, Marks, Relay as _, form_of};

use crate::app::App;
use crate::mailroom::load_staff_list;
use crate::staff::Author;

/// A code in the form of letter codes. The chance that it belongs to a letter is one in 2^50.
const TEST_CODE: &str = "TESTX-TESTX";

/// Sends the text of one variant to an address on the staff list. Returns the relay's receipt.
pub async fn send_test_letter(
    app: &Arc<App>,
    letter: &Letter,
    call: &TestLetter,
    by: &Author,
) -> Result<String, Problem> {
    let to = staff_contact(app, &call.to)?;
    let message = message(app, letter, call, &to).await?;
    let envelope =
        cofferdam_mail::Envelope { from: app.config.shop.mail_from.clone(), to: to.email.clone() };
    let detail = format!("letter {}, version {}", letter.letter, call.version);
    let act = app.act(letter.incident, by, JournalAct::TestLetter, detail);
    let relays = app.letters.relays.clone();
    app.journalled(act, async move {
        let failed = |what: String| Problem::new(ProblemType::UPSTREAM, what);
        let mut line = relays.connect().await.map_err(failed)?;
        let answer = line.send(&envelope, &message).await;
        line.close().await;
        match answer {
            RelayAnswer::Accepted(accepted) => Ok(accepted.receipt().to_owned()),
            RelayAnswer::Refused { code, reply } => Err(failed(format!("{code} {reply}"))),
            RelayAnswer::Deferred { reply, .. } => Err(failed(reply)),
            RelayAnswer::InDoubt { cause } => Err(failed(cause)),
        }
    })
    .await
}

/// Finds the member of staff with an address. Test letters go to nobody else.
fn staff_contact(app: &App, to: &Personal) -> Result<Contact, Problem> {
    let (members, _) = load_staff_list(&app.config.staff_list)?;
    let member = members
        .into_iter()
        .find(|member| member.email.expose().eq_ignore_ascii_case(to.expose().trim()));
    let unknown = || Problem::bad_request("to: the address is not on the staff list");
    let member = member.ok_or_else(unknown)?;
    Ok(Contact { name: member.name, email: member.email })
}

async fn message(
    app: &App,
    letter: &Letter,
    call: &TestLetter,
    to: &Contact,
) -> Result<Vec<u8>, Problem> {
    let json = app.store.version(letter.letter, call.version).await?;
    let missing = || Problem::not_found("the letter has no such version");
    let writer = Writer::new(Version::parse(&json.ok_or_else(missing)?, call.version)?)?;
    let place = usize::try_from(call.variant).unwrap_or(usize::MAX);
    let variant = writer.version().variants.get(place).cloned();
    let variant = variant.ok_or_else(|| Problem::not_found("the version has no such variant"))?;
    let faulty = |e: VersionError| Problem::new(LETTER_FAULTY, e.to_string());
    let mut texts = writer.write(&variant.locale, variant.told).map_err(faulty)?;
    texts.subject = format!("[Test] {}", texts.subject);
    let random = hex::encode(app.rng.bytes::<16>());
    let marks = Marks {
        message_id: format!("test.{random}@{}", app.config.shop.message_id_domain),
        code: TEST_CODE.to_owned(),
        feedback_id: format!("letter-{}:test:notice:cofferdam", letter.letter),
    };
    let composer = &app.letters.room.ports().composer;
    let message = composer.message(&form_of(&texts), to, app.now(), &marks);
    message.map_err(|e| Problem::new(LETTER_FAULTY, e.to_string()))
}
