//! What somebody should look at.

use cofferdam_core::{Call, CallerName, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Reads alarms, oldest first.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReadAlarms {
    /// Only alarms that changed after this sequence number; 0 for all.
    pub after: u64,
}

/// Something that somebody should look at. Repeats within a minute are one alarm with a count.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Alarm {
    /// Grows with every alarm and every repeat.
    pub seq: u64,
    /// When it rang first.
    pub first: Timestamp,
    /// When it rang last.
    pub last: Timestamp,
    /// What it is about.
    pub kind: AlarmKind,
    /// Who set it off, where a caller did.
    pub caller: Option<CallerName>,
    /// How often it rang.
    pub count: u64,
    /// One sentence, without personal data.
    pub detail: String,
}

/// What an alarm is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AlarmKind {
    /// A caller asked for more than its budget.
    Budget,
    /// A caller opened a record where nobody lives.
    Decoy,
    /// A caller asked for what it has no grant for.
    RefusedGrant,
    /// A frozen caller went on asking.
    Frozen,
    /// Decoys were asked for a second time.
    DecoyProbe,
    /// A warrant was refused.
    RefusedWarrant,
    /// The log's end was damaged and was cut, or the log does not match its checkpoint.
    LogDamage,
    /// A client without a good certificate of the authority knocked.
    BadCertificate,
    /// The machine's clock was moved, or disagrees with another instance's.
    ClockJump,
    /// A witness's copy of the log disagrees with the log.
    WitnessDisagreement,
    /// A policy or an epoch order without two good signatures was handed in.
    RefusedOrder,
    /// Mail came to a decoy, whose address nobody else can know.
    DecoyMail,
    /// One person alone gave an order that takes two.
    BreakGlass,
}

impl AlarmKind {
    /// Every kind.
    pub const ALL: [Self; 13] = [
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
    ];

    /// The name used in the store and in reports.
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
        }
    }

    /// The kind with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

impl Call for ReadAlarms {
    const PATH: &'static str = "/v1/alarms/read";
    type Answer = Vec<Alarm>;
}
