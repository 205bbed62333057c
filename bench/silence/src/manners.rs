//! The manners in which connections misbehave, and the listeners that they do it to.

use Manner::{
    Commands, Foreign, Frozen, HalfCommand, HalfGreeting, HalfHead, Idle, LargeBodies, Pages,
    Silent, SlowBody, SlowPage, Unread, UnreadPage,
};
use clap::ValueEnum;
use cofferdam_core::Compartment;

/// More than one caller's share of memory, in bodies of 15 MiB.
const LARGE_BODIES: usize = 100;
/// More than one caller's share of connections.
const REQUESTS: usize = 300;
/// The announced length of a body that never ends.
const ENDLESS: usize = 16 << 20;

/// A listener of an estate.
#[derive(Debug, Clone, Copy)]
pub enum Listener {
    /// A compartment's own, for callers with a certificate.
    Compartment(Compartment),
    /// The public pages of `response`.
    Page,
    /// The listener for returned mail of `response`.
    Mail,
}

/// A manner of misbehaving.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Manner {
    /// Says nothing, not even a greeting.
    Silent,
    /// Sends the first bytes of a TLS record that announces more.
    HalfGreeting,
    /// Shows a certificate of another authority.
    Foreign,
    /// Says nothing after the handshake.
    Idle,
    /// Sends half the head of a request.
    HalfHead,
    /// Sends the body of a request, a byte each second.
    SlowBody,
    /// Sends bodies of 15 MiB that do not end.
    LargeBodies,
    /// Asks again and again, and reads no answer.
    Unread,
    /// Is frozen, and asks again as soon as it is answered.
    Frozen,
    /// Sends half a command.
    HalfCommand,
    /// Sends one command after another, for ever.
    Commands,
    /// Sends the head of a request for a page, a byte each second.
    SlowPage,
    /// Asks for pages, and reads none.
    UnreadPage,
    /// Asks for one page after another, for ever.
    Pages,
}

/// The beginning of a connection.
pub struct Opening {
    /// The caller under whose certificate it makes a handshake, if it makes one.
    pub caller: Option<Who>,
    /// The bytes that it sends.
    pub says: Vec<u8>,
    /// Its conduct after these bytes.
    pub then: Then,
}

/// The certificate of a connection.
#[derive(Debug, Clone, Copy)]
pub enum Who {
    /// The certificate of an app server that nobody froze.
    AppServer,
    /// The certificate of the frozen caller.
    Frozen,
    /// A certificate of another authority.
    Foreign,
}

/// The conduct of a connection after its first bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Then {
    /// It says nothing more, until it is closed.
    Wait,
    /// It sends a byte each second, and reads nothing.
    Drip,
    /// It reads the answer, and says the same again.
    Again,
}

impl Listener {
    /// The listeners of an estate, in the order in which they are tried.
    pub const ALL: [Self; 6] = [
        Self::Compartment(Compartment::Keys),
        Self::Compartment(Compartment::Accounts),
        Self::Compartment(Compartment::Payments),
        Self::Compartment(Compartment::Response),
        Self::Page,
        Self::Mail,
    ];

    /// The name of the listener.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Compartment(of) => of.as_str(),
            Self::Page => "public page",
            Self::Mail => "returned mail",
        }
    }

    /// The manners in which one can misbehave at it.
    pub const fn manners(self) -> &'static [Manner] {
        match self {
            Self::Compartment(_) => &[
                Silent,
                HalfGreeting,
                Foreign,
                Idle,
                HalfHead,
                SlowBody,
                LargeBodies,
                Unread,
                Frozen,
            ],
            Self::Page => &[Silent, SlowPage, UnreadPage, Pages],
            Self::Mail => &[Silent, HalfCommand, Commands],
        }
    }
}

impl Manner {
    /// The name in words.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Silent => "says nothing",
            Self::HalfGreeting => "half a greeting",
            Self::Foreign => "foreign certificates",
            Self::Idle => "idle after the handshake",
            Self::HalfHead => "half a head",
            Self::SlowBody => "slow bodies",
            Self::LargeBodies => "large bodies",
            Self::Unread => "answers not read",
            Self::Frozen => "requests of a frozen caller",
            Self::HalfCommand => "half a command",
            Self::Commands => "commands without end",
            Self::SlowPage => "slow requests",
            Self::UnreadPage => "pages not read",
            Self::Pages => "requests without end",
        }
    }

    /// The name as an argument.
    pub fn word(self) -> String {
        self.to_possible_value().unwrap().get_name().to_owned()
    }

    /// The number of connections of a crowd of `most`.
    pub const fn connections(self, most: usize) -> usize {
        match self {
            Self::LargeBodies => LARGE_BODIES,
            Self::Frozen | Self::Commands | Self::Pages => REQUESTS,
            _ => most,
        }
    }

    /// The beginning of each connection.
    pub fn opening(self) -> Opening {
        let caller = match self {
            Foreign => Some(Who::Foreign),
            Frozen => Some(Who::Frozen),
            Idle | HalfHead | SlowBody | LargeBodies | Unread => Some(Who::AppServer),
            Silent | HalfGreeting | HalfCommand | Commands | SlowPage | UnreadPage | Pages => None,
        };
        let says = match self {
            Silent | Foreign | Idle => Vec::new(),
            HalfGreeting => vec![22, 3, 1, 2, 0, 1],
            HalfHead => b"POST /v1/cus".to_vec(),
            SlowBody => call(ENDLESS),
            LargeBodies => [call(ENDLESS), vec![b'x'; ENDLESS - (1 << 20)]].concat(),
            Unread => b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n".repeat(2_000),
            Frozen => call(0),
            HalfCommand => b"LHLO relay\r\nMAIL FR".to_vec(),
            Commands => b"NOOP\r\n".to_vec(),
            SlowPage => b"GET / HTTP/1.1\r\nhost: ".to_vec(),
            UnreadPage => b"GET /verify HTTP/1.1\r\nhost: x\r\n\r\n".repeat(2_000),
            Pages => b"GET /verify HTTP/1.1\r\nhost: x\r\n\r\n".to_vec(),
        };
        let then = match self {
            SlowBody | SlowPage | Unread | UnreadPage => Then::Drip,
            Frozen | Commands | Pages => Then::Again,
            _ => Then::Wait,
        };
        Opening { caller, says, then }
    }
}

/// The head of a call with a body of `length`.
fn call(length: usize) -> Vec<u8> {
    let head = "POST /v1/customers/read HTTP/1.1\r\nhost: x\r\ncontent-type: application/json";
    format!("{head}\r\ncontent-length: {length}\r\n\r\n").into_bytes()
}
