//! An incident on the terminal, and the step that follows it.

use response_api::{FallenHost, HostKind, Incident, People};

use crate::{columns, output, words};

/// Describes an incident, a line for each known fact.
pub fn lines(incident: &Incident) -> Vec<String> {
    let row = |what: &str, value: String| vec![what.to_owned(), value];
    let mut rows = vec![
        row(&format!("incident {}", incident.incident), incident.title.clone()),
        row("declared", words::instant(incident.declared)),
        row("fallen", words::names(&incident.fallen)),
        row("window", words::window(incident.from, incident.to)),
        row("found", incident.found.clone()),
        row("about", people(incident.people).to_owned()),
    ];
    rows.extend(incident.closed.map(|at| row("closed", words::instant(at))));
    columns::aligned(&rows)
}

/// Names the people whose records an incident is about.
pub const fn people(of: People) -> &'static str {
    match of {
        People::Accounts => "customers of accounts",
        People::Table => "people of the brought table",
    }
}

/// Prints the next step. Fallen hosts are frozen first; then the exposure is computed. A host of the
/// shop's own systems is no caller. `response` gives the order to freeze and can't freeze itself.
pub fn next(incident: &Incident, fallen: &[FallenHost]) {
    let number = incident.incident;
    if incident.people == People::Accounts {
        let freezable = |kind: HostKind| kind.is_caller() && kind != HostKind::Response;
        for host in fallen.iter().filter(|host| freezable(host.kind)) {
            let caller = &host.host;
            output::next(&format!(
                "cofferdam incident freeze {number} --caller {caller} --reason TEXT"
            ));
        }
    }
    output::next(&format!("cofferdam incident scope {number}"));
}
