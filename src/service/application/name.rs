//! The names of units and periods in answers.

use serde::Serialize;

use crate::domain::form::FormPeriod;
use crate::domain::hierarchy::Place;
use crate::domain::unit::UnitFact;

/// A unit as other answers name it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct UnitName {
    pub id: String,
    #[schema(example = "30388")]
    pub code: String,
    #[schema(example = "Tân An")]
    pub name: String,
    /// The usual word for such a unit; null if its level has one kind only.
    #[schema(example = "xã")]
    pub kind: Option<String>,
    #[schema(example = "commune")]
    pub level: String,
}

impl UnitName {
    pub(in crate::service) fn of(place: Place<'_>) -> UnitName {
        UnitName::of_fact(place.fact())
    }

    pub(in crate::service) fn of_fact(fact: &UnitFact) -> UnitName {
        UnitName {
            id: fact.unit.to_string(),
            code: fact.code.to_string(),
            name: fact.name.clone(),
            kind: fact.kind.clone(),
            level: fact.level.to_string(),
        }
    }
}

/// A period as an answer names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct PeriodName {
    #[schema(example = "2024")]
    pub key: String,
    /// The first day.
    pub from: chrono::NaiveDate,
    /// The last day (chốt số liệu).
    pub to: chrono::NaiveDate,
}

impl PeriodName {
    pub(in crate::service) fn of(period: &FormPeriod<'_>) -> PeriodName {
        PeriodName {
            key: period.period.to_string(),
            from: period.range.from,
            to: period.range.to,
        }
    }
}
