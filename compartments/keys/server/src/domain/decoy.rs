//! Decoys: record numbers where nobody lives, chosen by a keyed function, so that nothing in the
//! data tells them apart.

use aws_lc_rs::hmac;
use cofferdam_core::{Domain, KeyBytes, Record};

/// Knows which records are decoys.
pub struct Decoys {
    key: hmac::Key,
    one_in: u32,
}

impl Decoys {
    /// About one record in `one_in` is a decoy.
    pub fn new(key: &KeyBytes, one_in: u32) -> Self {
        Self { key: hmac::Key::new(hmac::HMAC_SHA256, key.expose()), one_in: one_in.max(2) }
    }

    /// Whether nobody lives at `record`. Only customers have decoys.
    pub fn is_decoy(&self, domain: Domain, record: Record) -> bool {
        if domain != Domain::Accounts || record == Record::NOBODY {
            return false;
        }
        let tag = hmac::sign(&self.key, &record.0.to_be_bytes());
        let head = tag.as_ref().first_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes));
        head < u64::MAX / u64::from(self.one_in)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn about_one_record_in_so_many_is_a_decoy() {
        let decoys = Decoys::new(&KeyBytes::new([1; 32]), 100);
        let others = Decoys::new(&KeyBytes::new([2; 32]), 100);
        let count = |of: &Decoys| {
            (0..100_000).filter(|r| of.is_decoy(Domain::Accounts, Record(*r))).count()
        };
        assert!((900..1_100).contains(&count(&decoys)), "{}", count(&decoys));
        let both = (0..100_000).filter(|r| {
            decoys.is_decoy(Domain::Accounts, Record(*r))
                && others.is_decoy(Domain::Accounts, Record(*r))
        });
        assert!(both.count() < 50, "another key must choose other records");
        assert!(!(0..100_000).any(|r| decoys.is_decoy(Domain::Payments, Record(r))));
    }
}
