//! From the names in a path to the form, the period and the unit that they name. Never what is
//! done with them.

use std::sync::Arc;

use chrono::NaiveDate;

use super::snapshot::Snapshot;
use super::totals::Board;
use crate::domain::catalogue::InForce;
use crate::domain::form::{Form, Span};
use crate::domain::hierarchy::{Place, Position, Tree};
use crate::domain::id::FormCode;
use crate::domain::period::Period;
use crate::domain::unit::UnitReference;
use crate::error::{Code, Explain, Fault, Message};
use crate::message;
use crate::store::submission::SubmissionKey;

/// The names of a form, a period and a unit, as a path has them.
#[derive(Debug, Clone, serde::Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Path)]
pub struct ReportPath {
    /// The form's code.
    #[param(example = "mttq.annual")]
    pub form: String,
    /// The period's key: `2024`, `2024-H2`, `2024-Q4`, `2024-12`, `2024-W47`, or that of a window
    /// of the form's own, such as `2025-tet`.
    #[param(example = "2024")]
    pub period: String,
    /// The unit's id, or `code:` and the code that it has on the period's last day.
    #[param(example = "code:30388")]
    pub unit: String,
}

/// A unit's place on a form in a period: the tree is the one of the period's last day, or of a
/// later day that was asked for.
pub struct Located<'s> {
    pub in_force: InForce<'s>,
    pub tree: Arc<Tree>,
    position: Position,
    /// The day of a later map, if that was asked for.
    restated: Option<NaiveDate>,
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

    /// The day whose map the place is on.
    pub fn map_day(&self) -> NaiveDate {
        let closing = self.in_force.period.closing_day();
        self.restated.unwrap_or(closing)
    }

    /// Whether the map is not the one that the figures were reported on.
    pub fn is_restated(&self) -> bool {
        self.restated.is_some()
    }

    pub(super) fn board(&self, snapshot: &'s Snapshot) -> Board<'s> {
        let period = self.in_force.period;
        match self.restated {
            Some(day) => Board::restated(snapshot, period, day),
            None => Board::of(snapshot, period),
        }
    }

    pub fn key(&self) -> SubmissionKey {
        SubmissionKey {
            form: self.form().number,
            period: self.period(),
            unit: self.place().unit(),
        }
    }
}

/// A name that names nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotFound {
    #[error("no form {0}")]
    Form(String),
    #[error("form {form} has no period {period}")]
    Period { form: String, period: String },
    #[error("{period} is no base period of form {form}")]
    BasePeriod { form: String, period: String },
    #[error("no unit {unit} on {day}")]
    Unit { unit: String, day: NaiveDate },
    #[error("the map of {day} is older than figures of {closing}")]
    EarlierMap { day: NaiveDate, closing: NaiveDate },
}

impl Snapshot {
    pub(super) fn form(&self, code: &str) -> Result<&Form, NotFound> {
        let parsed = code.parse::<FormCode>().ok();
        let found = parsed.and_then(|code| self.catalogue.form(&code));
        found.ok_or_else(|| NotFound::Form(code.to_owned()))
    }

    /// The unit of this name on a day.
    pub(super) fn unit<'t>(
        tree: &'t Tree,
        unit: &str,
        day: NaiveDate,
    ) -> Result<Place<'t>, NotFound> {
        let reference = unit.parse::<UnitReference>().ok();
        let found = reference.and_then(|reference| tree.find(&reference));
        found.ok_or_else(|| NotFound::Unit {
            unit: unit.to_owned(),
            day,
        })
    }

    /// Like [`Snapshot::locate`], for what is submitted: a base period of the form.
    pub(super) fn locate_base(&self, path: &ReportPath) -> Result<Located<'_>, NotFound> {
        let located = self.locate(path)?;
        match located.in_force.period.span {
            Span::BasePeriod => Ok(located),
            Span::LongPeriod => Err(NotFound::BasePeriod {
                form: path.form.clone(),
                period: path.period.clone(),
            }),
        }
    }

    pub(super) fn locate(&self, path: &ReportPath) -> Result<Located<'_>, NotFound> {
        self.locate_as_of(path, None)
    }

    /// A place on the map of `as_of`, which is no day before the period's last; on that of the
    /// last day itself without it.
    pub(super) fn locate_as_of(
        &self,
        path: &ReportPath,
        as_of: Option<NaiveDate>,
    ) -> Result<Located<'_>, NotFound> {
        let form = self.form(&path.form)?;
        let period = path.period.parse::<Period>().ok();
        let Some(period) = period.and_then(|period| form.period(period)) else {
            let (form, period) = (path.form.clone(), path.period.clone());
            return Err(NotFound::Period { form, period });
        };
        let closing = period.closing_day();
        let day = as_of.unwrap_or(closing);
        if day < closing {
            return Err(NotFound::EarlierMap { day, closing });
        }
        let tree = self.hierarchy.tree_on(day);
        let position = Snapshot::unit(&tree, &path.unit, day)?.position();
        Ok(Located {
            in_force: self.catalogue.in_force(period),
            tree,
            position,
            restated: as_of.filter(|day| *day > closing),
        })
    }
}

impl Explain for NotFound {
    fn code(&self) -> Code {
        match self {
            NotFound::Form(_) => Code::FormNotFound,
            NotFound::Period { .. } | NotFound::BasePeriod { .. } => Code::PeriodNotFound,
            NotFound::Unit { .. } => Code::UnitNotFound,
            NotFound::EarlierMap { .. } => Code::InvalidParameter,
        }
    }

    fn message(&self) -> Message {
        match self {
            NotFound::Form(form) => message!(
                "Không có mẫu báo cáo {form:?}. Hãy xem danh sách mẫu ở /v1/forms.",
                "There is no form {form:?}. See /v1/forms for those there are."
            ),
            NotFound::Period { form, period } => message!(
                "Mẫu {form} không có kỳ {period:?}. Hãy xem các kỳ ở /v1/forms/{form}/periods?year=….",
                "The form {form} has no period {period:?}. See /v1/forms/{form}/periods?year=… for its periods."
            ),
            NotFound::BasePeriod { form, period } => message!(
                "Kỳ {period} của mẫu {form} được tổng hợp từ các kỳ ngắn hơn. Hãy chọn một trong các kỳ đó (xem /v1/forms/{form}/periods?year=…).",
                "The period {period} of the form {form} is made of shorter ones. Choose one of those (see /v1/forms/{form}/periods?year=…)."
            ),
            NotFound::Unit { unit, day } => {
                let day_vi = day.format("%d/%m/%Y");
                message!(
                    "Ngày {day_vi} không có đơn vị {unit:?}. Hãy ghi mã định danh, hoặc code: và mã đơn vị (ví dụ code:30388).",
                    "There is no unit {unit:?} on {day}. Give its id, or code: and its code (such as code:30388)."
                )
            }
            NotFound::EarlierMap { day, closing } => {
                let (day_vi, closing_vi) = (day.format("%d/%m/%Y"), closing.format("%d/%m/%Y"));
                message!(
                    "Số liệu đến ngày {closing_vi} không chuyển được về bản đồ cũ hơn của ngày {day_vi}. Hãy chọn as_of từ ngày {closing_vi} trở đi.",
                    "Figures up to {closing} cannot be put on the older map of {day}. Choose an as_of of {closing} or later."
                )
            }
        }
    }

    fn faults(&self) -> Vec<Fault> {
        let parameter = match self {
            NotFound::Form(_) => "form",
            NotFound::Period { .. } | NotFound::BasePeriod { .. } => "period",
            NotFound::Unit { .. } => "unit",
            NotFound::EarlierMap { .. } => "as_of",
        };
        vec![Fault::in_parameter(parameter, self.code(), self.message())]
    }
}
