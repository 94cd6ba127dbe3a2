//! The discrete Fourier transform of series whose length is a power of two (Cooley and Tukey 1965), with sines of `libm`.

/// A complex number.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Complex {
    pub re: f64,
    pub im: f64,
}

impl Complex {
    /// Returns the square of its size.
    #[must_use]
    pub fn power(self) -> f64 {
        self.re * self.re + self.im * self.im
    }

    fn times(self, other: Complex) -> Complex {
        Complex { re: self.re * other.re - self.im * other.im, im: self.re * other.im + self.im * other.re }
    }

    fn plus(self, other: Complex) -> Complex {
        Complex { re: self.re + other.re, im: self.im + other.im }
    }

    fn minus(self, other: Complex) -> Complex {
        Complex { re: self.re - other.re, im: self.im - other.im }
    }
}

/// Transforms in place, without a factor: twice gives the values in reverse order, times their count.
///
/// # Panics
/// When the length is no power of two.
pub fn transform(values: &mut [Complex]) {
    let len = values.len();
    assert!(len.is_power_of_two(), "the length is a power of two");
    reverse_bits(values);
    let turns: Vec<Complex> = (0..len / 2).map(|part| turn(part, len)).collect();
    let mut half = 1;
    while half < len {
        let stride = len / (2 * half);
        for block in values.chunks_exact_mut(2 * half) {
            let (low, high) = block.split_at_mut(half);
            for (part, (low, high)) in low.iter_mut().zip(high).enumerate() {
                let turned = high.times(turns[part * stride]);
                (*low, *high) = (low.plus(turned), low.minus(turned));
            }
        }
        half *= 2;
    }
}

fn turn(part: usize, of: usize) -> Complex {
    let angle = -2.0 * std::f64::consts::PI * part as f64 / of as f64;
    Complex { re: libm::cos(angle), im: libm::sin(angle) }
}

fn reverse_bits(values: &mut [Complex]) {
    let len = values.len();
    if len < 2 {
        return;
    }
    let unused = usize::BITS - len.trailing_zeros();
    for at in 0..len {
        let other = at.reverse_bits() >> unused;
        if at < other {
            values.swap(at, other);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_sum_that_defines_it() {
        let values: Vec<Complex> =
            (0..16).map(|n| Complex { re: f64::from(n * n % 7), im: f64::from(n % 3) }).collect();
        let mut fast = values.clone();
        transform(&mut fast);
        for (bin, fast) in fast.iter().enumerate() {
            let slow = (0..16).fold(Complex::default(), |sum, at| sum.plus(values[at].times(turn(at * bin % 16, 16))));
            assert!(slow.minus(*fast).power() < 1e-20, "{slow:?} {fast:?}");
        }
        let mut one = [Complex { re: 3.0, im: 1.0 }];
        transform(&mut one);
        assert_eq!(one[0].re, 3.0);
    }
}
