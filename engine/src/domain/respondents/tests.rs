//! Counts by level and their corrections, against the units one by one.

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::domain::hierarchy::Hierarchy;
use crate::domain::succession::Successions;
use crate::domain::unit::{BEGINNING, UnitFact, Validity};

/// Two towns, each with two communes of two hamlets: the code of a unit begins with that of the one
/// above it.
const CODES: [&str; 14] = [
    "1", "11", "111", "112", "12", "121", "122", "2", "21", "211", "212", "22", "221", "222",
];
const LEVELS: [&str; 3] = ["town", "commune", "hamlet"];

fn level_of(code: &str) -> &'static str {
    LEVELS[code.len() - 1]
}

fn tree() -> Arc<Tree> {
    let ids: BTreeMap<&str, UnitId> = CODES.iter().map(|code| (*code, UnitId::new())).collect();
    let facts = CODES.iter().map(|code| UnitFact {
        unit: ids[code],
        validity: Validity::ALWAYS,
        code: code.parse().unwrap(),
        name: (*code).to_owned(),
        kind: None,
        level: level_of(code).parse().unwrap(),
        parent: ids.get(&code[..code.len() - 1]).copied(),
    });
    let hierarchy = Hierarchy::new(Vec::new(), facts.collect(), Successions::default());
    hierarchy.tree_on(BEGINNING)
}

/// A form with these levels; the deadlines of later ones are later.
fn definition(submitted_by: &[&str], deadlines: &[&str]) -> FormDefinition {
    let days = deadlines.iter().zip(1..);
    let deadlines: BTreeMap<&str, i32> = days.map(|(level, days)| (*level, days)).collect();
    let stored = json!({
        "name": {"vi": "Mẫu"}, "calendar": "civil", "frequency": "year",
        "submitted_by": submitted_by, "deadlines": deadlines, "late": "accept",
        "four_eyes": "not_required", "outline": [], "rules": [],
    });
    serde_json::from_value(stored).unwrap()
}

fn some(of: &'static [&'static str]) -> impl Strategy<Value = Vec<&'static str>> {
    prop::sample::subsequence(of, 0..=of.len())
}

/// The uppermost of the units at and above a unit that report for their subtrees.
fn top<'c>(covering: &[&'c str], code: &str) -> Option<&'c str> {
    let tops = covering.iter().filter(|top| code.starts_with(**top));
    tops.min_by_key(|top| top.len()).copied()
}

/// The levels for which a unit is to submit.
fn levels(covering: &[&str], submitted_by: &[&str], code: &str) -> BTreeSet<&'static str> {
    let spoken_for = CODES.iter().filter(|below| match top(covering, code) {
        None => **below == code,
        Some(top) => top == code && below.starts_with(code),
    });
    let levels = spoken_for.map(|below| level_of(below));
    levels
        .filter(|level| submitted_by.contains(level))
        .collect()
}

fn counted(number: usize) -> u64 {
    u64::try_from(number).unwrap()
}

fn total(groups: &[Group<'_>]) -> u64 {
    groups.iter().map(|group| group.count).sum()
}

proptest! {
    #[test]
    fn counts_and_groups_are_those_of_the_units_one_by_one(
        submitted_by in some(&LEVELS), deadlines in some(&LEVELS), covering in some(&CODES),
    ) {
        let tree = tree();
        let definition = definition(&submitted_by, &deadlines);
        let place = |code: &str| tree.by_code(&code.parse().unwrap()).unwrap();
        let units = covering.iter().map(|code| place(code).unit());
        let respondents = Respondents::new(&definition, tree.clone(), units);
        let levels = |code: &str| levels(&covering, &submitted_by, code);
        for code in CODES {
            let here = place(code);
            let told = respondents.levels_of(here).into_iter().map(LevelCode::as_str);
            prop_assert_eq!(told.collect::<BTreeSet<_>>(), levels(code));
            let above = respondents.above(here).map(|above| above.fact().code.to_string());
            prop_assert_eq!(above.as_deref(), top(&covering, code).filter(|top| *top != code));
            let below = CODES.into_iter().filter(|below| below.starts_with(code));
            let below: Vec<&str> = below.collect();
            for asked in LEVELS {
                let answering = below.iter().filter(|below| levels(below).contains(asked)).count();
                let told = respondents.count_answering(here, |level| level.as_str() == asked);
                prop_assert_eq!(told, counted(answering));
                let due = respondents.due_with_level(&asked.parse().unwrap(), here).len();
                let groups = respondents.groups(here).into_iter();
                let of_level = groups.filter(|group| group.due_with.as_str() == asked);
                prop_assert_eq!(counted(due), total(&of_level.collect::<Vec<_>>()));
            }
            let included = below.iter().filter(|below| !levels(below).is_empty());
            let included = counted(included.count());
            prop_assert_eq!(respondents.includes(here), !levels(code).is_empty());
            prop_assert_eq!(respondents.count(here), included);
            prop_assert_eq!(total(&respondents.groups(here)), included);
            let own = u64::from(respondents.includes(here));
            prop_assert_eq!(total(&respondents.groups_below(here)), included - own);
        }
    }
}

#[test]
fn a_level_without_a_deadline_has_the_latest_of_those_it_reports_for() {
    let tree = tree();
    let definition = definition(&["commune", "hamlet"], &["hamlet", "commune"]);
    let place = |code: &str| tree.by_code(&code.parse().unwrap()).unwrap();
    let covering = [place("1"), place("21")].map(Place::unit);
    let respondents = Respondents::new(&definition, tree.clone(), covering);
    for (code, due_with) in [
        ("1", "commune"),
        ("21", "commune"),
        ("22", "commune"),
        ("221", "hamlet"),
    ] {
        assert_eq!(
            respondents.due_with(place(code)).as_str(),
            due_with,
            "{code}"
        );
    }
}
