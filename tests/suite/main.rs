//! One binary, a file per question.

mod architecture;
mod common;
mod determinism;
mod golden;
mod gradcheck;
mod knobs;
mod training;
