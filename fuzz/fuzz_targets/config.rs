//! Configuration files: a parsed file is written and parsed back unchanged.
#![no_main]

use keys_api::Policy;
use keys_server::Config;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(config) = toml::from_str::<Config>(text) {
        let written = toml::to_string(&config).unwrap();
        let parsed: Config = toml::from_str(&written).expect("a written configuration");
        assert_eq!(written, toml::to_string(&parsed).unwrap());
    }
    if let Ok(policy) = toml::from_str::<Policy>(text) {
        let _ = policy.check();
        for caller in &policy.callers {
            for budget in caller.budgets.values() {
                let _ = budget.hours_to_drain(24_000_000);
            }
        }
        // Writing fails for a number of more than 63 bits, which TOML does not support.
        if let Ok(written) = toml::to_string(&policy) {
            assert_eq!(toml::from_str::<Policy>(&written).as_ref(), Ok(&policy));
        }
    }
});
