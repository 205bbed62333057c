//! Imports into an `accounts` that keeps its customers in memory, over real mutual TLS.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};

use accounts_api::{
    ImportCustomers, ImportOutcome, ImportResult, ImportState, LegacyScheme, ReadImport,
};
use axum::extract::State;
use cofferdam_core::{Compartment, CustomerNumber};
use cofferdam_wire::{Answer, Body, Client, Listener, Problem, ProblemType, Routes};
use proptest::prelude::*;
use tempfile::TempDir;
use testkit::Authority;

use super::*;
use crate::import::error::SourceError;

const HEADER: &str = "name,email,phone,billing_address,shipping_address,card_last4,country,region,\
    language,minor,password_scheme,password_salt,password_hash\n";
const SHA1: &str = "da39a3ee5e6b4b0d3255bfef95601890afd80709";

/// The customers of the stand-in for `accounts`, and the failures that it is told to show.
#[derive(Default)]
struct Book {
    imports: HashMap<String, ImportState>,
    customers: BTreeMap<String, CustomerNumber>,
    schemes: Vec<LegacyScheme>,
    lines: Vec<u64>,
    /// The first lines of batches that are refused.
    refuse: Vec<u64>,
    /// The number of further calls that are told to come back later.
    busy: u32,
}

const NEW: ImportState = ImportState { done_to_line: 0, created: 0 };

type Shared = Arc<Mutex<Book>>;

struct Accounts {
    book: Shared,
    client: Client,
    dir: TempDir,
}

impl Accounts {
    async fn start() -> Self {
        let authority = Authority::new();
        let listener = Listener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
        let base = format!("https://localhost:{}", listener.address().port());
        let book = Shared::default();
        let router = Routes::new()
            .call::<ImportCustomers, _, _>(import)
            .call::<ReadImport, _, _>(state)
            .into_router(book.clone());
        let identity = authority.identity("accounts");
        tokio::spawn(async move {
            listener.serve(&identity, router, std::future::pending()).await;
        });
        let client = authority.client(Compartment::Accounts, "import-1", &base);
        Self { book, client, dir: TempDir::new().unwrap() }
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap()
    }

    fn file(&self) -> PathBuf {
        self.dir.path().join("customers.csv")
    }

    async fn import(&self, rows: &[u8]) -> Result<ImportSummary, ImportError> {
        std::fs::write(self.file(), [HEADER.as_bytes(), rows].concat()).unwrap();
        let rejects = default_rejects(&self.file());
        self.import_file(&self.file(), &rejects).await
    }

    async fn import_file(&self, file: &Path, rejects: &Path) -> Result<ImportSummary, ImportError> {
        import_customers(&self.client, file, rejects, &mut |_, _| ()).await
    }

    fn rejects(&self) -> String {
        std::fs::read_to_string(default_rejects(&self.file())).unwrap()
    }
}

async fn import(
    State(book): State<Shared>,
    Body(call, encoding): Body<ImportCustomers>,
) -> Result<Answer<Vec<ImportOutcome>>, Problem> {
    let mut book = book.lock().unwrap();
    assert!((1..=1_000).contains(&call.rows.len()));
    assert!(call.rows.is_sorted_by(|a, b| a.line < b.line));
    if book.busy > 0 {
        book.busy -= 1;
        return Err(Problem::new(ProblemType::UNAVAILABLE, "busy").retry_after(1));
    }
    if book.refuse.contains(&call.rows[0].line) {
        return Err(Problem::not_granted("not you"));
    }
    let mut state = book.imports.get(&call.source).cloned().unwrap_or(NEW);
    let mut outcomes = Vec::new();
    for row in &call.rows {
        let email = row.profile.email.expose().to_lowercase();
        let next = CustomerNumber(u32::try_from(book.customers.len()).unwrap());
        let result = match book.customers.get(&email) {
            Some(record) if row.line <= state.done_to_line => ImportResult::AlreadyThere(*record),
            Some(_) => ImportResult::Rejected("another customer has this address".to_owned()),
            None => {
                book.customers.insert(email, next);
                book.schemes.push(row.credential.scheme);
                book.lines.push(row.line);
                ImportResult::Created(next)
            }
        };
        state.created += u64::from(matches!(result, ImportResult::Created(_)));
        outcomes.push(ImportOutcome { line: row.line, result });
    }
    state.done_to_line = state.done_to_line.max(call.rows.last().unwrap().line);
    book.imports.insert(call.source, state);
    Ok(Answer(outcomes, encoding))
}

async fn state(
    State(book): State<Shared>,
    Body(call, encoding): Body<ReadImport>,
) -> Answer<ImportState> {
    let state = book.lock().unwrap().imports.get(&call.source).cloned();
    Answer(state.unwrap_or(NEW), encoding)
}

/// A row with almost every field.
fn row(n: u64) -> String {
    format!(
        "Person {n},p{n}@shop.example,+1 555 {n},\"{n} Main St, X\",,4242,US,KY,en,false,\
         salted_sha1,salt{n},{SHA1}\n"
    )
}

/// Makes `count` good rows; every `bad_every`th line is followed by a bad row.
fn rows(count: u64, bad_every: u64) -> String {
    let mut out = String::new();
    for n in 0..count {
        out += &row(n);
        if n % bad_every == bad_every - 1 {
            writeln!(out, "bad {n}").unwrap();
        }
    }
    out
}

#[tokio::test]
async fn bad_rows_are_listed_by_line_and_reason_and_the_rest_is_imported() {
    let accounts = Accounts::start().await;
    let good = |email: &str| format!("Ada,{email},,,,,,,en,,salted_sha256,s,{}\n", "ab".repeat(32));
    let with = |column: &str, cell: &[u8]| -> Vec<u8> {
        let place = HEADER.trim().split(',').position(|name| name == column).unwrap();
        let row = row(9);
        let row = row.replace("\"9 Main St, X\"", "9 Main St");
        let mut cells: Vec<&[u8]> = row.trim_end().split(',').map(str::as_bytes).collect();
        cells[place] = cell;
        [cells.join(&b','), b"\n".to_vec()].concat()
    };
    let long = "x".repeat(501);
    let parts: Vec<Vec<u8>> = vec![
        good("a@x.example").into(),
        with("country", b"Ada's secret street"),
        with("country", b"us"),
        b"\r\n\r\n".to_vec(),
        with("region", b"Kentucky"),
        with("language", b""),
        b"\"Ada\r\nof\nMany Lines\",b@x.example,,,,,GB,LND,en,true,salted_sha1,s,".to_vec(),
        format!("{}\r\n", SHA1.to_uppercase()).into(),
        with("minor", b"perhaps"),
        with("name", b"J\xF6rg"),
        with("password_scheme", b"md5"),
        with("password_hash", b"abc"),
        with("password_hash", "ab".repeat(32).as_bytes()),
        with("phone", long.as_bytes()),
        b"Ada,a@x.example\n".to_vec(),
        good("A@x.example").into(),
        good("c@x.example").trim_end().into(),
    ];
    let summary = accounts.import(&parts.concat()).await.unwrap();
    let counts = (summary.created, summary.already_there, summary.rejected);
    assert_eq!(counts, (3, 0, 12));
    let expected = "line,reason\n\
        3,country is not two capital letters (ISO 3166-1)\n\
        4,country is not two capital letters (ISO 3166-1)\n\
        7,region is not one to three capital letters or digits (ISO 3166-2)\n\
        8,language is not two small letters (ISO 639-1)\n\
        12,minor is not true or false\n\
        13,name is not UTF-8\n\
        14,password_scheme is not salted_sha1 or salted_sha256\n\
        15,\"password_hash is not 20 bytes in hexadecimal, as its scheme has\"\n\
        16,\"password_hash is not 20 bytes in hexadecimal, as its scheme has\"\n\
        17,phone has more than 500 bytes\n\
        18,\"the row has 2 cells, the header 13\"\n\
        19,another customer has this address\n";
    assert_eq!(accounts.rejects(), expected);
    assert_eq!(accounts.book().lines, [2, 9, 20]);
    let (sha1, sha256) = (LegacyScheme::SaltedSha1, LegacyScheme::SaltedSha256);
    assert_eq!(accounts.book().schemes, [sha256, sha1, sha256]);
}

#[tokio::test]
async fn a_quote_swallows_nobody() {
    let accounts = Accounts::start().await;
    let plain = |n: u64| row(n).replace(&format!("\"{n} Main St, X\""), "Main St");
    let opened = |n: u64| plain(n).replace("Person", "\"Person");
    // Two rows of which a quote makes one, with too many cells, and with as many as the header.
    let as_many =
        "Ada,a@x.example,\"1\n,2,\"".to_owned() + &plain(7)[plain(7).find(",,").unwrap()..];
    for (rows, created, rejected) in [
        ([plain(1), opened(2), opened(3), plain(4)].concat(), 2, 2),
        ([plain(5), as_many, plain(6)].concat(), 2, 2),
    ] {
        let summary = accounts.import(rows.as_bytes()).await.unwrap();
        assert_eq!((summary.created, summary.rejected), (created, rejected), "{rows}");
        let again = accounts.import(rows.as_bytes()).await.unwrap();
        assert_eq!((again.already_there, again.rejected), (created, rejected), "{rows}");
    }
    let open = [plain(8), opened(9), plain(10)].concat();
    let error = accounts.import(open.as_bytes()).await.unwrap_err().to_string();
    assert!(error.contains("from line 3 on") && error.contains("never closed"), "{error}");
}

#[tokio::test]
async fn an_import_goes_on_where_it_stopped() {
    let accounts = Accounts::start().await;
    let rows = rows(6_000, 7);
    // The fourth batch fails. The fifth one, which is under way at the same time, succeeds.
    accounts.book().refuse = vec![first_line_of_batch(3)];
    let failed = accounts.import(rows.as_bytes()).await.unwrap_err();
    assert!(failed.to_string().contains("not you"), "{failed}");
    let before = accounts.book().lines.len() as u64;
    assert!(before < 6_000);

    accounts.book().refuse.clear();
    accounts.book().lines.clear();
    let summary = accounts.import(rows.as_bytes()).await.unwrap();
    assert_eq!(summary.created, 6_000 - before);
    assert_eq!((summary.already_there, summary.rejected), (before, 857));
    assert_eq!(accounts.book().customers.len(), 6_000);
    let listed: Vec<String> = accounts.rejects().lines().map(str::to_owned).collect();
    let bad_lines =
        (1..=857).map(|n| format!("{},\"the row has 1 cells, the header 13\"", n * 8 + 1));
    assert_eq!(listed[1..], bad_lines.collect::<Vec<_>>());

    // A third run has nothing left to do.
    accounts.book().lines.clear();
    let summary = accounts.import(rows.as_bytes()).await.unwrap();
    assert_eq!((summary.created, summary.already_there, summary.rejected), (0, 6_000, 857));
    assert_eq!(accounts.rejects().lines().count(), 858);

    // Without the list of rejects, every row is sent again and the list is made anew.
    std::fs::remove_file(default_rejects(&accounts.file())).unwrap();
    let summary = accounts.import(rows.as_bytes()).await.unwrap();
    assert_eq!((summary.created, summary.already_there, summary.rejected), (0, 6_000, 857));
    assert!(accounts.book().lines.is_empty());
}

/// The line of the first row in the batch with this number, in a file of [`rows`] by seven.
fn first_line_of_batch(batch: u64) -> u64 {
    let good = batch * 1_000;
    2 + good + good / 7
}

#[tokio::test]
async fn a_changed_file_is_another_file() {
    let accounts = Accounts::start().await;
    let first = accounts.import(rows(1_500, 10_000).as_bytes()).await.unwrap();
    let second = accounts.import(rows(1_501, 10_000).as_bytes()).await.unwrap();
    assert_ne!(first.source, second.source);
    assert_eq!((second.created, second.already_there, second.rejected), (1, 0, 1_500));
}

#[tokio::test]
async fn a_busy_accounts_is_asked_again() {
    let accounts = Accounts::start().await;
    accounts.book().busy = 2;
    let summary = accounts.import(rows(1_200, 10_000).as_bytes()).await.unwrap();
    assert_eq!(summary.created, 1_200);
}

#[tokio::test]
async fn an_error_names_the_file() {
    let accounts = Accounts::start().await;
    let rejects = accounts.dir.path().join("r.csv");
    let import = async |name: &str, content: Option<&[u8]>| {
        let path = accounts.dir.path().join(name);
        if let Some(content) = content {
            std::fs::write(&path, content).unwrap();
        }
        let error = accounts.import_file(&path, &rejects).await.unwrap_err();
        let message = error.to_string();
        assert!(message.contains(name), "{message}");
        message
    };
    assert!(import("none.csv", None).await.contains("No such file"));
    assert!(import("empty.csv", Some(b"")).await.contains("no column name, email"));
    let header = HEADER.replace("email,", "").replace("minor,", "");
    let missing = import("short.csv", Some(header.as_bytes())).await;
    assert!(missing.ends_with("no column email, minor"), "{missing}");
    let twice = import("twice.csv", Some(HEADER.replace("phone", "email").as_bytes())).await;
    assert!(twice.ends_with("the column email twice"), "{twice}");
    let open_quote = [HEADER, &row(1), "\"Ada,", &"x,".repeat(600_000)].concat();
    let quote = import("quote.csv", Some(open_quote.as_bytes())).await;
    assert!(quote.contains("from line 3 on") && quote.contains("a quote"), "{quote}");
}

#[tokio::test]
async fn a_byte_order_mark_and_more_columns_do_no_harm() {
    let accounts = Accounts::start().await;
    let header = format!("\u{feff}\"name\",id,{}", &HEADER[5..]);
    let row = row(1).replacen(',', ",77,", 1);
    std::fs::write(accounts.file(), format!("{header}{row}")).unwrap();
    let rejects = accounts.dir.path().join("r.csv");
    let summary = accounts.import_file(&accounts.file(), &rejects).await.unwrap();
    assert_eq!((summary.created, summary.rejected), (1, 0));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn foreign_bytes_are_rows_or_errors_and_never_a_panic(
        with_header: bool,
        bytes in proptest::collection::vec(any::<u8>(), 0..600),
        text in "[,\"\r\n\\PC]{0,300}",
    ) {
        let header = if with_header { HEADER.as_bytes() } else { b"" };
        let dir = TempDir::new().unwrap();
        let path = dir.path().join("foreign.csv");
        std::fs::write(&path, [header, text.as_bytes(), &bytes].concat()).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let read = runtime.block_on(async {
            let source = Source::open(&path).await?;
            let (mut reader, _) = source.resume(3).await?;
            let mut last = 1;
            while let Some(batch) = reader.next_batch()? {
                assert!(batch.up_to_line > last, "lines go up");
                last = batch.up_to_line;
            }
            Ok::<_, SourceError>(last)
        });
        let open = read.as_ref().is_err_and(|e| e.to_string().contains("never closed"));
        prop_assert!(read.is_ok() || open || !with_header);
    }
}
