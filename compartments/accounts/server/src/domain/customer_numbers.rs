//! The numbers by which callers know customers. Record numbers are given out in order, and decoys take
//! some, so that a caller who saw them would learn when a customer signed up, and from the gaps where
//! the decoys are. Callers see a keyed permutation instead.

use aes::Aes256;
use cofferdam_core::{CustomerNumber, KeyBytes, Record};
use fpe::ff1::{FF1, FlexibleNumeralString};

/// A number is two digits in this base, the halves of its 32 bits.
const RADIX: u32 = 1 << 16;

/// Makes customer numbers of record numbers, and finds the records behind them.
pub struct CustomerNumbers(Option<FF1<Aes256>>);

impl CustomerNumbers {
    /// Numbers under `key`; without one, record numbers are customer numbers.
    #[must_use]
    pub fn new(key: Option<&KeyBytes>) -> Self {
        #[expect(clippy::expect_used, reason = "FF1 takes every radix from 2 to 65,536")]
        let permutation = |key: &KeyBytes| FF1::new(key.expose(), RADIX).expect("a radix of FF1");
        Self(key.map(permutation))
    }

    /// The number of the customer with this record: the record encrypted (FF1, NIST SP 800-38G).
    #[must_use]
    pub fn number(&self, record: Record) -> CustomerNumber {
        let encrypt = |ff1: &FF1<_>| in_halves(record.0, |halves| ff1.encrypt(&[], halves));
        CustomerNumber(self.0.as_ref().map_or(record.0, encrypt))
    }

    /// The record behind a customer number. Every number has one.
    #[must_use]
    pub fn record(&self, number: CustomerNumber) -> Record {
        let decrypt = |ff1: &FF1<_>| in_halves(number.0, |halves| ff1.decrypt(&[], halves));
        Record(self.0.as_ref().map_or(number.0, decrypt))
    }
}

/// Applies `permute` to the two halves of a number.
fn in_halves<E: std::fmt::Debug>(
    number: u32,
    permute: impl Fn(&FlexibleNumeralString) -> Result<FlexibleNumeralString, E>,
) -> u32 {
    let [a, b, c, d] = number.to_be_bytes();
    let halves = vec![u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d])];
    #[expect(clippy::expect_used, reason = "FF1 takes two digits of any radix from 1,000 on")]
    let permuted = permute(&halves.into()).expect("two digits of the radix");
    Vec::from(permuted).into_iter().fold(0, |number, half: u16| number << 16 | u32::from(half))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn keyed(byte: u8) -> CustomerNumbers {
        CustomerNumbers::new(Some(&KeyBytes::new([byte; 32])))
    }

    proptest! {
        #[test]
        fn a_number_leads_back_to_its_record(key in any::<u8>(), record in any::<u32>()) {
            let numbers = keyed(key);
            prop_assert_eq!(numbers.record(numbers.number(Record(record))), Record(record));
            let number = CustomerNumber(record);
            prop_assert_eq!(numbers.number(numbers.record(number)), number);
        }
    }

    /// Shops keep customer numbers for years. Another implementation of SP 800-38G gave the same ones.
    #[test]
    fn numbers_that_were_given_out_stay() {
        let numbers = [0, 1, 2, 23_999_999, u32::MAX].map(|of| keyed(7).number(Record(of)).0);
        let expected = [1_091_267_203, 2_274_827_847, 1_538_452_611, 958_897_612, 3_367_233_031];
        assert_eq!(numbers, expected);
        assert_ne!(keyed(8).number(Record(0)), keyed(7).number(Record(0)));
    }

    /// Of customers who sign up one after the other, half get a lower number than the one before, and
    /// each tenth of all numbers gets a tenth of them.
    #[test]
    fn numbers_tell_no_order_and_no_gap() {
        let of = |record| keyed(7).number(Record(record)).0;
        let numbers: Vec<u32> = (0..10_000).map(of).collect();
        let lower = numbers.windows(2).filter(|pair| pair[1] < pair[0]).count();
        assert!(lower.abs_diff(5_000) < 200, "{lower}");
        for tenth in 0..10_u64 {
            let within = |number: &&u32| (u64::from(**number) * 10) >> 32 == tenth;
            let count = numbers.iter().filter(within).count();
            assert!(count.abs_diff(1_000) < 150, "{tenth}: {count}");
        }
        let neighbours =
            numbers.windows(2).filter(|pair| pair[0].abs_diff(pair[1]) < 1_000).count();
        assert!(neighbours < 5, "{neighbours}");
    }

    #[test]
    fn without_a_key_record_numbers_are_customer_numbers() {
        let numbers = CustomerNumbers::new(None);
        assert_eq!(numbers.number(Record(7)), CustomerNumber(7));
        assert_eq!(numbers.record(CustomerNumber(7)), Record(7));
    }
}
