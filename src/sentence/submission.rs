//! The faults of a submission, in words; and its states.

use super::Sentence;
use super::quantity::wrong_quantity;
use crate::domain::bounds::Beyond;
use crate::domain::naming::Named;
use crate::domain::quantity::Decimal;
use crate::domain::submission::{OutOfBounds, Status, Step, SubmissionFault, WrongStatus};
use crate::error::{Code, Message};
use crate::locale::Quoted;
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
            SubmissionFault::UnknownSection { form, text: name } => (
                Code::UnknownSection,
                message!("submission-unknown-section", form, name = Quoted(&name)),
            ),
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
            } => {
                let (vietnamese_sum, vietnamese_known) = (sum.vietnamese(), known.vietnamese());
                (
                    Code::TotalsDiffer,
                    message!(
                        "submission-totals-differ",
                        indicator,
                        options,
                        sum = Named::new(vietnamese_sum.to_string(), sum.to_string()),
                        known = Named::new(vietnamese_known.to_string(), known.to_string())
                    ),
                )
            }
            SubmissionFault::TotalMissing { indicator } => (
                Code::TotalMissing,
                message!("submission-total-missing", indicator),
            ),
            SubmissionFault::PartsExceedTotal {
                indicator,
                sum,
                total,
            } => {
                let (vietnamese_sum, vietnamese_total) = (sum.vietnamese(), total.vietnamese());
                (
                    Code::OptionsExceedTotal,
                    message!(
                        "submission-options-exceed-total",
                        indicator,
                        sum = Named::new(vietnamese_sum.to_string(), sum.to_string()),
                        total = Named::new(vietnamese_total.to_string(), total.to_string())
                    ),
                )
            }
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
    let (value_vi, value_en) = with_unit_of_measure(found, found.mantissa);
    match found.beyond {
        Beyond::Below(least) => {
            let (least_vi, least_en) = with_unit_of_measure(found, least);
            message!(
                "value-below-minimum",
                name,
                value = Named::new(value_vi.to_string(), value_en.to_string()),
                least = Named::new(least_vi.to_string(), least_en.to_string())
            )
        }
        Beyond::Above(most) => {
            let (most_vi, most_en) = with_unit_of_measure(found, most);
            message!(
                "value-above-maximum",
                name,
                value = Named::new(value_vi.to_string(), value_en.to_string()),
                most = Named::new(most_vi.to_string(), most_en.to_string())
            )
        }
    }
}

/// Tells of a total beyond what is usual.
pub fn unusual(found: &OutOfBounds) -> Message {
    let name = &found.indicator;
    let (value_vi, value_en) = with_unit_of_measure(found, found.mantissa);
    match found.beyond {
        Beyond::Below(least) => {
            let (least_vi, least_en) = with_unit_of_measure(found, least);
            message!(
                "value-below-usual",
                name,
                value = Named::new(value_vi.to_string(), value_en.to_string()),
                least = Named::new(least_vi.to_string(), least_en.to_string())
            )
        }
        Beyond::Above(most) => {
            let (most_vi, most_en) = with_unit_of_measure(found, most);
            message!(
                "value-above-usual",
                name,
                value = Named::new(value_vi.to_string(), value_en.to_string()),
                most = Named::new(most_vi.to_string(), most_en.to_string())
            )
        }
    }
}

/// In Vietnamese and in English.
fn with_unit_of_measure(found: &OutOfBounds, mantissa: i64) -> (String, String) {
    let value = Decimal::new(mantissa, found.decimals.get());
    let unit = &found.unit_of_measure;
    (
        format!("{} {unit}", value.vietnamese()),
        format!("{value} {unit}"),
    )
}

impl Sentence for WrongStatus {
    fn sentence(&self) -> (Code, Message) {
        let code = match self.status {
            Status::Approved => Code::SubmissionApproved,
            Status::Draft
            | Status::Submitted
            | Status::Returned
            | Status::Withdrawn
            | Status::Reopened => Code::WrongStatus,
        };
        (code, wrong_status(self))
    }
}

fn wrong_status(wrong: &WrongStatus) -> Message {
    let (vi, en) = in_words(wrong.status);
    let (todo_vi, todo_en) = match (wrong.step, wrong.status) {
        (Step::Save | Step::Replace, Status::Approved) => (
            "Hãy đề nghị người duyệt mở lại trước khi sửa.",
            "Ask an approver to reopen it before you change it.",
        ),
        (Step::Withdraw, Status::Approved) => (
            "Hãy đề nghị người duyệt mở lại trước khi rút.",
            "Ask an approver to reopen it before you withdraw it.",
        ),
        (Step::Approve | Step::Return, Status::Approved) => (
            "Đã duyệt rồi; muốn thay đổi thì mở lại.",
            "It is approved already; to change that, reopen it.",
        ),
        (Step::Approve | Step::Return, Status::Draft) => (
            "Đơn vị có bản nháp chưa gửi; hãy chờ đơn vị gửi.",
            "The unit has a draft that is not submitted; wait until it is.",
        ),
        (Step::Approve | Step::Return, _) => (
            "Chỉ duyệt hoặc trả lại được số liệu đã gửi.",
            "Only what is submitted can be approved or returned.",
        ),
        (Step::Submit, Status::Approved) => (
            "Hãy đề nghị người duyệt mở lại trước khi sửa.",
            "Ask an approver to reopen it before you change it.",
        ),
        (Step::Submit, Status::Submitted) => (
            "Không cần gửi lại; muốn sửa thì nhập số liệu mới.",
            "It need not be sent again; to correct it, put new values.",
        ),
        (Step::Reopen, _) => (
            "Chỉ mở lại được số liệu đã duyệt.",
            "Only what is approved can be reopened.",
        ),
        (Step::Withdraw, Status::Withdrawn) => (
            "Đã rút rồi; muốn gửi lại thì nhập số liệu.",
            "There is nothing to do; to send it again, put values.",
        ),
        (Step::Withdraw, Status::Returned) => (
            "Số liệu bị trả lại không được tính nữa; hãy sửa rồi gửi lại.",
            "What was returned does not count any more; correct it and submit it again.",
        ),
        _ => (
            "Chưa gửi gì nên không có gì để lấy lại; cứ sửa hoặc bỏ bản nháp.",
            "Nothing of it was sent, so nothing is to be taken back; change the draft or leave it.",
        ),
    };
    message!(
        "submission-wrong-status",
        words = Named::new(vi.to_string(), en.to_string()),
        todo = Named::new(todo_vi.to_string(), todo_en.to_string())
    )
}

/// A status in Vietnamese, and in English as the end of "the submission is …".
fn in_words(status: Status) -> (&'static str, &'static str) {
    match status {
        Status::Draft => ("bản nháp", "a draft"),
        Status::Submitted => ("đã gửi", "submitted"),
        Status::Approved => ("đã duyệt", "approved"),
        Status::Returned => ("bị trả lại", "returned"),
        Status::Withdrawn => ("đã rút", "withdrawn"),
        Status::Reopened => ("được mở lại", "reopened"),
    }
}
