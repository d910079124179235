//! One binary, a file per question.

mod artifact;
mod cli;
mod golden;
mod gradcheck;
