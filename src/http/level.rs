//! Levels.

use actix_web::{HttpResponse, get, put, web};
use serde::Deserialize;
use utoipa::ToSchema;

use super::answer::{change, tagged};
use super::problem::Problem;
use super::request::{CalledToPut, JsonBody, SeenEtags, SignedIn};
use super::text::NameBody;
use crate::domain::day::Day;
use crate::service::Application;
use crate::service::catalogue::level::{self, EnteredLevel, LevelList, LevelView};

/// List all levels, the highest first.
///
/// With the days from and to which each holds.
#[utoipa::path(
    tag = "units",
    params(SeenEtags),
    responses((status = 200, description = "The levels that the tenant has or had", body = LevelList)),
)]
#[get("/levels")]
pub async fn list_levels(
    application: web::Data<Application>,
    SignedIn(identity): SignedIn,
    seen: SeenEtags,
) -> Result<HttpResponse, Problem> {
    let (state, list) =
        super::blocking(move || level::list_levels(&application, &identity)).await?;
    Ok(tagged(&state, &seen, &list))
}

/// Read a level.
///
/// With the days from and to which it holds. Its ETag is what a change builds on.
#[utoipa::path(
    tag = "units",
    params(
        ("level" = String, Path, description = "The level's code", example = "commune"),
        SeenEtags,
    ),
    responses((status = 200, description = "The level", body = LevelView)),
)]
#[get("/levels/{level}")]
pub async fn get_level(
    application: web::Data<Application>,
    SignedIn(identity): SignedIn,
    code: web::Path<String>,
    seen: SeenEtags,
) -> Result<HttpResponse, Problem> {
    let (state, view) =
        super::blocking(move || level::get_level(&application, &identity, &code)).await?;
    Ok(tagged(&state, &seen, &view))
}

/// A level to add or to change.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LevelBody {
    pub name: NameBody,
    /// The rank; the highest level has the smallest. A unit's parent always has a smaller rank.
    #[schema(minimum = 0, maximum = 99)]
    pub rank: i32,
    /// The first day; by default the level holds from the beginning.
    #[schema(value_type = Option<String>, format = Date)]
    pub valid_from: Option<Day>,
    /// The last day.
    #[schema(value_type = Option<String>, format = Date)]
    pub valid_to: Option<Day>,
}

/// Add a level or change it.
///
/// A rank may not contradict the units that are there. Send `If-Match` to change one;
/// `If-None-Match: *`, or neither, creates one.
#[utoipa::path(
    tag = "units",
    params(
        ("level" = String, Path, description = "The level's code", example = "commune"),
        CalledToPut<JsonBody<LevelBody>>,
    ),
    request_body = LevelBody,
    responses(
        (status = 200, description = "The changed level", body = LevelView),
        (status = 201, description = "The new level", body = LevelView),
    ),
)]
#[put("/levels/{level}")]
pub async fn put_level(
    application: web::Data<Application>,
    code: web::Path<String>,
    CalledToPut { call, body }: CalledToPut<JsonBody<LevelBody>>,
) -> Result<HttpResponse, Problem> {
    let entered = EnteredLevel {
        code: code.into_inner(),
        name: body.name.into(),
        rank: body.rank,
        valid_from: body.valid_from.map(Day::get),
        valid_to: body.valid_to.map(Day::get),
    };
    change(application, call, entered, level::put_level).await
}
