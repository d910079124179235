//! One binary, a file per question.
