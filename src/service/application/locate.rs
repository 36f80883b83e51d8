//! Finds the form, the period and the unit that a path names.

use crate::locale::{Leading, Quoted};
use std::sync::Arc;

use chrono::NaiveDate;

use crate::authz::{Action, Denied, Permit};
use crate::domain::catalogue::InForce;
use crate::domain::form::{Form, FormPeriod, Span};
use crate::domain::hierarchy::{Place, Position, Tree};
use crate::domain::id::FormCode;
use crate::domain::naming::Named;
use crate::domain::period::Period;
use crate::domain::submission::SubmissionKey;
use crate::domain::text::clipped;
use crate::domain::unit::{BEGINNING, UnitFact, UnitReference};
use crate::error::{Code, Explain, Explanation};
use crate::message;
use crate::sentence::period::{period_named, range_named};
use crate::service::application::snapshot::Snapshot;
/// The names of a form, a period and a unit in a path.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize, serde::Serialize, utoipa::IntoParams)]
#[into_params(parameter_in = Path)]
pub struct ReportPath {
    /// The form's code.
    #[param(example = "mttq.annual")]
    pub form: String,
    /// The period's key: `2024`, `2024-H2`, `2024-Q4`, `2024-12`, `2024-W47`, or a window's, such
    /// as `2025-tet`.
    #[param(example = "2024")]
    pub period: String,
    /// The unit's id, or `code:` and the code that it has on the period's last day.
    #[param(example = "code:30388")]
    pub unit: String,
}

/// A unit's place on a form in a period. The tree is that of the period's last day, of a later day
/// that was asked for, or of the last day of a unit that ended before.
pub struct Located<'s> {
    pub in_force: InForce<'s>,
    pub tree: Arc<Tree>,
    position: Position,
    map: MapOf,
}

/// The day whose tree a place is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum MapOf {
    /// The period's last day.
    OfPeriod,
    /// A later day.
    Later(NaiveDate),
    /// The unit's own last day, because it ended before the period did.
    OfUnit(NaiveDate),
}

impl<'s> Located<'s> {
    pub fn place(&self) -> Place<'_> {
        self.tree.at(self.position)
    }

    pub fn form(&self) -> &'s Form {
        self.in_force.period.form
    }

    pub fn period(&self) -> Period {
        self.in_force.period.period
    }

    /// Returns the day whose map the place is on.
    pub fn map_day(&self) -> NaiveDate {
        match self.map {
            MapOf::OfPeriod => self.in_force.period.closing_day(),
            MapOf::Later(day) | MapOf::OfUnit(day) => day,
        }
    }

    /// The same place on another form, for its period with the same days.
    pub fn on_form(&self, snapshot: &'s Snapshot, period: FormPeriod<'s>) -> Located<'s> {
        Located {
            in_force: snapshot.catalogue.in_force(period),
            tree: self.tree.clone(),
            position: self.position,
            map: self.map,
        }
    }

    /// Returns the first day of the first base period that is behind the figures.
    pub fn opening_day(&self) -> NaiveDate {
        let days = self.base_periods_behind();
        let days = days.iter().map(|base| base.range.from);
        days.min().unwrap_or(self.in_force.period.range.from)
    }

    /// Returns the last days of the base periods that are behind the figures.
    pub fn closing_days(&self) -> Vec<NaiveDate> {
        let bases = self.base_periods_behind();
        bases.iter().map(FormPeriod::closing_day).collect()
    }

    fn base_periods_behind(&self) -> Vec<FormPeriod<'s>> {
        let periods = self.in_force.periods_behind();
        periods.iter().flat_map(FormPeriod::base_periods).collect()
    }

    /// The day to whose map the figures are restated; nothing where they are on the one that they
    /// were reported on.
    pub fn restated_to(&self) -> Option<NaiveDate> {
        match self.map {
            MapOf::Later(day) => Some(day),
            MapOf::OfPeriod | MapOf::OfUnit(_) => None,
        }
    }

    /// Returns true if the unit ended before the period did. It then has no totals.
    pub fn has_ended(&self) -> bool {
        matches!(self.map, MapOf::OfUnit(_))
    }

    pub fn key(&self) -> SubmissionKey {
        SubmissionKey {
            form: self.form().number,
            period: self.period(),
            unit: self.place().unit(),
        }
    }
}

/// A name that nothing has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotFound {
    #[error("no form {0}")]
    Form(String),
    #[error("form {} has no period {period}", .form.en())]
    Period {
        form: Named,
        /// The form's first day.
        since: NaiveDate,
        period: String,
        /// The path that lists its periods.
        list: String,
    },
    #[error("{} is no base period of form {}", .period.en(), .form.en())]
    BasePeriod {
        form: Named,
        period: Named,
        /// The shorter periods to use instead: the first and the last.
        bases: Named,
    },
    #[error("no unit {unit} on {day}")]
    Unit { unit: String, day: NaiveDate },
    /// Its name, for a caller who may see the unit.
    #[error("unit {name} stands from {first_day} on, not on {day}")]
    NotYet {
        name: String,
        first_day: NaiveDate,
        day: NaiveDate,
    },
    /// The unit's and its successors' names, for a caller who may see the unit.
    #[error("unit {name} ended on {last_day}")]
    Ended {
        name: String,
        last_day: NaiveDate,
        heirs: Vec<String>,
    },
    #[error("the map of {day} is older than figures of {closing}")]
    EarlierMap { day: NaiveDate, closing: NaiveDate },
}

impl Snapshot {
    pub(in crate::service) fn form(&self, code: &str) -> Result<&Form, NotFound> {
        let parsed = code.parse::<FormCode>().ok();
        let found = parsed.and_then(|code| self.catalogue.form(&code));
        found.ok_or_else(|| NotFound::Form(code.to_owned()))
    }

    fn period(&self, form: &str, period: &str) -> Result<FormPeriod<'_>, NotFound> {
        let form = self.form(form)?;
        let found = period.parse::<Period>().ok();
        let found = found.and_then(|period| form.period(period));
        found.ok_or_else(|| NotFound::Period {
            form: form.named(),
            since: form.versions.keys().next().copied().unwrap_or(BEGINNING),
            period: clipped(period),
            list: list_of_periods(form, period),
        })
    }

    /// Finds a base period of a form.
    pub(in crate::service) fn base_period(
        &self,
        form: &str,
        period: &str,
    ) -> Result<FormPeriod<'_>, NotFound> {
        let period = self.period(form, period)?;
        match period.span {
            Span::BasePeriod => Ok(period),
            Span::LongPeriod => Err(made_of_shorter_ones(&period)),
        }
    }

    /// Finds the unit of this name on a day, whose tree is `tree`. Otherwise explains as much as
    /// the caller may know.
    pub(in crate::service) fn unit<'t>(
        &self,
        tree: &'t Tree,
        unit: &str,
        day: NaiveDate,
    ) -> Result<Place<'t>, NotFound> {
        let reference = unit.parse::<UnitReference>().ok();
        let found = reference.and_then(|reference| tree.find(&reference));
        found.ok_or_else(|| {
            let otherwise = self.ended(unit, tree).or_else(|| self.not_yet(unit, day));
            otherwise.unwrap_or_else(|| NotFound::Unit {
                unit: unit.to_owned(),
                day,
            })
        })
    }

    /// Like [`Snapshot::locate`], for submissions: the period must be a base period of the form.
    pub(in crate::service) fn locate_base(
        &self,
        path: &ReportPath,
    ) -> Result<Located<'_>, NotFound> {
        let located = self.locate(path)?;
        match located.in_force.period.span {
            Span::BasePeriod => Ok(located),
            Span::LongPeriod => Err(made_of_shorter_ones(&located.in_force.period)),
        }
    }

    pub(in crate::service) fn locate(&self, path: &ReportPath) -> Result<Located<'_>, NotFound> {
        self.locate_as_of(path, None)
    }

    /// Returns a place of the map of a period's last day.
    pub(in crate::service) fn located<'s>(
        &'s self,
        period: FormPeriod<'s>,
        position: Position,
    ) -> Located<'s> {
        Located {
            in_force: self.catalogue.in_force(period),
            tree: self.hierarchy.tree_on(period.closing_day()),
            position,
            map: MapOf::OfPeriod,
        }
    }

    /// Finds a place on the map of `as_of`, which must not be before the period's last day. Without
    /// it, uses that last day.
    pub(in crate::service) fn locate_as_of(
        &self,
        path: &ReportPath,
        as_of: Option<NaiveDate>,
    ) -> Result<Located<'_>, NotFound> {
        let period = self.period(&path.form, &path.period)?;
        let closing = period.closing_day();
        let day = as_of.unwrap_or(closing);
        if day < closing {
            return Err(NotFound::EarlierMap { day, closing });
        }
        let tree = self.hierarchy.tree_on(day);
        let position = self.unit(&tree, &path.unit, day)?.position();
        let later = as_of.filter(|day| *day > closing);
        Ok(Located {
            in_force: self.catalogue.in_force(period),
            tree,
            position,
            map: later.map_or(MapOf::OfPeriod, MapOf::Later),
        })
    }

    /// Like [`Snapshot::locate_as_of`], for reading a report: also finds the undivided part of a
    /// unit that ended within the period.
    pub(in crate::service) fn locate_report(
        &self,
        path: &ReportPath,
        as_of: Option<NaiveDate>,
    ) -> Result<Located<'_>, NotFound> {
        match self.locate_as_of(path, as_of) {
            Err(missing @ NotFound::Ended { .. }) => self.locate_left(path, as_of).ok_or(missing),
            found => found,
        }
    }

    fn locate_left(&self, path: &ReportPath, as_of: Option<NaiveDate>) -> Option<Located<'_>> {
        let form = self.form(&path.form).ok()?;
        let period = form.period(path.period.parse().ok()?)?;
        let later = as_of.filter(|day| *day > period.closing_day());
        let tree = self
            .hierarchy
            .tree_on(later.unwrap_or(period.closing_day()));
        let (last_day, former, position) = self.former(&path.unit, &tree)?;
        let unit = former.at(position).unit();
        let left = tree
            .left_of(unit)
            .filter(|_| last_day >= period.range.from)?;
        let position = left.position();
        Some(Located {
            in_force: self.catalogue.in_force(period),
            tree,
            position,
            map: later.map_or(MapOf::OfPeriod, MapOf::Later),
        })
    }

    /// Permits reading a place's figures. The undivided part of a former unit may also be read by
    /// whoever may read the unit's figures of its last day.
    ///
    /// # Errors
    /// [`Denied`] if no grant allows it.
    pub(in crate::service) fn may_read(&self, located: &Located<'_>) -> Result<Permit, Denied> {
        let (tree, place) = (&located.tree, located.place());
        let permit = self.access.to_unit(Action::ReadRollups, tree, place);
        if permit.is_ok() || !place.is_leaf() {
            return permit;
        }
        match self.former(&place.unit().to_string(), tree) {
            Some((_, former, position)) => {
                let place = former.at(position);
                self.access.to_unit(Action::ReadRollups, &former, place)
            }
            None => permit,
        }
    }

    /// Like [`Snapshot::locate_base`], for reading: finds a unit that ended before the period did
    /// at its place on its last day.
    pub(in crate::service) fn locate_base_to_read(
        &self,
        path: &ReportPath,
    ) -> Result<Located<'_>, NotFound> {
        match self.locate_base(path) {
            Err(missing @ NotFound::Ended { .. }) => {
                let former = self.locate_former(path);
                let is_base = |found: &Located<'_>| found.in_force.period.span == Span::BasePeriod;
                former.filter(is_base).ok_or(missing)
            }
            found => found,
        }
    }

    /// Finds a unit that ended before the period did at its place on its last day.
    pub(in crate::service) fn locate_former(&self, path: &ReportPath) -> Option<Located<'_>> {
        let form = self.form(&path.form).ok()?;
        let period = form.period(path.period.parse().ok()?)?;
        let day = period.closing_day();
        let former = self.former(&path.unit, &self.hierarchy.tree_on(day));
        let (last_day, tree, position) = former?;
        Some(Located {
            in_force: self.catalogue.in_force(period),
            tree,
            position,
            map: MapOf::OfUnit(last_day),
        })
    }

    /// Finds a unit on the map of a day, or at its last place if it has ended by then.
    pub(in crate::service) fn unit_or_former(
        &self,
        unit: &str,
        day: NaiveDate,
    ) -> Result<(Arc<Tree>, Position), NotFound> {
        let tree = self.hierarchy.tree_on(day);
        match self.unit(&tree, unit, day).map(Place::position) {
            Ok(position) => Ok((tree, position)),
            Err(missing @ NotFound::Ended { .. }) => {
                let former = self.former(unit, &tree);
                former
                    .map(|(_, tree, position)| (tree, position))
                    .ok_or(missing)
            }
            Err(missing) => Err(missing),
        }
    }

    /// Finds the last place of a unit that is no longer on `tree`, by its id or its code of then.
    /// If several units had the code, takes the last.
    fn former(&self, unit: &str, tree: &Tree) -> Option<(NaiveDate, Arc<Tree>, Position)> {
        let last_fact = match unit.parse().ok()? {
            UnitReference::Id(unit) => tree.last_fact(unit),
            UnitReference::Code(code) => {
                let ended = self.hierarchy.facts_with(&code);
                let ended = ended.filter(|fact| tree.last_fact(fact.unit) == Some(*fact));
                ended.max_by_key(|fact| fact.validity.to)
            }
        };
        let last = last_fact.filter(|fact| tree.by_id(fact.unit).is_none())?;
        let last_day = last.validity.to?;
        let former = self.hierarchy.tree_on(last_day);
        let position = former.by_id(last.unit)?.position();
        Some((last_day, former, position))
    }

    /// Builds the refusal of a unit that is no longer on `tree`, for a caller who may see it.
    fn ended(&self, unit: &str, tree: &Tree) -> Option<NotFound> {
        let (last_day, former, position) = self.former(unit, tree)?;
        let place = former.at(position);
        let permit = self.access.to_unit(Action::ReadUnits, &former, place);
        let heirs = tree.heirs_of(place.unit()).into_iter();
        let heirs = heirs.filter_map(|heir| Some(tree.by_id(heir)?.fact().name_with_code()));
        permit.is_ok().then(|| NotFound::Ended {
            name: place.fact().name_with_code(),
            last_day,
            heirs: heirs.collect(),
        })
    }

    /// Builds the refusal of a unit that begins after `day`, for a caller who may see it.
    fn not_yet(&self, unit: &str, day: NaiveDate) -> Option<NotFound> {
        let later = |fact: &&UnitFact| fact.validity.from > day;
        let first = match unit.parse().ok()? {
            UnitReference::Id(unit) => self.hierarchy.facts_of(unit).iter().find(later),
            UnitReference::Code(code) => {
                let facts = self.hierarchy.facts_with(&code).filter(later);
                facts.min_by_key(|fact| fact.validity.from)
            }
        }?;
        let first_day = first.validity.from;
        let tree = self.hierarchy.tree_on(first_day);
        let place = tree.by_id(first.unit)?;
        let permit = self.access.to_unit(Action::ReadUnits, &tree, place);
        permit.is_ok().then(|| NotFound::NotYet {
            name: first.name_with_code(),
            first_day,
            day,
        })
    }
}

/// Returns the path that lists a form's periods of the year of a key that it does not have.
pub(in crate::service) fn list_of_periods(form: &Form, key: &str) -> String {
    let year = key.get(..4);
    let year = year.filter(|year| year.bytes().all(|digit| digit.is_ascii_digit()));
    let code = &form.code;
    format!("/v1/forms/{code}/periods?year={}", year.unwrap_or("…"))
}

fn made_of_shorter_ones(period: &FormPeriod<'_>) -> NotFound {
    let bases = period.base_periods();
    let ends = [bases.first(), bases.last()];
    let [first, last] = ends.map(|end| end.unwrap_or(period));
    NotFound::BasePeriod {
        form: period.named_form(),
        period: period_named(period),
        bases: range_named(first, last),
    }
}

impl Explain for NotFound {
    fn explain(&self) -> Explanation {
        let (code, parameter, message) = match self {
            NotFound::Form(form) => (
                Code::FormNotFound,
                "form",
                message!("not-found-form", form = Quoted(&form)),
            ),
            NotFound::Period {
                form,
                since,
                period,
                list,
            } if *since > BEGINNING => (Code::PeriodNotFound, "period", {
                let since = Named::day(*since);
                message!(
                    "not-found-period",
                    form,
                    since,
                    period = Quoted(&period),
                    list
                )
            }),
            NotFound::Period {
                form, period, list, ..
            } => (
                Code::PeriodNotFound,
                "period",
                message!(
                    "not-found-period-of-form",
                    form,
                    period = Quoted(&period),
                    list
                ),
            ),
            NotFound::BasePeriod {
                form,
                period,
                bases,
            } => (
                Code::PeriodNotFound,
                "period",
                message!("not-found-base-period", period, form, bases),
            ),
            NotFound::Unit { unit, day } => (Code::UnitNotFound, "unit", {
                let (unit, day) = (clipped(unit), Named::day(*day));
                message!("not-found-unit", day, unit = Quoted(&unit))
            }),
            NotFound::NotYet {
                name,
                first_day,
                day,
            } => (Code::UnitNotFound, "unit", {
                let (first_day, day) = (Named::day(*first_day), Named::day(*day));
                message!("not-found-not-yet", name = Leading(name), first_day, day)
            }),
            NotFound::Ended {
                name,
                last_day,
                heirs,
            } => (Code::UnitEnded, "unit", {
                let (last_day, heirs) = (Named::day(*last_day), heirs.join(", "));
                let name = Leading(name);
                if heirs.is_empty() {
                    message!("not-found-ended", name, last_day)
                } else {
                    message!("not-found-ended-with-heirs", name, last_day, heirs)
                }
            }),
            NotFound::EarlierMap { day, closing } => (Code::InvalidParameter, "as_of", {
                let (day, closing) = (Named::day(*day), Named::day(*closing));
                message!("not-found-earlier-map", closing, day)
            }),
        };
        Explanation::new(code, message).of_parameter(parameter)
    }
}
