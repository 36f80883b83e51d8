//! Reorganisations (sắp xếp đơn vị hành chính): the document that changes the map from a day on,
//! as it is sent and as it is read. Never what it comes to on a map: that is `plan`'s.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::{Deserialize, Deserializer, Serialize};

use super::succession::Share;
use crate::domain::day::Day;
use crate::domain::fault::{Faults, FieldPath};
use crate::domain::id::{LevelCode, UnitCode};
use crate::domain::text::{TextFault, clipped, read_name};
use crate::domain::unit::{BEGINNING, UnitReference};
use crate::path;

/// The treatment of grants on units that end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Grants {
    /// They stay as they are, and reach nothing from the effective day on.
    #[default]
    Stay,
    /// Whoever has one gets the same on the unit that took over the whole, if one did; the old one
    /// stays, for the days before.
    Follow,
}

/// The treatment of submissions and targets of units that end, for periods that close on the
/// effective day or later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum WorkInProgress {
    /// They stay readable under the unit that ended.
    #[default]
    Stay,
    /// They pass to the one unit that took over the whole, with their history, if neither it nor
    /// another predecessor has any.
    PassOn,
}

/// A change of the map from a day on (sắp xếp đơn vị hành chính).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ReorganisationDocument {
    /// The first day of the new map.
    #[cfg_attr(feature = "schema", schema(value_type = String, format = Date))]
    pub effective: Day,
    /// The decision that says so.
    #[cfg_attr(feature = "schema", schema(example = "Nghị quyết 1654/NQ-UBTVQH15"))]
    pub legal_basis: String,
    /// In this order. A unit is named by its id, or by `code:` and the code that it has after the
    /// steps before.
    pub steps: Vec<StepDocument>,
    #[serde(default)]
    #[cfg_attr(feature = "schema", schema(default = "stay"))]
    pub grants: Grants,
    #[serde(default)]
    #[cfg_attr(feature = "schema", schema(default = "stay"))]
    pub work_in_progress: WorkInProgress,
}

/// One step of a reorganisation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(tag = "op", rename_all = "snake_case", deny_unknown_fields)]
pub enum StepDocument {
    /// A unit comes to be (thành lập) that takes over nothing.
    Create { unit: UnitDocument },
    /// A unit gets another name.
    Rename {
        #[cfg_attr(feature = "schema", schema(example = "code:30388"))]
        unit: String,
        name: String,
    },
    /// A unit gets another code.
    Recode {
        #[cfg_attr(feature = "schema", schema(example = "code:30388"))]
        unit: String,
        code: String,
    },
    /// A unit is called something else, such as a ward instead of a commune.
    Retype {
        #[cfg_attr(feature = "schema", schema(example = "code:30388"))]
        unit: String,
        /// Null where its level has no kinds.
        #[serde(deserialize_with = "present")]
        #[cfg_attr(feature = "schema", schema(required, example = "phường"))]
        kind: Option<String>,
    },
    /// A unit becomes part of another.
    Move {
        #[cfg_attr(feature = "schema", schema(example = "code:30388"))]
        unit: String,
        /// Null makes it a root.
        #[serde(deserialize_with = "present")]
        #[cfg_attr(feature = "schema", schema(required, example = "code:91"))]
        parent: Option<String>,
    },
    /// Units become one (nhập): all that they had passes to it, and so do the units below them.
    Merge {
        from: Vec<String>,
        into: SuccessorDocument,
    },
    /// A unit is divided (chia): what it had passes in parts.
    Split {
        #[cfg_attr(feature = "schema", schema(example = "code:30388"))]
        from: String,
        into: Vec<PartDocument>,
        /// The basis of the shares; required if there are shares.
        #[cfg_attr(feature = "schema", schema(example = "population"))]
        basis: Option<String>,
        /// Each unit below the divided one, and the part that it goes to.
        #[serde(default)]
        children: BTreeMap<String, String>,
    },
    /// A unit comes to an end (giải thể), and nothing of it passes to any other.
    Abolish {
        #[cfg_attr(feature = "schema", schema(example = "code:887"))]
        unit: String,
    },
    /// A level comes to an end. No unit may be left at it.
    AbolishLevel {
        #[cfg_attr(feature = "schema", schema(example = "town"))]
        level: String,
    },
}

/// A unit as a reorganisation makes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct UnitDocument {
    #[cfg_attr(feature = "schema", schema(example = "30388"))]
    pub code: String,
    #[cfg_attr(feature = "schema", schema(example = "Tân An"))]
    pub name: String,
    /// The name for such a unit, if its level has several kinds.
    #[cfg_attr(feature = "schema", schema(example = "xã"))]
    pub kind: Option<String>,
    #[cfg_attr(feature = "schema", schema(example = "commune"))]
    pub level: String,
    /// The unit that it is part of; null for a root.
    #[serde(deserialize_with = "present")]
    #[cfg_attr(feature = "schema", schema(required, example = "code:91"))]
    pub parent: Option<String>,
}

/// The unit that takes over: an existing one, by its id or its code, or one described as it is to
/// be. One with the code of a unit that passes to it is that unit, and lives on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(untagged)]
pub enum SuccessorDocument {
    Standing(String),
    Described(UnitDocument),
}

/// One part of a unit that is divided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct PartDocument {
    pub unit: SuccessorDocument,
    /// A fraction. Either all parts have one, and they add up to one, or none has.
    #[cfg_attr(feature = "schema", schema(example = "7/10"))]
    pub share: Option<String>,
}

/// A field that must be there, though it may be null: to leave out a parent is no way to say that
/// there is none.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Option::deserialize(deserializer)
}

/// A reorganisation whose every field is in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reorganisation {
    pub effective: NaiveDate,
    pub legal_basis: String,
    pub steps: Vec<MapStep>,
    pub grants: Grants,
    pub work_in_progress: WorkInProgress,
}

/// One step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MapStep {
    Create {
        unit: DescribedUnit,
    },
    Rename {
        unit: UnitReference,
        name: String,
    },
    Recode {
        unit: UnitReference,
        code: UnitCode,
    },
    Retype {
        unit: UnitReference,
        kind: Option<String>,
    },
    Move {
        unit: UnitReference,
        parent: Option<UnitReference>,
    },
    Merge {
        from: Vec<UnitReference>,
        into: Successor,
    },
    Split {
        from: UnitReference,
        into: Vec<DividedPart>,
        /// A unit below the divided one, and the part that it goes to.
        children: Vec<(UnitReference, UnitReference)>,
    },
    Abolish {
        unit: UnitReference,
    },
    AbolishLevel {
        level: LevelCode,
    },
}

/// A unit as it is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DescribedUnit {
    pub code: UnitCode,
    pub name: String,
    pub kind: Option<String>,
    pub level: LevelCode,
    pub parent: Option<UnitReference>,
}

/// The unit that takes over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Successor {
    Standing(UnitReference),
    Described(DescribedUnit),
}

/// One part of a unit that is divided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DividedPart {
    pub unit: Successor,
    pub share: Option<Share>,
}

/// A reason for which a field of the document cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReorganisationFault {
    /// A list that needs an item is empty.
    NothingListed,
    /// There is no day before the effective one, on which the former map could end.
    NotAfterBeginning,
    /// A unit is divided into fewer than two parts.
    TooFewParts,
    /// Some parts have a share and others none, or the shares do not add up to one.
    SharesNotWhole,
    /// A share is no fraction above 0 and up to 1.
    NoShare,
    /// There are shares, and nothing is said of what they go by.
    BasisMissing,
    /// A text that names no unit, as far as it is repeated to its sender.
    NoReference {
        text: String,
    },
    InvalidCode,
    /// A text that is no level's code, as far as it is repeated to its sender.
    NoLevel {
        text: String,
    },
    Text(TextFault),
}

impl ReorganisationDocument {
    /// Reads every field.
    ///
    /// # Errors
    /// Every single fault, with its place in the document.
    pub fn read(&self) -> Result<Reorganisation, Faults<ReorganisationFault>> {
        let mut reader = Reader::default();
        reader.effective(self.effective.get());
        let legal_basis = reader.name(&self.legal_basis, &path!["legal_basis"]);
        if self.steps.is_empty() {
            reader.fault(&path!["steps"], ReorganisationFault::NothingListed);
        }
        let steps = self.steps.iter().enumerate();
        let steps: Option<Vec<MapStep>> =
            all(steps.map(|(index, step)| reader.step(step, &path!["steps", index])));
        match (legal_basis, steps) {
            (Some(legal_basis), Some(steps)) if reader.faults.is_empty() => Ok(Reorganisation {
                effective: self.effective.get(),
                legal_basis,
                steps,
                grants: self.grants,
                work_in_progress: self.work_in_progress,
            }),
            _ => Err(reader.faults),
        }
    }
}

/// All of them or none, after every one was looked at.
fn all<T>(items: impl Iterator<Item = Option<T>>) -> Option<Vec<T>> {
    let read: Vec<Option<T>> = items.collect();
    read.into_iter().collect()
}

/// Reads fields and notes what is wrong with them.
#[derive(Default)]
struct Reader {
    faults: Faults<ReorganisationFault>,
}

impl Reader {
    fn fault(&mut self, path: &FieldPath, fault: ReorganisationFault) {
        self.faults.push(path.clone(), fault);
    }

    /// There must be a day before, on which the former map ends.
    fn effective(&mut self, day: NaiveDate) {
        if day <= BEGINNING {
            self.fault(&path!["effective"], ReorganisationFault::NotAfterBeginning);
        }
    }

    fn step(&mut self, step: &StepDocument, at: &FieldPath) -> Option<MapStep> {
        let below = |field: &'static str| at.below(field);
        Some(match step {
            StepDocument::Create { unit } => MapStep::Create {
                unit: self.described(unit, &below("unit"))?,
            },
            StepDocument::Rename { unit, name } => {
                let unit = self.reference(unit, &below("unit"));
                let name = self.name(name, &below("name"));
                MapStep::Rename {
                    unit: unit?,
                    name: name?,
                }
            }
            StepDocument::Recode { unit, code } => {
                let unit = self.reference(unit, &below("unit"));
                let code = self.code(code, &below("code"));
                MapStep::Recode {
                    unit: unit?,
                    code: code?,
                }
            }
            StepDocument::Retype { unit, kind } => {
                let unit = self.reference(unit, &below("unit"));
                let kind = self.kind(kind.as_ref(), &below("kind"));
                MapStep::Retype {
                    unit: unit?,
                    kind: kind?,
                }
            }
            StepDocument::Move { unit, parent } => {
                let unit = self.reference(unit, &below("unit"));
                let parent = self.parent(parent.as_ref(), &below("parent"));
                MapStep::Move {
                    unit: unit?,
                    parent: parent?,
                }
            }
            StepDocument::Merge { from, into } => {
                let from = self.sources(from, &below("from"));
                let into = self.successor(into, &below("into"));
                MapStep::Merge {
                    from: from?,
                    into: into?,
                }
            }
            StepDocument::Split {
                from,
                into,
                basis,
                children,
            } => {
                let from = self.reference(from, &below("from"));
                let parts = self.parts(into, &below("into"));
                self.basis(basis.as_ref(), into, &below("basis"));
                let children = self.children(children, &below("children"));
                MapStep::Split {
                    from: from?,
                    into: parts?,
                    children: children?,
                }
            }
            StepDocument::Abolish { unit } => MapStep::Abolish {
                unit: self.reference(unit, &below("unit"))?,
            },
            StepDocument::AbolishLevel { level } => MapStep::AbolishLevel {
                level: self.level(level, &below("level"))?,
            },
        })
    }

    fn sources(&mut self, from: &[String], at: &FieldPath) -> Option<Vec<UnitReference>> {
        if from.is_empty() {
            self.fault(at, ReorganisationFault::NothingListed);
        }
        let sources = from.iter().enumerate();
        all(sources.map(|(index, source)| self.reference(source, &at.below(index))))
    }

    fn parts(&mut self, into: &[PartDocument], at: &FieldPath) -> Option<Vec<DividedPart>> {
        if into.len() < 2 {
            self.fault(at, ReorganisationFault::TooFewParts);
        }
        let parts = into.iter().enumerate();
        let parts = all(parts.map(|(index, part)| {
            let at = at.below(index);
            let unit = self.successor(&part.unit, &at.below("unit"));
            let share = match &part.share {
                None => Some(None),
                Some(share) => self.share(share, &at.below("share")).map(Some),
            };
            Some(DividedPart {
                unit: unit?,
                share: share?,
            })
        }))?;
        self.check_shares(&parts, at);
        Some(parts)
    }

    fn check_shares(&mut self, parts: &[DividedPart], at: &FieldPath) {
        let shares: Vec<Share> = parts.iter().filter_map(|part| part.share).collect();
        if shares.is_empty() {
            return;
        }
        if shares.len() < parts.len() || !Share::make_whole(shares) {
            self.fault(at, ReorganisationFault::SharesNotWhole);
        }
    }

    fn share(&mut self, text: &str, at: &FieldPath) -> Option<Share> {
        let share = text.parse::<Share>().ok();
        if share.is_none() {
            self.fault(at, ReorganisationFault::NoShare);
        }
        share
    }

    fn basis(&mut self, basis: Option<&String>, into: &[PartDocument], at: &FieldPath) {
        match basis {
            Some(basis) => {
                self.name(basis, at);
            }
            None if into.iter().any(|part| part.share.is_some()) => {
                self.fault(at, ReorganisationFault::BasisMissing);
            }
            None => {}
        }
    }

    fn children(
        &mut self,
        children: &BTreeMap<String, String>,
        at: &FieldPath,
    ) -> Option<Vec<(UnitReference, UnitReference)>> {
        all(children.iter().map(|(child, part)| {
            let at = at.below(child.clone());
            let child = self.reference(child, &at);
            let part = self.reference(part, &at);
            Some((child?, part?))
        }))
    }

    fn successor(&mut self, successor: &SuccessorDocument, at: &FieldPath) -> Option<Successor> {
        match successor {
            SuccessorDocument::Standing(unit) => self.reference(unit, at).map(Successor::Standing),
            SuccessorDocument::Described(unit) => {
                self.described(unit, at).map(Successor::Described)
            }
        }
    }

    fn described(&mut self, unit: &UnitDocument, at: &FieldPath) -> Option<DescribedUnit> {
        let below = |field: &'static str| at.below(field);
        let code = self.code(&unit.code, &below("code"));
        let name = self.name(&unit.name, &below("name"));
        let kind = self.kind(unit.kind.as_ref(), &below("kind"));
        let level = self.level(&unit.level, &below("level"));
        let parent = self.parent(unit.parent.as_ref(), &below("parent"));
        Some(DescribedUnit {
            code: code?,
            name: name?,
            kind: kind?,
            level: level?,
            parent: parent?,
        })
    }

    fn reference(&mut self, text: &str, at: &FieldPath) -> Option<UnitReference> {
        let reference = text.parse::<UnitReference>().ok();
        if reference.is_none() {
            self.fault(
                at,
                ReorganisationFault::NoReference {
                    text: clipped(text),
                },
            );
        }
        reference
    }

    fn parent(&mut self, parent: Option<&String>, at: &FieldPath) -> Option<Option<UnitReference>> {
        match parent {
            None => Some(None),
            Some(parent) => self.reference(parent, at).map(Some),
        }
    }

    fn code(&mut self, text: &str, at: &FieldPath) -> Option<UnitCode> {
        let code = text.parse::<UnitCode>().ok();
        if code.is_none() {
            self.fault(at, ReorganisationFault::InvalidCode);
        }
        code
    }

    fn level(&mut self, text: &str, at: &FieldPath) -> Option<LevelCode> {
        let level = text.parse::<LevelCode>().ok();
        if level.is_none() {
            self.fault(
                at,
                ReorganisationFault::NoLevel {
                    text: clipped(text),
                },
            );
        }
        level
    }

    fn name(&mut self, text: &str, at: &FieldPath) -> Option<String> {
        let name = read_name(text);
        name.map_err(|fault| self.fault(at, ReorganisationFault::Text(fault)))
            .ok()
    }

    fn kind(&mut self, kind: Option<&String>, at: &FieldPath) -> Option<Option<String>> {
        match kind {
            None => Some(None),
            Some(kind) => self.name(kind, at).map(Some),
        }
    }
}
