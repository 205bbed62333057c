//! The places where synthetic customers live: real ones with their forms of postcode and telephone
//! number, about as often as a retailer of the United States sells there.

use super::names::Tongue;

/// A place, and the form of addresses and telephone numbers there. In a pattern, `#` stands for a
/// digit and `@` for a capital letter.
pub struct Place {
    /// The country, ISO 3166-1.
    pub country: &'static str,
    /// The region, ISO 3166-2 without the country; empty in countries for which the shop does not
    /// ask.
    pub region: &'static str,
    /// The city.
    pub city: &'static str,
    /// The pattern of postcodes.
    pub postcode: &'static str,
    /// The pattern of telephone numbers.
    pub phone: &'static str,
    /// The language of the people, and of their names and streets.
    pub tongue: Tongue,
    /// The number of customers of about a thousand who live there.
    pub weight: u32,
}

macro_rules! places {
    ($($country:literal $region:literal $city:literal $postcode:literal $phone:literal
       $tongue:ident $weight:literal;)*) => {
        &[$(Place {
            country: $country,
            region: $region,
            city: $city,
            postcode: $postcode,
            phone: $phone,
            tongue: Tongue::$tongue,
            weight: $weight,
        },)*]
    };
}

/// Every place. American numbers are in the exchange 555-01##, which is never assigned.
pub const PLACES: &[Place] = places! {
    "US" "AL" "Birmingham" "352##" "+1 205 555 01##" English 11;
    "US" "AK" "Anchorage" "995##" "+1 907 555 01##" English 2;
    "US" "AZ" "Phoenix" "850##" "+1 602 555 01##" English 16;
    "US" "AR" "Little Rock" "722##" "+1 501 555 01##" English 7;
    "US" "CA" "Los Angeles" "900##" "+1 213 555 01##" English 54;
    "US" "CA" "San Diego" "921##" "+1 619 555 01##" Spanish 24;
    "US" "CO" "Denver" "802##" "+1 303 555 01##" English 13;
    "US" "CT" "Hartford" "061##" "+1 860 555 01##" English 8;
    "US" "DE" "Wilmington" "198##" "+1 302 555 01##" English 3;
    "US" "FL" "Tampa" "336##" "+1 813 555 01##" English 32;
    "US" "FL" "Miami" "331##" "+1 305 555 01##" Spanish 14;
    "US" "GA" "Atlanta" "303##" "+1 404 555 01##" English 22;
    "US" "HI" "Honolulu" "968##" "+1 808 555 01##" English 3;
    "US" "ID" "Boise" "837##" "+1 208 555 01##" English 4;
    "US" "IL" "Chicago" "606##" "+1 312 555 01##" English 29;
    "US" "IN" "Indianapolis" "462##" "+1 317 555 01##" English 15;
    "US" "IA" "Des Moines" "503##" "+1 515 555 01##" English 7;
    "US" "KS" "Wichita" "672##" "+1 316 555 01##" English 7;
    "US" "KY" "Louisville" "402##" "+1 502 555 01##" English 12;
    "US" "LA" "New Orleans" "701##" "+1 504 555 01##" English 10;
    "US" "ME" "Portland" "041##" "+1 207 555 01##" English 3;
    "US" "MD" "Baltimore" "212##" "+1 410 555 01##" English 14;
    "US" "MA" "Boston" "021##" "+1 617 555 01##" English 15;
    "US" "MI" "Detroit" "482##" "+1 313 555 01##" English 22;
    "US" "MN" "Minneapolis" "554##" "+1 612 555 01##" English 13;
    "US" "MS" "Jackson" "392##" "+1 601 555 01##" English 7;
    "US" "MO" "Kansas City" "641##" "+1 816 555 01##" English 14;
    "US" "MT" "Billings" "591##" "+1 406 555 01##" English 3;
    "US" "NE" "Omaha" "681##" "+1 402 555 01##" English 5;
    "US" "NV" "Las Vegas" "891##" "+1 702 555 01##" English 10;
    "US" "NH" "Manchester" "031##" "+1 603 555 01##" English 3;
    "US" "NJ" "Newark" "071##" "+1 973 555 01##" English 20;
    "US" "NM" "Albuquerque" "871##" "+1 505 555 01##" Spanish 5;
    "US" "NY" "New York" "100##" "+1 212 555 01##" English 36;
    "US" "NY" "Buffalo" "142##" "+1 716 555 01##" English 10;
    "US" "NC" "Charlotte" "282##" "+1 704 555 01##" English 21;
    "US" "ND" "Fargo" "581##" "+1 701 555 01##" English 2;
    "US" "OH" "Columbus" "432##" "+1 614 555 01##" English 25;
    "US" "OK" "Tulsa" "741##" "+1 918 555 01##" English 9;
    "US" "OR" "Portland" "972##" "+1 503 555 01##" English 9;
    "US" "PA" "Philadelphia" "191##" "+1 215 555 01##" English 28;
    "US" "RI" "Providence" "029##" "+1 401 555 01##" English 3;
    "US" "SC" "Charleston" "294##" "+1 843 555 01##" English 11;
    "US" "SD" "Sioux Falls" "571##" "+1 605 555 01##" English 2;
    "US" "TN" "Nashville" "372##" "+1 615 555 01##" English 15;
    "US" "TX" "Houston" "770##" "+1 713 555 01##" English 40;
    "US" "TX" "El Paso" "799##" "+1 915 555 01##" Spanish 18;
    "US" "UT" "Salt Lake City" "841##" "+1 801 555 01##" English 7;
    "US" "VT" "Burlington" "054##" "+1 802 555 01##" English 2;
    "US" "VA" "Richmond" "232##" "+1 804 555 01##" English 19;
    "US" "WA" "Seattle" "981##" "+1 206 555 01##" English 17;
    "US" "WV" "Charleston" "253##" "+1 304 555 01##" English 4;
    "US" "WI" "Milwaukee" "532##" "+1 414 555 01##" English 13;
    "US" "WY" "Cheyenne" "820##" "+1 307 555 01##" English 2;
    "PR" "" "San Juan" "009##" "+1 787 555 01##" Spanish 4;
    "CA" "ON" "Toronto" "M#@ #@#" "+1 416 555 01##" English 24;
    "CA" "QC" "Montréal" "H#@ #@#" "+1 514 555 01##" French 13;
    "CA" "BC" "Vancouver" "V#@ #@#" "+1 604 555 01##" English 9;
    "GB" "" "Leeds" "LS# #@@" "+44 113 496 0###" English 22;
    "GB" "" "Cardiff" "CF# #@@" "+44 29 2018 0###" English 8;
    "IE" "" "Dublin" "D0# @#@#" "+353 20 91# ####" English 5;
    "DE" "" "Köln" "506##" "+49 221 4710 ###" German 14;
    "DE" "" "Hamburg" "203##" "+49 40 66969 ###" German 12;
    "AT" "" "Wien" "11#0" "+43 1 58 ## ##" German 4;
    "CH" "" "Zürich" "80##" "+41 44 5## ## ##" German 4;
    "FR" "" "Lyon" "6900#" "+33 2 61 91 ## ##" French 16;
    "BE" "" "Liège" "40##" "+32 4 2## ## ##" French 4;
    "NL" "" "Utrecht" "35## @@" "+31 85 5## ####" Dutch 8;
    "ES" "" "Sevilla" "410##" "+34 954 ## ## ##" Spanish 8;
    "IT" "" "Bologna" "401##" "+39 051 ### ####" Italian 8;
    "PT" "" "Porto" "4###-###" "+351 22 ### ####" Portuguese 3;
    "MX" "" "Guadalajara" "44###" "+52 33 5### ####" Spanish 12;
    "BR" "SP" "São Paulo" "01###-###" "+55 11 5### ####" Portuguese 14;
    "AU" "NSW" "Sydney" "20##" "+61 2 7010 ####" English 14;
    "NZ" "" "Wellington" "60##" "+64 4 5## ####" English 4;
    "JP" "" "Osaka" "53#-00##" "+81 6 5### ####" Japanese 8;
    "SE" "" "Göteborg" "41# ##" "+46 31 390 ## ##" English 4;
};
