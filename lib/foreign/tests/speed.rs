//! The speed of reading, printed: `cargo test --release -p cofferdam-foreign --test speed -- --ignored --nocapture`.
use std::time::Instant;

use cofferdam_foreign::{LogMapping, read_log};

const WEB: &str = r#"
format = "web"
server = "web-1"
harmless = ["/", "/static/**"]
[[path]]
pattern = "/customers/{customer}/profile"
fields = ["name"]
[[path]]
pattern = "/account?id={customer}"
fields = ["name"]
[[path]]
pattern = "/admin/export/**"
fields = ["name"]
"#;

#[test]
#[ignore = "it measures, and proves nothing"]
#[expect(clippy::print_stdout, clippy::cast_precision_loss, reason = "it prints a rate")]
fn lines_of_a_web_log_a_second() {
    let targets = ["/customers/7/profile", "/static/a.css?v=3", "/account?id=9", "/", "/basket/3"];
    let line = |target: &&str| {
        format!(
            "203.0.113.9 - - [15/Jan/2012:04:00:01 +0000] \"GET {target} HTTP/1.1\" 200 512 \
             \"https://shop.example/\" \"Mozilla/5.0 (X11; Linux x86_64; rv:109.0) Gecko\"\n"
        )
    };
    let log = targets.iter().map(line).collect::<String>().repeat(100_000);
    let mapping = LogMapping::parse(WEB).unwrap();
    let (began, mut items) = (Instant::now(), 0_u64);
    read_log(&mapping, log.as_bytes(), &mut |_| {
        items += 1;
        Ok::<_, ()>(())
    })
    .unwrap();
    let lines = 100_000 * targets.len();
    println!("{:.0} lines a second, {items} items", lines as f64 / began.elapsed().as_secs_f64());
}
