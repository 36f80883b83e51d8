//! The units of a subtree one by one, with the people to call where something is missing.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use super::counted::Counted;
use super::rows::{RowProgress, stood_still};
use super::{
    CompletenessError, CompletenessView, LatestRelease, OwnStatus, Progress, latest_releases,
    map_of, release_of, view_of_unit,
};
use crate::authn::Identity;
use crate::domain::hierarchy::Place;
use crate::domain::id::UnitId;
use crate::service::application::Application;
use crate::service::application::locate::{Located, ReportPath};
use crate::service::application::name::UnitName;
use crate::service::application::page::{PageRequest, UnknownCursor};
use crate::service::application::snapshot::Snapshot;
use crate::service::people::contact::{ContactView, nearest_contacts};
use crate::service::report::listed::ListedUnits;
use crate::store::{StoreError, Transaction};

/// The units to list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompletenessQuery {
    /// `children`, or `level:` and the code of a level.
    pub of: String,
    /// Only units of which, or below which, something is so.
    pub status: Option<ProgressKind>,
    pub page: PageRequest,
}

/// A count of a progress.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ProgressKind {
    Expected,
    Submitted,
    /// Submitted, and not approved.
    Waiting,
    Approved,
    Returned,
    Late,
    Missing,
}

impl ProgressKind {
    fn of(self, progress: &Progress) -> u64 {
        match self {
            ProgressKind::Expected => progress.expected,
            ProgressKind::Submitted => progress.submitted,
            ProgressKind::Waiting => progress.submitted.saturating_sub(progress.approved),
            ProgressKind::Approved => progress.approved,
            ProgressKind::Returned => progress.returned,
            ProgressKind::Late => progress.late,
            ProgressKind::Missing => progress.missing,
        }
    }
}

/// A unit with everything below it, and whom to call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct UnitProgress {
    pub unit: UnitName,
    /// If true, this is the undivided part of a former unit, not a unit that exists.
    pub not_divided: bool,
    /// The unit above; null for a root.
    pub above: Option<UnitName>,
    pub total: Progress,
    pub own: OwnStatus,
    /// The latest report on the form for the period that the unit sent up; null if there is none.
    pub release: Option<LatestRelease>,
    /// For a longer period or a later map: the progress of the unit's own base periods, and of
    /// those of the units that it took over; null otherwise.
    pub own_periods: Option<Progress>,
    /// The unit whose people `contacts` has: this one, or the nearest above that has anybody. Of a
    /// former unit one above it. Null if there is nobody to call.
    pub contacts_of: Option<UnitName>,
    /// If something is missing, the people with a duty there today: reporters, then approvers, then
    /// managers.
    pub contacts: Vec<ContactView>,
}

/// Reads the progress of a unit's subtree, with a page of the units in it.
///
/// # Errors
/// [`CompletenessError`].
pub fn list_completeness(
    application: &Application,
    identity: &Identity,
    path: &ReportPath,
    as_of: Option<NaiveDate>,
    query: &CompletenessQuery,
    now: DateTime<Utc>,
) -> Result<CompletenessView, CompletenessError> {
    application.reading(identity, |transaction, snapshot| {
        let located = snapshot.locate_report(path, as_of)?;
        let _permit = snapshot.may_read(&located)?;
        let listed = ListedUnits::read(&snapshot.hierarchy, &query.of, located.map_day())?;
        let top = located.place();
        let candidates = after_cursor(listed.of(&located.tree, top), query.page.after.as_deref())?;
        let (counted, page) =
            counted_page(transaction, (snapshot, &located), candidates, query, now)?;
        let Cut { places, next } = Cut::of(page, query.page.limit);
        let shown: Vec<Place<'_>> = std::iter::once(top).chain(places.iter().copied()).collect();
        let releases = latest_releases(transaction, &located, &shown)?;
        let incomplete = places
            .iter()
            .filter(|place| counted.total(**place).missing > 0);
        let incomplete: Vec<UnitId> = incomplete.map(|place| called_for(*place)).collect();
        let (today, called) = (
            snapshot.today(now),
            (identity.tenant(), incomplete.as_slice()),
        );
        let called = nearest_contacts(application, transaction, snapshot, called, today)?;
        let tree = snapshot.hierarchy.tree_on(today);
        let items = places.iter().map(|place| {
            let is_missing = counted.total(*place).missing > 0;
            let called = called.get(&called_for(*place)).filter(|_| is_missing);
            let (of, contacts) = called.cloned().unzip();
            UnitProgress {
                unit: UnitName::of(*place),
                not_divided: place.is_leaf(),
                above: place.parent().map(UnitName::of),
                total: counted.total(*place),
                own: counted.own(*place),
                release: release_of(&releases, *place),
                own_periods: counted.own_periods(*place),
                contacts_of: of.and_then(|of| tree.by_id(of)).map(UnitName::of),
                contacts: contacts.unwrap_or_default(),
            }
        });
        let items = items.collect();
        let map = map_of(transaction, snapshot, &located)?;
        let whole = view_of_unit((snapshot, &located), &counted, &releases, map);
        Ok(CompletenessView {
            items: Some(items),
            next,
            ..whole
        })
    })
}

/// Returns the unit whose people are called about a place. Nobody has a duty on a former unit's part.
fn called_for(place: Place<'_>) -> UnitId {
    let above = place.parent().filter(|_| place.is_leaf());
    above.unwrap_or(place).unit()
}

/// Writes the cursor of a page that ends at a place. Parts of a former unit may lie under several.
fn cursor_at(place: Place<'_>) -> String {
    match (place.is_leaf(), place.parent()) {
        (false, _) => place.unit().to_string(),
        (true, Some(above)) => format!("{}~{}", place.unit(), above.unit()),
        (true, None) => format!("{}~", place.unit()),
    }
}

/// Leaves out what comes up to the unit that a cursor names.
fn after_cursor<'t>(
    mut places: Vec<Place<'t>>,
    cursor: Option<&str>,
) -> Result<Vec<Place<'t>>, UnknownCursor> {
    let Some(cursor) = cursor else {
        return Ok(places);
    };
    let last = places.iter().position(|place| cursor_at(*place) == cursor);
    let last = last.ok_or_else(|| UnknownCursor {
        cursor: cursor.to_owned(),
    })?;
    Ok(places.split_off(last + 1))
}

/// Counts, and takes the units that the query asks for, one more than a page has.
fn counted_page<'s, 't>(
    transaction: &mut Transaction<'_>,
    (snapshot, located): (&Snapshot, &'s Located<'s>),
    candidates: Vec<Place<'t>>,
    query: &CompletenessQuery,
    now: DateTime<Utc>,
) -> Result<(Counted<'s>, Vec<Place<'t>>), StoreError> {
    if stood_still(transaction, snapshot, located)? {
        // Then nothing can count for a former unit.
        let standing = candidates.into_iter().filter(|place| !place.is_leaf());
        let candidates = standing.collect();
        let kept = RowProgress::read(transaction, snapshot, located, now)?;
        return page_of_kept(transaction, kept, (located.place(), candidates), query);
    }
    let data = Counted::by_submission(transaction, snapshot, located, now)?;
    let counted = Counted::BySubmission(data);
    let page = matching(candidates, query, |place| counted.total(place));
    Ok((counted, page))
}

/// Takes the units that the query asks for, one more than a page has.
fn matching<'t>(
    places: Vec<Place<'t>>,
    query: &CompletenessQuery,
    progress: impl Fn(Place<'_>) -> Progress,
) -> Vec<Place<'t>> {
    let is_asked = |place: &Place<'_>| {
        let progress = progress(*place);
        let has_any = !place.is_leaf() || progress != Progress::default();
        let status = query.status;
        has_any && status.is_none_or(|status| status.of(&progress) > 0)
    };
    let places = places.into_iter().filter(is_asked);
    places.take(query.page.limit + 1).collect()
}

/// Chooses the page before counting where the tree, or what is late or was returned, says enough.
fn page_of_kept<'s, 't>(
    transaction: &mut Transaction<'_>,
    mut kept: RowProgress<'s>,
    (top, candidates): (Place<'_>, Vec<Place<'t>>),
    query: &CompletenessQuery,
) -> Result<(Counted<'s>, Vec<Place<'t>>), StoreError> {
    let says_enough = match query.status {
        None | Some(ProgressKind::Expected | ProgressKind::Returned) => true,
        Some(ProgressKind::Late) => kept.knows_late(),
        Some(
            ProgressKind::Submitted
            | ProgressKind::Waiting
            | ProgressKind::Approved
            | ProgressKind::Missing,
        ) => false,
    };
    let page = match says_enough {
        true => {
            let page = matching(candidates, query, |place| Progress {
                expected: kept.expected(place),
                returned: kept.returned(place),
                late: kept.late(place),
                ..Progress::default()
            });
            kept.read_counts(transaction, &page)?;
            page
        }
        false => {
            kept.read_counts(transaction, &candidates)?;
            matching(candidates, query, |place| kept.total(place))
        }
    };
    kept.read_counts(transaction, &[top])?;
    let shown: Vec<Place<'_>> = std::iter::once(top).chain(page.iter().copied()).collect();
    kept.read_own(transaction, &shown)?;
    Ok((Counted::Kept(Box::new(kept)), page))
}

/// A page, and where the next one begins.
struct Cut<'t> {
    places: Vec<Place<'t>>,
    next: Option<String>,
}

impl<'t> Cut<'t> {
    fn of(mut places: Vec<Place<'t>>, limit: usize) -> Cut<'t> {
        let is_more = places.len() > limit;
        places.truncate(limit);
        let last = places.last().filter(|_| is_more);
        Cut {
            next: last.map(|last| cursor_at(*last)),
            places,
        }
    }
}
