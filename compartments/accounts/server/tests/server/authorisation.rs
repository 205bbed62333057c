//! The callers that may make each call. Every route has a row here, or the test fails.

use accounts_api::{
    AddPasskey, AnswerPasskey, AskPasskey, AskedPasskey, CheckPassword, CheckSession, CloseSession,
    CompleteReset, CreateCustomer, EraseCustomer, FindCustomer, FreezeCaller, ImportCustomers,
    ListCheckpoints, ListCustomers, NO_SESSION, OpenSession, ReadActivity, ReadChanges,
    ReadContacts, ReadCustomerNumbers, ReadCustomers, ReadImport, ReadPostalContacts, ReadReseal,
    ReadResetLoad, ReportMail, RequestReset, ResolveCustomerNumbers,
};
use cofferdam_core::{Base64Url, Call, CustomerNumber, Field, FieldSet, Personal, Record};
use cofferdam_wire::{Problem, ProblemType};

use testkit::SoftPasskey;

use crate::support::{Shop, ada, everybody, legacy_row, refused};

const PASSWORD: &str = "correct horse battery";

/// The ends of a call that is for the controller or the importers.
const NOT_FOR_SHOPS: [Option<ProblemType>; 2] = [Some(ProblemType::NOT_GRANTED); 2];

/// Checks each call for a caller without a grant and for an app server, and checks that a frozen
/// app server is refused.
struct Table {
    shop: Shop,
    paths: Vec<&'static str>,
}

impl Table {
    /// A table for a shop, of which `web-2` is frozen.
    async fn new(shop: Shop) -> Self {
        shop.client("response-1").call(&freeze()).await.unwrap();
        Self { shop, paths: Vec::new() }
    }

    async fn row<C: Call>(&mut self, call: C, [stranger, web]: [Option<ProblemType>; 2]) {
        let frozen = Some(ProblemType::FROZEN);
        for (caller, expected) in [("stranger", stranger), ("web-1", web), ("web-2", frozen)] {
            let refused = self.shop.client(caller).call(&call).await.err();
            let problem = refused.map(|e| e.problem().cloned().unwrap());
            let code = problem.as_ref().map(Problem::code);
            let expected = expected.map(|of| of.code);
            assert_eq!(code, expected, "{} by {caller}: {problem:?}", C::PATH);
        }
        self.paths.push(C::PATH);
    }

    /// Checks a call for callers that have a grant in `keys`.
    async fn granted<C: Call>(&mut self, call: C, web: Option<ProblemType>) {
        self.row(call, [Some(ProblemType::NOT_GRANTED), web]).await;
    }
}

fn freeze() -> FreezeCaller {
    FreezeCaller {
        caller: "web-2".parse().unwrap(),
        frozen: true,
        incident: None,
        reason: "it fell".parse().unwrap(),
    }
}

#[tokio::test]
async fn every_route_refuses_who_may_not() {
    let shop = Shop::open().await;
    let create = CreateCustomer { profile: ada(), password: Personal::new(PASSWORD) };
    let number = shop.client("web-1").call(&create).await.unwrap();
    let record = shop.record(number).await;
    let mut table = Table::new(shop).await;
    customers(&mut table, create, number).await;
    sessions(&mut table).await;
    passwords(&mut table).await;
    passkeys(&mut table).await;
    controller(&mut table, record).await;
    numbers(&mut table, number, record).await;
    table.paths.sort_unstable();
    let mut paths = accounts_server::paths();
    paths.sort_unstable();
    assert_eq!(table.paths, paths, "a route has no row in this table");
}

async fn customers(table: &mut Table, create: CreateCustomer, number: CustomerNumber) {
    let (email, fields) = (ada().email, FieldSet::EMPTY.with(Field::Name));
    table.granted(create, Some(accounts_api::ADDRESS_TAKEN)).await;
    table.granted(ReadCustomers { records: vec![number], fields, session: None }, None).await;
    table.granted(FindCustomer { email: email.clone() }, None).await;
    let nobody = table.shop.numbers([Record(70_000)]).await[0];
    table.granted(EraseCustomer { record: nobody }, Some(ProblemType::NOT_FOUND)).await;
    table.granted(ReportMail { recipient: email }, None).await;
}

async fn sessions(table: &mut Table) {
    let open = OpenSession { email: ada().email, password: Personal::new(PASSWORD) };
    let token = table.shop.client("web-1").call(&open).await.unwrap().token;
    table.granted(open, None).await;
    // A session is good only at the caller that opened it.
    table.row(CheckSession { token: token.clone() }, [Some(NO_SESSION), None]).await;
    table.row(CloseSession { token }, [Some(NO_SESSION), None]).await;
}

async fn passwords(table: &mut Table) {
    let (email, password) = (ada().email, Personal::new(PASSWORD));
    let check = CheckPassword { email: email.clone(), password: password.clone() };
    table.granted(check, None).await;
    table.granted(RequestReset { email }, None).await;
    // A code needs no grant beside it, and this code does not exist.
    let complete = CompleteReset { code: Personal::new("none"), password };
    table.row(complete, [Some(ProblemType::NOT_FOUND); 2]).await;
}

async fn passkeys(table: &mut Table) {
    let open = OpenSession { email: ada().email, password: Personal::new(PASSWORD) };
    let session = table.shop.client("web-1").call(&open).await.unwrap().token;
    let (key, credential_id) = (SoftPasskey::generate("shop.example"), Base64Url(vec![1; 16]));
    let passkey = key.public();
    let add = AddPasskey { session, credential_id: credential_id.clone(), passkey };
    table.row(add, [Some(NO_SESSION), None]).await;
    let AskedPasskey { challenge, token } =
        table.shop.client("web-1").call(&AskPasskey {}).await.unwrap();
    table.granted(AskPasskey {}, None).await;
    let assertion = key.sign(&challenge);
    table.granted(AnswerPasskey { token, credential_id, assertion }, None).await;
}

async fn controller(table: &mut Table, record: Record) {
    let now = table.shop.now();
    table.row(everybody(now, &["ann", "bob"]), NOT_FOR_SHOPS).await;
    table.row(freeze(), NOT_FOR_SHOPS).await;
    let (warrant, records) = ("0".repeat(32), vec![record]);
    let contacts = ReadContacts { warrant: warrant.clone(), records: records.clone() };
    table.row(contacts, NOT_FOR_SHOPS).await;
    table.row(ReadPostalContacts { warrant, records }, NOT_FOR_SHOPS).await;
    table.row(ListCustomers { from: Record(0), limit: 1 }, NOT_FOR_SHOPS).await;
    table.row(ReadReseal {}, NOT_FOR_SHOPS).await;
    table.row(ListCheckpoints {}, NOT_FOR_SHOPS).await;
    table.row(ReadResetLoad {}, NOT_FOR_SHOPS).await;
    table.row(ReadChanges { after: 0 }, NOT_FOR_SHOPS).await;
    table.row(ReadActivity { callers: None, from: now, to: now }, NOT_FOR_SHOPS).await;
    let rows = vec![legacy_row(1, ada(), "x")];
    table.row(ImportCustomers { source: "f".into(), rows }, NOT_FOR_SHOPS).await;
    table.row(ReadImport { source: "f".into() }, NOT_FOR_SHOPS).await;
}

/// A caller who may turn numbers into records learns when customers signed up, and where decoys are.
async fn numbers(table: &mut Table, number: CustomerNumber, record: Record) {
    table.row(ReadCustomerNumbers { records: vec![record] }, NOT_FOR_SHOPS).await;
    table.row(ResolveCustomerNumbers { numbers: vec![number] }, NOT_FOR_SHOPS).await;
}

/// Importers and the controller have different rights.
#[tokio::test]
async fn importers_import_and_the_controller_controls() {
    let shop = Shop::open().await;
    let (importer, controller) = (shop.client("import-1"), shop.client("response-1"));
    let rows = vec![legacy_row(1, ada(), "x")];
    let import = ImportCustomers { source: "f".into(), rows };
    refused(controller.call(&import).await, ProblemType::NOT_GRANTED);
    importer.call(&import).await.unwrap();
    let list = ListCustomers { from: Record(0), limit: 1 };
    refused(importer.call(&list).await, ProblemType::NOT_GRANTED);
    let resolve = ResolveCustomerNumbers { numbers: vec![CustomerNumber(0)] };
    refused(importer.call(&resolve).await, ProblemType::NOT_GRANTED);
    controller.call(&list).await.unwrap();
}
