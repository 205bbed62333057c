//! A small client of PostgreSQL's protocol. It keeps every answer as the bytes that came, the rows
//! of `COPY` too, and sends many statements before it reads the first answer.

use std::io::{BufReader, Read as _, Write as _};
use std::net::TcpStream;

/// The environment variable with the URL of a PostgreSQL server and a superuser.
const URL: &str = "COFFERDAM_TEST_POSTGRES";

/// The answer to a statement.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answer {
    /// The rows, as bytes.
    pub rows: Vec<Vec<u8>>,
    /// The command tags with their numbers of rows, such as `UPDATE 3`.
    pub tags: String,
    /// The code (SQLSTATE) and the message of an error.
    pub error: Option<(String, String)>,
}

impl Answer {
    /// Whether the answer is an error whose code begins like this.
    pub fn failed_with(&self, class: &str) -> bool {
        self.error.as_ref().is_some_and(|(code, _)| code.starts_with(class))
    }
}

/// A connection.
pub struct Connection {
    stream: TcpStream,
    reader: BufReader<TcpStream>,
    /// Messages that are not sent yet.
    out: Vec<u8>,
}

impl Connection {
    /// Connects to a database of the server that the tests use, without a password.
    pub fn open(user: &str, database: &str) -> Self {
        let Ok(url) = std::env::var(URL) else { panic!("run ./test or set {URL}") };
        let address = url.rsplit('@').next().and_then(|rest| rest.split('/').next());
        let stream = TcpStream::connect(address.unwrap()).unwrap();
        stream.set_nodelay(true).unwrap();
        let reader = BufReader::new(stream.try_clone().unwrap());
        let mut opened = Self { stream, reader, out: Vec::new() };
        let mut body = 196_608_u32.to_be_bytes().to_vec();
        for text in ["user", user, "database", database, ""] {
            body.extend(text.as_bytes());
            body.push(0);
        }
        opened.out.extend((u32::try_from(body.len()).unwrap() + 4).to_be_bytes());
        opened.out.extend(body);
        opened.flush();
        let greeting = opened.answer();
        assert!(greeting.error.is_none(), "{user} can't connect to {database}: {greeting:?}");
        opened
    }

    /// Queues statements without parameters, as one message.
    pub fn queue(&mut self, sql: &str) {
        self.message(b'Q', &[sql.as_bytes(), b"\0"].concat());
    }

    /// Queues a statement with its parameters, as applications send it.
    pub fn queue_with(&mut self, sql: &str, parameters: &[String]) {
        self.message(b'P', &[b"\0", sql.as_bytes(), b"\0\0\0"].concat());
        let mut bind = b"\0\0\0\0".to_vec();
        bind.extend(u16::try_from(parameters.len()).unwrap().to_be_bytes());
        for parameter in parameters {
            bind.extend(u32::try_from(parameter.len()).unwrap().to_be_bytes());
            bind.extend(parameter.as_bytes());
        }
        bind.extend(b"\0\0");
        self.message(b'B', &bind);
        self.message(b'E', b"\0\0\0\0\0");
        self.message(b'S', b"");
    }

    /// Sends what is queued.
    pub fn flush(&mut self) {
        self.stream.write_all(&self.out).unwrap();
        self.out.clear();
    }

    /// Reads the next answer.
    pub fn answer(&mut self) -> Answer {
        let mut answer = Answer::default();
        loop {
            let mut head = [0; 5];
            self.reader.read_exact(&mut head).unwrap();
            let length = u32::from_be_bytes([head[1], head[2], head[3], head[4]]);
            let mut body = vec![0; length as usize - 4];
            self.reader.read_exact(&mut body).unwrap();
            match head[0] {
                b'D' | b'd' => answer.rows.push(body),
                b'C' => answer.tags.push_str(&String::from_utf8_lossy(&body)),
                b'E' => {
                    let field = |code: u8| {
                        let mut fields = body.split(|byte| *byte == 0);
                        fields.find_map(|field| field.strip_prefix(&[code][..]))
                    };
                    let text = |code| {
                        String::from_utf8_lossy(field(code).unwrap_or_default()).into_owned()
                    };
                    answer.error = Some((text(b'C'), text(b'M')));
                    // Without a session there is nothing more to come.
                    if field(b'S') == Some(b"FATAL") {
                        return answer;
                    }
                }
                b'Z' => return answer,
                _ => {}
            }
        }
    }

    /// Runs statements that must succeed.
    pub fn run(&mut self, sql: &str) -> Answer {
        self.queue(sql);
        self.flush();
        let answer = self.answer();
        assert!(answer.error.is_none(), "{sql}: {:?}", answer.error);
        answer
    }

    fn message(&mut self, kind: u8, body: &[u8]) {
        self.out.push(kind);
        self.out.extend((u32::try_from(body.len()).unwrap() + 4).to_be_bytes());
        self.out.extend(body);
    }
}
