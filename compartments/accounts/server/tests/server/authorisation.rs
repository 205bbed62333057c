//! Who may not: every route has a row here, or the test fails.

use accounts_api as api;
use api::{
    CheckPassword, CheckSession, CloseSession, CompleteReset, CreateCustomer, EraseCustomer,
    FindCustomer, FreezeCaller, ImportCustomers, ListCoarse, OpenSession, ReadChanges,
    ReadContacts, ReadCustomers, ReadImport, ReadPostal, ReadReseal, ReadResetLoad, ReadSeen,
    ReportMail, RequestReset, RevokeSessions,
};
use cofferdam_core::{Call, Field, FieldSet, Personal, Record};
use cofferdam_wire::{Client, ProblemType};

use crate::support::{Shop, ada, everybody, legacy_row, problem};

/// One path and how it ends for each kind of caller.
struct Row {
    path: &'static str,
    stranger: Option<ProblemType>,
    web: Option<ProblemType>,
    frozen: Option<ProblemType>,
}

/// Callers with a certificate of the authority: one that nobody granted anything, an app server,
/// and a frozen app server.
struct Callers {
    stranger: Client,
    web: Client,
    frozen: Client,
}

impl Callers {
    async fn try_all<C: Call>(&self, call: &C) -> Row {
        Row {
            path: C::PATH,
            stranger: problem(self.stranger.call(call).await),
            web: problem(self.web.call(call).await),
            frozen: problem(self.frozen.call(call).await),
        }
    }
}

#[tokio::test]
async fn every_route_refuses_who_may_not() {
    let shop = Shop::open().await;
    let (web, frozen) = (shop.client("web-1"), shop.client("web-2"));
    let password = Personal::new("correct horse battery");
    let create = CreateCustomer { profile: ada(), password: password.clone() };
    let record = web.call(&create).await.unwrap();
    let (email, now) = (Personal::new("ada@example.org"), shop.now());
    let open = OpenSession { email: email.clone(), password: password.clone() };
    let token = web.call(&open).await.unwrap().token;
    let freeze =
        FreezeCaller { caller: "web-2".parse().unwrap(), frozen: true, reason: "it fell".into() };
    shop.client("response-1").call(&freeze).await.unwrap();

    let all = Callers { stranger: shop.client("stranger"), web, frozen };
    let import = ImportCustomers { source: "f".into(), rows: vec![legacy_row(1, ada(), "x")] };
    let warrant = "0".repeat(32);
    let records = vec![record];
    let fields = FieldSet::EMPTY.with(Field::Name);
    let code = Personal::new("none");
    let (e, p) = (email.clone(), password.clone());
    let controllers = [
        all.try_all(&everybody(now, &["ann", "bob"])).await,
        all.try_all(&RevokeSessions { incident: 1, opened_before: now }).await,
        all.try_all(&freeze).await,
        all.try_all(&ReadPostal { warrant: warrant.clone(), records: records.clone() }).await,
        all.try_all(&ReadContacts { warrant, records: records.clone() }).await,
        all.try_all(&ListCoarse { from: Record(0), limit: 1 }).await,
        all.try_all(&ReadReseal {}).await,
        all.try_all(&ReadResetLoad {}).await,
        all.try_all(&ReadChanges { after: 0 }).await,
        all.try_all(&ReadSeen { callers: None, from: now, to: now }).await,
        all.try_all(&import).await,
        all.try_all(&ReadImport { source: "f".into() }).await,
    ];
    let granted = [
        all.try_all(&create).await,
        all.try_all(&ReadCustomers { records, fields }).await,
        all.try_all(&FindCustomer { email: email.clone() }).await,
        all.try_all(&EraseCustomer { record: Record(70_000) }).await,
        all.try_all(&ReportMail { recipient: email.clone() }).await,
        all.try_all(&open).await,
        all.try_all(&CheckPassword { email: e, password: p }).await,
        all.try_all(&RequestReset { email }).await,
    ];
    let owned = [
        all.try_all(&CheckSession { token: token.clone() }).await,
        all.try_all(&CompleteReset { code, password }).await,
        all.try_all(&CloseSession { token }).await,
    ];

    let rows = || controllers.iter().chain(&granted).chain(&owned);
    for path in accounts_server::paths() {
        assert!(rows().any(|row| row.path == *path), "{path} is in no row of this table");
    }
    assert_eq!(rows().count(), accounts_server::paths().len());
    for row in rows() {
        assert_eq!(row.frozen, Some(ProblemType::FROZEN), "{} by a frozen caller", row.path);
        assert!(row.stranger.is_some(), "{} answers a stranger", row.path);
    }
    for row in &controllers {
        assert_eq!(row.stranger, Some(ProblemType::NOT_GRANTED), "{}", row.path);
        assert_eq!(row.web, Some(ProblemType::NOT_GRANTED), "{} by an app server", row.path);
    }
    for row in &granted {
        assert_eq!(row.stranger, Some(ProblemType::NOT_GRANTED), "{}", row.path);
    }
    assert_eq!(owned[0].stranger, Some(accounts_api::NO_SESSION));
    assert_eq!(owned[1].stranger, Some(ProblemType::NOT_FOUND), "a code is its own leave");
    assert_eq!(owned[2].stranger, Some(accounts_api::NO_SESSION));
    assert_eq!([owned[0].web, owned[2].web], [None, None], "the owner of the session may");
}
