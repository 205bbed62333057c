//! Letters, their versions and locales, and the mail providers.

use keys_api::WarrantId;
use response_api::{Audience, IncidentId, JournalAct, LetterId, LetterState};
use response_letter::Locale;
use response_mailing::{Letter, Letters as _};
use response_server::store::Store;

use crate::support::{Tables, act, at, version};

on_both_databases!(
    an_audience_gets_one_letter_an_incident,
    letters_and_providers_at_once_get_numbers_of_their_own,
    a_version_never_changes,
    only_the_approved_version_runs,
    a_stopped_letter_takes_a_new_approval,
    a_secret_is_made_once_and_so_is_a_providers_number,
    the_first_staff_list_counts,
    locales_keep_their_numbers,
    a_provider_is_paused_for_the_first_reason,
    only_sqlite_is_used_by_one_process,
);

async fn letter_of(store: &Store) -> LetterId {
    let letter = store.letter_to(IncidentId(1), Audience::Customers, [7; 32]).await.unwrap();
    letter.letter
}

async fn read(store: &Store, id: LetterId) -> Letter {
    store.letter(id).await.unwrap().unwrap()
}

async fn an_audience_gets_one_letter_an_incident(tables: &Tables) {
    let store = &tables.store;
    let letter = store.letter_to(IncidentId(1), Audience::Customers, [7; 32]).await.unwrap();
    let same = store.letter_to(IncidentId(1), Audience::Customers, [8; 32]).await.unwrap();
    assert_eq!(letter, same, "the seed stays as well");
    let staff = store.letter_to(IncidentId(1), Audience::Staff, [9; 32]).await.unwrap();
    let other = store.letter_to(IncidentId(2), Audience::Staff, [9; 32]).await.unwrap();
    assert_eq!(store.letters_about(IncidentId(1)).await.unwrap(), [letter.clone(), staff.clone()]);
    assert_eq!(store.all_letters().await.unwrap(), [letter, staff, other]);
    assert_eq!(store.letter(LetterId(4)).await.unwrap(), None);
}

async fn letters_and_providers_at_once_get_numbers_of_their_own(tables: &Tables) {
    let number = |n: u32| {
        let store = tables.store.clone();
        tokio::spawn(async move {
            let letter = store.letter_to(IncidentId(n), Audience::Staff, [7; 32]).await.unwrap();
            (letter.letter.0, store.provider_number(&format!("provider {n}")).await.unwrap())
        })
    };
    let (mut letters, mut providers) = (Vec::new(), Vec::new());
    for numbers in (0..8).map(number).collect::<Vec<_>>() {
        let (letter, provider) = numbers.await.unwrap();
        letters.push(letter);
        providers.push(provider);
    }
    letters.sort_unstable();
    providers.sort_unstable();
    assert_eq!(letters, (1..=8).collect::<Vec<_>>());
    assert_eq!(providers, (1..=8).collect::<Vec<_>>());
}

async fn a_version_never_changes(tables: &Tables) {
    let (store, id) = (&tables.store, letter_of(&tables.store).await);
    for body in ["one", "another"] {
        let draft = act(1, JournalAct::DraftLetter, 2);
        store.keep_version(id, version(1), body, &draft).await.unwrap();
    }
    assert_eq!(store.version(id, version(1)).await.unwrap().as_deref(), Some("one"));
    assert_eq!(store.version(id, version(2)).await.unwrap(), None);
    assert_eq!(store.version(LetterId(9), version(1)).await.unwrap(), None);
}

async fn only_the_approved_version_runs(tables: &Tables) {
    let (store, id) = (&tables.store, letter_of(&tables.store).await);
    let start = |second| act(1, JournalAct::StartLetter, second);
    assert!(store.set_planned(id, &start(1)).await.unwrap());
    assert!(!store.set_planned(id, &start(2)).await.unwrap(), "it was planned before");
    assert!(!store.set_running(id, version(1), &start(3)).await.unwrap(), "nothing is approved");
    store.set_approved(id, version(1), WarrantId([3; 16]), &start(4)).await.unwrap();
    assert!(!store.set_running(id, version(2), &start(5)).await.unwrap(), "another version");
    assert!(store.set_running(id, version(1), &start(6)).await.unwrap());
    store.pause(id, "why", None).await.unwrap();
    let paused = read(store, id).await;
    assert_eq!((paused.state, paused.trouble.as_str()), (LetterState::Paused, "why"));
    assert!(!store.finish_letter(id, at(7)).await.unwrap(), "it rests");
    assert!(store.set_running(id, version(1), &start(7)).await.unwrap());
    let running = read(store, id).await;
    assert_eq!((running.planned, running.warrant), (true, Some(WarrantId([3; 16]))));
    assert_eq!((running.started, running.finished), (Some(at(6)), None), "the first start counts");
    assert_eq!((running.version, running.trouble.as_str()), (Some(version(1)), ""));
    assert!(store.finish_letter(id, at(8)).await.unwrap());
    assert!(!store.finish_letter(id, at(9)).await.unwrap(), "it is finished once");
    assert_eq!(read(store, id).await.finished, Some(at(8)));
    let journal = store.read_journal(IncidentId(1)).await.unwrap();
    let seconds: Vec<_> = journal.iter().map(|entry| entry.at.as_second()).collect();
    assert_eq!(seconds, [1, 4, 6, 7], "what was not done is not journalled");
}

async fn a_stopped_letter_takes_a_new_approval(tables: &Tables) {
    let (store, id) = (&tables.store, letter_of(&tables.store).await);
    let why = act(1, JournalAct::StopLetter, 9);
    store.set_approved(id, version(1), WarrantId([3; 16]), &why).await.unwrap();
    assert!(store.set_running(id, version(1), &why).await.unwrap());
    store.stop(id, "enough", &why).await.unwrap();
    let stopped = read(store, id).await;
    assert_eq!((stopped.state, stopped.version), (LetterState::Stopped, Some(version(1))));
    assert!(!store.set_running(id, version(1), &why).await.unwrap());
    store.pause_letter(id, "a worker was late").await.unwrap();
    let stopped = read(store, id).await;
    assert_eq!((stopped.state, stopped.trouble.as_str()), (LetterState::Stopped, "enough"));
    store.set_approved(id, version(1), WarrantId([4; 16]), &why).await.unwrap();
    let approved = read(store, id).await;
    assert_eq!(approved.state, LetterState::Planned);
    assert_eq!(approved.warrant, Some(WarrantId([4; 16])));
}

async fn a_secret_is_made_once_and_so_is_a_providers_number(tables: &Tables) {
    let store = &tables.store;
    assert_eq!(store.letter_key([1; 32]).await.unwrap(), [1; 32]);
    assert_eq!(store.letter_key([2; 32]).await.unwrap(), [1; 32]);
    for _ in 0..2 {
        assert_eq!(store.provider_number("google").await.unwrap(), 1);
        assert_eq!(store.provider_number("others").await.unwrap(), 2);
    }
}

async fn the_first_staff_list_counts(tables: &Tables) {
    let (store, id) = (&tables.store, letter_of(&tables.store).await);
    assert_eq!(store.staff_list_of(id, version(1)).await.unwrap(), version(1));
    assert_eq!(store.staff_list_of(id, version(2)).await.unwrap(), version(1));
}

async fn locales_keep_their_numbers(tables: &Tables) {
    let (store, id) = (&tables.store, letter_of(&tables.store).await);
    let locale = |language: &str, jurisdiction: &str| Locale {
        language: language.to_owned(),
        jurisdiction: jurisdiction.to_owned(),
    };
    let first = [locale("de", ""), locale("en", "US-KY")];
    store.set_locales(id, &first).await.unwrap();
    store.set_locales(id, &[locale("fr", ""), locale("pt", ""), locale("es", "")]).await.unwrap();
    let [german, english] = first;
    assert_eq!(store.locales(id).await.unwrap(), [german, english, locale("es", "")]);
}

async fn a_provider_is_paused_for_the_first_reason(tables: &Tables) {
    let store = &tables.store;
    let (id, other) = (LetterId(900), LetterId(901));
    let pause = act(1, JournalAct::PauseLetter, 2);
    store.pause_provider(id, 3, ("complaints", at(1)), None).await.unwrap();
    store.pause_provider(id, 3, ("paused by operator-1", at(2)), Some(&pause)).await.unwrap();
    store.pause_provider(id, 4, ("bounces", at(2)), None).await.unwrap();
    let pauses = [(3, "complaints".to_owned()), (4, "bounces".to_owned())];
    assert_eq!(store.provider_pauses(id).await.unwrap(), pauses.into());
    assert_eq!(store.provider_pauses(other).await.unwrap(), [].into());
    store.resume_provider(other, 3, &act(1, JournalAct::ResumeProvider, 3)).await.unwrap();
    store.resume_provider(id, 3, &act(1, JournalAct::ResumeProvider, 3)).await.unwrap();
    assert_eq!(store.provider_pauses(id).await.unwrap(), [(4, "bounces".to_owned())].into());
}

async fn only_sqlite_is_used_by_one_process(tables: &Tables) {
    assert_eq!(tables.store.is_exclusive(), tables.is_sqlite());
}
