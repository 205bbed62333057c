//! Computing an exposure: from the indexes of the logs' copies, and the bitmaps of who is who. It
//! takes what is there: what does not answer is a doubt, and not a reason to say nothing.

pub mod doubts;
mod person;
pub mod read;
mod roster;

use std::collections::BTreeMap;
use std::sync::Arc;

use accounts_api::ReadActivity;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cofferdam_core::{CallerName, Domain, Field, FieldSet, Timestamp};
use cofferdam_wire::Problem;
use keys_api::ListCallers;
use payments_api::CountCards;
use response_api::{
    Doubt, Exposure, FeedAlarm, HostKind, Incident, Level, LogProof, People, Untouched,
};
use roaring::RoaringBitmap;

use super::copy_logs;
use super::customers::customers;
use crate::app::App;
use crate::domain::population::{Population, counts};
use crate::domain::scope::{
    Bitmaps, Fallen, Found, Window, add, count_fields, count_people, people, reachable, readable,
};

pub use person::{pages, person, write_pages};
use read::{Readable, Source};

/// Computes the exposure of an incident, and keeps it.
pub async fn scope(
    app: &Arc<App>,
    incident: &Incident,
    from_log: bool,
) -> Result<Exposure, Problem> {
    if incident.people == People::Roster {
        return roster::scope(app, incident, from_log).await;
    }
    let fallen = Arc::new(Fallen::of(incident));
    let (ends, behind) = copy_logs(app).await;
    let moved = doubts::moved_clocks(app, incident).await?;
    let window = window(incident, &moved);
    let mut found = read::read(app, &fallen, window, &ends, Source::Index).await?;
    if from_log {
        let again = read::read(app, &fallen, window, &ends, Source::Log).await?;
        doubts::compare(&mut found, &again);
    }
    let last = found.last_ms.and_then(|ms| Timestamp::from_millisecond(ms).ok());
    let until = incident.to.unwrap_or_else(|| app.now().max(last.unwrap_or(incident.from)));
    found.doubts.extend(doubts::of_logs(app, &ends, behind, &moved, incident.to).await);

    let around = Around::look(app, &fallen, &mut found, incident, until).await;
    let proven = people(&found.read, Domain::Accounts);
    around.count_what_is_lost(&fallen, &mut found);
    let exposure = around.exposure(app, incident, &fallen, found, &proven, until).await?;
    let (worker, id, computed) = (app.clone(), incident.incident, exposure.computed);
    tokio::spawn(async move {
        let logs = Readable::all(&worker, &fallen, &ends).await;
        write_pages(&worker, id, &fallen, window, logs, computed).await;
    });
    Ok(exposure)
}

/// The incident's window: an hour more at both ends where the clock of `keys` was moved.
pub fn window(incident: &Incident, moved: &[FeedAlarm]) -> Window {
    let window = Window::new(incident.from, incident.to);
    if moved.is_empty() { window } else { window.widened(doubts::CLOCK_MARGIN_MS) }
}

/// What the other compartments and the database say of the fallen hosts.
struct Around {
    customers: Arc<Population>,
    /// How many cards, and who has which field: customers and cards.
    cards: u64,
    filled: Bitmaps,
    granted: BTreeMap<Domain, FieldSet>,
    /// Sessions from before the window that were good in it.
    held: RoaringBitmap,
}

impl Around {
    async fn look(
        app: &App,
        fallen: &Fallen,
        found: &mut Found,
        incident: &Incident,
        until: Timestamp,
    ) -> Self {
        let customers = match customers(app).await {
            Ok(customers) => customers,
            Err(e) => {
                doubt(found, format!("who the customers are is not up to date: {e}"));
                app.customers.lock().await.people.clone()
            }
        };
        let cards = match app.payments.call(&CountCards {}).await {
            Ok(cards) => cards,
            Err(e) => {
                doubt(found, format!("how many cards there are is not known: {e}"));
                0
            }
        };
        let mut filled = customers.filled.clone();
        let all: RoaringBitmap = (0..u32::try_from(cards).unwrap_or(u32::MAX)).collect();
        for field in fields_of_domain(Domain::Payments).iter() {
            filled.insert(field, all.clone());
        }
        filled.insert(Field::Password, customers.everyone.clone());
        let granted = granted(app, fallen, found).await;
        let held = seen(app, fallen, found, incident.from, until).await;
        Self { customers, cards, filled, granted, held }
    }

    fn granted(&self, domain: Domain) -> FieldSet {
        self.granted.get(&domain).copied().unwrap_or(FieldSet::EMPTY)
    }

    /// What a doubt counts as read, and what lies open because keys and ciphertext both fell.
    fn count_what_is_lost(&self, fallen: &Fallen, found: &mut Found) {
        if found.doubts.iter().any(|doubt| doubt.counts_as_read) {
            for domain in Domain::ALL {
                add(&mut found.read, &self.whole(self.granted(domain)));
            }
        }
        for domain in fallen.opened(&|domain| !self.granted(domain).is_empty()) {
            add(&mut found.read, &self.whole(fields_of_domain(domain)));
            doubt(
                found,
                format!(
                    "keys fell together with a host that holds, or is given, what is in {domain}: \
                     all of it counts as read, whatever the log says"
                ),
            );
        }
    }

    /// Everybody who has a field, for each of these.
    fn whole(&self, fields: FieldSet) -> Bitmaps {
        let of = |field| Some((field, self.filled.get(&field)?.clone()));
        fields.iter().filter_map(of).collect()
    }

    async fn exposure(
        &self,
        app: &App,
        incident: &Incident,
        fallen: &Fallen,
        found: Found,
        proven: &RoaringBitmap,
        until: Timestamp,
    ) -> Result<Exposure, Problem> {
        let Found { read, presented, doubts, .. } = found;
        let all = self.granted(Domain::Accounts).union(self.granted(Domain::Payments));
        let mut reachable = reachable(all, &self.filled, &read, &presented);
        let held = &self.held - presented.get(&Field::Session).unwrap_or(&RoaringBitmap::new());
        if !held.is_empty() {
            reachable.insert(Field::Session, held);
        }
        let affected = people(&read, Domain::Accounts) | people(&presented, Domain::Accounts);
        let customers = &self.customers;
        let bounced = app.store.undeliverable().await?;
        let mut logs = Vec::with_capacity(app.logs.len());
        for log in &app.logs {
            logs.push(proof(&*log.copy.lock().await)?);
        }
        let exposure = Exposure {
            incident: incident.incident,
            computed: app.now(),
            until,
            people: count_people(&read, &presented, &reachable),
            assumed: (people(&read, Domain::Accounts) - proven).len(),
            fields: count_fields(&read, &presented, &reachable),
            jurisdictions: counts(&customers.jurisdictions, &affected),
            languages: counts(&customers.languages, &affected),
            minors: customers.minors.intersection_len(&affected),
            undeliverable: bounced.intersection_len(&affected),
            customers: customers.everyone.len(),
            given_up: fallen.given_up(customers.everyone.len(), self.cards),
            untouched: self.untouched(&read, &presented),
            logs,
            access_logs: Vec::new(),
            unresolved: Vec::new(),
            doubts,
        };
        let bitmaps =
            [(Level::Read, &read), (Level::Presented, &presented), (Level::Reachable, &reachable)];
        app.store.set_exposure(&exposure, bitmaps).await?;
        Ok(exposure)
    }

    /// The compartments that gave the fallen hosts nothing.
    fn untouched(&self, read: &Bitmaps, presented: &Bitmaps) -> Vec<Untouched> {
        let holds =
            [(Domain::Accounts, self.customers.everyone.len()), (Domain::Payments, self.cards)];
        let given = |domain| (people(read, domain) | people(presented, domain)).len();
        holds
            .into_iter()
            .filter(|(domain, _)| given(*domain) == 0)
            .map(|(domain, records)| Untouched {
                domain,
                records,
                released: 0,
                granted: !self.granted(domain).is_empty(),
            })
            .collect()
    }
}

fn doubt(found: &mut Found, what: String) {
    found.doubts.push(Doubt { what, counts_as_read: false });
}

fn proof(copy: &crate::log_copy::LogCopy) -> Result<LogProof, Problem> {
    let end = copy.end();
    let cosigned = copy.cosigned()?.map(|(note, _)| note);
    let root = STANDARD.encode(end.root.0);
    Ok(LogProof { size: end.size, root, checkpoint: end.note, cosigned })
}

fn fields_of_domain(domain: Domain) -> FieldSet {
    let sealed = |field: &Field| field.domain() == domain && *field != Field::Session;
    Field::ALL.iter().copied().filter(sealed).collect()
}

/// What the fallen callers may read, in each domain. A fallen compartment reaches every field of
/// its domain; a name that neither `keys` nor the log knows is a doubt, since it may be misspelt.
async fn granted(app: &App, fallen: &Fallen, found: &mut Found) -> BTreeMap<Domain, FieldSet> {
    let mut granted: BTreeMap<Domain, FieldSet> = BTreeMap::new();
    let mut grant = |domain, fields: FieldSet| {
        let all: &mut FieldSet = granted.entry(domain).or_default();
        *all = all.union(fields);
    };
    for (kind, domain) in
        [(HostKind::Accounts, Domain::Accounts), (HostKind::Payments, Domain::Payments)]
    {
        if fallen.any(kind) {
            grant(domain, fields_of_domain(domain));
        }
    }
    for domain in &found.fronted {
        grant(*domain, fields_of_domain(*domain));
    }
    if fallen.any(HostKind::Response) && found.warrants.contains(&app.name) {
        grant(Domain::Accounts, [Field::Name, Field::Email].into_iter().collect());
    }
    match app.keys.call(&ListCallers {}).await {
        Ok(callers) => {
            for status in callers.iter().filter(|of| fallen.callers().contains(&of.caller)) {
                for domain in Domain::ALL {
                    let fields = readable(&status.grants, domain);
                    if !fields.is_empty() {
                        grant(domain, fields);
                    }
                }
            }
            let known = |name: &CallerName| {
                found.seen.contains(name) || callers.iter().any(|of| of.caller == *name)
            };
            let strangers: Vec<_> = fallen.apps().filter(|name| !known(name)).cloned().collect();
            for name in strangers {
                let what = "is known neither to keys nor to its log: is the name right?";
                doubt(found, format!("{name} {what}"));
            }
        }
        Err(e) => {
            for domain in [Domain::Accounts, Domain::Payments] {
                if fallen.apps().next().is_some() {
                    grant(domain, fields_of_domain(domain));
                }
            }
            let what = "what the fallen hosts may read is not known, and counts as everything";
            doubt(found, format!("{what}: {e}"));
        }
    }
    granted
}

/// Adds sessions that passed through the fallen hosts, and letters that passed through the relay;
/// says whose older sessions may have been shown there.
async fn seen(
    app: &App,
    fallen: &Fallen,
    found: &mut Found,
    from: Timestamp,
    to: Timestamp,
) -> RoaringBitmap {
    let apps: Vec<CallerName> = fallen.apps().cloned().collect();
    let everywhere = fallen.any(HostKind::Accounts);
    let relay = fallen.any(HostKind::Relay);
    if apps.is_empty() && !everywhere && !relay {
        return RoaringBitmap::new();
    }
    let callers = if everywhere { None } else { Some(apps) };
    let asked = app.accounts.call(&ReadActivity { callers, from, to }).await;
    let seen = asked.map_err(|e| e.to_string()).and_then(|seen| {
        let read = |bytes: &[u8]| RoaringBitmap::deserialize_from(bytes).map_err(|e| e.to_string());
        Ok([read(&seen.opened)?, read(&seen.held)?, read(&seen.mailed)?])
    });
    let [opened, held, mailed] = match seen {
        Ok(seen) => seen,
        Err(e) => {
            doubt(found, format!("whose sessions were seen is not known: {e}"));
            Default::default()
        }
    };
    if !opened.is_empty() {
        *found.presented.entry(Field::Session).or_default() |= opened;
    }
    if relay {
        // A reset code opens the account: it is worth the password.
        let letters = match app.store.handed_over(from, to).await {
            Ok(letters) => letters,
            Err(e) => {
                doubt(found, format!("which letters were handed over is not known: {e}"));
                RoaringBitmap::new()
            }
        };
        *found.read.entry(Field::Name).or_default() |= &letters;
        *found.read.entry(Field::Email).or_default() |= &letters | &mailed;
        *found.presented.entry(Field::Password).or_default() |= mailed;
        for of in [&mut found.read, &mut found.presented] {
            of.retain(|_, records| !records.is_empty());
        }
    }
    held
}
