//! In which order does training visit ratings?
//!
//! | file | question |
//! |---|---|
//! | [`examples`] | how are the ratings of a step found by user and by item? |
//! | [`lists`] | which items are judged against which? |
//! | [`order`] | in which order do the rows of a side stand, and where is it cut? |
//! | [`blocks`] | how are ratings cut so that threads never meet? |
//! | `stored` | what if the blocks do not fit into memory? |
//! | `sort` | how do ratings in the order of a file become blocks? |

pub mod blocks;
pub mod examples;
pub mod lists;
pub mod order;
mod sort;
mod stored;

pub use blocks::{Blocks, Fetched};
pub use examples::Examples;
pub use lists::{Candidates, Lists, Pairs, Sample};
pub use order::Order;
