//! The OpenAPI document's description of the compartment as a whole.

use cofferdam_wire::About;

/// The name, the description and the nouns of the compartment.
pub const ABOUT: About = About {
    name: "keys",
    description: "Releases field keys within grants and budgets, and writes each release to its log \
                  before it answers. It holds no customer data, not even ciphertext.\n\n\
                  Three kinds of caller speak to it. The compartment in front of a domain \
                  (`accounts`, `payments`, `response`) has keys released, records erased, passwords \
                  compared and enrolled, passkeys certified and verified, addresses indexed and decoys claimed, on behalf of the `caller` that it \
                  serves. The controller (`response`) freezes callers, lowers budgets, reads alarms, \
                  brings cosignatures, and brings the orders that two people signed. The controller \
                  and the auditors read the log and the metrics.",
    nouns: &[
        ("keys", "The keys of fields, derived for each record and released to a front"),
        ("records", "The numbers of customers and cards, as far as they are erased"),
        ("passwords", "Typed passwords, which are compared, and those that are set"),
        ("passkeys", "Public keys that customers added, and what they sign"),
        ("groups", "The callers that share sessions"),
        ("addresses", "Digests of e-mail addresses, which are turned into look-up indexes"),
        ("decoys", "Record numbers where nobody lives"),
        ("mail", "Mail that came for a customer, who may be a decoy"),
        ("states", "The databases of the other compartments, of which only the newest may serve"),
        ("callers", "The callers of the policy: what each may do and did lately"),
        ("holds", "The incidents that keep callers frozen"),
        ("revoked-keys", "The keys of certificates that every compartment refuses"),
        ("budgets", "How many records a caller may ask for in a minute, an hour and a day"),
        ("void-orders", "Orders of two people that all credentials are void"),
        ("policies", "Who may do what, and how much of it: changed as a whole by two people"),
        ("epochs", "Generations of a domain's master key"),
        ("warrants", "Leave of two people to read some fields of a bounded number of records"),
        ("journals", "The journals of `response`, whose ends the release log holds"),
        ("alarms", "What somebody should look at"),
        ("checkpoints", "The signed states of the release log, and a witness's cosignatures"),
        ("entries", "The entries of the release log, and proofs that it holds them"),
        ("server", "Files for public tools (C2SP tlog-tiles), and figures for Prometheus"),
    ],
};
