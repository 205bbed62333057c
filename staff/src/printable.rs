//! Texts of unknown origin, made safe for the terminal.

/// Replaces each character that commands the terminal, or that turns the direction of the text
/// beside it, with a blank.
#[must_use]
pub fn printable(text: &str) -> String {
    let turns = |c| matches!(c, '\u{2028}'..='\u{202E}' | '\u{2066}'..='\u{2069}');
    text.chars().map(|c| if c.is_control() || turns(c) { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::printable;

    #[test]
    fn a_title_moves_no_cursor() {
        assert_eq!(printable("a\u{1b}[2Jb\nc\u{202e}d"), "a [2Jb c d");
    }
}
