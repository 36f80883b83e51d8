//! The columns of a table: which figure of which period each has.

use crate::domain::catalogue::Entry;
use crate::domain::id::OptionNumber;
use crate::domain::indicator::Measure;
use crate::domain::naming::Named;
use crate::domain::quantity::{Decimal, Qualifier};
use crate::domain::text::LocalizedText;
use crate::error::Language;
use crate::rollup::figure::most_decimals;
use crate::sentence::period::period_in_words;
use crate::service::application::locate::Located;
use crate::service::application::name::PeriodName;
use crate::service::report::lineage::FigureName;
use crate::service::report::table::layer::{Layer, Layers};
use crate::service::report::table::view::{TableColumn, TableMeasure};
use crate::service::report::table::{
    Addition, AskedColumns, FigureParameter, TableError, TableQuery,
};
use crate::service::totals::cell::{CompleteFigure, Shown};

/// A figure that was asked for, as the last period has it.
struct AskedFigure<'f, 's> {
    name: FigureName,
    entry: &'f Entry<'s>,
    option: OptionNumber,
}

/// A figure of a period.
pub(super) struct Column<'f, 's> {
    /// The number of the period among all [`Layers`]; `None` if there is none to show.
    pub layer: Option<usize>,
    /// `None` if the form does not have the figure in that period.
    figure: Option<(&'f Entry<'s>, OptionNumber)>,
    measure: TableMeasure,
    pub view: TableColumn,
}

/// All columns, in order.
pub(super) struct Columns<'f, 's>(pub Vec<Column<'f, 's>>);

impl<'f, 's> Columns<'f, 's> {
    pub fn of(
        query: &TableQuery,
        last: &'f Located<'s>,
        layers: &'f Layers<'s>,
    ) -> Result<Columns<'f, 's>, TableError> {
        let figures = asked(query, last)?;
        let mut numbered = 0..;
        let mut columns = Vec::new();
        for pair in &layers.0 {
            let current = numbered.next().map(|number| (number, &pair.current));
            let previous = pair.previous.as_ref();
            let previous = previous.and_then(|layer| Some((numbered.next()?, layer)));
            for figure in &figures {
                let column = |measure, layer| Column::new(query, figure, measure, layer);
                columns.push(column(TableMeasure::Value, current));
                if query.has(Addition::Previous) {
                    columns.push(column(TableMeasure::Previous, previous));
                }
                if query.has(Addition::Target) {
                    columns.push(column(TableMeasure::Target, current));
                }
            }
        }
        Ok(Columns(columns))
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn have_targets(&self) -> bool {
        let mut columns = self.0.iter();
        columns.any(|column| column.measure == TableMeasure::Target)
    }
}

fn asked<'f, 's>(
    query: &TableQuery,
    last: &'f Located<'s>,
) -> Result<Vec<AskedFigure<'f, 's>>, TableError> {
    let in_force = &last.in_force;
    let (names, parameter) = match &query.columns {
        AskedColumns::Periods { indicator, .. } => {
            (vec![indicator.clone()], FigureParameter::Indicator)
        }
        AskedColumns::Indicators {
            indicators: Some(names),
            ..
        } => (names.clone(), FigureParameter::Indicators),
        AskedColumns::Indicators {
            indicators: None, ..
        } => {
            let entries = in_force.entries().iter();
            let all = entries.flat_map(|entry| {
                let options = entry.options().into_iter();
                options.map(move |(option, _)| (entry, option))
            });
            let figures = all.map(|(entry, option)| AskedFigure {
                name: name_of(query, entry, option),
                entry,
                option,
            });
            return Ok(figures.collect());
        }
    };
    let figures = names.iter().map(|text| {
        let name = named(query, text);
        let found = name.find_in(in_force);
        let (entry, option) = found.map_err(|fault| TableError::NotInForm(fault, parameter))?;
        Ok(AskedFigure {
            name: name_of(query, entry, option),
            entry,
            option,
        })
    });
    figures.collect()
}

/// Reads `docs.issued` or `docs.issued[plan]`.
fn named(query: &TableQuery, text: &str) -> FigureName {
    let option = text
        .strip_suffix(']')
        .and_then(|figure| figure.split_once('['));
    let (indicator, option) = match option {
        Some((indicator, option)) => (indicator, Some(option.to_owned())),
        None => (text, None),
    };
    FigureName {
        indicator: indicator.to_owned(),
        option,
        stage: query.stage,
    }
}

fn name_of(query: &TableQuery, entry: &Entry<'_>, option: OptionNumber) -> FigureName {
    let indicator = entry.indicator;
    FigureName {
        indicator: indicator.code.to_string(),
        option: indicator.option_code(option).map(ToString::to_string),
        stage: query.stage,
    }
}

impl<'f, 's> Column<'f, 's> {
    fn new(
        query: &TableQuery,
        asked: &AskedFigure<'_, '_>,
        measure: TableMeasure,
        layer: Option<(usize, &'f Layer<'s>)>,
    ) -> Column<'f, 's> {
        let (number, layer) = layer.unzip();
        let figure = layer.and_then(|layer| asked.name.find_in(&layer.located.in_force).ok());
        let period = layer.map(Layer::period);
        let definition = asked.entry.definition;
        let decimals = match (measure, figure, period) {
            (TableMeasure::Value | TableMeasure::Previous, Some((entry, _)), Some(period)) => {
                most_decimals(entry, period.span)
            }
            _ => definition.decimals.get(),
        };
        Column {
            layer: number,
            figure,
            measure,
            view: TableColumn {
                indicator: asked.name.indicator.clone(),
                option: asked.name.option.clone(),
                name: in_language(&figure_named(asked), query.language),
                unit_of_measure: definition.unit_of_measure.clone(),
                decimals,
                across_units: match definition.measure {
                    Measure::Collected { across_units, .. } => Some(across_units),
                    Measure::Derived { .. } => None,
                },
                measure,
                period: period.map(PeriodName::of),
                period_name: period
                    .map(|period| in_language(&period_in_words(period), query.language)),
            },
        }
    }

    /// Takes the column's figure out of a unit's report.
    pub fn cell(&self, report: Option<&Shown<'_, '_, '_>>) -> Cell {
        let (Some(report), Some((entry, option))) = (report, self.figure) else {
            return Cell::exact(None);
        };
        match self.measure {
            TableMeasure::Value | TableMeasure::Previous => Cell::of(&report.figure(entry, option)),
            TableMeasure::Target => Cell::exact(report.target(entry, option)),
        }
    }
}

/// What stands in a column of a row.
pub(super) struct Cell {
    pub value: Option<Decimal>,
    pub qualifier: Qualifier,
    pub reported: u64,
    pub expected: u64,
}

impl Cell {
    fn of(complete: &CompleteFigure) -> Cell {
        Cell {
            value: complete.figure.value(),
            qualifier: complete.figure.qualifier,
            reported: complete.reported,
            expected: complete.expected,
        }
    }

    /// A number that nobody reports, or none.
    fn exact(value: Option<Decimal>) -> Cell {
        Cell {
            value,
            qualifier: Qualifier::Exact,
            reported: 0,
            expected: 0,
        }
    }
}

/// The name of an indicator, or of one of its options: `Văn bản ban hành: Kế hoạch`.
fn figure_named(asked: &AskedFigure<'_, '_>) -> Named {
    let named = |name: &LocalizedText| {
        let en = name.en.as_ref().unwrap_or(&name.vi);
        Named::new(name.vi.as_str(), en.as_str())
    };
    let indicator = named(&asked.entry.definition.name);
    let mut options = asked.entry.options().into_iter();
    let option = options.find_map(|(number, known)| known.filter(|_| number == asked.option));
    let Some(option) = option.map(|option| named(&option.name)) else {
        return indicator;
    };
    Named::new(
        format!("{}: {}", indicator.vi(), option.vi()),
        format!("{}: {}", indicator.en(), option.en()),
    )
}

pub(super) fn in_language(named: &Named, language: Language) -> String {
    match language {
        Language::Vietnamese => named.vi().to_owned(),
        Language::English => named.en().to_owned(),
    }
}
