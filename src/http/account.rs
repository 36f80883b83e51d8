//! Accounts of people.

use actix_web::{HttpRequest, HttpResponse, get, post, put, web};
use chrono::NaiveDate;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::answer::{change, change_named, tagged};
use super::problem::Problem;
use super::request::page::{page_request, page_response};
use super::request::{
    Called, CalledOn, JsonBody, NoBody, Now, Params, SeenEtags, SignedIn, TextBody,
};
use crate::authz::Role;
use crate::domain::day::Day;
use crate::service::Application;
use crate::service::application::import_mode::ImportMode;
use crate::service::application::page::Page;
use crate::service::people::account::{
    self, AccountFilter, AccountStatus, AccountView, EnteredPerson, NewAccount, PutAccount,
    PutGrants,
};
use crate::service::people::grant::EnteredGrant;
use crate::service::people::hand_over::{self, EnteredHandOver};
use crate::service::people::import::{self, PeopleImportResult, PeopleList};
use crate::service::people::invitation::{self, InvitationView, InvitedAccount};

/// An account in a path.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct AccountPath {
    /// Its id.
    account: String,
}

/// The accounts to list.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct AccountParams {
    /// Accounts with a role at this unit or below it: its id, or `code:` and its code.
    #[param(nullable = false, example = "code:30388")]
    unit: Option<String>,
    /// A part of the login, the name or the telephone number. Accents and case make no difference.
    #[param(nullable = false)]
    q: Option<String>,
    /// Accounts of this status only.
    #[param(nullable = false, inline)]
    status: Option<AccountStatus>,
    /// The `next` of the previous page; omit it for the first page.
    #[param(nullable = false)]
    cursor: Option<String>,
    /// The most items to return.
    #[param(nullable = false, minimum = 1, maximum = 1000, default = 100)]
    limit: Option<usize>,
}

/// List the accounts of the people whom the caller manages, by login.
///
/// Those are the accounts with a role in the subtrees that the caller manages; for an administrator
/// of the tenant, all.
#[utoipa::path(
    tag = "people",
    params(AccountParams, SeenEtags),
    responses(
        (status = 200, description = "A page of accounts", body = Page<AccountView>),
        super::refusal::NotThere,
    ),
)]
#[get("/accounts")]
pub async fn list_accounts(
    application: web::Data<Application>,
    SignedIn(identity): SignedIn,
    request: HttpRequest,
    Params(params): Params<AccountParams>,
    now: Now,
    seen: SeenEtags,
) -> Result<HttpResponse, Problem> {
    let page = page_request(params.cursor, params.limit)?;
    let filter = AccountFilter {
        unit: params.unit,
        text: params.q,
        status: params.status,
    };
    let accounts = super::blocking(move || {
        account::list_accounts(&application, &identity, &filter, &page, now.0)
    });
    Ok(page_response(&request, &seen, &accounts.await?))
}

/// Read an account.
///
/// Its ETag is what a change of the account builds on.
#[utoipa::path(
    tag = "people",
    params(AccountPath, SeenEtags),
    responses((status = 200, description = "The account", body = AccountView)),
)]
#[get("/accounts/{account}")]
pub async fn get_account(
    application: web::Data<Application>,
    SignedIn(identity): SignedIn,
    path: web::Path<AccountPath>,
    seen: SeenEtags,
    now: Now,
) -> Result<HttpResponse, Problem> {
    let (state, view) = super::blocking(move || {
        account::get_account(&application, &identity, &path.account, now.0)
    })
    .await?;
    Ok(tagged(&state, &seen, &view))
}

/// A role to give.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GrantBody {
    pub role: Role,
    /// The unit on whose subtree the role holds: its id, or `code:` and its code. Omit it for
    /// `tenant_admin`, and for no other role.
    #[schema(example = "code:30388-01")]
    pub unit: Option<String>,
    /// The first day; by default today.
    #[schema(value_type = Option<String>, format = Date)]
    pub from: Option<Day>,
    /// The last day; by default until further notice.
    #[schema(value_type = Option<String>, format = Date)]
    pub to: Option<Day>,
}

impl From<GrantBody> for EnteredGrant {
    fn from(body: GrantBody) -> EnteredGrant {
        EnteredGrant {
            role: body.role,
            unit: body.unit,
            from: body.from.map(Day::get),
            to: body.to.map(Day::get),
        }
    }
}

fn entered(grants: Vec<GrantBody>) -> Vec<EnteredGrant> {
    grants.into_iter().map(EnteredGrant::from).collect()
}

/// An account to create.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewAccountBody {
    /// The text with which its owner signs in, often a telephone number.
    #[schema(example = "0912345678")]
    pub login: String,
    #[schema(example = "Ấp Tân Hòa A")]
    pub name: String,
    #[schema(example = "0912 345 678")]
    pub telephone: Option<String>,
    #[serde(default)]
    pub grants: Vec<GrantBody>,
}

/// Create an account. Its owner chooses a password by an invitation.
///
/// The invitation is in this answer only: give it to the owner, who signs in once a password is
/// chosen.
#[utoipa::path(
    tag = "people",
    params(Called<JsonBody<NewAccountBody>>),
    request_body = NewAccountBody,
    responses((status = 201, description = "The new account", body = AccountView)),
)]
#[post("/accounts")]
pub async fn create_account(
    application: web::Data<Application>,
    Called { call, body }: Called<JsonBody<NewAccountBody>>,
) -> Result<HttpResponse, Problem> {
    let new = NewAccount {
        person: EnteredPerson {
            login: body.login,
            name: body.name,
            telephone: body.telephone,
        },
        grants: entered(body.grants),
    };
    change(application, call, new, account::create_account).await
}

/// The way to import.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PeopleImportParams {
    /// If true, check the list and write nothing.
    #[param(nullable = false, default = false)]
    dry_run: Option<bool>,
}

/// Create the accounts of a list of people, all or none, and invite everybody.
///
/// The roles begin today. The codes of the invitations are shown once: keep the answer, and hand them
/// out.
#[utoipa::path(
    tag = "people",
    params(PeopleImportParams, Called<TextBody>),
    request_body(
        content = String,
        content_type = "text/csv",
        example = json!("login,name,telephone,role,unit_code\n0923456789,Lê Thị Cúc,0923 456 789,reporter,30388-02\n"),
    ),
    responses((status = 200, description = "What was done, and the invitations", body = PeopleImportResult)),
)]
#[post("/accounts/import")]
pub async fn import_accounts(
    application: web::Data<Application>,
    Params(params): Params<PeopleImportParams>,
    Called { call, body }: Called<TextBody>,
) -> Result<HttpResponse, Problem> {
    let list = PeopleList {
        csv: body,
        mode: ImportMode::of_parameter(params.dry_run),
    };
    change(application, call, list, import::import_accounts).await
}

/// The data of an account.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AccountBody {
    #[schema(example = "0912345678")]
    pub login: String,
    #[schema(example = "Ấp Tân Hòa A")]
    pub name: String,
    #[schema(example = "0912 345 678")]
    pub telephone: Option<String>,
}

impl From<AccountBody> for EnteredPerson {
    fn from(body: AccountBody) -> EnteredPerson {
        EnteredPerson {
            login: body.login,
            name: body.name,
            telephone: body.telephone,
        }
    }
}

/// Change an account's login, name and telephone number.
///
/// All three are replaced: a telephone number that is left out is removed. The account keeps its id,
/// its password and its roles.
#[utoipa::path(
    tag = "people",
    params(AccountPath, CalledOn<JsonBody<AccountBody>>),
    request_body = AccountBody,
    responses((status = 200, description = "The changed account", body = AccountView)),
)]
#[put("/accounts/{account}")]
pub async fn put_account(
    application: web::Data<Application>,
    path: web::Path<AccountPath>,
    CalledOn { call, body }: CalledOn<JsonBody<AccountBody>>,
) -> Result<HttpResponse, Problem> {
    let put = PutAccount {
        id: path.into_inner().account,
        person: body.into(),
    };
    change(application, call, put, account::put_account).await
}

/// Replace the roles of an account.
///
/// Roles that ended are left alone. A role that has begun and is not named ends yesterday.
#[utoipa::path(
    tag = "people",
    params(AccountPath, CalledOn<JsonBody<Vec<GrantBody>>>),
    request_body = Vec<GrantBody>,
    responses((status = 200, description = "The account with its new roles", body = AccountView)),
)]
#[put("/accounts/{account}/grants")]
pub async fn put_grants(
    application: web::Data<Application>,
    path: web::Path<AccountPath>,
    CalledOn { call, body }: CalledOn<JsonBody<Vec<GrantBody>>>,
) -> Result<HttpResponse, Problem> {
    let put = PutGrants {
        id: path.into_inner().account,
        grants: entered(body),
    };
    change(application, call, put, account::put_grants).await
}

/// Invite the owner of an account to choose a password: the first one, or one for a forgotten one.
///
/// The code is good once and for seven days. Pass it or the link on to the owner; it is not shown
/// again. An earlier code of the account serves no more.
#[utoipa::path(
    tag = "people",
    params(AccountPath, Called<NoBody>),
    responses((status = 201, description = "The invitation", body = InvitationView)),
)]
#[post("/accounts/{account}/invitation")]
pub async fn invite_account(
    application: web::Data<Application>,
    path: web::Path<AccountPath>,
    Called { call, .. }: Called<NoBody>,
) -> Result<HttpResponse, Problem> {
    change_named(
        application,
        call,
        path.into_inner().account,
        invitation::invite_account,
    )
    .await
}

/// Disable an account: nobody signs in with it, and its tokens serve no more.
///
/// Its roles and what it has entered stay. `enable_account` takes it back.
#[utoipa::path(
    tag = "people",
    params(AccountPath, CalledOn<NoBody>),
    responses((status = 200, description = "The disabled account", body = AccountView)),
)]
#[post("/accounts/{account}/disable")]
pub async fn disable_account(
    application: web::Data<Application>,
    path: web::Path<AccountPath>,
    CalledOn { call, .. }: CalledOn<NoBody>,
) -> Result<HttpResponse, Problem> {
    change_named(
        application,
        call,
        path.into_inner().account,
        account::disable_account,
    )
    .await
}

/// Enable an account again.
///
/// It has the roles that it had, and its owner signs in with the password that it had.
#[utoipa::path(
    tag = "people",
    params(AccountPath, CalledOn<NoBody>),
    responses((status = 200, description = "The enabled account", body = AccountView)),
)]
#[post("/accounts/{account}/enable")]
pub async fn enable_account(
    application: web::Data<Application>,
    path: web::Path<AccountPath>,
    CalledOn { call, .. }: CalledOn<NoBody>,
) -> Result<HttpResponse, Problem> {
    change_named(
        application,
        call,
        path.into_inner().account,
        account::enable_account,
    )
    .await
}

/// The next holder of an account's duties.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HandOverBody {
    #[schema(example = "0987654321")]
    pub login: String,
    #[schema(example = "Ấp Tân Hòa A")]
    pub name: String,
    #[schema(example = "0987 654 321")]
    pub telephone: Option<String>,
    /// The first day of the next holder: today or later.
    #[schema(value_type = String, format = Date, example = "2026-12-01")]
    pub on: Day,
}

/// Hand the duties of an account over to the next holder.
///
/// A new account gets all roles from that day on; those of this account end the day before. The
/// invitation of the next holder comes back, and is shown once.
#[utoipa::path(
    tag = "people",
    params(AccountPath, CalledOn<JsonBody<HandOverBody>>),
    request_body = HandOverBody,
    responses((status = 201, description = "The next holder's account and invitation", body = InvitedAccount)),
)]
#[post("/accounts/{account}/hand-over")]
pub async fn hand_over_account(
    application: web::Data<Application>,
    path: web::Path<AccountPath>,
    CalledOn { call, body }: CalledOn<JsonBody<HandOverBody>>,
) -> Result<HttpResponse, Problem> {
    let on: NaiveDate = body.on.get();
    let handed = EnteredHandOver {
        from: path.into_inner().account,
        to: EnteredPerson {
            login: body.login,
            name: body.name,
            telephone: body.telephone,
        },
        on,
    };
    change(application, call, handed, hand_over::hand_over_account).await
}
