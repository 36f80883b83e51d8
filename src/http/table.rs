//! Tables: as a document, or as a file for a spreadsheet.

use std::borrow::Cow;

use actix_web::http::header::{self, Accept, Header, HeaderValue, VARY};
use actix_web::{HttpRequest, HttpResponse, get, web};
use serde::de::IntoDeserializer;
use serde::de::value::Error as UnknownName;
use serde::{Deserialize, Serialize};
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, SchemaFormat, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{IntoParams, PartialSchema, ToSchema};

use super::answer::conditional;
use super::problem::{Problem, Recipient};
use super::refusal::AgainstRules;
use super::request::{Params, SeenEtags, SignedIn, listed};
use crate::document::table::{ByteOrderMark, write_csv, write_xlsx};
use crate::domain::day::Day;
use crate::domain::submission::Stage;
use crate::error::{Code, Language};
use crate::message;
use crate::service::Application;
use crate::service::application::answers::Encoded;
use crate::service::report::table::{self, Addition, AskedColumns, TableQuery, TableView};
use crate::store::StoreError;

/// The figures of a table, and the way in which it is written.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct TableParams {
    /// The period whose indicators are in the columns.
    #[param(nullable = false, example = "2024")]
    period: Option<String>,
    /// Of a period: the indicators to show, with commas between them; an option of a breakdown in brackets.
    /// Without it, all that the form has, with all options.
    #[param(
        nullable = false,
        example = "fund.raised,docs.issued[plan]",
        max_length = 8000,
        pattern = r"^[a-z0-9_.\[\],]+$"
    )]
    indicators: Option<String>,
    /// Instead of a period: the first of the periods in the columns.
    #[param(nullable = false)]
    from: Option<String>,
    /// The last of the periods in the columns, of the same sort.
    #[param(nullable = false)]
    to: Option<String>,
    /// The indicator of these periods, with an option in brackets or without.
    #[param(nullable = false, max_length = 200, pattern = r"^[a-z0-9_.\[\]]+$")]
    indicator: Option<String>,
    /// The units in the rows: `children`, `level:` and the code of a level, or `subtree` for all below the
    /// unit.
    #[param(
        nullable = false,
        default = "children",
        example = "children",
        max_length = 46,
        pattern = "^(children|subtree|level:[a-z][a-z0-9_]*)$"
    )]
    rows: Option<String>,
    /// `submitted` counts everything submitted, `approved` only what was approved too.
    #[param(nullable = false, inline)]
    stage: Option<Stage>,
    /// The day whose map the figures are put on: the (last) period's last day or a later one. Without it,
    /// each period's figures are as they were.
    #[param(nullable = false, example = "2025-07-01", value_type = Option<String>, format = Date)]
    as_of: Option<Day>,
    /// More beside each figure, with commas between: `previous` (the same period a year before), `target`;
    /// and `completeness` of each row.
    #[param(
        nullable = false,
        example = "previous,target,completeness",
        value_type = Option<String>,
        max_length = 60,
        pattern = "^(previous|target|completeness)(,(previous|target|completeness))*$"
    )]
    include: Option<Additions>,
    /// How the table is written; without it, as `Accept` says.
    #[param(nullable = false, inline)]
    format: Option<TableFormat>,
    /// Whether CSV begins with a byte order mark, by which some spreadsheets know UTF-8.
    #[param(nullable = false, default = false)]
    bom: Option<bool>,
}

/// A list of additions: `previous,target`.
#[derive(Debug, Deserialize)]
#[serde(try_from = "String")]
struct Additions(Vec<Addition>);

impl TryFrom<String> for Additions {
    type Error = UnknownName;

    fn try_from(list: String) -> Result<Additions, Self::Error> {
        let named = list.split(',');
        let additions = named.map(|name| Addition::deserialize(name.into_deserializer()));
        additions.collect::<Result<_, _>>().map(Additions)
    }
}

/// A way to write a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TableFormat {
    Json,
    Csv,
    Xlsx,
}

/// An XLSX file, as the document describes it.
pub enum Spreadsheet {}

impl PartialSchema for Spreadsheet {
    fn schema() -> RefOr<Schema> {
        let binary = SchemaFormat::KnownFormat(KnownFormat::Binary);
        let file = ObjectBuilder::new().schema_type(Type::String);
        file.format(Some(binary)).into()
    }
}

impl ToSchema for Spreadsheet {
    fn name() -> Cow<'static, str> {
        "Spreadsheet".into()
    }
}

const CSV: &str = "text/csv";
const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

impl TableFormat {
    /// Returns the first of the formats among those that the caller accepts, the most wanted first.
    fn accepted(request: &HttpRequest) -> TableFormat {
        let accepted = Accept::parse(request).map(|accept| accept.ranked());
        let types = accepted.unwrap_or_default().into_iter();
        let mut formats = types.filter_map(|accepted| match accepted.essence_str() {
            "application/json" | "application/*" | "*/*" => Some(TableFormat::Json),
            CSV | "text/*" => Some(TableFormat::Csv),
            XLSX => Some(TableFormat::Xlsx),
            _ => None,
        });
        formats.next().unwrap_or(TableFormat::Json)
    }
}

/// A table as it is written. Part of what its answer depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
enum Written {
    Json,
    Csv(ByteOrderMark),
    Xlsx,
}

impl Written {
    fn wanted(params: &TableParams, request: &HttpRequest) -> Written {
        let format = params.format;
        match format.unwrap_or_else(|| TableFormat::accepted(request)) {
            TableFormat::Json => Written::Json,
            TableFormat::Xlsx => Written::Xlsx,
            TableFormat::Csv if params.bom == Some(true) => Written::Csv(ByteOrderMark::Written),
            TableFormat::Csv => Written::Csv(ByteOrderMark::LeftOut),
        }
    }

    fn encode(self, view: &TableView, language: Language) -> Result<Encoded, StoreError> {
        let written = match self {
            Written::Json => return Encoded::new(view),
            Written::Csv(mark) => write_csv(view, language, mark),
            Written::Xlsx => write_xlsx(view, language),
        };
        let written = written.map_err(|error| StoreError::Corrupt(error.to_string()));
        Ok(Encoded::of_bytes(written?))
    }

    fn content_type(self) -> &'static str {
        match self {
            Written::Json => "application/json",
            Written::Csv(_) => "text/csv; charset=utf-8",
            Written::Xlsx => XLSX,
        }
    }

    /// Returns the end of the name of a file to save; `None` for a document.
    fn extension(self) -> Option<&'static str> {
        match self {
            Written::Json => None,
            Written::Csv(_) => Some("csv"),
            Written::Xlsx => Some("xlsx"),
        }
    }
}

impl TableParams {
    /// Reads which columns are asked for: indicators of a period, or periods of an indicator.
    fn columns(&self) -> Result<AskedColumns, Problem> {
        let TableParams {
            period,
            indicators,
            from,
            to,
            indicator,
            ..
        } = self;
        match (period, indicators, from, to, indicator) {
            (Some(period), indicators, None, None, None) => Ok(AskedColumns::Indicators {
                period: period.clone(),
                indicators: indicators.as_deref().map(listed),
            }),
            (None, None, Some(from), Some(to), Some(indicator)) => Ok(AskedColumns::Periods {
                indicator: indicator.clone(),
                from: from.clone(),
                to: to.clone(),
            }),
            _ => {
                let message = message!("table-columns");
                Err(Problem::new(Code::InvalidParameter, message))
            }
        }
    }
}

/// Read figures of many units side by side.
///
/// One request for a dashboard's page: some indicators of all children, with the year before, the target and
/// the completeness (`period=2024&rows=children&include=previous,target,completeness`); one indicator over
/// all units of a level (`rows=level:commune`); or an indicator over several periods
/// (`from=2024-01&to=2024-12&indicator=…`). All figures are of one moment, and each is the one that
/// `get_rollup` shows. As CSV or XLSX the headings are in the language of the reader.
#[utoipa::path(
    tag = "reports",
    params(
        ("form" = String, Path, description = "The form's code", example = "mttq.annual"),
        ("unit" = String, Path, description = "The unit's id, or `code:` and the code that it has on the (last) period's last day", example = "code:30388"),
        TableParams,
        SeenEtags,
    ),
    responses(
        (status = 200, description = "The table; nulls and 0 of n where there is nothing yet", content(
            (TableView = "application/json"),
            (String = "text/csv"),
            (Spreadsheet = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        )),
        AgainstRules,
    ),
)]
#[get("/forms/{form}/units/{unit}/table")]
pub async fn get_table(
    request: HttpRequest,
    application: web::Data<Application>,
    SignedIn(identity): SignedIn,
    path: web::Path<(String, String)>,
    Params(params): Params<TableParams>,
    seen: SeenEtags,
) -> Result<HttpResponse, Problem> {
    let written = Written::wanted(&params, &request);
    let (form, unit) = path.into_inner();
    let query = TableQuery {
        form,
        unit,
        columns: params.columns()?,
        rows: params.rows.unwrap_or_else(|| "children".to_owned()),
        stage: params.stage.unwrap_or_default(),
        as_of: params.as_of.map(Day::get),
        additions: params.include.map(|Additions(all)| all).unwrap_or_default(),
        language: Recipient::received(&request).language(),
    };
    let name = file_name(&query);
    let kept = table::kept_table(&application, &identity, (&query, &written)).await;
    let known = kept.and_then(|kept| match seen.matches(&kept.etag) {
        true => Some(kept.for_its_reader()),
        false => kept.whole(),
    });
    let encoded = match known {
        Some(known) => known,
        None => {
            let read = move || {
                let encode = |view: &TableView| written.encode(view, query.language);
                table::get_encoded_table(&application, &identity, (&query, &written), encode)
            };
            super::blocking(read).await?
        }
    };
    Ok(answer(encoded, written, &name, &seen))
}

fn answer(encoded: Encoded, written: Written, name: &str, seen: &SeenEtags) -> HttpResponse {
    let Encoded { etag, body } = encoded;
    let mut response = conditional(&etag, seen, |mut response| {
        if let Some(extension) = written.extension() {
            let file = format!("attachment; filename=\"{name}.{extension}\"");
            response.insert_header((header::CONTENT_DISPOSITION, file));
        }
        response.content_type(written.content_type()).body(body)
    });
    // Another Accept or another language would have got another answer.
    let varying = HeaderValue::from_static("Accept, Accept-Language");
    response.headers_mut().append(VARY, varying);
    response
}

/// Names a file after the form, the periods and the unit, by letters that every system takes.
fn file_name(query: &TableQuery) -> String {
    let periods = match &query.columns {
        AskedColumns::Indicators { period, .. } => period.clone(),
        AskedColumns::Periods { from, to, .. } => format!("{from}-{to}"),
    };
    let unit = query.unit.trim_start_matches("code:");
    let name = format!("{}-{periods}-{unit}", query.form);
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '-');
    let letters = name.chars();
    letters
        .map(|letter| if is_plain(letter) { letter } else { '_' })
        .collect()
}
