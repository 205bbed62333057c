//! What the OpenAPI document says of the compartment as a whole.

use cofferdam_wire::About;

/// The compartment as its document describes it.
pub const ABOUT: About = About {
    name: "keys",
    description: "Releases field keys within grants and budgets, and writes each release to its log before it \
                  answers. The compartment in front of a domain (`accounts`, `payments`, `response`) has keys \
                  released, records erased, passwords hardened, addresses indexed and decoys claimed on behalf \
                  of the `caller` that it serves. The controller (`response`) freezes callers, reads alarms and \
                  the policy, brings cosignatures, and brings the orders that two people signed. The controller \
                  and auditors read the log and the metrics.",
    nouns: &[("release", "Field keys")],
};
