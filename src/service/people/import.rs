//! The import of people: a list of accounts is created as a whole, or checked only, and everybody
//! gets an invitation to hand out.

use std::collections::{BTreeMap, HashMap, HashSet};

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::authz::{Grant, Permit, Role, Scope};
use crate::domain::fault::FieldPath;
use crate::domain::id::{Login, UnitCode, UnitId};
use crate::domain::text::composed;
use crate::error::{Code, Fault, FaultPlace, Message};
use crate::locale::Quoted;
use crate::message;
use crate::path;
use crate::service::application::Application;
use crate::service::application::call::Call;
use crate::service::application::change::{ChangeItem, ChangeKind};
use crate::service::application::door::Written;
use crate::service::application::idempotency::{Outcome, Reply};
use crate::service::application::import_mode::ImportMode;
use crate::service::application::snapshot::Snapshot;
use crate::service::application::table::{Listed, in_order_of_list, read_list};
use crate::service::people::account::{
    AccountError, EnteredPerson, Person, PersonData, insert_people, items_of_new, read_person,
};
use crate::service::people::grant::{EnteredGrant, GrantReader, to_give};
use crate::service::people::invitation::{InvitationView, new_invitation, slug_of};
use crate::store::Transaction;
use crate::store::account::logins_taken;
use crate::store::invitation::invitations_insert;

/// The most people of one list.
const MOST_PEOPLE: usize = 2_000;

const COLUMNS: [&str; 5] = ["login", "name", "telephone", "role", "unit_code"];

/// A list of people to create.
#[derive(Debug, Clone)]
pub struct PeopleList {
    /// CSV (RFC 4180) with the columns `login,name,telephone,role,unit_code`. A person with several
    /// roles has several rows.
    pub csv: String,
    pub mode: ImportMode,
}

/// The effect of an import of people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct PeopleImportResult {
    pub dry_run: bool,
    /// The number of new accounts.
    pub created: usize,
    /// The invitations to hand out, in the order of the list; empty in a dry run.
    pub invitations: Vec<HandOut>,
    /// The tenant's rev of the import; null if nothing was written.
    pub rev: Option<i64>,
}

/// An invitation, and whom to give it to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct HandOut {
    pub login: String,
    pub name: String,
    pub telephone: Option<String>,
    /// The code of the unit of the first role; null for a role on the whole tenant.
    pub unit_code: Option<String>,
    pub invitation: InvitationView,
}

impl HandOut {
    fn of(person: &Person, unit_code: Option<String>, invitation: InvitationView) -> HandOut {
        let account = &person.account;
        HandOut {
            login: account.login.to_string(),
            name: account.name.clone(),
            telephone: account.telephone.clone(),
            unit_code,
            invitation,
        }
    }
}

#[derive(Debug, Clone, Deserialize)]
struct PersonRow {
    login: String,
    name: String,
    telephone: String,
    role: String,
    unit_code: String,
}

/// A person to create, from one or several rows.
struct NewPerson {
    data: PersonData,
    grants: Vec<Grant>,
    unit_code: Option<String>,
}

/// Creates all people of a list with invitations, or none.
///
/// # Errors
/// [`AccountError`], with every fault of every row.
pub fn import_accounts(
    application: &Application,
    call: &Call,
    list: &PeopleList,
) -> Result<Reply, AccountError> {
    let rows = read_rows(&list.csv)?;
    match list.mode {
        ImportMode::DryRun => application.reading(&call.identity, |transaction, snapshot| {
            let today = snapshot.today(call.now);
            let _permit = to_import(snapshot, &rows.listed, today)?;
            let people = plan(transaction, snapshot, &rows, today)?;
            let result = PeopleImportResult {
                dry_run: true,
                created: people.len(),
                invitations: Vec::new(),
                rev: None,
            };
            Ok(Reply::new(Outcome::Done, None, &result)?)
        }),
        ImportMode::Write => write(application, call, &rows),
    }
}

fn write(application: &Application, call: &Call, rows: &PeopleRows) -> Result<Reply, AccountError> {
    let slug = slug_of(application, &Scope::of(&call.identity))?;
    application.changing(call, |change| {
        let snapshot = change.snapshot;
        let today = snapshot.today(call.now);
        let permit = to_import(snapshot, &rows.listed, today)?;
        change.once(permit, |transaction, _| {
            let rev = snapshot.counters.rev;
            let planned = plan(transaction, snapshot, rows, today)?;
            let mut people = Vec::with_capacity(planned.len());
            let mut invitations = Vec::with_capacity(planned.len());
            let mut hand_outs = Vec::with_capacity(planned.len());
            for new in planned {
                let person = Person::new(new.data, new.grants, rev);
                let id = person.account.id;
                let (invitation, view) = new_invitation(application, &slug, id, call.now)?;
                hand_outs.push(HandOut::of(&person, new.unit_code, view));
                invitations.push(invitation);
                people.push(person);
            }
            insert_people(transaction, snapshot, &people, call.now)?;
            invitations_insert(transaction, &invitations)?;
            let items = people.iter().flat_map(|person| {
                let invited = person.item(ChangeKind::AccountInvited);
                items_of_new(person).into_iter().chain([invited])
            });
            let items: Vec<ChangeItem> = items.collect();
            let result = PeopleImportResult {
                dry_run: false,
                created: hand_outs.len(),
                invitations: hand_outs,
                rev: Some(rev),
            };
            let reply = Reply::new(Outcome::Done, None, &result)?;
            Ok(Written::new(
                reply.keeping(&result.without_secrets())?,
                items,
            ))
        })
    })
}

impl PeopleImportResult {
    fn without_secrets(&self) -> PeopleImportResult {
        let mut result = self.clone();
        for hand_out in &mut result.invitations {
            hand_out.invitation = hand_out.invitation.without_secret();
        }
        result
    }
}

/// Permits giving every role of the list. Rows with faults are told of later.
fn to_import(
    snapshot: &Snapshot,
    rows: &[Listed<PersonRow>],
    today: NaiveDate,
) -> Result<Permit, AccountError> {
    let reader = GrantReader::of_new_account(snapshot, today);
    let mut grants = Vec::with_capacity(rows.len());
    for listed in rows {
        let mut told_later = Vec::new();
        let entered = grant_of(&listed.row, &path![], snapshot, today, &mut told_later);
        grants.extend(reader.read(entered.as_slice(), &path![], &mut told_later));
    }
    let (access, hierarchy) = (&snapshot.access, &snapshot.hierarchy);
    Ok(to_give(access, hierarchy, today, &grants)?)
}

/// The rows of a list, and the faults of those that cannot be read.
struct PeopleRows {
    listed: Vec<Listed<PersonRow>>,
    unreadable: Vec<Fault>,
}

/// Reads the rows. A list without a readable one, or with too many, is refused at once.
fn read_rows(csv: &str) -> Result<PeopleRows, AccountError> {
    let (listed, mut faults) = read_list::<PersonRow>(
        csv,
        &COLUMNS,
        |line| message!("people-list-wrong-columns", line),
        || message!("people-list-empty"),
    );
    let is_too_long = listed.len() > MOST_PEOPLE;
    if is_too_long {
        let message = message!("people-list-too-long", most = MOST_PEOPLE);
        faults.push(Fault::in_body(path![], Code::InvalidValue, message));
    }
    match listed.is_empty() || is_too_long {
        true => Err(AccountError::Invalid(faults)),
        false => Ok(PeopleRows {
            listed,
            unreadable: faults,
        }),
    }
}

/// Reads all rows as people, and collects every fault.
fn plan(
    transaction: &mut Transaction<'_>,
    snapshot: &Snapshot,
    rows: &PeopleRows,
    today: NaiveDate,
) -> Result<Vec<NewPerson>, AccountError> {
    let mut faults = Vec::new();
    // By login, as it is stored.
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    let mut people: Vec<ListedPerson<'_>> = Vec::new();
    for Listed { index, row, .. } in &rows.listed {
        let index = *index;
        let at = path![index];
        let grant = grant_of(row, &at, snapshot, today, &mut faults);
        let roles = grant.map(|grant| (index, grant));
        let login = row.login.parse::<Login>();
        let login = login.map_or_else(|_| row.login.clone(), |login| login.to_string());
        let known = places.get(&login);
        match known.and_then(|place| people.get_mut(*place)) {
            None => {
                places.insert(login, people.len());
                people.push(ListedPerson {
                    index,
                    row,
                    roles: roles.into_iter().collect(),
                });
            }
            Some(ListedPerson { row: first, .. })
                if composed(&first.name) != composed(&row.name)
                    || first.telephone != row.telephone =>
            {
                let message = message!("people-list-two-names", login = Quoted(&row.login));
                faults.push(Fault::in_body(at, Code::Duplicate, message));
            }
            Some(person) => person.roles.extend(roles),
        }
    }
    let taken = logins_taken_of(transaction, &people)?;
    let reader = GrantReader::of_new_account(snapshot, today);
    let mut new = Vec::with_capacity(people.len());
    for listed in people {
        let (row, at) = (listed.row, path![listed.index]);
        let person = EnteredPerson {
            login: row.login.clone(),
            name: row.name.clone(),
            telephone: Some(row.telephone.clone()).filter(|telephone| !telephone.is_empty()),
        };
        let is_taken = |login: &Login| Ok(taken.contains(login.as_str()));
        let data = read_person(&person, is_taken, &at, &mut faults)?;
        let roles = listed.roles.iter();
        let entered: Vec<EnteredGrant> = roles.map(|(_, grant)| grant.clone()).collect();
        let mut of_roles = Vec::new();
        let grants = reader.read(&entered, &path![], &mut of_roles);
        faults.extend(of_roles.into_iter().map(|fault| listed.on_its_row(fault)));
        new.extend(data.map(|data| NewPerson {
            data,
            grants,
            unit_code: Some(row.unit_code.clone()).filter(|code| !code.is_empty()),
        }));
    }
    if faults.is_empty() && rows.unreadable.is_empty() {
        return Ok(new);
    }
    let lines = rows.listed.iter().map(|listed| (listed.index, listed.line));
    let lines: HashMap<usize, u64> = lines.collect();
    let unreadable = rows.unreadable.iter().cloned();
    let faults = in_order_of_list(faults, &lines, unreadable);
    Err(AccountError::Invalid(faults))
}

/// A person of the list, with a role from each of its rows.
struct ListedPerson<'r> {
    /// The first row, and its index.
    row: &'r PersonRow,
    index: usize,
    /// Each role, with the index of its row.
    roles: Vec<(usize, EnteredGrant)>,
}

impl ListedPerson<'_> {
    /// Moves a fault of the person's roles to the row from which the role comes.
    fn on_its_row(&self, fault: Fault) -> Fault {
        let role = fault.row().and_then(|role| self.roles.get(role));
        let at = path![role.map_or(self.index, |(row, _)| *row)];
        let place = match fault.column() {
            Some("unit") => at.below("unit_code"),
            _ => at,
        };
        Fault {
            place: FaultPlace::Body(place),
            ..fault
        }
    }
}

/// Returns the listed logins that an account has already, in a few reads for all.
fn logins_taken_of(
    transaction: &mut Transaction<'_>,
    people: &[ListedPerson<'_>],
) -> Result<HashSet<String>, AccountError> {
    let logins = people
        .iter()
        .map(|listed| listed.row.login.parse::<Login>());
    let logins: Vec<Login> = logins.flatten().collect();
    let logins: Vec<&str> = logins.iter().map(Login::as_str).collect();
    Ok(logins_taken(transaction, &logins)?)
}

/// Reads the role of a row. The unit's code is looked up here, since a list has codes alone.
fn grant_of(
    row: &PersonRow,
    at: &FieldPath,
    snapshot: &Snapshot,
    today: NaiveDate,
    faults: &mut Vec<Fault>,
) -> Option<EnteredGrant> {
    let Ok(role) = row.role.parse::<Role>() else {
        let message = message!("people-list-role", role = Quoted(&row.role));
        let at = at.below("role");
        faults.push(Fault::in_body(at, Code::InvalidValue, message));
        return None;
    };
    let unit = match read_unit(row, role, snapshot, today) {
        Ok(unit) => unit,
        Err((code, message)) => {
            faults.push(Fault::in_body(at.below("unit_code"), code, message));
            return None;
        }
    };
    Some(EnteredGrant {
        role,
        unit: unit.map(|unit| unit.to_string()),
        from: None,
        to: None,
    })
}

fn read_unit(
    row: &PersonRow,
    role: Role,
    snapshot: &Snapshot,
    today: NaiveDate,
) -> Result<Option<UnitId>, (Code, Message)> {
    if row.unit_code.is_empty() {
        return match role {
            Role::TenantAdmin => Ok(None),
            Role::Reporter | Role::Approver | Role::Viewer | Role::UnitAdmin => {
                let message = message!("people-list-no-unit", role = role.named());
                Err((Code::InvalidValue, message))
            }
        };
    }
    let tree = snapshot.hierarchy.tree_on(today);
    let code = row.unit_code.parse::<UnitCode>().ok();
    match code.and_then(|code| tree.by_code(&code)) {
        Some(place) => Ok(Some(place.unit())),
        None => {
            let message = message!("people-list-unknown-unit", code = Quoted(&row.unit_code));
            Err((Code::UnknownUnit, message))
        }
    }
}
