//! Sums of money: US dollars as clients see them, a number with a fraction, without the dust of adding fractions.

/// The smallest amount that is told apart: a billionth of a dollar, a thousandth of the price of a cheap token.
const PER_DOLLAR: f64 = 1e9;

/// A sum of US dollars, to the billionth.
pub fn plus_usd(sum: f64, more: f64) -> f64 {
    ((sum + more) * PER_DOLLAR).round() / PER_DOLLAR
}

#[cfg(test)]
mod tests {
    use super::plus_usd;

    #[test]
    fn a_sum_is_what_a_person_would_write_down() {
        let sum = (0..3).fold(0.0, |sum, _| plus_usd(sum, 0.000_027));
        assert_eq!(sum.to_string(), "0.000081");
    }
}
