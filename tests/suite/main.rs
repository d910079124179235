//! One binary, a file per question.

mod reading;
