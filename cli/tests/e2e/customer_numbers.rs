//! Staff look a person up by the number that an app server logged.

use cofferdam_core::{Field, FieldSet};
use estate::Compartment::Accounts;

use crate::letters::declared;
use crate::support::{Place, Up, stdout};

#[tokio::test]
async fn a_number_from_an_app_servers_log_shows_what_became_of_the_customer() {
    let place = Place::new();
    let _up = Up::start(&place);
    place.import(20);
    let call = place.read_call(7..8, FieldSet::EMPTY.with(Field::Name)).await;
    let number = call.records[0].to_string();
    let seen = place.client(Accounts, "shipping-1").call(&call).await.unwrap();
    assert_eq!(seen[0].record.to_string(), number);
    assert_ne!(number, "7");

    let incident = declared(&place.staff(), "shipping-1").await.to_string();
    let by_number = place.json(["incident", "person", &incident, "--number", &number]);
    assert_eq!(
        (&by_number["record"], by_number["number"].to_string()),
        (&7.into(), number.clone())
    );
    assert_eq!(by_number["fields"]["name"], "read");
    assert_eq!(place.json(["incident", "person", &incident, "7"]), by_number);
    let shown = stdout(&place.run(["incident", "person", &incident, "--number", &number]));
    assert!(
        shown.starts_with(&format!("record 7, customer number {number}: name read")),
        "{shown}"
    );
}
