//! Parses the text of statements, within bounds.

use sqlparser::ast::Statement;
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::keywords::Keyword;
use sqlparser::parser::Parser;
use sqlparser::tokenizer::{Token, TokenWithSpan, Tokenizer, Whitespace};

use super::Doubt;

/// A longer text is not parsed, in bytes.
const MAX_TEXT: usize = 1 << 20;
/// The most operators in a statement. A chain of them is a tree as deep as the chain is long.
const MAX_OPERATORS: usize = 4_000;
/// The deepest nesting of parentheses.
const MAX_DEPTH: usize = 40;

/// Commands that give out no rows.
const GIVING_NOTHING: &[&str] = &[
    "ABORT",
    "ALTER",
    "ANALYZE",
    "BEGIN",
    "CHECKPOINT",
    "CLOSE",
    "CLUSTER",
    "COMMENT",
    "COMMIT",
    "DEALLOCATE",
    "DISCARD",
    "DROP",
    "END",
    "GRANT",
    "LISTEN",
    "LOAD",
    "LOCK",
    "NOTIFY",
    "PREPARE",
    "REASSIGN",
    "REFRESH",
    "REINDEX",
    "RELEASE",
    "RESET",
    "REVOKE",
    "ROLLBACK",
    "SAVEPOINT",
    "SECURITY",
    "SET",
    "SHOW",
    "START",
    "TRUNCATE",
    "UNLISTEN",
    "VACUUM",
];

/// Parses all statements of a text.
pub fn parse(text: &str) -> Result<Vec<Statement>, Doubt> {
    if text.trim().is_empty() {
        return Err(Doubt::anyone("the statement was not logged"));
    }
    if text.len() > MAX_TEXT {
        return Err(Doubt::anyone("the statement is too long"));
    }
    if text.contains(is_odd) {
        return Err(Doubt::anyone("the statement has characters that servers read differently"));
    }
    let no_sql = || Doubt::anyone("the statement can't be parsed");
    let tokens = Tokenizer::new(&PostgreSqlDialect {}, text).tokenize_with_location();
    let tokens = without_unknown_words(tokens.map_err(|_| no_sql())?);
    check(&tokens)?;
    Parser::new(&PostgreSqlDialect {})
        .with_tokens_with_locations(tokens)
        .parse_statements()
        .map_err(|_| no_sql())
}

/// Whether a text is surely one statement.
pub fn is_single(text: &str) -> bool {
    // Servers and the parser may end strings with backslashes and comments at different places.
    if text.contains(is_odd) || text.contains('\\') || text.contains("/*") {
        return false;
    }
    let Ok(tokens) = Tokenizer::new(&PostgreSqlDialect {}, text).tokenize() else { return false };
    let mut behind = tokens.iter().skip_while(|token| **token != Token::SemiColon).skip(1);
    behind.all(|token| matches!(token, Token::Whitespace(_) | Token::SemiColon))
}

/// Whether a text is surely one statement that only reads. A log of changes alone never has such a text.
pub fn is_plain_read(text: &str) -> bool {
    let mut words = text.trim_start().split(|c: char| !c.is_alphanumeric() && c != '_');
    // `SELECT … INTO` makes a table, so logs of definitions have it.
    words.next().is_some_and(|first| first.eq_ignore_ascii_case("SELECT"))
        && !words.any(|word| word.eq_ignore_ascii_case("INTO"))
        && is_single(text)
}

/// Whether a text is a single command that gives out no rows, by its first word. The parser does not
/// know all of them.
pub fn gives_nothing(text: &str) -> bool {
    let first = text.split_ascii_whitespace().next().unwrap_or_default().trim_end_matches(';');
    GIVING_NOTHING.iter().any(|of| of.eq_ignore_ascii_case(first)) && is_single(text)
}

/// Characters that PostgreSQL and the parser may take for different things: control characters, and
/// spaces that are none for PostgreSQL.
fn is_odd(c: char) -> bool {
    !matches!(c, ' ' | '\t' | '\n' | '\r') && (c.is_control() || c.is_whitespace())
}

/// Refuses tokens that make a tree too deep, or that the parser reads otherwise than PostgreSQL.
fn check(tokens: &[TokenWithSpan]) -> Result<(), Doubt> {
    let (mut depth, mut operators) = (0_usize, 0_usize);
    for token in tokens {
        match &token.token {
            Token::LParen | Token::LBracket | Token::LBrace => depth += 1,
            Token::RParen | Token::RBracket | Token::RBrace => depth = depth.saturating_sub(1),
            Token::Whitespace(Whitespace::MultiLineComment(comment)) if comment.contains("/*") => {
                return Err(Doubt::anyone("the statement has a comment within a comment"));
            }
            Token::Whitespace(_)
            | Token::Comma
            | Token::Period
            | Token::SemiColon
            | Token::Number(_, false)
            | Token::SingleQuotedString(_)
            | Token::Placeholder(_)
            | Token::EOF => {}
            Token::Word(word) => operators += usize::from(makes_deeper(word.keyword)),
            _ => operators += 1,
        }
        if depth > MAX_DEPTH || operators > MAX_OPERATORS {
            return Err(Doubt::anyone("the statement is too deep to be followed"));
        }
    }
    Ok(())
}

fn makes_deeper(keyword: Keyword) -> bool {
    use Keyword as K;
    matches!(
        keyword,
        K::AND
            | K::AT
            | K::BETWEEN
            | K::CASE
            | K::COLLATE
            | K::EXCEPT
            | K::ILIKE
            | K::IN
            | K::INTERSECT
            | K::IS
            | K::JOIN
            | K::LIKE
            | K::NOT
            | K::NOTNULL
            | K::OPERATOR
            | K::OR
            | K::OVERLAPS
            | K::SELECT
            | K::SIMILAR
            | K::UNION
            | K::WITH
    )
}

/// Leaves out words that the parser does not know: `ONLY` before a relation, and the kind of a row
/// lock (`FOR KEY SHARE`). Without `ONLY`, the statement reads more rows, not fewer.
fn without_unknown_words(tokens: Vec<TokenWithSpan>) -> Vec<TokenWithSpan> {
    use Keyword as K;
    let mut kept: Vec<TokenWithSpan> = Vec::with_capacity(tokens.len());
    let mut before = K::NoKeyword;
    for token in tokens {
        if let Token::Word(word) = &token.token {
            let unknown = match word.keyword {
                K::ONLY => matches!(before, K::FROM | K::JOIN | K::UPDATE | K::USING),
                K::KEY | K::NO => before == K::FOR,
                _ => false,
            };
            if unknown && word.quote_style.is_none() {
                continue;
            }
            before = word.keyword;
        } else if !matches!(token.token, Token::Whitespace(_)) {
            before = K::NoKeyword;
        }
        kept.push(token);
    }
    kept
}
