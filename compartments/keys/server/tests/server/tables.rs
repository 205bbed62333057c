//! The same steps on each database.

use cofferdam_core::{Domain, Record};
use cofferdam_store::Location;
use cofferdam_wire::ProblemType;
use keys_api::{AlarmKind, ClaimDecoys, CloseWarrant, ListCallers, OpenWarrant, ReleaseKeys};

use crate::support::{Keys, ask, freeze, warrant};

async fn keeps_its_tables(database: impl FnOnce(&std::path::Path) -> Location) {
    let dir = tempfile::tempdir().unwrap();
    let location = database(dir.path());
    let mut keys = Keys::start_on(dir, location).await;
    let response = |keys: &Keys| keys.client("response-1");
    let claim = ClaimDecoys { domain: Domain::Accounts, from: Record(0), count: 1_000 };
    let decoys = keys.client("accounts").call(&claim).await.unwrap().decoys;
    let freeze = freeze("web-ky-2");
    response(&keys).call(&freeze).await.unwrap();
    response(&keys).call(&freeze).await.unwrap();
    let warrant = warrant(&keys, 1);
    let open = OpenWarrant { warrant: keys.sign(warrant) };
    let id = response(&keys).call(&open).await.unwrap();
    keys.release("web-ky-1", &[decoys[0].0]).await.unwrap();
    keys.rings(AlarmKind::Decoy).await;
    keys.release("web-ky-2", &[1]).await.unwrap_err();
    response(&keys).call(&CloseWarrant { warrant: id }).await.unwrap();

    let before = keys.alarms().await;
    assert_eq!(before.len(), 2);
    keys.restart().await;
    assert_eq!(keys.alarms().await, before);
    assert!(keys.release("web-ky-2", &[1]).await.unwrap_err().is(ProblemType::FROZEN));
    assert!(keys.client("accounts").call(&claim).await.is_err());
    let draw = ReleaseKeys { warrant: Some(id), ..ask("response-1", &[1]) };
    assert!(keys.client("accounts").call(&draw).await.is_err(), "closed stays closed");
    let statuses = response(&keys).call(&ListCallers {}).await.unwrap();
    let frozen = statuses.iter().filter(|s| s.frozen).map(|s| s.caller.as_str());
    assert_eq!(frozen.collect::<Vec<_>>(), ["web-ky-2"]);
    keys.stop().await;
}

#[tokio::test]
async fn keeps_its_tables_in_sqlite() {
    keeps_its_tables(|dir| Location::Sqlite(dir.join("keys.db"))).await;
}

#[tokio::test]
async fn keeps_its_tables_in_postgres() {
    let database = testkit::postgres::Database::create().await;
    keeps_its_tables(|_| database.location()).await;
}
