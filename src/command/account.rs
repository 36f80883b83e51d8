//! The operator's commands on accounts: the way back when nobody can sign in, and the first accounts
//! of a tenant. Decides nothing about rights.

use chrono::{DateTime, Utc};
use clap::{Args, Subcommand};
use comfy_table::{Table, presets};

use tonghop::authz::Scope;
use tonghop::service::Application;
use tonghop::service::application::page::{MOST, Page, PageRequest};
use tonghop::service::people::account::{AccountFilter, AccountView};
use tonghop::service::people::grant::{EnteredGrant, GrantView};
use tonghop::service::people::invitation::InvitationView;
use tonghop::service::people::operator::{
    EnteredAccount, OperatorDeed, add_account, change_as_operator, invite_as_operator,
    list_as_operator,
};
use tonghop::service::people::tenant::find_tenant;

use super::local_time::LocalTime;
use super::output::print_line;
use super::password::choose_password;
use crate::{Failure, explained};

#[derive(Subcommand)]
pub enum AccountCommand {
    /// List accounts with their roles.
    List {
        /// The tenant's short name (slug).
        #[arg(long)]
        tenant: String,
        /// List only accounts with this in the login, the name or the telephone number.
        #[arg(long)]
        search: Option<String>,
    },
    /// Create an account. Its password is asked for, or is the first line of standard input; with
    /// --invite its owner chooses one.
    Create(CreateArguments),
    /// Invite an account's owner to choose a password: the first one, or one for a forgotten one.
    Invite(AccountArguments),
    /// Disable an account: nobody signs in with it, and whoever is signed in with it is signed out.
    Disable(AccountArguments),
    /// Enable an account again.
    Enable(AccountArguments),
    /// Give roles to an account, or end them.
    Grant {
        #[command(flatten)]
        account: AccountArguments,
        /// A role to give, such as reporter@code:30388, or tenant_admin. May be repeated.
        #[arg(
            long = "grant",
            value_name = "ROLE@UNIT",
            required_unless_present = "end"
        )]
        give: Vec<EnteredGrant>,
        /// A role that ends today, such as reporter@code:30388. May be repeated.
        #[arg(long, value_name = "ROLE@UNIT")]
        end: Vec<EnteredGrant>,
    },
}

#[derive(Args)]
pub struct CreateArguments {
    #[command(flatten)]
    account: AccountArguments,
    /// The name of the account's holder.
    #[arg(long)]
    name: String,
    /// The holder's telephone number.
    #[arg(long)]
    telephone: Option<String>,
    /// A role on a unit, such as reporter@code:30388, or tenant_admin. May be repeated.
    #[arg(long = "grant", value_name = "ROLE@UNIT", required = true)]
    grants: Vec<EnteredGrant>,
    /// Print an invitation for the holder, instead of taking a password.
    #[arg(long)]
    invite: bool,
}

#[derive(Args)]
pub struct AccountArguments {
    /// The tenant's short name (slug).
    #[arg(long)]
    tenant: String,
    /// The name with which the account's holder signs in.
    #[arg(long)]
    login: String,
}

/// Runs a command on accounts.
pub fn run(
    application: &Application,
    command: AccountCommand,
    now: DateTime<Utc>,
) -> Result<(), Failure> {
    let scope_of = |tenant: &str| find_tenant(&application.database, tenant).map_err(explained);
    let change = |account: &AccountArguments, deed: &OperatorDeed| {
        let scope = scope_of(&account.tenant)?;
        let changed = change_as_operator(application, &scope, &account.login, deed, now);
        let clock = LocalTime::of(application, &scope)?;
        print_line(table_of(&[changed.map_err(explained)?], clock))?;
        Ok::<_, Failure>(())
    };
    match command {
        AccountCommand::List { tenant, search } => {
            list(application, &scope_of(&tenant)?, search, now)
        }
        AccountCommand::Create(arguments) => create(
            application,
            &scope_of(&arguments.account.tenant)?,
            arguments,
            now,
        ),
        AccountCommand::Invite(account) => invite(
            application,
            &scope_of(&account.tenant)?,
            &account.login,
            now,
        ),
        AccountCommand::Disable(account) => change(&account, &OperatorDeed::Disable),
        AccountCommand::Enable(account) => change(&account, &OperatorDeed::Enable),
        AccountCommand::Grant { account, give, end } => {
            change(&account, &OperatorDeed::Grant { give, end })
        }
    }
}

fn list(
    application: &Application,
    scope: &Scope,
    search: Option<String>,
    now: DateTime<Utc>,
) -> Result<(), Failure> {
    let filter = AccountFilter {
        text: search,
        ..AccountFilter::default()
    };
    let mut request = PageRequest {
        after: None,
        limit: MOST,
    };
    let clock = LocalTime::of(application, scope)?;
    loop {
        let page = list_as_operator(application, scope, &filter, &request, now);
        let Page { items, next } = page.map_err(explained)?;
        print_line(table_of(&items, clock))?;
        if next.is_none() {
            return Ok(());
        }
        request.after = next;
    }
}

fn create(
    application: &Application,
    scope: &Scope,
    arguments: CreateArguments,
    now: DateTime<Utc>,
) -> Result<(), Failure> {
    let login = arguments.account.login;
    let entered = EnteredAccount {
        login: login.clone(),
        name: arguments.name,
        telephone: arguments.telephone,
        password: match arguments.invite {
            true => None,
            false => Some(choose_password(&login)?),
        },
        grants: arguments.grants,
    };
    let id = add_account(application, scope, &entered, now).map_err(explained)?;
    print_line(format_args!("{login} {id}"))?;
    match entered.password {
        Some(_) => Ok(()),
        None => invite(application, scope, &login, now),
    }
}

fn invite(
    application: &Application,
    scope: &Scope,
    login: &str,
    now: DateTime<Utc>,
) -> Result<(), Failure> {
    let invitation = invite_as_operator(application, scope, login, now).map_err(explained)?;
    let InvitationView {
        code,
        link,
        expires_at,
    } = invitation;
    print_line(format_args!("code: {}", code.unwrap_or_default()))?;
    print_line(format_args!("link: {}", link.unwrap_or_default()))?;
    let until = LocalTime::of(application, scope)?.written(expires_at);
    print_line(format_args!("good until: {until}"))?;
    Ok(())
}

fn table_of(accounts: &[AccountView], clock: LocalTime) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED);
    table.set_header([
        "login",
        "name",
        "telephone",
        "status",
        "roles",
        "last signed in",
    ]);
    for account in accounts {
        let roles: Vec<String> = account.grants.iter().map(role_of).collect();
        let signed_in = account.last_signed_in;
        table.add_row([
            account.login.clone(),
            account.name.clone(),
            account.telephone.clone().unwrap_or_default(),
            format!("{:?}", account.status).to_lowercase(),
            roles.join("\n"),
            signed_in.map_or_else(String::new, |at| clock.written(at)),
        ]);
    }
    table
}

/// Writes a role as the commands take it, with its days.
fn role_of(grant: &GrantView) -> String {
    let unit = grant
        .unit
        .as_ref()
        .map(|unit| format!("@code:{}", unit.code));
    let from = Some(format!(" from {}", grant.from));
    let to = grant.to.map(|to| format!(" to {to}"));
    [unit, from, to]
        .into_iter()
        .flatten()
        .fold(grant.role.to_string(), |text, part| text + &part)
}
