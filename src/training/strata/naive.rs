//! What does training by blocks compute, in the fewest words?
//!
//! One block after the other, one example after the other, with maps for gradients and the formula of the optimizer written out: the oracle of the fast loops.

use std::collections::BTreeMap;

use crate::data::Interactions;
use crate::data::layout::Blocks;
use crate::kernels::Real;
use crate::kernels::naive::dot;
