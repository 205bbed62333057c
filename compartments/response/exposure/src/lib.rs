//! The rules by which `response` judges an incident: whose data was exposed, and how far.
//!
//! One pipeline serves both populations, the customers of `accounts` and the people of a brought
//! table. [`read_log`] turns the entries about the fallen hosts into [`Findings`]; [`Evidence`]
//! adds the knowledge of the other compartments and the database; [`Evidence::judge`] makes the
//! exposure. Everything uncertain is a doubt, and counts for the worse where the doubt says so.
//!
//! May touch: no SQL, no HTTP, no files. A log is read through [`IndexedLog`]. Called by: the
//! server's acts, staff's offline check of an evidence bag, and the benches.

mod access;
mod bitmaps;
mod doubts;
mod entries;
mod evidence;
mod exposed;
mod exposed_people;
mod findings;
mod grants;
mod hosts;
mod log;
mod name_form;
mod pages;
mod person;
mod population;
mod tampering;
mod window;
mod witnesses;

pub use access::{AccessEntry, Named, access_time};
pub use bitmaps::{Bitmaps, Levels, fields_of, people};
pub use doubts::{
    CopyState, NotFollowed, doubts_of_access_logs, doubts_of_copies, doubts_of_sizes, most_entries,
    unknown_hosts,
};
pub use entries::{EntryPage, entries_of_hosts};
pub use evidence::{Evidence, Loss, Sources};
pub use exposed::{Exposed, SIGN_IN};
pub use exposed_people::{exposed_people, is_told};
pub use findings::{Findings, LogKind};
pub use grants::{Grants, fields_of_domain};
pub use hosts::FallenHosts;
pub use log::{EntryVisitor, IndexedLog, Source, names_in, read_log};
pub use name_form::{NameForm, NameForms};
pub use pages::{Page, Slot, page_of, pages_of_segment};
pub use person::{for_each_access_of, person_exposure, slots_of_record, unresolved_slots};
pub use population::{Coarse, Population};
pub use tampering::{ENTRIES_COMPARED, EntryPages, first_difference, name_tampering};
pub use window::{
    CLOCK_MARGIN_MS, SIGHTING_MARGIN_MS, Window, access_log_window, doubts_of_sightings,
    release_log_window,
};
pub use witnesses::{Followed, SeenState, contradiction};
