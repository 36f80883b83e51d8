//! Checks a unit's totals against a form's rules. Does not decide what a broken rule means.

use crate::domain::form::{Rule, Span};
use crate::domain::submission::{Stage, Submission};
use crate::rollup::figure::Figures;
use crate::rollup::node::Rollup;
use crate::service::application::locate::Located;
use crate::service::application::snapshot::Snapshot;
use crate::service::totals::joined_rollups;
use crate::store::{StoreError, Transaction};

/// Returns true if a submission's values must satisfy the form's rules. A draft, or a unit that
/// ended before the period did, has no totals to check.
pub(super) fn has_rules(located: &Located<'_>, submission: &Submission) -> bool {
    let has_totals = submission.counting_revision == Some(submission.values_revision);
    let rules = &located.in_force.period.definition.rules;
    has_totals && !rules.is_empty() && !located.has_ended()
}

/// Returns the form's rules that a unit's totals break.
pub(super) fn broken_rules<'l>(located: &'l Located<'_>, rollup: &Rollup) -> Vec<&'l Rule> {
    let in_force = &located.in_force;
    let figures = Figures::new(rollup, in_force, Stage::Submitted, Span::BasePeriod);
    let rules = located.in_force.period.definition.rules.iter();
    rules
        .filter(|rule| figures.holds(&rule.expression) == Some(false))
        .collect()
}

/// Reads a unit's rollup of its base period, with what the form takes from others at this moment.
pub(super) fn rollup_at(
    transaction: &mut Transaction<'_>,
    snapshot: &Snapshot,
    located: &Located<'_>,
) -> Result<Rollup, StoreError> {
    let position = located.place().position();
    let mut found = joined_rollups(transaction, snapshot, located, [position])?;
    Ok(found.remove(&position).unwrap_or_default().rollup)
}
