//! Revoked keys of certificates.

use cofferdam_wire::certificate_chain;
use keys_api::{AddRevokedKey, AlarmKind, Event, ListCallers, ListRevokedKeys, RevokedKey};

use testkit::Authority;

use crate::support::{Keys, events, name, until};

#[tokio::test]
async fn a_revoked_key_is_refused_at_once_and_for_ever_with_an_alarm() {
    let mut keys = Keys::start().await;
    // The thief holds the auditor's key, and a connection that is open already.
    let stolen = keys.client("auditor-1");
    stolen.call(&ListRevokedKeys {}).await.unwrap();
    let key = keys.authority.key("auditor-1");
    let (caller, reason) = (name("auditor-1"), "its host fell".parse().unwrap());
    let certificate = certificate_chain(&keys.authority.files("auditor-1").cert).unwrap();
    let revoke = AddRevokedKey { caller: caller.clone(), certificate, newer: None, reason };
    keys.client("response-1").call(&revoke).await.unwrap();

    let refused = stolen.call(&ListRevokedKeys {}).await.unwrap_err();
    assert!(refused.is(cofferdam_wire::ProblemType::NOT_GRANTED), "{refused}");
    for _ in 0..2 {
        assert!(keys.client("auditor-1").call(&ListRevokedKeys {}).await.is_err());
        keys.restart().await;
    }
    assert!(keys.client("auditor-1").call(&ListRevokedKeys {}).await.is_err());
    until(async || {
        let alarms = keys.alarms().await;
        let mut doors = alarms.iter().filter(|alarm| alarm.kind == AlarmKind::BadCertificate);
        doors.any(|alarm| alarm.detail.contains("the key of auditor-1 was revoked"))
    })
    .await;

    let response = keys.client("response-1");
    let listed = response.call(&ListRevokedKeys {}).await.unwrap();
    assert_eq!(listed, [RevokedKey { caller: caller.clone(), key }]);
    let logged = |of: &&Event| matches!(of, Event::KeyRevoked { .. });
    assert_eq!(events(&keys).await.iter().filter(logged).count(), 1);
    // The name is as good as before: with a new key, the caller is served again.
    keys.authority.renew("auditor-1");
    keys.client("auditor-1").call(&ListRevokedKeys {}).await.unwrap();
    assert!(response.call(&ListCallers {}).await.is_ok());
}

#[tokio::test]
async fn a_key_is_revoked_by_its_own_certificate_and_a_compartments_only_with_a_newer_one() {
    let keys = Keys::start().await;
    let response = keys.client("response-1");
    let chain = |of: &str| certificate_chain(&keys.authority.files(of).cert).unwrap();
    let revoke = |caller: &str, certificate, newer| AddRevokedKey {
        caller: name(caller),
        certificate,
        newer,
        reason: "its host fell".parse().unwrap(),
    };
    let refused = async |call| response.call(&call).await.unwrap_err().to_string();
    let other = refused(revoke("web-ky-1", chain("accounts"), None)).await;
    assert!(other.contains("one of accounts"), "{other}");
    let stranger = Authority::new();
    let foreign = certificate_chain(&stranger.files("web-ky-1").cert).unwrap();
    assert!(refused(revoke("web-ky-1", foreign, None)).await.contains("did not issue"));
    let old = chain("accounts");
    assert!(refused(revoke("accounts", old.clone(), None)).await.contains("newer certificate"));
    let same = revoke("accounts", old.clone(), Some(old.clone()));
    assert!(refused(same).await.contains("newer certificate"));
    assert_eq!(response.call(&ListRevokedKeys {}).await.unwrap(), []);
    // Certificates are precise to the second.
    tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
    keys.authority.renew("accounts");
    let new = chain("accounts");
    assert!(refused(revoke("accounts", new.clone(), Some(old.clone()))).await.contains("newer"));
    response.call(&revoke("accounts", old, Some(new))).await.unwrap();
    assert_eq!(response.call(&ListRevokedKeys {}).await.unwrap().len(), 1);
}
