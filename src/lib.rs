//! # lowrank
//!
//! Matrix factorization from scratch.
#![deny(unsafe_code)]

pub mod artifact;
#[cfg(feature = "cli")]
pub mod cli;
pub mod data;
pub mod error;
pub mod evaluation;
#[cfg(feature = "train")]
pub mod gradient;
pub mod kernels;
pub mod loss;
pub mod metrics;
pub mod model;
#[cfg(feature = "train")]
pub mod optimizer;
#[cfg(feature = "train")]
pub mod random;
pub mod recommend;
pub mod storage;
#[cfg(feature = "train")]
pub mod training;

pub use error::{Error, Result};
pub use model::{Kind, Model, Prediction};
pub use recommend::{Query, Recommendation};
