//! Finds what units have still to answer, for databases that did not store it. Reads the steps of the
//! few submissions that may be open, and writes only those.

use diesel::prelude::*;

use super::connection::AnyConnection;
use super::error::{StoreError, to_word, word};
use super::filling::fill_each_tenant;
use super::schema::{submission, submission_revision};
use crate::domain::submission::{Status, Step};

/// Fills in the return or the reopening that each submission of every tenant has still to answer. Runs
/// in the transaction of a migration, as the schema's owner.
pub(super) fn given_back_fill(connection: &mut AnyConnection) -> Result<(), StoreError> {
    fill_each_tenant(connection, fill_tenant)
}

/// A submission's form, period and unit.
type Key = (i32, String, String);

fn fill_tenant(connection: &mut AnyConnection, id: &str) -> Result<(), StoreError> {
    let open = [Status::Returned, Status::Reopened, Status::Draft].map(to_word);
    let open = open.into_iter().collect::<Result<Vec<String>, _>>()?;
    // What never came in was never given back.
    let open = submission::table
        .filter(
            submission::tenant_id
                .eq(id)
                .and(submission::status.eq_any(open))
                .and(submission::received_on.is_not_null()),
        )
        .select((submission::form, submission::period, submission::unit_id))
        .load::<Key>(connection)?;
    for key in open {
        if let Some(revision) = unanswered(connection, id, &key)? {
            let (form, period, unit) = key;
            let row = submission::table.filter(
                submission::tenant_id
                    .eq(id)
                    .and(submission::form.eq(form))
                    .and(submission::period.eq(period))
                    .and(submission::unit_id.eq(unit)),
            );
            diesel::update(row)
                .set(submission::given_back_revision.eq(revision))
                .execute(connection)?;
        }
    }
    Ok(())
}

/// Finds the last return or reopening of a submission, unless values were sent or taken back since.
fn unanswered(
    connection: &mut AnyConnection,
    id: &str,
    (form, period, unit): &Key,
) -> Result<Option<i32>, StoreError> {
    let steps = [
        Step::Return,
        Step::Reopen,
        Step::Replace,
        Step::Submit,
        Step::Withdraw,
    ];
    let steps = steps.map(to_word).into_iter();
    let steps = steps.collect::<Result<Vec<String>, _>>()?;
    let last = submission_revision::table
        .filter(
            submission_revision::tenant_id
                .eq(id)
                .and(submission_revision::form.eq(form))
                .and(submission_revision::period.eq(period))
                .and(submission_revision::unit_id.eq(unit))
                .and(submission_revision::step.eq_any(steps)),
        )
        .order(submission_revision::revision.desc())
        .select((submission_revision::revision, submission_revision::step))
        .first::<(i32, String)>(connection)
        .optional()?;
    let Some((revision, step)) = last else {
        return Ok(None);
    };
    let is_given_back = matches!(word(&step)?, Step::Return | Step::Reopen);
    Ok(is_given_back.then_some(revision))
}
