-- Budgets below the policy's, while an incident lasts.
CREATE TABLE lowered_budget (
    caller    TEXT NOT NULL,
    operation TEXT NOT NULL,
    budget    TEXT NOT NULL, -- as JSON
    PRIMARY KEY (caller, operation)
);
