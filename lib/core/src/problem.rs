//! What a compartment answers when it refuses a call, in a form that a caller's code can act on.

/// A type of problem (RFC 9457, section 3.1.1). Clients act on [`code`](Self::code) alone; the
/// sentence that comes with a problem is for people and may change.
///
/// Types that several compartments answer with stand here. A type that belongs to one compartment
/// stands in that compartment's `api`, beside the calls that answer with it. A new type is worth its
/// name only when a caller does something else because of it: otherwise a general type with a good
/// sentence is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProblemType {
    /// The name on the wire: lower-case words joined by hyphens. It never changes.
    pub code: &'static str,
    /// The HTTP status.
    pub status: u16,
    /// The type in a few words; the same for every problem of the type.
    pub title: &'static str,
}

impl ProblemType {
    /// The request is not understood, or breaks a rule that the caller could have known.
    pub const BAD_REQUEST: Self = Self::new("bad-request", 400, "The request is not understood");
    /// The caller has no grant for the call. Asking again is no use.
    pub const NOT_GRANTED: Self = Self::new("not-granted", 403, "The caller has no grant for this");
    /// The caller is frozen. Staff have to thaw it.
    pub const FROZEN: Self = Self::new("frozen", 403, "The caller is frozen");
    /// The warrant is closed, used up, or for something else.
    pub const WARRANT_REFUSED: Self =
        Self::new("warrant-refused", 403, "The warrant does not allow this");
    /// The thing that the request names does not exist.
    pub const NOT_FOUND: Self = Self::new("not-found", 404, "Not found");
    /// The request conflicts with the current state.
    pub const CONFLICT: Self =
        Self::new("conflict", 409, "The request conflicts with the current state");
    /// The body is larger than the compartment takes.
    pub const TOO_LARGE: Self = Self::new("too-large", 413, "The request is too large");
    /// The caller's budget is spent. The problem says when to ask again.
    pub const BUDGET_EXHAUSTED: Self =
        Self::new("budget-exhausted", 429, "The caller's budget is spent");
    /// A part of the compartment failed. Its log says which.
    pub const INTERNAL: Self = Self::new("internal", 500, "The compartment failed");
    /// Another compartment, which this one needs, did not answer.
    pub const UPSTREAM: Self = Self::new("upstream", 502, "Another compartment did not answer");
    /// The compartment can't serve now. The problem may say when to ask again.
    pub const UNAVAILABLE: Self = Self::new("unavailable", 503, "The compartment can't serve now");

    /// The general types, which any call may answer with.
    pub const GENERAL: [Self; 11] = [
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
    ];

    /// A type of problem.
    #[must_use]
    pub const fn new(code: &'static str, status: u16, title: &'static str) -> Self {
        Self { code, status, title }
    }
}

/// Marks an error that a caller of the compartment can do nothing about: a broken database, a
/// damaged file. Such an error becomes [`ProblemType::INTERNAL`] through `?`; the cause goes to the
/// compartment's log and never to the caller.
pub trait InternalError: std::error::Error + 'static {}
