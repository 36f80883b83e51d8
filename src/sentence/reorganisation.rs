//! The faults of a reorganisation's document, in words.

use super::Sentence;
use super::unit::invalid_code;
use crate::domain::naming::Named;
use crate::domain::reorganisation::ReorganisationFault;
use crate::domain::unit::BEGINNING;
use crate::error::{Code, Message};
use crate::message;

impl Sentence for ReorganisationFault {
    fn sentence(&self) -> (Code, Message) {
        match self {
            ReorganisationFault::NothingListed => (
                Code::RequiredMissing,
                message!(
                    "Danh sách trống. Hãy ghi ít nhất một mục.",
                    "The list is empty. Give one item at least."
                ),
            ),
            ReorganisationFault::NotAfterBeginning => {
                let first = Named::day(BEGINNING);
                (
                    Code::InvalidValue,
                    message!(
                        "Ngày có hiệu lực phải sau ngày {first}.",
                        "The effective day must be after {first}.",
                        first
                    ),
                )
            }
            ReorganisationFault::TooFewParts => (
                Code::RequiredMissing,
                message!(
                    "Chia một đơn vị phải có ít nhất hai phần. Nếu chỉ có một, hãy dùng bước nhập (merge).",
                    "A unit is divided into two parts at least. For one, use a merger (merge)."
                ),
            ),
            ReorganisationFault::SharesNotWhole => (
                Code::InvalidShare,
                message!(
                    "Tỷ lệ của các phần phải có đủ và cộng lại bằng 1, hoặc không phần nào có tỷ lệ.",
                    "Either every part has a share and they add up to one, or none has."
                ),
            ),
            ReorganisationFault::NoShare => (
                Code::InvalidShare,
                message!(
                    "Tỷ lệ là phân số lớn hơn 0 và không quá 1, ví dụ 7/10.",
                    "A share is a fraction above 0 and at most 1, such as 7/10."
                ),
            ),
            ReorganisationFault::BasisMissing => (
                Code::RequiredMissing,
                message!(
                    "Hãy ghi tỷ lệ được tính theo gì, ví dụ dân số.",
                    "Say what the shares go by, such as population."
                ),
            ),
            ReorganisationFault::NoReference { text: name } => (
                Code::UnknownUnit,
                message!(
                    "{name:?} không phải tên gọi một đơn vị. Hãy ghi mã định danh, hoặc code: và mã đơn vị (ví dụ code:30388).",
                    "{name:?} names no unit. Give its id, or code: and its code (such as code:30388)."
                ),
            ),
            ReorganisationFault::InvalidCode => (Code::InvalidCode, invalid_code()),
            ReorganisationFault::NoLevel { text: name } => (
                Code::UnknownLevel,
                message!(
                    "Không có cấp {name:?}. Hãy ghi mã của cấp, ví dụ commune (danh sách ở /v1/levels).",
                    "There is no level {name:?}. Give a level's code, such as commune (/v1/levels lists them)."
                ),
            ),
            ReorganisationFault::Text(fault) => fault.sentence(),
        }
    }
}
