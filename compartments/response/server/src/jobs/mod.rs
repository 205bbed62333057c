//! Work that reaches other compartments: following the log, scoping, planning and sending letters.

pub mod access_log;
mod customers;
mod draft;
mod evidence;
mod follow;
pub mod mailing;
mod plan;
mod post;
mod returns;
pub mod roster;
pub mod scope;
mod settle;
mod status;
mod verify;

pub use customers::{Customers, follow_customers};
pub use draft::{draft, terms};
pub use evidence::scoped;
pub use follow::{Behind, copy_logs, follow_logs};
pub use plan::{Planning, plan};
pub use post::{post_page, post_terms};
pub use returns::Returns;
pub use scope::{person, scope};
pub use settle::settle;
pub use status::status;
pub use verify::{Approved, verify};
