//! What the command line asks for.

use std::path::PathBuf;

use merestone_tests::world::luck::Luck;
use merestone_tests::world::run::Level;

use crate::planted::SEEDS_MAX;

/// How to use it.
pub(crate) const USAGE: &str = "sim [--hours N] [--seed S] [--seeds N] [--jobs N] [--story EVENTS] [--level a|b] [--ledger FILE] [--luck KIND,KIND] [--planted NAME|all]";

/// A campaign as it was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Arguments {
    /// Device-hours to live.
    pub(crate) hours: u64,
    /// The first seed.
    pub(crate) seed: u64,
    /// Worlds at most.
    pub(crate) seeds: u64,
    /// Worlds at one time.
    pub(crate) jobs: u64,
    /// Events that the story of a failure tells.
    pub(crate) events: usize,
    /// Where a line is added.
    pub(crate) ledger: Option<PathBuf>,
    /// Only worlds that have all of these kinds of bad luck; others are passed over, and count as seeds.
    pub(crate) luck: Vec<String>,
    /// How contacts are carried.
    pub(crate) level: Level,
    /// The bug planted on purpose that is to be found, or all of them.
    pub(crate) planted: Option<String>,
}

impl Arguments {
    pub(crate) fn read(mut words: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut read = Self {
            hours: u64::MAX,
            seed: 1,
            seeds: u64::MAX,
            jobs: 1,
            events: 40,
            ledger: None,
            luck: Vec::new(),
            level: Level::Talks,
            planted: None,
        };
        let mut is_bounded = false;
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or(format!("{word} needs a value"));
            match word.as_str() {
                "--hours" => (read.hours, is_bounded) = (number(&value()?)?, true),
                "--seed" => read.seed = number(&value()?)?,
                "--seeds" => (read.seeds, is_bounded) = (number(&value()?)?, true),
                "--jobs" => read.jobs = number(&value()?)?.clamp(1, 64),
                "--story" => read.events = usize::try_from(number(&value()?)?).unwrap_or(usize::MAX),
                "--ledger" => read.ledger = Some(value()?.into()),
                "--luck" => {
                    read.luck = value()?.split(',').map(str::to_owned).collect();
                    if let Some(other) = read.luck.iter().find(|kind| !Luck::KINDS.contains(&kind.as_str())) {
                        return Err(format!("no bad luck {other}; there are {}", Luck::KINDS.join(", ")));
                    }
                }
                "--planted" => read.planted = Some(value()?),
                "--level" => match value()?.as_str() {
                    "a" => read.level = Level::Talks,
                    "b" => read.level = Level::Wires,
                    other => return Err(format!("no level {other}")),
                },
                other => return Err(format!("{other} is not known")),
            }
        }
        if !is_bounded {
            match read.planted {
                None => read.hours = 100,
                Some(_) => read.seeds = SEEDS_MAX,
            }
        }
        Ok(read)
    }
}

fn number(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| format!("{text} is no number"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_campaign_ends_also_when_nobody_says_when() {
        let read = |line: &str| Arguments::read(line.split_whitespace().map(str::to_owned));
        assert_eq!(read("").map(|read| read.hours), Ok(100));
        assert_eq!(read("--seed 7 --seeds 2").map(|read| (read.seed, read.seeds, read.hours)), Ok((7, 2, u64::MAX)));
        assert_eq!(read("--level b").map(|read| read.level), Ok(Level::Wires));
        assert_eq!(read("--level c"), Err("no level c".into()));
        assert_eq!(read("--luck clones,cuts").map(|read| read.luck), Ok(vec!["clones".to_owned(), "cuts".to_owned()]));
        assert!(read("--luck none").is_err());
        assert_eq!(read("--planted skip-fsync").map(|read| (read.seeds, read.hours)), Ok((SEEDS_MAX, u64::MAX)));
        assert!(read("--hours many").is_err());
    }
}
