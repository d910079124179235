//! Which parameters are kept?
//!
//! Those before the epoch at work, in case it diverges; and those of the best epoch, where something is held out.

use super::{Ending, Finish, Trainer};
use crate::kernels::Real;
use crate::metrics::HeldOut;
use crate::training::State;
use crate::training::config::Keep;
use crate::training::places::{self, Way};
use crate::training::state::Best;

impl<T: Real> Trainer<'_, T> {
    /// Keeps the parameters as they are, to go back to.
    pub(super) fn remember(&mut self) {
        match &mut self.last_good {
            Some(kept) => kept.copy_from(&self.state.parameters),
            None => self.last_good = Some(self.state.parameters.clone()),
        }
    }

    /// Puts back what was kept.
    pub(super) fn go_back(&mut self) {
        if let Some(kept) = &self.last_good {
            self.state.parameters.copy_from(kept);
        }
    }

    /// Whether the epoch is the best so far; if so it is kept.
    pub(super) fn note_best(&mut self, epoch: usize, valid: HeldOut) -> bool {
        let config = self.config();
        let monitor = config.monitored();
        let improved = self
            .state
            .best
            .as_ref()
            .is_none_or(|best| monitor.is_better(&valid, &best.valid));
        if improved {
            let parameters = (config.keep == Keep::Best).then(|| self.state.parameters.clone());
            self.state.best = Some(Best {
                epoch,
                valid,
                parameters,
            });
        }
        improved
    }

    /// Whether so many epochs have brought nothing better that no other is to be tried.
    pub(super) fn patience_is_over(&self) -> bool {
        let State { epoch, best, .. } = &self.state;
        let best = best.as_ref().map_or(*epoch, |best| best.epoch);
        let patience = self.config().patience;
        self.valid.is_some() && patience.is_some_and(|patience| epoch - best >= patience)
    }

    /// A copy of the state, with rows in their own order.
    pub(super) fn snapshot(&self) -> State<T> {
        let mut state = self.state.clone();
        if let Some(blocks) = self.blocks().filter(|_| self.in_block_order)
            && !blocks.users.is_identity()
        {
            places::state(&mut state, blocks, Way::Out);
        }
        state
    }

    /// Puts the parameters that are to be kept into the state.
    pub(super) fn finish(&mut self, ending: Ending, keep: Keep) -> Finish {
        let epochs = self.state.epoch;
        let best = self.state.best.as_mut().filter(|_| keep == Keep::Best);
        match best.and_then(|best| Some((best.epoch, best.valid, best.parameters.take()?))) {
            Some((kept, valid, parameters)) => {
                self.state.parameters = parameters;
                Finish {
                    ending,
                    epochs,
                    kept,
                    valid: Some(valid),
                }
            }
            None => {
                let valid = self.held_out();
                Finish {
                    ending,
                    epochs,
                    kept: epochs,
                    valid,
                }
            }
        }
    }
}
