//! Returned mail that nothing understood.

use cofferdam_wire::Client;
use response_api::{LetterId, ListReturned, ReturnedMail};

use crate::StepError;
use crate::step::call;

/// Lists everybody from person `from` on from whose letter something came back that nothing
/// understood. `decided` people are listed too on demand. An answer holds only a page of them.
pub async fn list(
    client: &Client,
    letter: LetterId,
    from: u32,
    decided: bool,
) -> Result<Vec<ReturnedMail>, StepError> {
    let (mut people, mut next) = (Vec::new(), Some(from));
    while let Some(from) = next {
        let page = call(client, &ListReturned { letter, from, decided }).await?;
        next = page.last().and_then(|last| last.person.checked_add(1));
        people.extend(page);
    }
    Ok(people)
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use axum::extract::State;
    use cofferdam_core::{Compartment, Timestamp};
    use cofferdam_wire::{Answer, Body, Listener, Problem, Routes};
    use testkit::Authority;

    use super::*;

    /// The people in a page of the stand-in for `response`.
    const PAGE: usize = 2;

    async fn page(
        State(people): State<Vec<u32>>,
        Body(call, encoding): Body<ListReturned>,
    ) -> Result<Answer<Vec<ReturnedMail>>, Problem> {
        let listed = people.into_iter().filter(|person| *person >= call.from).take(PAGE);
        let mail = |person| ReturnedMail {
            person,
            messages: 1,
            kept: 1,
            last: Timestamp::UNIX_EPOCH,
            decision: None,
        };
        Ok(Answer(listed.map(mail).collect(), encoding))
    }

    #[tokio::test]
    async fn the_list_goes_on_to_its_last_page() {
        let authority = Authority::new();
        let listener = Listener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
        let base = format!("https://localhost:{}", listener.address().port());
        let all = vec![1, 3, 4, 9, u32::MAX];
        let router = Routes::new().call::<ListReturned, _, _>(page).into_router(all.clone());
        let identity = authority.identity("response-1");
        tokio::spawn(async move {
            listener.serve(&identity, router, std::future::pending()).await;
        });
        let client = authority.client(Compartment::Response, "operator-1", &base);
        let listed = async |from| -> Vec<u32> {
            let people = list(&client, LetterId(2), from, false).await.unwrap();
            people.iter().map(|of| of.person).collect()
        };
        assert_eq!(listed(0).await, all);
        assert_eq!(listed(4).await, all[2..]);
    }
}
