//! Queries on forms and their versions.

use std::collections::{BTreeMap, HashMap};

use chrono::NaiveDate;
use diesel::prelude::*;

use super::database::Transaction;
use super::error::{StoreError, document, parsed, to_document};
use super::indicator::{to_column, to_number};
use super::schema::{form, form_version};
use crate::domain::form::{Form, FormDefinition};
use crate::domain::id::FormNumber;

/// Reads all forms of the tenant with all their versions.
pub fn forms(transaction: &mut Transaction<'_>) -> Result<Vec<Form>, StoreError> {
    let mut versions = versions_by_form(transaction)?;
    let (tenant, connection) = transaction.parts();
    form::table
        .filter(form::tenant_id.eq(tenant))
        .select((form::number, form::code))
        .load::<(i32, String)>(connection)?
        .into_iter()
        .map(|(row, code)| {
            Ok(Form {
                number: FormNumber::new(to_number(row)?),
                code: parsed(&code, "form code")?,
                versions: versions.remove(&row).unwrap_or_default(),
            })
        })
        .collect()
}

fn versions_by_form(
    transaction: &mut Transaction<'_>,
) -> Result<HashMap<i32, BTreeMap<NaiveDate, FormDefinition>>, StoreError> {
    let (tenant, connection) = transaction.parts();
    let rows = form_version::table
        .filter(form_version::tenant_id.eq(tenant))
        .select((
            form_version::form,
            form_version::valid_from,
            form_version::definition,
        ))
        .load::<(i32, NaiveDate, String)>(connection)?;
    let mut versions: HashMap<i32, BTreeMap<NaiveDate, FormDefinition>> = HashMap::new();
    for (form, from, definition) in rows {
        let definition = document(&definition, "form definition")?;
        versions.entry(form).or_default().insert(from, definition);
    }
    Ok(versions)
}

/// Writes a form's version of `valid_from`, and replaces an earlier one of the same day.
pub fn form_put(
    transaction: &mut Transaction<'_>,
    put: &Form,
    valid_from: NaiveDate,
    rev: i64,
) -> Result<(), StoreError> {
    let number = to_column(put.number.get())?;
    let (tenant, connection) = transaction.parts();
    on_backend!(connection, |own| {
        diesel::insert_into(form::table)
            .values((
                form::tenant_id.eq(tenant),
                form::number.eq(number),
                form::code.eq(put.code.as_str()),
            ))
            .on_conflict((form::tenant_id, form::number))
            .do_nothing()
            .execute(own)
    })?;
    let Some(definition) = put.versions.get(&valid_from) else {
        return Ok(());
    };
    let changes = (
        form_version::definition.eq(to_document(definition)?),
        form_version::rev.eq(rev),
    );
    on_backend!(connection, |own| {
        diesel::insert_into(form_version::table)
            .values((
                form_version::tenant_id.eq(tenant),
                form_version::form.eq(number),
                form_version::valid_from.eq(valid_from),
                changes.clone(),
            ))
            .on_conflict((
                form_version::tenant_id,
                form_version::form,
                form_version::valid_from,
            ))
            .do_update()
            .set(changes)
            .execute(own)
    })?;
    Ok(())
}
