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
    use crate::testing::{outcomes, read};

    #[test]
    fn every_preset_is_a_mapping() {
        for (name, _) in PRESETS {
            let text = format!("preset = \"{name}\"\nserver = \"front-1\"\n");
            let mapping = LogMapping::parse(&text);
            assert!(mapping.is_ok(), "{name}: {mapping:?}");
        }
    }

    const RULE: &str = "[[path]]\npattern = \"/account?id={customer}\"\nfields = [\"name\"]\n";

    /// The lines have the form of the samples in Amazon's documentation.
    #[test]
    fn lines_of_an_application_load_balancer_are_read() {
        let line = |kind: &str, request: &str, status: &str| {
            format!(
                "{kind} 2012-01-15T04:00:01.186641Z app/lb/50dc6c495c0c9188 192.0.2.39:2817 \
                 10.0.0.1:80 0.000 0.001 0.000 {status} {status} 34 366 \"{request}\" \
                 \"curl/7.46.0\" ECDHE-RSA-AES128-GCM-SHA256 TLSv1.2 arn:aws:elasticloadbalancing:\
                 us-east-2:123456789012:targetgroup/t/73e2d6bc24d8a067 \"Root=1-58337262-36d2\" \
                 \"shop.example\" \"arn:aws:acm:x\" 1 2012-01-15T04:00:01.364000Z \"forward\" \
                 \"-\" \"-\" \"10.0.0.1:80\" \"{status}\" \"-\" \"-\"\n"
            )
        };
        let log = [
            line("https", "GET https://shop.example:443/account?id=7 HTTP/1.1", "200"),
            line("h2", "GET https://shop.example:443/account?id=8 HTTP/2.0", "404"),
            line("http", "GET http://shop.example:80/export HTTP/1.1", "200"),
            // A request that the balancer could not parse.
            line("http", "- http://shop.example:80- -", "400"),
            line("https", "GET https://shop.example:443/account?id=9 HTTP/1.1", "502"),
        ];
        let items =
            read(&format!("preset = \"aws-alb\"\nserver = \"lb-1\"\n{RULE}"), &log.concat());
        assert_eq!(outcomes(&items), ["7", "harmless", "everybody", "harmless", "9"]);
    }

    /// The lines have the form of the samples in Amazon's documentation.
    #[test]
    fn lines_of_a_bucket_are_read() {
        let line = |operation: &str, key: &str, request: &str, status: &str| {
            format!(
                "79a59df900b949e55d96a1e698fb bucket-1 [15/Jan/2012:04:00:01 +0000] 192.0.2.3 \
                 arn:aws:iam::123456789012:user/web 3E57427F3EXAMPLE {operation} {key} {request} \
                 {status} - 113 113 7 5 \"-\" \"S3Console/0.4 [a]\" - s9lzHYrFp76ZVxRcpX9= SigV4 \
                 ECDHE-RSA-AES128-GCM-SHA256 AuthHeader bucket-1.s3.us-west-1.amazonaws.com \
                 TLSV1.2 - -\n"
            )
        };
        let get = "\"GET /bucket-1/profiles/7.json HTTP/1.1\"";
        let log = [
            line("REST.GET.OBJECT", "profiles/7.json", get, "200"),
            line("REST.GET.OBJECT", "profiles/7.json", get, "403"),
            line("REST.GET.BUCKET", "-", "\"GET /bucket-1?list-type=2 HTTP/1.1\"", "200"),
            line("S3.EXPIRE.OBJECT", "profiles/7.json", "-", "-"),
        ];
        let rule = "[[path]]\npattern = \"/bucket-1/profiles/{customer}.json\"\n\
             fields = [\"name\"]\n";
        let items = read(&format!("preset = \"aws-s3\"\nserver = \"s3\"\n{rule}"), &log.concat());
        assert_eq!(outcomes(&items), ["7", "harmless", "everybody", "everybody"]);
    }
}
