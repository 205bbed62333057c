//! A DNS server on loopback that answers with the records that a test sets.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};

use hickory_proto::op::{Message, ResponseCode};
use hickory_proto::rr::rdata::{A, MX, PTR, TXT};
use hickory_proto::rr::{Name, RData, Record, RecordType};
use tokio::net::UdpSocket;
use tokio::task::JoinHandle;

type Records = Arc<Mutex<HashMap<(String, RecordType), Vec<RData>>>>;

/// A DNS server. It stops with this value.
pub struct Dns {
    address: SocketAddr,
    records: Records,
    task: JoinHandle<()>,
}

impl Dns {
    /// Starts a server without records.
    pub async fn start() -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let address = socket.local_addr().unwrap();
        let records = Records::default();
        let task = tokio::spawn(serve(socket, records.clone()));
        Self { address, records, task }
    }

    /// The address of the server.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Sets a TXT record, split into strings of 255 bytes.
    pub fn txt(&self, name: &str, text: &str) {
        let pieces = text.as_bytes().chunks(255);
        let pieces = pieces.map(|piece| String::from_utf8(piece.to_vec()).unwrap()).collect();
        self.set(name, RecordType::TXT, RData::TXT(TXT::new(pieces)));
    }

    /// Sets the address of a host and the PTR record of the address.
    pub fn host(&self, name: &str, ip: [u8; 4]) {
        self.set(name, RecordType::A, RData::A(A(ip.into())));
        let reverse = Name::from(IpAddr::from(ip)).to_string();
        let name = Name::from_ascii(name).unwrap();
        self.set(&reverse, RecordType::PTR, RData::PTR(PTR(name)));
    }

    /// Sets the mail exchange of a domain.
    pub fn mx(&self, name: &str, exchange: &str) {
        let exchange = Name::from_ascii(exchange).unwrap();
        self.set(name, RecordType::MX, RData::MX(MX::new(10, exchange)));
    }

    /// Removes all records of a name.
    pub fn remove(&self, name: &str) {
        self.records.lock().unwrap().retain(|(owner, _), _| owner != name);
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
                // A TTL of zero keeps resolvers from caching a record that a test removes.
                answer.add_answer(Record::from_rdata(query.name().clone(), 0, data));
            }
            answer.add_query(query.clone());
        }
        socket.send_to(&answer.to_vec().unwrap(), from).await.unwrap();
    }
}
