//! The tables as diesel sees them, the same on both backends. The migrations document them.
//! Contains no query.

/// Every table of the program.
pub const TABLES: [&str; 33] = [
    "tenant_registry",
    "tenant",
    "level",
    "unit",
    "unit_fact",
    "account",
    "account_grant",
    "sign_in",
    "refresh_token",
    "invitation",
    "api_key",
    "sign_in_attempt",
    "change",
    "indicator",
    "indicator_option",
    "indicator_version",
    "form",
    "form_version",
    "holiday_year",
    "submission",
    "submission_revision",
    "rollup",
    "rollup_year",
    "target",
    "extension",
    "extension_step",
    "subtree_reporting",
    "release",
    "release_content",
    "release_step",
    "reorganisation",
    "succession",
    "idempotency",
];

diesel::table! {
    tenant_registry (slug) {
        slug -> Text,
        id -> Text,
        name -> Text,
        created_at -> Timestamp,
    }
}

diesel::table! {
    tenant (tenant_id) {
        tenant_id -> Text,
        rev -> BigInt,
        tree_rev -> BigInt,
        catalogue_rev -> BigInt,
        grants_rev -> BigInt,
        time_zone -> Text,
        totals_edition -> Integer,
        changes_from -> Nullable<BigInt>,
        sessions_rev -> BigInt,
    }
}

diesel::table! {
    level (tenant_id, code) {
        tenant_id -> Text,
        code -> Text,
        rank -> Integer,
        name -> Text,
        valid_from -> Date,
        valid_to -> Nullable<Date>,
    }
}

diesel::table! {
    unit (tenant_id, unit_id) {
        tenant_id -> Text,
        unit_id -> Text,
        rev -> BigInt,
    }
}

diesel::table! {
    unit_fact (tenant_id, unit_id, valid_from) {
        tenant_id -> Text,
        unit_id -> Text,
        valid_from -> Date,
        valid_to -> Nullable<Date>,
        code -> Text,
        name -> Text,
        kind -> Nullable<Text>,
        level -> Text,
        parent_id -> Nullable<Text>,
        rev -> BigInt,
    }
}

diesel::table! {
    account (tenant_id, account_id) {
        tenant_id -> Text,
        account_id -> Text,
        login -> Text,
        name -> Text,
        password_hash -> Text,
        created_at -> Timestamp,
        kind -> Text,
        telephone -> Nullable<Text>,
        disabled_at -> Nullable<Timestamp>,
        last_signed_in -> Nullable<Timestamp>,
        rev -> BigInt,
    }
}

diesel::table! {
    account_grant (tenant_id, grant_id) {
        tenant_id -> Text,
        grant_id -> Text,
        account_id -> Text,
        role -> Text,
        unit_id -> Nullable<Text>,
        rev -> BigInt,
        valid_from -> Nullable<Date>,
        valid_to -> Nullable<Date>,
    }
}

diesel::table! {
    sign_in (tenant_id, family_id) {
        tenant_id -> Text,
        family_id -> Text,
        account_id -> Text,
        ends_at -> Timestamp,
        last_used -> Nullable<Text>,
        started_at -> Nullable<Timestamp>,
        used_at -> Nullable<Timestamp>,
        agent -> Nullable<Text>,
        ended_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    refresh_token (tenant_id, token_hash) {
        tenant_id -> Text,
        token_hash -> Text,
        family_id -> Text,
        parent_hash -> Nullable<Text>,
        expires_at -> Timestamp,
    }
}

diesel::table! {
    invitation (tenant_id, account_id) {
        tenant_id -> Text,
        account_id -> Text,
        code_hash -> Text,
        expires_at -> Timestamp,
    }
}

diesel::table! {
    api_key (tenant_id, account_id) {
        tenant_id -> Text,
        account_id -> Text,
        name -> Text,
        prefix -> Text,
        secret_hash -> Text,
        unit_id -> Nullable<Text>,
        operations -> Text,
        last_day -> Date,
        created_by -> Text,
        created_at -> Timestamp,
        last_used -> Nullable<Timestamp>,
        deleted_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    sign_in_attempt (tenant_id, attempt_id) {
        tenant_id -> Text,
        attempt_id -> Text,
        at -> Timestamp,
        login -> Text,
        account_id -> Nullable<Text>,
        outcome -> Text,
        address -> Nullable<Text>,
    }
}

diesel::table! {
    change (tenant_id, rev) {
        tenant_id -> Text,
        rev -> BigInt,
        at -> Timestamp,
        items -> Binary,
        previous -> Binary,
        hash -> Binary,
    }
}

diesel::table! {
    indicator (tenant_id, number) {
        tenant_id -> Text,
        number -> Integer,
        code -> Text,
    }
}

diesel::table! {
    indicator_option (tenant_id, indicator, number) {
        tenant_id -> Text,
        indicator -> Integer,
        number -> Integer,
        code -> Text,
    }
}

diesel::table! {
    indicator_version (tenant_id, indicator, valid_from) {
        tenant_id -> Text,
        indicator -> Integer,
        valid_from -> Date,
        definition -> Text,
        rev -> BigInt,
    }
}

diesel::table! {
    form (tenant_id, number) {
        tenant_id -> Text,
        number -> Integer,
        code -> Text,
    }
}

diesel::table! {
    form_version (tenant_id, form, valid_from) {
        tenant_id -> Text,
        form -> Integer,
        valid_from -> Date,
        definition -> Text,
        rev -> BigInt,
    }
}

diesel::table! {
    holiday_year (tenant_id, year) {
        tenant_id -> Text,
        year -> Integer,
        holidays -> Text,
        rev -> BigInt,
    }
}

diesel::table! {
    submission (tenant_id, form, period, unit_id) {
        tenant_id -> Text,
        form -> Integer,
        period -> Text,
        unit_id -> Text,
        status -> Text,
        revision -> Integer,
        values_revision -> Integer,
        counting_revision -> Nullable<Integer>,
        given_back_revision -> Nullable<Integer>,
        speaks_for -> Text,
        received_on -> Nullable<Date>,
        corrected_on -> Nullable<Date>,
        rev -> BigInt,
        counting_rev -> BigInt,
    }
}

diesel::table! {
    submission_revision (tenant_id, form, period, unit_id, revision) {
        tenant_id -> Text,
        form -> Integer,
        period -> Text,
        unit_id -> Text,
        revision -> Integer,
        step -> Text,
        status -> Text,
        facts -> Nullable<Binary>,
        narrative -> Nullable<Text>,
        reason -> Nullable<Text>,
        account_id -> Text,
        entered_for -> Nullable<Text>,
        entered_at -> Timestamp,
        rev -> BigInt,
        received_on -> Nullable<Date>,
        speaks_for -> Nullable<Text>,
    }
}

diesel::table! {
    rollup (tenant_id, form, period, unit_id) {
        tenant_id -> Text,
        form -> Integer,
        period -> Text,
        unit_id -> Text,
        cells -> Binary,
        rev -> BigInt,
    }
}

diesel::table! {
    rollup_year (tenant_id, form, year, unit_id) {
        tenant_id -> Text,
        form -> Integer,
        year -> Integer,
        unit_id -> Text,
        cells -> Binary,
        rev -> BigInt,
    }
}

diesel::table! {
    target (tenant_id, form, period, unit_id, indicator, option) {
        tenant_id -> Text,
        form -> Integer,
        period -> Text,
        unit_id -> Text,
        indicator -> Integer,
        option -> Integer,
        mantissa -> Nullable<BigInt>,
        account_id -> Text,
        set_at -> Timestamp,
        rev -> BigInt,
    }
}

diesel::table! {
    extension (tenant_id, form, period, unit_id) {
        tenant_id -> Text,
        form -> Integer,
        period -> Text,
        unit_id -> Text,
        last_day -> Date,
        reason -> Text,
        account_id -> Text,
        given_at -> Timestamp,
        rev -> BigInt,
    }
}

diesel::table! {
    extension_step (tenant_id, form, period, unit_id, step) {
        tenant_id -> Text,
        form -> Integer,
        period -> Text,
        unit_id -> Text,
        step -> Integer,
        kind -> Text,
        last_day -> Nullable<Date>,
        reason -> Nullable<Text>,
        account_id -> Text,
        taken_at -> Timestamp,
        rev -> BigInt,
    }
}

diesel::table! {
    subtree_reporting (tenant_id, form, unit_id, first_day) {
        tenant_id -> Text,
        form -> Integer,
        unit_id -> Text,
        first_day -> Date,
        last_day -> Nullable<Date>,
        first_period -> Text,
        last_period -> Nullable<Text>,
        account_id -> Text,
        arranged_at -> Timestamp,
        rev -> BigInt,
    }
}

diesel::table! {
    release (tenant_id, form, period, unit_id, number) {
        tenant_id -> Text,
        form -> Integer,
        period -> Text,
        unit_id -> Text,
        number -> Integer,
        status -> Text,
        step -> Integer,
        sent_at -> Timestamp,
        rev -> BigInt,
    }
}

diesel::table! {
    release_content (tenant_id, form, period, unit_id, number) {
        tenant_id -> Text,
        form -> Integer,
        period -> Text,
        unit_id -> Text,
        number -> Integer,
        document_number -> Nullable<Text>,
        hash -> Binary,
        content -> Binary,
    }
}

diesel::table! {
    release_step (tenant_id, form, period, unit_id, number, step) {
        tenant_id -> Text,
        form -> Integer,
        period -> Text,
        unit_id -> Text,
        number -> Integer,
        step -> Integer,
        kind -> Text,
        reason -> Nullable<Text>,
        account_id -> Text,
        at -> Timestamp,
        rev -> BigInt,
    }
}

diesel::table! {
    reorganisation (tenant_id, reorganisation_id) {
        tenant_id -> Text,
        reorganisation_id -> Text,
        effective -> Date,
        legal_basis -> Text,
        document -> Text,
        changes -> Text,
        created -> Integer,
        changed -> Integer,
        ended -> Integer,
        account_id -> Text,
        entered_at -> Timestamp,
        rev -> BigInt,
        undone_by -> Nullable<Text>,
        undone_at -> Nullable<Timestamp>,
        undone_rev -> Nullable<BigInt>,
    }
}

diesel::table! {
    succession (tenant_id, reorganisation_id, step, part) {
        tenant_id -> Text,
        reorganisation_id -> Text,
        step -> Integer,
        part -> Integer,
        effective -> Date,
        rev -> BigInt,
        from_id -> Text,
        to_id -> Text,
        numerator -> Nullable<BigInt>,
        denominator -> Nullable<BigInt>,
    }
}

diesel::table! {
    idempotency (tenant_id, request) {
        tenant_id -> Text,
        request -> Binary,
        body_hash -> Binary,
        answer -> Binary,
        created_at -> Timestamp,
    }
}

diesel::allow_tables_to_appear_in_same_query!(
    submission,
    submission_revision,
    account,
    reorganisation
);

diesel::allow_tables_to_appear_in_same_query!(release, release_content, release_step);

#[cfg(test)]
mod tests {
    #[test]
    fn the_list_has_every_table() {
        let ours = include_str!("schema.rs").split("diesel::table! {").skip(1);
        let names = ours.map(|table| table.split_whitespace().next().unwrap());
        // The last piece is this test's own text.
        let names: Vec<&str> = names.take(super::TABLES.len() + 1).collect();
        assert_eq!(names.split_last().unwrap().1, super::TABLES);
    }
}
