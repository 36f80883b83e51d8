//! Reasons for which what was entered cannot be taken, or cannot count. Never the sentences.

use crate::domain::bounds::Beyond;
use crate::domain::named::Named;
use crate::domain::quantity::{Decimal, Decimals, WrongQuantity};
use crate::domain::text::TextFault;

/// A reason for which what was entered cannot be taken, or cannot count. Indicators, options,
/// levels and forms are called as people know them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SubmissionFault {
    /// The form has no such indicator.
    UnknownIndicator {
        form: Named,
        text: String,
    },
    /// The indicator has no such option; `known` are those it has, if it has any.
    UnknownOption {
        indicator: Named,
        text: String,
        known: Option<Named>,
    },
    /// The indicator is computed.
    Derived {
        indicator: Named,
    },
    /// The indicator is entered on another form.
    FromForm {
        indicator: Named,
        form: Named,
    },
    /// The indicator is not collected at the submitter's level, only at those of `collecting`.
    NotCollectedHere {
        indicator: Named,
        level: Named,
        collecting: Named,
    },
    /// The value is no number, or none that the indicator takes.
    Quantity {
        indicator: Named,
        wrong: WrongQuantity,
    },
    /// The value is beyond what can be.
    Impossible(OutOfBounds),
    /// An indicator or an option has two values.
    EnteredTwice {
        figure: Named,
    },
    /// The outline has no such heading, or it takes no prose.
    UnknownSection {
        form: Named,
        text: String,
        /// The numbers of those that do; none if there are none.
        taking: Option<String>,
    },
    /// A heading has two passages.
    SectionTwice {
        section: Named,
    },
    Text(TextFault),
    /// A draft has an indicator for which the form asks this unit no more.
    AskedNoMore,
    /// A draft has an option that the indicator has no more.
    OptionNoMore {
        indicator: Named,
    },
    /// An option of a closed breakdown has no value.
    OptionMissing {
        indicator: Named,
        option: Named,
    },
    /// The options of a closed breakdown add up to more than a quantity can hold.
    OptionsTooLarge {
        indicator: Named,
    },
    /// The options of a closed breakdown add up to something else than the total.
    TotalsDiffer {
        indicator: Named,
        options: Named,
        sum: Decimal,
        total: Decimal,
    },
    /// There are parts and no total that they are parts of.
    TotalMissing {
        indicator: Named,
    },
    /// The parts add up to more than the total.
    PartsExceedTotal {
        indicator: Named,
        sum: Decimal,
        total: Decimal,
    },
    /// The form asks this unit for no flow, so there is nothing of which it could say that it did not
    /// happen.
    NilWithoutFlows {
        form: Named,
    },
    /// A required indicator has no value, and is none that "nothing happened" makes 0.
    StockMissing {
        indicator: Named,
    },
    /// A required indicator has no value.
    RequiredMissing {
        indicator: Named,
    },
}

/// A value beyond an end of an interval, with what it takes to say so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutOfBounds {
    pub indicator: Named,
    pub unit_of_measure: String,
    pub decimals: Decimals,
    pub mantissa: i64,
    pub beyond: Beyond,
}
