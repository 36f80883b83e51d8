//! Receipts (biên nhận): one step of a submission or of a release, read by its number. What it says was
//! never written for the receipt: it is put together from the commit, from what the step brought, and
//! from the copy that was sent, which are only ever added. So it is the same text for ever. The names
//! beside it are those of today.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;

use super::changes::Spot;
use crate::authn::Identity;
use crate::domain::catalogue::InForce;
use crate::domain::id::{AccountId, OptionNumber, UnitId};
use crate::domain::quantity::{Decimal, Qualifier};
use crate::domain::receipt::ReceiptNumber;
use crate::domain::release::ReleaseNumber;
use crate::domain::submission::{
    Fact, Nil, Revision, RevisionRecord, SpeaksFor, Status, SubmissionKey,
};
use crate::domain::text::clipped;
use crate::domain::words::money_in_words;
use crate::error::{Code, Explain, Explanation};
use crate::locale::Quoted;
use crate::message;
use crate::service::application::Application;
use crate::service::application::change::{Author, AuthoredItem, ChangeItem, ChangeKind, items_of};
use crate::service::application::name::{PeriodName, UnitName};
use crate::service::application::snapshot::Snapshot;
use crate::service::application::text::NameView;
use crate::service::people::account_name::{AccountName, NameReader};
use crate::service::report::release::copy::Copied;
use crate::service::round::task::FormName;
use crate::service::submission::{PassageView, ReasonView, ValueView, is_on_behalf};
use crate::store::change::changes_at;
use crate::store::release::{ContentHash, steps_of};
use crate::store::submission::revision::{revision_get, revision_sent_before};
use crate::store::{StoreError, Transaction};

/// The edition of what receipts say. The text of a receipt that was given out must stay the same byte for
/// byte, so a change of [`ReceiptContent`] is a new edition beside this one, for later steps.
const EDITION: u8 = 1;

/// The errors of reading a receipt.
#[derive(Debug, thiserror::Error)]
pub enum ReceiptError {
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There is none with the number, or the caller may not know of it.
    #[error("no receipt {number}")]
    Missing { number: String },
}

impl Explain for ReceiptError {
    fn explain(&self) -> Explanation {
        match self {
            ReceiptError::Store(held) => held.explain(),
            ReceiptError::Missing { number } => Explanation::new(
                Code::ReceiptNotFound,
                message!("receipt-missing", number = Quoted(&number)),
            )
            .of_parameter("receipt"),
        }
    }
}

/// The receipt of one step: what was done, who did it, and the figures of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct ReceiptView {
    #[schema(example = "1042-3")]
    pub number: String,
    pub kind: ChangeKind,
    pub at: DateTime<Utc>,
    /// The account that took the step.
    pub by: AccountName,
    /// With its name of today.
    pub form: FormName,
    pub period: PeriodName,
    /// As the map of the period's last day has it today. Null for a unit that the map no longer has.
    pub unit: Option<UnitName>,
    /// The figures in the order of the outline, with their names of today. Those of a release are the
    /// ones that were sent.
    pub figures: Vec<ReceiptFigure>,
    /// The step as it was taken. It never changes.
    pub content: ReceiptContent,
    /// The same as one line of JSON, which is the same byte for byte whenever it is read.
    pub canonical: String,
    /// The SHA-256 of the UTF-8 bytes of `canonical`, in hexadecimal.
    #[schema(example = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")]
    pub hash: String,
}

/// A figure of a receipt, for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct ReceiptFigure {
    #[schema(example = "fund.raised")]
    pub indicator: String,
    /// An option of a breakdown; null for the total.
    pub option: Option<String>,
    pub name: NameView,
    #[schema(example = "đồng")]
    pub unit_of_measure: String,
    /// As it is written in Vietnamese.
    #[schema(example = "1.562.410.000")]
    pub figure: String,
    pub qualifier: Qualifier,
    /// The amount in words; null for what is no money.
    #[schema(example = json!({
        "vi": "Một tỷ năm trăm sáu mươi hai triệu bốn trăm mười nghìn đồng",
        "en": "One billion five hundred sixty two million four hundred ten thousand dong",
    }))]
    pub words: Option<NameView>,
}

/// A step as it was taken, in codes, ids and numbers, none of which can become another. It has no names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct ReceiptContent {
    /// The edition of these fields. Receipts of one edition have the same fields in the same order.
    #[schema(example = 1)]
    pub edition: u8,
    #[schema(example = "1042-3")]
    pub number: String,
    pub kind: ChangeKind,
    pub at: DateTime<Utc>,
    /// The id of the account.
    pub by: String,
    /// The form's code.
    #[schema(example = "mttq.annual")]
    pub form: String,
    /// The period's key.
    #[schema(example = "2024")]
    pub period: String,
    /// The id of the unit that had the submission or sent the release then.
    pub unit: String,
    /// The revision that the step made; null for a release.
    pub revision: Option<i32>,
    /// The status of the submission after the step; null for a release, of which `kind` tells it.
    pub status: Option<Status>,
    /// If true, somebody with a duty on a unit above only entered it (nhập thay). Null for steps that
    /// enter nothing, and if that was not recorded.
    pub on_behalf: Option<bool>,
    /// The day on which the paper came in that was entered; null if none was.
    pub received_on: Option<NaiveDate>,
    /// The units for which the submission spoke after the step: the unit alone, or everything below it
    /// too (báo cáo gộp). Null for a release, and if that was not recorded.
    pub speaks_for: Option<SpeaksFor>,
    /// If true, the unit said that nothing more happened than `values` (không phát sinh). Null for a
    /// release.
    pub nil: Option<bool>,
    /// The values that the step brought, by the codes of their indicators. For a decision and a
    /// withdrawal those that had been sent, which it was about; a draft kept over them is not.
    pub values: Vec<ValueView>,
    pub narrative: Vec<PassageView>,
    /// The number of the release; null for a submission.
    pub release: Option<i32>,
    /// The hash of the copy that was sent, as `get_release` shows it; null for a submission.
    pub copy: Option<String>,
    /// Why it was returned; null for other steps.
    pub reason: Option<ReasonView>,
}

/// Reads a receipt by its number, for the account that took the step, and for those who may read the
/// submission or the release.
///
/// # Errors
/// [`ReceiptError`].
pub fn get_receipt(
    application: &Application,
    identity: &Identity,
    number: &str,
) -> Result<ReceiptView, ReceiptError> {
    application.reading(identity, |transaction, snapshot| {
        let missing = || ReceiptError::Missing {
            number: clipped(number),
        };
        let read = number.parse::<ReceiptNumber>().map_err(|_| missing())?;
        let step = StepTaken::find(transaction, snapshot, read)?.ok_or_else(missing)?;
        let holder = step.holder(transaction, snapshot)?;
        if !step.is_seen(identity, snapshot, holder) {
            return Err(missing());
        }
        let (content, figures) = step.content(transaction, holder)?;
        let names = NameReader::of(application, transaction, identity, snapshot)?;
        let names = names.read(transaction, &[step.account])?;
        let canonical = serde_json::to_string(&content);
        let canonical = canonical.map_err(|error| StoreError::Corrupt(error.to_string()))?;
        let period = &step.in_force.period;
        Ok(ReceiptView {
            number: content.number.clone(),
            kind: content.kind,
            at: content.at,
            by: names.name(step.account)?,
            form: FormName {
                code: period.form.code.to_string(),
                name: NameView::of(&period.definition.name),
            },
            period: PeriodName::of(period),
            unit: step.unit_name(snapshot),
            figures: figures.views(&step.in_force),
            content,
            hash: ContentHash::of(&canonical).to_string(),
            canonical,
        })
    })
}

/// The submission's revision or the release that a step made or changed.
#[derive(Debug, Clone, Copy)]
enum TakenWith {
    Submission(Revision),
    Release(ReleaseNumber),
}

/// A step as its commit tells it.
struct StepTaken<'s> {
    number: ReceiptNumber,
    kind: ChangeKind,
    account: AccountId,
    with: TakenWith,
    /// The form, the period, and the unit of then.
    key: SubmissionKey,
    in_force: InForce<'s>,
}

impl<'s> StepTaken<'s> {
    fn find(
        transaction: &mut Transaction<'_>,
        snapshot: &'s Snapshot,
        number: ReceiptNumber,
    ) -> Result<Option<StepTaken<'s>>, StoreError> {
        let rows = changes_at(transaction, &[number.rev()])?;
        let Some(row) = rows.first() else {
            return Ok(None);
        };
        let item = items_of(row)?.into_iter().nth(number.before());
        Ok(item.and_then(|AuthoredItem { item, by }| StepTaken::of(snapshot, number, &item, by)))
    }

    /// Reads an item of a commit; `None` if it is no step of a submission or a release.
    fn of(
        snapshot: &'s Snapshot,
        number: ReceiptNumber,
        item: &ChangeItem,
        by: Author,
    ) -> Option<StepTaken<'s>> {
        let account = match by {
            Author::Account(account) => account,
            Author::Operator => return None,
        };
        let with = match (item.revision, item.release) {
            (Some(revision), _) => TakenWith::Submission(Revision::new(revision)),
            (None, Some(number)) => TakenWith::Release(ReleaseNumber::new(number)),
            (None, None) => return None,
        };
        let form = snapshot
            .catalogue
            .form(&item.form.as_deref()?.parse().ok()?)?;
        let period = form.period(item.period.as_deref()?.parse().ok()?)?;
        Some(StepTaken {
            number,
            kind: item.kind,
            account,
            with,
            key: SubmissionKey {
                form: form.number,
                period: period.period,
                unit: item.unit?,
            },
            in_force: snapshot.catalogue.in_force(period),
        })
    }

    /// Returns the unit that has it now. A submission may have passed to a successor; a release stays
    /// with the unit that sent it.
    fn holder(
        &self,
        transaction: &mut Transaction<'_>,
        snapshot: &Snapshot,
    ) -> Result<UnitId, StoreError> {
        let unit = self.key.unit;
        let TakenWith::Submission(revision) = self.with else {
            return Ok(unit);
        };
        let is_here = self.record(transaction, unit, revision)?.is_some();
        if is_here {
            return Ok(unit);
        }
        let moves = snapshot.passed_on(transaction, self.key.form, self.key.period)?;
        let moves = moves.into_iter();
        Ok(moves.fold(unit, |holder, one| match one.from == holder {
            true => one.to,
            false => holder,
        }))
    }

    fn record(
        &self,
        transaction: &mut Transaction<'_>,
        unit: UnitId,
        revision: Revision,
    ) -> Result<Option<RevisionRecord>, StoreError> {
        let key = SubmissionKey { unit, ..self.key };
        let record = revision_get(transaction, key, revision)?;
        Ok(record.filter(|record| record.rev == self.number.rev()))
    }

    /// Tells whether a caller may read the receipt: the account that took the step, and those who may
    /// read the submission or the release where it was or where it is.
    fn is_seen(&self, identity: &Identity, snapshot: &Snapshot, holder: UnitId) -> bool {
        let mut spots = [self.key.unit, holder]
            .into_iter()
            .filter_map(|unit| self.spot(snapshot, unit));
        let action = self.kind.seen_by();
        let access = &snapshot.access;
        self.account == identity.account()
            || spots.any(|spot| access.to_unit(action, spot.tree(), spot.place()).is_ok())
    }

    fn spot(&self, snapshot: &Snapshot, unit: UnitId) -> Option<Spot> {
        let day = self.in_force.period.closing_day();
        Spot::of(&snapshot.hierarchy, unit, day)
    }

    fn unit_name(&self, snapshot: &Snapshot) -> Option<UnitName> {
        let spot = self.spot(snapshot, self.key.unit)?;
        Some(UnitName::of(spot.place()))
    }

    /// Puts together what the step was, and its figures.
    fn content(
        &self,
        transaction: &mut Transaction<'_>,
        holder: UnitId,
    ) -> Result<(ReceiptContent, Figures), StoreError> {
        match self.with {
            TakenWith::Submission(revision) => self.of_submission(transaction, holder, revision),
            TakenWith::Release(number) => self.of_release(transaction, number),
        }
    }

    fn of_submission(
        &self,
        transaction: &mut Transaction<'_>,
        holder: UnitId,
        revision: Revision,
    ) -> Result<(ReceiptContent, Figures), StoreError> {
        let record = self.record(transaction, holder, revision)?;
        let mut record = record.ok_or_else(|| self.lost("a revision"))?;
        let brought = record.content.take();
        let content = match brought {
            Some(content) => Some(content),
            // A decision is about the values that were sent, whatever draft lies over them.
            None => {
                let key = SubmissionKey {
                    unit: holder,
                    ..self.key
                };
                let sent = revision_sent_before(transaction, key, revision)?;
                sent.and_then(|sent| sent.content)
            }
        };
        let content = content.ok_or_else(|| self.lost("values"))?;
        let figures = Figures::of_facts(&content.facts, &self.in_force)?;
        let said = ReceiptContent {
            revision: Some(revision.get()),
            status: Some(record.status),
            on_behalf: record.entered_for.map(is_on_behalf),
            received_on: record.received_on,
            speaks_for: record.speaks_for,
            nil: Some(content.nil == Nil::Declared),
            values: figures.values(),
            narrative: content.narrative.iter().map(PassageView::from).collect(),
            reason: record.reason.map(ReasonView::from),
            ..self.bare(record.entered_at.and_utc())
        };
        Ok((said, figures))
    }

    fn of_release(
        &self,
        transaction: &mut Transaction<'_>,
        number: ReleaseNumber,
    ) -> Result<(ReceiptContent, Figures), StoreError> {
        let steps = steps_of(transaction, self.key, number)?;
        let mut steps = steps.into_iter();
        let step = steps.find(|step| step.rev == self.number.rev());
        let step = step.ok_or_else(|| self.lost("a step"))?;
        let copied = Copied::read(transaction, self.key, number)?;
        let said = ReceiptContent {
            release: Some(number.get()),
            copy: Some(copied.hash.to_string()),
            reason: step.reason.map(|text| ReasonView {
                text,
                values: Vec::new(),
            }),
            ..self.bare(step.at.and_utc())
        };
        Ok((said, Figures::of_copy(copied)))
    }

    /// Says what every step is, and nothing more.
    fn bare(&self, at: DateTime<Utc>) -> ReceiptContent {
        ReceiptContent {
            edition: EDITION,
            number: self.number.to_string(),
            kind: self.kind,
            at,
            by: self.account.to_string(),
            form: self.in_force.period.form.code.to_string(),
            period: self.key.period.to_string(),
            unit: self.key.unit.to_string(),
            revision: None,
            status: None,
            on_behalf: None,
            received_on: None,
            speaks_for: None,
            nil: None,
            values: Vec::new(),
            narrative: Vec::new(),
            release: None,
            copy: None,
            reason: None,
        }
    }

    fn lost(&self, what: &str) -> StoreError {
        StoreError::Corrupt(format!("{what} of the receipt {} is missing", self.number))
    }
}

/// The figures of a step, by the codes of their indicators and options.
struct Figures(BTreeMap<(String, Option<String>), (Decimal, Qualifier)>);

impl Figures {
    /// Decimals and codes are fixed once there are submissions, so these are for ever the same.
    fn of_facts(facts: &[Fact], in_force: &InForce<'_>) -> Result<Figures, StoreError> {
        let figures = facts.iter().map(|fact| {
            let mut entries = in_force.entries().iter();
            let entry = entries.find(|entry| entry.indicator.number == fact.indicator)?;
            let option = match fact.option {
                OptionNumber::TOTAL => None,
                number => Some(entry.indicator.option_code(number)?.to_string()),
            };
            let value = Decimal::new(fact.mantissa, entry.definition.decimals.get());
            let name = (entry.indicator.code.to_string(), option);
            Some((name, (value, fact.qualifier)))
        });
        let figures: Option<BTreeMap<_, _>> = figures.collect();
        let lost = || StoreError::Corrupt("the catalogue lost a figure of a receipt".to_owned());
        figures.map(Figures).ok_or_else(lost)
    }

    fn of_copy(copied: Copied) -> Figures {
        let figures = copied.figures.into_iter();
        let figures = figures.map(|cell| {
            let name = (cell.indicator, cell.option);
            (name, (cell.value, cell.qualifier))
        });
        Figures(figures.collect())
    }

    fn values(&self) -> Vec<ValueView> {
        let values = self.0.iter();
        let values = values.map(|((indicator, option), (value, qualifier))| ValueView {
            indicator: indicator.clone(),
            option: option.clone(),
            value: value.clone(),
            qualifier: *qualifier,
        });
        values.collect()
    }

    /// Shows them in the order of the outline.
    fn views(&self, in_force: &InForce<'_>) -> Vec<ReceiptFigure> {
        let entries = in_force.entries().iter();
        let shown = entries.flat_map(|entry| {
            let definition = entry.definition;
            let figures = entry.options().into_iter();
            figures.filter_map(move |(_, option)| {
                let name = (
                    entry.indicator.code.to_string(),
                    option.map(|option| option.code.to_string()),
                );
                let (value, qualifier) = self.0.get(&name)?;
                let words = money_in_words(value, &definition.unit_of_measure);
                let (indicator, code) = name;
                Some(ReceiptFigure {
                    indicator,
                    option: code,
                    name: match option {
                        None => NameView::of(&definition.name),
                        Some(option) => NameView::of_part(&definition.name, &option.name),
                    },
                    unit_of_measure: definition.unit_of_measure.clone(),
                    figure: value.vietnamese(),
                    qualifier: *qualifier,
                    words: words.map(|words| NameView {
                        vi: words.vi().to_owned(),
                        en: Some(words.en().to_owned()),
                    }),
                })
            })
        });
        shown.collect()
    }
}
