//! Holidays.

use actix_web::{HttpResponse, get, put, web};
use serde::Deserialize;
use utoipa::ToSchema;

use super::answer::{change, tagged};
use super::problem::Problem;
use super::request::{CalledToPut, JsonBody, SeenEtags, SignedIn};
use super::text::NameBody;
use crate::domain::day::Day;
use crate::service::Application;
use crate::service::application::text::EnteredName;
use crate::service::catalogue::holiday::{self, EnteredHoliday, EnteredHolidays, HolidaysView};

/// Read the holidays of a year.
///
/// Deadlines count working days: Monday to Friday and the working Saturdays, without the days off. A
/// year that nobody has entered has its weekends only, and is not found.
#[utoipa::path(
    tag = "catalogue",
    params(
        ("year" = i32, Path, minimum = 1900, maximum = 2199, description = "The calendar year", example = 2026),
        SeenEtags,
    ),
    responses((status = 200, description = "The holidays of the year", body = HolidaysView)),
)]
#[get("/holidays/{year}")]
pub async fn get_holidays(
    application: web::Data<Application>,
    SignedIn(identity): SignedIn,
    year: web::Path<String>,
    seen: SeenEtags,
) -> Result<HttpResponse, Problem> {
    let (state, view) =
        super::blocking(move || holiday::get_holidays(&application, &identity, &year)).await?;
    Ok(tagged(&state, &seen, &view))
}

/// The holidays of a year. They replace everything stored.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HolidaysBody {
    /// The days off besides Saturdays and Sundays: public holidays, and days in lieu (nghỉ bù).
    pub days: Vec<HolidayBody>,
    /// The Saturdays that are worked in exchange for another day (làm bù).
    #[serde(default)]
    #[schema(value_type = Vec<String>, format = Date)]
    pub working_saturdays: Vec<Day>,
}

/// A day off.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HolidayBody {
    #[schema(value_type = String, format = Date)]
    pub day: Day,
    pub name: NameBody,
}

/// Put the holidays of a year.
///
/// Deadlines move with them, of past periods too. But no deadline moves earlier once its period has
/// begun: a day that was off at any time since the period's first day stays off for that period.
/// Send `If-Match` to change them; `If-None-Match: *`, or neither, enters the year's first ones.
#[utoipa::path(
    tag = "catalogue",
    params(
        ("year" = i32, Path, minimum = 1900, maximum = 2199, description = "The calendar year", example = 2026),
        CalledToPut<JsonBody<HolidaysBody>>,
    ),
    request_body = HolidaysBody,
    responses(
        (status = 200, description = "The changed holidays", body = HolidaysView),
        (status = 201, description = "The first holidays of the year", body = HolidaysView),
    ),
)]
#[put("/holidays/{year}")]
pub async fn put_holidays(
    application: web::Data<Application>,
    year: web::Path<String>,
    CalledToPut { call, body }: CalledToPut<JsonBody<HolidaysBody>>,
) -> Result<HttpResponse, Problem> {
    let days = body.days.into_iter().map(|holiday| EnteredHoliday {
        day: holiday.day.get(),
        name: EnteredName::from(holiday.name),
    });
    let entered = EnteredHolidays {
        year: year.into_inner(),
        days: days.collect(),
        working_saturdays: body.working_saturdays.into_iter().map(Day::get).collect(),
    };
    change(application, call, entered, holiday::put_holidays).await
}
