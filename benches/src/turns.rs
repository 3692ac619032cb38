//! Interleaved repetitions: a bare run, oprof, perf, a bare run, oprof, ... so that all meet the same noise.

use anyhow::Result;

use crate::bench::Bench;
use crate::measure::median;
use crate::recorder::Recorder;

/// What was measured in each turn.
pub(crate) struct Turns<T> {
    turns: Vec<(Option<Recorder>, T)>,
}

impl<T> Turns<T> {
    /// Takes turns between bare runs, without a recorder, and recorders: `measure` does one of them.
    pub(crate) fn with_bare(
        bench: &Bench,
        repetitions: u32,
        mut measure: impl FnMut(Option<Recorder>) -> Result<T>,
    ) -> Result<Self> {
        let mut turns = Vec::new();
        for _ in 0..bench.repetitions(repetitions) {
            turns.push((None, measure(None)?));
            for recorder in bench.recorders() {
                turns.push((Some(recorder), measure(Some(recorder))?));
            }
        }
        Ok(Turns { turns })
    }

    /// Takes turns between the recorders alone.
    pub(crate) fn of_recorders(
        bench: &Bench,
        repetitions: u32,
        mut measure: impl FnMut(Recorder) -> Result<T>,
    ) -> Result<Self> {
        let mut turns = Vec::new();
        for _ in 0..bench.repetitions(repetitions) {
            for recorder in bench.recorders() {
                turns.push((Some(recorder), measure(recorder)?));
            }
        }
        Ok(Turns { turns })
    }

    pub(crate) fn bare<V: Copy + PartialOrd>(&self, value: impl Fn(&T) -> V) -> V {
        self.median(None, value)
    }

    pub(crate) fn oprof<V: Copy + PartialOrd>(&self, value: impl Fn(&T) -> V) -> V {
        self.median(Some(Recorder::Oprof), value)
    }

    /// Only where perf can record.
    pub(crate) fn perf<V: Copy + PartialOrd>(&self, value: impl Fn(&T) -> V) -> V {
        self.median(Some(Recorder::Perf), value)
    }

    fn median<V: Copy + PartialOrd>(&self, of: Option<Recorder>, value: impl Fn(&T) -> V) -> V {
        median(self.turns.iter().filter(|(recorder, _)| *recorder == of).map(|(_, turn)| value(turn)))
    }
}
