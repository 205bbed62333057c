//! The peer: Mailman 3, from Debian's package `mailman3`. It sends one of the letters to the first
//! of the same customers, each in a transaction of its own, into the same sink. Mailman runs as a
//! user of its own, so the measurement needs root.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use testkit::free_address;

const LIST: &str = "letters@shop.example";
const SENDER: &str = "notice@shop.example";
/// The number of bytes that are read of the mail that arrived: a few letters.
const HEAD: u64 = 200_000;
/// The longest time that Mailman may take.
const PATIENCE: Duration = Duration::from_mins(10);

/// The figures of the peer.
pub struct Peer {
    /// The number of letters that were sent.
    pub letters: u32,
    /// The time for handing them over, in seconds, by Mailman's own log.
    pub seconds: f64,
    /// The time for subscribing the customers, in seconds.
    pub subscribing: f64,
}

/// Sends a letter of the sink's `dump` to the first `letters` of `customers`.
pub fn measure(sink: SocketAddr, dump: &Path, customers: &Path, letters: u32) -> Peer {
    let dir = tempfile::tempdir().unwrap();
    let mailman = Mailman { dir: dir.path().to_owned() };
    mailman.prepare(sink);
    fs::write(dir.path().join("letter.eml"), letter(dump)).unwrap();
    fs::write(dir.path().join("members"), members(customers, letters)).unwrap();
    mailman.hand_over_files();
    let begun = Instant::now();
    mailman.run(&["create", LIST]);
    mailman.run(&["addmembers", "-W", &mailman.file("members"), LIST]);
    let subscribing = begun.elapsed().as_secs_f64();
    mailman.run(&["withlist", "-l", LIST, "-r", "prepare.prepare"]);
    mailman.run(&["start"]);
    mailman.run(&["inject", "-f", &mailman.file("letter.eml"), LIST]);
    let seconds = mailman.wait_until_sent(letters);
    mailman.run(&["stop"]);
    Peer { letters, seconds, subscribing }
}

/// A Mailman whose files are in one directory.
struct Mailman {
    dir: PathBuf,
}

/// Settings that let everybody write to the list, and that give each member a message of their own.
const PREPARE: &str = "\
from mailman.config import config
from mailman.interfaces.action import Action
from mailman.interfaces.mailinglist import Personalization

def prepare(mlist):
    mlist.default_member_action = Action.accept
    mlist.default_nonmember_action = Action.accept
    mlist.max_message_size = 0
    mlist.max_num_recipients = 0
    mlist.personalize = Personalization.individual
    mlist.digests_enabled = False
    config.db.commit()
";

impl Mailman {
    fn prepare(&self, sink: SocketAddr) {
        let (dir, log) = (self.dir.display(), "var/logs");
        let config = format!(
            "[mailman]\nsite_owner: owner@shop.example\nlayout: here\n\
             [paths.here]\nvar_dir: {dir}/var\nbin_dir: /usr/lib/mailman3/bin\netc_dir: {dir}\n\
             log_dir: {dir}/{log}\npid_file: {dir}/var/master.pid\n\
             [database]\nclass: mailman.database.sqlite.SQLiteDatabase\n\
             url: sqlite:///{dir}/var/mailman.db\n\
             [webservice]\nport: {web}\n\
             [mta]\nincoming: mailman.mta.null.NullMTA\noutgoing: mailman.mta.deliver.deliver\n\
             smtp_host: {host}\nsmtp_port: {port}\nlmtp_port: {lmtp}\n\
             verp_delivery_interval: 1\nverp_personalized_deliveries: yes\n",
            web = free_address().port(),
            lmtp = free_address().port(),
            host = sink.ip(),
            port = sink.port(),
        );
        fs::write(self.dir.join("mailman.cfg"), config).unwrap();
        fs::write(self.dir.join("prepare.py"), PREPARE).unwrap();
        fs::create_dir(self.dir.join("var")).unwrap();
    }

    /// Gives the files to the user under which Mailman runs.
    fn hand_over_files(&self) {
        let done = Command::new("chown").args(["-R", "list:list"]).arg(&self.dir).status();
        assert!(done.unwrap().success(), "the peer runs as the user `list`, which takes root");
    }

    fn file(&self, name: &str) -> String {
        self.dir.join(name).to_str().unwrap().to_owned()
    }

    fn run(&self, args: &[&str]) {
        let mut command = Command::new("runuser");
        command.args(["-u", "list", "--", "mailman", "-C", &self.file("mailman.cfg")]).args(args);
        command.env("PYTHONPATH", &self.dir).current_dir(&self.dir);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let done = command.status().unwrap();
        assert!(done.success(), "mailman {args:?} failed: is the package mailman3 there?");
    }

    /// Waits until the log says that the message was handed over. Returns the seconds that this
    /// took.
    fn wait_until_sent(&self, letters: u32) -> f64 {
        let (log, begun) = (self.file("var/logs/smtp.log"), Instant::now());
        let told = format!("for {} recips, completed in ", letters + 1);
        loop {
            let text = fs::read_to_string(&log).unwrap_or_default();
            if let Some((_, rest)) = text.split_once(&told) {
                return rest.split(' ').next().unwrap().parse().unwrap();
            }
            assert!(begun.elapsed() < PATIENCE, "the peer did not send: {text}");
            std::thread::sleep(Duration::from_millis(500));
        }
    }
}

/// The addresses of the sender and of the first customers.
fn members(customers: &Path, letters: u32) -> Vec<u8> {
    let rows = BufReader::new(File::open(customers).unwrap()).lines().map(Result::unwrap);
    let mut out = format!("{SENDER}\n").into_bytes();
    for row in rows.skip(1).take(letters as usize) {
        writeln!(out, "{}", row.split(',').nth(1).unwrap()).unwrap();
    }
    out
}

/// One of the letters that arrived, without the lines that the sink wrote above it.
fn letter(dump: &Path) -> String {
    let mut head = Vec::new();
    File::open(dump).unwrap().take(HEAD).read_to_end(&mut head).unwrap();
    let head = String::from_utf8_lossy(&head);
    let arrived: Vec<_> = head.split("X-Client-Addr: ").collect();
    // The last letter may be cut off.
    let whole = arrived[arrived.len() - 2];
    let sinks = |line: &&str| line.starts_with(['X', '\t']) || line.starts_with("Received: ");
    whole.split_inclusive('\n').skip(1).skip_while(sinks).collect()
}
