//! The ports of the mailing, over `accounts`, the relays, the DNS and files of this machine.

mod contacts;
mod gate;
mod notes;
mod receivers;
mod relay;
mod reset_load;
mod setup;
mod staff_list;

pub use contacts::StoredContacts;
pub use gate::pass_gate;
pub use notes::{BOOT_ID, NoteFiles};
pub use receivers::DnsReceivers;
pub use relay::WeightedRelays;
pub use reset_load::AccountsLoad;
pub use setup::{MailSetup, SetupError};
pub use staff_list::{Member, load_staff_list};
