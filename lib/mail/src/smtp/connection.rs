//! A connection to a relay that many messages go over.

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

/// How long each step may take (RFC 5321, section 4.5.3.2).
const CONNECT: Duration = Duration::from_secs(30);
const COMMAND: Duration = Duration::from_mins(5);
/// After the final dot: the relay may be scanning the text. Giving up early makes duplicates.
const VERDICT: Duration = Duration::from_mins(10);
const GOODBYE: Duration = Duration::from_secs(5);

/// An open connection.
pub struct Connection {
    dialogue: Dialogue,
    pipelining: bool,
    eight_bit: bool,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Ready,
    /// The last transaction was broken off: the relay may still remember its sender.
    Unfinished,
    Closed,
}

impl Connection {
    /// Connects to `relay`, greets it as `helo`, turns to TLS and logs in, as the relay asks for.
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
                return Err(OpenError::TurnedAway { relay, code, reply: reply.blot("").text });
            }
        };
        Ok(Self {
            dialogue,
            pipelining: offers(&offer, "PIPELINING"),
            eight_bit: offers(&offer, "8BITMIME"),
            state: State::Ready,
        })
    }

    /// Whether nobody reads along.
    #[must_use]
    pub const fn is_encrypted(&self) -> bool {
        self.dialogue.is_encrypted()
    }

    /// Whether another message can go over this connection.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.state != State::Closed
    }

    /// Sends one message. A connection that breaks is an outcome like any other; look at
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
                let reply = Reply { code: 0, text: broken.0 }.blot(recipient).text;
                Outcome::Deferred { code: None, reply }
            }
        }
    }

    /// Ends the connection in good form.
    pub async fn close(mut self) {
        if self.is_open() && self.dialogue.say(b"QUIT\r\n").await.is_ok() {
            // What the relay says to a goodbye changes nothing.
            let _ = self.dialogue.hear(GOODBYE).await;
        }
    }

    /// What can't be said to this relay, with the code that it would answer: line breaks in an
    /// address would be commands of their own.
    fn unfit(&self, envelope: &Envelope, eight_bit: bool) -> Option<Outcome> {
        let refused = |code, reply: &str| Some(Outcome::Refused { code, reply: reply.to_owned() });
        let from_fits = envelope.from.is_empty() || is_addr_spec(&envelope.from);
        if !from_fits || !is_addr_spec(envelope.to.expose()) {
            return refused(553, "not sent: an address of the envelope is none, or is not ASCII");
        }
        if eight_bit && !self.eight_bit {
            return refused(554, "not sent: the text has 8-bit bytes, and the relay takes none");
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
            // 421: the relay is about to hang up. No refusal at all: we are out of step.
            let goes_on = refusal.code != 421 && (400..=599).contains(&refusal.code);
            self.close_unless(goes_on);
            return Ok(refusal.blot(recipient).refusal());
        }
        Ok(self.deliver(message, recipient).await)
    }

    /// Announces sender, recipient and text, in one write where the relay allows it; the first
    /// reply that is not as it should be.
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
        if self.pipelining { self.pipelined(steps).await } else { self.in_turn(steps).await }
    }

    fn close_unless(&mut self, goes_on: bool) {
        if !goes_on {
            self.state = State::Closed;
        }
    }

    async fn in_turn(&mut self, steps: Vec<(String, u16)>) -> Result<Option<Reply>, Broken> {
        for (command, expected) in steps {
            self.dialogue.say(command.as_bytes()).await?;
            let reply = self.dialogue.hear(COMMAND).await?;
            if !is_as(&reply, expected) {
                return Ok(Some(reply));
            }
        }
        Ok(None)
    }

    async fn pipelined(&mut self, steps: Vec<(String, u16)>) -> Result<Option<Reply>, Broken> {
        let commands: String = steps.iter().map(|(command, _)| command.as_str()).collect();
        self.dialogue.say(commands.as_bytes()).await?;
        let mut refusal = None;
        for (_, expected) in steps {
            let reply = match self.dialogue.hear(COMMAND).await {
                Ok(reply) => reply,
                // The refusal says more than the hang-up that followed it.
                Err(_) if refusal.is_some() => {
                    self.state = State::Closed;
                    return Ok(refusal);
                }
                Err(broken) => return Err(broken),
            };
            if refusal.is_none() && !is_as(&reply, expected) {
                refusal = Some(reply);
            } else if refusal.is_some() && reply.code == 354 {
                self.withdraw().await;
            }
        }
        Ok(refusal)
    }

    /// The relay waits for a text although it took no recipient: it gets an empty one, which it
    /// must refuse (RFC 2920, section 3.1).
    async fn withdraw(&mut self) {
        let said = self.dialogue.say(b".\r\n").await;
        let heard = self.dialogue.hear(VERDICT).await;
        self.close_unless(said.is_ok() && heard.is_ok());
    }

    /// Sends the text. Once any part of the final dot has left, only a reply tells whether the
    /// message arrived.
    async fn deliver(&mut self, message: &[u8], recipient: &str) -> Outcome {
        let text = dot_stuffed(message);
        let (sent, said) = self.dialogue.say_counted(&text).await;
        let past_the_dot = sent > text.len() - FINAL_DOT.len();
        let heard = match said {
            Ok(()) => self.dialogue.hear(VERDICT).await,
            Err(broken) => Err(broken),
        };
        match heard {
            Ok(reply) => {
                self.state = State::Ready;
                self.close_unless(reply.code != 421 && (200..=599).contains(&reply.code));
                reply.blot(recipient).verdict()
            }
            Err(Broken(cause)) => {
                self.state = State::Closed;
                if past_the_dot {
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

/// Why a connection did not come about.
enum Unopened {
    Broken(Broken),
    Refused(Reply),
}

impl From<Broken> for Unopened {
    fn from(broken: Broken) -> Self {
        Self::Broken(broken)
    }
}

/// The relay, ready for messages, and what it offers.
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
    let mut offer = ask(&mut dialogue, &ehlo, 250).await?;
    if let (RelayTls::StartTls, Some(tls)) = (relay.mode(), relay.connector()) {
        ask(&mut dialogue, "STARTTLS\r\n", 220).await?;
        dialogue = dialogue.encrypt(tls).await?;
        offer = ask(&mut dialogue, &ehlo, 250).await?;
    }
    if let Some(login) = relay.login() {
        let secret =
            Zeroizing::new(format!("\0{}\0{}", login.user.expose(), login.password.expose()));
        let line = Zeroizing::new(format!("AUTH PLAIN {}\r\n", STANDARD.encode(&*secret)));
        ask(&mut dialogue, &line, 235).await?;
    }
    Ok((dialogue, offer))
}

async fn ask(dialogue: &mut Dialogue, line: &str, expected: u16) -> Result<Reply, Unopened> {
    dialogue.say(line.as_bytes()).await?;
    expect(dialogue, expected).await
}

async fn expect(dialogue: &mut Dialogue, expected: u16) -> Result<Reply, Unopened> {
    let reply = dialogue.hear(COMMAND).await?;
    if reply.code == expected { Ok(reply) } else { Err(Unopened::Refused(reply)) }
}

/// Whether a reply is of the kind that the step asks for: 2xx, or 354.
const fn is_as(reply: &Reply, expected: u16) -> bool {
    reply.code / 100 == expected / 100
}

/// Whether the relay's answer to EHLO names `extension`.
fn offers(offer: &Reply, extension: &str) -> bool {
    let keywords = offer.text.lines().skip(1).filter_map(|line| line.split_whitespace().next());
    keywords.into_iter().any(|keyword| keyword.eq_ignore_ascii_case(extension))
}

const FINAL_DOT: &[u8] = b".\r\n";

/// The text as it travels: every line ended by CRLF and nothing else, so that no relay sees a
/// line end where another sees none; dots in front of a line doubled; the final dot.
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
    fn a_text_ends_only_where_it_ends() {
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
