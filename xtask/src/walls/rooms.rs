//! The rooms of the design, and the walls between them.

/// The place of a crate in the design. It follows from the directory of the crate's manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Room {
    /// `lib/core`
    Core,
    /// `lib/NAME`
    Lib(String),
    /// `compartments/NAME/api`: the calls and answers of a compartment.
    Api(String),
    /// `compartments/keys/client`: the `Vault`, through which others ask `keys`.
    KeysClient,
    /// `compartments/response/NAME`: rules of the response, which do no I/O.
    Rules(String),
    /// `compartments/NAME/server`
    Server(String),
    /// `console`: the pages for staff.
    Console,
    /// `estate`: an estate on one machine.
    Estate,
    /// `staff`: the steps of staff.
    Staff,
    /// `drill`: the replayed breach.
    Drill,
    /// `cli`: the binary.
    Cli,
    /// `tests/testkit`
    TestKit,
    /// `bench/NAME`: a measurement.
    Bench(String),
    /// `xtask`: these checks.
    Xtask,
}

impl Room {
    /// The room of a directory, from the root of the repository. `None` for a directory that the
    /// design does not name.
    pub fn of(directory: &str) -> Option<Self> {
        let parts: Vec<&str> = directory.split('/').collect();
        Some(match parts.as_slice() {
            ["lib", "core"] => Self::Core,
            ["lib", name] => Self::Lib((*name).to_owned()),
            ["compartments", of, "api"] => Self::Api((*of).to_owned()),
            ["compartments", "keys", "client"] => Self::KeysClient,
            ["compartments", "response", name @ ("exposure" | "letter" | "mailing")] => {
                Self::Rules((*name).to_owned())
            }
            ["compartments", of, "server"] => Self::Server((*of).to_owned()),
            ["console"] => Self::Console,
            ["estate"] => Self::Estate,
            ["staff"] => Self::Staff,
            ["drill"] => Self::Drill,
            ["cli"] => Self::Cli,
            ["tests", "testkit"] => Self::TestKit,
            ["bench", name] => Self::Bench((*name).to_owned()),
            ["xtask"] => Self::Xtask,
            _ => return None,
        })
    }

    /// Whether crates of this room may depend on crates of another one.
    pub fn may_use(&self, other: &Self) -> bool {
        match self {
            Self::Core => false,
            Self::Lib(name) => {
                other.is_core()
                    || name == "tlog" && other.is_lib("index")
                    || name == "custody" && other.is_lib("wire")
            }
            Self::Api(_) => other.is_core(),
            Self::KeysClient => {
                other.is_core()
                    || other.is_lib("wire")
                    || other.is_lib("store")
                    || other.is_lib("tlog")
                    || other.is_lib("custody")
                    || other.is_api("keys")
            }
            Self::Rules(_) => {
                other.is_core()
                    || other.is_lib("index")
                    || other.is_lib("mail")
                    || matches!(other, Self::Api(_) | Self::Rules(_))
            }
            Self::Server(own) => other.is_library() || serves(own, other),
            Self::Console => other.is_library() || other.is_api("response"),
            Self::Staff => other.is_library() || matches!(other, Self::Api(_) | Self::Rules(_)),
            Self::TestKit => other.is_library() || matches!(other, Self::Api(_)),
            Self::Estate => {
                other.is_library()
                    || matches!(
                        other,
                        Self::Api(_) | Self::Rules(_) | Self::Server(_) | Self::KeysClient
                    )
            }
            Self::Drill => {
                let shared = [Self::Estate, Self::Staff];
                other.is_library()
                    || matches!(
                        other,
                        Self::Api(_) | Self::Rules(_) | Self::Server(_) | Self::KeysClient
                    )
                    || shared.contains(other)
            }
            Self::Cli => !matches!(other, Self::TestKit | Self::Bench(_) | Self::Xtask),
            Self::Bench(_) | Self::Xtask => true,
        }
    }

    /// The wall around the room, in words.
    pub fn wall(&self) -> &'static str {
        match self {
            Self::Core => "core depends on nothing of ours",
            Self::Lib(_) => "lib/* depends on core only, tlog also on index, and custody on wire",
            Self::Api(_) => "an api depends on core only",
            Self::KeysClient => {
                "the client of keys depends on core, wire, store, tlog, custody and the api of keys"
            }
            Self::Rules(_) => {
                "rules depend on core, index, mail, the apis and each other, and do no I/O"
            }
            Self::Server(_) => {
                "a server depends on lib/*, its own crates, the client of keys and the apis of the \
                 compartments that it calls"
            }
            Self::Console => "the console reaches response only",
            Self::Staff => "staff's hand depends on lib/*, the apis and the rules",
            Self::TestKit => "the test kit knows no server",
            Self::Estate => {
                "an estate depends on lib/*, the apis, the rules, the client of keys and the servers"
            }
            Self::Drill => "the drill depends on what the product has, and not on the binary",
            Self::Cli => "the binary depends on no test, bench or check",
            Self::Bench(_) | Self::Xtask => "anything may be measured and checked",
        }
    }

    /// Whether the crate holds rules, which do no I/O.
    pub const fn is_rules(&self) -> bool {
        matches!(self, Self::Rules(_))
    }

    fn is_core(&self) -> bool {
        *self == Self::Core
    }

    fn is_library(&self) -> bool {
        matches!(self, Self::Core | Self::Lib(_))
    }

    fn is_lib(&self, name: &str) -> bool {
        matches!(self, Self::Lib(own) if own == name)
    }

    fn is_api(&self, of: &str) -> bool {
        matches!(self, Self::Api(own) if own == of)
    }
}

/// Whether the server of a compartment may use a crate besides `lib/*`. `accounts` and `payments`
/// know nothing of each other, and `keys` calls nobody.
fn serves(own: &str, other: &Room) -> bool {
    let called: &[&str] = match own {
        "accounts" | "payments" => &["keys"],
        "response" => &["keys", "accounts", "payments"],
        _ => &[],
    };
    match other {
        Room::Api(of) => own == of || called.contains(&of.as_str()),
        Room::KeysClient => called.contains(&"keys"),
        Room::Rules(_) => own == "response",
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::Room;

    fn may(who: &str, on: &str) -> bool {
        let room =
            |directory| Room::of(directory).unwrap_or_else(|| panic!("{directory}: no room"));
        room(who).may_use(&room(on))
    }

    const KEYS: &str = "compartments/keys/server";
    const ACCOUNTS: &str = "compartments/accounts/server";
    const PAYMENTS: &str = "compartments/payments/server";
    const RESPONSE: &str = "compartments/response/server";
    const CLIENT: &str = "compartments/keys/client";
    const EXPOSURE: &str = "compartments/response/exposure";
    const MAILING: &str = "compartments/response/mailing";

    #[test]
    fn every_wall_stands() {
        for (who, on) in [
            ("lib/core", "lib/index"),
            ("lib/core", "compartments/keys/api"),
            ("lib/wire", "lib/store"),
            ("lib/wire", "lib/custody"),
            ("lib/index", "lib/tlog"),
            ("lib/mail", "compartments/response/api"),
            ("compartments/keys/api", "lib/wire"),
            ("compartments/response/api", "compartments/keys/api"),
            (CLIENT, "compartments/accounts/api"),
            (CLIENT, KEYS),
            (EXPOSURE, "lib/store"),
            (EXPOSURE, "lib/wire"),
            (EXPOSURE, "lib/tlog"),
            (EXPOSURE, RESPONSE),
            (MAILING, CLIENT),
            (KEYS, "compartments/accounts/api"),
            (KEYS, CLIENT),
            (ACCOUNTS, KEYS),
            (ACCOUNTS, "compartments/payments/api"),
            (ACCOUNTS, "compartments/response/api"),
            (ACCOUNTS, EXPOSURE),
            (PAYMENTS, "compartments/accounts/api"),
            (PAYMENTS, ACCOUNTS),
            (RESPONSE, ACCOUNTS),
            (RESPONSE, "staff"),
            ("console", "compartments/keys/api"),
            ("console", EXPOSURE),
            ("console", RESPONSE),
            ("staff", RESPONSE),
            ("staff", "estate"),
            ("estate", "staff"),
            ("estate", "drill"),
            ("drill", "cli"),
            ("drill", "tests/testkit"),
            ("cli", "tests/testkit"),
            ("cli", "xtask"),
            ("tests/testkit", KEYS),
            ("tests/testkit", "estate"),
        ] {
            assert!(!may(who, on), "{who} may depend on {on}");
        }
    }

    #[test]
    fn every_door_is_open() {
        for (who, on) in [
            ("lib/wire", "lib/core"),
            ("lib/tlog", "lib/index"),
            ("lib/custody", "lib/wire"),
            (CLIENT, "lib/custody"),
            ("compartments/keys/api", "lib/core"),
            (CLIENT, "lib/core"),
            (CLIENT, "lib/wire"),
            (CLIENT, "compartments/keys/api"),
            (CLIENT, "lib/tlog"),
            (EXPOSURE, "lib/index"),
            (EXPOSURE, "compartments/keys/api"),
            (EXPOSURE, "compartments/accounts/api"),
            (MAILING, "lib/mail"),
            (MAILING, "compartments/response/letter"),
            (KEYS, "lib/tlog"),
            (KEYS, "compartments/keys/api"),
            (ACCOUNTS, CLIENT),
            (ACCOUNTS, "compartments/keys/api"),
            (PAYMENTS, CLIENT),
            (RESPONSE, CLIENT),
            (RESPONSE, EXPOSURE),
            (RESPONSE, "compartments/payments/api"),
            ("console", "compartments/response/api"),
            ("console", "lib/wire"),
            ("staff", EXPOSURE),
            ("staff", "compartments/accounts/api"),
            ("estate", RESPONSE),
            ("drill", ACCOUNTS),
            ("drill", "estate"),
            ("drill", "staff"),
            ("cli", KEYS),
            ("cli", "drill"),
            ("tests/testkit", "compartments/keys/api"),
            ("bench/letters", "estate"),
            ("bench/keys", KEYS),
            ("xtask", RESPONSE),
        ] {
            assert!(may(who, on), "{who} may not depend on {on}");
        }
    }

    #[test]
    fn no_server_depends_on_another_and_few_rooms_see_one() {
        let servers = [KEYS, ACCOUNTS, PAYMENTS, RESPONSE];
        for on in servers {
            for who in servers.into_iter().chain([CLIENT, EXPOSURE, "staff", "console"]) {
                assert!(!may(who, on), "{who} may depend on {on}");
            }
            for who in ["cli", "drill", "estate", "bench/scope", "xtask"] {
                assert!(may(who, on), "{who} may not depend on {on}");
            }
        }
    }

    #[test]
    fn a_directory_that_the_design_does_not_name_is_no_room() {
        for directory in ["web", "lib", "compartments/keys", "compartments/response/posture", ""] {
            assert_eq!(Room::of(directory), None, "{directory}");
        }
    }
}
