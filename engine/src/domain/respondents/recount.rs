//! Respondents against a naive recount: random maps that change once, random owners, forms that ask by
//! level or by name, and units that report for their subtrees.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::domain::form::SubmittedBy;
use crate::domain::hierarchy::Hierarchy;
use crate::domain::level::LevelPreset;
use crate::domain::succession::Successions;
use crate::domain::unit::{BEGINNING, UnitFact, Validity};

const TOWNS: usize = 2;
const COMMUNES: usize = 4;
const HAMLETS: usize = 8;
const FIRST_HAMLET: usize = TOWNS + COMMUNES;
const UNITS: usize = FIRST_HAMLET + HAMLETS;

fn change() -> NaiveDate {
    NaiveDate::from_ymd_opt(2025, 7, 1).unwrap()
}

/// Towns, communes and hamlets: the number of the unit above each, before and after the change.
fn map(above: &[(usize, usize)]) -> (Hierarchy, Vec<UnitId>) {
    let units: Vec<UnitId> = (0..UNITS).map(|_| UnitId::new()).collect();
    let mut facts = Vec::new();
    for (number, unit) in units.iter().enumerate() {
        let (level, first, count) = match number {
            0..TOWNS => ("town", 0, 0),
            TOWNS..FIRST_HAMLET => ("commune", 0, TOWNS),
            _ => ("hamlet", TOWNS, COMMUNES),
        };
        let (before, after) = above[number];
        let days = [
            (before, BEGINNING, change().pred_opt()),
            (after, change(), None),
        ];
        for (above, from, to) in days {
            facts.push(UnitFact {
                unit: *unit,
                validity: Validity { from, to },
                code: format!("u{number}").parse().unwrap(),
                name: format!("{number}"),
                kind: None,
                level: level.parse().unwrap(),
                parent: (count > 0).then(|| units[first + above % count]),
            });
        }
    }
    let levels = LevelPreset::Vietnam.levels();
    let hierarchy = Hierarchy::new(levels, facts, Successions::default());
    (hierarchy, units)
}

fn definition(owner: Option<UnitId>, submitted_by: SubmittedBy) -> FormDefinition {
    let text = json!({
        "name": {"vi": "Mẫu"}, "windows": {}, "submitted_by": [], "deadlines": {},
        "late": "accept", "four_eyes": "not_required", "outline": [], "rules": [],
    });
    let empty: FormDefinition = serde_json::from_str(&text.to_string()).unwrap();
    FormDefinition {
        owner,
        submitted_by,
        ..empty
    }
}

fn asked() -> impl Strategy<Value = Result<BTreeSet<&'static str>, BTreeSet<usize>>> {
    let levels = prop::collection::btree_set(
        prop::sample::select(vec!["town", "commune", "hamlet"]),
        0..=3,
    );
    let units = prop::collection::btree_set(0..UNITS, 0..=UNITS);
    prop_oneof![levels.prop_map(Ok), units.prop_map(Err)]
}

proptest! {
    #[test]
    fn respondents_are_what_a_recount_says(
        above in prop::collection::vec((0..4_usize, 0..4_usize), UNITS),
        owner in prop::option::of(0..UNITS),
        asked in asked(),
        covering in prop::collection::btree_set(0..UNITS, 0..=3),
    ) {
        let (hierarchy, units) = map(&above);
        let submitted_by = match &asked {
            Ok(levels) => {
                SubmittedBy::Levels(levels.iter().map(|level| level.parse().unwrap()).collect())
            }
            Err(numbers) => {
                SubmittedBy::Recipients(numbers.iter().map(|number| units[*number]).collect())
            }
        };
        let owner = owner.map(|number| units[number]);
        let covering: BTreeSet<UnitId> = covering.iter().map(|number| units[*number]).collect();
        let definition = definition(owner, submitted_by);
        let tree = hierarchy.tree_on(BEGINNING);
        let respondents = Respondents::new(&definition, tree.clone(), covering.iter().copied());

        let is_asked = |place: &Place<'_>| {
            let fact = place.fact();
            let is_named = match &asked {
                Ok(levels) => levels.contains(fact.level.as_str()),
                Err(numbers) => numbers.iter().any(|number| units[*number] == fact.unit),
            };
            let owner = owner.map(|owner| tree.by_id(owner).unwrap());
            is_named && owner.is_none_or(|owner| owner.covers(*place))
        };
        // The levels for which each unit submits; none for a unit for which another one does.
        let expected: BTreeMap<UnitId, BTreeSet<&LevelCode>> = tree
            .places()
            .map(|place| {
                let is_covered = place.ancestors().any(|upper| covering.contains(&upper.unit()));
                let speaks_for: Vec<Place<'_>> = match covering.contains(&place.unit()) {
                    _ if is_covered => Vec::new(),
                    true => place.subtree().collect(),
                    false => vec![place],
                };
                let asked = speaks_for.into_iter().filter(is_asked);
                (place.unit(), asked.map(|place| &place.fact().level).collect())
            })
            .collect();
        let number = |count: usize| u64::try_from(count).unwrap();
        let levels: [LevelCode; 3] = ["town", "commune", "hamlet"].map(|level| level.parse().unwrap());

        for place in tree.places() {
            let own = &expected[&place.unit()];
            let told: BTreeSet<&LevelCode> = respondents.levels_of(place).into_iter().collect();
            prop_assert_eq!(&told, own);
            prop_assert_eq!(respondents.includes(place), !own.is_empty());
            let below = |is_counted: &dyn Fn(&BTreeSet<&LevelCode>) -> bool| {
                let below = place.subtree().map(|below| &expected[&below.unit()]);
                number(below.filter(|levels| is_counted(levels)).count())
            };
            let all = below(&|levels| !levels.is_empty());
            prop_assert_eq!(respondents.count(place), all);
            prop_assert_eq!(respondents.count_below(place), all - u64::from(!own.is_empty()));
            let groups = respondents.groups(place);
            prop_assert_eq!(groups.iter().map(|group| group.count).sum::<u64>(), all);
            let due: usize = levels.iter().map(|level| respondents.due_with_level(level, place).len()).sum();
            prop_assert_eq!(number(due), all);
            for level in &levels {
                let count = respondents.count_answering(place, |asked| asked == level);
                prop_assert_eq!(count, below(&|levels| levels.contains(level)));
            }
        }

        // On the map after the change they are counted where they lie then.
        let later = hierarchy.tree_on(change());
        let landings = hierarchy.landings(BEGINNING, change()).unwrap();
        let landed = respondents.landed(Some((landings, later.as_ref())));
        for place in later.places() {
            for landing in [Landing::Shares, Landing::Whole, Landing::Itself] {
                for level in &levels {
                    let is_asked = |asked: &LevelCode| asked == level;
                    let answers = |place: &Place<'_>| expected[&place.unit()].contains(level);
                    let below = number(place.subtree().filter(answers).count());
                    prop_assert_eq!(landed.count_below(place, landing, is_asked), below);
                    let own = u64::from(answers(&place));
                    prop_assert_eq!(landed.count_at(place, landing, is_asked), own);
                }
            }
        }
    }
}
