//! Warns of what a submission does with the values that it replaces: leaves some of them out, or sends
//! them again as they were returned. Never looks at submissions that replace nothing.

use super::batch::Placed;
use super::step::{Standing, Taken, content_in};
use super::view::Warning;
use crate::domain::catalogue::InForce;
use crate::domain::submission::{Content, Fact, Submission};
use crate::store::submission::revision::{revision_get, revision_with_values_before};
use crate::store::{StoreError, Transaction};

/// Returns the warnings of a step that is not written yet. Reads the database only for what was
/// returned: the values if a draft was saved over them, and the reason if they are sent again.
pub(super) fn warnings(
    transaction: &mut Transaction<'_>,
    placed: &Placed<'_>,
    standing: Option<&Standing>,
    taken: &Taken,
) -> Result<Vec<Warning>, StoreError> {
    let sends = taken.next.counting_revision == Some(taken.record.revision);
    let Some(standing) = standing.filter(|_| sends) else {
        return Ok(Vec::new());
    };
    let Some(before) = replaced(transaction, placed, standing)? else {
        return Ok(Vec::new());
    };
    let in_force = &placed.located.in_force;
    let mut warnings = removed(&before, &taken.content, in_force);
    if before == taken.content {
        let given_back = unanswered(transaction, placed, &standing.submission)?;
        warnings.extend(given_back);
    }
    Ok(warnings)
}

/// Finds what a submission replaces: the values that count, or those that were returned.
fn replaced(
    transaction: &mut Transaction<'_>,
    placed: &Placed<'_>,
    standing: &Standing,
) -> Result<Option<Content>, StoreError> {
    let Submission {
        counting_revision,
        given_back_revision,
        values_revision,
        ..
    } = standing.submission;
    if let Some(counting) = counting_revision {
        return standing.content(counting).cloned().map(Some);
    }
    let Some(given_back) = given_back_revision else {
        return Ok(None);
    };
    if values_revision < given_back {
        return standing.content(values_revision).cloned().map(Some);
    }
    // A draft was saved since.
    let key = placed.located.key();
    let returned = revision_with_values_before(transaction, key, given_back)?;
    returned
        .as_ref()
        .map(|record| content_in(record).cloned())
        .transpose()
}

/// Warns of values that there were before and are not there any more, in the order of the outline.
fn removed(before: &Content, after: &Content, in_force: &InForce<'_>) -> Vec<Warning> {
    let figures = in_force.entered_figures();
    let removed = figures.filter_map(|(entry, option, _)| {
        let figure = (entry.indicator.number, option);
        let of_figure = |fact: &&Fact| (fact.indicator, fact.option) == figure;
        let fact = before.facts.iter().find(of_figure)?;
        let is_left_out = !after.facts.iter().any(|fact| of_figure(&fact));
        is_left_out.then(|| Warning::of_removal(entry, fact))
    });
    removed.collect()
}

/// Warns that the reason for which values were given back is not answered by any change.
fn unanswered(
    transaction: &mut Transaction<'_>,
    placed: &Placed<'_>,
    before: &Submission,
) -> Result<Option<Warning>, StoreError> {
    let Some(given_back) = before.given_back_revision else {
        return Ok(None);
    };
    let record = revision_get(transaction, placed.located.key(), given_back)?;
    let reason = record.and_then(|record| record.reason);
    Ok(reason.map(|reason| Warning::of_no_change(&reason)))
}
