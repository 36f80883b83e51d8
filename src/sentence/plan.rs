//! The faults of a plan, in words.

use super::Sentence;
use crate::domain::naming::Named;
use crate::domain::plan::PlanFault;
use crate::error::{Code, Message, counted};
use crate::message;

impl Sentence for PlanFault {
    fn sentence(&self) -> (Code, Message) {
        match self {
            PlanFault::NoUnit { unit: reference } => (
                Code::UnknownUnit,
                message!(
                    "Đến bước này không có đơn vị {reference} (theo bản đồ của ngày có hiệu lực và các bước trước).",
                    "At this step there is no unit {reference} (on the map of the effective day, after the steps before)."
                ),
            ),
            PlanFault::TwoUnits { unit: reference } => (
                Code::AmbiguousUnit,
                message!(
                    "Đến bước này có hai đơn vị cùng mang {reference}. Hãy ghi mã định danh của đơn vị.",
                    "At this step two units have {reference}. Name the unit by its id."
                ),
            ),
            PlanFault::IntoItself { unit: name } => (
                Code::Duplicate,
                message!(
                    "{name} không thể nhập vào chính mình. Hãy ghi đơn vị được nhập vào.",
                    "{name} cannot become part of itself. Name the unit that it becomes part of."
                ),
            ),
            PlanFault::NamedTwice { unit: name } => (
                Code::Duplicate,
                message!(
                    "{name} được ghi hai lần trong bước này. Hãy bỏ một chỗ.",
                    "{name} is named twice in this step. Remove one of the two."
                ),
            ),
            PlanFault::DividedBefore { unit: name } => (
                Code::Duplicate,
                message!(
                    "{name} đã được chia ở một bước trước. Hãy ghi tất cả các phần trong một bước.",
                    "{name} was divided by an earlier step. Name all its parts in one step."
                ),
            ),
            PlanFault::NotBelow { child, source } => (
                Code::UnknownUnit,
                message!(
                    "{child} không trực thuộc {source}. Hãy bỏ dòng này.",
                    "{child} is no part of {source}. Remove it."
                ),
            ),
            PlanFault::NotAPart { unit: part } => (
                Code::UnknownUnit,
                message!(
                    "{part} không phải là một phần của đơn vị được chia. Hãy chọn một trong các phần.",
                    "{part} is none of the parts. Choose one of them."
                ),
            ),
            PlanFault::ChildUnassigned { child: name } => (
                Code::ChildUnassigned,
                message!(
                    "{name} chưa được giao về phần nào. Hãy ghi đơn vị đó vào children.",
                    "{name} is assigned to none of the parts. Add it to children."
                ),
            ),
            PlanFault::EndsUnborn => (
                Code::InvalidValue,
                message!(
                    "Đơn vị này vừa được lập trong chính văn bản này. Hãy ghi thẳng đơn vị cuối cùng.",
                    "This unit is made by the same document. Name the unit that there is in the end."
                ),
            ),
            PlanFault::ChangesLater { unit: name, day } => {
                let day = Named::day(*day);
                (
                    Code::ChangedLater,
                    message!(
                        "{name} đã có thay đổi ngày {day}, sau ngày có hiệu lực. Hãy hủy lần sắp xếp sau trước đã.",
                        "{name} changes on {day}, after the effective day. Undo the later reorganisation first.",
                        day
                    ),
                )
            }
            PlanFault::StandsSince { unit: name, day } => {
                let day = Named::day(*day);
                (
                    Code::ChangedLater,
                    message!(
                        "{name} mới có từ chính ngày {day}. Hãy hủy lần sắp xếp đã lập ra nó, hoặc chọn ngày sau.",
                        "{name} stands from this very day, {day}, on. Undo what made it, or choose a later day.",
                        day
                    ),
                )
            }
            PlanFault::LevelTooLow { child, level } => (
                Code::ParentAboveRequired,
                message!(
                    "{child} trực thuộc đơn vị này nên cấp {level} không đủ cao. Hãy chuyển {child} trước.",
                    "{child} is part of this unit, for which the level {level} is too low. Move {child} first.",
                    level
                ),
            ),
            PlanFault::NoSuchLevel { level, day, levels } => {
                let day = Named::day(*day);
                (
                    Code::UnknownLevel,
                    message!(
                        "Từ ngày {day} không có cấp {level}. Các cấp có là: {levels}.",
                        "There is no level {level} from {day} on. Those there are: {levels}.",
                        day,
                        level,
                        levels
                    ),
                )
            }
            PlanFault::ParentEnded { parent: name } => (
                Code::ParentAboveRequired,
                message!(
                    "{name} không còn nữa nên không thể là đơn vị cấp trên. Hãy chọn đơn vị khác.",
                    "{name} stands no more and cannot be the unit above. Choose another."
                ),
            ),
            PlanFault::ParentNotAbove {
                parent: name,
                level,
                above,
            } => (
                Code::ParentAboveRequired,
                message!(
                    "Đơn vị cấp {level} không thể trực thuộc {name} (cấp {above}). Hãy chọn đơn vị cấp cao hơn.",
                    "A unit of the level {level} cannot be part of {name} (level {above}). Choose one above.",
                    level,
                    above
                ),
            ),
            PlanFault::ParentEndsLater { parent: name } => (
                Code::ChangedLater,
                message!(
                    "{name} bị giải thể về sau. Hãy hủy lần sắp xếp sau trước đã.",
                    "{name} comes to an end later. Undo the later reorganisation first."
                ),
            ),
            PlanFault::CodeTaken { code, holder: name } => (
                Code::CodeTaken,
                message!(
                    "Mã {code} là của đơn vị {name}. Một mã chỉ thuộc về một đơn vị tại một thời điểm.",
                    "The code {code} is {name}'s. One code belongs to one unit at a time."
                ),
            ),
            PlanFault::UnitsBelow {
                unit: name,
                count,
                names,
            } => {
                let units = counted(*count, "unit", "units");
                (
                    Code::UnitsBelow,
                    message!(
                        "{name} còn {count} đơn vị trực thuộc ({names}). Hãy chuyển hoặc nhập các đơn vị đó.",
                        "{name} still has {units} below it ({names}). Move what is below it, or merge it."
                    ),
                )
            }
            PlanFault::ChildMovedLater {
                child,
                parent: name,
            } => (
                Code::ChangedLater,
                message!(
                    "{child} được đưa vào {name} ở một lần sắp xếp sau. Hãy hủy lần đó trước đã.",
                    "A later reorganisation makes {child} part of {name}. Undo that first."
                ),
            ),
            PlanFault::LevelNotStanding { level, day, levels } => {
                let day = Named::day(*day);
                (
                    Code::UnknownLevel,
                    message!(
                        "Đến hết ngày {day} không có cấp {level}. Các cấp có là: {levels}.",
                        "There is no level {level} up to {day}. Those there are: {levels}.",
                        day,
                        level,
                        levels
                    ),
                )
            }
            PlanFault::UnitsAtLevel {
                level,
                count,
                names,
            } => {
                let units = counted(*count, "unit", "units");
                (
                    Code::UnitsBelow,
                    message!(
                        "Còn {count} đơn vị thuộc cấp {level} ({names}). Hãy nhập, chuyển cấp hoặc giải thể các đơn vị đó.",
                        "The level {level} still has {units} ({names}). Merge or abolish these first.",
                        level
                    ),
                )
            }
        }
    }
}
