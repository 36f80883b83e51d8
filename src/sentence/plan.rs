//! The faults of a plan, in words.

use super::Sentence;
use crate::domain::naming::Named;
use crate::domain::plan::PlanFault;
use crate::error::{Code, Message};
use crate::locale::Count;
use crate::message;

impl Sentence for PlanFault {
    fn sentence(&self) -> (Code, Message) {
        match self {
            PlanFault::NoUnit { unit: reference } => {
                (Code::UnknownUnit, message!("plan-no-unit", reference))
            }
            PlanFault::TwoUnits { unit: reference } => {
                (Code::AmbiguousUnit, message!("plan-two-units", reference))
            }
            PlanFault::IntoItself { unit: name } => {
                (Code::Duplicate, message!("plan-into-itself", name))
            }
            PlanFault::NamedTwice { unit: name } => {
                (Code::Duplicate, message!("plan-named-twice", name))
            }
            PlanFault::DividedBefore { unit: name } => {
                (Code::Duplicate, message!("plan-divided-before", name))
            }
            PlanFault::NotBelow { child, source } => (
                Code::UnknownUnit,
                message!("plan-child-not-of-source", child, source),
            ),
            PlanFault::NotAPart { unit: part } => {
                (Code::UnknownUnit, message!("plan-part-unknown", part))
            }
            PlanFault::ChildUnassigned { child: name } => (
                Code::ChildUnassigned,
                message!("plan-child-unassigned", name),
            ),
            PlanFault::EndsUnborn => (Code::InvalidValue, message!("plan-ends-unborn")),
            PlanFault::ChangesLater { unit: name, day } => {
                let day = Named::day(*day);
                (
                    Code::ChangedLater,
                    message!("plan-changed-later", name, day),
                )
            }
            PlanFault::StandsSince { unit: name, day } => {
                let day = Named::day(*day);
                (
                    Code::ChangedLater,
                    message!("plan-stands-from-this-day", name, day),
                )
            }
            PlanFault::LevelTooLow { child, level } => (
                Code::ParentAboveRequired,
                message!("plan-level-too-low", child, level),
            ),
            PlanFault::NoSuchLevel { level, day, levels } => {
                let day = Named::day(*day);
                (
                    Code::UnknownLevel,
                    message!("plan-no-such-level", day, level, levels),
                )
            }
            PlanFault::ParentEnded { parent: name } => (
                Code::ParentAboveRequired,
                message!("plan-parent-ended", name),
            ),
            PlanFault::ParentNotAbove {
                parent: name,
                level,
                above,
            } => (
                Code::ParentAboveRequired,
                message!("plan-parent-not-above", level, name, above),
            ),
            PlanFault::ParentEndsLater { parent: name } => {
                (Code::ChangedLater, message!("plan-parent-ends-later", name))
            }
            PlanFault::CodeTaken { code, holder: name } => {
                (Code::CodeTaken, message!("plan-code-taken", code, name))
            }
            PlanFault::UnitsBelow {
                unit: name,
                count,
                names,
            } => (
                Code::UnitsBelow,
                message!("plan-units-below", name, names, count = Count(*count)),
            ),
            PlanFault::ChildMovedLater {
                child,
                parent: name,
            } => (
                Code::ChangedLater,
                message!("plan-child-moved-later", child, name),
            ),
            PlanFault::LevelNotStanding { level, day, levels } => {
                let day = Named::day(*day);
                (
                    Code::UnknownLevel,
                    message!("plan-level-not-standing", day, level, levels),
                )
            }
            PlanFault::UnitsAtLevel {
                level,
                count,
                names,
            } => (
                Code::UnitsBelow,
                message!("plan-units-at-level", level, names, count = Count(*count)),
            ),
        }
    }
}
