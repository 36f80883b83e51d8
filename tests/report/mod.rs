//! Reports: figures, series and completeness, printed reports, targets.

mod answers;
mod completeness;
mod completeness_list;
mod from_form;
mod longer_periods;
mod one_request;
mod printed_report;
mod reading;
mod releases;
mod table;
mod tan_an;
mod targets;
