//! How does the learning rate change over time?
//!
//! With x the share of all steps that are done, from 0 at the first step to just below 1 at the last, and T the number of epochs:
//!
//! ```text
//! constant     η
//! cosine       η·½·(1 + cos πx)                                   from η to about 0
//! step         η·factorᵏ,   k = ⌊epochs done / every⌋              every = ⌈T/3⌉ and factor = 0.1 unless said
//! one-cycle    η/25 → η over the first 3/10 (half a cosine), then η → η/250,000 (another)          Smith (2018)
//! ```
//!
//! Warm-up multiplies any of them by (steps done + 1)/(steps of the first W epochs) until that is 1.

/// A learning rate over time.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub enum Schedule {
    /// The same rate at every step.
    #[default]
    Constant,
    /// Half a cosine from the rate to 0.
    Cosine,
    /// A factor every so many epochs.
    Step {
        /// Epochs between two falls; 0 for a third of all.
        every: usize,
        /// What the rate is multiplied by, in (0, 1].
        factor: f64,
    },
    /// Up, then down.
    OneCycle,
}

/// The share of the cycle that rises.
const RISE: f64 = 0.3;
/// The rate over the first rate of a cycle.
const FIRST: f64 = 25.0;
/// The first rate of a cycle over its last.
const LAST: f64 = 1e4;

impl Schedule {
    /// The rate at `step` (from 0) of `epochs` epochs with `steps_per_epoch` steps each.
    ///
    /// ```
    /// use lowrank::optimizer::Schedule;
    /// assert_eq!(Schedule::Cosine.rate(0.02, 0.0, 0, 300, 1), 0.02);
    /// assert!((Schedule::Cosine.rate(0.02, 0.0, 150, 300, 1) - 0.01).abs() < 1e-15);
    /// assert_eq!(Schedule::Constant.rate(0.02, 4.0, 0, 300, 1), 0.005); // four epochs of warm-up
    /// ```
    pub fn rate(
        self,
        base: f64,
        warmup: f64,
        step: u64,
        epochs: usize,
        steps_per_epoch: u64,
    ) -> f64 {
        let steps = epochs as f64 * steps_per_epoch as f64;
        let x = (step as f64 / steps).min(1.0);
        let half_cosine = |from: f64, to: f64, x: f64| {
            to + (from - to) * 0.5 * (1.0 + libm::cos(std::f64::consts::PI * x))
        };
        let rate = match self {
            Schedule::Constant => base,
            Schedule::Cosine => half_cosine(base, 0.0, x),
            Schedule::Step { every, factor } => {
                let every = if every == 0 {
                    epochs.div_ceil(3)
                } else {
                    every
                };
                let falls = step / steps_per_epoch / every as u64;
                base * libm::pow(factor, falls as f64)
            }
            Schedule::OneCycle if x < RISE => half_cosine(base / FIRST, base, x / RISE),
            Schedule::OneCycle => half_cosine(base, base / FIRST / LAST, (x - RISE) / (1.0 - RISE)),
        };
        let warmup_steps = warmup * steps_per_epoch as f64;
        rate * if warmup > 0.0 {
            ((step + 1) as f64 / warmup_steps).min(1.0)
        } else {
            1.0
        }
    }

    /// The name on the command line.
    pub fn name(self) -> String {
        match self {
            Schedule::Constant => "constant".into(),
            Schedule::Cosine => "cosine".into(),
            Schedule::Step { every: 0, factor } => format!("step:auto:{factor}"),
            Schedule::Step { every, factor } => format!("step:{every}:{factor}"),
            Schedule::OneCycle => "one-cycle".into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rates(schedule: Schedule, warmup: f64) -> Vec<f64> {
        (0..100)
            .map(|step| schedule.rate(1.0, warmup, step, 10, 10))
            .collect()
    }

    #[test]
    fn each_schedule_has_its_shape() {
        assert!(
            rates(Schedule::Constant, 0.0)
                .iter()
                .all(|&rate| rate == 1.0)
        );
        let cosine = rates(Schedule::Cosine, 0.0);
        assert!(cosine[0] == 1.0 && cosine.windows(2).all(|w| w[1] < w[0]) && cosine[99] < 1e-3);
        let step = rates(
            Schedule::Step {
                every: 0,
                factor: 0.1,
            },
            0.0,
        );
        let near = |a: f64, b: f64| (a - b).abs() < 1e-12;
        assert!(
            step[39] == 1.0 && near(step[40], 0.1) && near(step[79], 0.1) && near(step[80], 0.01)
        );
        let cycle = rates(Schedule::OneCycle, 0.0);
        assert!(near(cycle[0], 0.04) && near(cycle[30], 1.0) && cycle[99] < 1e-2);
        assert!(
            cycle[..=30].windows(2).all(|w| w[1] > w[0])
                && cycle[30..].windows(2).all(|w| w[1] < w[0])
        );
    }

    #[test]
    fn warm_up_rises_to_the_rate_and_leaves_it() {
        let warm = rates(Schedule::Constant, 2.0);
        assert!(warm[0] == 0.05 && warm[9] == 0.5 && warm[19] == 1.0 && warm[20] == 1.0);
    }
}
