//! Configuration files: what is read can be written and reads back the same.
#![no_main]

use keys_api::Policy;
use keys_server::Config;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(config) = toml::from_str::<Config>(text) {
        let once = toml::to_string(&config).unwrap();
        let again: Config = toml::from_str(&once).expect("what was written can be read");
        assert_eq!(once, toml::to_string(&again).unwrap());
    }
    if let Ok(policy) = toml::from_str::<Policy>(text) {
        let _ = policy.check();
        for caller in &policy.callers {
            for budget in caller.budgets.values() {
                let _ = budget.hours_to_drain(24_000_000);
            }
        }
        // TOML holds no number past 63 bits.
        if let Ok(once) = toml::to_string(&policy) {
            assert_eq!(toml::from_str::<Policy>(&once).as_ref(), Ok(&policy));
        }
    }
});
