//! How much is believed before any rating? The rows themselves say.
//!
//! ```text
//! θ_fa ~ N(m_a, 1/λ_a),   m_a ~ N(0, 1/λ_a),   λ_a ~ Gamma(½, rate ½·0.01)         for every column a of every table
//! r − ŷ ~ N(0, 1/(c·τ)),   τ ~ Gamma(½, rate ½)
//!
//! m_a | θ, λ ~ N(Σ_f θ_fa / (n + 1), 1/(λ_a·(n + 1)))
//! λ_a | θ, m ~ Gamma((n + 1)/2, rate ½·(Σ_f E(θ_fa − m_a)² + m_a² + 0.01))          n touched rows
//! τ | rest   ~ Gamma((N + 1)/2, rate ½·(Σ c·E(r − ŷ)² + 1))                         N ratings
//! ```
//!
//! A sampler draws from these, the variational posterior takes their means. So nobody has to choose λ: a table whose rows are all near 0 gets a large one and is drawn to 0 even more,
//! and one whose rows are large is left alone. Ratings are in units of their standard deviation here, so that one set of first beliefs suits every scale.
//!
//! The means alone creep where little is known: a factor of no use is given up over a hundred sweeps, because its variances are as large as λ allows. So a tenth of each step goes to where
//! the same equation, solved for λ with Σ var as it stands to λ, would go at once: λ' = (n + 1 − λ Σ var)/(Σ (θ − m)² + m² + 0.01). Both stand still at the same λ.
//!
//! Sources: MacKay, *Bayesian Interpolation* (1992), section 5; Freudenthaler, Schmidt-Thieme and Rendle, *Bayesian Factorization Machines* (2011), section 3.

use super::tables::Block;
use super::update::Take;

/// Rows, or ratings, that the first belief counts for.
const ROWS: f64 = 1.0;
/// Their sum of squares, of a table and of the noise.
const OF_TABLES: f64 = 0.01;
const OF_NOISE: f64 = 1.0;
/// The share of a step that goes ahead of the mean.
const AHEAD: f64 = 0.1;

/// Finds m and λ of a table from its rows.
pub(super) fn update(block: &mut Block, take: Take) {
    let rows: Vec<usize> = (0..block.n_rows()).filter(|&r| block.touched[r]).collect();
    if rows.is_empty() {
        return;
    }
    let n = rows.len() as f64 + ROWS;
    let mut stream = take.stream(format_args!("{}.prior", block.name));
    let stride = block.stride;
    for a in 0..block.free {
        let precision = block.precision[a];
        let sum: f64 = rows.iter().map(|&r| block.values[r * stride + a]).sum();
        let noise = stream.as_mut().map_or(0.0, |stream| stream.normal());
        let m = sum / n + noise / (precision * n).sqrt();
        let away =
            |&r: &usize| (block.values[r * stride + a] - m) * (block.values[r * stride + a] - m);
        let squares = rows.iter().map(away).sum::<f64>() + m * m + OF_TABLES;
        block.mean[a] = m;
        block.precision[a] = match &mut stream {
            Some(stream) => stream.gamma(0.5 * n) / (0.5 * squares),
            None => {
                let variance = |&r: &usize| block.covariances[(r * stride + a) * stride + a];
                let variances: f64 = rows.iter().map(variance).sum();
                let mean_of_gamma = n / (squares + variances);
                let known = (n - precision * variances).max(0.0);
                (1.0 - AHEAD) * mean_of_gamma + AHEAD * known / squares
            }
        };
    }
}

/// τ, from Σ c·E(r − ŷ)² of `n` ratings.
pub(super) fn noise(squares: f64, n: f64, take: Take) -> f64 {
    let (shape, rate) = (0.5 * (n + ROWS), 0.5 * (squares + OF_NOISE));
    let stream = take.stream(format_args!("noise"));
    stream.map_or(shape, |mut stream| stream.gamma(shape)) / rate
}
