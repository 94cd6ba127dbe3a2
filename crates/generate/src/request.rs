//! One generated line: a web request.

use event_time::write_rfc3339;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use crate::Spec;

/// No line is longer: 24 of the time, 20 each of key and value, 3 + 26 + 6 of the rest, and the names.
pub const LINE_BYTES_MAX: usize = 256;

/// What one line takes from the random stream.
const WORDS_PER_LINE: u128 = 8;

const GROUPS: [&str; 5] = ["users", "orders", "items", "cart", "search"];
const ACTIONS: [&str; 4] = ["list", "detail", "edit", "history"];
const PAGES: u64 = 10;
const HOSTS: u64 = 20;

/// The logarithm of a value is normal, with this mean and this deviation.
const VALUE_LOG_MEAN: f64 = 3.0;
const VALUE_LOG_DEVIATION: f64 = 0.8;

/// An endless row of requests.
pub struct Requests {
    random: ChaCha8Rng,
    keys: u64,
    out_of_order_ms: u64,
    paths: Vec<String>,
    second: SecondText,
}

impl Requests {
    pub fn new(spec: &Spec) -> Self {
        Self {
            random: ChaCha8Rng::seed_from_u64(spec.seed),
            keys: spec.keys,
            out_of_order_ms: u64::try_from(spec.out_of_order_ms).unwrap_or(0),
            paths: paths(),
            second: SecondText::default(),
        }
    }

    /// Goes to a line, counted from 0.
    pub fn seek(&mut self, line: u64) {
        self.random.set_word_pos(u128::from(line) * WORDS_PER_LINE);
    }

    /// Appends the next line, without a newline. Its time is at most `latest_ms`.
    pub fn write_next(&mut self, latest_ms: i64, to: &mut Vec<u8>) {
        let early_ms = part(self.random.next_u64(), self.out_of_order_ms);
        let key = part(self.random.next_u64(), self.keys);
        let choice = self.random.next_u64();
        let (uniform, angle) = halves(self.random.next_u64());
        to.extend_from_slice(b"{\"timestamp\":\"");
        self.second.write(latest_ms - i64::try_from(early_ms).unwrap_or(0), to);
        to.extend_from_slice(b"\",\"key\":\"user-");
        write_number(key, to);
        to.extend_from_slice(b"\",\"value\":");
        write_cents(value_cents(uniform, angle), to);
        to.extend_from_slice(b",\"status\":");
        write_number(status(part(choice << 48, 100)), to);
        to.extend_from_slice(b",\"path\":\"");
        let path = part(choice << 32 & 0xffff << 48, self.paths.len() as u64);
        to.extend_from_slice(self.paths[usize::try_from(path).unwrap_or(0)].as_bytes());
        to.extend_from_slice(b"\",\"host\":\"web-");
        write_number(part(choice & 0xffff_ffff << 32, HOSTS), to);
        to.extend_from_slice(b".eu-west-1a.example\"}");
    }
}

fn paths() -> Vec<String> {
    let all = GROUPS.iter().flat_map(|group| ACTIONS.iter().map(move |action| (group, action)));
    all.flat_map(|(group, action)| (0..PAGES).map(move |page| format!("/api/v1/{group}/{action}/{page}"))).collect()
}

/// The part of `count` at which a random number stands between 0 and 2^64: below `count`, or 0.
fn part(random: u64, count: u64) -> u64 {
    u64::try_from((u128::from(random) * u128::from(count)) >> 64).unwrap_or(0)
}

fn halves(random: u64) -> (u32, u32) {
    ((random >> 32) as u32, (random & 0xffff_ffff) as u32)
}

fn status(percent: u64) -> u64 {
    match percent {
        0..90 => 200,
        90..95 => 404,
        95..98 => 500,
        _ => 301,
    }
}

/// A lognormal value in hundredths: the normal is Box and Muller's.
fn value_cents(uniform: u32, angle: u32) -> u64 {
    let unit = 1.0 / (f64::from(u32::MAX) + 1.0);
    // The logarithm's argument is in (0, 1]: never zero.
    let radius = libm::sqrt(-2.0 * libm::log((f64::from(uniform) + 1.0) * unit));
    let normal = radius * libm::cos(std::f64::consts::TAU * (f64::from(angle) * unit));
    let value = libm::exp(VALUE_LOG_MEAN + VALUE_LOG_DEVIATION * normal) + 0.01;
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let cents = libm::floor(value * 100.0 + 0.5) as u64;
    cents
}

/// The text of a time, with the second kept: lines mostly share it with one before.
struct SecondText {
    second: i64,
    text: Vec<u8>,
}

impl Default for SecondText {
    fn default() -> Self {
        Self { second: i64::MIN, text: Vec::with_capacity(24) }
    }
}

impl SecondText {
    /// Three digits of milliseconds always, so that lines of one second have one length.
    fn write(&mut self, time_ms: i64, to: &mut Vec<u8>) {
        let second = time_ms.div_euclid(1_000);
        if second != self.second {
            self.second = second;
            self.text.clear();
            write_rfc3339(second * 1_000, &mut self.text);
            self.text.pop();
            self.text.push(b'.');
        }
        to.extend_from_slice(&self.text);
        let ms = time_ms.rem_euclid(1_000).unsigned_abs();
        to.extend_from_slice(&[digit(ms / 100), digit(ms / 10), digit(ms), b'Z']);
    }
}

fn write_cents(cents: u64, to: &mut Vec<u8>) {
    write_number(cents / 100, to);
    to.extend_from_slice(&[b'.', digit(cents / 10), digit(cents)]);
}

fn write_number(mut number: u64, to: &mut Vec<u8>) {
    let mut digits = [0; 20];
    let mut start = digits.len();
    loop {
        start -= 1;
        digits[start] = digit(number);
        number /= 10;
        if number == 0 {
            break;
        }
    }
    to.extend_from_slice(&digits[start..]);
}

/// The last decimal digit.
#[allow(clippy::cast_possible_truncation)]
fn digit(number: u64) -> u8 {
    b'0' + (number % 10) as u8
}
