//! Quantiles of the standard normal distribution: Wichura, "Algorithm AS 241" (1988), PPND16, within 1e-16 relative.

/// Returns the value below which a share `p` of values lies; infinite at 0 and 1, NaN outside of them.
#[must_use]
pub fn quantile(p: f64) -> f64 {
    let away = p - 0.5;
    if away.abs() <= 0.425 {
        let r = 0.180_625 - away * away;
        return away * ratio(r, &MIDDLE);
    }
    let tail = if away < 0.0 { p } else { 1.0 - p };
    if tail <= 0.0 {
        return if tail < 0.0 { f64::NAN } else { f64::INFINITY.copysign(away) };
    }
    let r = (-libm::log(tail)).sqrt();
    let size = if r <= 5.0 { ratio(r - 1.6, &NEAR) } else { ratio(r - 5.0, &FAR) };
    size.copysign(away)
}

/// Two polynomials, the highest power first.
struct Ratio {
    above: [f64; 8],
    below: [f64; 8],
}

fn ratio(r: f64, of: &Ratio) -> f64 {
    let at = |polynomial: &[f64; 8]| polynomial.iter().fold(0.0, |sum, factor| sum * r + factor);
    at(&of.above) / at(&of.below)
}

#[allow(clippy::excessive_precision)]
const MIDDLE: Ratio = Ratio {
    above: [
        2.5090809287301226727e3,
        3.3430575583588128105e4,
        6.7265770927008700853e4,
        4.5921953931549871457e4,
        1.3731693765509461125e4,
        1.9715909503065514427e3,
        1.3314166789178437745e2,
        3.3871328727963666080,
    ],
    below: [
        5.2264952788528545610e3,
        2.8729085735721942674e4,
        3.9307895800092710610e4,
        2.1213794301586595867e4,
        5.3941960214247511077e3,
        6.8718700749205790830e2,
        4.2313330701600911252e1,
        1.0,
    ],
};

#[allow(clippy::excessive_precision)]
const NEAR: Ratio = Ratio {
    above: [
        7.74545014278341407640e-4,
        2.27238449892691845833e-2,
        2.41780725177450611770e-1,
        1.27045825245236838258,
        3.64784832476320460504,
        5.76949722146069140550,
        4.63033784615654529590,
        1.42343711074968357734,
    ],
    below: [
        1.05075007164441684324e-9,
        5.47593808499534494600e-4,
        1.51986665636164571966e-2,
        1.48103976427480074590e-1,
        6.89767334985100004550e-1,
        1.67638483018380384940,
        2.05319162663775882187,
        1.0,
    ],
};

#[allow(clippy::excessive_precision)]
const FAR: Ratio = Ratio {
    above: [
        2.01033439929228813265e-7,
        2.71155556874348757815e-5,
        1.24266094738807843860e-3,
        2.65321895265761230930e-2,
        2.96560571828504891230e-1,
        1.78482653991729133580,
        5.46378491116411436990,
        6.65790464350110377720,
    ],
    below: [
        2.04426310338993978564e-15,
        1.42151175831644588870e-7,
        1.84631831751005468180e-5,
        7.86869131145613259100e-4,
        1.48753612908506148525e-2,
        1.36929880922735805310e-1,
        5.99832206555887937690e-1,
        1.0,
    ],
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_those_of_the_tables() {
        // scipy.stats.norm.ppf
        let known = [
            (0.975, 1.959_963_984_540_054),
            (0.9, 1.281_551_565_544_600_4),
            (0.999_9, 3.719_016_485_455_68),
            (1e-20, -9.262_340_089_798_408),
            (0.5, 0.0),
        ];
        for (p, expected) in known {
            assert!((quantile(p) - expected).abs() <= 4e-12 * expected.abs(), "{p}: {}", quantile(p));
        }
        assert_eq!((quantile(0.0), quantile(1.0)), (f64::NEG_INFINITY, f64::INFINITY));
        assert!(quantile(-0.1).is_nan() && quantile(1.1).is_nan());
    }
}
