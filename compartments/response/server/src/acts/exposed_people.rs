//! The people exposed in an incident, and what became of them. The rule is in `response-exposure`.

use cofferdam_wire::Problem;
use response_api::{Audience, ExposedPeople, Exposure, IncidentId, People};

use crate::app::App;
use crate::loops::current_customers;
use crate::store::Finding;

/// Counts the people exposed as they are now; `None` if the incident has not been scoped.
pub async fn exposed_people(app: &App, id: IncidentId) -> Result<Option<ExposedPeople>, Problem> {
    let Some(exposure) = app.store.finding::<Exposure>(id, Finding::Exposure).await? else {
        return Ok(None);
    };
    let population = match app.incident(id).await?.people {
        People::Table => app.brought().await?,
        People::Accounts => match current_customers(app).await {
            Ok(customers) => customers,
            // Who is there now is then not known better than when they were followed last.
            Err(_) => app.people.customers.lock().await.population.clone(),
        },
    };
    let levels = app.levels(&exposure).await?;
    let mut people = response_exposure::exposed_people(&levels, &population);
    let letters = app.store.letters_about(id).await?;
    let to_customers = letters.iter().find(|of| of.audience == Audience::Customers && of.planned);
    if let Some(letter) = to_customers {
        let variants = app.store.variants(letter.letter).await?;
        let naming = variants.iter().filter(|(_, told, _)| !told.fields.is_empty());
        people.planned = Some(naming.map(|(.., rows)| rows).sum());
    }
    Ok(Some(people))
}
