//! A connection to a relay, over which many messages can be sent.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use memchr::memchr2;
use tokio::net::TcpStream;
use zeroize::Zeroizing;

use super::dialogue::{Broken, Dialogue};
use super::relay::{Relay, RelayTls};
use super::replies::Reply;
use super::stream::Stream;
use super::{Envelope, OpenError, Outcome};
use crate::message::is_addr_spec;

/// The timeout for connecting.
const CONNECT: Duration = Duration::from_secs(30);
/// The timeout for the reply to a command (RFC 5321, section 4.5.3.2).
const COMMAND: Duration = Duration::from_mins(5);
/// The timeout for the reply to the final dot. The relay may be scanning the text, and giving up
/// early would lead to duplicates (RFC 5321, section 4.5.3.2.6).
const FINAL_REPLY: Duration = Duration::from_mins(10);
/// The timeout for the reply to QUIT.
const GOODBYE: Duration = Duration::from_secs(5);

/// An open connection to a relay.
pub struct Connection {
    dialogue: Dialogue,
    pipelining: bool,
    eight_bit: bool,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Ready,
    /// A transaction is open, or the last one failed. The relay may still remember its sender, so
    /// the next transaction must begin with RSET.
    Unfinished,
    Closed,
}

impl Connection {
    /// Connects to `relay`, greets it as `helo`, and starts TLS and logs in as the relay is
    /// configured.
    pub async fn open(relay: &Relay, helo: &str) -> Result<Self, OpenError> {
        let unreachable =
            |cause| OpenError::Unreachable { relay: relay.address().to_owned(), cause };
        let stream = tokio::time::timeout(CONNECT, TcpStream::connect(relay.address()))
            .await
            .map_err(|_| unreachable(format!("no connection within {} s", CONNECT.as_secs())))?
            .map_err(|e| unreachable(e.to_string()))?;
        stream.set_nodelay(true).map_err(|e| unreachable(e.to_string()))?;
        let (dialogue, offer) = match greet(stream, relay, helo).await {
            Ok(open) => open,
            Err(Unopened::Broken(Broken(cause))) => return Err(unreachable(cause)),
            Err(Unopened::Refused(reply)) => {
                let (relay, code) = (relay.address().to_owned(), reply.code);
                let reply = reply.without_names("").text;
                return Err(OpenError::TurnedAway { relay, code, reply });
            }
        };
        Ok(Self {
            dialogue,
            pipelining: offers(&offer, "PIPELINING"),
            eight_bit: offers(&offer, "8BITMIME"),
            state: State::Ready,
        })
    }

    /// Whether the connection is encrypted with TLS.
    #[must_use]
    pub const fn is_encrypted(&self) -> bool {
        self.dialogue.is_encrypted()
    }

    /// Whether another message can be sent over this connection.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.state != State::Closed
    }

    /// Sends one message. A broken connection is an outcome like any other; check
    /// [`Connection::is_open`] before the next message.
    pub async fn send(&mut self, envelope: &Envelope, message: &[u8]) -> Outcome {
        let eight_bit = !message.is_ascii();
        if let Some(refused) = self.unfit(envelope, eight_bit) {
            return refused;
        }
        let recipient = envelope.to.expose();
        match self.transaction(envelope, message, eight_bit).await {
            Ok(outcome) => outcome,
            Err(broken) => {
                self.state = State::Closed;
                let reply = Reply { code: 0, text: broken.0 }.without_names(recipient).text;
                Outcome::Deferred { code: None, reply }
            }
        }
    }

    /// Ends the connection with QUIT.
    pub async fn close(mut self) {
        if self.is_open() && self.dialogue.send(b"QUIT\r\n").await.is_ok() {
            // The reply to QUIT changes nothing.
            let _ = self.dialogue.receive(GOODBYE).await;
        }
    }

    /// Refuses a message that this relay can't take, with the code that it would reply. A line
    /// break in an address would smuggle in commands.
    fn unfit(&self, envelope: &Envelope, eight_bit: bool) -> Option<Outcome> {
        let refused = |code, reply: &str| Some(Outcome::Refused { code, reply: reply.to_owned() });
        let from_fits = envelope.from.is_empty() || is_addr_spec(&envelope.from);
        if !from_fits || !is_addr_spec(envelope.to.expose()) {
            return refused(553, "not sent: an address of the envelope is malformed or not ASCII");
        }
        if eight_bit && !self.eight_bit {
            return refused(554, "not sent: the relay does not accept the 8-bit bytes of the text");
        }
        None
    }

    async fn transaction(
        &mut self,
        envelope: &Envelope,
        message: &[u8],
        eight_bit: bool,
    ) -> Result<Outcome, Broken> {
        let recipient = envelope.to.expose();
        if !self.is_open() {
            return Err(Broken("the connection was closed".to_owned()));
        }
        if let Some(refusal) = self.begin(envelope, eight_bit).await? {
            // 421 means that the relay is about to hang up. Any code that is no refusal means that
            // replies no longer match commands.
            let usable = refusal.code != 421 && (400..=599).contains(&refusal.code);
            self.close_unless(usable);
            return Ok(refusal.without_names(recipient).refusal());
        }
        Ok(self.send_text(message, recipient).await)
    }

    /// Announces sender, recipient and text, in one write if the relay allows it. Returns the first
    /// reply that is not the expected one.
    async fn begin(
        &mut self,
        envelope: &Envelope,
        eight_bit: bool,
    ) -> Result<Option<Reply>, Broken> {
        let body = if eight_bit { " BODY=8BITMIME" } else { "" };
        let mut steps = Vec::with_capacity(4);
        if self.state == State::Unfinished {
            steps.push(("RSET\r\n".to_owned(), 250));
        }
        steps.push((format!("MAIL FROM:<{}>{body}\r\n", envelope.from), 250));
        steps.push((format!("RCPT TO:<{}>\r\n", envelope.to.expose()), 250));
        steps.push(("DATA\r\n".to_owned(), 354));
        self.state = State::Unfinished;
        if self.pipelining {
            self.send_together(steps).await
        } else {
            self.send_in_turn(steps).await
        }
    }

    fn close_unless(&mut self, usable: bool) {
        if !usable {
            self.state = State::Closed;
        }
    }

    async fn send_in_turn(&mut self, steps: Vec<(String, u16)>) -> Result<Option<Reply>, Broken> {
        for (command, expected) in steps {
            self.dialogue.send(command.as_bytes()).await?;
            let reply = self.dialogue.receive(COMMAND).await?;
            if !is_as_expected(&reply, expected) {
                return Ok(Some(reply));
            }
        }
        Ok(None)
    }

    async fn send_together(&mut self, steps: Vec<(String, u16)>) -> Result<Option<Reply>, Broken> {
        let commands: String = steps.iter().map(|(command, _)| command.as_str()).collect();
        self.dialogue.send(commands.as_bytes()).await?;
        let mut refusal = None;
        for (_, expected) in steps {
            let reply = match self.dialogue.receive(COMMAND).await {
                Ok(reply) => reply,
                // The refusal tells more than the hang-up that followed it.
                Err(_) if refusal.is_some() => {
                    self.state = State::Closed;
                    return Ok(refusal);
                }
                Err(broken) => return Err(broken),
            };
            if refusal.is_none() && !is_as_expected(&reply, expected) {
                refusal = Some(reply);
            } else if refusal.is_some() && reply.code == 354 {
                self.send_empty_text().await;
            }
        }
        Ok(refusal)
    }

    /// Sends an empty text to a relay that waits for one although it refused the recipient. The
    /// relay must then refuse the text (RFC 2920, section 3.1).
    async fn send_empty_text(&mut self) {
        let sent = self.dialogue.send(b".\r\n").await;
        let received = self.dialogue.receive(FINAL_REPLY).await;
        self.close_unless(sent.is_ok() && received.is_ok());
    }

    /// Sends the text. Once any byte of the final dot has left, only a reply tells whether the
    /// message arrived.
    async fn send_text(&mut self, message: &[u8], recipient: &str) -> Outcome {
        let text = dot_stuffed(message);
        let (count, sent) = self.dialogue.send_counted(&text).await;
        let dot_has_left = count > text.len() - FINAL_DOT.len();
        let received = match sent {
            Ok(()) => self.dialogue.receive(FINAL_REPLY).await,
            Err(broken) => Err(broken),
        };
        match received {
            Ok(reply) => {
                self.state = State::Ready;
                self.close_unless(reply.code != 421 && (200..=599).contains(&reply.code));
                reply.without_names(recipient).verdict()
            }
            Err(Broken(cause)) => {
                self.state = State::Closed;
                if dot_has_left {
                    Outcome::InDoubt { cause }
                } else {
                    Outcome::Deferred { code: None, reply: cause }
                }
            }
        }
    }
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection").field("state", &self.state).finish_non_exhaustive()
    }
}

/// A connection that failed before it was ready for messages.
enum Unopened {
    Broken(Broken),
    Refused(Reply),
}

impl From<Broken> for Unopened {
    fn from(broken: Broken) -> Self {
        Self::Broken(broken)
    }
}

/// Greets the relay, starts TLS and logs in. Returns the dialogue and the reply to EHLO, which
/// lists the relay's extensions.
async fn greet(
    stream: TcpStream,
    relay: &Relay,
    helo: &str,
) -> Result<(Dialogue, Reply), Unopened> {
    let mut dialogue = match (relay.mode(), relay.connector()) {
        (RelayTls::Implicit, Some(tls)) => Dialogue::encrypted(stream, tls).await?,
        _ => Dialogue::new(Stream::Plain(stream)),
    };
    expect(&mut dialogue, 220).await?;
    let ehlo = format!("EHLO {helo}\r\n");
    let mut offer = request(&mut dialogue, &ehlo, 250).await?;
    if let (RelayTls::StartTls, Some(tls)) = (relay.mode(), relay.connector()) {
        request(&mut dialogue, "STARTTLS\r\n", 220).await?;
        dialogue = dialogue.encrypt(tls).await?;
        offer = request(&mut dialogue, &ehlo, 250).await?;
    }
    if let Some(login) = relay.login() {
        let secret =
            Zeroizing::new(format!("\0{}\0{}", login.user.expose(), login.password.expose()));
        let line = Zeroizing::new(format!("AUTH PLAIN {}\r\n", STANDARD.encode(&*secret)));
        request(&mut dialogue, &line, 235).await?;
    }
    Ok((dialogue, offer))
}

async fn request(dialogue: &mut Dialogue, line: &str, expected: u16) -> Result<Reply, Unopened> {
    dialogue.send(line.as_bytes()).await?;
    expect(dialogue, expected).await
}

async fn expect(dialogue: &mut Dialogue, expected: u16) -> Result<Reply, Unopened> {
    let reply = dialogue.receive(COMMAND).await?;
    if reply.code == expected { Ok(reply) } else { Err(Unopened::Refused(reply)) }
}

/// Whether a reply has the class of the expected code. Only the class is reliable: 251 is as good
/// as 250.
const fn is_as_expected(reply: &Reply, expected: u16) -> bool {
    reply.code / 100 == expected / 100
}

/// Whether the reply to EHLO lists `extension`.
fn offers(offer: &Reply, extension: &str) -> bool {
    let keywords = offer.text.lines().skip(1).filter_map(|line| line.split_whitespace().next());
    keywords.into_iter().any(|keyword| keyword.eq_ignore_ascii_case(extension))
}

const FINAL_DOT: &[u8] = b".\r\n";

/// The text as it is sent, with a dot doubled at the start of a line and with the final dot. Every
/// line ends with CRLF and contains no single CR or LF, so that all relays see the same line ends.
fn dot_stuffed(message: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(message.len() + message.len() / 64 + 8);
    let mut rest = message;
    while !rest.is_empty() {
        if rest[0] == b'.' {
            out.push(b'.');
        }
        let end = memchr2(b'\r', b'\n', rest).unwrap_or(rest.len());
        out.extend_from_slice(&rest[..end]);
        out.extend_from_slice(b"\r\n");
        let next = if rest[end..].starts_with(b"\r\n") { end + 2 } else { end + 1 };
        rest = rest.get(next..).unwrap_or_default();
    }
    out.extend_from_slice(FINAL_DOT);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_final_dot_ends_a_text() {
        for (text, sent) in [
            ("", ".\r\n"),
            ("a", "a\r\n.\r\n"),
            ("a\r\n.\r\nb\r\n", "a\r\n..\r\nb\r\n.\r\n"),
            (".a\r\n..b", "..a\r\n...b\r\n.\r\n"),
            ("a\n.\nb\r.\rc", "a\r\n..\r\nb\r\n..\r\nc\r\n.\r\n"),
        ] {
            assert_eq!(String::from_utf8(dot_stuffed(text.as_bytes())).unwrap(), sent);
        }
    }
}
