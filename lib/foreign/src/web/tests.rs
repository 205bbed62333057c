//! Spellings of requests: whoever was served counts.

use cofferdam_core::Field;
use proptest::prelude::*;

use super::*;
use crate::testing::{outcomes, read};

const MAPPING: &str = include_str!("../../../../tests/fixtures/foreign/web-rules.toml");

fn line(request: &str, status: &str) -> String {
    format!("203.0.113.9 - - [15/Jan/2012:04:00:01 +0000] \"{request}\" {status} \"-\" \"curl\"\n")
}

/// The outcome of a request: whom it counts for, and in which fields.
fn outcome(request: &str, status: &str) -> (String, String) {
    let items = read(MAPPING, &line(request, status));
    let [item] = &items[..] else { panic!("{request}: {items:?}") };
    let Item::Access(access) = item else { return (outcomes(&items).remove(0), String::new()) };
    let fields: Vec<_> = access.fields.iter().map(Field::as_str).collect();
    (outcomes(&items).remove(0), fields.join(" "))
}

const PROFILE: &str = "name email phone";
const ALL: &str = "name email phone billing_address shipping_address card_last4 password";

#[test]
fn a_path_counts_as_the_servers_read_it() {
    for path in [
        "/customers/7/profile",
        "//customers/7/profile",
        "/customers//7///profile",
        "/./customers/7/profile",
        "/customers/./7/profile",
        "/x/../customers/7/profile",
        "/x/y/../../customers/7/profile",
        "/x/%2e%2e/customers/7/profile",
        "/%2E/customers/7/profile",
        "/customers%2F7%2Fprofile",
        "/customers%2f7/profile",
        "/customers/%37/profile",
        "/%63ustomers/7/%70rofile",
        "/customers/7/profile#x",
        "/customers/7/profile?x=1#y",
        "/customers/7/profile?",
        "http://www.shop.example/customers/7/profile",
        "HTTP://www.shop.example:80//customers/7/profile",
    ] {
        let expected = ("7".to_owned(), PROFILE.to_owned());
        assert_eq!(outcome(&format!("GET {path} HTTP/1.1"), "200 5"), expected, "{path}");
        assert_eq!(
            outcome(&format!("GET  {path} HTTP/1.1"), "200 5"),
            expected,
            "two spaces {path}"
        );
        assert_eq!(outcome(&format!("HEAD {path}  HTTP/1.0"), "200 5"), expected, "{path}");
        assert_eq!(outcome(&format!("GET {path}"), "200 5"), expected, "HTTP/0.9 {path}");
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table: one row for each spelling")]
fn a_path_that_may_be_read_in_several_ways_counts_for_everybody() {
    for (path, fields) in [
        ("/Customers/7/Profile", PROFILE),
        ("customers/7/profile", PROFILE),
        ("/CUSTOMERS/7/profile", PROFILE),
        ("/customers/7/profile/", PROFILE),
        ("/customers/7/profile;jsessionid=abc", PROFILE),
        ("/customers;x=1/7/profile", PROFILE),
        ("/customers/7/profile%3Bjsessionid=abc", PROFILE),
        (r"/customers\\7\\profile", PROFILE),
        (r"/customers\x5C7\x5Cprofile", PROFILE),
        ("/customers%5C7%5Cprofile", PROFILE),
        ("/customers/7/profile%00", PROFILE),
        ("/customers/7/profile%20", PROFILE),
        ("/customers/7/profile%09", PROFILE),
        ("/customers%252F7%252Fprofile", PROFILE),
        ("/customers/7/prof%69le%3Fx=1", PROFILE),
        ("/../customers/7/profile", PROFILE),
        ("/%2e%2e/customers/7/profile", PROFILE),
        ("/customers/7%2F..%2F8/profile", PROFILE),
        ("/x%2F../customers/7/profile", PROFILE),
        ("/customers/7 /profile", PROFILE),
        ("/account?ID=7", "name"),
        ("/account?id[]=7", "name"),
        ("/account?id[0]=7", "name"),
        ("/account?id%5B%5D=7", "name"),
        ("/account?%49D=7", "name"),
        ("/account?x=1;id=7", "name"),
        ("/account?x=1&amp;id=7", "name"),
        ("/account?%20id=7", "name"),
        ("/account?id=7&id=8", "name"),
        ("/account?id=7&ID=8", "name"),
        ("/account?id=7&id[]=8", "name"),
        ("/account?id=", "name"),
        ("/account?id", "name"),
        ("/account/?id=7", "name"),
        ("/Account?id=7", "name"),
        ("/find?Q=ada@post.example", "name"),
        ("/ADMIN/export/all", "name email"),
        ("/static/..%5Cadmin%5Cexport%5Call", "name email"),
        ("/static/%2e%2e%5cadmin/export/all", "name email"),
        ("/files/P-7.JSON", "phone"),
    ] {
        let expected = ("everybody".to_owned(), fields.to_owned());
        assert_eq!(outcome(&format!("GET {path} HTTP/1.1"), "200 5"), expected, "{path}");
    }
    for path in [
        "/customers/7",
        "/customers/7/profile/more",
        "/customers/7/profile.json",
        "/account",
        "/basket",
        "/static2/a.css",
        "/static/..;/customers2/7",
        "/%",
        "/%zz",
        "/a%00",
        "*",
        "",
        "/..",
        "www.shop.example:443",
    ] {
        let expected = ("everybody".to_owned(), ALL.to_owned());
        assert_eq!(outcome(&format!("GET {path} HTTP/1.1"), "200 5"), expected, "{path}");
    }
    for request in ["-", "", "PUT /customers/7/profile HTTP/1.1", r"\x16\x03\x01", "GET"] {
        let expected = ("everybody".to_owned(), ALL.to_owned());
        assert_eq!(outcome(request, "200 5"), expected, "{request}");
    }
}

#[test]
fn names_come_out_as_they_were_meant() {
    for (target, name) in [
        ("/account?id=7", "7"),
        ("/account?%69d=7", "7"),
        ("/account?i%64=%37", "7"),
        ("/account?x=2&id=7&y", "7"),
        ("/account?id=+7", " 7"),
        ("/account?id=7;x=1", "7;x=1"),
        ("/account?id=007", "007"),
        ("/account?id=7-slug", "7-slug"),
        ("/customers/007/profile", "007"),
        ("/customers/7.00/profile", "7.00"),
        ("/customers/%20/profile", " "),
        ("/customers/7%2e0/profile", "7.0"),
        ("/find?q=ada%40post.example", "ada@post.example"),
        ("/find?q=ada+x@post.example", "ada x@post.example"),
        ("/files/p-7.json", "7"),
        ("/admin/export/all", "everybody"),
        ("//admin/export/all", "everybody"),
        ("/admin/export", "everybody"),
        ("/", "harmless"),
        ("//", "harmless"),
        ("/static/a.css?v=1", "harmless"),
        ("/static//a.css", "harmless"),
        ("/x/../static/a.css", "harmless"),
    ] {
        assert_eq!(outcome(&format!("GET {target} HTTP/1.1"), "200 5").0, name, "{target}");
    }
}

#[test]
fn only_an_answer_that_can_hold_no_data_gives_nothing() {
    let outcome = |request: &str, status: &str| outcome(request, status).0;
    for status in [
        "100 0", "204 0", "205 0", "304 0", "301 0", "302 -", "400 9", "401 9", "403 9", "404 9",
        "405 9", "408 0", "429 9", "501 9",
    ] {
        assert_eq!(outcome("GET /customers/7/profile HTTP/1.1", status), "harmless", "{status}");
        assert_eq!(outcome("GET /basket HTTP/1.1", status), "harmless", "{status}");
        assert_eq!(outcome("-", status), "harmless", "{status}");
        // Data that the fallen server was given counts, whatever the server answered.
        assert_eq!(outcome("POST /customers/7/profile HTTP/1.1", status), "7", "{status}");
        assert_eq!(outcome("POST /Customers/7/profile HTTP/1.1", status), "everybody", "{status}");
    }
    for status in [
        "200 0", "201 5", "206 5", "301 178", "302 500", "303 5", "409 5", "410 5", "412 5",
        "422 5", "499 0", "500 5", "502 5", "503 5", "- 5", "000 5", "999 5",
    ] {
        assert_eq!(outcome("GET /customers/7/profile HTTP/1.1", status), "7", "{status}");
        assert_eq!(outcome("GET /basket HTTP/1.1", status), "everybody", "{status}");
    }
    assert_eq!(outcome("OPTIONS * HTTP/1.0", "200 126"), "harmless");
}

#[test]
fn lines_that_are_torn_or_of_another_format_are_bad() {
    for text in [
        "torn",
        "203.0.113.9 - - [15/Jan/2012:04:00:01 +0000] \"GET / HTTP/1.1",
        "203.0.113.9 - - [99/Jan/2012:04:00:01 +0000] \"GET / HTTP/1.1\" 200 5",
        "www.shop.example:443 203.0.113.9 - - [15/Jan/2012:04:00:01 +0000] \"GET / HTTP/1.1\" 200 5",
        "203.0.113.9 - a b [15/Jan/2012:04:00:01 +0000] \"GET / HTTP/1.1\" 200 5",
    ] {
        assert_eq!(outcomes(&read(MAPPING, text)), ["bad 1"], "{text}");
    }
    let long = format!("{}\n{}", "x".repeat(3 << 20), line("GET / HTTP/1.1", "200 5"));
    assert_eq!(outcomes(&read(MAPPING, &long)), ["bad 1", "harmless"]);
}

#[test]
fn the_user_of_a_request_cant_forge_its_line() {
    let forged = r#"203.0.113.9 - x [15/Jan/2012:04:00:01 +0000] \"GET / HTTP/1.1\" 404 5 [15/Jan/2012:04:00:01 +0000] "GET /customers/7/profile HTTP/1.1" 200 5 "-" "curl""#;
    assert_eq!(outcomes(&read(MAPPING, forged)), ["bad 1"]);
}

proptest! {
    /// Any line is exactly one of counted, harmless and bad.
    #[test]
    fn every_line_has_one_outcome(text in "[^\r\n]{1,80}", request in "[ -~]{0,60}", status in "[0-9-]{1,3}") {
        prop_assume!(!text.trim().is_empty());
        for log in [text, line(&request, &format!("{status} 5"))] {
            prop_assert_eq!(read(MAPPING, &log).len(), 1, "{}", log);
        }
    }

    /// Spellings on which nginx and Apache agree name the same customer.
    #[test]
    fn a_respelled_path_names_the_same_customer(
        spelled in proptest::collection::vec(0..5_u8, 26),
        before in prop_oneof![Just(""), Just("/."), Just("/x/.."), Just("/"), Just("/%2e")],
    ) {
        let mut target = before.to_owned();
        for (c, how) in "/customers/7/profile".chars().zip(spelled) {
            match (c, how) {
                ('/', 1) => target.push_str("//"),
                ('/', 2) => target.push_str("/./"),
                (c, 3) if c != '/' => target.extend(["%", &format!("{:02x}", u32::from(c))]),
                (c, 4) if c != '/' => target.extend(["%", &format!("{:02X}", u32::from(c))]),
                (c, _) => target.push(c),
            }
        }
        prop_assert_eq!(outcome(&format!("GET {target} HTTP/1.1"), "200 5").0, "7", "{}", target);
    }
}
