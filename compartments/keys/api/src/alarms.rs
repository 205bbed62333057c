//! Alarms: messages that somebody should look at.

use cofferdam_core::{Call, CallerName, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Reads alarms, the oldest first. For the controller.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReadAlarms {
    /// Only alarms that rang after this sequence number; 0 reads all.
    pub after: u64,
}

/// An alarm. Repeats within a minute are one alarm with a count and with every detail that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Alarm {
    /// The sequence number, which grows with every alarm and every repeat.
    pub seq: u64,
    /// The instant of the first time it rang.
    pub first: Timestamp,
    /// The instant of the last time it rang.
    pub last: Timestamp,
    /// The cause of the alarm.
    pub kind: AlarmKind,
    /// The caller that caused it, if a caller did.
    pub caller: Option<CallerName>,
    /// The number of times that it rang.
    pub count: u64,
    /// What happened, without personal data: the different details of the repeats, joined by
    /// semicolons, and beyond 50 the number of others.
    #[schemars(extend("examples" = ["the hour's budget is spent: 1000 of 1000 records"]))]
    pub detail: String,
}

/// The cause of an alarm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AlarmKind {
    /// A caller asked for more than its budget.
    Budget,
    /// A caller opened a decoy.
    Decoy,
    /// A caller asked for something that it has no grant for.
    RefusedGrant,
    /// A frozen caller kept asking.
    Frozen,
    /// A compartment asked a second time which records are decoys.
    DecoyProbe,
    /// A warrant was refused.
    RefusedWarrant,
    /// The end of the log was damaged and was cut, or the log does not match its checkpoint.
    LogDamage,
    /// A client without a good certificate of the authority tried to connect.
    BadCertificate,
    /// The clock of the machine was moved, or disagrees with that of another instance.
    ClockJump,
    /// The log disagrees with the copy of a witness, or with a checkpoint that a compartment keeps.
    WitnessDisagreement,
    /// An order without two good signatures was handed in.
    RefusedOrder,
    /// Mail came to a decoy, whose address only a thief can know.
    DecoyMail,
    /// One person alone gave an order that needs two.
    BreakGlass,
    /// A compartment came with a state that is not its newest, or staff accepted such a state.
    State,
    /// A compartment's database is damaged.
    Damage,
    /// A disk that a compartment writes to has little room, or none.
    Disk,
    /// A journal of `response` contradicts its anchor, or is not anchored.
    Journal,
}

impl AlarmKind {
    /// Every kind, in the order of the variants.
    pub const ALL: [Self; 17] = [
        Self::Budget,
        Self::Decoy,
        Self::RefusedGrant,
        Self::Frozen,
        Self::DecoyProbe,
        Self::RefusedWarrant,
        Self::LogDamage,
        Self::BadCertificate,
        Self::ClockJump,
        Self::WitnessDisagreement,
        Self::RefusedOrder,
        Self::DecoyMail,
        Self::BreakGlass,
        Self::State,
        Self::Damage,
        Self::Disk,
        Self::Journal,
    ];

    /// The name in the database and in reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Budget => "budget",
            Self::Decoy => "decoy",
            Self::RefusedGrant => "refused_grant",
            Self::Frozen => "frozen",
            Self::DecoyProbe => "decoy_probe",
            Self::RefusedWarrant => "refused_warrant",
            Self::LogDamage => "log_damage",
            Self::BadCertificate => "bad_certificate",
            Self::ClockJump => "clock_jump",
            Self::WitnessDisagreement => "witness_disagreement",
            Self::RefusedOrder => "refused_order",
            Self::DecoyMail => "decoy_mail",
            Self::BreakGlass => "break_glass",
            Self::State => "state",
            Self::Damage => "damage",
            Self::Disk => "disk",
            Self::Journal => "journal",
        }
    }

    /// Finds the kind with a name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

impl Call for ReadAlarms {
    const PATH: &'static str = "/v1/alarms/read";
    type Answer = Vec<Alarm>;
}
