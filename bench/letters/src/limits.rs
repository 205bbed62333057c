//! The limits: the rate of the bare signature, and the rate of Postfix's own load generator.

use std::net::SocketAddr;
use std::process::Command;
use std::time::{Duration, Instant};

use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{RSA_PKCS1_SHA256, RsaKeyPair};

/// The number of RSA-2048 signatures a second on one core.
pub fn signatures(span: Duration) -> f64 {
    let pair = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
    // `response` also reads its key from PKCS #8.
    let der: Pkcs8V1Der<'_> = pair.as_der().unwrap();
    let pair = RsaKeyPair::from_pkcs8(der.as_ref()).unwrap();
    let (rng, mut out) = (SystemRandom::new(), vec![0; pair.public_modulus_len()]);
    let (begun, mut made) = (Instant::now(), 0_u32);
    while begun.elapsed() < span {
        pair.sign(&RSA_PKCS1_SHA256, &rng, &made.to_be_bytes(), &mut out).unwrap();
        made += 1;
    }
    f64::from(made) / begun.elapsed().as_secs_f64()
}

/// The number of messages a second that Postfix's smtp-source hands over.
pub fn smtp_source(sink: SocketAddr, messages: u32, sessions: u32) -> f64 {
    let begun = Instant::now();
    let done = Command::new("/usr/sbin/smtp-source")
        .args(["-d", "-l", "5000", "-s", &sessions.to_string(), "-m", &messages.to_string()])
        .arg(sink.to_string())
        .status()
        .unwrap();
    assert!(done.success(), "smtp-source failed");
    f64::from(messages) / begun.elapsed().as_secs_f64()
}
