//! # lowrank: matrix factorization from scratch
//!
//! Embeddings for users, items and their features, trained on ratings with hand-written gradients and Adam, in parallel, in pure Rust: no libtorch, no BLAS, no C.
//!
//! ```text
//! score(u, i) = μ + b_u + b_i + ⟨P_u, Q_i⟩        P_u = p_u + Σ w_uf·x_f,   Q_i = q_i + Σ w_if·y_f
//! ```
//!
#![cfg_attr(feature = "train", doc = "```")]
#![cfg_attr(not(feature = "train"), doc = "```ignore")]
//! use lowrank::data::{Dataset, Split};
//! use lowrank::training::Config;
//!
//! let ratings = [
//!     ("ann", "Heat", 5.0), ("ann", "Alien", 4.0), ("ann", "Up", 1.0), ("bob", "Heat", 4.0), ("bob", "Up", 2.0),
//!     ("eve", "Up", 5.0), ("eve", "Coco", 4.0), ("eve", "Heat", 1.0), ("joe", "Coco", 5.0), ("joe", "Alien", 1.0),
//! ];
//! let data = Dataset::builder().rows(ratings)?.build()?;
//! let split = data.split(&Split::random(0.2, 42))?;
//! let model = Config::rating().n_factors(4).seed(42).check()?.fit(&split.train, Some(&split.valid), &mut ())?;
//!
//! let prediction = model.predict("bob", "Alien")?;
//! assert!((1.0..=5.0).contains(&prediction.value));
//! let list = model.recommend(&lowrank::Query::user("bob").n(2).unseen())?;
//! assert_eq!(list[0].rank, 1);
//! # Ok::<(), lowrank::Error>(())
//! ```
//!
//! # Read it as a book
//!
//! The chapters are meant to be read from the first to the last; each opens with its question, its formula and its symbols. Every fast loop has a naive twin that says the same in the
//! fewest words. On a first reading skip the tools.
//!
//! | chapter | module | the question it answers |
//! |---|---|---|
//! | tools | [`error`] | what can go wrong, and what to do about it? |
//! | | [`random`] | where does chance come from, and how is it drawn again? |
//! | | [`storage`] | how are arrays kept in files that survive everything? |
//! | | [`kernels`] | which loops take the time, and how do they stay the same on every CPU? |
//! | | [`linalg`] | how are few linear equations solved, exactly alike everywhere? |
//! | 1 | [`data`] | what is a rating, and how does it get here? |
//! | 2 | [`model`] | what is predicted, and from what? |
//! | 3 | [`loss`] | how wrong is a prediction, and which way is less wrong? |
//! | 4 | [`metrics`] | how far are predictions from the truth? |
//! | 5 | [`gradient`] | which way is less wrong, for every number of every table? |
//! | 6 | [`optimizer`] | how far does a step go? |
//! | 7 | [`training`] | how do the tables come to fit the ratings? |
//! | 8 | [`bayes`] | what if the tables are not known, but only how likely each is? |
//! | 9 | [`recommend`] | which items should somebody see, a newcomer too, and which are alike? |
//! | 10 | [`evaluation`] | how good is a model, and against what? |
//! | 11 | [`artifact`] | how does a model leave the process that trained it, and come back? |
//! | 15 | `cli` | how is all this used from a shell? |
//!
//! # Promises
//!
//! 1. The same input, configuration and seed give the same model bytes: for any number of threads, with every kernel, on every CPU of a kind.
//! 2. `predict` and `recommend` give the same number for the same pair.
//! 3. Gradients agree with central differences and with PyTorch's.
//! 4. Bad input gets an error that names file, line and column; nothing is half-written.
//! 5. Divergence is caught in its epoch, and the last good parameters are kept.
//! 6. The core never prints, reads the clock or the environment, or draws an unseeded number.
//!
//! # Features
//!
//! | feature | brings | for |
//! |---|---|---|
//! | none | loading, predicting, recommending | inference anywhere: no threads, no files, no array library |
//! | `train` | reading ratings, training, files | training as a library |
//! | `threads` | the same numbers from all cores | |
//! | `cli` | the command `lowrank` | |
//! | `parquet` | Parquet files of ratings, users and items | |
//!
//! All but the first and the last are on by default.
#![deny(unsafe_code)]
#![cfg_attr(
    not(feature = "train"),
    allow(
        rustdoc::broken_intra_doc_links,
        reason = "the front page links chapters that are not compiled"
    )
)]

pub mod error;
#[cfg(feature = "train")]
pub mod random;
pub mod storage;
// A comment between the rooms keeps rustfmt from sorting the book by name.
pub mod kernels;
pub mod linalg;
//
pub mod data;
//
pub mod model;
//
pub mod loss;
pub mod metrics;
//
#[cfg(feature = "train")]
pub mod bayes;
#[cfg(feature = "train")]
pub mod gradient;
#[cfg(feature = "train")]
pub mod optimizer;
#[cfg(feature = "train")]
pub mod training;
//
pub mod recommend;
//
pub mod evaluation;
//
pub mod artifact;
//
#[cfg(feature = "cli")]
pub mod cli;

pub use error::{Error, Result};
pub use model::{Kind, Model, Prediction};
pub use recommend::{NewItem, NewUser, Query, Recommendation, Similar};

/// The README's examples, run as they stand.
#[cfg(all(doctest, feature = "train"))]
#[doc = include_str!("../README.md")]
struct Readme;
