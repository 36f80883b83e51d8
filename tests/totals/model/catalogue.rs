//! What the catalogue is told of the model's form and indicators, and how they change at random.

use rand::RngExt;
use rand::rngs::StdRng;
use rand::seq::{IndexedRandom, IteratorRandom};
use serde_json::{Value, json};

use super::naive::{
    Breakdown, Collected, DERIVED, Derived, Edition, OTHER_RATE, SUBMITTING, TIMES, UNITS,
};
use crate::harness::Client;

fn indicator_body(indicator: &Collected) -> Value {
    let breakdowns = indicator.breakdowns.iter().map(|breakdown| {
        let options = breakdown.options.iter();
        let options = options.map(|code| json!({"code": code, "name": {"vi": code}}));
        json!({
            "code": breakdown.code, "closed": breakdown.closed,
            "options": options.collect::<Vec<_>>(),
        })
    });
    json!({
        "name": {"vi": "X"}, "unit_of_measure": "x", "decimals": indicator.decimals,
        "across_units": indicator.across_units, "across_time": indicator.across_time,
        "breakdowns": breakdowns.collect::<Vec<_>>(),
    })
}

fn formula_body(derived: &Derived) -> Value {
    json!({
        "name": {"vi": "F"}, "unit_of_measure": "x", "decimals": derived.decimals,
        "formula": derived.formula,
    })
}

fn form_body(edition: &Edition) -> Value {
    let items = edition
        .codes()
        .map(|code| match edition.collected.get(code) {
            Some(indicator) => json!({"indicator": code, "collected_at": indicator.collected_at}),
            None => json!({"indicator": code}),
        });
    json!({
        "name": {"vi": "M"}, "calendar": "statutory", "frequency": "month",
        "submitted_by": SUBMITTING,
        "outline": [{"number": "I", "title": {"vi": "I"}, "items": items.collect::<Vec<_>>()}],
    })
}

/// A form by quarters that takes figures from the model's form, and that nobody submits.
pub const TAKING: &str = "taking";

/// What it takes: operands of formulas, which no change of the model's form removes; and the formulas of
/// them that no change exchanges.
const TAKEN: [&str; 8] = [
    "sum.sum",
    "sum.average",
    "transfer.sum",
    "max.last",
    "b.closed",
    "average.average",
    "min.min",
    "none.last",
];
const MADE_OF_TAKEN: [&str; 5] = ["f.kept", "f.nested", "f.share", "f.either", "f.least"];

fn taking_body() -> Value {
    let taken = TAKEN
        .iter()
        .map(|code| json!({"indicator": code, "from_form": "model"}));
    let made = MADE_OF_TAKEN.iter().map(|code| json!({"indicator": code}));
    json!({
        "name": {"vi": "T"}, "calendar": "statutory", "frequency": "quarter",
        "submitted_by": ["province"],
        "outline": [{"number": "I", "title": {"vi": "I"}, "items": taken.chain(made).collect::<Vec<_>>()}],
    })
}

/// Makes the model's form and its indicators, and the form that takes figures from it.
pub fn put_catalogue(admin: &Client, edition: &Edition) {
    let put = |path: &str, body: &Value| admin.put(path, body).expect_status(201);
    for (code, indicator) in &edition.collected {
        put(
            &format!("/v1/indicators/{code}"),
            &indicator_body(indicator),
        );
    }
    for derived in &edition.derived {
        put(
            &format!("/v1/indicators/{}", derived.code),
            &formula_body(derived),
        );
    }
    put("/v1/forms/model", &form_body(edition));
    put(&format!("/v1/forms/{TAKING}"), &taking_body());
}

/// A change of the catalogue from a month on.
pub struct Change {
    /// What is put, in this order.
    pub puts: Vec<(String, Value)>,
    takes: Takes,
}

/// What a change would take away.
enum Takes {
    Nothing,
    /// What the values of months have, or must not lack.
    FromValues,
    /// What the versions of an indicator share.
    FromVersions,
}

impl Change {
    /// Changes the edition in some way; what is new in it gets `name`.
    pub fn random(edition: &mut Edition, name: &'static str, random: &mut StdRng) -> Change {
        match random.random_range(0..7) {
            0 => Change::add_option(edition, name, random),
            1 => Change::remove_option(edition, random),
            2 => Change::add_indicator(edition, name, random),
            3 => Change::remove_indicator(edition, random),
            4 => Change::exchange_formula(edition),
            5 => Change::widen(edition, random),
            _ => Change::what_is_fixed(edition, random),
        }
    }

    /// What the months in use need is kept.
    pub fn is_refused(&self, in_use: bool) -> bool {
        match self.takes {
            Takes::Nothing => false,
            Takes::FromValues => in_use,
            Takes::FromVersions => true,
        }
    }

    fn of_indicator(edition: &Edition, code: &str, takes: Takes) -> Change {
        let derived = edition.derived.iter().find(|derived| derived.code == code);
        let body = match derived {
            Some(derived) => formula_body(derived),
            None => indicator_body(&edition.collected[code]),
        };
        Change {
            puts: vec![(format!("/v1/indicators/{code}"), body)],
            takes,
        }
    }

    fn of_form(edition: &Edition, takes: Takes) -> Change {
        Change {
            puts: vec![("/v1/forms/model".to_owned(), form_body(edition))],
            takes,
        }
    }

    /// One option more is one that the values of a closed breakdown lack.
    fn add_option(edition: &mut Edition, name: &'static str, random: &mut StdRng) -> Change {
        let (code, breakdown) = any_breakdown(edition, random);
        breakdown.options.push(name);
        let takes = match breakdown.closed {
            true => Takes::FromValues,
            false => Takes::Nothing,
        };
        Change::of_indicator(edition, code, takes)
    }

    /// The first option stays, since it stands in a formula.
    fn remove_option(edition: &mut Edition, random: &mut StdRng) -> Change {
        let (code, breakdown) = any_breakdown(edition, random);
        let takes = match breakdown.options.len() {
            1 => Takes::Nothing,
            _ => Takes::FromValues,
        };
        breakdown
            .options
            .truncate(breakdown.options.len().max(2) - 1);
        Change::of_indicator(edition, code, takes)
    }

    fn add_indicator(edition: &mut Edition, code: &'static str, random: &mut StdRng) -> Change {
        let (units, time) = (UNITS.choose(random).unwrap(), TIMES.choose(random).unwrap());
        edition
            .collected
            .insert(code, Collected::plain(units, time));
        let mut change = Change::of_indicator(edition, code, Takes::Nothing);
        change
            .puts
            .extend(Change::of_form(edition, Takes::Nothing).puts);
        change
    }

    fn remove_indicator(edition: &mut Edition, random: &mut StdRng) -> Change {
        let operands = edition.derived.iter().flat_map(|derived| derived.operands);
        let operands: Vec<&str> = operands.map(|operand| operand.0).collect();
        let others = edition.collected.keys().copied();
        let others = others.filter(|code| !operands.contains(code));
        let code = others.choose(random).unwrap();
        edition.collected.remove(code);
        Change::of_form(edition, Takes::FromValues)
    }

    fn exchange_formula(edition: &mut Edition) -> Change {
        let rate = &mut edition.derived[0];
        *rate = match rate.formula == OTHER_RATE.formula {
            true => DERIVED[0],
            false => OTHER_RATE,
        };
        let code = rate.code;
        Change::of_indicator(edition, code, Takes::Nothing)
    }

    /// Lets all levels submit an indicator.
    fn widen(edition: &mut Edition, random: &mut StdRng) -> Change {
        let indicator = edition.collected.values_mut().choose(random).unwrap();
        indicator.collected_at = &SUBMITTING;
        Change::of_form(edition, Takes::Nothing)
    }

    /// Of an indicator that has an earlier version to be put together with: a pair's.
    fn what_is_fixed(edition: &mut Edition, random: &mut StdRng) -> Change {
        let pairs = edition.collected.iter_mut();
        let pairs = pairs.filter(|(code, _)| UNITS.iter().any(|units| code.starts_with(units)));
        let (code, indicator) = pairs.choose(random).unwrap();
        match random.random_range(0..3) {
            0 => indicator.decimals += 1,
            1 => indicator.across_units = another(&UNITS, indicator.across_units, random),
            _ => indicator.across_time = another(&TIMES, indicator.across_time, random),
        }
        let code = *code;
        Change::of_indicator(edition, code, Takes::FromVersions)
    }
}

fn any_breakdown<'e>(
    edition: &'e mut Edition,
    random: &mut StdRng,
) -> (&'static str, &'e mut Breakdown) {
    let indicators = edition.collected.iter_mut();
    let breakdowns = indicators.flat_map(|(code, indicator)| {
        let breakdowns = indicator.breakdowns.iter_mut();
        breakdowns.map(|breakdown| (*code, breakdown))
    });
    breakdowns.choose(random).unwrap()
}

fn another(all: &[&'static str], than: &'static str, random: &mut StdRng) -> &'static str {
    let others = all.iter().filter(|other| **other != than);
    others.choose(random).unwrap()
}
