//! The form of the day: 40 indicators like those of a real form, and each hamlet's values, which
//! can be computed again. Contains no sums.

use std::fmt;
use std::fmt::Write;

use tonghop::domain::form::{FourEyes, Late, Narrative, Need, Show};
use tonghop::domain::indicator::{AcrossTime, AcrossUnits, BreakdownKind};
use tonghop::domain::period::{Calendar, Frequency};
use tonghop::domain::quantity::Qualifier;
use tonghop::domain::submission::EnteredValue;
use tonghop::service::application::text::EnteredName;
use tonghop::service::catalogue::form::{EnteredForm, EnteredItem, EnteredSection};
use tonghop::service::catalogue::indicator::{
    EnteredBounds, EnteredBreakdown, EnteredIndicator, EnteredOption,
};

/// The form's code.
pub const FORM: &str = "deadline";

/// The options of the one indicator that is broken down.
const DOCUMENT_TYPES: [&str; 4] = ["plan", "report", "decision", "letter"];

/// Working days after the closing day.
const DEADLINES: [(&str, u16); 4] = [("hamlet", 1), ("commune", 3), ("town", 5), ("province", 8)];

/// A kind of indicator: its aggregation, and the number of indicators.
struct Kind {
    code: &'static str,
    count: usize,
    decimals: u8,
    across_units: AcrossUnits,
    across_time: AcrossTime,
    /// Mantissas are below it.
    below: u64,
}

/// Mostly counts that are added up; some amounts of money; some stocks at the end of a period; some
/// maxima and averages.
const KINDS: [Kind; 5] = [
    Kind {
        code: "activity",
        count: 24,
        decimals: 0,
        across_units: AcrossUnits::Sum,
        across_time: AcrossTime::Sum,
        below: 200,
    },
    Kind {
        code: "money",
        count: 5,
        decimals: 0,
        across_units: AcrossUnits::Sum,
        across_time: AcrossTime::Sum,
        below: 2_000_000_000,
    },
    Kind {
        code: "members",
        count: 4,
        decimals: 0,
        across_units: AcrossUnits::Sum,
        across_time: AcrossTime::Last,
        below: 400,
    },
    Kind {
        code: "largest",
        count: 3,
        decimals: 0,
        across_units: AcrossUnits::Max,
        across_time: AcrossTime::Max,
        below: 5000,
    },
    Kind {
        code: "share",
        count: 3,
        decimals: 2,
        across_units: AcrossUnits::Average,
        across_time: AcrossTime::Average,
        below: 10_001,
    },
];
/// The indicator with a closed breakdown. Its total is computed, never sent.
pub const BROKEN_DOWN: &str = "documents";

/// The form, and the periods of the day.
pub struct Form {
    frequency: Frequency,
    /// The base period that is reported.
    pub period: &'static str,
    /// The longer periods that it is part of.
    pub longer: &'static [&'static str],
    /// The values of a submission, in their order.
    pub cells: Vec<Cell>,
}

/// One value of a submission.
pub struct Cell {
    pub indicator: String,
    pub option: Option<&'static str>,
    pub decimals: u8,
    pub across_units: AcrossUnits,
    below: u64,
    /// The text of a request before the value.
    before: String,
}

/// A hamlet's first submission or its correction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    First,
    Correction,
}

impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let indicators = indicators().len();
        let (period, values) = (self.period, self.cells.len());
        write!(f, "{indicators} indicators ({values} values) for {period}")?;
        match self.longer {
            [] => write!(f, ", no longer periods"),
            longer => write!(f, " and {}", longer.join(", ")),
        }
    }
}

impl Form {
    pub fn new(frequency: Frequency) -> Form {
        let (period, longer): (_, &[&str]) = match frequency {
            Frequency::Year => ("2026", &[]),
            _ => ("2026-06", &["2026-Q2", "2026-H1", "2026-9M", "2026"]),
        };
        let options = DOCUMENT_TYPES.map(|option| Cell {
            indicator: BROKEN_DOWN.to_owned(),
            option: Some(option),
            decimals: 0,
            across_units: AcrossUnits::Sum,
            below: 50,
            before: format!(r#"{{"indicator":"{BROKEN_DOWN}","option":"{option}","value":"#),
        });
        let totals = KINDS.iter().flat_map(|kind| {
            (0..kind.count).map(|index| {
                let indicator = format!("{}.n{index}", kind.code);
                Cell {
                    before: format!(r#"{{"indicator":"{indicator}","value":"#),
                    indicator,
                    option: None,
                    decimals: kind.decimals,
                    across_units: kind.across_units,
                    below: kind.below,
                }
            })
        });
        Form {
            frequency,
            period,
            longer,
            cells: options.into_iter().chain(totals).collect(),
        }
    }

    /// Returns a base period of the same kind that nobody has reported.
    pub fn year_before(&self) -> &'static str {
        match self.frequency {
            Frequency::Year => "2025",
            _ => "2025-06",
        }
    }

    /// Writes the body that a hamlet sends.
    pub fn body(&self, hamlet: usize, turn: Turn, body: &mut String) -> fmt::Result {
        body.clear();
        body.push_str(r#"{"values":["#);
        for (index, cell) in self.cells.iter().enumerate() {
            if index > 0 {
                body.push(',');
            }
            let mantissa = cell.mantissa(index, hamlet, turn);
            body.push_str(&cell.before);
            write_decimal(body, mantissa, cell.decimals)?;
            body.push('}');
        }
        body.push_str(r#"],"submit":true}"#);
        Ok(())
    }

    /// Returns a hamlet's values in the form that the service takes.
    pub fn values(&self, hamlet: usize) -> Result<Vec<EnteredValue>, fmt::Error> {
        let cells = self.cells.iter().enumerate();
        cells
            .map(|(index, cell)| {
                let mut value = String::new();
                let mantissa = cell.mantissa(index, hamlet, Turn::First);
                write_decimal(&mut value, mantissa, cell.decimals)?;
                Ok(EnteredValue {
                    indicator: cell.indicator.clone(),
                    option: cell.option.map(ToOwned::to_owned),
                    value,
                    qualifier: Qualifier::Exact,
                })
            })
            .collect()
    }

    /// Returns the form to put.
    pub fn entered(&self) -> EnteredForm {
        let items = indicators().into_iter().map(|indicator| EnteredItem {
            indicator: indicator.code,
            collected_at: None,
            need: Need::Optional,
            show: Show::Total,
            from_form: None,
        });
        EnteredForm {
            code: FORM.to_owned(),
            name: name("Báo cáo cuối kỳ"),
            calendar: Some(Calendar::Statutory),
            frequency: Some(self.frequency),
            windows: None,
            owner: None,
            submitted_by: vec!["hamlet".to_owned()],
            recipients: None,
            opens: None,
            deadlines: DEADLINES
                .map(|(level, days)| (level.to_owned(), days))
                .into(),
            late: Late::Accept,
            four_eyes: FourEyes::NotRequired,
            jump_factor: None,
            outline: vec![EnteredSection {
                number: "I".to_owned(),
                title: name("Kết quả"),
                narrative: Narrative::NotTaken,
                items: items.collect(),
                sections: Vec::new(),
            }],
            rules: Vec::new(),
            valid_from: None,
        }
    }
}

impl Cell {
    /// Returns a hamlet's value: arbitrary, but the same in every run. A correction changes every
    /// value.
    pub fn mantissa(&self, index: usize, hamlet: usize, turn: Turn) -> u64 {
        let turn = match turn {
            Turn::First => 0_u64,
            Turn::Correction => 1,
        };
        let number = u64::try_from(hamlet * 64 + index).unwrap_or(u64::MAX);
        mixed(number.wrapping_mul(2).wrapping_add(turn)) % self.below
    }
}

/// Returns true if a hamlet is among the given per cent that correct their submission.
pub fn is_corrected(hamlet: usize, corrections: u64) -> bool {
    mixed(!u64::try_from(hamlet).unwrap_or(u64::MAX)) % 100 < corrections
}

/// The last steps of SplitMix64: spreads neighbouring numbers far apart.
fn mixed(number: u64) -> u64 {
    let number = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

/// Writes a mantissa as a decimal number.
fn write_decimal(text: &mut String, mantissa: u64, decimals: u8) -> fmt::Result {
    match decimals {
        0 => write!(text, "{mantissa}"),
        _ => {
            let scale = 10_u64.pow(u32::from(decimals));
            let width = usize::from(decimals);
            write!(text, "{}.{:0width$}", mantissa / scale, mantissa % scale)
        }
    }
}

/// Returns the indicators to put.
pub fn indicators() -> Vec<EnteredIndicator> {
    let options = DOCUMENT_TYPES.map(|code| EnteredOption {
        code: code.to_owned(),
        name: name(code),
    });
    let broken_down = EnteredIndicator {
        breakdowns: vec![EnteredBreakdown {
            code: "document_type".to_owned(),
            kind: BreakdownKind::Closed,
            options: options.into(),
        }],
        ..indicator(BROKEN_DOWN.to_owned(), 0, AcrossUnits::Sum, AcrossTime::Sum)
    };
    let others = KINDS.iter().flat_map(|kind| {
        (0..kind.count).map(|index| {
            let code = format!("{}.n{index}", kind.code);
            indicator(code, kind.decimals, kind.across_units, kind.across_time)
        })
    });
    std::iter::once(broken_down).chain(others).collect()
}

fn indicator(
    code: String,
    decimals: u8,
    across_units: AcrossUnits,
    across_time: AcrossTime,
) -> EnteredIndicator {
    EnteredIndicator {
        name: name(&code),
        code,
        unit_of_measure: "đơn vị".to_owned(),
        decimals,
        across_units: Some(across_units),
        across_time: Some(across_time),
        breakdowns: Vec::new(),
        bounds: EnteredBounds::default(),
        formula: None,
        valid_from: None,
    }
}

fn name(text: &str) -> EnteredName {
    EnteredName {
        vi: text.to_owned(),
        en: None,
    }
}
