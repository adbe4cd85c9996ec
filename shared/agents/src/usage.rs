//! The tokens of a call: as the service reports them, and estimated where it does not.

/// The usual rule of thumb for English. For other languages the estimate is rather too high.
pub(crate) const BYTES_PER_TOKEN: u64 = 4;

/// The estimated tokens of a text, rounded up.
pub(crate) fn estimate_tokens(text: &str) -> u64 {
    (text.len() as u64).div_ceil(BYTES_PER_TOKEN)
}

/// The tokens that a service reports, as far as it does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct ReportedUsage {
    /// The prompt, with what came from a cache.
    pub input: Option<u64>,
    /// The answer. Some services leave thoughts out.
    pub output: Option<u64>,
    /// All tokens that are billed.
    pub total: Option<u64>,
    /// The part of the output that was thought.
    pub reasoning: u64,
    /// The part of the prompt that came from a cache.
    pub cached: u64,
}

/// The tokens of one call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct TokenCount {
    pub input: u64,
    /// The answer and the thoughts.
    pub output: u64,
    /// The part of the input that came from a cache.
    pub cached: u64,
    /// Whether a number had to be estimated.
    pub estimated: bool,
}

impl ReportedUsage {
    /// Whether the service says anything about tokens.
    pub fn is_counted(self) -> bool {
        [self.input, self.output, self.total]
            .iter()
            .any(|count| count.is_some_and(|n| n > 0))
    }

    /// The tokens, with the estimates of prompt and answer where the service counts none. A total
    /// above the sum of its parts contains thoughts that the parts leave out. No prompt has 0
    /// tokens, and no text has 0 either.
    pub fn count(self, prompt: u64, answer: u64) -> TokenCount {
        let input = self.input.filter(|&input| input > 0);
        let output = self.output.filter(|&output| output > 0 || answer == 0);
        let output = output.map(|output| match self.reasoning > output {
            true => output.saturating_add(self.reasoning),
            false => output,
        });
        let rest = |part: Option<u64>| Some(self.total?.saturating_sub(part?)).filter(|n| *n > 0);
        let (input, output, estimated) = match (input, output) {
            (Some(input), output) => match output.max(rest(Some(input))) {
                Some(output) => (input, output, false),
                None => (input, answer, true),
            },
            (None, output) => match (rest(output), output) {
                (Some(input), Some(output)) => (input, output, false),
                (_, Some(output)) => (prompt, output, true),
                _ => match self.total.filter(|&total| total > answer) {
                    Some(total) => (total - answer, answer, true),
                    None => (prompt, answer, true),
                },
            },
        };
        TokenCount {
            input,
            output,
            cached: self.cached.min(input),
            estimated,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(input: Option<u64>, output: Option<u64>, total: Option<u64>) -> (u64, u64, bool) {
        let reported = ReportedUsage {
            input,
            output,
            total,
            ..ReportedUsage::default()
        };
        let TokenCount {
            input,
            output,
            estimated,
            ..
        } = reported.count(50, 7);
        (input, output, estimated)
    }

    #[test]
    fn the_total_decides_and_what_is_missing_is_estimated_and_marked() {
        assert_eq!(count(Some(100), Some(20), Some(120)), (100, 20, false));
        assert_eq!(
            count(Some(10_120), Some(1_499), Some(14_428)),
            (10_120, 4_308, false)
        );
        assert_eq!(count(Some(100), Some(20), Some(90)), (100, 20, false));
        assert_eq!(count(Some(100), None, Some(120)), (100, 20, false));
        assert_eq!(count(None, Some(20), Some(120)), (100, 20, false));
        assert_eq!(count(None, None, Some(120)), (113, 7, true));
        assert_eq!(count(None, None, Some(5)), (50, 7, true));
        assert_eq!(count(Some(100), None, None), (100, 7, true));
        assert_eq!(count(None, Some(20), None), (50, 20, true));
        assert_eq!(count(Some(0), Some(0), Some(0)), (50, 7, true));
        assert_eq!(count(Some(0), Some(0), None), (50, 7, true));
        assert_eq!(count(None, None, None), (50, 7, true));
    }

    #[test]
    fn thoughts_beside_the_output_are_output() {
        let reported = |output, reasoning| ReportedUsage {
            input: Some(10),
            output: Some(output),
            reasoning,
            cached: 99,
            ..ReportedUsage::default()
        };
        let beside = reported(5, 30).count(0, 1);
        assert_eq!((beside.output, beside.cached), (35, 10));
        assert_eq!(reported(35, 30).count(0, 1).output, 35);
    }
}
