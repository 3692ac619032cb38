//! Expressions: tests joined by and, or, not.

use oprof_profile::Recording;

use super::{NothingKept, Test};

/// Tests joined by and, or, not.
#[derive(Clone, Debug)]
pub(super) enum Expression {
    Test(Test),
    Not(Box<Expression>),
    And(Vec<Expression>),
    Or(Vec<Expression>),
}

impl Expression {
    /// It is fulfilled, if tests are as `holds` says.
    pub(super) fn holds(&self, holds: &mut dyn FnMut(&Test) -> bool) -> bool {
        match self {
            Expression::Test(test) => holds(test),
            Expression::Not(inner) => !inner.holds(holds),
            Expression::And(parts) => parts.iter().all(|part| part.holds(holds)),
            Expression::Or(parts) => parts.iter().any(|part| part.holds(holds)),
        }
    }

    /// The recording tells apart what every test asks.
    pub(super) fn check(&self, recording: &Recording) -> Result<(), NothingKept> {
        self.tests().into_iter().try_for_each(|test| test.check(recording))
    }

    /// What to say where nothing is kept: what there is of what the first test asks.
    pub(super) fn why_nothing(&self, recording: &Recording) -> NothingKept {
        let tests = self.tests();
        let alone = |test: &&Test| !test.is_known(recording);
        match tests.iter().copied().find(alone) {
            Some(test) => {
                NothingKept(format!("the filter keeps no sample: {}", test.what_there_is(recording)))
            }
            None => NothingKept("the filter keeps no sample: no sample fulfils all of it".to_owned()),
        }
    }

    fn tests(&self) -> Vec<&Test> {
        match self {
            Expression::Test(test) => vec![test],
            Expression::Not(inner) => inner.tests(),
            Expression::And(parts) | Expression::Or(parts) => {
                parts.iter().flat_map(Expression::tests).collect()
            }
        }
    }
}
