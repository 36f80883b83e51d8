//! Submissions (số liệu báo cáo): what one unit submits on one form for one period, which states
//! it goes through, and what makes its values acceptable. Never totals of several units.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use serde::{Deserialize, Serialize};

use super::bounds::{Beyond, Interval};
use super::catalogue::{Entry, InForce};
use super::form::{Narrative, Need};
use super::hierarchy::Hierarchy;
use super::id::{
    IndicatorCode, IndicatorNumber, LevelCode, OptionCode, OptionNumber, SectionNumber,
};
use super::indicator::{Breakdown, BreakdownKind, BreakdownOption};
use super::naming::Named;
use super::quantity::{Decimal, Qualifier, QuantityFault, parse_mantissa};
use super::text::{clipped, read_prose};
use crate::error::{Code, Fault, Message};
use crate::message;

/// Where a submission is on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Counts nowhere; over a submitted revision it leaves that one counting.
    Draft,
    /// Counts.
    Submitted,
    /// Counts in both stages.
    Approved,
    /// Counts nowhere, with a reason.
    Returned,
    /// Counts nowhere.
    Withdrawn,
    /// Was approved; counts as submitted, and may be changed again.
    Reopened,
}

/// The stage of a figure: all that was submitted, or only what was approved as well.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    #[default]
    Submitted,
    Approved,
}

/// Whether a revision of the submission counts in the rollups at the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counting {
    Yes,
    No,
}

/// Something that is done to a submission.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Values are kept as a draft.
    Save,
    /// Values are put and submitted at once, over whatever was there.
    Replace,
    /// The draft is submitted as it is.
    Submit,
    Withdraw,
    Approve,
    Return,
    Reopen,
    /// The map changed: the unit that submitted has ended, or that was taken back. It changes
    /// neither the status nor what counts.
    Reorganise,
}

/// What a step does to what counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// What counts stays as it is.
    Keeps,
    /// The latest values count from now on.
    CountsLatest,
    /// Nothing counts from now on.
    CountsNothing,
}

/// A step that the status does not allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WrongStatus {
    pub status: Status,
    pub step: Step,
}

impl Status {
    /// The status after `step`, and what the step does to what counts.
    ///
    /// # Errors
    /// [`WrongStatus`] where the status does not allow the step.
    pub fn after(self, step: Step, counting: Counting) -> Result<(Status, Effect), WrongStatus> {
        use Effect::{CountsLatest, CountsNothing, Keeps};
        use Status::{Approved, Draft, Reopened, Returned, Submitted, Withdrawn};
        let drafted_over = self == Draft && counting == Counting::Yes;
        match (step, self) {
            (Step::Save | Step::Replace, Approved) => Err(WrongStatus { status: self, step }),
            (Step::Save, _) => Ok((Draft, Keeps)),
            (Step::Replace, _) => Ok((Submitted, CountsLatest)),
            (Step::Submit, Draft | Returned | Withdrawn | Reopened) => {
                Ok((Submitted, CountsLatest))
            }
            (Step::Withdraw, Submitted | Reopened) => Ok((Withdrawn, CountsNothing)),
            (Step::Withdraw, Draft) if drafted_over => Ok((Withdrawn, CountsNothing)),
            (Step::Approve, Submitted | Reopened) => Ok((Approved, Keeps)),
            (Step::Return, Submitted | Reopened) => Ok((Returned, CountsNothing)),
            (Step::Return, Draft) if drafted_over => Ok((Returned, CountsNothing)),
            (Step::Reopen, Approved) => Ok((Reopened, Keeps)),
            _ => Err(WrongStatus { status: self, step }),
        }
    }

    pub fn vietnamese(self) -> &'static str {
        match self {
            Status::Draft => "bản nháp",
            Status::Submitted => "đã gửi",
            Status::Approved => "đã duyệt",
            Status::Returned => "bị trả lại",
            Status::Withdrawn => "đã rút",
            Status::Reopened => "được mở lại",
        }
    }

    /// As the end of "the submission is …".
    pub fn english(self) -> &'static str {
        match self {
            Status::Draft => "a draft",
            Status::Submitted => "submitted",
            Status::Approved => "approved",
            Status::Returned => "returned",
            Status::Withdrawn => "withdrawn",
            Status::Reopened => "reopened",
        }
    }
}

/// The number of a revision of a submission, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Revision(i32);

impl Revision {
    pub const FIRST: Revision = Revision(1);

    pub const fn new(number: i32) -> Revision {
        Revision(number)
    }

    pub fn get(self) -> i32 {
        self.0
    }

    #[must_use]
    pub fn next(self) -> Revision {
        Revision(self.0.saturating_add(1))
    }
}

/// Which units a submission speaks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SpeaksFor {
    /// The unit that submits, and nothing below it.
    Unit,
}

/// A warning that the program gives by itself. No rule of a form may have its code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OwnWarning {
    EmptySubmission,
    PeriodRunning,
    ValueUnusual,
}

impl OwnWarning {
    pub const ALL: [OwnWarning; 3] = [
        OwnWarning::EmptySubmission,
        OwnWarning::PeriodRunning,
        OwnWarning::ValueUnusual,
    ];

    /// The code that the answer has.
    pub fn as_str(self) -> &'static str {
        match self {
            OwnWarning::EmptySubmission => "EMPTY_SUBMISSION",
            OwnWarning::PeriodRunning => "PERIOD_RUNNING",
            OwnWarning::ValueUnusual => "VALUE_UNUSUAL",
        }
    }
}

/// One value as it is counted: the mantissa at the indicator's decimals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fact {
    pub indicator: IndicatorNumber,
    pub option: OptionNumber,
    pub mantissa: i64,
    pub qualifier: Qualifier,
}

/// One value as it was entered, before it is known to make sense.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnteredValue {
    pub indicator: String,
    pub option: Option<String>,
    /// A decimal text.
    pub value: String,
    pub qualifier: Qualifier,
}

/// One passage of prose as it was entered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnteredPassage {
    pub section: String,
    pub text: String,
}

/// A passage of prose under a heading of the outline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Passage {
    pub section: SectionNumber,
    pub text: String,
}

/// Why one value of a returned submission is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ValueReason {
    pub indicator: IndicatorCode,
    pub option: Option<OptionCode>,
    pub reason: String,
}

/// A submitter, as far as it matters to what may be submitted.
#[derive(Clone, Copy)]
pub struct Submitter<'h> {
    pub level: &'h LevelCode,
    /// The hierarchy, in which the levels have their names.
    pub hierarchy: &'h Hierarchy,
}

/// Reads entered values as facts, in the order of the outline's numbers.
///
/// # Errors
/// Every single fault, with its pointer into `/values`.
pub fn read_values(
    entered: &[EnteredValue],
    in_force: &InForce<'_>,
    submitter: Submitter<'_>,
) -> Result<Vec<Fact>, Vec<Fault>> {
    let mut facts = Vec::new();
    let mut faults = Vec::new();
    let mut seen = HashSet::new();
    for (index, value) in entered.iter().enumerate() {
        match read_value(value, index, in_force, submitter) {
            Ok((_, fact)) if seen.insert((fact.indicator, fact.option)) => facts.push(fact),
            Ok((entry, fact)) => faults.push(duplicate(index, entry, fact.option)),
            Err(fault) => faults.push(fault),
        }
    }
    facts.sort_by_key(|fact| (fact.indicator, fact.option));
    if faults.is_empty() {
        Ok(facts)
    } else {
        Err(faults)
    }
}

fn duplicate(index: usize, entry: &Entry<'_>, option: OptionNumber) -> Fault {
    let figure = entry.figure_named(option);
    Fault::in_body(
        format!("/values/{index}"),
        Code::Duplicate,
        message!(
            "Chỉ tiêu {figure} được nhập hai lần. Hãy bỏ một dòng.",
            "{figure} is entered twice. Remove one of the two.",
            figure
        ),
    )
}

fn read_value<'f, 'c>(
    entered: &EnteredValue,
    index: usize,
    in_force: &'f InForce<'c>,
    submitter: Submitter<'_>,
) -> Result<(&'f Entry<'c>, Fact), Fault> {
    let entry = collected_entry(entered, index, in_force, submitter)?;
    let option = option_number(entered, index, entry)?;
    let decimals = entry.definition.decimals;
    let mantissa = parse_mantissa(&entered.value, decimals)
        .map_err(|fault| quantity_fault(fault, index, entry, &entered.value))?;
    if let Some(message) = impossible(entry, entry.definition.possible(option), mantissa) {
        let at = format!("/values/{index}/value");
        return Err(Fault::in_body(at, Code::ValueOutOfRange, message));
    }
    let fact = Fact {
        indicator: entry.indicator.number,
        option,
        mantissa,
        qualifier: entered.qualifier,
    };
    Ok((entry, fact))
}

fn collected_entry<'f, 'c>(
    entered: &EnteredValue,
    index: usize,
    in_force: &'f InForce<'c>,
    submitter: Submitter<'_>,
) -> Result<&'f Entry<'c>, Fault> {
    let at = format!("/values/{index}/indicator");
    let found = entered
        .indicator
        .parse::<IndicatorCode>()
        .ok()
        .and_then(|code| in_force.entry(&code));
    let Some(entry) = found else {
        let message = unknown_indicator(&entered.indicator, in_force);
        return Err(Fault::in_body(at, Code::UnknownIndicator, message));
    };
    let indicator = entry.named();
    if entry.definition.formula().is_some() {
        return Err(Fault::in_body(
            at,
            Code::DerivedIndicator,
            message!(
                "Chỉ tiêu {indicator} do hệ thống tự tính. Hãy bỏ dòng này.",
                "{indicator} is computed by the system. Leave it out.",
                indicator
            ),
        ));
    }
    let levels = in_force.levels_collecting(entry);
    if !levels.contains(&submitter.level) {
        let level = Named::level(submitter.level, submitter.hierarchy);
        let collecting = Named::levels(levels, submitter.hierarchy);
        return Err(Fault::in_body(
            at,
            Code::NotCollectedHere,
            message!(
                "Chỉ tiêu {indicator} không thu thập ở cấp {level} (chỉ ở cấp: {collecting}). Hãy bỏ dòng này.",
                "{indicator} is not collected at the level {level}, only at: {collecting}. Leave it out.",
                indicator,
                level,
                collecting
            ),
        ));
    }
    Ok(entry)
}

fn option_number(
    entered: &EnteredValue,
    index: usize,
    entry: &Entry<'_>,
) -> Result<OptionNumber, Fault> {
    let Some(name) = &entered.option else {
        return Ok(OptionNumber::TOTAL);
    };
    let code = name.parse::<OptionCode>().ok();
    let in_force = code.filter(|code| entry.definition.options().any(|known| &known.code == code));
    in_force
        .and_then(|code| entry.indicator.option_number(&code))
        .ok_or_else(|| {
            let place = format!("/values/{index}/option");
            Fault::in_body(place, Code::UnknownOption, unknown_option(entry, name))
        })
}

/// The message about an indicator that a form does not have.
pub fn unknown_indicator(name: &str, in_force: &InForce<'_>) -> Message {
    let (name, form) = (clipped(name), in_force.period.named_form());
    message!(
        "Mẫu {form} không có chỉ tiêu {name:?}. Hãy xem danh mục chỉ tiêu của mẫu.",
        "The form {form} has no indicator {name:?}. See the form's outline for those it has.",
        form
    )
}

/// The message about an option that an indicator does not have.
pub fn unknown_option(entry: &Entry<'_>, name: &str) -> Message {
    let (indicator, name) = (entry.named(), clipped(name));
    let known = entry.definition.options();
    let known: Vec<Named> = known
        .map(|option| Named::with_code(&option.name, &option.code))
        .collect();
    if known.is_empty() {
        return message!(
            "Chỉ tiêu {indicator} không chia theo phân tổ, nên không có {name:?}. Hãy nhập một tổng số.",
            "{indicator} has no options, so no {name:?}. Enter one total.",
            indicator
        );
    }
    let known = Named::list(known);
    message!(
        "Chỉ tiêu {indicator} không có phân tổ {name:?}. Hãy dùng một trong: {known}.",
        "{indicator} has no option {name:?}. Use one of these: {known}.",
        indicator,
        known
    )
}

fn quantity_fault(fault: QuantityFault, index: usize, entry: &Entry<'_>, text: &str) -> Fault {
    let message = fault.message(&entry.named(), text, entry.definition.decimals);
    Fault::in_body(format!("/values/{index}/value"), fault.code(), message)
}

/// The message about a number beyond what can be; none for a number within.
pub fn impossible(entry: &Entry<'_>, possible: Interval, mantissa: i64) -> Option<Message> {
    let name = entry.named();
    let (value_vi, value_en) = with_unit_of_measure(entry, mantissa);
    Some(match possible.beyond(mantissa)? {
        Beyond::Below(least) => {
            let (least_vi, least_en) = with_unit_of_measure(entry, least);
            message!(
                "{name}: {value_vi} nhỏ hơn mức thấp nhất là {least_vi}. Hãy kiểm tra lại số và đơn vị tính.",
                "{name}: {value_en} is less than the least it can be, {least_en}. Check the number and its unit of measure.",
                name
            )
        }
        Beyond::Above(most) => {
            let (most_vi, most_en) = with_unit_of_measure(entry, most);
            message!(
                "{name}: {value_vi} lớn hơn mức cao nhất là {most_vi}. Hãy kiểm tra lại số và đơn vị tính.",
                "{name}: {value_en} is more than the most it can be, {most_en}. Check the number and its unit of measure.",
                name
            )
        }
    })
}

/// The message about a total beyond what is usual; none for a total within.
pub fn unusual(entry: &Entry<'_>, mantissa: i64) -> Option<Message> {
    let name = entry.named();
    let (value_vi, value_en) = with_unit_of_measure(entry, mantissa);
    Some(match entry.definition.bounds().usual.beyond(mantissa)? {
        Beyond::Below(least) => {
            let (least_vi, least_en) = with_unit_of_measure(entry, least);
            message!(
                "{name}: {value_vi} thấp hơn mức thường gặp (từ {least_vi}). Nếu số đúng thì không cần làm gì thêm; nếu sai, hãy sửa và gửi lại.",
                "{name}: {value_en} is less than usual (from {least_en} on). If it is right nothing needs to be done; if not, correct it and send it again.",
                name
            )
        }
        Beyond::Above(most) => {
            let (most_vi, most_en) = with_unit_of_measure(entry, most);
            message!(
                "{name}: {value_vi} cao hơn mức thường gặp (đến {most_vi}). Nếu số đúng thì không cần làm gì thêm; nếu sai, hãy sửa và gửi lại.",
                "{name}: {value_en} is more than usual (up to {most_en}). If it is right nothing needs to be done; if not, correct it and send it again.",
                name
            )
        }
    })
}

/// In Vietnamese and in English.
fn with_unit_of_measure(entry: &Entry<'_>, mantissa: i64) -> (String, String) {
    let definition = entry.definition;
    let value = Decimal::new(mantissa, definition.decimals.get());
    let unit = &definition.unit_of_measure;
    (
        format!("{} {unit}", value.vietnamese()),
        format!("{value} {unit}"),
    )
}

/// Reads entered prose.
///
/// # Errors
/// Every single fault, with its pointer into `/narrative`.
pub fn read_narrative(
    entered: &[EnteredPassage],
    in_force: &InForce<'_>,
) -> Result<Vec<Passage>, Vec<Fault>> {
    let mut passages = Vec::new();
    let mut faults = Vec::new();
    let mut seen = BTreeSet::new();
    for (index, passage) in entered.iter().enumerate() {
        match read_passage(passage, index, in_force) {
            Ok(read) if seen.insert(read.section.clone()) => passages.push(read),
            Ok(read) => {
                let section = in_force.period.named_section(&read.section);
                faults.push(Fault::in_body(
                    format!("/narrative/{index}"),
                    Code::Duplicate,
                    message!(
                        "Mục {section} có hai đoạn. Hãy gộp lại thành một.",
                        "Section {section} has two passages. Make them one.",
                        section
                    ),
                ));
            }
            Err(fault) => faults.push(fault),
        }
    }
    if faults.is_empty() {
        Ok(passages)
    } else {
        Err(faults)
    }
}

fn read_passage(
    entered: &EnteredPassage,
    index: usize,
    in_force: &InForce<'_>,
) -> Result<Passage, Fault> {
    let definition = in_force.period.definition;
    let section = entered.section.parse::<SectionNumber>().ok();
    let taken = section.filter(|number| {
        definition
            .section(number)
            .is_some_and(|found| found.narrative == Narrative::Taken)
    });
    let Some(section) = taken else {
        let (name, form) = (clipped(&entered.section), in_force.period.named_form());
        return Err(Fault::in_body(
            format!("/narrative/{index}/section"),
            Code::UnknownSection,
            message!(
                "Đề cương của mẫu {form} không có mục {name:?} để viết lời. Hãy xem các mục của mẫu.",
                "The form {form} has no section {name:?} that takes prose. See the form's outline.",
                form
            ),
        ));
    };
    let text = read_prose(&entered.text).map_err(|fault| {
        Fault::in_body(
            format!("/narrative/{index}/text"),
            Code::InvalidText,
            fault.message(),
        )
    })?;
    Ok(Passage { section, text })
}

/// Completes facts for counting: closed breakdowns get their total, and everything that a
/// submission (other than a draft) must have is looked for.
///
/// # Errors
/// Every single thing that is missing, does not add up, or is not asked for any more (a draft
/// may be older than the form's version).
pub fn complete(
    facts: &[Fact],
    in_force: &InForce<'_>,
    level: &LevelCode,
) -> Result<Vec<Fact>, Vec<Fault>> {
    let collected: Vec<&Entry<'_>> = in_force
        .entries()
        .iter()
        .filter(|entry| in_force.levels_collecting(entry).contains(&level))
        .collect();
    let mut faults: Vec<Fault> = facts
        .iter()
        .filter_map(|fact| not_asked_for(fact, &collected))
        .collect();
    let mut values: Values = facts
        .iter()
        .map(|fact| ((fact.indicator, fact.option), *fact))
        .collect();
    for entry in &collected {
        match completed_total(entry, &values) {
            Ok(Some(total)) => {
                values.insert((total.indicator, total.option), total);
            }
            Ok(None) if entry.item.need == Need::Required => faults.push(required_missing(entry)),
            Ok(None) => {}
            Err(found) => faults.extend(found),
        }
        faults.extend(impossible_values(entry, &values));
    }
    if faults.is_empty() {
        Ok(values.into_values().collect())
    } else {
        Err(faults)
    }
}

fn not_asked_for(fact: &Fact, collected: &[&Entry<'_>]) -> Option<Fault> {
    let entry = collected
        .iter()
        .find(|entry| entry.indicator.number == fact.indicator);
    let Some(entry) = entry else {
        return Some(Fault::in_body(
            "/values",
            Code::NotCollectedHere,
            message!(
                "Bản nháp có một chỉ tiêu mà mẫu không còn hỏi đơn vị này. Hãy lưu lại bản nháp.",
                "The draft holds an indicator that the form asks this unit for no more. Save it anew."
            ),
        ));
    };
    let is_option = entry
        .options()
        .iter()
        .any(|(number, _)| *number == fact.option);
    (!is_option).then(|| {
        let indicator = entry.named();
        Fault::in_body(
            "/values",
            Code::UnknownOption,
            message!(
                "Bản nháp có một phân tổ mà {indicator} không còn. Hãy lưu lại bản nháp.",
                "The draft holds an option that {indicator} has no more. Save it anew.",
                indicator
            ),
        )
    })
}

type Values = BTreeMap<(IndicatorNumber, OptionNumber), Fact>;

/// The faults of an entry's values that are beyond what can be. They are looked for again here: a
/// total is computed only now, and a draft may be older than the bounds.
fn impossible_values(entry: &Entry<'_>, values: &Values) -> Vec<Fault> {
    let own = values.range((entry.indicator.number, OptionNumber::TOTAL)..);
    let own = own.take_while(|((indicator, _), _)| *indicator == entry.indicator.number);
    let messages = own.filter_map(|((_, option), fact)| {
        impossible(entry, entry.definition.possible(*option), fact.mantissa)
    });
    messages
        .map(|message| Fault::in_body("/values", Code::ValueOutOfRange, message))
        .collect()
}

/// An entry's total: sent, or the sum of its closed breakdowns; `None` where it has no value. A
/// computed total takes the place of one that was sent, which may only agree with it.
fn completed_total(entry: &Entry<'_>, values: &Values) -> Result<Option<Fact>, Vec<Fault>> {
    let sent = values
        .get(&(entry.indicator.number, OptionNumber::TOTAL))
        .copied();
    let has_values = values
        .keys()
        .any(|(indicator, _)| *indicator == entry.indicator.number);
    if !has_values {
        return Ok(None);
    }
    let mut faults = Vec::new();
    let mut computed: Option<Fact> = None;
    let breakdowns = entry.definition.breakdowns();
    for breakdown in breakdowns
        .iter()
        .filter(|one| one.kind == BreakdownKind::Closed)
    {
        match (closed_total(entry, breakdown, values), computed.or(sent)) {
            (Err(found), _) => faults.extend(found),
            (Ok(sum), Some(known)) if sum.mantissa != known.mantissa => {
                faults.push(totals_differ(entry, breakdown, sum, known));
            }
            (Ok(sum), _) => {
                let former = computed.map_or(Qualifier::Exact, |former| former.qualifier);
                computed = Some(Fact {
                    qualifier: sum.qualifier.and(former),
                    ..sum
                });
            }
        }
    }
    let total = computed.or(sent);
    for breakdown in breakdowns
        .iter()
        .filter(|one| one.kind == BreakdownKind::Open)
    {
        faults.extend(open_fault(entry, breakdown, total, values));
    }
    if faults.is_empty() {
        Ok(total)
    } else {
        Err(faults)
    }
}

fn option_facts<'v>(
    entry: &'v Entry<'_>,
    breakdown: &'v Breakdown,
    values: &'v Values,
) -> impl Iterator<Item = (&'v BreakdownOption, Option<&'v Fact>)> {
    breakdown.options.iter().map(|option| {
        let number = entry.indicator.option_number(&option.code);
        let fact = number.and_then(|number| values.get(&(entry.indicator.number, number)));
        (option, fact)
    })
}

fn closed_total(
    entry: &Entry<'_>,
    breakdown: &Breakdown,
    values: &Values,
) -> Result<Fact, Vec<Fault>> {
    let indicator = entry.named();
    let mut faults = Vec::new();
    let mut sum: i128 = 0;
    let mut qualifier = Qualifier::Exact;
    for (option, fact) in option_facts(entry, breakdown, values) {
        match fact {
            Some(fact) => {
                sum += i128::from(fact.mantissa);
                qualifier = qualifier.and(fact.qualifier);
            }
            None => faults.push(option_missing(entry, option)),
        }
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    let mantissa = i64::try_from(sum).map_err(|_| {
        vec![Fault::in_body(
            "/values",
            Code::ValueOutOfRange,
            message!(
                "Tổng các phân tổ của {indicator} quá lớn. Hãy kiểm tra lại.",
                "The options of {indicator} add up to too large a number. Check them.",
                indicator
            ),
        )]
    })?;
    Ok(Fact {
        indicator: entry.indicator.number,
        option: OptionNumber::TOTAL,
        mantissa,
        qualifier,
    })
}

fn option_missing(entry: &Entry<'_>, option: &BreakdownOption) -> Fault {
    let (indicator, option) = (entry.named(), Named::with_code(&option.name, &option.code));
    Fault::in_body(
        "/values",
        Code::OptionMissing,
        message!(
            "{indicator} còn thiếu phân tổ {option}. Hãy nhập (không có thì nhập 0).",
            "{indicator} lacks its option {option}. Enter it (0 where there is none).",
            indicator,
            option
        ),
    )
}

fn totals_differ(entry: &Entry<'_>, breakdown: &Breakdown, sum: Fact, known: Fact) -> Fault {
    let decimals = entry.definition.decimals.get();
    let (sum, known) = (
        Decimal::new(sum.mantissa, decimals),
        Decimal::new(known.mantissa, decimals),
    );
    let indicator = entry.named();
    let options = breakdown.options.iter();
    let options = Named::list(options.map(|option| Named::with_code(&option.name, &option.code)));
    let (vietnamese_sum, vietnamese_known) = (sum.vietnamese(), known.vietnamese());
    Fault::in_body(
        "/values",
        Code::TotalsDiffer,
        message!(
            "{indicator}: các phân tổ ({options}) cộng lại là {vietnamese_sum}, tổng số là {vietnamese_known}. Hãy sửa cho khớp.",
            "{indicator}: its options ({options}) add up to {sum}, and the total is {known}. Make them agree.",
            indicator,
            options
        ),
    )
}

/// An open breakdown needs the total that its options are part of. A negative part has no
/// "more than", so only amounts that are not negative are compared.
fn open_fault(
    entry: &Entry<'_>,
    breakdown: &Breakdown,
    total: Option<Fact>,
    values: &Values,
) -> Option<Fault> {
    let indicator = entry.named();
    let parts: Vec<i64> = option_facts(entry, breakdown, values)
        .filter_map(|(_, fact)| fact.map(|fact| fact.mantissa))
        .collect();
    if parts.is_empty() {
        return None;
    }
    let Some(total) = total else {
        return Some(Fault::in_body(
            "/values",
            Code::TotalMissing,
            message!(
                "{indicator} có phần trong đó nhưng thiếu tổng số. Hãy nhập tổng số.",
                "{indicator} has parts and no total. Enter the total.",
                indicator
            ),
        ));
    };
    let comparable = total.mantissa >= 0 && parts.iter().all(|part| *part >= 0);
    let sum: i128 = parts.iter().map(|part| i128::from(*part)).sum();
    (comparable && sum > i128::from(total.mantissa)).then(|| {
        let decimals = entry.definition.decimals.get();
        let (sum, total) = (Decimal::new(sum, decimals), Decimal::new(total.mantissa, decimals));
        let (vietnamese_sum, vietnamese_total) = (sum.vietnamese(), total.vietnamese());
        Fault::in_body("/values", Code::OptionsExceedTotal, message!(
            "{indicator}: phần trong đó ({vietnamese_sum}) lớn hơn tổng số ({vietnamese_total}). Hãy sửa lại.",
            "{indicator}: its parts ({sum}) exceed the total ({total}). Correct them.",
            indicator
        ))
    })
}

fn required_missing(entry: &Entry<'_>) -> Fault {
    let indicator = entry.named();
    Fault::in_body(
        "/values",
        Code::RequiredMissing,
        message!(
            "Thiếu chỉ tiêu bắt buộc {indicator}. Hãy nhập (không có thì nhập 0).",
            "The required {indicator} is missing. Enter it (0 where there is none).",
            indicator
        ),
    )
}

impl WrongStatus {
    pub fn message(&self) -> Message {
        let (vi, en) = (self.status.vietnamese(), self.status.english());
        let (todo_vi, todo_en) = match (self.step, self.status) {
            (Step::Save | Step::Replace, Status::Approved) => (
                "Hãy đề nghị người duyệt mở lại trước khi sửa.",
                "Ask an approver to reopen it before you change it.",
            ),
            (Step::Withdraw, Status::Approved) => (
                "Hãy đề nghị người duyệt mở lại trước khi rút.",
                "Ask an approver to reopen it before you withdraw it.",
            ),
            (Step::Approve | Step::Return, Status::Approved) => (
                "Đã duyệt rồi; muốn thay đổi thì mở lại.",
                "It is approved already; to change that, reopen it.",
            ),
            (Step::Approve | Step::Return, Status::Draft) => (
                "Đơn vị có bản nháp chưa gửi; hãy chờ đơn vị gửi.",
                "The unit has a draft that is not submitted; wait until it is.",
            ),
            (Step::Approve | Step::Return, _) => (
                "Chỉ duyệt hoặc trả lại được số liệu đã gửi.",
                "Only what is submitted can be approved or returned.",
            ),
            (Step::Submit, Status::Approved) => (
                "Hãy đề nghị người duyệt mở lại trước khi sửa.",
                "Ask an approver to reopen it before you change it.",
            ),
            (Step::Submit, Status::Submitted) => (
                "Không cần gửi lại; muốn sửa thì nhập số liệu mới.",
                "It need not be sent again; to correct it, put new values.",
            ),
            (Step::Reopen, _) => (
                "Chỉ mở lại được số liệu đã duyệt.",
                "Only what is approved can be reopened.",
            ),
            (Step::Withdraw, Status::Withdrawn) => (
                "Đã rút rồi; muốn gửi lại thì nhập số liệu.",
                "There is nothing to do; to send it again, put values.",
            ),
            (Step::Withdraw, Status::Returned) => (
                "Số liệu bị trả lại không được tính nữa; hãy sửa rồi gửi lại.",
                "What was returned does not count any more; correct it and submit it again.",
            ),
            _ => (
                "Chưa gửi gì nên không có gì để lấy lại; cứ sửa hoặc bỏ bản nháp.",
                "Nothing of it was sent, so nothing is to be taken back; change the draft or leave it.",
            ),
        };
        message!(
            "Số liệu đang ở tình trạng «{vi}». {todo_vi}",
            "The submission is {en}. {todo_en}"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_approved_submission_changes_only_after_it_is_reopened() {
        for step in [
            Step::Save,
            Step::Replace,
            Step::Submit,
            Step::Withdraw,
            Step::Approve,
            Step::Return,
        ] {
            assert!(
                Status::Approved.after(step, Counting::Yes).is_err(),
                "{step:?}"
            );
        }
        assert_eq!(
            Status::Approved.after(Step::Reopen, Counting::Yes),
            Ok((Status::Reopened, Effect::Keeps))
        );
    }

    #[test]
    fn a_draft_leaves_what_counts_alone_and_can_be_withdrawn_only_over_something_that_counts() {
        for status in [
            Status::Draft,
            Status::Submitted,
            Status::Returned,
            Status::Withdrawn,
            Status::Reopened,
        ] {
            assert_eq!(
                status.after(Step::Save, Counting::Yes),
                Ok((Status::Draft, Effect::Keeps))
            );
        }
        assert!(Status::Draft.after(Step::Withdraw, Counting::No).is_err());
        assert!(Status::Draft.after(Step::Withdraw, Counting::Yes).is_ok());
    }
}
