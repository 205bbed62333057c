//! Real web servers, nginx and Apache, answer generated spellings and write their own access logs.
//! Each person whom a server served must be counted. The servers themselves tell the truth.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a failed step is a failed test"
)]

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use cofferdam_core::{Personal, Whose};
use cofferdam_foreign::{Item, LogMapping, read_log};
use proptest::strategy::{Strategy, ValueTree as _};
use proptest::test_runner::TestRunner;

/// The number of generated spellings for each server.
const SPELLINGS: usize = 1_000;
/// The people whom the servers serve.
const PEOPLE: u32 = 12;

const RULES: &str = r#"
[[path]]
pattern = "/customers/{customer}/profile"
fields = ["name"]
[[path]]
pattern = "/admin/export/**"
fields = ["name", "email"]
[[path]]
pattern = "/account?id={customer}"
fields = ["name"]
"#;

/// A running server, which ends with the test.
struct Server {
    process: Child,
    port: u16,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Server {
    fn start(mut command: Command, port: u16) -> Self {
        let process = command.stdout(Stdio::null()).stderr(Stdio::inherit()).spawn();
        let server = Self { process: process.expect("run ./test, which installs it"), port };
        for _ in 0..500 {
            if TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok() {
                return server;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("the server does not listen")
    }

    /// Sends a request line as it is. Returns the body of an answer with status 200 or 206.
    fn ask(&self, request: &str) -> String {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        let text = format!("{request} HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\n\r\n");
        stream.write_all(text.as_bytes()).unwrap();
        let mut answer = Vec::new();
        // A server that refuses a request may reset the connection.
        let _ = stream.read_to_end(&mut answer);
        String::from_utf8_lossy(&answer).into_owned()
    }
}

fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}

/// Writes a page for each person, and an export of everybody.
fn write_pages(root: &Path) {
    for person in 1..=PEOPLE {
        let dir = root.join(format!("customers/{person}"));
        fs::create_dir_all(&dir).unwrap();
        fs::write(dir.join("profile"), format!("[person {person}]")).unwrap();
    }
    let all: Vec<_> = (1..=PEOPLE).map(|person| format!("[person {person}]")).collect();
    fs::create_dir_all(root.join("admin/export")).unwrap();
    fs::write(root.join("admin/export/all"), all.concat()).unwrap();
    fs::create_dir_all(root.join("x/y")).unwrap();
}

fn nginx(dir: &Path) -> (Server, String) {
    let port = free_port();
    let format = r#"$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent""#;
    let config = format!(
        r"daemon off; master_process off; pid {dir}/pid; error_log stderr crit;
        events {{ worker_connections 64; }}
        http {{ default_type text/plain; log_format shop '{format}';
            client_body_temp_path {dir}/t1; proxy_temp_path {dir}/t2; fastcgi_temp_path {dir}/t3;
            uwsgi_temp_path {dir}/t4; scgi_temp_path {dir}/t5;
            server {{ listen 127.0.0.1:{port}; root {dir}/www; access_log {dir}/access.log shop;
                location = /account {{ return 200 '[person $arg_id]'; }} }} }}",
        dir = dir.display()
    );
    fs::write(dir.join("nginx.conf"), config).unwrap();
    let mut command = Command::new("/usr/sbin/nginx");
    command.arg("-e").arg("stderr").arg("-c").arg(dir.join("nginx.conf")).arg("-p").arg(dir);
    (Server::start(command, port), format.to_owned())
}

fn apache(dir: &Path, encoded_slashes: &str) -> (Server, String) {
    let port = free_port();
    let format = r#"%v:%p %h %l %u %t \"%r\" %>s %O \"%{Referer}i\" \"%{User-Agent}i\""#;
    let modules = ["mpm_event", "authz_core", "rewrite"].map(|module| {
        format!("LoadModule {module}_module /usr/lib/apache2/modules/mod_{module}.so\n")
    });
    let config = format!(
        "{modules}ServerName shop.example\nServerRoot {dir}\nPidFile {dir}/pid\nListen 127.0.0.1:{port}\n\
        DocumentRoot {dir}/www\nAllowEncodedSlashes {encoded_slashes}\nErrorLog /dev/null\n\
        HttpProtocolOptions Unsafe\nRewriteEngine On\n\
        RewriteCond %{{QUERY_STRING}} (?:^|&)id=([0-9]+)(?:&|$)\n\
        RewriteRule ^/account$ {dir}/www/customers/%1/profile [L]\nLogFormat \"{format}\" shop\nCustomLog {dir}/access.log shop\n\
        <Directory {dir}/www>\nRequire all granted\n</Directory>\n",
        modules = modules.concat(),
        dir = dir.display()
    );
    fs::write(dir.join("apache.conf"), config).unwrap();
    let mut command = Command::new("/usr/sbin/apache2");
    command.arg("-f").arg(dir.join("apache.conf")).arg("-DFOREGROUND");
    (Server::start(command, port), format.to_owned())
}

/// A path and a query that give out somebody.
fn target() -> impl Strategy<Value = (String, String)> {
    let drawn = (1..=PEOPLE, 1..=PEOPLE, 0..6_u8, 0..10_u8);
    drawn.prop_map(|(person, other, kind, form)| match kind {
        0 => ("/admin/export/all".to_owned(), String::new()),
        1 | 2 => ("/account".to_owned(), query(form, person, other)),
        _ => (format!("/customers/{person}/profile"), String::new()),
    })
}

/// A query that asks for a person, perhaps beside another one.
fn query(form: u8, person: u32, other: u32) -> String {
    match form {
        0 | 1 => format!("?id={person}"),
        2 => format!("?x=1&id={person}"),
        3 => format!("?id={person}&id={other}"),
        4 => format!("?ID={person}"),
        5 => format!("?ID={other}&id={person}"),
        6 => format!("?i%64={person}&id={other}"),
        7 => format!("?&&id={person}&"),
        8 => format!("?id=0{person}"),
        _ => format!("?id={person};id={other}"),
    }
}

/// A spelling of a path, as an intruder may choose it.
fn spelling() -> impl Strategy<Value = String> {
    let before = proptest::sample::select(vec![
        "",
        "",
        "/",
        "/.",
        "/x/..",
        "/x/y/../..",
        "/%2e",
        "/%78/%2E%2e",
        "http://shop.example",
        "/x%2f..",
        "/..",
        "//.//",
    ]);
    let after = proptest::sample::select(vec![
        "",
        "",
        "?",
        "?a=1",
        "#x",
        "?a#b",
        "/",
        "/.",
        "%00",
        ";a=1",
        "%20",
        "/../profile",
        "%2f",
        "?../../1/profile",
        "%3fa",
    ]);
    let method = proptest::sample::select(vec!["GET", "GET", "GET", "HEAD", "POST", "GET "]);
    let changes = proptest::collection::vec(0..40_u8, 40);
    (target(), before, after, method, changes).prop_map(
        |(target, before, after, method, changes)| {
            let ((path, query), mut spelled) = (target, String::new());
            for (c, change) in path.chars().zip(changes) {
                match (c, change) {
                    ('/', 0..=2) => spelled.push_str("//"),
                    ('/', 3..=5) => spelled.push_str("/./"),
                    ('/', 6..=8) => spelled.push_str("%2F"),
                    ('/', 9) => spelled.push('\\'),
                    (c, 0..=4) => spelled.extend(["%", &format!("{:02x}", u32::from(c))]),
                    (c, 5) => spelled.extend(["%25", &format!("{:02x}", u32::from(c))]),
                    (c, 6) => spelled.push(c.to_ascii_uppercase()),
                    (c, _) => spelled.push(c),
                }
            }
            format!("{method} {before}{spelled}{query}{after}")
        },
    )
}

/// Whether an answer that showed a person is counted for them.
fn counts(whose: &Whose, person: u32) -> bool {
    match whose {
        Whose::Everybody { .. } => true,
        Whose::Keys(keys) => keys.iter().any(|key| key.expose() == person.to_string()),
        Whose::Emails(_) => false,
    }
}

fn check(name: &str, server: &Server, log: &Path, format: &str) {
    let mut runner = TestRunner::deterministic();
    let fixed = [
        "GET /x/../customers/7/profile",
        "GET  /customers/7/profile",
        "GET /customers/7/profile#x",
        "GET /customers%2F7%2Fprofile",
        "GET //admin/export/all",
        "GET /customers/8%2f..%2f7/profile",
        "GET /account?id=7",
        "GET /account?ID=7&id=8",
    ];
    let drawn = (0..SPELLINGS).map(|_| spelling().new_tree(&mut runner).unwrap().current());
    let requests: Vec<String> = fixed.map(str::to_owned).into_iter().chain(drawn).collect();
    let mut served: Vec<Vec<u32>> = Vec::new();
    for request in &requests {
        let answer = server.ask(request);
        served.push((1..=PEOPLE).filter(|p| answer.contains(&format!("[person {p}]"))).collect());
    }
    let text = wait_for_lines(log, requests.len());
    let mapping =
        format!("format = \"web\"\nserver = \"web-1\"\nlog_format = '''{format}'''\n{RULES}");
    let mapping = LogMapping::parse(&mapping).unwrap();
    let (mut people, mut narrowed) = (0, 0);
    // The first line is of the connection that found out whether the server listens, if it has one.
    let lines: Vec<&str> = text.lines().collect();
    let lines = &lines[lines.len() - requests.len()..];
    for ((request, line), served) in requests.iter().zip(lines).zip(&served) {
        let mut whose = Vec::new();
        read_log(&mapping, line.as_bytes(), &mut |item| {
            match item {
                Item::Access(access) => whose.push(access.whose),
                // A line that can't be read counts for everybody.
                Item::Bad { why, .. } => whose.push(Whose::Everybody { why }),
                Item::Seen(_)
                | Item::ShowsReads { .. }
                | Item::Harmless { .. }
                | Item::Unnamed { .. }
                | Item::Continues => {}
                Item::Gap { line, .. } => panic!("line {line}: lines are missing"),
            }
            Ok::<_, ()>(())
        })
        .unwrap();
        for person in served {
            people += 1;
            assert!(
                whose.iter().any(|whose| counts(whose, *person)),
                "{name} served person {person} for {request:?} and logged {line:?}: {whose:?}"
            );
        }
        let keys = |whose: &Whose| matches!(whose, Whose::Keys(keys) if *keys == [Personal::new(served.first().map_or(String::new(), u32::to_string))]);
        narrowed += usize::from(served.len() == 1 && whose.iter().any(keys));
    }
    assert!(people > 200 && narrowed > 80, "{name}: {people} served, {narrowed} narrowed");
}

fn wait_for_lines(log: &Path, lines: usize) -> String {
    for _ in 0..500 {
        let text = fs::read_to_string(log).unwrap_or_default();
        if text.lines().count() >= lines {
            return text;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    panic!("the server did not log each request")
}

fn shop() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    write_pages(&dir.path().join("www"));
    // The servers give up root.
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    fs::set_permissions(dir.path(), mode).unwrap();
    dir
}

#[test]
fn whomever_nginx_served_is_counted() {
    let dir = shop();
    let (server, format) = nginx(dir.path());
    check("nginx", &server, &dir.path().join("access.log"), &format);
}

#[test]
fn whomever_apache_served_is_counted() {
    for slashes in ["Off", "On", "NoDecode"] {
        let dir = shop();
        let (server, format) = apache(dir.path(), slashes);
        check(&format!("Apache {slashes}"), &server, &dir.path().join("access.log"), &format);
    }
}
