//! Respondents against a naive recount: random maps that change once, random owners, and forms that
//! ask by level or by name.

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
        let definition = definition(owner, submitted_by);
        let tree = hierarchy.tree_on(BEGINNING);
        let respondents = Respondents::new(&definition, tree.clone(), []);

        let is_named = |fact: &UnitFact| match &asked {
            Ok(levels) => levels.contains(fact.level.as_str()),
            Err(numbers) => numbers.iter().any(|number| units[*number] == fact.unit),
        };
        let expected: BTreeSet<UnitId> = tree
            .places()
            .filter(|place| {
                let owner = owner.map(|owner| tree.by_id(owner).unwrap());
                is_named(place.fact()) && owner.is_none_or(|owner| owner.covers(*place))
            })
            .map(Place::unit)
            .collect();
        let is_expected = |place: &Place<'_>| expected.contains(&place.unit());
        let number = |count: usize| u64::try_from(count).unwrap();

        for place in tree.places() {
            let below: Vec<Place<'_>> = place.subtree().filter(is_expected).collect();
            prop_assert_eq!(respondents.includes(place), is_expected(&place));
            prop_assert_eq!(respondents.count(place), number(below.len()));
            let own = usize::from(is_expected(&place));
            prop_assert_eq!(respondents.count_below(place), number(below.len() - own));
            let mut by_level: BTreeMap<&LevelCode, u64> = BTreeMap::new();
            for place in &below {
                *by_level.entry(&place.fact().level).or_default() += 1;
            }
            let groups = respondents.groups(place);
            let groups = groups.iter().map(|group| (group.level, group.count));
            prop_assert_eq!(groups.collect::<BTreeMap<_, _>>(), by_level);
            for level in ["town", "commune", "hamlet"] {
                let level: LevelCode = level.parse().unwrap();
                let found = respondents.due_with_level(&level, place).into_iter();
                let found: Vec<UnitId> = found.map(Place::unit).collect();
                let of_level = below.iter().filter(|place| place.fact().level == level);
                let of_level: Vec<UnitId> = of_level.map(|place| place.unit()).collect();
                prop_assert_eq!(found, of_level);
                let is_asked = |asked: &LevelCode| *asked == level;
                let count = respondents.count_answering(place, is_asked);
                let of_level = below.iter().filter(|place| place.fact().level == level);
                prop_assert_eq!(count, number(of_level.count()));
            }
        }

        // On the map after the change they are counted where they lie then.
        let later = hierarchy.tree_on(change());
        let landings = hierarchy.landings(BEGINNING, change()).unwrap();
        let landed = respondents.landed(Some((landings, later.as_ref())));
        for place in later.places() {
            let below = place.subtree().filter(is_expected).count();
            let own = usize::from(is_expected(&place));
            for landing in [Landing::Shares, Landing::Whole, Landing::Itself] {
                prop_assert_eq!(landed.count_below(place, landing, |_| true), number(below));
                prop_assert_eq!(landed.count_at(place, landing, |_| true), number(own));
            }
        }
    }
}
