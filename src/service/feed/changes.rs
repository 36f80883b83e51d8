//! Changes (nhật ký thay đổi): what each commit did, in order, as far as the reader's grants cover it.
//! Whole commits are read, never a part of one.

use std::collections::HashSet;
use std::sync::Arc;

use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;

use crate::authn::Identity;
use crate::authz::{Denied, Operation, Role};
use crate::domain::hierarchy::{Hierarchy, Place, Position, Tree};
use crate::domain::id::{AccountId, UnitId};
use crate::domain::unit::UnitReference;
use crate::error::{Code, Explain, Explanation};
use crate::message;
use crate::service::application::Application;
use crate::service::application::change::{Author, AuthoredItem, ChangeItem, ChangeKind, items_of};
use crate::service::application::locate::NotFound;
use crate::service::application::name::{PeriodName, UnitName};
use crate::service::application::snapshot::Snapshot;
use crate::service::people::account_name::{AccountName, AccountNames, NameReader};
use crate::store::change::{ChangeRow, changes_after};
use crate::store::{StoreError, Transaction};

/// The rev after which all of a tenant's history comes: its first commit has the rev 0.
const BEFORE_ALL: i64 = -1;

/// The most commits that one request reads, so that a filter to which nothing fits does not read the
/// whole history.
const MOST_COMMITS: usize = 1000;

/// The number of commits that are held in memory at once. Each may have some hundred items.
const COMMITS_AT_ONCE: u16 = 100;

/// The errors of reading changes.
#[derive(Debug, thiserror::Error)]
pub enum ChangesError {
    #[error(transparent)]
    NotFound(#[from] NotFound),
    #[error(transparent)]
    Denied(#[from] Denied),
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The reader has seen commits that are no longer there.
    #[error("the last change is {last}, before {after}")]
    AfterLast { after: i64, last: i64 },
}

impl Explain for ChangesError {
    fn explain(&self) -> Explanation {
        match self {
            ChangesError::NotFound(held) => held.explain(),
            ChangesError::Denied(held) => held.explain(),
            ChangesError::Store(held) => held.explain(),
            ChangesError::AfterLast { after, last } => Explanation::new(
                Code::InvalidParameter,
                message!("changes-after-last", last, after),
            )
            .of_parameter("after"),
        }
    }
}

/// The changes that a reader wants.
#[derive(Debug, Clone, Default)]
pub struct ChangesQuery {
    /// The rev to go on from; `None` to begin with the first commit.
    pub after: Option<i64>,
    pub kind: Option<ChangeKind>,
    /// The form's code.
    pub form: Option<String>,
    /// A unit, with everything below it on the day of a change.
    pub unit: Option<String>,
    /// The number of items from which on a page ends. Only a single commit may have more.
    pub limit: usize,
}

/// Changes, and where to go on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct ChangesView {
    /// In the order in which they happened. Those that the caller may not see are left out.
    pub items: Vec<ChangeView>,
    /// The `after` of the next request, also if nothing came: how far was read.
    pub next: i64,
}

/// One thing that happened. Fields that it is not about are null.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct ChangeView {
    /// The rev of the commit. What happened in one commit has the same.
    pub rev: i64,
    pub at: DateTime<Utc>,
    pub kind: ChangeKind,
    pub by: AuthorView,
    #[schema(example = "mttq.annual")]
    pub form: Option<String>,
    /// Null also for a window that the form no longer has.
    pub period: Option<PeriodName>,
    /// The last period, of subtree reporting (báo cáo gộp); null until further notice.
    pub last_period: Option<PeriodName>,
    /// With its name of the day that the change is about. Null also for a unit that the map no longer
    /// has because its reorganisation was undone.
    pub unit: Option<UnitName>,
    pub revision: Option<i32>,
    /// The number of the release.
    pub release: Option<i32>,
    /// The account that it happened to.
    pub account: Option<AccountName>,
    pub role: Option<Role>,
    #[schema(example = "fund.raised")]
    pub indicator: Option<String>,
    #[schema(example = "commune")]
    pub level: Option<String>,
    /// The calendar year, of holidays.
    pub year: Option<i32>,
    /// The reorganisation's id.
    pub reorganisation: Option<String>,
    /// The number of units, of an import.
    pub count: Option<u64>,
}

/// The party that made a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct AuthorView {
    pub kind: AuthorKind,
    /// Null for the operator, who has no account.
    pub account: Option<AccountName>,
}

/// The kind of party that made a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AuthorKind {
    /// An account: of a person, or of a program.
    Account,
    /// The operator, at the command line.
    Operator,
}

/// Some of the changes, and what is left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    pub items: Vec<ChangeView>,
    /// The rev up to which was read.
    pub next: i64,
    /// The tenant's rev when that was read.
    pub last: i64,
}

/// Lists changes in the order of their commits.
///
/// # Errors
/// [`ChangesError`].
pub fn list_changes(
    application: &Application,
    identity: &Identity,
    query: &ChangesQuery,
    now: DateTime<Utc>,
) -> Result<ChangesView, ChangesError> {
    let Batch { items, next, .. } = read_changes(application, identity, query, now)?;
    Ok(ChangesView { items, next })
}

/// Reads changes for somebody who follows them. Refuses an account that has lost all its grants.
///
/// # Errors
/// [`ChangesError`].
pub fn read_changes(
    application: &Application,
    identity: &Identity,
    query: &ChangesQuery,
    now: DateTime<Utc>,
) -> Result<Batch, ChangesError> {
    application.reading(identity, |transaction, snapshot| {
        snapshot.access.to_attempt(Operation::ListChanges)?;
        let last = snapshot.counters.rev;
        let after = query.after.unwrap_or(BEFORE_ALL);
        if after > last {
            return Err(ChangesError::AfterLast { after, last });
        }
        let reader = Reader {
            snapshot,
            filter: Filter::of(snapshot, query, now)?,
        };
        let Seen { items, next } = reader.read(transaction, after, query.limit)?;
        let accounts: HashSet<AccountId> = items.iter().flat_map(SeenItem::accounts).collect();
        let accounts: Vec<AccountId> = accounts.into_iter().collect();
        let names = NameReader::of(application, transaction, identity, snapshot)?;
        let names = names.read(transaction, &accounts)?;
        let views = items.into_iter().map(|item| item.view(&names));
        Ok(Batch {
            items: views.collect::<Result<_, StoreError>>()?,
            next,
            last,
        })
    })
}

/// The items that are wanted.
struct Filter {
    kind: Option<ChangeKind>,
    form: Option<String>,
    unit: Option<UnitReference>,
}

impl Filter {
    /// Reads what is wanted. A form and a unit that never were are errors, since nothing would ever
    /// come.
    fn of(
        snapshot: &Snapshot,
        query: &ChangesQuery,
        now: DateTime<Utc>,
    ) -> Result<Filter, NotFound> {
        let form = query.form.as_deref().map(|code| snapshot.form(code));
        let unit = query.unit.as_deref().map(|unit| {
            let reference = unit.parse::<UnitReference>().ok();
            let known =
                reference.filter(|reference| !snapshot.hierarchy.facts_named(reference).is_empty());
            known.ok_or_else(|| NotFound::Unit {
                unit: unit.to_owned(),
                day: snapshot.today(now),
            })
        });
        Ok(Filter {
            kind: query.kind,
            form: form.transpose()?.map(|form| form.code.to_string()),
            unit: unit.transpose()?,
        })
    }

    fn wants(&self, item: &ChangeItem) -> bool {
        self.kind.is_none_or(|kind| kind == item.kind)
            && (self.form.is_none() || self.form == item.form)
    }

    fn wants_of_unit(&self, spot: Option<&Spot>) -> bool {
        let Some(reference) = &self.unit else {
            return true;
        };
        spot.is_some_and(|spot| {
            let top = spot.tree.find(reference);
            top.is_some_and(|top| top.covers(spot.place()))
        })
    }
}

/// The place of a unit on the map of a day.
pub(super) struct Spot {
    tree: Arc<Tree>,
    position: Position,
}

impl Spot {
    /// Finds a unit on a day, or on its day closest to that if it was not there. `None` if the map
    /// does not have it at all.
    pub fn of(hierarchy: &Hierarchy, unit: UnitId, day: NaiveDate) -> Option<Spot> {
        Spot::on(hierarchy, unit, day).or_else(|| {
            let days = hierarchy.facts_of(unit).last()?.validity;
            let latest = days.to.map_or(day, |to| day.min(to));
            Spot::on(hierarchy, unit, latest.max(days.from))
        })
    }

    fn on(hierarchy: &Hierarchy, unit: UnitId, day: NaiveDate) -> Option<Spot> {
        let tree = hierarchy.tree_on(day);
        let position = tree.by_id(unit)?.position();
        Some(Spot { tree, position })
    }

    pub fn tree(&self) -> &Tree {
        &self.tree
    }

    pub fn place(&self) -> Place<'_> {
        self.tree.at(self.position)
    }
}

/// A caller who reads changes.
struct Reader<'s> {
    snapshot: &'s Snapshot,
    filter: Filter,
}

/// The items that a reader sees, and the rev up to which was read.
struct Seen {
    items: Vec<SeenItem>,
    next: i64,
}

/// An item that a reader sees.
struct SeenItem {
    rev: i64,
    at: DateTime<Utc>,
    authored: AuthoredItem,
    period: Option<PeriodName>,
    last_period: Option<PeriodName>,
    unit: Option<UnitName>,
}

impl Reader<'_> {
    fn read(
        &self,
        transaction: &mut Transaction<'_>,
        after: i64,
        limit: usize,
    ) -> Result<Seen, StoreError> {
        let mut seen = Seen {
            items: Vec::new(),
            next: after,
        };
        let mut read = 0;
        while read < MOST_COMMITS {
            self.snapshot.patience.check()?;
            let commits = changes_after(transaction, seen.next, COMMITS_AT_ONCE.into())?;
            for commit in &commits {
                let items = self.items(commit)?;
                if !seen.items.is_empty() && seen.items.len() + items.len() > limit {
                    return Ok(seen);
                }
                seen.items.extend(items);
                seen.next = commit.rev;
                if seen.items.len() >= limit {
                    return Ok(seen);
                }
            }
            if commits.len() < usize::from(COMMITS_AT_ONCE) {
                // Commits of earlier versions of the program have no row.
                seen.next = self.snapshot.counters.rev;
                return Ok(seen);
            }
            read += commits.len();
        }
        Ok(seen)
    }

    fn items(&self, commit: &ChangeRow) -> Result<Vec<SeenItem>, StoreError> {
        let at = commit.at.and_utc();
        let today = self.snapshot.today(at);
        let items = items_of(commit)?.into_iter();
        let seen = items.filter_map(|authored| {
            let spot = self.look(&authored.item, today)?;
            Some(SeenItem {
                rev: commit.rev,
                at,
                period: self.period(&authored.item, authored.item.period.as_deref()),
                last_period: self.period(&authored.item, authored.item.last_period.as_deref()),
                authored,
                unit: spot.map(|spot| UnitName::of(spot.place())),
            })
        });
        Ok(seen.collect())
    }

    /// Returns a period of the form that an item is about, as the form has it now.
    fn period(&self, item: &ChangeItem, period: Option<&str>) -> Option<PeriodName> {
        let form = item.form.as_deref()?.parse().ok()?;
        let form = self.snapshot.catalogue.form(&form)?;
        let period = period?.parse().ok()?;
        form.period(period).map(|period| PeriodName::of(&period))
    }

    /// Returns where a reader sees an item, if it has a place; `None` if it is hidden from the reader,
    /// or not wanted.
    fn look(&self, item: &ChangeItem, today: NaiveDate) -> Option<Option<Spot>> {
        if !self.filter.wants(item) {
            return None;
        }
        let Snapshot {
            hierarchy, access, ..
        } = self.snapshot;
        let day = item.day.unwrap_or(today);
        let action = item.kind.seen_by();
        let spots = item
            .units()
            .filter_map(|unit| Spot::of(hierarchy, unit, day));
        let spots: Vec<Spot> = spots.collect();
        if spots.is_empty() {
            let _permit = access.to_tenant(action).ok()?;
            return self.filter.wants_of_unit(None).then_some(None);
        }
        let is_seen = |spot: &Spot| {
            let permit = access.to_unit(action, &spot.tree, spot.place());
            permit.is_ok() && self.filter.wants_of_unit(Some(spot))
        };
        spots.into_iter().find(is_seen).map(Some)
    }
}

impl SeenItem {
    fn view(self, names: &AccountNames) -> Result<ChangeView, StoreError> {
        let AuthoredItem { item, by } = self.authored;
        let by = match by {
            Author::Account(account) => AuthorView {
                kind: AuthorKind::Account,
                account: Some(names.name(account)?),
            },
            Author::Operator => AuthorView {
                kind: AuthorKind::Operator,
                account: None,
            },
        };
        let role = item.role.as_deref().map(str::parse::<Role>);
        let role = role.transpose().map_err(|error| {
            StoreError::Corrupt(format!("a role in the change {}: {error}", self.rev))
        })?;
        let account = item.account.map(|account| names.name(account));
        Ok(ChangeView {
            rev: self.rev,
            at: self.at,
            kind: item.kind,
            by,
            form: item.form,
            period: self.period,
            last_period: self.last_period,
            unit: self.unit,
            revision: item.revision,
            release: item.release,
            account: account.transpose()?,
            role,
            indicator: item.indicator,
            level: item.level,
            year: item.year,
            reorganisation: item.reorganisation,
            count: item.count,
        })
    }

    fn accounts(&self) -> impl Iterator<Item = AccountId> {
        let author = match self.authored.by {
            Author::Account(account) => Some(account),
            Author::Operator => None,
        };
        author.into_iter().chain(self.authored.item.account)
    }
}
