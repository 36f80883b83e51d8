//! Levels: the ranks of a tenant's hierarchy.

use crate::locale::{Count, Quoted};
use crate::path;
use crate::sentence::naming;
use chrono::NaiveDate;
use itertools::Itertools;
use serde::Serialize;

use crate::authn::Identity;
use crate::authz::{Action, Denied};
use crate::domain::id::LevelCode;
use crate::domain::level::{Level, Rank};
use crate::domain::text::LocalizedText;
use crate::domain::unit::{BEGINNING, UnitFact, Validity};
use crate::error::{Code, Explain, Explanation, Fault};
use crate::message;
use crate::service::application::Application;
use crate::service::application::call::Call;
use crate::service::application::change::{ChangeItem, ChangeKind};
use crate::service::application::condition::{ConditionError, Etag, State};
use crate::service::application::door::Written;
use crate::service::application::idempotency::{IdempotencyError, Outcome, Reply};
use crate::store::StoreError;
use crate::store::level::level_put;
use crate::store::tenant::{Part, mark_changed};

use crate::service::application::text::{EnteredName, NameView};

/// The errors of use cases on levels.
#[derive(Debug, thiserror::Error)]
pub enum LevelError {
    #[error(transparent)]
    Denied(#[from] Denied),
    #[error(transparent)]
    Condition(#[from] ConditionError),
    #[error(transparent)]
    Idempotency(#[from] IdempotencyError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("no level {0}")]
    NotFound(String),
    #[error("faults: {}", .0.len())]
    Invalid(Vec<Fault>),
}

impl Explain for LevelError {
    fn explain(&self) -> Explanation {
        match self {
            LevelError::Denied(held) => held.explain(),
            LevelError::Condition(held) => held.explain(),
            LevelError::Idempotency(held) => held.explain(),
            LevelError::Store(held) => held.explain(),
            LevelError::NotFound(code) => Explanation::new(
                Code::LevelNotFound,
                message!("level-not-found", code = Quoted(&code)),
            )
            .of_parameter("level"),
            LevelError::Invalid(faults) => {
                let count = faults.len();
                let message = message!("level-invalid", count = Count(count));
                Explanation::new(Code::InvalidLevel, message).with_faults(faults.clone())
            }
        }
    }
}

/// A level of the hierarchy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct LevelView {
    #[schema(example = "commune")]
    pub code: String,
    pub name: NameView,
    /// The rank; the highest level has the smallest. A unit's parent always has a smaller rank.
    pub rank: i32,
    pub valid_from: NaiveDate,
    pub valid_to: Option<NaiveDate>,
}

impl LevelView {
    fn of(level: &Level) -> LevelView {
        LevelView {
            code: level.code.to_string(),
            name: NameView::of(&level.name),
            rank: level.rank.get(),
            valid_from: level.validity.from,
            valid_to: level.validity.to,
        }
    }
}

/// All levels of a tenant, the highest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct LevelList {
    pub items: Vec<LevelView>,
}

impl LevelList {
    fn of<'l>(levels: impl IntoIterator<Item = &'l Level>) -> LevelList {
        let levels = levels.into_iter();
        let levels = levels.sorted_by(|a, b| (a.rank, &a.code).cmp(&(b.rank, &b.code)));
        let items = levels.map(LevelView::of).collect();
        LevelList { items }
    }
}

/// Lists all levels that the tenant has or had.
///
/// # Errors
/// [`LevelError`].
pub fn list_levels(
    application: &Application,
    identity: &Identity,
) -> Result<(State, LevelList), LevelError> {
    application.reading(identity, |_, snapshot| {
        let _permit = snapshot.access.to_tenant(Action::ReadLevels)?;
        let list = LevelList::of(snapshot.hierarchy.levels());
        Ok((State::of_content(&list)?, list))
    })
}

/// Reads a level that the tenant has or had. Its state is that of all levels, since a change of one
/// depends on the others.
///
/// # Errors
/// [`LevelError`].
pub fn get_level(
    application: &Application,
    identity: &Identity,
    code: &str,
) -> Result<(State, LevelView), LevelError> {
    application.reading(identity, |_, snapshot| {
        let _permit = snapshot.access.to_tenant(Action::ReadLevels)?;
        let hierarchy = &snapshot.hierarchy;
        let parsed = code.parse::<LevelCode>().ok();
        let found = parsed.and_then(|code| hierarchy.level(&code));
        let level = found.ok_or_else(|| LevelError::NotFound(code.to_owned()))?;
        let state = State::of_content(&LevelList::of(hierarchy.levels()))?;
        Ok((state, LevelView::of(level)))
    })
}

/// A level to put.
#[derive(Debug, Clone)]
pub struct EnteredLevel {
    pub code: String,
    pub name: EnteredName,
    pub rank: i32,
    pub valid_from: Option<NaiveDate>,
    pub valid_to: Option<NaiveDate>,
}

/// Adds a level, or changes the one with its code. Its state is that of all levels, so a change may
/// build on the list of levels too.
///
/// # Errors
/// [`LevelError`].
pub fn put_level(
    application: &Application,
    call: &Call,
    entered: &EnteredLevel,
) -> Result<Reply, LevelError> {
    application.changing(call, |change| {
        let snapshot = change.snapshot;
        let permit = snapshot.access.to_tenant(Action::ChangeLevels)?;
        change.once(permit, |transaction, _| {
            let code = entered.code.parse::<LevelCode>().ok();
            let known = code
                .as_ref()
                .and_then(|code| snapshot.hierarchy.level(code));
            let levels = snapshot.hierarchy.levels();
            let state = State::of_content(&LevelList::of(levels))?;
            call.precondition.check_unless_new(known.map(|_| &state))?;
            let level = read(entered).map_err(LevelError::Invalid)?;
            check_ranks(&level, levels).map_err(LevelError::Invalid)?;
            check_units(&level, snapshot.hierarchy.facts()).map_err(LevelError::Invalid)?;
            let rev = snapshot.counters.rev;
            level_put(transaction, &level)?;
            mark_changed(transaction, Part::Tree, rev)?;
            let outcome = match known {
                Some(_) => Outcome::Done,
                None => Outcome::Created(format!("/v1/levels/{}", level.code)),
            };
            let others = levels.iter().filter(|other| other.code != level.code);
            let list = LevelList::of(others.chain([&level]));
            let view = LevelView::of(&level);
            let etag = Etag::of_state(&State::of_content(&list)?, &view)?;
            let reply = Reply::new(outcome, Some(etag), &view)?;
            let item = ChangeItem {
                day: Some(level.validity.from),
                level: Some(level.code.to_string()),
                ..ChangeItem::new(ChangeKind::LevelPut)
            };
            Ok(Written::new(reply, [item]))
        })
    })
}

fn read(entered: &EnteredLevel) -> Result<Level, Vec<Fault>> {
    let mut faults = Vec::new();
    let code = entered.code.parse::<LevelCode>();
    if code.is_err() {
        faults.push(Fault::in_parameter(
            "level",
            Code::InvalidCode,
            message!("level-invalid-code"),
        ));
    }
    let name: LocalizedText = entered.name.read(&path!["name"], &mut faults);
    let rank = Rank::new(entered.rank);
    if rank.is_none() {
        faults.push(Fault::in_body(
            path!["rank"],
            Code::InvalidValue,
            message!("level-rank-out-of-range"),
        ));
    }
    let validity = Validity {
        from: entered.valid_from.unwrap_or(BEGINNING),
        to: entered.valid_to,
    };
    if validity.to.is_some_and(|to| to < validity.from) {
        faults.push(last_day_before_first());
    }
    match (code, rank) {
        (Ok(code), Some(rank)) if faults.is_empty() => Ok(Level {
            code,
            name,
            rank,
            validity,
        }),
        _ => Err(faults),
    }
}

/// Makes the fault of a level that would end before it begins.
pub(crate) fn last_day_before_first() -> Fault {
    let message = message!("level-last-day-before-first");
    Fault::in_body(path!["valid_to"], Code::InvalidValue, message)
}

/// Checks ranks: levels of the same time have different ranks, and no unit may end up below one
/// that is no longer above it.
fn check_ranks(level: &Level, known: &[Level]) -> Result<(), Vec<Fault>> {
    let same_rank = known.iter().find(|other| {
        other.code != level.code
            && other.rank == level.rank
            && other.validity.overlaps(level.validity)
    });
    if let Some(other) = same_rank {
        let (rank, other) = (level.rank.get(), other.named());
        return Err(vec![Fault::in_body(
            path!["rank"],
            Code::InvalidValue,
            message!("level-rank-taken", rank, other),
        )]);
    }
    let moved = known
        .iter()
        .find(|other| other.code == level.code && other.rank != level.rank);
    if let Some(former) = moved {
        let rank = former.rank.get();
        return Err(vec![Fault::in_body(
            path!["rank"],
            Code::InvalidValue,
            message!("level-rank-fixed", rank),
        )]);
    }
    Ok(())
}

/// Checks that a level holds on every day on which a unit is at it.
fn check_units(level: &Level, facts: &[UnitFact]) -> Result<(), Vec<Fault>> {
    let outside = facts
        .iter()
        .filter(|fact| fact.level == level.code)
        .find(|fact| !level.validity.covers(fact.validity));
    let Some(fact) = outside else { return Ok(()) };
    let (name, level_named) = (fact.name_with_code(), level.named());
    let (from, to) = (fact.validity.from, fact.validity.to);
    let days = naming::days(from, to);
    let field = if fact.validity.from < level.validity.from {
        "valid_from"
    } else {
        "valid_to"
    };
    Err(vec![Fault::in_body(
        path![field],
        Code::InvalidValue,
        message!("level-units-outside", name, level_named, days),
    )])
}
