//! How much one call gives of a list.

/// Lines of a list that one call gives: a screen shows some dozens.
const LINES_MAX: usize = 1_000;

/// As many lines as were asked for, at least one and at most those that one call gives.
pub(crate) fn at_most(asked: u32) -> usize {
    usize::try_from(asked).unwrap_or(usize::MAX).clamp(1, LINES_MAX)
}

/// The part of a whole list that was asked for, by the place of its first line.
pub(crate) fn part<T>(list: impl IntoIterator<Item = T>, from: u32, lines_max: u32) -> impl Iterator<Item = T> {
    list.into_iter().skip(usize::try_from(from).unwrap_or(usize::MAX)).take(at_most(lines_max))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_gives_at_most_a_thousand_lines_and_the_next_one_goes_on() {
        for (from, lines_max, wanted) in [(0, 10, 0..10), (0, u32::MAX, 0..1_000), (2_000, u32::MAX, 2_000..2_500)] {
            assert_eq!(part(0..2_500, from, lines_max).collect::<Vec<_>>(), wanted.collect::<Vec<_>>());
        }
        assert_eq!(part(0..2_500, u32::MAX, 1).count(), 0);
        assert_eq!(part(0..2_500, 0, 0).count(), 1, "a page that is empty would be taken for the last");
    }
}
