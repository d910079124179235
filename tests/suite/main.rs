//! One binary, a file per question.

mod artifact;
