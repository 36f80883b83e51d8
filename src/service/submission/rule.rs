//! A form's rules, held against a unit's totals. Never what follows from a broken one.

use crate::domain::form::{Rule, Span};
use crate::domain::submission::Stage;
use crate::rollup::figure::Figures;
use crate::rollup::node::Rollup;
use crate::service::application::locate::Located;
use crate::service::application::snapshot::Snapshot;
use crate::service::totals::Board;
use crate::store::submission::Submission;
use crate::store::{StoreError, Transaction};

/// Whether a submission's values are held to the form's rules: neither of a draft's values nor at
/// a unit that ended before the period there are totals.
pub(super) fn has_rules(located: &Located<'_>, submission: &Submission) -> bool {
    let has_totals = submission.counting_revision == Some(submission.values_revision);
    let rules = &located.in_force.period.definition.rules;
    has_totals && !rules.is_empty() && !located.has_ended()
}

/// The form's rules to which a unit's totals do not hold.
pub(super) fn broken_rules<'l>(located: &'l Located<'_>, rollup: &Rollup) -> Vec<&'l Rule> {
    let in_force = &located.in_force;
    let figures = Figures::new(rollup, in_force, Stage::Submitted, Span::BasePeriod);
    let rules = located.in_force.period.definition.rules.iter();
    rules
        .filter(|rule| figures.holds(&rule.expression) == Some(false))
        .collect()
}

/// A unit's rollup in its base period, as it is kept.
pub(super) fn rollup_at(
    transaction: &mut Transaction<'_>,
    snapshot: &Snapshot,
    located: &Located<'_>,
) -> Result<Rollup, StoreError> {
    let position = located.place().position();
    let board = Board::of(snapshot, located.in_force.period);
    let found = board.rollups(transaction, [position])?.remove(&position);
    Ok(found.unwrap_or_default().rollup)
}
