//! Where do the tables start?
//!
//! Factors are drawn from N(0, std²), each table from a stream of its own name, row by row; biases start at zero unless `--init-std bias=…` says otherwise.
//!
//! Why the deviation matters: with 16 factors from N(0, 1) a score has variance 16·(1 + 1) = 32 before any training, one in a hundred pairs is predicted
//! beyond ±14 on a five-star scale, and pairs that no rating touches stay there. With N(0, 0.1²) a model starts at "everybody likes everything alike".

use super::config::Config;
use crate::kernels::Real;
use crate::model::{Side, Table};
use crate::random::Stream;

/// Draws the tables of a side, `"user"` or `"item"`.
pub(super) fn draw<T: Real>(side: &mut Side<T>, name: &'static str, config: &Config) {
    let (std, seed) = (&config.init_std, config.seed);
    draw_table(
        &mut side.identity,
        &format!("{name}s.factors"),
        std.factors(name, None),
        seed,
    );
    draw_biases(
        &mut side.identity,
        &format!("{name}s.biases"),
        std.biases(name, None),
        seed,
    );
    for group in &mut side.groups {
        let of_group = format!("{name}.{}", group.name);
        let of_factors = std
            .exception(name, Some(&group.name))
            .unwrap_or(std.default * config.group_init_ratio);
        draw_table(
            &mut group.table,
            &format!("{of_group}.factors"),
            of_factors,
            seed,
        );
        draw_biases(
            &mut group.table,
            &format!("{of_group}.biases"),
            std.biases(name, Some(&group.name)),
            seed,
        );
    }
}

fn draw_table<T: Real>(table: &mut Table<T>, stream: &str, std: f64, seed: u64) {
    let mut stream = Stream::new(seed, stream);
    for mut row in table.factors_mut().rows_mut() {
        row.map_inplace(|x| *x = T::from_f64(std * stream.normal()));
    }
}

fn draw_biases<T: Real>(table: &mut Table<T>, stream: &str, std: f64, seed: u64) {
    if std > 0.0
        && let Some(biases) = table.bias_slice_mut()
    {
        let mut stream = Stream::new(seed, stream);
        biases
            .iter_mut()
            .for_each(|x| *x = T::from_f64(std * stream.normal()));
    }
}

/// Sets the rows that no training example touches to zero: nothing is known of them, and zero says so.
pub(super) fn clear_untouched<T: Real>(table: &mut Table<T>, counts: &[u32]) {
    for (row, _) in counts.iter().enumerate().filter(|&(_, &count)| count == 0) {
        table.row_mut(row).fill(T::ZERO);
        if let Some(biases) = table.bias_slice_mut() {
            biases[row] = T::ZERO;
        }
    }
}
