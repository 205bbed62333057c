//! What an operation exposed because a host in its way fell. Index and entries are read by the same
//! rule.

use cofferdam_core::{CallerName, Field, FieldSet, Operation};
use response_api::{Level, People};

use crate::FallenHosts;

/// The fields that a customer types at a sign-in.
pub const SIGN_IN: [Field; 2] = [Field::Email, Field::Password];

/// The sealed fields of a profile: all that a customer who signs in can be shown.
const PROFILE: [Field; 6] = [
    Field::Name,
    Field::Email,
    Field::Phone,
    Field::BillingAddress,
    Field::ShippingAddress,
    Field::CardLast4,
];

/// Fields that an operation exposed at one level.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exposed {
    /// The level of exposure.
    pub level: Level,
    /// The exposed fields.
    pub fields: FieldSet,
    /// Whether they were read under presence: `keys` had the proof that the customer was signed in.
    pub signed_in: bool,
}

impl Exposed {
    const fn at(level: Level, fields: FieldSet) -> Self {
        Self { level, fields, signed_in: false }
    }
}

impl FallenHosts {
    /// What an operation on the `named` fields, for `caller` and through `via`, exposed: nothing, or
    /// fields at one or two levels.
    pub fn exposed(
        &self,
        caller: &CallerName,
        via: &CallerName,
        operation: Operation,
        named: FieldSet,
    ) -> impl Iterator<Item = Exposed> + use<> {
        let fell = [caller, via].map(|name| self.callers().contains(name));
        let exposed = match (self.people(), fell) {
            (_, [false, false]) => [None, None],
            (People::Accounts, [_, via_fell]) => in_release_log(operation, named, via_fell),
            (People::Table, _) => [in_access_log(operation, named), None],
        };
        exposed.into_iter().flatten()
    }

    /// Whether an operation for `caller`, through `via`, exposed anything.
    #[must_use]
    pub fn is_exposed(&self, caller: &CallerName, via: &CallerName, operation: Operation) -> bool {
        self.exposed(caller, via, operation, FieldSet::EMPTY).next().is_some()
    }
}

/// Judges an entry of the release log: an operation at a fallen caller, or one through a fallen
/// compartment.
fn in_release_log(
    operation: Operation,
    named: FieldSet,
    compartment_fell: bool,
) -> [Option<Exposed>; 2] {
    let typed = || Exposed::at(Level::Presented, SIGN_IN.into_iter().collect());
    let read = Exposed::at(Level::Read, named);
    match operation {
        Operation::Release | Operation::Reseal => [Some(read), None],
        Operation::ReleasePresent => [Some(Exposed { signed_in: true, ..read }), None],
        // The host of a compartment sees every key that passes through it. A client that brings
        // data to be sealed shows that data and nothing else.
        Operation::Seal if compartment_fell => [Some(read), None],
        // An address by which a customer was found was known to the client, or typed there.
        Operation::Seal | Operation::Index => [Some(Exposed::at(Level::Presented, named)), None],
        Operation::Harden => [Some(typed()), None],
        // A compartment that has a password set knows its hash, and can sign in as the customer from
        // then on.
        Operation::Enrol | Operation::Attest => {
            let profile = Exposed::at(Level::Read, PROFILE.into_iter().collect());
            [Some(typed()), compartment_fell.then_some(profile)]
        }
        Operation::Miss => [Some(Exposed::at(Level::KnownUnset, named)), None],
        Operation::Erase => [None, None],
    }
}

/// The same in an access log, where `via` is the user or server as which the client acted.
fn in_access_log(operation: Operation, named: FieldSet) -> Option<Exposed> {
    match operation {
        Operation::Release => Some(Exposed::at(Level::Read, named)),
        Operation::Seal => Some(Exposed::at(Level::Presented, named)),
        Operation::ReleasePresent
        | Operation::Reseal
        | Operation::Harden
        | Operation::Index
        | Operation::Enrol
        | Operation::Attest
        | Operation::Miss
        | Operation::Erase => None,
    }
}

#[cfg(test)]
mod tests {
    use Operation::{
        Attest, Enrol, Erase, Harden, Index, Miss, Release, ReleasePresent, Reseal, Seal,
    };

    use super::*;
    use crate::fields_of_domain;

    const OPERATIONS: [Operation; 10] =
        [Release, Seal, Reseal, Harden, Index, Erase, Miss, ReleasePresent, Enrol, Attest];

    fn hosts(people: People, hosts: &[&str]) -> FallenHosts {
        let hosts: Vec<_> = hosts.iter().map(|host| host.parse().unwrap()).collect();
        FallenHosts::new(people, &hosts)
    }

    fn name(text: &str) -> CallerName {
        text.parse().unwrap()
    }

    /// The levels of all operations, in the order of [`OPERATIONS`]: `r`, `s` if it was read while the
    /// customer was signed in, `p`, `u`, `B` for presented and read, or `-`.
    fn levels(fallen: &FallenHosts, caller: &str, via: &str) -> String {
        let (caller, via) = (name(caller), name(via));
        let mark = |of: Exposed| match of.level {
            Level::Read if of.signed_in => 's',
            Level::Read => 'r',
            Level::Presented => 'p',
            Level::Reachable => '?',
            Level::KnownUnset => 'u',
        };
        let of = |operation| {
            let exposed = fallen.exposed(&caller, &via, operation, FieldSet::EMPTY);
            let marks = exposed.map(mark).collect::<String>();
            assert_eq!(marks.is_empty(), !fallen.is_exposed(&caller, &via, operation));
            match marks.as_str() {
                "" => '-',
                "pr" => 'B',
                single => single.parse().unwrap(),
            }
        };
        OPERATIONS.into_iter().map(of).collect()
    }

    #[test]
    fn each_kind_of_host_gives_up_its_own_operations() {
        for (host, caller, via, expected) in [
            ("web-ky-1", "web-ky-1", "accounts", "rprpp-uspp"),
            ("web-ky-1", "web-ky-2", "accounts", "----------"),
            ("accounts=accounts", "web-ky-2", "accounts", "rrrpp-usBB"),
            ("accounts=accounts", "accounts", "accounts", "rrrpp-usBB"),
            ("accounts=accounts", "checkout-1", "payments", "----------"),
            ("payments=payments", "checkout-1", "payments", "rrrpp-usBB"),
            ("payments=payments", "web-ky-1", "accounts", "----------"),
            ("response=response", "response", "accounts", "rprpp-uspp"),
            // These hosts have no name under which they call, even if they are named like a caller.
            ("accounts=accounts_database", "web-ky-2", "accounts", "----------"),
            ("payments=payments_database", "checkout-1", "payments", "----------"),
            ("accounts=keys", "web-ky-1", "accounts", "----------"),
            ("accounts=relay", "web-ky-1", "accounts", "----------"),
        ] {
            let fallen = hosts(People::Accounts, &[host]);
            assert_eq!(levels(&fallen, caller, via), expected, "{host}: {caller} {via}");
        }
    }

    #[test]
    fn an_access_log_knows_two_operations() {
        let table = hosts(People::Table, &["db-client"]);
        assert_eq!(levels(&table, "db-client", "reporting"), "rp--------");
        assert_eq!(levels(&table, "app-7", "db-client"), "rp--------");
        assert_eq!(levels(&table, "app-7", "reporting"), "----------");
    }

    /// A password was typed for the first time or again: the compartment knows it, and all that it opens.
    #[test]
    fn a_password_set_through_a_fallen_compartment_opens_the_profile() {
        let (web, accounts) = (name("web-ky-1"), name("accounts"));
        let of = |host, operation| {
            let fallen = hosts(People::Accounts, &[host]);
            let named = FieldSet::EMPTY;
            fallen.exposed(&web, &accounts, operation, named).collect::<Vec<_>>()
        };
        let typed = FieldSet::EMPTY.with(Field::Email).with(Field::Password);
        let profile = fields_of_domain(cofferdam_core::Domain::Accounts);
        let profile = profile.without(FieldSet::EMPTY.with(Field::Password));
        for operation in [Enrol, Attest] {
            assert_eq!(of("web-ky-1", operation), [Exposed::at(Level::Presented, typed)]);
            let both = [Exposed::at(Level::Presented, typed), Exposed::at(Level::Read, profile)];
            assert_eq!(of("accounts=accounts", operation), both);
        }
    }
}
