//! `--decimal` against Python's decimal.

use testkit::run;

const BIN: &str = env!("CARGO_BIN_EXE_parallel-map");

/// Numbers with all kinds of lengths and exponents, by a small generator: the same in every run.
fn numbers(count: usize) -> Vec<String> {
    let mut seed = 88_172_645_463_325_252_u64;
    let mut random = |below: u64| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        seed % below
    };
    let mut number = || {
        let sign = if random(3) == 0 { "-" } else { "" };
        let lengths = [1, 2, 5, 9, 17, 19, 28, 40];
        let digits = |random: &mut dyn FnMut(u64) -> u64, most: usize| -> String {
            (0..=random(lengths[most]) as usize).map(|_| char::from(b'0' + random(10) as u8)).collect()
        };
        let most = random(8) as usize;
        let whole = digits(&mut random, most);
        let whole = whole.trim_start_matches('0');
        let whole = if whole.is_empty() { "0" } else { whole };
        let fraction = if random(2) == 0 { format!(".{}", digits(&mut random, most)) } else { String::new() };
        let exponent = if random(6) == 0 { format!("e{}", random(40) as i64 - 20) } else { String::new() };
        format!("{sign}{whole}{fraction}{exponent}")
    };
    (0..count).map(|_| number()).collect()
}

const PYTHON: &str = r#"
import decimal, json, sys
from decimal import Decimal as D
exact, quotient = decimal.Context(prec=3000), decimal.Context(prec=34, rounding=decimal.ROUND_HALF_EVEN)
whole = lambda x, how: x.quantize(D(1), rounding=how, context=exact) if x.as_tuple().exponent < 0 else x
def written(x):
    text = format(x, "f")
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in ("-0", "0", "") else text
def money(x):
    return quotient.divide(whole(exact.multiply(x, D(100)), decimal.ROUND_HALF_UP), D(100))
for line in sys.stdin:
    line = json.loads(line, parse_float=D, parse_int=D)
    a, b = line["a"], line["b"]
    out = [written(x) for x in (exact.add(a, b), exact.subtract(a, b), exact.multiply(a, b), exact.fma(a, D("0.908"), b))]
    out += [written(quotient.divide(a, b)), written(exact.remainder(a, b))] if b else ["null", "null"]
    out += [written(whole(a, how)) for how in (decimal.ROUND_FLOOR, decimal.ROUND_CEILING, decimal.ROUND_HALF_UP, decimal.ROUND_DOWN)]
    out += [json.dumps(a < b), json.dumps(a <= b), json.dumps(a == b), written(exact.add(exact.add(a, b), D("0.1"))), written(money(a))]
    print("[" + ",".join(out) + "]")
"#;

/// The same in jq; `@` is what is done with the results.
const FILTER: &str = "[.a + .b, .a - .b, .a * .b, .a * 0.908 + .b, \
    (if .b == 0 then null, null else .a / .b, .a % .b end), \
    (.a | floor, ceil, round), TRUNC, .a < .b, .a <= .b, .a == .b, SUM, (.a * 100 | round) / 100]";

#[test]
fn every_result_is_the_one_of_pythons_decimals() {
    let numbers = numbers(4_000);
    let line = |pair: &[String]| format!("{{\"a\":{},\"b\":{}}}\n", pair[0], pair[1]);
    let mut input: String = numbers.chunks(2).map(line).collect();
    // The same number in two spellings, and nearly the same.
    input.push_str("{\"a\":1.50,\"b\":15e-1}\n{\"a\":0.1000000000000000000000001,\"b\":0.1}\n{\"a\":0,\"b\":-0.0}\n");
    input.push_str("{\"a\":9007199254740993,\"b\":9007199254740992.0}\n{\"a\":1e25,\"b\":3}\n");
    let expected = run("python3", &["-c", PYTHON], &input).ok();
    // On bytes, and by jaq: trunc and add are not known on bytes.
    let raw = FILTER.replace("TRUNC", "(if .a < 0 then .a | ceil else .a | floor end)").replace("SUM", ".a + .b + 0.1");
    let jaq = FILTER.replace("TRUNC", "(.a | trunc)").replace("SUM", "([.a, .b, 0.1] | add)");
    for (filter, jobs) in [(&raw, "1"), (&raw, "2"), (&jaq, "2")] {
        let seen = run(BIN, &["-j", jobs, "--decimal", filter], &input).ok();
        let differs = seen.lines().zip(expected.lines()).zip(input.lines()).find(|((a, b), _)| a != b);
        assert_eq!(differs, None);
        assert_eq!(seen.lines().count(), expected.lines().count());
    }
}

#[test]
fn what_cannot_be_computed_says_why() {
    let bad = |filter: &str, why: &str| run(BIN, &["-j", "1", "--decimal", filter], "{\"a\":1.5}\n").fails_with(1, why);
    bad(".a / 0", "cannot calculate 1.5 / 0");
    bad(".a % 0.0", "cannot calculate 1.5 % 0.0");
    bad(".a * 1e1000", "cannot calculate 1.5 * 1e1000: more than 1000 digits");
    bad("\"x\" | floor", "\"x\"");
    bad(".a + \"x\"", "cannot calculate 1.5 + \"x\"");
}

#[test]
fn arguments_definitions_and_updates_compute_exactly_too() {
    let args = ["-j", "1", "--decimal", "--argjson", "rate", "0.1", "--arg", "name", "x"];
    let filter = "def twice($x): $x + .n; .n += $rate | {$name, n, t: twice(.n), s: ([.n, $rate, $rate] | add), \
        r: (reduce (.n, $rate) as $x (0; . + $x)), \"k\\(.n * 3)\": (.n | . * 3 | tostring), eq: ([.n, {a: .n}] == [0.30, {a: 0.3}])}";
    let out = run(BIN, &[&args[..], &[filter]].concat(), "{\"n\":0.2}\n").ok();
    assert_eq!(out, "{\"name\":\"x\",\"n\":0.3,\"t\":0.6,\"s\":0.5,\"r\":0.4,\"k0.9\":\"0.9\",\"eq\":true}\n");
}
