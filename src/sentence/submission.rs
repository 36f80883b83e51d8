//! The faults of a submission, in words; and its states.

use super::Sentence;
use super::quantity::wrong_quantity;
use crate::domain::bounds::Beyond;
use crate::domain::quantity::Decimal;
use crate::domain::submission::{OutOfBounds, Status, Step, SubmissionFault, WrongStatus};
use crate::error::{Code, Message};
use crate::message;

impl Sentence for SubmissionFault {
    fn sentence(&self) -> (Code, Message) {
        match self {
            SubmissionFault::UnknownIndicator { form, text: name } => (
                Code::UnknownIndicator,
                message!(
                    "Mẫu {form} không có chỉ tiêu {name:?}. Hãy xem danh mục chỉ tiêu của mẫu.",
                    "The form {form} has no indicator {name:?}. See the form's outline for those it has.",
                    form
                ),
            ),
            SubmissionFault::UnknownOption {
                indicator,
                text: name,
                known: None,
            } => (
                Code::UnknownOption,
                message!(
                    "Chỉ tiêu {indicator} không chia theo phân tổ, nên không có {name:?}. Hãy nhập một tổng số.",
                    "{indicator} has no options, so no {name:?}. Enter one total.",
                    indicator
                ),
            ),
            SubmissionFault::UnknownOption {
                indicator,
                text: name,
                known: Some(known),
            } => (
                Code::UnknownOption,
                message!(
                    "Chỉ tiêu {indicator} không có phân tổ {name:?}. Hãy dùng một trong: {known}.",
                    "{indicator} has no option {name:?}. Use one of these: {known}.",
                    indicator,
                    known
                ),
            ),
            SubmissionFault::Derived { indicator } => (
                Code::DerivedIndicator,
                message!(
                    "Chỉ tiêu {indicator} do hệ thống tự tính. Hãy bỏ dòng này.",
                    "{indicator} is computed by the system. Leave it out.",
                    indicator
                ),
            ),
            SubmissionFault::NotCollectedHere {
                indicator,
                level,
                collecting,
            } => (
                Code::NotCollectedHere,
                message!(
                    "Chỉ tiêu {indicator} không thu thập ở cấp {level} (chỉ ở cấp: {collecting}). Hãy bỏ dòng này.",
                    "{indicator} is not collected at the level {level}, only at: {collecting}. Leave it out.",
                    indicator,
                    level,
                    collecting
                ),
            ),
            SubmissionFault::Quantity { indicator, wrong } => wrong_quantity(indicator, wrong),
            SubmissionFault::Impossible(found) => (Code::ValueOutOfRange, impossible(found)),
            SubmissionFault::EnteredTwice { figure } => (
                Code::Duplicate,
                message!(
                    "Chỉ tiêu {figure} được nhập hai lần. Hãy bỏ một dòng.",
                    "{figure} is entered twice. Remove one of the two.",
                    figure
                ),
            ),
            SubmissionFault::UnknownSection { form, text: name } => (
                Code::UnknownSection,
                message!(
                    "Đề cương của mẫu {form} không có mục {name:?} để viết lời. Hãy xem các mục của mẫu.",
                    "The form {form} has no section {name:?} that takes prose. See the form's outline.",
                    form
                ),
            ),
            SubmissionFault::SectionTwice { section } => (
                Code::Duplicate,
                message!(
                    "Mục {section} có hai đoạn. Hãy gộp lại thành một.",
                    "Section {section} has two passages. Make them one.",
                    section
                ),
            ),
            SubmissionFault::Text(fault) => fault.sentence(),
            SubmissionFault::AskedNoMore => (
                Code::NotCollectedHere,
                message!(
                    "Bản nháp có một chỉ tiêu mà mẫu không còn hỏi đơn vị này. Hãy lưu lại bản nháp.",
                    "The draft holds an indicator that the form asks this unit for no more. Save it anew."
                ),
            ),
            SubmissionFault::OptionNoMore { indicator } => (
                Code::UnknownOption,
                message!(
                    "Bản nháp có một phân tổ mà {indicator} không còn. Hãy lưu lại bản nháp.",
                    "The draft holds an option that {indicator} has no more. Save it anew.",
                    indicator
                ),
            ),
            SubmissionFault::OptionMissing { indicator, option } => (
                Code::OptionMissing,
                message!(
                    "{indicator} còn thiếu phân tổ {option}. Hãy nhập (không có thì nhập 0).",
                    "{indicator} lacks its option {option}. Enter it (0 where there is none).",
                    indicator,
                    option
                ),
            ),
            SubmissionFault::OptionsTooLarge { indicator } => (
                Code::ValueOutOfRange,
                message!(
                    "Tổng các phân tổ của {indicator} quá lớn. Hãy kiểm tra lại.",
                    "The options of {indicator} add up to too large a number. Check them.",
                    indicator
                ),
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
                        "{indicator}: các phân tổ ({options}) cộng lại là {vietnamese_sum}, tổng số là {vietnamese_known}. Hãy sửa cho khớp.",
                        "{indicator}: its options ({options}) add up to {sum}, and the total is {known}. Make them agree.",
                        indicator,
                        options
                    ),
                )
            }
            SubmissionFault::TotalMissing { indicator } => (
                Code::TotalMissing,
                message!(
                    "{indicator} có phần trong đó nhưng thiếu tổng số. Hãy nhập tổng số.",
                    "{indicator} has parts and no total. Enter the total.",
                    indicator
                ),
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
                        "{indicator}: phần trong đó ({vietnamese_sum}) lớn hơn tổng số ({vietnamese_total}). Hãy sửa lại.",
                        "{indicator}: its parts ({sum}) exceed the total ({total}). Correct them.",
                        indicator
                    ),
                )
            }
            SubmissionFault::RequiredMissing { indicator } => (
                Code::RequiredMissing,
                message!(
                    "Thiếu chỉ tiêu bắt buộc {indicator}. Hãy nhập (không có thì nhập 0).",
                    "The required {indicator} is missing. Enter it (0 where there is none).",
                    indicator
                ),
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
                "{name}: {value_vi} nhỏ hơn mức thấp nhất là {least_vi}. Hãy kiểm tra lại số và đơn vị tính.",
                "{name}: {value_en} is less than the least it can be, {least_en}. Check the number and its unit of measure.",
                name
            )
        }
        Beyond::Above(most) => {
            let (most_vi, most_en) = with_unit_of_measure(found, most);
            message!(
                "{name}: {value_vi} lớn hơn mức cao nhất là {most_vi}. Hãy kiểm tra lại số và đơn vị tính.",
                "{name}: {value_en} is more than the most it can be, {most_en}. Check the number and its unit of measure.",
                name
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
                "{name}: {value_vi} thấp hơn mức thường gặp (từ {least_vi}). Nếu số đúng thì không cần làm gì thêm; nếu sai, hãy sửa và gửi lại.",
                "{name}: {value_en} is less than usual (from {least_en} on). If it is right nothing needs to be done; if not, correct it and send it again.",
                name
            )
        }
        Beyond::Above(most) => {
            let (most_vi, most_en) = with_unit_of_measure(found, most);
            message!(
                "{name}: {value_vi} cao hơn mức thường gặp (đến {most_vi}). Nếu số đúng thì không cần làm gì thêm; nếu sai, hãy sửa và gửi lại.",
                "{name}: {value_en} is more than usual (up to {most_en}). If it is right nothing needs to be done; if not, correct it and send it again.",
                name
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
        "Số liệu đang ở tình trạng «{vi}». {todo_vi}",
        "The submission is {en}. {todo_en}"
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
