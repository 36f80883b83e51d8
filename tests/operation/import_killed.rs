//! Imports during which the server is killed: what a file says is there as a whole or not at all, and a
//! repetition with the same key has one effect.
//!
//! `TONGHOP_TEST_CYCLES` makes it longer.

use std::thread::sleep;
use std::time::{Duration, Instant};

use rand::RngExt;
use serde_json::json;

use crate::harness::program::tonghop_on;
use crate::harness::report::Report;
use crate::harness::server::TestDatabase;
use crate::harness::{Client, Program};

use super::crash_battery::cycles;

const HAMLETS: u64 = 1_000;

/// A commune whose hamlets report `x` each month.
fn put_case(admin: &Client) {
    let hamlets = (1..=HAMLETS).map(|number| format!("H{number},Ấp {number},hamlet,A\n"));
    let list = format!(
        "code,name,level,parent_code\nT,Thị xã,town,\nA,Xã A,commune,T\n{}",
        hamlets.collect::<String>()
    );
    admin.post_csv("/v1/units/import", &list).expect_status(200);
    admin.add_indicators(&[("x", "sum")]);
    let form = json!({
        "name": {"vi": "F"}, "calendar": "civil", "frequency": "month", "submitted_by": ["hamlet"],
        "outline": [{"number": "I", "title": {"vi": "I"}, "items": [{"indicator": "x"}]}],
    });
    admin.put("/v1/forms/f", &form).expect_status(201);
}

on_both_backends! {
    fn an_import_that_is_killed_is_whole_or_not_there_and_its_repetition_has_one_effect(backend) {
        let database = TestDatabase::migrated(backend).with_tenant();
        let mut server = Program::serve(&database);
        let admin = server.sign_in("test", "admin");
        put_case(&admin);
        let rows = (1..=HAMLETS).map(|number| format!("H{number},x,{number}\n"));
        let list = format!("unit,indicator,value\n{}", rows.collect::<String>());
        // As long as one takes that nobody kills, and longer: the next meet a server that has just started.
        let begun = Instant::now();
        admin.post_csv("/v1/submissions/import?form=f&period=1999-12&submit=true", &list).expect_status(200);
        let most = begun.elapsed() * 5 / 2;
        let cycles = cycles(3);
        let mut survived = 0;
        for cycle in 0..cycles {
            let month = format!("{}-{:02}", 2000 + cycle / 12, cycle % 12 + 1);
            let path = format!("/v1/submissions/import?form=f&period={month}&submit=true");
            let key = format!("month-{cycle}");
            let sender = server.sign_in("test", "admin").with("Idempotency-Key", &key);
            std::thread::scope(|scope| {
                // Whether it is answered is a matter of the moment.
                scope.spawn(|| sender.try_send("POST", &path, Some("text/csv"), list.as_bytes()).is_ok());
                sleep(rand::rng().random_range(Duration::ZERO..most));
                server.kill();
            });
            server = Program::serve(&database);
            let admin = server.sign_in("test", "admin");
            let report = Report::of(&admin, "f", &month);
            let reported = report.cell("T", "x")["reported"].as_u64().unwrap();
            assert!([0, HAMLETS].contains(&reported), "{reported} of {HAMLETS}");
            survived += usize::from(reported > 0);

            let again = admin.with("Idempotency-Key", &key).post_csv(&path, &list).expect_status(200);
            assert_eq!(again.json()["created"], HAMLETS);
            let replayed = again.header("idempotency-replayed");
            assert_eq!(replayed, (reported > 0).then_some("true"));
            let total = HAMLETS * (HAMLETS + 1) / 2;
            assert_eq!(report.figure("T", "x"), format!("{total} {HAMLETS}/{HAMLETS}"));
            for unit in ["H1", &format!("H{HAMLETS}")] {
                assert_eq!(report.get(unit)["revision"], 1);
            }
        }
        let verified = tonghop_on(&database, &["verify"]).output().unwrap();
        assert!(verified.status.success(), "{verified:?}");
        eprintln!("imports killed on {backend:?}: {survived} of {cycles} had been entered");
    }
}
