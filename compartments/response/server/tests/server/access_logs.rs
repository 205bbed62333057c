//! Access logs of other systems.

use cofferdam_core::{
    Access, Field, FieldSet, NO_SUCH_CALLER, Operation, Personal, Record, Timestamp, Whose,
};
use cofferdam_wire::ProblemType;
use response_api::{
    AmendIncident, BeginAccessLog, BeginTable, DeclareIncident, DoubtCause, FinishAccessLog,
    ImportAccessLog, IncidentId, Level, ListAccessLogs, LogSource, LogStatements, LoggedReads,
    PAGE_OUT_OF_TURN, People, ReadPerson, RemoveAccessLog, ScopeIncident, Span,
};
use response_server::store::Finding;

use crate::bench::{Bench, declare};

fn log() -> String {
    "ab".repeat(32)
}

fn begin(log: String) -> BeginAccessLog {
    BeginAccessLog { log, name: "a.log".to_owned(), format: "combined".to_owned() }
}

fn page(page: u32, accesses: Vec<Access>) -> ImportAccessLog {
    ImportAccessLog { log: log(), page, accesses }
}

/// Finishes a log that is complete in the window of the declared incident.
fn finish(unreadable: u64) -> FinishAccessLog {
    let (from, to) = ("2012-01-14T20:00:00Z", "2012-01-15T12:00:00Z");
    let covers = Span { from: from.parse().unwrap(), to: to.parse().unwrap() };
    let source = LogSource { name: "pg".to_owned(), clients: true, ..LogSource::default() };
    let stated = LogStatements { covers: true, ..LogStatements::default() };
    FinishAccessLog {
        log: log(),
        covers,
        unreadable,
        source: Some(source),
        stated,
        catalogue: None,
        reads: LoggedReads::Shown,
    }
}

#[tokio::test]
async fn pages_come_one_after_the_other() {
    let bench = Bench::start_alone().await;
    for bad in ["../../etc/passwd".to_owned(), "g".repeat(64), String::new()] {
        bench.refused(begin(bad), ProblemType::BAD_REQUEST).await;
    }
    let nameless = BeginAccessLog { name: String::new(), ..begin(log()) };
    bench.refused(nameless, ProblemType::BAD_REQUEST).await;
    bench.refused(page(0, vec![]), ProblemType::NOT_FOUND).await;
    bench.refused(finish(0), ProblemType::NOT_FOUND).await;
    assert_eq!(bench.done(begin(log())).await.pages, 0);
    bench.refused(page(1, vec![]), PAGE_OUT_OF_TURN).await;
    bench.done(page(0, vec![])).await;
    bench.refused(page(0, vec![]), PAGE_OUT_OF_TURN).await;
    bench.refused(page(2, vec![]), PAGE_OUT_OF_TURN).await;
    assert_eq!(bench.done(begin(log())).await.pages, 1);
    let mut backwards = finish(0);
    backwards.covers = Span { from: backwards.covers.to, to: backwards.covers.from };
    bench.refused(backwards, ProblemType::BAD_REQUEST).await;

    let whole = bench.done(finish(0)).await;
    assert_eq!((whole.name.as_str(), whole.accesses), ("a.log", 0));
    assert_eq!(bench.done(finish(0)).await, whole, "a finished log is left as it is");
    let later = finish(0).covers.to + jiff::SignedDuration::from_hours(3);
    let wider = FinishAccessLog { covers: Span { to: later, ..finish(0).covers }, ..finish(7) };
    let whole = bench.done(wider).await;
    assert_eq!((whole.covers.to, whole.unreadable), (later, 7), "it covers what staff say now");
    bench.refused(page(1, vec![]), PAGE_OUT_OF_TURN).await;
    assert!(bench.done(begin(log())).await.finished);
    assert_eq!(bench.done(ListAccessLogs {}).await, [whole]);
    bench.done(RemoveAccessLog { log: log() }).await;
    assert_eq!(bench.done(ListAccessLogs {}).await, []);
    bench.refused(RemoveAccessLog { log: log() }, ProblemType::NOT_FOUND).await;
    assert!(!bench.dir.path().join("log-copy/access-logs").join(log()).exists());
    let acts = ["access_log.begin", "access_log.finish", "access_log.finish", "access_log.remove"];
    let acts = acts.map(|act| (act.to_owned(), None));
    assert_eq!(bench.last_acts(IncidentId::NONE).await, acts);
}

fn access(line: u64, whose: Whose) -> Access {
    Access {
        line,
        at: "2012-01-15T04:30:00Z".parse().unwrap(),
        caller: "web-ky-1".parse().unwrap(),
        via: "app-ro".parse().unwrap(),
        operation: Operation::Release,
        fields: FieldSet::EMPTY.with(Field::Phone),
        whose,
    }
}

fn keys(keys: &[&str]) -> Whose {
    Whose::Keys(keys.iter().map(|key| Personal::new(*key)).collect())
}

/// Brings a table of three people and a log, and scopes an incident about them.
async fn scoped(bench: &Bench, accesses: Vec<Access>, unreadable: u64) -> response_api::Exposure {
    bench.bring_table("customers.csv", &["1", "2", "3"], 0).await;
    bench.done(begin(log())).await;
    bench.done(page(0, accesses)).await;
    bench.done(finish(unreadable)).await;
    let to = Some("2012-01-15T09:00:00Z".parse().unwrap());
    let declared = DeclareIncident { people: People::Table, to, ..declare() };
    let incident = bench.done(declared).await.incident;
    bench.done(ScopeIncident { incident, from_log: true }).await
}

#[tokio::test]
async fn an_access_exposes_the_people_whom_it_names() {
    let bench = Bench::start_alone().await;
    let accesses = vec![access(1, keys(&["2"])), access(2, keys(&["2", "99"]))];
    let exposure = scoped(&bench, accesses, 0).await;
    assert_eq!((exposure.people.read, exposure.people.reachable), (1, 2));
    assert_eq!(exposure.assumed, 0);
    let [log] = <[_; 1]>::try_from(exposure.access_logs.clone()).unwrap();
    assert_eq!((log.accesses, log.everybody, log.unknown), (2, 0, 1));
    assert_eq!(log.unknown_lines, [2]);
    assert_eq!(log.actors[&"app-ro".parse().unwrap()], 2);
    let causes: Vec<_> = exposure.doubts.iter().map(|doubt| &doubt.cause).collect();
    let names = 1;
    assert_eq!(causes, [&DoubtCause::NotInTable { log: "a.log".to_owned(), names }]);

    let incident = exposure.incident;
    let read = |record| ReadPerson { incident, record: Record(record) };
    let affected = bench.done(read(1)).await;
    assert_eq!(affected.fields[&Field::Phone], Level::Read);
    assert_eq!(affected.events[0].caller.as_str(), "web-ky-1");
    assert_eq!(affected.events[0].via.as_str(), "app-ro");
    let lines: Vec<_> = affected.lines.iter().map(|of| (of.log.as_str(), of.line)).collect();
    assert_eq!((lines, affected.line_count), (vec![("a.log", 1), ("a.log", 2)], Some(2)));
    let other = bench.done(read(0)).await;
    assert_eq!((other.fields[&Field::Phone], other.events.len()), (Level::Reachable, 0));
    assert_eq!((other.lines, other.line_count), (vec![], Some(0)));
    assert!(!bench.done(read(9)).await.exists);
}

/// Pages of the exposure are written after a scope has answered. Until then the logs themselves are
/// read.
#[tokio::test]
async fn one_persons_exposure_is_the_same_from_pages_and_from_logs() {
    let bench = Bench::start_alone().await;
    let incident = scoped(&bench, vec![access(1, keys(&["2"]))], 0).await.incident;
    let store = bench.store().await;
    while store.finding::<Timestamp>(incident, Finding::Pages).await.unwrap().is_none() {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    let read = ReadPerson { incident, record: Record(1) };
    let from_pages = bench.done(read.clone()).await;
    assert_eq!(from_pages.events.len(), 1);
    bench.execute("DELETE FROM finding WHERE kind = 'pages'").await;
    bench.execute("DELETE FROM exposure_page").await;
    assert_eq!(bench.done(read).await, from_pages);
    let last = bench.journal(incident).await.pop().unwrap();
    assert_eq!((last.action.as_str(), last.detail.as_str()), ("person", "record 1"));
}

/// A misspelt host of a brought table would be found to have read nothing.
#[tokio::test]
async fn a_host_that_no_brought_log_names_is_no_fallen_host() {
    let bench = Bench::start_alone().await;
    let about = |host: &str, unlisted: &[&str]| DeclareIncident {
        people: People::Table,
        fallen: vec![host.parse().unwrap()],
        unlisted: unlisted.iter().map(|name| name.parse().unwrap()).collect(),
        ..declare()
    };
    // Without a log, there is nothing to compare with.
    bench.done(about("web-ky-9", &[])).await;
    let everybody = Whose::Everybody { why: "SELECT without WHERE".to_owned() };
    let other = Access { via: "batch".parse().unwrap(), ..access(2, everybody) };
    scoped(&bench, vec![access(1, keys(&["2"])), other], 0).await;
    let refused = bench.refused(about("web-ky-9", &[]), NO_SUCH_CALLER).await;
    assert!(refused.detail.ends_with("there are app-ro, batch, web-ky-1"), "{}", refused.detail);
    for known in ["web-ky-1", "app-ro", "batch", "backup-7=accounts_database"] {
        bench.done(about(known, &[])).await;
    }
    let incident = bench.done(about("web-ky-9", &["web-ky-9"])).await.incident;
    let add_fallen = vec!["web-ky-22".parse().unwrap()];
    let amend = AmendIncident { add_fallen, ..crate::amend::nothing(incident) };
    bench.refused(amend, NO_SUCH_CALLER).await;
}

#[tokio::test]
async fn an_access_that_names_nobody_counts_as_everybodys() {
    let bench = Bench::start_alone().await;
    let everybody = Whose::Everybody { why: "SELECT without WHERE".to_owned() };
    let exposure = scoped(&bench, vec![access(7, everybody)], 0).await;
    // The log shows the read, so nothing is assumed.
    assert_eq!((exposure.people.read, exposure.assumed), (3, 0));
    let [unresolved] = <[_; 1]>::try_from(exposure.unresolved.clone()).unwrap();
    assert_eq!((unresolved.log.as_str(), unresolved.line), ("a.log", 7));
    assert_eq!(unresolved.why, "SELECT without WHERE");
    assert!(exposure.doubts.iter().any(|d| d.cause == DoubtCause::Unresolved { accesses: 1 }));
}

#[tokio::test]
async fn a_line_that_cant_be_read_counts_as_everybodys() {
    let bench = Bench::start_alone().await;
    let exposure = scoped(&bench, vec![access(1, keys(&["2"]))], 1).await;
    assert_eq!((exposure.people.read, exposure.assumed), (3, 2));
    let cause = DoubtCause::UnreadableLines { log: "a.log".to_owned(), lines: 1 };
    let doubt = exposure.doubts.iter().find(|doubt| doubt.cause == cause);
    assert!(doubt.unwrap().counts_as_read);
}

#[tokio::test]
async fn a_name_that_fits_nobody_and_is_not_written_as_keys_are_counts_as_everybodys() {
    let bench = Bench::start_alone().await;
    let mut accesses = vec![access(1, keys(&["2"])), access(2, keys(&["99"]))];
    let odd = ["007", "2.00", "2-slug", "", " 2", "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11"];
    accesses.extend((3..).zip(odd).map(|(line, name)| access(line, keys(&[name]))));
    let somebody = Whose::Emails(vec![Personal::new("%@shop")]);
    accesses.push(access(9, somebody));
    let exposure = scoped(&bench, accesses, 0).await;
    assert_eq!((exposure.people.read, exposure.assumed), (3, 0));
    let lines: Vec<_> = exposure.unresolved.iter().map(|access| access.line).collect();
    assert_eq!(lines, [3, 4, 5, 6, 7, 8, 9]);
    assert!(exposure.unresolved.iter().all(|access| access.why.contains("fits nobody")));
    assert_eq!((exposure.access_logs[0].unknown, exposure.access_logs[0].everybody), (1, 7));
}

/// The log of a fallen server proves nothing about it, unless staff state that it was shipped off.
#[tokio::test]
async fn a_log_that_the_fallen_host_wrote_proves_nothing_about_it() {
    let bench = Bench::start_alone().await;
    let before = scoped(&bench, vec![access(1, keys(&["2"]))], 0).await;
    assert_eq!((before.people.read, before.assumed), (1, 0));
    let server = "web-ky-1".parse().ok();
    let source = LogSource { name: "web".to_owned(), server, ..LogSource::default() };
    let own = FinishAccessLog { source: Some(source), ..finish(0) };
    bench.done(own.clone()).await;
    let scope = ScopeIncident { incident: before.incident, from_log: true };
    let written = bench.done(scope.clone()).await;
    assert_eq!((written.people.read, written.assumed), (3, 2));
    let not_covered =
        |of: &response_api::Doubt| matches!(of.cause, DoubtCause::NotCovered { host: Some(_), .. });
    assert!(written.doubts.iter().any(not_covered));

    let stated = LogStatements { shipped: true, ..LogStatements::default() };
    bench.done(FinishAccessLog { stated, ..own.clone() }).await;
    let shipped = bench.done(scope.clone()).await;
    assert_eq!((shipped.people.read, shipped.assumed), (1, 0));
    assert!(shipped.access_logs[0].stated.shipped);
    let last = bench.journal(IncidentId::NONE).await.pop().unwrap();
    assert!(last.detail.contains("shipped off its host"), "{}", last.detail);

    let covers = ["web-ky-1".parse().unwrap()].into();
    let source = LogSource { name: "web".to_owned(), covers, ..LogSource::default() };
    bench.done(FinishAccessLog { source: Some(source), ..own.clone() }).await;
    let last = bench.journal(IncidentId::NONE).await.pop().unwrap();
    assert!(last.detail.ends_with("it tells everything about web-ky-1"), "{}", last.detail);

    bench.done(FinishAccessLog { source: None, ..own }).await;
    let old = bench.done(scope).await;
    assert_eq!(old.people.read, 3, "a log without a source proves nothing");
}

/// A database can be told to log no reads of a role: then its log proves nothing, unless staff stand
/// for it. A log that only does not show that reads are logged is a doubt.
#[tokio::test]
async fn a_log_that_lacks_the_reads_of_a_role_counts_as_read() {
    let bench = Bench::start_alone().await;
    let before = scoped(&bench, vec![access(1, keys(&["2"]))], 0).await;
    let scope = ScopeIncident { incident: before.incident, from_log: true };
    let roles = vec!["web".to_owned()];
    let lacking = FinishAccessLog { reads: LoggedReads::LeavesOut(roles.clone()), ..finish(0) };
    bench.done(lacking.clone()).await;
    let exposure = bench.done(scope.clone()).await;
    assert_eq!((exposure.people.read, exposure.assumed), (3, 2));
    let is = |of: &DoubtCause| matches!(of, DoubtCause::ReadsNotLogged { roles: of, .. } if *of == roles);
    assert!(exposure.doubts.iter().any(|of| is(&of.cause)), "{:?}", exposure.doubts);

    let stated = LogStatements { reads_logged: true, ..LogStatements::default() };
    bench.done(FinishAccessLog { stated, ..lacking }).await;
    assert_eq!(bench.done(scope.clone()).await.people.read, 1);
    let last = bench.journal(IncidentId::NONE).await.pop().unwrap();
    assert!(last.detail.contains("every read was logged"), "{}", last.detail);

    bench.done(FinishAccessLog { reads: LoggedReads::NotShown, ..finish(0) }).await;
    let exposure = bench.done(scope).await;
    assert_eq!((exposure.people.read, exposure.assumed), (1, 0));
    let is = |of: &DoubtCause| matches!(of, DoubtCause::ReadsNotShown { .. });
    assert!(exposure.doubts.iter().any(|of| is(&of.cause)), "{:?}", exposure.doubts);
}

/// While an import of the table is unfinished, a log may name people who are still missing in it.
#[tokio::test]
async fn an_import_of_the_table_that_was_not_finished_counts_as_read() {
    let bench = Bench::start_alone().await;
    let incident = scoped(&bench, vec![access(1, keys(&["2"]))], 0).await.incident;
    bench.done(BeginTable { source: "more.csv".to_owned(), replaces: None }).await;
    let scope = ScopeIncident { incident, from_log: false };
    let exposure = bench.done(scope.clone()).await;
    let is_unfinished = |of: &response_api::Doubt| of.cause == DoubtCause::TableUnfinished;
    let doubt = exposure.doubts.iter().find(|doubt| is_unfinished(doubt)).unwrap();
    assert!(doubt.counts_as_read && doubt.what.contains("counts as read"), "{}", doubt.what);
    assert_eq!((exposure.people.read, exposure.assumed), (3, 2));
    bench.bring_table("more.csv", &["1", "2", "3"], 0).await;
    assert_eq!(bench.done(scope).await.people.read, 1);
}

#[tokio::test]
async fn an_import_that_was_not_finished_is_a_doubt() {
    let bench = Bench::start_alone().await;
    let incident = scoped(&bench, vec![access(1, keys(&["2"]))], 0).await.incident;
    let other = "cd".repeat(32);
    bench.done(begin(other.clone())).await;
    let scope = ScopeIncident { incident, from_log: false };
    let exposure = bench.done(scope.clone()).await;
    let cause = DoubtCause::AccessLogUnfinished { name: "a.log".to_owned(), log: other.clone() };
    assert!(exposure.doubts.iter().any(|doubt| doubt.cause == cause && doubt.counts_as_read));
    assert_eq!(exposure.people.read, 3);
    bench.done(RemoveAccessLog { log: other }).await;
    assert_eq!(bench.done(scope).await.people.read, 1);
}

/// The names of a log are looked up in the table as it is then. People who come later are not found.
#[tokio::test]
async fn a_log_that_was_brought_before_the_table_changed_is_a_doubt() {
    let bench = Bench::start_alone().await;
    let named = vec![access(1, keys(&["2"])), access(2, keys(&["4"]))];
    let before = scoped(&bench, named.clone(), 0).await;
    assert_eq!((before.people.read, before.assumed), (1, 0));
    let scope = ScopeIncident { incident: before.incident, from_log: false };
    let bring = async |key| {
        bench.bring_table("customers.csv", &[key], 0).await;
        bench.done(scope.clone()).await
    };
    let as_before = bring("2").await;
    assert_eq!(
        (as_before.people.read, as_before.assumed),
        (1, 0),
        "nobody is found by another name"
    );

    let cause = DoubtCause::TableChanged { name: "a.log".to_owned(), log: log() };
    let had_an_address = "UPDATE brought_person SET email_index = X'07' WHERE record = 2";
    bench.execute(had_an_address).await;
    for key in ["3", "4"] {
        let changed = bring(key).await;
        assert_eq!(changed.people.read, changed.customers, "everybody counts as read");
        assert!(changed.doubts.iter().any(|of| of.cause == cause && of.counts_as_read));
    }

    bench.done(RemoveAccessLog { log: log() }).await;
    bench.done(begin(log())).await;
    bench.done(page(0, named)).await;
    bench.done(finish(0)).await;
    let again = bench.done(scope.clone()).await;
    assert_eq!((again.people.read, again.assumed), (2, 0), "both are found");
}

/// The file of the key was lost, or another instance brought the table: no address of the table is found.
#[tokio::test]
async fn an_address_that_our_key_did_not_hash_counts_as_everybodys() {
    let bench = Bench::start_alone().await;
    bench.bring_table("customers.csv", &["1", "2"], 0).await;
    bench.execute("DELETE FROM brought_name_form WHERE form = 'no_email'").await;
    let named = vec![access(1, Whose::Emails(vec![Personal::new("ada@post.example")]))];
    let bring = async || {
        bench.done(begin(log())).await;
        bench.done(page(0, named.clone())).await;
        let log = bench.done(finish(0)).await;
        bench.done(RemoveAccessLog { log: log.log }).await;
        (log.unknown, log.everybody)
    };
    assert_eq!(bring().await, (1, 0), "another person's");
    let other = "UPDATE finding SET body = REPLACE(body, 'a', 'b') WHERE kind = 'address_keys'";
    bench.execute(other).await;
    assert_eq!(bring().await, (0, 1));
}
