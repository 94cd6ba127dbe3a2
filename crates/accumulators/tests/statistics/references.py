#!/usr/bin/env python3
"""Makes references.json: lines, and what numpy, scipy, DuckDB and exact fractions make of them.

    python3 -m venv venv && venv/bin/pip install numpy==2.4.6 scipy==1.17.1 duckdb==2.0.1
    venv/bin/python references.py > references.json

Each case has the values of x, y (null where a line has none), w and t (milliseconds), and results by function and by the library
that computed them.
"""
import json
import math
from fractions import Fraction

import duckdb
import numpy as np
from scipy import stats

BOUNDS = [-1, 0, 0.5, 2, 10, 1000000000]
DUCKDB = {
    "corr:x:y": "corr(y, x)", "covar:x:y": "covar_samp(y, x)", "covar_pop:x:y": "covar_pop(y, x)",
    "slope:x:y": "regr_slope(y, x)", "intercept:x:y": "regr_intercept(y, x)", "r2:x:y": "regr_r2(y, x)",
    "skewness:x": "skewness(x)", "kurtosis:x": "kurtosis(x)", "mad:x": "mad(x)",
    "iqr:x": "quantile_cont(x, 0.75) - quantile_cont(x, 0.25)", "geomean:w": "geomean(w)", "entropy:x": "entropy(x)",
    "wavg:x:w": "weighted_avg(x, w)",
}


def by_numpy(x, y, w, t):
    both = ~np.isnan(y)
    a, b = x[both], y[both]
    line = stats.linregress(a, b)
    order = np.argsort(t, kind="stable")
    held, times = x[order], t[order]
    _, counts = np.unique(x, return_counts=True)
    return {
        "corr:x:y": np.corrcoef(a, b)[0, 1], "covar:x:y": np.cov(a, b)[0, 1], "covar_pop:x:y": np.cov(a, b, ddof=0)[0, 1],
        "slope:x:y": line.slope, "intercept:x:y": line.intercept, "r2:x:y": line.rvalue ** 2,
        "skewness:x": stats.skew(x, bias=False), "kurtosis:x": stats.kurtosis(x, bias=False),
        "mad:x": stats.median_abs_deviation(x), "iqr:x": stats.iqr(x), "geomean:w": stats.gmean(w),
        "entropy:x": stats.entropy(counts, base=2), "wavg:x:w": np.average(x, weights=w),
        "twa:x:t": np.sum(held[:-1] * np.diff(times)) / (times[-1] - times[0]),
    }


def by_duckdb(x, y, w, t, leave_out):
    connection = duckdb.connect()
    connection.execute("create table t (n int, x double, y double, w double)")
    rows = [(n, float(a), None if math.isnan(b) else float(b), float(c)) for n, (a, b, c) in enumerate(zip(x, y, w))]
    connection.executemany("insert into t values (?, ?, ?, ?)", rows)
    one = lambda text: connection.execute(f"select {text} from t").fetchone()[0]
    results = {name: one(text) for name, text in DUCKDB.items() if name not in leave_out}
    found = one(f"histogram(x, {BOUNDS}::double[])")
    results["histogram:" + ",".join(map(str, BOUNDS)) + ":x"] = [
        {"le": bound, "count": found.get(bound, 0)} for bound in BOUNDS] + [{"le": None, "count": found.get(math.inf, 0)}]
    names = {"open": "first(x order by n)", "high": "max(x)", "low": "min(x)", "close": "last(x order by n)"}
    results["ohlc:x"] = {name: one(text) for name, text in names.items()}
    return results


def by_fractions(x, y):
    """From the definitions, without rounding but for roots and the last division."""
    both = [(Fraction(a), Fraction(b)) for a, b in zip(x.tolist(), y.tolist()) if not math.isnan(b)]
    n, means = len(both), [sum(values) / len(both) for values in zip(*both)]
    products = lambda i, j: sum((pair[i] - means[i]) * (pair[j] - means[j]) for pair in both)
    xx, yy, xy = products(0, 0), products(1, 1), products(0, 1)
    one = [Fraction(a) for a in x.tolist()]
    mean, m = sum(one) / len(one), len(one)
    central = lambda power: sum((a - mean) ** power for a in one) / m
    variance, third, fourth = central(2), central(3), central(4)
    kurtosis = Fraction(m - 1, (m - 2) * (m - 3)) * ((m + 1) * (fourth / variance ** 2 - 3) + 6)
    return {
        "covar:x:y": float(xy / (n - 1)), "covar_pop:x:y": float(xy / n), "slope:x:y": float(xy / xx),
        "intercept:x:y": float(means[1] - xy / xx * means[0]), "r2:x:y": float(xy * xy / xx / yy),
        "corr:x:y": math.copysign(math.sqrt(xy * xy / xx / yy), xy),
        "skewness:x": float(third / variance) / math.sqrt(variance) * math.sqrt(m * (m - 1)) / (m - 2),
        "kurtosis:x": float(kurtosis),
    }


def case(name, x, y, w, t, leave_out=(), rounded=()):
    x, y, w, t = (np.asarray(values, dtype=float) for values in (x, y, w, t))
    return {
        "name": name, "x": x.tolist(), "y": [None if math.isnan(value) else value for value in y.tolist()], "w": w.tolist(),
        "t": [int(value) for value in t],
        "numpy": {key: float(value) for key, value in by_numpy(x, y, w, t).items() if key not in rounded},
        "duckdb": by_duckdb(x, y, w, t, leave_out),
        "exact": by_fractions(x, y),
    }


def main():
    random = np.random.default_rng(17)
    day = 1_767_225_600_000
    times = lambda n: day + np.cumsum(random.integers(1, 5000, n)) + random.integers(-8000, 8000, n)
    normal = random.normal(3, 2, 60)
    holes = np.where(random.random(60) < 0.2, np.nan, 2 * normal + random.normal(0, 1, 60))
    far = 1e9 + random.normal(0, 1, 41)
    skewed = np.round(random.lognormal(0, 1.5, 80), 3)
    few = random.integers(0, 6, 50)
    # Far from zero, DuckDB loses digits of these; scipy, which takes off a mean that is rounded, of the last two.
    lost = ("covar:x:y", "covar_pop:x:y", "slope:x:y", "intercept:x:y", "skewness:x", "kurtosis:x")
    cases = [
        case("normal, some without y", normal, holes, random.uniform(0.1, 5, 60), times(60)),
        case("far from zero", far, 5 - 3 * (far - 1e9) + random.normal(0, 0.1, 41), random.uniform(1, 2, 41), times(41), lost, lost[-2:]),
        case("skewed decimals", skewed, np.sqrt(skewed), skewed + 0.001, times(80)),
        case("few different values", few, 10 - few + random.integers(0, 3, 50), random.integers(1, 100, 50), times(50)),
        case("four lines", [1, 2, 4, 9], [2, 3, 1, 9], [2, 3, 1, 9], [0, 1000, 2500, 5000]),
    ]
    lines = [json.dumps(one) for one in cases]
    print("[\n" + ",\n".join(lines) + "\n]")


if __name__ == "__main__":
    main()
