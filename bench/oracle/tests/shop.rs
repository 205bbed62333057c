//! A hundred statements as shops send them: whoever was read counts.

use bench_oracle::statements::{Draw, Statement};
use bench_oracle::{MAPPING, measure};

fn statements(seed: u64, many: usize) -> Vec<Statement> {
    let mut draw = Draw::new(seed);
    (0..many).map(|_| draw.statement()).collect()
}

fn database(name: &str) -> String {
    format!("cofferdam_oracle_{name}_{}", std::process::id())
}

#[test]
fn whomever_a_statement_reads_is_counted() {
    let figures = measure(&database("shop"), MAPPING, &statements(20_120_115, 100));
    assert!(figures.under.is_empty(), "{figures}");
    assert!(figures.measured() > 85, "{figures}");
}

#[test]
fn a_mapping_that_hides_a_column_is_found_out() {
    let wrong = MAPPING.replace("\"created_at\"", "\"created_at\", \"notes\"");
    let figures = measure(&database("wrong"), &wrong, &statements(7, 40));
    assert!(!figures.under.is_empty(), "{figures}");
}
