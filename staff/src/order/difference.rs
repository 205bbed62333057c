//! The difference of two texts, line by line.

use similar::{ChangeTag, TextDiff};

/// The number of unchanged lines shown before and after a change.
const CONTEXT: usize = 2;

/// Lists the lines that were removed (`-`) and added (`+`), each change with its section.
pub fn difference(before: &str, after: &str) -> Vec<String> {
    let diff = TextDiff::from_lines(before, after);
    let mut lines = Vec::new();
    for group in diff.grouped_ops(CONTEXT) {
        if let Some(first) = group.first() {
            lines.extend(section(after, first.new_range().start));
        }
        for op in &group {
            for change in diff.iter_changes(op) {
                let sign = match change.tag() {
                    ChangeTag::Delete => '-',
                    ChangeTag::Insert => '+',
                    ChangeTag::Equal => ' ',
                };
                lines.push(format!("{sign} {}", change.value().trim_end()));
            }
        }
    }
    if lines.is_empty() {
        lines.push("no difference".to_owned());
    }
    lines
}

/// Finds the heading of the TOML section that a line belongs to, and the name of the caller or
/// approver of that section. `[[callers.grants]]` belongs to the `[[callers]]` before it.
fn section(text: &str, line: usize) -> Vec<String> {
    let lines: Vec<_> = text.lines().collect();
    let before = &lines[..line.min(lines.len())];
    let Some(head) = before.iter().rposition(|line| line.starts_with('[')) else {
        return Vec::new();
    };
    let owner = before.iter().rposition(|line| line.starts_with('[') && !line.contains('.'));
    let name = lines[owner.unwrap_or(head)..].iter().find(|line| line.starts_with("name = "));
    std::iter::once(&lines[head]).chain(name).map(|line| format!("@ {line}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_shown_with_its_section() {
        let before = "version = 1\n\n[[callers]]\nname = \"web-1\"\na = 1\nb = 2\nc = 3\nd = 4\n";
        let after = before.replace("version = 1", "version = 2").replace("d = 4", "d = 5");
        assert_eq!(
            difference(before, &after),
            [
                "- version = 1",
                "+ version = 2",
                "  ",
                "  [[callers]]",
                "@ [[callers]]",
                "@ name = \"web-1\"",
                "  b = 2",
                "  c = 3",
                "- d = 4",
                "+ d = 5",
            ]
        );
        assert_eq!(difference(before, before), ["no difference"]);
    }

    #[test]
    fn a_grant_is_shown_with_its_caller() {
        let caller = |name: &str| {
            format!("[[callers]]\nname = \"{name}\"\n\n[[callers.grants]]\na = 1\nb = 2\nc = 3\n")
        };
        let before = format!("{}{}", caller("web-1"), caller("web-2"));
        let after = format!("{}{}", caller("web-1"), caller("web-2").replace("c = 3", "c = 4"));
        let shown = difference(&before, &after);
        assert_eq!(shown[..2], ["@ [[callers.grants]]", "@ name = \"web-2\""]);
    }
}
