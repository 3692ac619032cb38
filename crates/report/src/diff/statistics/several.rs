//! Many tests at once: which of them still say something.

/// Adjusts chances for their number (Benjamini and Hochberg 1995): where all that are at most `level` are taken for
/// found, on average at most that share of the finds is false. The order is kept.
pub(crate) fn adjusted(chances: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..chances.len()).collect();
    order.sort_by(|a, b| chances[*a].total_cmp(&chances[*b]));
    let number = chances.len() as f64;
    let mut adjusted = vec![1.0; chances.len()];
    let mut least = 1.0_f64;
    for (rank, index) in order.into_iter().enumerate().rev() {
        least = least.min(chances[index] * number / (rank as f64 + 1.0));
        // Rounding must not make it less.
        adjusted[index] = least.max(chances[index]);
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As R's p.adjust(c(0.01, 0.04, 0.03, 0.5), "BH") has it.
    #[test]
    fn chances_are_adjusted_as_r_does() {
        let found = adjusted(&[0.01, 0.04, 0.03, 0.5]);
        let expected = [0.04, 0.04 * 4.0 / 3.0, 0.04 * 4.0 / 3.0, 0.5];
        assert!(
            found.iter().zip(expected).all(|(found, expected)| (found - expected).abs() < 1e-12),
            "{found:?}"
        );
        assert!(adjusted(&[]).is_empty());
    }
}
