//! The OpenAPI document's description of the compartment as a whole.

use cofferdam_wire::About;

/// The name, the description and the nouns of the compartment.
pub const ABOUT: About = About {
    name: "response",
    description: "Incidents, exposure, containment, letters, notice and evidence. Only staff may call \
                  it: their certificates are listed in its configuration, and every act is journalled \
                  under the name in the certificate. An act is answered once `keys` has anchored the \
                  journal in its log. If `keys` does not answer, the act is done all the same, and the \
                  header `cofferdam-warning: journal-not-anchored` says so.\n\n\
                  An incident is declared, scoped, contained, told about, and closed. Orders that take \
                  two people are drafted here, signed elsewhere, and applied with `/v1/orders/apply`; \
                  `keys` checks their signatures itself.",
    nouns: &[
        ("access-logs", "Logs of other systems that tell who accessed the brought table"),
        ("alarms", "Alarms of `keys`, and of `response` itself"),
        ("anchors", "Anchors of the journals in the release logs, with their proofs"),
        ("bags", "Sealed bags of evidence"),
        (
            "budgets",
            "The number of records that a caller may ask for in a minute, an hour and a day",
        ),
        ("callers", "The callers of the estate, and whether each is frozen"),
        ("revoked-keys", "The keys of certificates that every compartment refuses"),
        ("credentials", "Passwords and sessions of customers"),
        ("customer-numbers", "The numbers by which the shop's app servers know customers"),
        ("epochs", "Generations of a domain's master key"),
        ("evidence", "Entries of the release logs that concern an incident, with their proofs"),
        ("exposures", "The records exposed at each level, field by field"),
        ("grounds", "The keys that verify the evidence, and the published notice"),
        ("holds", "The incidents that keep a caller frozen"),
        ("incidents", "Incidents: what fell, when, and how it was found"),
        ("journals", "Chained records of what was decided and done"),
        ("ledgers", "One row for each person that a letter goes to"),
        ("letters", "Letters to staff and to customers"),
        ("notices", "The public notice"),
        ("orders", "Orders that people signed: policies, epochs, warrants and void orders"),
        ("paper-post", "Postal addresses of people whom no e-mail reached"),
        ("persons", "Single persons, and what became of their data"),
        ("policies", "The policy in force at `keys`"),
        ("providers", "Mail providers, in one letter"),
        ("reports", "Everything that is known of an incident"),
        ("returned", "Returned mail that nothing understood, for a person to decide about"),
        ("tables", "The table of customers that a shop brings"),
        ("void-orders", "Orders that void the credentials of a set of customers"),
    ],
};
