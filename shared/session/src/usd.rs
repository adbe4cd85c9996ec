//! Sums of US dollars, rounded so that adding binary fractions leaves no error that clients see.

/// Amounts are rounded to a billionth of a dollar, a thousandth of the price of a cheap token.
const PER_DOLLAR: f64 = 1e9;

/// Adds two amounts of US dollars and rounds the sum.
pub fn plus_usd(sum: f64, more: f64) -> f64 {
    ((sum + more) * PER_DOLLAR).round() / PER_DOLLAR
}

#[cfg(test)]
mod tests {
    use super::plus_usd;

    #[test]
    fn a_sum_has_no_binary_rounding_error() {
        let sum = (0..3).fold(0.0, |sum, _| plus_usd(sum, 0.000_027));
        assert_eq!(sum.to_string(), "0.000081");
    }
}
