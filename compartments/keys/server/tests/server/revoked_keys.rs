//! Revoked keys of certificates.

use cofferdam_wire::public_key;
use keys_api::{AddRevokedKey, AlarmKind, Event, ListCallers, ListRevokedKeys, RevokedKey};

use crate::support::{Keys, events, name, until};

#[tokio::test]
async fn a_revoked_key_is_refused_at_once_and_for_ever_with_an_alarm() {
    let mut keys = Keys::start().await;
    // The thief holds the auditor's key, and a connection that is open already.
    let stolen = keys.client("auditor-1");
    stolen.call(&ListRevokedKeys {}).await.unwrap();
    let key = public_key(&keys.authority.files("auditor-1").cert).unwrap();
    let (caller, reason) = (name("auditor-1"), "its host fell".parse().unwrap());
    let revoke = AddRevokedKey { caller: caller.clone(), key, reason };
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
