//! The doubts that the logs leave.

use std::collections::BTreeMap;

use cofferdam_core::{CallerName, Timestamp};
use response_api::{
    AccessLog, DoubtCause, Exposure, LogCatalogue, LoggedReads, MAY_LACK_READS, Span,
};

use crate::FallenHosts;

/// The state of the copy of a release log when the exposure was computed.
#[derive(Debug, Clone)]
pub struct CopyState {
    /// The log's name.
    pub log: String,
    /// Entries that were copied and verified.
    pub size: u64,
    /// Entries that a cosigned checkpoint covers.
    pub cosigned: u64,
    /// The reason why the log could not be followed, if it could not.
    pub not_followed: Option<NotFollowed>,
}

/// A log that could not be followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotFollowed {
    /// The last instant at which it was followed, as far as this process knows.
    pub since: Option<Timestamp>,
    /// The cause of the failure, in words.
    pub reason: String,
    /// Whether the log disagrees with its copy.
    pub disagrees: bool,
}

/// The doubts about copies of release logs. `clock_moved` holds the instants of the alarms about a
/// moved clock of `keys`, and `to` is the window's end.
#[must_use]
pub fn doubts_of_copies(
    copies: &[CopyState],
    clock_moved: &[Timestamp],
    to: Option<Timestamp>,
) -> Vec<DoubtCause> {
    let not_followed = copies.iter().filter_map(|copy| {
        let NotFollowed { since, reason, disagrees } = copy.not_followed.clone()?;
        if disagrees {
            return Some(DoubtCause::LogDisagrees { log: copy.log.clone(), reason });
        }
        let after_window = to.zip(since).is_some_and(|(to, since)| to <= since);
        Some(DoubtCause::LogNotFollowed { log: copy.log.clone(), since, after_window, reason })
    });
    let not_cosigned = copies.iter().filter(|copy| copy.cosigned < copy.size).map(|copy| {
        let log = copy.log.clone();
        DoubtCause::NotCosigned { log, from: copy.cosigned, to: copy.size }
    });
    let moved = clock_moved.iter().map(|at| DoubtCause::ClockMoved { at: *at });
    not_followed.chain(not_cosigned).chain(moved).collect()
}

/// Adds the entries of each log that an exposure rested on to the most that one rested on. The first
/// line of a checkpoint is the log's name.
#[must_use]
pub fn most_entries(
    mut rested_on: BTreeMap<String, u64>,
    exposure: &Exposure,
) -> BTreeMap<String, u64> {
    for log in exposure.logs.iter().filter(|log| log.size > 0) {
        let name = log.checkpoint.lines().next().unwrap_or_default();
        let most = rested_on.entry(name.to_owned()).or_default();
        *most = log.size.max(*most);
    }
    rested_on
}

/// The doubts about copies that have fewer entries than an earlier exposure rested on. `rested_on`
/// holds the most entries of each log that any exposure of the incident rested on.
#[must_use]
pub fn doubts_of_sizes(copies: &[CopyState], rested_on: &BTreeMap<String, u64>) -> Vec<DoubtCause> {
    let size = |log: &String| copies.iter().find(|of| of.log == *log).map_or(0, |of| of.size);
    let shorter = rested_on.iter().filter(|(log, had)| size(log) < **had);
    let doubt = |(log, had): (&String, &u64)| DoubtCause::LogShorter {
        log: log.clone(),
        had: *had,
        has: size(log),
    };
    shorter.map(doubt).collect()
}

/// The doubts about access logs, for a window from `from` to `to`. An open window ends now: a host
/// that nobody shut off goes on reading behind the end of every log.
#[must_use]
pub fn doubts_of_access_logs(
    logs: &[AccessLog],
    hosts: &FallenHosts,
    from: Timestamp,
    to: Timestamp,
) -> Vec<DoubtCause> {
    let uncovered = |host: &CallerName| {
        let covering = logs.iter().filter(|log| covers(log, logs, host, hosts));
        let spans: Vec<Span> = covering.map(|log| log.covers).collect();
        let host = Some(host.clone());
        let not_covered =
            move |Span { from, to }| DoubtCause::NotCovered { host: host.clone(), from, to };
        gaps(&spans, from, to).into_iter().map(not_covered)
    };
    let mut doubts: Vec<_> = hosts.apps().flat_map(uncovered).collect();
    let apart = |span: Span| span.to < from || span.from > to;
    for log in logs.iter().filter(|log| !apart(log.covers)) {
        if log.unreadable > 0 {
            let (log, lines) = (log.name.clone(), log.unreadable);
            doubts.push(DoubtCause::UnreadableLines { log, lines });
        }
        if let Some(LogCatalogue { taken, followed: false }) = log.catalogue
            && !log.stated.unchanged
        {
            doubts.push(DoubtCause::DefinitionsUnknown { log: log.name.clone(), taken });
        }
        doubts.extend(doubt_of_reads(log));
        if log.unknown > 0 {
            let (log, names) = (log.name.clone(), log.unknown);
            doubts.push(DoubtCause::NotInTable { log, names });
        }
    }
    doubts
}

/// The doubt about reads that a log may lack.
fn doubt_of_reads(log: &AccessLog) -> Option<DoubtCause> {
    if log.stated.reads_logged {
        return None;
    }
    let name = log.name.clone();
    match &log.reads {
        LoggedReads::NotAsked if !MAY_LACK_READS.contains(&log.format.as_str()) => None,
        LoggedReads::Shown => None,
        LoggedReads::NotShown | LoggedReads::NotAsked => {
            Some(DoubtCause::ReadsNotShown { log: name })
        }
        LoggedReads::LeavesOut(roles) => {
            Some(DoubtCause::ReadsNotLogged { log: name, roles: roles.clone() })
        }
    }
}

/// Whether a log tells everything about a fallen host within its span.
fn covers(log: &AccessLog, logs: &[AccessLog], host: &CallerName, hosts: &FallenHosts) -> bool {
    let Some(source) = &log.source else { return false };
    let same = |other: &&AccessLog| other.source.as_ref().is_some_and(|of| of.name == source.name);
    let appears = || logs.iter().filter(same).any(|log| log.actors.contains_key(host));
    let fallen = |name: &CallerName| hosts.names(name);
    source.covers(host, fallen, appears(), log.stated.shipped)
}

/// The fallen app servers that are not `known`: their names may be misspelt.
pub fn unknown_hosts(hosts: &FallenHosts, known: impl Fn(&CallerName) -> bool) -> Vec<DoubtCause> {
    let unknown = hosts.apps().filter(|name| !known(name));
    unknown.map(|name| DoubtCause::UnknownHost { host: name.clone() }).collect()
}

/// The parts of a window that no span covers.
fn gaps(spans: &[Span], from: Timestamp, to: Timestamp) -> Vec<Span> {
    let mut spans = spans.to_vec();
    spans.sort_by_key(|span| span.from);
    let (mut covered_to, mut gaps) = (from, Vec::new());
    for span in spans.iter().filter(|span| span.from <= to) {
        // Windows are precise to the millisecond only.
        if span.from.as_millisecond() > covered_to.as_millisecond() {
            gaps.push(Span { from: covered_to, to: span.from });
        }
        covered_to = covered_to.max(span.to);
    }
    if covered_to.as_millisecond() < to.as_millisecond() || spans.is_empty() {
        gaps.push(Span { from: covered_to, to });
    }
    gaps
}

#[cfg(test)]
mod tests {
    use response_api::{LogSource, LogStatements, People};

    use super::*;

    fn at(hour: i64) -> Timestamp {
        Timestamp::from_second(hour * 3_600).unwrap()
    }

    fn span(from: i64, to: i64) -> Span {
        Span { from: at(from), to: at(to) }
    }

    fn log(covers: Span, unreadable: u64, unknown: u64) -> AccessLog {
        AccessLog {
            log: String::new(),
            name: "app.csv".into(),
            format: "csv".into(),
            covers,
            accesses: 1,
            everybody: 0,
            unknown,
            unreadable,
            unknown_lines: Vec::new(),
            actors: BTreeMap::new(),
            source: Some(LogSource {
                covers: ["web-1".parse().unwrap()].into(),
                ..LogSource::default()
            }),
            stated: LogStatements::default(),
            catalogue: None,
            reads: LoggedReads::Shown,
        }
    }

    #[test]
    fn a_log_that_may_lack_reads_is_in_doubt_unless_staff_stand_for_it() {
        let doubts = |reads, reads_logged| {
            let mut log = log(span(0, 10), 0, 0);
            (log.reads, log.stated.reads_logged) = (reads, reads_logged);
            doubts_of_access_logs(&[log], &fallen(&["web-1"]), at(3), at(7))
        };
        let (log, roles) = ("app.csv".to_owned(), vec!["web".to_owned()]);
        let not_shown = DoubtCause::ReadsNotShown { log: log.clone() };
        let not_logged = DoubtCause::ReadsNotLogged { log, roles: roles.clone() };
        assert!(!not_shown.counts_as_read() && not_logged.counts_as_read());
        assert_eq!(doubts(LoggedReads::NotShown, false), [not_shown]);
        assert_eq!(doubts(LoggedReads::NotAsked, false), [], "its format has every read");
        assert_eq!(doubts(LoggedReads::LeavesOut(roles.clone()), false), [not_logged]);
        assert_eq!(doubts(LoggedReads::Shown, false), []);
        assert_eq!(doubts(LoggedReads::NotShown, true), []);
        assert_eq!(doubts(LoggedReads::LeavesOut(roles), true), []);
    }

    #[test]
    fn a_log_whose_definitions_are_not_followed_to_the_catalogue_is_in_doubt() {
        let taken = at(30);
        let doubts = |followed, unchanged, covers| {
            let mut log = log(covers, 0, 0);
            log.catalogue = Some(LogCatalogue { taken, followed });
            log.stated.unchanged = unchanged;
            doubts_of_access_logs(&[log], &fallen(&["web-1"]), at(3), at(7))
        };
        let unknown = DoubtCause::DefinitionsUnknown { log: "app.csv".into(), taken };
        assert!(unknown.counts_as_read() && unknown.leaves_out());
        assert_eq!(doubts(false, false, span(0, 10)), [unknown]);
        assert_eq!(doubts(true, false, span(0, 10)), []);
        assert_eq!(doubts(false, true, span(0, 10)), [], "staff stand for it");
        let apart = doubts(false, false, span(8, 9));
        assert!(matches!(apart[..], [DoubtCause::NotCovered { .. }]), "{apart:?}");
    }

    #[test]
    fn time_that_no_log_covers_is_a_gap() {
        let logs = [span(5, 8), span(1, 3), span(2, 4)];
        assert_eq!(gaps(&logs, at(2), at(4)), []);
        assert_eq!(gaps(&logs, at(0), at(9)), [span(0, 1), span(4, 5), span(8, 9)]);
        assert_eq!(gaps(&logs, at(6), at(8)), []);
        assert_eq!(gaps(&logs, at(0), at(2)), [span(0, 1)]);
        assert_eq!(gaps(&[], at(6), at(6)), [span(6, 6)]);
        let almost = Timestamp::from_nanosecond(at(1).as_nanosecond() - 999_999).unwrap();
        assert_eq!(gaps(&[span(1, 4)], almost, at(4)).len(), 1);
        let same = Timestamp::from_nanosecond(at(1).as_nanosecond() + 999_999).unwrap();
        assert_eq!(gaps(&[Span { from: same, to: at(4) }], at(1), at(4)), []);
    }

    #[test]
    fn a_log_outside_the_window_raises_no_doubt_about_its_lines() {
        let cover = log(span(0, 10), 0, 0);
        for (other, expected) in [
            (
                log(span(4, 6), 3, 0),
                vec![DoubtCause::UnreadableLines { log: "app.csv".into(), lines: 3 }],
            ),
            (
                log(span(4, 6), 0, 2),
                vec![DoubtCause::NotInTable { log: "app.csv".into(), names: 2 }],
            ),
            (log(span(0, 2), 3, 2), vec![]),
            (log(span(8, 9), 3, 2), vec![]),
            (
                log(span(0, 3), 1, 0),
                vec![DoubtCause::UnreadableLines { log: "app.csv".into(), lines: 1 }],
            ),
            (
                log(span(7, 9), 1, 0),
                vec![DoubtCause::UnreadableLines { log: "app.csv".into(), lines: 1 }],
            ),
        ] {
            let logs = [cover.clone(), other];
            assert_eq!(doubts_of_access_logs(&logs, &fallen(&["web-1"]), at(3), at(7)), expected);
        }
        assert_eq!(
            doubts_of_access_logs(&[], &fallen(&["web-1"]), at(3), at(7)),
            [DoubtCause::NotCovered {
                host: Some("web-1".parse().unwrap()),
                from: at(3),
                to: at(7)
            }]
        );
    }

    fn fallen(names: &[&str]) -> FallenHosts {
        let hosts: Vec<_> = names.iter().map(|name| name.parse().unwrap()).collect();
        FallenHosts::new(People::Table, &hosts)
    }

    /// Whether a log with this source covers `web-1`, which fell with `others`.
    fn is_covered(source: Option<LogSource>, shipped: bool, others: &[&str]) -> bool {
        let mut only = log(span(0, 9), 0, 0);
        only.source = source;
        only.stated.shipped = shipped;
        only.actors = [("web-1".parse().unwrap(), 1)].into();
        let hosts = fallen(&[&["web-1"], others].concat());
        let doubts = doubts_of_access_logs(&[only], &hosts, at(3), at(7));
        let web = |doubt: &DoubtCause| matches!(doubt, DoubtCause::NotCovered { host: Some(host), .. } if host.as_str() == "web-1");
        !doubts.iter().any(web)
    }

    #[test]
    fn a_log_covers_its_server_if_it_was_shipped_and_a_service_its_clients() {
        let server = |name: &str| LogSource { server: name.parse().ok(), ..LogSource::default() };
        let service = |name: &str| LogSource { clients: true, ..server(name) };
        let database = |name: &str| LogSource { database: true, ..service(name) };
        assert!(!is_covered(Some(server("web-1")), false, &[]), "the fallen host wrote it");
        assert!(is_covered(Some(server("web-1")), true, &[]));
        assert!(!is_covered(Some(server("web-2")), true, &[]), "it covers another server");
        assert!(is_covered(Some(service("lb-1")), false, &[]));
        assert!(!is_covered(Some(service("lb-1")), false, &["lb-1"]), "its writer fell too");
        assert!(is_covered(Some(service("lb-1")), true, &["lb-1"]));
        assert!(!is_covered(Some(service("lb-1")), false, &["lb-1=accounts_database"]));
        assert!(
            !is_covered(Some(database("web-1")), true, &[]),
            "a database's log never covers it"
        );
        assert!(!is_covered(None, true, &[]), "brought before sources were kept");
    }

    #[test]
    fn a_client_that_appears_in_one_file_of_a_service_is_covered_by_all_of_them() {
        let file = |covers: Span, name: &str, actor: &str| {
            let source = LogSource { name: name.into(), clients: true, ..LogSource::default() };
            let actors = [(actor.parse().unwrap(), 1)].into();
            AccessLog { source: Some(source), actors, ..log(covers, 0, 0) }
        };
        let doubts = |logs: &[AccessLog]| {
            doubts_of_access_logs(logs, &fallen(&["web-1"]), at(3), at(7)).len()
        };
        assert_eq!(doubts(&[file(span(3, 5), "pg", "web-1"), file(span(5, 7), "pg", "other")]), 0);
        assert_eq!(doubts(&[file(span(3, 5), "pg", "web-1"), file(span(5, 7), "s3", "other")]), 1);
        assert_eq!(doubts(&[file(span(3, 7), "pg", "other")]), 1, "the host appears nowhere");
    }

    #[test]
    fn a_copy_that_lags_or_is_not_cosigned_is_a_doubt() {
        let copy = |cosigned, since: Option<Option<Timestamp>>| CopyState {
            log: "keys/log".into(),
            size: 10,
            cosigned,
            not_followed: since.map(|since| NotFollowed {
                since,
                reason: "refused".into(),
                disagrees: false,
            }),
        };
        let lag = |since, after_window| DoubtCause::LogNotFollowed {
            log: "keys/log".into(),
            since,
            after_window,
            reason: "refused".into(),
        };
        let doubts = |copy: CopyState, to| doubts_of_copies(&[copy], &[], to);
        assert_eq!(doubts(copy(10, None), Some(at(4))), []);
        assert_eq!(
            doubts(copy(9, None), None),
            [DoubtCause::NotCosigned { log: "keys/log".into(), from: 9, to: 10 }]
        );
        for (since, to, after) in [
            (None, Some(at(4)), false),
            (Some(at(5)), None, false),
            (Some(at(5)), Some(at(4)), true),
            (Some(at(4)), Some(at(4)), true),
            (Some(at(3)), Some(at(4)), false),
        ] {
            assert_eq!(doubts(copy(10, Some(since)), to), [lag(since, after)]);
        }
        let mut changed = copy(10, Some(Some(at(5))));
        changed.not_followed.as_mut().unwrap().disagrees = true;
        let (log, reason) = ("keys/log".into(), "refused".into());
        assert_eq!(doubts(changed, Some(at(4))), [DoubtCause::LogDisagrees { log, reason }]);
        let moved = doubts_of_copies(&[], &[at(1)], None);
        assert_eq!(moved, [DoubtCause::ClockMoved { at: at(1) }]);
    }

    #[test]
    fn a_copy_that_lost_entries_since_an_earlier_exposure_is_a_doubt() {
        let copy = |size| CopyState { log: "a".into(), size, cosigned: size, not_followed: None };
        let shorter = |log: &str, had, has| DoubtCause::LogShorter { log: log.into(), had, has };
        for (had, size, expected) in [
            (&[("a", 10)][..], 10, vec![]),
            (&[("a", 10)], 11, vec![]),
            (&[("a", 10)], 9, vec![shorter("a", 10, 9)]),
            (&[("a", 10), ("b", 3)], 10, vec![shorter("b", 3, 0)]),
            (&[], 0, vec![]),
        ] {
            let rested_on = had.iter().map(|(log, size)| ((*log).to_owned(), *size)).collect();
            assert_eq!(doubts_of_sizes(&[copy(size)], &rested_on), expected, "{had:?} {size}");
        }
    }

    #[test]
    fn only_app_servers_can_be_unknown() {
        let names = ["web-1", "web-2", "b=accounts_database"];
        let names: Vec<_> = names.iter().map(|name| name.parse().unwrap()).collect();
        let hosts = FallenHosts::new(People::Table, &names);
        let unknown = unknown_hosts(&hosts, |name| name.as_str() == "web-2");
        assert_eq!(unknown, [DoubtCause::UnknownHost { host: "web-1".parse().unwrap() }]);
    }
}
