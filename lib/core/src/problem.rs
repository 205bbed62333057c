//! The problems with which a compartment refuses a call, in a form that a caller's code can act on.

/// A type of problem (RFC 9457, section 3.1.1). Clients act on [`code`](Self::code) alone; the
/// sentence in a problem is for people and may change.
///
/// Types that several compartments use are defined here. A type of one compartment is defined in
/// that compartment's `api`, beside the calls that answer with it. Define a new type only if a
/// caller acts differently because of it; otherwise use a general type with a good sentence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProblemType {
    /// The name on the wire: lower-case words joined by hyphens. It never changes.
    pub code: &'static str,
    /// The HTTP status of the answer.
    pub status: u16,
    /// The type in a few words. Every problem of the type has the same title.
    pub title: &'static str,
}

impl ProblemType {
    /// The request can't be parsed, or breaks a documented rule.
    pub const BAD_REQUEST: Self = Self::new("bad-request", 400, "The request is not understood");
    /// The caller has no grant for the call. A retry will fail too.
    pub const NOT_GRANTED: Self = Self::new("not-granted", 403, "The caller has no grant for this");
    /// The caller is frozen, and stays so until staff thaw it.
    pub const FROZEN: Self = Self::new("frozen", 403, "The caller is frozen");
    /// The warrant is closed or used up, or covers something else.
    pub const WARRANT_REFUSED: Self =
        Self::new("warrant-refused", 403, "The warrant does not allow this");
    /// The thing that the request names does not exist.
    pub const NOT_FOUND: Self = Self::new("not-found", 404, "Not found");
    /// The request conflicts with the current state.
    pub const CONFLICT: Self =
        Self::new("conflict", 409, "The request conflicts with the current state");
    /// The body is larger than the compartment takes.
    pub const TOO_LARGE: Self = Self::new("too-large", 413, "The request is too large");
    /// The caller's budget is spent. The problem tells when to retry.
    pub const BUDGET_EXHAUSTED: Self =
        Self::new("budget-exhausted", 429, "The caller's budget is spent");
    /// A part of the compartment failed. The compartment's log names it.
    pub const INTERNAL: Self = Self::new("internal", 500, "The compartment failed");
    /// Another compartment, which this one needs, did not answer.
    pub const UPSTREAM: Self = Self::new("upstream", 502, "Another compartment did not answer");
    /// The compartment can't serve now. The problem may tell when to retry.
    pub const UNAVAILABLE: Self = Self::new("unavailable", 503, "The compartment can't serve now");

    /// This instance does not know whether an order came that concerns the call. A retry succeeds
    /// once it knows.
    pub const ORDERS_UNKNOWN: Self =
        Self::new("orders-unknown", 503, "The compartment does not know the newest orders");

    /// The general types. Any call may answer with them.
    pub const GENERAL: [Self; 12] = [
        Self::BAD_REQUEST,
        Self::NOT_GRANTED,
        Self::FROZEN,
        Self::WARRANT_REFUSED,
        Self::NOT_FOUND,
        Self::CONFLICT,
        Self::TOO_LARGE,
        Self::BUDGET_EXHAUSTED,
        Self::INTERNAL,
        Self::UPSTREAM,
        Self::UNAVAILABLE,
        Self::ORDERS_UNKNOWN,
    ];

    /// Defines a type. [`code`](Self::code) must be unique in the workspace.
    #[must_use]
    pub const fn new(code: &'static str, status: u16, title: &'static str) -> Self {
        Self { code, status, title }
    }
}

/// Marks an error that a caller of the compartment can't repair, such as a broken database or a
/// damaged file. The operator `?` turns a marked error into [`ProblemType::INTERNAL`]. The cause
/// goes to the compartment's log and never to the caller.
pub trait InternalError: std::error::Error + 'static {}
