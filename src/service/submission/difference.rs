//! The differences between the values of two steps of a submission, as the history shows them.

use std::collections::HashMap;

use serde::Serialize;

use crate::domain::catalogue::InForce;
use crate::domain::id::{IndicatorNumber, OptionNumber};
use crate::domain::quantity::{Decimal, Decimals, Qualifier};
use crate::domain::submission::{Content, Fact, Passage};
use crate::service::application::text::NameView;

/// A value that a step changed, brought or took out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct ValueChangeView {
    #[schema(example = "fund.raised")]
    pub indicator: String,
    /// An option of a breakdown; null for the total.
    pub option: Option<String>,
    /// The indicator's name, and the option's if there is one.
    pub name: NameView,
    /// Null if there was no value.
    pub before: Option<QuantityView>,
    /// Null if there is no value any more.
    pub after: Option<QuantityView>,
}

/// A value and how sure it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct QuantityView {
    #[schema(value_type = f64, example = 1562410000)]
    pub value: Decimal,
    pub qualifier: Qualifier,
}

/// A text that a step changed, brought or took out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct PassageChangeView {
    /// The number of the heading in the form's outline.
    #[schema(example = "II.2.2")]
    pub section: String,
    /// Null if there was no text.
    pub before: Option<String>,
    /// Null if there is no text any more.
    pub after: Option<String>,
}

/// The differences between two contents, in the order of the outline.
pub(super) struct Difference {
    pub values: Vec<ValueChangeView>,
    pub narrative: Vec<PassageChangeView>,
}

impl Difference {
    /// Compares what a step brought with what there was before; `None` before the first values.
    pub fn between(
        before: Option<&Content>,
        after: &Content,
        in_force: &InForce<'_>,
    ) -> Difference {
        let facts = before.map_or(&[][..], |before| &before.facts);
        let narrative = before.map_or(&[][..], |before| &before.narrative);
        Difference {
            values: value_changes(facts, &after.facts, in_force),
            narrative: passage_changes(narrative, &after.narrative, in_force),
        }
    }
}

fn value_changes(before: &[Fact], after: &[Fact], in_force: &InForce<'_>) -> Vec<ValueChangeView> {
    let (before, after) = (by_figure(before), by_figure(after));
    let changed = in_force
        .entered_figures()
        .filter_map(|(entry, number, option)| {
            let figure = (entry.indicator.number, number);
            let (before, after) = (before.get(&figure), after.get(&figure));
            if before == after {
                return None;
            }
            let decimals = entry.definition.decimals;
            Some(ValueChangeView {
                indicator: entry.indicator.code.to_string(),
                option: option.map(|option| option.code.to_string()),
                name: match option {
                    None => NameView::of(&entry.definition.name),
                    Some(option) => NameView::of_part(&entry.definition.name, &option.name),
                },
                before: before.map(|fact| QuantityView::of(fact, decimals)),
                after: after.map(|fact| QuantityView::of(fact, decimals)),
            })
        });
    changed.collect()
}

fn by_figure(facts: &[Fact]) -> HashMap<(IndicatorNumber, OptionNumber), &Fact> {
    let facts = facts.iter();
    facts
        .map(|fact| ((fact.indicator, fact.option), fact))
        .collect()
}

impl QuantityView {
    fn of(fact: &Fact, decimals: Decimals) -> QuantityView {
        QuantityView {
            value: Decimal::new(fact.mantissa, decimals.get()),
            qualifier: fact.qualifier,
        }
    }
}

fn passage_changes(
    before: &[Passage],
    after: &[Passage],
    in_force: &InForce<'_>,
) -> Vec<PassageChangeView> {
    let sections = in_force.period.definition.sections().into_iter();
    let changed = sections.filter_map(|section| {
        let text_in = |passages: &[Passage]| {
            let mut passages = passages.iter();
            let found = passages.find(|passage| passage.section == section.number);
            found.map(|passage| passage.text.clone())
        };
        let (before, after) = (text_in(before), text_in(after));
        (before != after).then(|| PassageChangeView {
            section: section.number.to_string(),
            before,
            after,
        })
    });
    changed.collect()
}
