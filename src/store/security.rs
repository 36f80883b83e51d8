//! The guards that keep tenants apart on PostgreSQL, below the program: row-level security, and a
//! server role that can neither turn it off nor bypass it. [`secure`] makes them; before a server
//! starts they are read back from the catalogues.

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Nullable, Text};

use super::requirement::{MigrationError, Requirement};
use super::schema::TABLES;

/// The condition that a row is the tenant's own, as PostgreSQL prints it in its catalogues.
const OWN_ROWS: &str = "(tenant_id = current_setting('app.tenant'::text, true))";

const SERVER_RIGHTS: &str = "SELECT, INSERT, UPDATE, DELETE";

/// The tables that hold history, as SQL texts: a server adds rows, and can neither change nor delete
/// one.
const HISTORY: &str =
    "'change', 'submission_revision', 'release_content', 'release_step', 'extension_step'";

const HISTORY_RIGHTS: &str = "SELECT, INSERT";

/// The one column of history that a server may change: a reorganisation may pass a submission, as it
/// is, on to the unit that took over.
const MOVING: (&str, &str) = ("submission_revision", "unit_id");

/// The registry and the list of migrations: a server adds and reads tenants, and changes neither.
const REGISTRY_RIGHTS: &str = "SELECT, INSERT";

/// Rights that row-level security does not check: they remove all rows at once, or run the holder's
/// code on them.
const RIGHTS_TOO_MANY: &str = "TRUNCATE, REFERENCES, TRIGGER";

/// Roles whose members can do on the machine whatever PostgreSQL can.
const ROLES_OF_THE_MACHINE: &str =
    "'pg_execute_server_program', 'pg_write_server_files', 'pg_read_server_files'";

#[derive(QueryableByName)]
struct TextRow {
    #[diesel(sql_type = Text)]
    value: String,
}

fn texts(connection: &mut PgConnection, sql: &str) -> Result<Vec<String>, MigrationError> {
    let rows: Vec<TextRow> = diesel::sql_query(sql).load(connection)?;
    Ok(rows.into_iter().map(|row| row.value).collect())
}

fn text(connection: &mut PgConnection, sql: &str) -> Result<Option<String>, MigrationError> {
    Ok(texts(connection, sql)?.into_iter().next())
}

/// Returns the role of a connection.
pub(super) fn current_role(connection: &mut PgConnection) -> Result<String, MigrationError> {
    let role = text(connection, "SELECT current_user::text AS value")?;
    role.ok_or_else(|| MigrationError::Failed("the server's role has no name".to_owned()))
}

/// Forces row-level security on every table with a tenant, and grants the server's role its rights.
/// Running it again changes nothing.
pub(super) fn secure(connection: &mut PgConnection, role: &str) -> Result<(), MigrationError> {
    let role = quoted(role);
    let mut sql = String::new();
    for table in tables_with_tenant(connection, "TRUE")? {
        sql.push_str(&format!(
            "ALTER TABLE {table} ENABLE ROW LEVEL SECURITY; \
             ALTER TABLE {table} FORCE ROW LEVEL SECURITY; \
             DROP POLICY IF EXISTS own_tenant ON {table}; \
             CREATE POLICY own_tenant ON {table} USING {OWN_ROWS}; \
             GRANT {SERVER_RIGHTS} ON {table} TO {role}; "
        ));
    }
    for table in tables_with_tenant(connection, &format!("relname IN ({HISTORY})"))? {
        sql.push_str(&format!("REVOKE UPDATE, DELETE ON {table} FROM {role}; "));
    }
    let (moving, column) = MOVING;
    for table in tables_with_tenant(connection, &format!("relname = '{moving}'"))? {
        sql.push_str(&format!("GRANT UPDATE ({column}) ON {table} TO {role}; "));
    }
    sql.push_str(&format!(
        "GRANT {REGISTRY_RIGHTS} ON tenant_registry TO {role}; \
         GRANT SELECT ON __diesel_schema_migrations TO {role};"
    ));
    connection.batch_execute(&format!("BEGIN; {sql} COMMIT;"))?;
    Ok(())
}

/// The schema that holds the list of migrations, and so all tables. It need not be the first in the
/// connection's search path.
const HOME: &str = "(SELECT relnamespace FROM pg_class \
     WHERE oid = to_regclass('__diesel_schema_migrations'))";

/// Selects all tables with a tenant. Reads the catalogues because the information schema hides
/// tables on which the role has no rights.
fn of_tenants() -> String {
    format!(
        "SELECT held.* FROM pg_class AS held \
         JOIN pg_attribute ON attrelid = held.oid AND attname = 'tenant_id' AND NOT attisdropped \
         WHERE held.relkind IN ('r', 'p') AND held.relnamespace = {HOME}"
    )
}

fn registry() -> String {
    format!("SELECT * FROM pg_class WHERE relname = 'tenant_registry' AND relnamespace = {HOME}")
}

/// Returns the names of the tables that meet a condition as SQL text, with their schema where it is
/// needed.
fn tables_with_tenant(
    connection: &mut PgConnection,
    condition: &str,
) -> Result<Vec<String>, MigrationError> {
    let of_tenants = of_tenants();
    let sql = format!(
        "SELECT held.oid::regclass::text AS value FROM ({of_tenants}) AS held \
         WHERE {condition} ORDER BY 1"
    );
    texts(connection, &sql)
}

/// Quotes an identifier for SQL.
fn quoted(identifier: &str) -> String {
    format!("\"{}\"", identifier.replace('"', "\"\""))
}

/// Checks every guard that keeps tenants apart. Each failed check names its cure.
pub(super) fn requirements(connection: &mut PgConnection) -> Vec<Requirement> {
    let collation = check_collation(connection);
    let role = check_role(connection);
    let rows = check_rows(connection);
    let rights = check_rights(connection);
    let mut checked = vec![("collation", collation), ("role", role)];
    checked.extend(each("rows", rows));
    checked.extend(each("rights", rights));
    checked
}

/// Looks up every table of the program as the server's queries do. Called once the list of
/// migrations says that the tables exist.
pub(super) fn check_tables(connection: &mut PgConnection) -> Vec<Requirement> {
    each("tables", strayed_tables(connection))
}

fn strayed_tables(connection: &mut PgConnection) -> Result<Vec<MigrationError>, MigrationError> {
    #[derive(QueryableByName)]
    struct Strayed {
        #[diesel(sql_type = Text)]
        table: String,
        #[diesel(sql_type = Text)]
        schema: String,
        #[diesel(sql_type = Bool)]
        is_hidden: bool,
    }
    let role = current_role(connection)?;
    let wanted = TABLES.join(",");
    let is_ours = format!("relnamespace = {HOME} AND relkind IN ('r', 'p')");
    let strayed: Vec<Strayed> = diesel::sql_query(format!(
        "SELECT wanted AS \"table\", nspname::text AS schema, \
                EXISTS (SELECT FROM pg_class WHERE relname = wanted AND {is_ours}) AS is_hidden \
         FROM unnest(string_to_array('{wanted}', ',')) AS wanted \
         JOIN pg_namespace ON pg_namespace.oid = {HOME} \
         WHERE NOT EXISTS (SELECT FROM pg_class WHERE oid = to_regclass(wanted) AND {is_ours}) \
         ORDER BY 1"
    ))
    .load(connection)?;
    let fault = |Strayed {
                     table,
                     schema,
                     is_hidden,
                 }| match is_hidden {
        true => MigrationError::TableHidden {
            role: role.clone(),
            table,
            schema,
        },
        false => MigrationError::TableMissing { table, schema },
    };
    Ok(strayed.into_iter().map(fault).collect())
}

/// Turns the faults found into one requirement each, or into one requirement that is met.
fn each(
    what: &'static str,
    found: Result<Vec<MigrationError>, MigrationError>,
) -> Vec<Requirement> {
    let faults = found.unwrap_or_else(|error| vec![error]);
    if faults.is_empty() {
        return vec![(what, Ok(()))];
    }
    faults.into_iter().map(|fault| (what, Err(fault))).collect()
}

/// Checks that keys are compared by their bytes (collation C). An ICU provider compares by a
/// language, whatever `datcollate` says.
fn check_collation(connection: &mut PgConnection) -> Result<(), MigrationError> {
    #[derive(QueryableByName)]
    struct Collation {
        #[diesel(sql_type = Text)]
        provider: String,
        #[diesel(sql_type = Text)]
        name: String,
    }
    // Read as JSON, because the column for ICU's locale was renamed in PostgreSQL 17.
    let found: Collation = diesel::sql_query(
        "SELECT datlocprovider::text AS provider, \
                CASE datlocprovider WHEN 'c' THEN datcollate::text \
                     ELSE coalesce(to_jsonb(pg_database) ->> 'datlocale', \
                                   to_jsonb(pg_database) ->> 'daticulocale', '') END AS name \
         FROM pg_database WHERE datname = current_database()",
    )
    .get_result(connection)?;
    match (found.provider.as_str(), found.name.as_str()) {
        ("c", "C" | "C.UTF-8" | "C.utf8" | "POSIX") | ("b", _) => Ok(()),
        ("i", locale) => Err(MigrationError::Collation(format!("ICU's {locale}"))),
        (_, name) => Err(MigrationError::Collation(name.to_owned())),
    }
}

/// Checks the role's powers. Includes the role that signed in, since anybody can undo `SET ROLE`.
fn check_role(connection: &mut PgConnection) -> Result<(), MigrationError> {
    refuse_any(
        connection,
        "SELECT rolname::text AS value FROM pg_roles \
         WHERE rolname IN (current_user, session_user) AND (rolsuper OR rolbypassrls)",
        |_| MigrationError::RoleTooStrong,
    )?;
    refuse_any(
        connection,
        "SELECT rolname::text AS value FROM pg_roles \
         WHERE rolname IN (current_user, session_user) AND rolreplication",
        MigrationError::RoleReplicates,
    )?;
    refuse_any(
        connection,
        &format!(
            "WITH own AS (SELECT oid FROM pg_roles WHERE rolname IN (current_user, session_user)) \
             SELECT 'the table ' || relname AS value FROM pg_class \
                 WHERE relnamespace = {HOME} AND relowner IN (SELECT oid FROM own) \
             UNION ALL SELECT 'the schema ' || nspname FROM pg_namespace \
                 WHERE oid = {HOME} AND nspowner IN (SELECT oid FROM own) \
             UNION ALL SELECT 'the database ' || datname FROM pg_database \
                 WHERE datname = current_database() AND datdba IN (SELECT oid FROM own)"
        ),
        MigrationError::RoleOwns,
    )?;
    let role = current_role(connection)?;
    refuse_any(
        connection,
        &format!(
            "SELECT strong.rolname::text AS value FROM pg_roles AS strong \
             WHERE strong.rolname NOT IN (current_user, session_user) \
               AND pg_has_role(session_user, strong.oid, 'MEMBER') \
               AND (strong.rolsuper OR strong.rolbypassrls OR strong.rolcreaterole \
                 OR strong.rolreplication \
                 OR strong.rolname IN ({ROLES_OF_THE_MACHINE}) \
                 OR strong.oid IN (SELECT relowner FROM pg_class WHERE relnamespace = {HOME}) \
                 OR strong.oid IN (SELECT nspowner FROM pg_namespace WHERE oid = {HOME}) \
                 OR strong.oid IN (SELECT datdba FROM pg_database WHERE datname = current_database())) \
             ORDER BY 1"
        ),
        |other| MigrationError::RoleMayBecome { role, other },
    )?;
    refuse_any(
        connection,
        "SELECT rolname::text AS value FROM pg_roles \
         WHERE rolname IN (current_user, session_user) AND rolcreaterole",
        MigrationError::RoleMakesRoles,
    )
}

/// Fails with the first text that a query returns, if it returns any.
fn refuse_any(
    connection: &mut PgConnection,
    sql: &str,
    fault: impl FnOnce(String) -> MigrationError,
) -> Result<(), MigrationError> {
    text(connection, sql)?.map_or(Ok(()), |found| Err(fault(found)))
}

/// The row-level security of a table with a tenant.
#[derive(QueryableByName)]
struct KeptTable {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Bool)]
    is_on: bool,
    #[diesel(sql_type = Bool)]
    is_forced: bool,
    #[diesel(sql_type = Bool)]
    shows_own_rows: bool,
    /// A permissive policy that admits other rows. One is enough, whatever the other policies say.
    #[diesel(sql_type = Nullable<Text>)]
    opening: Option<String>,
}

impl KeptTable {
    fn fault(self) -> Option<MigrationError> {
        let table = self.name;
        if !self.is_on {
            Some(MigrationError::RowsUnguarded(table))
        } else if !self.is_forced {
            Some(MigrationError::RowsUnforced(table))
        } else if let Some(policy) = self.opening {
            Some(MigrationError::RowsOpen { table, policy })
        } else if !self.shows_own_rows {
            Some(MigrationError::RowsHidden(table))
        } else {
            None
        }
    }
}

fn check_rows(connection: &mut PgConnection) -> Result<Vec<MigrationError>, MigrationError> {
    let own_rows = OWN_ROWS.replace('\'', "''");
    let of_table = "FROM pg_policies WHERE tablename = held.relname \
         AND schemaname = (SELECT nspname FROM pg_namespace WHERE oid = held.relnamespace) \
         AND permissive = 'PERMISSIVE'";
    let is_own = format!("qual = '{own_rows}' AND coalesce(with_check, qual) = qual");
    let of_tenants = of_tenants();
    let tables: Vec<KeptTable> = diesel::sql_query(format!(
        "SELECT held.relname::text AS name, held.relrowsecurity AS is_on, \
                held.relforcerowsecurity AS is_forced, \
                EXISTS (SELECT {of_table} AND cmd = 'ALL' AND roles = '{{public}}' AND {is_own}) \
                    AS shows_own_rows, \
                (SELECT min(policyname::text) {of_table} AND ({is_own}) IS NOT TRUE) AS opening \
         FROM ({of_tenants}) AS held ORDER BY 1"
    ))
    .load(connection)?;
    Ok(tables.into_iter().filter_map(KeptTable::fault).collect())
}

fn check_rights(connection: &mut PgConnection) -> Result<Vec<MigrationError>, MigrationError> {
    let role = current_role(connection)?;
    let too_many_of_fixed = format!("UPDATE, DELETE, {RIGHTS_TOO_MANY}");
    let (all, history) = (of_tenants(), format!("relname IN ({HISTORY})"));
    let kinds = [
        (
            format!("{all} AND NOT {history}"),
            SERVER_RIGHTS,
            RIGHTS_TOO_MANY,
        ),
        (
            format!("{all} AND {history}"),
            HISTORY_RIGHTS,
            too_many_of_fixed.as_str(),
        ),
        (registry(), REGISTRY_RIGHTS, too_many_of_fixed.as_str()),
    ];
    let mut faults = Vec::new();
    for (tables, needed, too_many) in kinds {
        faults.extend(rights_missing(connection, &role, &tables, needed)?);
        faults.extend(rights_too_many(connection, &role, &tables, too_many)?);
        faults.extend(rights_of_all(connection, &role, &tables, too_many)?);
    }
    faults.extend(moving_missing(connection, &role)?);
    Ok(faults)
}

/// A right on a table and its holder.
#[derive(QueryableByName)]
struct Right {
    #[diesel(sql_type = Text)]
    right: String,
    #[diesel(sql_type = Text)]
    table: String,
    /// As SQL text.
    #[diesel(sql_type = Text)]
    holder: String,
}

fn rights_missing(
    connection: &mut PgConnection,
    role: &str,
    tables: &str,
    needed: &str,
) -> Result<Vec<MigrationError>, MigrationError> {
    let missing: Vec<Right> = diesel::sql_query(format!(
        "SELECT held.relname::text AS \"table\", needed AS \"right\", current_user::text AS holder \
         FROM ({tables}) AS held, unnest(string_to_array('{needed}', ', ')) AS needed \
         WHERE NOT has_table_privilege(held.oid, needed) ORDER BY 1, 2"
    ))
    .load(connection)?;
    let fault = |Right { right, table, .. }| MigrationError::RightMissing {
        role: role.to_owned(),
        right,
        table,
    };
    Ok(missing.into_iter().map(fault).collect())
}

/// Tells if the role lacks its right on the one column of history that it may change.
fn moving_missing(
    connection: &mut PgConnection,
    role: &str,
) -> Result<Option<MigrationError>, MigrationError> {
    let (table, column) = MOVING;
    let sql = format!(
        "SELECT relname::text AS value FROM pg_class \
         WHERE relname = '{table}' AND relnamespace = {HOME} \
         AND NOT has_column_privilege(oid, '{column}', 'UPDATE')"
    );
    Ok(
        text(connection, &sql)?.map(|table| MigrationError::RightMissing {
            role: role.to_owned(),
            right: format!("UPDATE ({column})"),
            table,
        }),
    )
}

/// Lists rights that the role, or any role that it may become, has beyond its needs. Includes
/// rights on single columns.
fn rights_too_many(
    connection: &mut PgConnection,
    role: &str,
    tables: &str,
    too_many: &str,
) -> Result<Vec<MigrationError>, MigrationError> {
    let (moving, column) = MOVING;
    let surplus: Vec<Right> = diesel::sql_query(format!(
        "WITH held AS ({tables}), \
              given AS (SELECT relname, coalesce(relacl, acldefault('r', relowner)) AS acl FROM held \
                        UNION ALL SELECT relname, attacl FROM held \
                        JOIN pg_attribute ON attrelid = held.oid AND attacl IS NOT NULL \
                        WHERE (relname::text, attname::text) <> ('{moving}', '{column}')) \
         SELECT DISTINCT relname::text AS \"table\", privilege_type AS \"right\", \
                CASE WHEN grantee = 0 THEN 'PUBLIC' ELSE grantee::regrole::text END AS holder \
         FROM given, aclexplode(acl) \
         WHERE privilege_type = ANY (string_to_array('{too_many}', ', ')) \
           AND (grantee = 0 OR pg_has_role(session_user, grantee, 'MEMBER') \
                OR pg_has_role(current_user, grantee, 'MEMBER')) \
         ORDER BY 1, 2, 3"
    ))
    .load(connection)?;
    let fault = |Right {
                     right,
                     table,
                     holder,
                 }| MigrationError::RightTooMany {
        role: role.to_owned(),
        right,
        table,
        holder,
    };
    Ok(surplus.into_iter().map(fault).collect())
}

/// Lists rights that come from `pg_write_all_data`, which no table's own list shows.
fn rights_of_all(
    connection: &mut PgConnection,
    role: &str,
    tables: &str,
    too_many: &str,
) -> Result<Vec<MigrationError>, MigrationError> {
    let surplus: Vec<Right> = diesel::sql_query(format!(
        "SELECT held.relname::text AS \"table\", too_many AS \"right\", \
                member::regrole::text AS holder \
         FROM ({tables}) AS held, unnest(string_to_array('{too_many}', ', ')) AS too_many, \
              pg_auth_members \
         WHERE too_many IN ('UPDATE', 'DELETE') AND roleid = to_regrole('pg_write_all_data') \
           AND pg_has_role(session_user, member, 'MEMBER') ORDER BY 1, 2, 3"
    ))
    .load(connection)?;
    let fault = |Right {
                     right,
                     table,
                     holder,
                 }| MigrationError::RightOfAll {
        role: role.to_owned(),
        right,
        table,
        holder,
    };
    Ok(surplus.into_iter().map(fault).collect())
}
