//! Work that reaches other compartments: following the log, scoping, planning and sending letters.

pub mod access_log;
mod customers;
mod evidence;
mod follow;
mod plan;
pub mod roster;
pub mod scope;
mod send;
mod status;

pub use customers::{Customers, follow_customers};
pub use evidence::scoped;
pub use follow::{Behind, copy_logs, follow_logs};
pub use plan::plan;
pub use scope::{person, scope};
pub use send::{Sending, start};
pub use status::status;

use accounts_api::{CoarseRow, ListCoarse};
use cofferdam_core::Record;
use cofferdam_wire::Problem;

use crate::app::App;

/// Customers a page.
const PAGE: u32 = 10_000;

/// The next customers from record `from` on, and where the page after them begins; `None` at the
/// end.
async fn coarse_page(app: &App, from: u32) -> Result<Option<(Vec<CoarseRow>, u32)>, Problem> {
    let rows = app.accounts.call(&ListCoarse { from: Record(from), limit: PAGE }).await?;
    Ok(rows.last().map(|row| row.record.0 + 1).map(|next| (rows, next)))
}
