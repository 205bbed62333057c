//! A few invented people. The first decoys are made from them, before there are enough customers.

use accounts_api::{Coarse, Profile};
use cofferdam_core::Personal;

/// Name, phone, address, state. The names are among the most frequent ones of the United States;
/// the phone numbers are in the range for fiction (555-0100 to 555-0199).
const PEOPLE: [(&str, &str, &str, &str); 8] = [
    ("James Walker", "+1 502 555 0143", "2217 Bardstown Rd, Louisville, KY 40205", "KY"),
    ("Linda Moore", "+1 614 555 0178", "884 Oakland Park Ave, Columbus, OH 43224", "OH"),
    ("Robert Hughes", "+1 206 555 0112", "4120 Meridian Ave N, Seattle, WA 98103", "WA"),
    ("Karen Simmons", "+1 512 555 0189", "1309 Kinney Ave, Austin, TX 78704", "TX"),
    ("Michael Reyes", "+1 303 555 0125", "755 Lafayette St, Denver, CO 80218", "CO"),
    ("Susan Bennett", "+1 617 555 0161", "46 Seaverns Ave, Boston, MA 02130", "MA"),
    ("David Coleman", "+1 404 555 0137", "921 Ormewood Ave SE, Atlanta, GA 30316", "GA"),
    ("Nancy Foster", "+1 312 555 0194", "3350 N Leavitt St, Chicago, IL 60618", "IL"),
];

/// The invented people as profiles; their e-mail addresses are never used.
#[must_use]
pub fn people() -> Vec<Profile> {
    PEOPLE.iter().filter_map(|person| profile(*person)).collect()
}

fn profile((name, phone, address, state): (&str, &str, &str, &str)) -> Option<Profile> {
    Some(Profile {
        name: Personal::new(name),
        email: Personal::new(""),
        phone: Some(Personal::new(phone)),
        billing_address: Some(Personal::new(address)),
        shipping_address: Some(Personal::new(address)),
        card_last4: None,
        coarse: Coarse {
            country: Some("US".parse().ok()?),
            region: Some(state.parse().ok()?),
            language: "en".parse().ok()?,
            minor: false,
        },
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_invented_person_is_usable() {
        assert_eq!(super::people().len(), super::PEOPLE.len());
    }
}
