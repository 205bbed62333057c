//! The network of a card, by its leading digits (issuer identification numbers).

use payments_api::Brand;

/// The brands with their names in the database.
const NAMES: [(Brand, &str); 7] = [
    (Brand::Visa, "visa"),
    (Brand::Mastercard, "mastercard"),
    (Brand::Amex, "amex"),
    (Brand::Discover, "discover"),
    (Brand::Jcb, "jcb"),
    (Brand::Diners, "diners"),
    (Brand::Other, "other"),
];

/// The brand of a number; its first four digits count.
pub fn brand_of(digits: &str) -> Brand {
    let leading =
        |count| digits.get(..count).and_then(|digits| digits.parse::<u16>().ok()).unwrap_or(0);
    match (leading(1), leading(2), leading(3), leading(4)) {
        (4, ..) => Brand::Visa,
        (_, 51..=55, ..) | (.., 2221..=2720) => Brand::Mastercard,
        (_, 34 | 37, ..) => Brand::Amex,
        (_, 65, ..) | (_, _, 644..=649, _) | (.., 6011) => Brand::Discover,
        (.., 3528..=3589) => Brand::Jcb,
        (_, 36 | 38 | 39, ..) | (_, _, 300..=305, _) => Brand::Diners,
        _ => Brand::Other,
    }
}

/// The name of a brand in the database.
pub fn name_of(brand: Brand) -> &'static str {
    NAMES.iter().find(|(of, _)| *of == brand).map_or("other", |(_, name)| name)
}

/// The brand with a name.
pub fn brand_named(name: &str) -> Option<Brand> {
    NAMES.iter().find(|(_, of)| *of == name).map(|(brand, _)| *brand)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leading_digits_tell_the_brand_to_their_edges() {
        for (digits, brand) in [
            ("4000", Brand::Visa),
            ("5099", Brand::Other),
            ("5100", Brand::Mastercard),
            ("5599", Brand::Mastercard),
            ("5600", Brand::Other),
            ("2220", Brand::Other),
            ("2221", Brand::Mastercard),
            ("2720", Brand::Mastercard),
            ("2721", Brand::Other),
            ("3400", Brand::Amex),
            ("3700", Brand::Amex),
            ("6010", Brand::Other),
            ("6011", Brand::Discover),
            ("6439", Brand::Other),
            ("6440", Brand::Discover),
            ("6499", Brand::Discover),
            ("6599", Brand::Discover),
            ("3527", Brand::Other),
            ("3528", Brand::Jcb),
            ("3589", Brand::Jcb),
            ("3590", Brand::Other),
            ("2999", Brand::Other),
            ("3000", Brand::Diners),
            ("3059", Brand::Diners),
            ("3060", Brand::Other),
            ("3600", Brand::Diners),
            ("3999", Brand::Diners),
            ("0000", Brand::Other),
        ] {
            assert_eq!(brand_of(digits), brand, "{digits}");
        }
    }

    #[test]
    fn every_brand_comes_back_from_its_name() {
        for (brand, _) in NAMES {
            assert_eq!(brand_named(name_of(brand)), Some(brand));
            // The names are the same as on the wire.
            let wire = serde_json::to_value(brand).unwrap();
            assert_eq!(wire.as_str(), Some(name_of(brand)));
        }
        assert_eq!(brand_named("Visa"), None);
    }
}
