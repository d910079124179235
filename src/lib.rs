//! # lowrank
//!
//! Matrix factorization from scratch.
#![deny(unsafe_code)]

pub mod artifact;
pub mod data;
pub mod error;
pub mod kernels;
pub mod model;
#[cfg(feature = "train")]
pub mod random;
pub mod storage;

pub use error::{Error, Result};
pub use model::{Kind, Model, Prediction};
