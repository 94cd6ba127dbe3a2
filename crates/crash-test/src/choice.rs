//! What is killed, and when: drawn from the seed alone.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use units::parse_duration;

/// One kill in so many comes while the pipeline starts.
const STARTING_ONE_IN: u64 = 4;
/// Kills during the start spread over this much of the time that a start takes.
const STARTING_SHARE: f64 = 1.2;

/// What one kill is aimed at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// One process that is not a shell.
    Any,
    /// One process of this name.
    Named(String),
    /// The whole pipeline at once.
    All,
    /// Processes that are stopped, and wake up beside the next pipeline.
    Zombie,
    /// What the pipeline talks to.
    Broker,
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Any => "any",
            Self::Named(name) => name,
            Self::All => "all",
            Self::Zombie => "zombie",
            Self::Broker => "broker",
        })
    }
}

/// `any=8,zombie=1`: targets, and how often each is chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Targets(Vec<(Target, u64)>);

impl Targets {
    pub fn contains(&self, target: &Target) -> bool {
        self.0.iter().any(|(known, _)| known == target)
    }

    fn draw(&self, random: &mut ChaCha8Rng) -> Target {
        let sum = self.0.iter().map(|(_, weight)| weight).sum();
        let mut left = below(random, sum);
        for (target, weight) in &self.0 {
            if left < *weight {
                return target.clone();
            }
            left -= weight;
        }
        Target::Any
    }
}

impl FromStr for Targets {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut targets = Vec::new();
        for item in text.split(',') {
            let (name, weight) = item.split_once('=').unwrap_or((item, "1"));
            let weight = weight.parse().ok().filter(|weight| (1..=1_000_000).contains(weight));
            let weight = weight.ok_or_else(|| format!("\"{item}\": say how often with a number, as {name}=8"))?;
            targets.push((target(name)?, weight));
        }
        Ok(Self(targets))
    }
}

fn target(name: &str) -> Result<Target, String> {
    Ok(match name {
        "" => return Err("a name is empty".to_owned()),
        "any" => Target::Any,
        "all" => Target::All,
        "zombie" => Target::Zombie,
        "broker" => Target::Broker,
        name => Target::Named(name.to_owned()),
    })
}

/// `200ms..2s`, or `1s` for both ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    low_ms: u64,
    high_ms: u64,
}

impl Span {
    fn draw(self, random: &mut ChaCha8Rng) -> Duration {
        Duration::from_millis(self.low_ms + below(random, self.high_ms - self.low_ms + 1))
    }
}

impl FromStr for Span {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (low, high) = text.split_once("..").unwrap_or((text, text));
        let (low, high) = (parse_duration(low), parse_duration(high));
        let (low, high) = (low.map_err(|e| e.to_string())?, high.map_err(|e| e.to_string())?);
        if low > high {
            return Err("the first one is longer than the second: say 200ms..2s".to_owned());
        }
        Ok(Self { low_ms: low.unsigned_abs(), high_ms: high.unsigned_abs() })
    }
}

/// When a kill comes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Moment {
    /// After this part of the time that a start takes.
    Starting(f64),
    /// When the pipeline flows, after `Choice::delay`.
    Flowing,
}

/// One kill. Its further choices come from a stream of random numbers of its own, so that how many of them one kill
/// needs changes nothing for the next.
pub struct Choice {
    pub target: Target,
    pub moment: Moment,
    pub delay: Duration,
    down_for: Duration,
    random: ChaCha8Rng,
}

impl Choice {
    /// The kill of this number.
    pub fn draw(seed: u64, number: u64, targets: &Targets, between: Span, down_for: Span) -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        random.set_stream(number);
        let target = targets.draw(&mut random);
        let starting = below(&mut random, STARTING_ONE_IN) == 0;
        let fraction = part(&mut random) * STARTING_SHARE;
        let moment = if starting { Moment::Starting(fraction) } else { Moment::Flowing };
        let delay = between.draw(&mut random);
        let down_for = down_for.draw(&mut random);
        Self { target, moment, delay, down_for, random }
    }

    /// How long the broker is gone.
    pub fn down_for(&self) -> Duration {
        self.down_for
    }

    /// One of so many; none of none.
    pub fn one_of(&mut self, count: usize) -> Option<usize> {
        let index = below(&mut self.random, u64::try_from(count).ok()?.max(1));
        usize::try_from(index).ok().filter(|_| count > 0)
    }

    /// Which of so many processes become zombies: one, some or all.
    pub fn zombies(&mut self, count: usize) -> Vec<bool> {
        let kind = below(&mut self.random, 3);
        let one = self.one_of(count);
        let mut chosen: Vec<bool> =
            (0..count).map(|_| kind == 2 || kind == 1 && below(&mut self.random, 2) == 0).collect();
        if let Some(one) = one {
            chosen[one] = true;
        }
        chosen
    }
}

/// A number below the limit; the bias is far below what a test could show.
fn below(random: &mut ChaCha8Rng, limit: u64) -> u64 {
    let wide = u128::from(random.next_u64()) * u128::from(limit);
    u64::try_from(wide >> 64).unwrap_or(0)
}

/// From 0 to 1, without 1.
#[allow(clippy::cast_precision_loss)]
fn part(random: &mut ChaCha8Rng) -> f64 {
    (random.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(text: &str) -> Span {
        text.parse().unwrap()
    }

    fn draw(seed: u64, number: u64) -> Choice {
        let targets = "any=8,window=2,zombie".parse().unwrap();
        Choice::draw(seed, number, &targets, span("200ms..2s"), span("1s"))
    }

    fn told(choice: &mut Choice) -> String {
        let one = choice.one_of(4);
        format!("{} {:?} {:?} {one:?}", choice.target, choice.moment, choice.delay)
    }

    #[test]
    fn the_same_seed_makes_the_same_choices() {
        let all = |seed| (0..20).map(|n| told(&mut draw(seed, n))).collect::<Vec<_>>();
        assert_eq!(all(7), all(7));
        assert_ne!(all(7), all(8));
    }

    #[test]
    fn weights_say_how_often() {
        let count = |name: &str| (0..1100).filter(|n| draw(1, *n).target.to_string() == name).count();
        assert!((740..860).contains(&count("any")), "{}", count("any"));
        assert!((150..250).contains(&count("window")), "{}", count("window"));
        assert!((60..140).contains(&count("zombie")), "{}", count("zombie"));
    }

    #[test]
    fn delays_stay_in_their_span_and_some_kills_come_early() {
        let choices: Vec<Choice> = (0..400).map(|n| draw(1, n)).collect();
        let limits = Duration::from_millis(200)..=Duration::from_secs(2);
        assert!(choices.iter().all(|choice| limits.contains(&choice.delay)));
        let early = choices.iter().filter(|choice| choice.moment != Moment::Flowing).count();
        assert!((70..130).contains(&early), "{early}");
    }

    #[test]
    fn zombies_are_one_some_or_all_but_never_none() {
        let counts: Vec<usize> =
            (0..300).map(|n| draw(1, n).zombies(4).into_iter().filter(|chosen| *chosen).count()).collect();
        assert!((1..=4).all(|count| counts.contains(&count)) && !counts.contains(&0), "{counts:?}");
        assert!(draw(1, 1).zombies(0).is_empty());
    }

    #[test]
    fn values_that_make_no_sense_are_refused() {
        for text in ["", "any,", "any=0", "any=x"] {
            assert!(text.parse::<Targets>().is_err(), "{text}");
        }
        for text in ["7", "1s..", "2s..1s", "1..2"] {
            assert!(text.parse::<Span>().is_err(), "{text}");
        }
        assert_eq!(span("1s"), span("1s..1s"));
    }
}
