//! Declaring, amending and closing incidents.

use std::collections::BTreeSet;

use cofferdam_core::{CallerName, NO_SUCH_CALLER, Timestamp};
use cofferdam_tlog::TlogError;
use cofferdam_wire::{Problem, ProblemType, blocking};
use response_api::{
    AmendIncident, Audience, CloseIncident, DeclareIncident, FallenHost, HostKind, INCIDENT_CLOSED,
    Incident, JournalAct, LETTER_PLANNED, LETTER_RUNNING, LetterState, People,
};
use response_exposure::names_in;

use super::scope::open_logs;
use crate::app::App;
use crate::staff::Author;

/// The longest title, and the longest account of how an incident was found, in characters.
const MAX_TEXT: usize = 500;
/// The most names in a message. The log of a public server names millions.
const MAX_NAMES: usize = 20;

/// Declares an incident, and opens its journal.
pub async fn declare(app: &App, call: &DeclareIncident, by: &Author) -> Result<Incident, Problem> {
    check_text("title", &call.title)?;
    check_text("found", &call.found)?;
    check_hosts(call.people, &call.fallen)?;
    check_window(call.from, call.to, app.now())?;
    check_names(app, call.people, &call.fallen, &call.unlisted).await?;
    let detail = format!("{}: {} taken for fallen", call.title, hosts_text(&call.fallen, ", "));
    let act = |incident| app.act(incident, by, JournalAct::Declare, detail);
    Ok(app.store.declare(call, act).await?)
}

/// Amends an incident. The journal keeps the earlier values. Other hosts or another window void the
/// exposure, which must then be computed again.
pub async fn amend(app: &App, call: &AmendIncident, by: &Author) -> Result<Incident, Problem> {
    let before = app.open_incident(call.incident).await?;
    let after = amended(&before, call);
    check_text("title", &after.title)?;
    check_hosts(after.people, &after.fallen)?;
    check_window(after.from, after.to, app.now())?;
    let evidence_changes =
        (&after.fallen, after.from, after.to) != (&before.fallen, before.from, before.to);
    if evidence_changes {
        check_not_planned(app, &before).await?;
    }
    check_names(app, before.people, &call.add_fallen, &call.unlisted).await?;
    check_removed(&before, &call.remove_fallen)?;
    let detail = format!("{}; before: {}; {}", describe(&after), describe(&before), call.reason);
    let act = app.act(call.incident, by, JournalAct::Amend, detail);
    if !app.store.amend(&after, evidence_changes, &act).await? {
        return Err(closed_meanwhile());
    }
    app.incident(call.incident).await
}

/// Closes an incident, unless one of its letters is being sent.
pub async fn close(app: &App, call: &CloseIncident, by: &Author) -> Result<Incident, Problem> {
    app.open_incident(call.incident).await?;
    let letters = app.store.letters_about(call.incident).await?;
    if let Some(letter) = letters.iter().find(|letter| letter.state == LetterState::Running) {
        let what = format!("letter {} is being sent", letter.letter);
        return Err(Problem::new(LETTER_RUNNING, what));
    }
    let act = app.act(call.incident, by, JournalAct::Close, call.reason.to_string());
    if !app.store.close(&act).await? {
        return Err(closed_meanwhile());
    }
    app.incident(call.incident).await
}

fn amended(before: &Incident, call: &AmendIncident) -> Incident {
    let mut fallen = before.fallen.clone();
    fallen.retain(|host| !call.remove_fallen.contains(host));
    for host in &call.add_fallen {
        if !fallen.contains(host) {
            fallen.push(host.clone());
        }
    }
    Incident {
        title: call.title.clone().unwrap_or_else(|| before.title.clone()),
        fallen,
        from: call.from.unwrap_or(before.from),
        to: call.to.or(before.to),
        ..before.clone()
    }
}

fn describe(incident: &Incident) -> String {
    let to = incident.to.map_or_else(|| "now".to_owned(), |to| to.to_string());
    let hosts = hosts_text(&incident.fallen, " ");
    format!("{}: {hosts} from {} to {to}", incident.title, incident.from)
}

fn hosts_text(hosts: &[FallenHost], between: &str) -> String {
    hosts.iter().map(ToString::to_string).collect::<Vec<_>>().join(between)
}

/// Refuses changes of hosts and window once a letter to customers is planned, because its rows
/// state the exposure. Hosts that are found later take another incident, with letters of its own.
async fn check_not_planned(app: &App, incident: &Incident) -> Result<(), Problem> {
    let letters = app.store.letters_about(incident.incident).await?;
    if letters.iter().any(|letter| letter.audience == Audience::Customers) {
        let what = "customers' letters are planned from the exposure as it stands; declare another \
                    incident for what was found since";
        return Err(Problem::new(LETTER_PLANNED, what));
    }
    Ok(())
}

fn check_text(field: &str, text: &str) -> Result<(), Problem> {
    if text.trim().is_empty() || text.chars().count() > MAX_TEXT {
        return Err(Problem::bad_request(format!("{field} takes 1 to {MAX_TEXT} characters")));
    }
    Ok(())
}

fn check_hosts(people: People, fallen: &[FallenHost]) -> Result<(), Problem> {
    if fallen.is_empty() {
        return Err(Problem::bad_request("an incident needs at least one fallen host"));
    }
    let is_known_to_table = |kind: HostKind| {
        matches!(kind, HostKind::App | HostKind::Accounts | HostKind::AccountsDatabase)
    };
    if people == People::Table && !fallen.iter().all(|host| is_known_to_table(host.kind)) {
        return Err(Problem::bad_request(
            "an incident about the brought table takes hosts that appear in access logs, or \
             NAME=accounts_database for the tables themselves or a backup",
        ));
    }
    Ok(())
}

/// Refuses hosts under a name that nobody knows, because a misspelt name would be found to have read
/// nothing. Staff name again those that nobody has to know. `keys` knows the hosts of the shop, and
/// the brought access logs those of a table; without a log, there is nothing to compare with.
async fn check_names(
    app: &App,
    people: People,
    fallen: &[FallenHost],
    unlisted: &[CallerName],
) -> Result<(), Problem> {
    let callers = fallen.iter().filter(|of| of.kind.is_caller()).map(|of| &of.host);
    let unsure: Vec<_> =
        callers.filter(|name| **name != app.name && !unlisted.contains(name)).collect();
    let Some(first) = unsure.first() else { return Ok(()) };
    let (names, whose) = match people {
        People::Accounts => (listed_callers(app, first).await?, "caller"),
        People::Table => (logged_hosts(app).await?, "host in a brought access log, as"),
    };
    if people == People::Table && names.is_empty() {
        return Ok(());
    }
    match unsure.into_iter().find(|name| !names.contains(*name)) {
        None => Ok(()),
        Some(stranger) => {
            let similar = stranger.most_like(&names);
            let hint = similar.map(|name| format!("; perhaps {name} is meant")).unwrap_or_default();
            let some = some_of(&names);
            let what = format!("there is no {whose} {stranger}{hint}; there are {some}");
            Err(Problem::new(NO_SUCH_CALLER, what))
        }
    }
}

/// Some of the names, and the number of the others.
fn some_of(names: &BTreeSet<CallerName>) -> String {
    let some: Vec<_> = names.iter().take(MAX_NAMES).map(CallerName::as_str).collect();
    match names.len() - some.len() {
        0 => some.join(", "),
        more => format!("{} and {more} others", some.join(", ")),
    }
}

/// The callers that `keys` lists.
async fn listed_callers(app: &App, first: &CallerName) -> Result<BTreeSet<CallerName>, Problem> {
    let listed = app.compartments.keys.call(&keys_api::ListCallers {}).await.map_err(|e| {
        let what =
            format!("keys does not answer, so nobody knows whether there is a caller {first}");
        tracing::warn!(cause = %e, "{what}");
        Problem::new(ProblemType::UPSTREAM, format!("{what}; name it among the unlisted ones too"))
    })?;
    Ok(listed.into_iter().map(|of| of.caller).collect())
}

/// The clients and hosts that the finished access logs name.
async fn logged_hosts(app: &App) -> Result<BTreeSet<CallerName>, Problem> {
    let logs = open_logs(app, &app.store.access_logs().await?)?;
    let names = blocking(move || {
        let mut names = BTreeSet::new();
        for log in &logs {
            names.extend(names_in(log)?);
        }
        Ok::<_, TlogError>(names)
    });
    Ok(names.await??)
}

/// Refuses to remove a host that the incident does not name.
fn check_removed(incident: &Incident, removed: &[FallenHost]) -> Result<(), Problem> {
    match removed.iter().find(|host| !incident.fallen.contains(host)) {
        None => Ok(()),
        Some(host) => {
            let hosts = hosts_text(&incident.fallen, ", ");
            Err(Problem::bad_request(format!("{host} is not among the fallen hosts: {hosts}")))
        }
    }
}

fn check_window(from: Timestamp, to: Option<Timestamp>, now: Timestamp) -> Result<(), Problem> {
    if from > now || to.is_some_and(|to| to < from) {
        return Err(Problem::bad_request("the window must begin in the past and end after that"));
    }
    Ok(())
}

fn closed_meanwhile() -> Problem {
    Problem::new(INCIDENT_CLOSED, "the incident was closed at this moment")
}

#[cfg(test)]
mod tests {
    use response_api::IncidentId;

    use super::*;

    fn incident() -> Incident {
        let at = |text: &str| text.parse().unwrap();
        Incident {
            incident: IncidentId(1),
            title: "one server".into(),
            fallen: vec!["web-1".parse().unwrap(), "web-2".parse().unwrap()],
            from: at("2012-01-14T22:00:00Z"),
            to: None,
            found: "a decoy".into(),
            people: People::Accounts,
            declared: at("2012-01-15T09:00:00Z"),
            declared_by: "ic".parse().unwrap(),
            closed: None,
        }
    }

    fn amendment() -> AmendIncident {
        AmendIncident {
            incident: IncidentId(1),
            add_fallen: vec![],
            remove_fallen: vec![],
            unlisted: vec![],
            from: None,
            to: None,
            title: None,
            reason: "found since".parse().unwrap(),
        }
    }

    #[test]
    fn an_amendment_changes_what_it_names() {
        let same = amended(&incident(), &amendment());
        assert_eq!(same, incident());
        let call = AmendIncident {
            add_fallen: vec!["web-2".parse().unwrap(), "k=keys".parse().unwrap()],
            remove_fallen: vec!["web-1".parse().unwrap()],
            to: Some("2012-01-15T10:00:00Z".parse().unwrap()),
            title: Some("two servers".into()),
            ..amendment()
        };
        let after = amended(&incident(), &call);
        assert_eq!(hosts_text(&after.fallen, " "), "web-2 k=keys");
        assert_eq!(
            (after.title.as_str(), after.to, after.from),
            ("two servers", call.to, incident().from)
        );
        let text = "two servers: web-2 k=keys from 2012-01-14T22:00:00Z to 2012-01-15T10:00:00Z";
        assert_eq!(describe(&after), text);
    }

    #[test]
    fn a_window_begins_in_the_past_and_ends_after_that() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let now = at("2012-01-15T12:00:00Z");
        let (early, late) = (at("2012-01-15T11:00:00Z"), at("2012-01-15T13:00:00Z"));
        for (from, to, good) in [
            (early, None, true),
            (now, None, true),
            (late, None, false),
            (early, Some(early), true),
            (now, Some(early), false),
            (early, Some(late), true),
        ] {
            assert_eq!(check_window(from, to, now).is_ok(), good, "{from} {to:?}");
        }
    }

    #[test]
    fn a_message_names_twenty_hosts_and_counts_the_others() {
        let names =
            |count: u32| (0..count).map(|n| format!("web-{n:02}").parse().unwrap()).collect();
        assert_eq!(some_of(&names(2)), "web-00, web-01");
        let many = some_of(&names(23));
        assert!(many.ends_with("web-18, web-19 and 3 others"), "{many}");
    }

    #[test]
    fn a_table_falls_with_hosts_that_it_knows() {
        let hosts = |names: &[&str]| -> Vec<FallenHost> {
            names.iter().map(|name| name.parse().unwrap()).collect()
        };
        assert!(check_hosts(People::Table, &hosts(&["db", "b=accounts_database"])).is_ok());
        assert!(check_hosts(People::Table, &hosts(&["db", "k=keys"])).is_err());
        assert!(check_hosts(People::Accounts, &hosts(&["k=keys"])).is_ok());
        assert!(check_hosts(People::Accounts, &[]).is_err());
    }
}
