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
//! Source: Freudenthaler, Schmidt-Thieme and Rendle, *Bayesian Factorization Machines* (2011), section 3.

use super::tables::Block;
use super::update::Take;

/// Rows, or ratings, that the first belief counts for.
const ROWS: f64 = 1.0;
/// Their sum of squares, of a table and of the noise.
const OF_TABLES: f64 = 0.01;
const OF_NOISE: f64 = 1.0;

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
        let sum: f64 = rows.iter().map(|&r| block.values[r * stride + a]).sum();
        let noise = stream.as_mut().map_or(0.0, |stream| stream.normal());
        let m = sum / n + noise / (block.precision[a] * n).sqrt();
        let square = |&r: &usize| {
            let away = block.values[r * stride + a] - m;
            let variance = block.covariances.get((r * stride + a) * stride + a);
            away * away + variance.unwrap_or(&0.0)
        };
        let rate = 0.5 * (rows.iter().map(square).sum::<f64>() + m * m + OF_TABLES);
        block.mean[a] = m;
        block.precision[a] = stream
            .as_mut()
            .map_or(0.5 * n, |stream| stream.gamma(0.5 * n))
            / rate;
    }
}

/// τ, from Σ c·E(r − ŷ)² of `n` ratings.
pub(super) fn noise(squares: f64, n: f64, take: Take) -> f64 {
    let (shape, rate) = (0.5 * (n + ROWS), 0.5 * (squares + OF_NOISE));
    let stream = take.stream(format_args!("noise"));
    stream.map_or(shape, |mut stream| stream.gamma(shape)) / rate
}
