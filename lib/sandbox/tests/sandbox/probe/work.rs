//! Actions of a server at work, and reports of its own confinement.

use crate::room::Place;
use cofferdam_sandbox::Sandbox;
use nix::sys::prctl;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use sqlx::ConnectOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode};
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream, ToSocketAddrs};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::mpsc;
use std::{fs, thread};

pub fn connect(port: u16) -> io::Result<()> {
    TcpStream::connect((Ipv4Addr::LOCALHOST, port)).map(drop)
}

/// Replaces a file from a thread of the server, then moves and removes it.
pub fn own_files(place: &Place) -> io::Result<()> {
    let dir = place.own.clone();
    thread::spawn(move || replace(&dir)).join().unwrap()?;
    assert_eq!(fs::read(place.own.join("kept"))?, b"new");
    let sub = place.own.join("sub");
    fs::create_dir(&sub)?;
    fs::rename(place.own.join("kept"), sub.join("kept"))?;
    assert_eq!(fs::read_dir(&sub)?.count(), 1);
    fs::remove_dir_all(sub)
}

fn replace(dir: &Path) -> io::Result<()> {
    let mut file = fs::File::create(dir.join("kept.new"))?;
    file.write_all(b"new")?;
    file.sync_all()?;
    fs::rename(dir.join("kept.new"), dir.join("kept"))?;
    fs::File::open(dir)?.sync_all()
}

/// Serves a client that connected before the process entered, since the process may not connect to
/// its own port.
pub fn serve(listener: &TcpListener, client: &mut TcpStream) -> io::Result<()> {
    let (mut served, _) = listener.accept()?;
    client.write_all(b"?")?;
    served.read_exact(&mut [0])?;
    served.write_all(b"!")?;
    client.read_exact(&mut [0])
}

pub fn resolve() -> io::Result<()> {
    assert!(("localhost", 1).to_socket_addrs()?.any(|address| address.ip().is_loopback()));
    Ok(())
}

pub fn runtime(place: &Place) -> io::Result<()> {
    let file = place.own.join("kept");
    let port = place.allowed;
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build()?;
    runtime.block_on(async move {
        let work = (0..32).map(|_| {
            let file = file.clone();
            tokio::spawn(async move {
                tokio::fs::read(file).await?;
                tokio::net::TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.map(drop)
            })
        });
        for task in work.collect::<Vec<_>>() {
            task.await??;
        }
        Ok(())
    })
}

/// Uses a database in WAL mode, whose index is a memory-mapped file, and maps the database as well.
pub fn sqlite(place: &Place) -> io::Result<()> {
    let options = SqliteConnectOptions::new()
        .filename(place.own.join("data.db"))
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .pragma("mmap_size", "1048576");
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(fill(options)).map_err(io::Error::other)?;
    Ok(())
}

async fn fill(options: SqliteConnectOptions) -> sqlx::Result<()> {
    let mut database = options.connect().await?;
    sqlx::query("CREATE TABLE t (n INTEGER, b BLOB)").execute(&mut database).await?;
    for n in 0..100 {
        let insert = sqlx::query("INSERT INTO t VALUES (?, randomblob(9000))").bind(n);
        insert.execute(&mut database).await?;
    }
    sqlx::query("VACUUM").execute(&mut database).await?;
    let count: i64 = sqlx::query_scalar("SELECT count(*) FROM t").fetch_one(&mut database).await?;
    assert_eq!(count, 100);
    Ok(())
}

pub fn enter_with_two_threads(place: &Place) -> io::Result<()> {
    let (stop, stopped) = mpsc::channel::<()>();
    let other = thread::spawn(move || stopped.recv());
    print_refusal(place.sandbox())?;
    drop(stop);
    other.join().unwrap().unwrap_err();
    Ok(())
}

pub fn enter_with_missing_path(place: &Place) -> io::Result<()> {
    print_refusal(Sandbox { read: vec![place.own.join("no-such-file")], ..place.sandbox() })
}

pub fn enter_to_write_file(place: &Place) -> io::Result<()> {
    print_refusal(Sandbox { write: vec![place.own.join("kept")], ..place.sandbox() })
}

fn print_refusal(sandbox: Sandbox) -> io::Result<()> {
    writeln!(io::stdout(), "{}", sandbox.enter().unwrap_err())
}

/// Raises the limit of core dumps, so that the sandbox has something to switch off. The call may
/// fail if the outer limit is zero.
pub fn allow_core_dumps() {
    let _ = setrlimit(Resource::RLIMIT_CORE, 4096, 4096);
}

pub fn core_dumps() -> io::Result<()> {
    let limits = getrlimit(Resource::RLIMIT_CORE)?;
    println!("dumpable: {}, limits: {limits:?}", prctl::get_dumpable()?);
    Ok(())
}

/// Reports the locked and the resident memory after starting threads. If locking filled untouched
/// pages, the thread stacks would show.
pub fn memory(status: &fs::File, before: u64) -> io::Result<()> {
    let (stop, stopped) = mpsc::sync_channel::<()>(0);
    let stopped = std::sync::Arc::new(std::sync::Mutex::new(stopped));
    for _ in 0..16 {
        let stopped = stopped.clone();
        thread::spawn(move || stopped.lock().unwrap().recv());
    }
    println!("locked kB: {}", status_number(status, "VmLck")?);
    println!("grown kB: {}", status_number(status, "VmRSS")?.saturating_sub(before));
    drop(stop);
    Ok(())
}

/// A number of `/proc/self/status`, read through a handle opened before the process was locked in.
pub fn status_number(status: &fs::File, name: &str) -> io::Result<u64> {
    let mut text = vec![0; 8192];
    let length = status.read_at(&mut text, 0)?;
    let text = String::from_utf8_lossy(&text[..length]).into_owned();
    let line = text.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    Ok(line.trim_matches(|c: char| !c.is_ascii_digit()).parse().unwrap())
}
