use super::*;

#[test]
fn a_doubt_without_a_code_is_still_read() {
    let old = r#"{"what": "the log was repaired", "counts_as_read": true}"#;
    let doubt: Doubt = serde_json::from_str(old).unwrap();
    assert_eq!(doubt.cause, DoubtCause::Uncoded);
    assert!(doubt.counts_as_read);
}

#[test]
fn a_log_that_was_followed_past_the_window_hides_nothing() {
    let cause = |after_window| DoubtCause::LogNotFollowed {
        log: "keys.example/log".into(),
        since: None,
        after_window,
        reason: "refused".into(),
    };
    assert!(Doubt::from(cause(false)).counts_as_read);
    let covered = Doubt::from(cause(true));
    assert!(!covered.counts_as_read && covered.what.contains("after the window"));
}

#[test]
fn the_code_stands_beside_the_sentence() {
    let doubt = Doubt::from(DoubtCause::UnknownHost { host: "web-ky-9".parse().unwrap() });
    let json = serde_json::to_value(&doubt).unwrap();
    assert_eq!(json["cause"]["code"], "unknown_host");
    assert_eq!(json["cause"]["host"], "web-ky-9");
    assert!(json["what"].as_str().unwrap().contains("web-ky-9"));
    assert_eq!(serde_json::from_value::<Doubt>(json).unwrap(), doubt);
}
