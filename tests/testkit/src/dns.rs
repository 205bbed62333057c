//! A DNS server on loopback that knows what it is told.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};

use hickory_proto::op::{Message, ResponseCode};
use hickory_proto::rr::rdata::{A, MX, PTR, TXT};
use hickory_proto::rr::{Name, RData, Record, RecordType};
use tokio::net::UdpSocket;
use tokio::task::JoinHandle;

type Records = Arc<Mutex<HashMap<(String, RecordType), Vec<RData>>>>;

/// The server; gone when dropped.
pub struct Dns {
    address: SocketAddr,
    records: Records,
    task: JoinHandle<()>,
}

impl Dns {
    /// Starts it, knowing nothing.
    pub async fn start() -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let address = socket.local_addr().unwrap();
        let records = Records::default();
        let task = tokio::spawn(serve(socket, records.clone()));
        Self { address, records, task }
    }

    /// Where it answers.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Publishes a text, in pieces of 255 bytes.
    pub fn txt(&self, name: &str, text: &str) {
        let pieces = text.as_bytes().chunks(255);
        let pieces = pieces.map(|piece| String::from_utf8(piece.to_vec()).unwrap()).collect();
        self.set(name, RecordType::TXT, RData::TXT(TXT::new(pieces)));
    }

    /// Publishes an address and the name that leads back to it.
    pub fn host(&self, name: &str, ip: [u8; 4]) {
        self.set(name, RecordType::A, RData::A(A(ip.into())));
        let reverse = Name::from(IpAddr::from(ip)).to_string();
        let name = Name::from_ascii(name).unwrap();
        self.set(&reverse, RecordType::PTR, RData::PTR(PTR(name)));
    }

    /// Publishes a mail exchange.
    pub fn mx(&self, name: &str, exchange: &str) {
        let exchange = Name::from_ascii(exchange).unwrap();
        self.set(name, RecordType::MX, RData::MX(MX::new(10, exchange)));
    }

    /// Forgets what is published under a name.
    pub fn remove(&self, name: &str) {
        self.records.lock().unwrap().retain(|(of, _), _| of != name);
    }

    fn set(&self, name: &str, kind: RecordType, data: RData) {
        self.records.lock().unwrap().insert((name.to_lowercase(), kind), vec![data]);
    }
}

impl Drop for Dns {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(socket: UdpSocket, records: Records) {
    let mut buffer = [0; 4_096];
    loop {
        let (length, from) = socket.recv_from(&mut buffer).await.unwrap();
        let Ok(request) = Message::from_vec(&buffer[..length]) else { continue };
        let mut answer = Message::response(request.metadata.id, request.metadata.op_code);
        for query in &request.queries {
            let key = (query.name().to_string().to_lowercase(), query.query_type());
            let found = records.lock().unwrap().get(&key).cloned().unwrap_or_default();
            if found.is_empty() {
                answer.metadata.response_code = ResponseCode::NXDomain;
            }
            for data in found {
                // Good for no time at all: what is taken back is gone at once.
                answer.add_answer(Record::from_rdata(query.name().clone(), 0, data));
            }
            answer.add_query(query.clone());
        }
        socket.send_to(&answer.to_vec().unwrap(), from).await.unwrap();
    }
}
