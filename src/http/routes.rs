//! The route list. The router and the OpenAPI document are both made from it, so a route that is
//! not in it does not exist.

use utoipa_actix_web::scope;
use utoipa_actix_web::service_config::ServiceConfig;

use super::{
    account, api_key, approval, batch, change, completeness, extension, form, health, holiday,
    import, indicator, invitation, level, lineage, me, receipt, release, reorganisation, rollup,
    series, sheet, sign_in_attempt, submission, subtree_reporting, table, target, task, token,
    unit,
};

/// All routes. The router tries them in this order, so the most frequent come first.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(health::livez)
        .service(health::readyz)
        .service(health::metrics)
        .service(health::jwks)
        .service(
            scope("/v1")
                .service(rollup::get_rollup)
                .service(submission::put_submission)
                .service(submission::get_submission)
                .service(token::issue_token)
                .service(invitation::accept_invitation)
                .service(me::get_me)
                .service(task::list_my_tasks)
                .service(me::put_my_password)
                .service(me::list_my_sessions)
                .service(me::end_my_session)
                .service(me::end_my_sessions)
                .service(account::list_accounts)
                .service(account::create_account)
                .service(account::import_accounts)
                .service(account::get_account)
                .service(account::put_account)
                .service(account::put_grants)
                .service(account::invite_account)
                .service(account::disable_account)
                .service(account::enable_account)
                .service(account::hand_over_account)
                .service(sign_in_attempt::list_sign_ins)
                .service(api_key::list_keys)
                .service(api_key::create_key)
                .service(api_key::get_key)
                .service(api_key::delete_key)
                .service(level::list_levels)
                .service(level::get_level)
                .service(level::put_level)
                .service(unit::list_units)
                .service(unit::create_unit)
                .service(unit::import_units)
                .service(unit::get_unit)
                .service(reorganisation::list_reorganisations)
                .service(reorganisation::create_reorganisation)
                .service(reorganisation::preview_reorganisation)
                .service(reorganisation::get_reorganisation)
                .service(reorganisation::undo_reorganisation)
                .service(indicator::list_indicators)
                .service(indicator::get_indicator)
                .service(indicator::put_indicator)
                .service(form::list_forms)
                .service(form::get_form)
                .service(form::put_form)
                .service(form::list_periods)
                .service(holiday::get_holidays)
                .service(holiday::put_holidays)
                .service(submission::submit_submission)
                .service(batch::batch_submissions)
                .service(import::import_submissions)
                .service(submission::withdraw_submission)
                .service(submission::discard_submission)
                .service(submission::approve_submission)
                .service(approval::approve_submissions)
                .service(submission::return_submission)
                .service(submission::reopen_submission)
                .service(submission::list_revisions)
                .service(sheet::get_template)
                .service(sheet::get_sheet)
                .service(extension::get_extension)
                .service(extension::put_extension)
                .service(extension::delete_extension)
                .service(subtree_reporting::get_subtree_reporting)
                .service(subtree_reporting::put_subtree_reporting)
                .service(subtree_reporting::delete_subtree_reporting)
                .service(rollup::verify_rollup)
                .service(lineage::get_lineage)
                .service(series::get_series)
                .service(table::get_table)
                .service(target::get_target)
                .service(target::put_target)
                .service(completeness::get_completeness)
                .service(release::send_release)
                .service(release::list_releases)
                .service(release::get_release)
                .service(release::receive_release)
                .service(release::return_release)
                .service(release::recall_release)
                .service(receipt::get_receipt)
                .service(change::list_changes),
        );
}
