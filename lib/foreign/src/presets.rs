//! Mappings that are shipped: the TOML of a service whose format is known.

use crate::mapping::MappingError;

const PRESETS: [(&str, &str); 8] = [
    ("aws-alb", include_str!("presets/aws-alb.toml")),
    ("aws-cloudfront", include_str!("presets/aws-cloudfront.toml")),
    ("aws-s3", include_str!("presets/aws-s3.toml")),
    ("cloudflare", include_str!("presets/cloudflare.toml")),
    ("iis", include_str!("presets/iis.toml")),
    ("mysql-audit", include_str!("presets/mysql-audit.toml")),
    ("percona-audit", include_str!("presets/percona-audit.toml")),
    ("vhost-combined", include_str!("presets/vhost-combined.toml")),
];

/// The names of all presets, for people.
pub fn names() -> String {
    PRESETS.map(|(name, _)| name).join(", ")
}

/// Puts the lines of a mapping before those of the preset that it names. Rules of the preset stay
/// behind the mapping's own rules.
pub fn expand(mut own: toml::Table) -> Result<toml::Table, MappingError> {
    let name = own.remove("preset").unwrap_or_else(|| toml::Value::String(String::new()));
    let name = name.as_str().unwrap_or_default();
    let found = PRESETS.iter().find(|(known, _)| *known == name);
    let (_, text) = found.ok_or_else(|| MappingError::NoPreset(name.to_owned()))?;
    let mut whole: toml::Table = toml::from_str(text).map_err(Box::new)?;
    for (key, value) in own {
        let value = match (value, whole.remove(&key)) {
            (toml::Value::Array(mut rules), Some(toml::Value::Array(more))) => {
                rules.extend(more);
                toml::Value::Array(rules)
            }
            (value, _) => value,
        };
        whole.insert(key, value);
    }
    Ok(whole)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::LogMapping;

    #[test]
    fn every_preset_is_a_mapping() {
        for (name, _) in PRESETS {
            let text = format!("preset = \"{name}\"\nserver = \"front-1\"\n");
            let mapping = LogMapping::parse(&text);
            assert!(mapping.is_ok(), "{name}: {mapping:?}");
        }
    }
}
