//! The faults of a submission, in words; and its states.

use super::Sentence;
use super::quantity::wrong_quantity;
use crate::domain::bounds::Beyond;
use crate::domain::catalogue::Entry;
use crate::domain::indicator::Definition;
use crate::domain::jump::{Direction, Jump};
use crate::domain::naming::Named;
use crate::domain::quantity::{Decimal, Decimals};
use crate::domain::submission::{Fact, OutOfBounds, Status, Step, SubmissionFault, WrongStatus};
use crate::error::{Code, Message};
use crate::locale::{Count, Quoted};
use crate::message;

impl Sentence for SubmissionFault {
    fn sentence(&self) -> (Code, Message) {
        match self {
            SubmissionFault::UnknownIndicator { form, text: name } => (
                Code::UnknownIndicator,
                message!("submission-unknown-indicator", form, name = Quoted(&name)),
            ),
            SubmissionFault::UnknownOption {
                indicator,
                text: name,
                known: None,
            } => (
                Code::UnknownOption,
                message!("submission-no-options", indicator, name = Quoted(&name)),
            ),
            SubmissionFault::UnknownOption {
                indicator,
                text: name,
                known: Some(known),
            } => (
                Code::UnknownOption,
                message!(
                    "submission-unknown-option",
                    indicator,
                    name = Quoted(&name),
                    known
                ),
            ),
            SubmissionFault::Derived { indicator } => (
                Code::DerivedIndicator,
                message!("submission-derived", indicator),
            ),
            SubmissionFault::FromForm { indicator, form } => (
                Code::NotCollectedHere,
                message!("submission-from-form", indicator, form),
            ),
            SubmissionFault::NotCollectedHere {
                indicator,
                level,
                collecting,
            } => (
                Code::NotCollectedHere,
                message!(
                    "submission-not-collected-here",
                    indicator,
                    level,
                    collecting
                ),
            ),
            SubmissionFault::Quantity { indicator, wrong } => wrong_quantity(indicator, wrong),
            SubmissionFault::Impossible(found) => (Code::ValueOutOfRange, impossible(found)),
            SubmissionFault::EnteredTwice { figure } => (
                Code::Duplicate,
                message!("submission-entered-twice", figure),
            ),
            SubmissionFault::UnknownSection {
                form,
                text: name,
                taking,
            } => {
                let name = Quoted(&name);
                let message = match taking {
                    Some(taking) => message!("submission-unknown-section", form, name, taking),
                    None => message!("submission-no-prose", form, name),
                };
                (Code::UnknownSection, message)
            }
            SubmissionFault::SectionTwice { section } => (
                Code::Duplicate,
                message!("submission-section-twice", section),
            ),
            SubmissionFault::Text(fault) => fault.sentence(),
            SubmissionFault::AskedNoMore => {
                (Code::NotCollectedHere, message!("submission-asked-no-more"))
            }
            SubmissionFault::OptionNoMore { indicator } => (
                Code::UnknownOption,
                message!("submission-option-gone", indicator),
            ),
            SubmissionFault::OptionMissing { indicator, option } => (
                Code::OptionMissing,
                message!("submission-option-missing", indicator, option),
            ),
            SubmissionFault::OptionsTooLarge { indicator } => (
                Code::ValueOutOfRange,
                message!("submission-options-too-large", indicator),
            ),
            SubmissionFault::TotalsDiffer {
                indicator,
                options,
                sum,
                total: known,
            } => (
                Code::TotalsDiffer,
                message!(
                    "submission-totals-differ",
                    indicator,
                    options,
                    sum = in_digits(sum),
                    known = in_digits(known)
                ),
            ),
            SubmissionFault::TotalMissing { indicator } => (
                Code::TotalMissing,
                message!("submission-total-missing", indicator),
            ),
            SubmissionFault::PartsExceedTotal {
                indicator,
                sum,
                total,
            } => (
                Code::OptionsExceedTotal,
                message!(
                    "submission-options-exceed-total",
                    indicator,
                    sum = in_digits(sum),
                    total = in_digits(total)
                ),
            ),
            SubmissionFault::NilWithoutFlows { form } => (
                Code::NilWithoutFlows,
                message!("submission-nil-without-flows", form),
            ),
            SubmissionFault::StockMissing { indicator } => (
                Code::RequiredMissing,
                message!("submission-stock-missing", indicator),
            ),
            SubmissionFault::RequiredMissing { indicator } => (
                Code::RequiredMissing,
                message!("submission-required-missing", indicator),
            ),
        }
    }
}

/// Tells of a number beyond what can be.
pub fn impossible(found: &OutOfBounds) -> Message {
    let name = &found.indicator;
    let value = with_unit_of_measure(found, found.mantissa);
    match found.beyond {
        Beyond::Below(least) => {
            let least = with_unit_of_measure(found, least);
            message!("value-below-minimum", name, value, least)
        }
        Beyond::Above(most) => {
            let most = with_unit_of_measure(found, most);
            message!("value-above-maximum", name, value, most)
        }
    }
}

/// Tells of a total beyond what is usual.
pub fn unusual(found: &OutOfBounds) -> Message {
    let name = &found.indicator;
    let value = with_unit_of_measure(found, found.mantissa);
    match found.beyond {
        Beyond::Below(least) => {
            let least = with_unit_of_measure(found, least);
            message!("value-below-usual", name, value, least)
        }
        Beyond::Above(most) => {
            let most = with_unit_of_measure(found, most);
            message!("value-above-usual", name, value, most)
        }
    }
}

/// Tells of a total far from those of the unit's last periods.
pub fn jumped(entry: &Entry<'_>, mantissa: i64, jump: &Jump) -> Message {
    let measured = |mantissa| {
        let Definition {
            unit_of_measure,
            decimals,
            ..
        } = entry.definition;
        measured(mantissa, *decimals, unit_of_measure)
    };
    let name = entry.named();
    let value = measured(mantissa);
    let mean = measured(jump.mean);
    let factor = jump.factor.get();
    let count = Count(jump.count);
    match jump.direction {
        Direction::Up => message!("value-jumped-up", name, value, factor, count, mean),
        Direction::Down => message!("value-jumped-down", name, value, factor, count, mean),
    }
}

/// Tells of a value that counted or was returned, and is left out of what replaces it.
pub fn removed(entry: &Entry<'_>, fact: &Fact) -> Message {
    let definition = entry.definition;
    let was = measured(
        fact.mantissa,
        definition.decimals,
        &definition.unit_of_measure,
    );
    let figure = entry.figure_named(fact.option);
    message!("value-removed", figure, was)
}

/// A figure in the digits of each language: `1.500,5` and `1500.5`.
fn in_digits(figure: &Decimal) -> Named {
    Named::new(figure.vietnamese(), figure.to_string())
}

fn with_unit_of_measure(found: &OutOfBounds, mantissa: i64) -> Named {
    measured(mantissa, found.decimals, &found.unit_of_measure)
}

fn measured(mantissa: i64, decimals: Decimals, unit: &str) -> Named {
    let value = Decimal::new(mantissa, decimals.get());
    Named::new(
        format!("{} {unit}", value.vietnamese()),
        format!("{value} {unit}"),
    )
}

/// Tells a step that the status does not allow, and who can change that.
pub fn wrong_status(wrong: &WrongStatus, who: &Message) -> (Code, Message) {
    let code = match wrong.status {
        Status::Approved => Code::SubmissionApproved,
        Status::Draft
        | Status::Submitted
        | Status::Returned
        | Status::Withdrawn
        | Status::Reopened => Code::WrongStatus,
    };
    (code, told_wrong_status(wrong, who.clone()))
}

fn told_wrong_status(wrong: &WrongStatus, who: Message) -> Message {
    let status = in_words(wrong.status);
    let todo = match (wrong.step, wrong.status) {
        (Step::Save | Step::Replace | Step::Submit | Step::Discard, Status::Approved) => {
            message!("wrong-status-reopen-to-change", who)
        }
        (Step::Withdraw, Status::Approved) => message!("wrong-status-reopen-to-withdraw", who),
        (Step::Approve | Step::Return, Status::Approved) => {
            message!("wrong-status-approved-already")
        }
        (Step::Approve | Step::Return, Status::Draft) => {
            message!("wrong-status-draft-not-submitted")
        }
        (Step::Approve | Step::Return, _) => message!("wrong-status-only-submitted"),
        (Step::Submit, Status::Submitted) => message!("wrong-status-submitted-already"),
        (Step::Reopen, _) => message!("wrong-status-only-approved"),
        (Step::Discard, Status::Draft) => message!("wrong-status-draft-over-nothing"),
        (Step::Discard, Status::Submitted | Status::Reopened) => {
            message!("wrong-status-no-draft")
        }
        (Step::Withdraw | Step::Discard, Status::Withdrawn) => {
            message!("wrong-status-withdrawn-already")
        }
        (Step::Withdraw | Step::Discard, Status::Returned) => {
            message!("wrong-status-returned-counts-nowhere")
        }
        _ => message!("wrong-status-nothing-sent"),
    };
    message!("submission-wrong-status", status, todo)
}

/// A status in Vietnamese, and in English as the end of "the submission is …".
fn in_words(status: Status) -> Message {
    match status {
        Status::Draft => message!("status-draft"),
        Status::Submitted => message!("status-submitted"),
        Status::Approved => message!("status-approved"),
        Status::Returned => message!("status-returned"),
        Status::Withdrawn => message!("status-withdrawn"),
        Status::Reopened => message!("status-reopened"),
    }
}
