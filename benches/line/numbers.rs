//! Medians and percentiles.

/// How measurements lie.
pub(crate) struct Spread {
    pub(crate) count: usize,
    pub(crate) mean: f64,
    pub(crate) least: f64,
    pub(crate) median: f64,
    pub(crate) p95: f64,
    pub(crate) most: f64,
}

impl Spread {
    /// Of seconds, at least one.
    pub(crate) fn of(mut seconds: Vec<f64>) -> Spread {
        seconds.sort_by(f64::total_cmp);
        let count = seconds.len();
        let at = |percent: usize| seconds[(count - 1) * percent / 100];
        let mean = seconds.iter().sum::<f64>() / count as f64;
        Spread { count, mean, least: at(0), median: at(50), p95: at(95), most: at(100) }
    }

    pub(crate) fn milliseconds(&self) -> String {
        let Spread { least, median, p95, most, .. } = self;
        format!(
            "median {:.2} ms, p95 {:.2} ms ({:.2} to {:.2})",
            median * 1e3,
            p95 * 1e3,
            least * 1e3,
            most * 1e3
        )
    }
}
