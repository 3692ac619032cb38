//! Statistics: is a row's change real, and how large is it?
//!
//! Samples are Poisson counts. With one recording on each side a change is judged by what counting alone makes of it;
//! with several, runs also differ by themselves, which their spread tells. A chance is never less than counting allows,
//! and the interval of a change leaves zero out exactly where its chance is below the level.

mod dispersion;
mod distribution;
mod estimate;
mod exact;
#[cfg(test)]
mod known_values;
mod limits;
mod several;

pub(crate) use dispersion::{Family, Moderated, Spread};
pub(crate) use estimate::{Level, estimate, growth_chance, is_testable};
pub(crate) use limits::{Counted, Measure};
pub(crate) use several::adjusted;
