//! # lowrank
//!
//! Matrix factorization from scratch.
#![deny(unsafe_code)]

pub mod data;
pub mod error;
pub mod evaluation;
pub mod kernels;
pub mod metrics;
pub mod model;
#[cfg(feature = "train")]
pub mod random;
pub mod recommend;

pub use error::{Error, Result};
pub use model::{Kind, Model, Prediction};
pub use recommend::{Query, Recommendation};
