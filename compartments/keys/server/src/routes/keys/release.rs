//! `POST /v1/keys/release`: field keys of records, written to the log before they leave.

use std::sync::Arc;

use axum::extract::State;
use cofferdam_core::{CallerName, Operation, Record, Timestamp};
use cofferdam_wire::{Answer, Body, Caller, Problem, ProblemType, blocking};
use keys_api::{
    AlarmKind, Presence, RECORDS_SEALED, ReleaseKeys, ReleasedGroup, ReleasedKeys, WarrantId,
};

use crate::app::{App, Parties, bad_request};
use crate::domain::derive::KeyRing;
use crate::domain::release::{Basis, Wanted, Withheld};
use crate::domain::warrants::Refusal;
use crate::store;

/// The number of keys above which a thread of its own derives them, so that other requests go on.
const MANY_KEYS: usize = 1_024;

/// Releases field keys, after every check and after the log has the release.
pub async fn handle(
    State(app): State<Arc<App>>,
    Caller(via): Caller,
    Body(call, encoding): Body<ReleaseKeys>,
) -> Result<Answer<ReleasedKeys>, Problem> {
    Ok(Answer(release(&app, &via, call).await?, encoding))
}

async fn release(
    app: &App,
    via: &CallerName,
    mut call: ReleaseKeys,
) -> Result<ReleasedKeys, Problem> {
    let began = app.shared.generation();
    let (ring, caller) = (app.shared.ring(), call.caller.clone());
    let presence = call.presence.take();
    let mut wanted = Wanted::read(call, &ring).map_err(|e| bad_request(&e))?;
    let who = Parties { via, caller: &caller };
    app.check_parties(&who, wanted.domain()).await?;
    let now = app.now().await;
    let withheld = wanted.withhold(&app.shared.erased(wanted.domain()), &app.decoys);
    check_basis(app, &who, (&mut wanted, &withheld), presence.as_ref(), now).await?;
    check_new(app, &who, &wanted, now).await?;
    app.write(now, wanted.events(&caller, via)).await?;
    if wanted.operation() == Operation::Seal {
        app.numbers.note(wanted.domain(), wanted.numbers());
        app.sealed.note(wanted.domain(), &wanted.records());
    }
    app.check_thawed(&who).await?;
    if app.shared.generation() != began {
        check_again(app, &who, &wanted, presence.as_ref(), now).await?;
    }
    metrics::counter!("cofferdam_released_records_total", "operation" => wanted.operation().as_str())
        .increment(wanted.count() as u64);
    let groups = derive(ring, wanted).await?;
    Ok(ReleasedKeys { groups, decoys: withheld.decoys, erased: withheld.erased })
}

/// Checks that a warrant, an open rotation or a grant allows the release, and charges it.
async fn check_basis(
    app: &App,
    who: &Parties<'_>,
    (wanted, withheld): (&mut Wanted, &Withheld),
    presence: Option<&Presence>,
    now: Timestamp,
) -> Result<(), Problem> {
    let (domain, operation) = (wanted.domain(), wanted.operation());
    match wanted.basis() {
        Basis::Warrant(warrant) => return draw(app, who, wanted, withheld, warrant, now).await,
        Basis::Reseal => app.check_reseal(who, domain, now).await?,
        Basis::Grant if operation == Operation::Release => {
            if app.check_release(who, wanted, presence, now).await? == Operation::ReleasePresent {
                wanted.while_present();
            }
        }
        Basis::Grant => app.check_grant(who, domain, operation, wanted.fields()).await?,
    }
    app.charge(who, wanted.operation(), now, wanted.count()).await
}

/// Refuses keys to seal a record of a customer or a card that was sealed before: they would open it.
async fn check_new(
    app: &App,
    who: &Parties<'_>,
    wanted: &Wanted,
    now: Timestamp,
) -> Result<(), Problem> {
    if wanted.operation() != Operation::Seal {
        return Ok(());
    }
    let domain = wanted.domain();
    app.check_numbers(who, domain, wanted.numbers()).await?;
    let old = app.sealed.among(domain, &wanted.records());
    let Some(first) = old.min() else { return Ok(()) };
    if old.iter().any(|record| app.decoys.is_decoy(domain, Record(record))) {
        let detail = format!("{} asked for keys of decoys, to seal them again", who.caller);
        app.alarms.ring(now, AlarmKind::Decoy, Some(who.caller), detail).await;
    }
    let what = format!("sealing {} records of {domain} again, from {first}", old.len());
    let Problem { detail, .. } = app.refuse_party(who, what).await;
    Err(Problem::new(RECORDS_SEALED, detail))
}

/// Holds a release against the orders that came while it waited, before its answer leaves.
async fn check_again(
    app: &App,
    who: &Parties<'_>,
    wanted: &Wanted,
    presence: Option<&Presence>,
    now: Timestamp,
) -> Result<(), Problem> {
    let domain = wanted.domain();
    if !wanted.is_still_there(&app.shared.erased(domain), &app.shared.ring()) {
        let what = "a record was erased, or an epoch retired, at this moment: ask again";
        return Err(Problem::new(ProblemType::ORDERS_UNKNOWN, what).retry_after(1));
    }
    match wanted.basis() {
        Basis::Warrant(warrant) => {
            let warrants = app.shared.warrants();
            match warrants.check(warrant, who.caller, domain, wanted.fields(), now) {
                Ok(_) => Ok(()),
                Err(refusal) => Err(app.refuse_warrant(who.caller, refusal.to_string()).await),
            }
        }
        Basis::Reseal => app.check_reseal(who, domain, now).await,
        Basis::Grant if wanted.operation() == Operation::ReleasePresent => {
            app.check_release(who, wanted, presence, now).await.map(|_| ())
        }
        Basis::Grant => app.check_grant(who, domain, wanted.operation(), wanted.fields()).await,
    }
}

/// Draws records under a warrant. Decoys count like customers: the warrant would otherwise tell of any
/// number of records which are decoys.
async fn draw(
    app: &App,
    who: &Parties<'_>,
    wanted: &Wanted,
    withheld: &Withheld,
    warrant: WarrantId,
    now: Timestamp,
) -> Result<(), Problem> {
    let warrants = app.shared.warrants();
    let covered = warrants.check(warrant, who.caller, wanted.domain(), wanted.fields(), now);
    let limit = match covered {
        Ok(limit) => limit,
        Err(refusal) => return Err(app.refuse_warrant(who.caller, refusal.to_string()).await),
    };
    let decoys = withheld.decoys.iter().map(|decoy| decoy.0).collect();
    let drawn = store::draw(&app.db, warrant, limit.into(), &wanted.records(), &decoys).await?;
    let Some(again) = drawn else {
        return Err(app.refuse_warrant(who.caller, Refusal::Records.to_string()).await);
    };
    if app.tells_decoys_too_often(warrant, again) {
        let detail = format!("{} asked again which records of a warrant are decoys", who.via);
        app.alarms.ring(now, AlarmKind::DecoyProbe, Some(who.via), detail).await;
        return Err(app.refuse_warrant(who.caller, Refusal::Again.to_string()).await);
    }
    Ok(())
}

async fn derive(ring: Arc<KeyRing>, wanted: Wanted) -> Result<Vec<ReleasedGroup>, Problem> {
    if wanted.key_count() <= MANY_KEYS {
        return Ok(wanted.keys(&ring));
    }
    Ok(blocking(move || wanted.keys(&ring)).await?)
}
