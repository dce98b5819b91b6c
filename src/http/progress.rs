//! How far a delivery is, for whoever has to end it from outside.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use chatwoot_mail::outcome::Phase;

/// The phase that a delivery is in; its copies are one.
#[derive(Clone, Debug, Default)]
pub(crate) struct PhaseCell(Arc<AtomicU8>);

impl PhaseCell {
    pub(crate) fn enter(&self, phase: Phase) {
        self.0.store(phase as u8, Ordering::Relaxed);
    }

    pub(crate) fn phase(&self) -> Phase {
        Phase::ALL.get(usize::from(self.0.load(Ordering::Relaxed))).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_phase_is_told_to_whoever_holds_a_copy() {
        let (progress, copy) = (PhaseCell::default(), PhaseCell::default());
        assert_eq!(progress.phase(), Phase::Starting);
        let watched = progress.clone();
        for phase in Phase::ALL {
            progress.enter(phase);
            assert_eq!((watched.phase(), copy.phase()), (phase, Phase::Starting));
        }
    }
}
