//! The pieces of statements: values, columns, expressions and conditions.

use rand::Rng as _;
use rand::seq::IndexedRandom as _;

use super::{Draw, MARK};
use crate::shop::{PEOPLE, email, quoted, value};

const COLUMNS: &[&str] = &[
    "id",
    "full_name",
    "full_name",
    "email",
    "email",
    "phone",
    "phone",
    "country",
    "created_at",
    "password_hash",
    "notes",
];
/// Columns of text that hold something of a person.
const TEXTS: &[&str] = &["full_name", "email", "phone", "phone", "full_name", "password_hash"];

impl Draw {
    pub fn chance(&mut self, percent: u32) -> bool {
        self.rng.random_ratio(percent, 100)
    }

    pub fn one<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of.choose(&mut self.rng).unwrap()
    }

    pub fn number(&mut self, low: u32, high: u32) -> u32 {
        self.rng.random_range(low..=high)
    }

    /// The key of a customer; seldom of none.
    pub fn person(&mut self) -> u32 {
        let nobody = u32::from(self.chance(5));
        self.number(1, PEOPLE + nobody)
    }

    /// The person's value of a column, as a text.
    pub fn value_of(&mut self, column: &str) -> String {
        let person = self.number(1, PEOPLE - 1);
        value(column, person).unwrap_or_default()
    }

    /// A parameter with this value.
    pub fn parameter(&mut self, value: &impl ToString) -> String {
        self.parameters.push(value.to_string());
        format!("{MARK}{}{MARK}", self.parameters.len() - 1)
    }

    /// A number as a literal or as a parameter, in one of the usual forms.
    pub fn key(&mut self, number: u32) -> String {
        match self.number(0, 9) {
            0..=3 => number.to_string(),
            4 => format!("'{number}'"),
            5 => format!("{number}::int"),
            6 => format!("CAST({number} AS integer)"),
            7 => format!("{}::int", self.parameter(&number)),
            _ => self.parameter(&number),
        }
    }

    /// A text as a literal or as a parameter.
    pub fn text(&mut self, text: &str) -> String {
        match self.number(0, 3) {
            0 => format!("{}::text", quoted(Some(text))),
            1 => format!("{}::text", self.parameter(&text)),
            _ => quoted(Some(text)),
        }
    }

    /// A condition by which rows are of a few customers: `key` is the column with the customer.
    pub fn narrow(&mut self, key: &str) -> String {
        let (a, b) = (self.person(), self.person());
        match self.number(0, 11) {
            0..=3 => format!("{key} = {}", self.key(a)),
            4 => format!("{} = {key}", self.key(a)),
            5 => format!("{key} IN ({}, {})", self.key(a), self.key(b)),
            6 => format!("{key} = ANY (ARRAY[{a}, {b}])"),
            7 => format!("{key} = ANY ('{{{a},{b}}}'::int[])"),
            8 => format!("{key} = ANY ({}::int[])", self.parameter(&format!("{{{a},{b}}}"))),
            9 => format!("({key} = {} OR {key} = {})", self.key(a), self.key(b)),
            10 => format!("{key} BETWEEN {} AND {}", a.min(b), a.max(b)),
            _ => format!("({key} = {}) AND 1 = 1", self.key(a)),
        }
    }

    /// A condition on a key that looks narrow, and may be so or not.
    pub fn odd(&mut self, key: &str) -> String {
        let (a, b) = (self.person(), self.person());
        match self.number(0, 17) {
            0 => format!("NOT ({key} = {a})"),
            1 => format!("({key} = {a}) IS NOT TRUE"),
            2 => format!("({key} = {a} OR {b} = {b})"),
            3 => format!("{key} = {a} + 0"),
            4 => format!("{key}::text = '{a}'"),
            5 => format!("{key} = {a}.0"),
            6 => format!("{key} = ' {a}'"),
            7 => format!("{key} IS NOT DISTINCT FROM {a}"),
            8 => format!("({key}, 1) = ({a}, 1)"),
            9 => format!("{key} BETWEEN SYMMETRIC {b} AND {a}"),
            10 => format!("{key} >= {a} AND {key} < {b}"),
            11 => format!("CASE WHEN {key} = {a} THEN true ELSE {key} = {b} END"),
            12 => format!("coalesce(nullif({key}, {a}), 0) = 0"),
            13 => format!("{key} NOT IN ({a}, {b})"),
            14 => format!("{key} = ALL (ARRAY[{a}, {b}])"),
            15 => format!("({key} = {a}) = ({key} = {b})"),
            16 => format!("{key} IN (SELECT customer_id FROM orders WHERE total > {})", a + 10),
            _ => format!("{key} = ANY (ARRAY[{a}, NULL, {b}])"),
        }
    }

    /// A condition on customers that does not say whose the rows are.
    pub fn wide(&mut self, alias: &str) -> String {
        let column = self.one(TEXTS);
        let text = self.value_of(column);
        let half: String = text.chars().skip(1).take(4).collect();
        let c = format!("{alias}.{column}");
        match self.number(0, 21) {
            15 => format!("{c} SIMILAR TO '%{half}%'"),
            16 => format!("({alias}.country, {c}) > ('AT', {})", quoted(Some(&half))),
            17 => format!("{c} LIKE ANY (ARRAY['%{half}%', 'x%'])"),
            18 => format!(
                "EXISTS (SELECT 1 FROM address a WHERE a.customer_id = {alias}.id AND a.city = 'Wien')"
            ),
            19 => format!("{c} < (SELECT max(x.full_name) FROM customer x)"),
            20 => format!("{alias}.id IN (SELECT x.id FROM customer x WHERE x.{column} IS NULL)"),
            0 => format!("{alias}.country = 'AT'"),
            1 => format!("{alias}.created_at >= '2011-03-01'"),
            2 => format!("{c} IS NOT NULL"),
            3 => format!("{c} ILIKE {}", self.text(&format!("%{half}%"))),
            4 => format!("{c} LIKE {}", quoted(Some(&format!("{half}%")))),
            5 => format!("{c} = {}", self.text(&text)),
            6 => format!("{c} <> {}", self.text(&text)),
            7 => format!("{c} > {}", quoted(Some(&half))),
            8 => format!("{c} ~* {}", quoted(Some(&half))),
            9 => format!("length({c}) > {}", self.number(8, 20)),
            10 => format!("lower({c}) IN ({}, 'x')", quoted(Some(&text.to_lowercase()))),
            11 => format!("coalesce({c}, '') <> ''"),
            12 => format!("EXISTS (SELECT 1 FROM orders o WHERE o.customer_id = {alias}.id)"),
            13 => format!("{alias}.id NOT IN (SELECT customer_id FROM orders WHERE total > 25)"),
            14 => format!("NOT ({c} IS NULL OR {c} = '')"),
            _ => format!("CASE WHEN {c} LIKE '0%' THEN true ELSE {alias}.id > 6 END"),
        }
    }

    /// Columns of customers, perhaps of all.
    pub fn columns(&mut self, alias: &str) -> String {
        if self.chance(8) {
            return format!("{alias}.*");
        }
        let many = self.number(1, 4);
        let columns: Vec<_> = (0..many).map(|_| format!("{alias}.{}", self.one(COLUMNS))).collect();
        columns.join(", ")
    }

    /// An expression over the columns of a customer.
    pub fn expression(&mut self, alias: &str) -> String {
        let c = format!("{alias}.{}", self.one(TEXTS));
        let d = format!("{alias}.{}", self.one(TEXTS));
        match self.number(0, 27) {
            19 => format!("({c} COLLATE \"C\" < {d})"),
            20 => format!("(ARRAY[{c}, {d}])[1]"),
            21 => format!("({alias}).full_name"),
            22 => format!("greatest({c}, {d})"),
            23 => format!("regexp_replace({c}, '[0-9]', '#', 'g')"),
            24 => format!("CASE {alias}.country WHEN 'AT' THEN {c} ELSE {d} END"),
            25 => format!("(SELECT x.{} FROM customer x WHERE x.id = {alias}.id)", self.one(TEXTS)),
            26 => format!("(SELECT count(*) FROM customer x WHERE x.phone < {alias}.phone)"),
            0 => format!("upper({c})"),
            1 => format!("coalesce({c}, {d}, '-')"),
            2 => format!("{c} || ' <' || {d} || '>'"),
            3 => format!("length({c})"),
            4 => format!("CASE WHEN {c} IS NULL THEN 'none' ELSE {d} END"),
            5 => format!("CASE WHEN {c} LIKE '0%' THEN 1 ELSE 0 END"),
            6 => format!("substring({c} from 1 for 3)"),
            7 => format!("left({c}, 2)"),
            8 => format!("split_part({c}, ' ', 2)"),
            9 => format!("md5({c})"),
            10 => format!("{c} IS NULL"),
            11 => format!("nullif({c}, {d})"),
            12 => format!("concat_ws(' ', {c}, {d})"),
            13 => format!("to_char({alias}.created_at, 'YYYY-MM')"),
            14 => format!("trim(both ' ' from {c})"),
            15 => format!("position('a' in {c})"),
            16 => format!("shout({c})"),
            17 => format!("extract(year from {alias}.created_at)"),
            18 => format!("{alias}.country"),
            _ => format!("({c} = {d})"),
        }
    }

    /// An order of customers, for the outermost query.
    pub fn order(&mut self, alias: &str) -> String {
        self.ordered = true;
        let column = self.one(&["id", "id", "full_name", "email", "created_at", "phone"]);
        let direction = self.one(&["", " DESC", " ASC NULLS FIRST", " DESC NULLS LAST"]);
        format!("ORDER BY {alias}.{column}{direction}, {alias}.id")
    }

    pub fn email(&mut self) -> String {
        let person = self.number(1, PEOPLE);
        email(person)
    }
}
