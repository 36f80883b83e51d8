//! The demo's round, taken by the people whose work it is. The year 2023 goes to its end, with a
//! correction that came after Tân An's report was received. Of 2024, the town returned one report.

use chrono::{DateTime, NaiveDate, Utc};

use super::{
    COMMUNE, DemoError, FORM, in_data, in_use_case, morning_of, sign_in, submissions, submitted,
};
use crate::authn::Identity;
use crate::domain::release::ReleaseNumber;
use crate::service::Application;
use crate::service::application::call::Call;
use crate::service::application::condition::Precondition;
use crate::service::application::locate::ReportPath;
use crate::service::report::release::{
    EnteredDocument, EnteredRelease, EnteredSigner, ReleasePath, receive_release, send_release,
};
use crate::service::submission::{EnteredReason, EnteredValueReason, SubmissionChange, change_now};

const COMMUNE_ACCOUNT: &str = "commune@demo";
const TOWN_ACCOUNT: &str = "town@demo";

const HAMLETS: [&str; 7] = [
    "code:30388-01",
    "code:30388-02",
    "code:30388-03",
    "code:30388-04",
    "code:30388-05",
    "code:30388-06",
    "code:30388-07",
];

/// The hamlet that found a mistake of 2023 in February.
const CORRECTED_HAMLET: &str = "code:30388-07";
/// The commune whose report of 2024 the town returned.
const RETURNED_COMMUNE: &str = "code:30400";

/// The days of the steps.
const APPROVED_ON: Option<NaiveDate> = NaiveDate::from_ymd_opt(2023, 12, 18);
const SENT_ON: Option<NaiveDate> = NaiveDate::from_ymd_opt(2023, 12, 20);
const RECEIVED_ON: Option<NaiveDate> = NaiveDate::from_ymd_opt(2023, 12, 22);
const CORRECTED_ON: Option<NaiveDate> = NaiveDate::from_ymd_opt(2024, 2, 5);
const RETURNED_ON: Option<NaiveDate> = NaiveDate::from_ymd_opt(2024, 12, 23);

/// Somebody who takes steps of the round.
struct Worker<'a> {
    application: &'a Application,
    identity: Identity,
    now: DateTime<Utc>,
}

impl Worker<'_> {
    fn new<'a>(
        application: &'a Application,
        login: &str,
        now: DateTime<Utc>,
    ) -> Result<Worker<'a>, DemoError> {
        Ok(Worker {
            application,
            identity: sign_in(application, login, now)?,
            now,
        })
    }

    /// Makes a call on the morning of a day, on what is there then.
    fn on(&self, day: Option<NaiveDate>) -> Call {
        Call::new(self.identity, morning_of(day, self.now)).on(Precondition::Present)
    }

    fn change(
        &self,
        day: Option<NaiveDate>,
        path: ReportPath,
        change: SubmissionChange,
    ) -> Result<(), DemoError> {
        let what = format!("{} {} {}", path.form, path.period, path.unit);
        change_now(self.application, self.on(day), path, change).map_err(in_use_case(&what))?;
        Ok(())
    }
}

fn annual(period: &str, unit: &str) -> ReportPath {
    ReportPath {
        form: FORM.to_owned(),
        period: period.to_owned(),
        unit: unit.to_owned(),
    }
}

/// Brings the annual report of 2023 to its end: Tân An approves its hamlets and sends its report, the
/// town receives it, and one hamlet corrects a figure afterwards.
///
/// # Errors
/// [`DemoError`].
pub(super) fn finish_2023(application: &Application, now: DateTime<Utc>) -> Result<(), DemoError> {
    let commune = Worker::new(application, COMMUNE_ACCOUNT, now)?;
    let town = Worker::new(application, TOWN_ACCOUNT, now)?;
    for hamlet in HAMLETS {
        commune.change(
            APPROVED_ON,
            annual("2023", hamlet),
            SubmissionChange::Approve,
        )?;
    }
    send_up(&commune)?;
    receive(&town)?;
    correct(&commune)
}

fn send_up(commune: &Worker<'_>) -> Result<(), DemoError> {
    let document = SENT_ON.map(|date| EnteredDocument {
        number: "31/BC-MTTQ-BTT".to_owned(),
        place: "Tân An".to_owned(),
        date,
    });
    let release = EnteredRelease {
        path: annual("2023", COMMUNE),
        document,
        signer: Some(EnteredSigner {
            capacity: "TM. BAN THƯỜNG TRỰC".to_owned(),
            office: "CHỦ TỊCH".to_owned(),
            name: "Nguyễn Văn An".to_owned(),
        }),
        recipients: vec![
            "Ban Thường trực Ủy ban MTTQ thị xã Tân Châu".to_owned(),
            "Lưu: VT".to_owned(),
        ],
        accept: Vec::new(),
    };
    let call = Call::new(commune.identity, morning_of(SENT_ON, commune.now));
    send_release(commune.application, &call, &release).map_err(in_use_case("release"))?;
    Ok(())
}

fn receive(town: &Worker<'_>) -> Result<(), DemoError> {
    let path = ReleasePath {
        report: annual("2023", COMMUNE),
        number: ReleaseNumber::FIRST,
    };
    receive_release(town.application, &town.on(RECEIVED_ON), &path)
        .map_err(in_use_case("release"))?;
    town.change(
        RECEIVED_ON,
        annual("2023", COMMUNE),
        SubmissionChange::Approve,
    )
}

/// Corrects a hamlet's figures, which the commune enters for it.
fn correct(commune: &Worker<'_>) -> Result<(), DemoError> {
    let what = "corrected_2023.csv";
    let path = || annual("2023", CORRECTED_HAMLET);
    let reason = EnteredReason {
        text: "Ấp báo sót một khoản vận động.".to_owned(),
        values: Vec::new(),
    };
    let reopen = SubmissionChange::Reopen(Some(reason));
    commune.change(CORRECTED_ON, path(), reopen)?;
    let corrected = submissions(FORM, include_str!("corrected_2023.csv")).map_err(in_data(what))?;
    for (path, values) in corrected {
        let put = SubmissionChange::Put(submitted(values, Vec::new()));
        commune.change(CORRECTED_ON, path, put)?;
    }
    commune.change(CORRECTED_ON, path(), SubmissionChange::Approve)
}

/// Returns the report of one commune for 2024, with the reason for a value.
///
/// # Errors
/// [`DemoError`].
pub(super) fn return_one(application: &Application, now: DateTime<Utc>) -> Result<(), DemoError> {
    let town = Worker::new(application, TOWN_ACCOUNT, now)?;
    let reason = EnteredReason {
        text: "Đề nghị xã kiểm tra lại số chi rồi gửi lại.".to_owned(),
        values: vec![EnteredValueReason {
            indicator: "fund.spent".to_owned(),
            option: None,
            reason: "Chi gấp mười lần số vận động: có lẽ thừa một số 0.".to_owned(),
        }],
    };
    town.change(
        RETURNED_ON,
        annual("2024", RETURNED_COMMUNE),
        SubmissionChange::Return(reason),
    )
}
