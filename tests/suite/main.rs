//! One binary, a file per question.

mod architecture;
mod artifact;
mod common;
mod determinism;
mod golden;
mod gradcheck;
mod knobs;
mod reading;
mod readme;
mod training;
