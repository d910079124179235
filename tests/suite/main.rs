//! One binary, a file per question.

mod artifact;
mod golden;
mod gradcheck;
