//! One binary, a file per question.

mod golden;
mod gradcheck;
