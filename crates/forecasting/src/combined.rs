//! Forecasts of several models as one.

use crate::forecast::Forecast;

/// Combines forecasts of as many steps. The mean of a step is the median of those of the members (of an even number the
/// middle of the two in the middle). Its variance is that of a mixture of all members in equal parts: their mean
/// variance, and how far their means lie apart. So bounds are wide where models disagree.
///
/// # Panics
/// Without a forecast.
#[must_use]
pub fn combine(members: &[Forecast]) -> Forecast {
    if let [only] = members {
        return only.clone();
    }
    let steps = 0..members[0].means.len();
    let means = steps.clone().map(|step| median(members.iter().map(|member| member.means[step]).collect()));
    let variances = steps.map(|step| mixture_variance(members, step));
    Forecast::new(means.collect(), variances.collect())
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let (low, high) = (values[(values.len() - 1) / 2], values[values.len() / 2]);
    low + (high - low) / 2.0
}

fn mixture_variance(members: &[Forecast], step: usize) -> f64 {
    let count = members.len() as f64;
    let mean = members.iter().map(|member| member.means[step] / count).sum::<f64>();
    let of_member = |member: &Forecast| {
        let (deviation, away) = (member.deviations[step], member.means[step] - mean);
        (deviation * deviation + away * away) / count
    };
    members.iter().map(of_member).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_mean_and_members_that_disagree_widen_the_bounds() {
        let of = |mean: f64, variance: f64| Forecast::new(vec![mean], vec![variance]);
        assert_eq!(combine(&[of(3.0, 4.0)]), of(3.0, 4.0));
        assert_eq!(combine(&[of(1.0, 1.0), of(3.0, 1.0)]), of(2.0, 2.0));
        let three = combine(&[of(1.0, 1.0), of(9.0, 1.0), of(2.0, 1.0)]);
        assert_eq!(three.means, [2.0]);
        assert!((three.deviations[0] - (1.0f64 + 38.0 / 3.0).sqrt()).abs() < 1e-12, "{three:?}");
    }
}
