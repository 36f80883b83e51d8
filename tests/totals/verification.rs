//! Verification: kept totals that differ from what the submissions add up to are reported with
//! their place, over HTTP for a unit and what is below it, and by the operator's command for
//! everything.

use std::process::Output;

use serde_json::{Value, json};

use crate::harness::program::{Program, tonghop_on};
use crate::harness::report::{Report, value};
use crate::harness::town::{Town, form};
use crate::harness::{Backend, Client, Server};

/// The town with a monthly form `m` of `x` and figures in both communes, and of `A` the row of `B`.
fn town_with_a_wrong_row(backend: Backend) -> (Server, Client) {
    let (server, admin, m) = Town::new(backend)
        .indicators(&[("x", "sum")])
        .form("m", "month")
        .build();
    for (unit, number) in [("A1", 1), ("A2", 2), ("B1", 4)] {
        m.submit(unit, "2024-01", json!({"x": number}));
    }
    assert!(tonghop_verify(&server).status.success());
    server.write_beside(WRONG_ROW);
    (server, admin)
}

const WRONG_ROW: &str = "UPDATE rollup SET cells = \
       (SELECT other.cells FROM rollup AS other \
        JOIN unit_fact ON unit_fact.unit_id = other.unit_id WHERE unit_fact.code = 'B') \
     WHERE unit_id = (SELECT unit_id FROM unit_fact WHERE code = 'A')";

/// What an upgrade finds: totals by the rules of before.
const TOTALS_OF_BEFORE: &str = "UPDATE tenant SET totals_edition = 0";

fn verified(admin: &Client, unit: &str, period: &str) -> Value {
    Report::of(admin, "m", period).verify(unit)
}

fn tonghop_verify(server: &Server) -> Output {
    let mut command = tonghop_on(&server.database, &["verify"]);
    command.output().unwrap()
}

on_both_backends! {
    fn a_unit_s_verification_tells_what_is_wrong_below_it_and_nothing_else(backend) {
        let (_server, admin) = town_with_a_wrong_row(backend);
        for unit in ["T", "A"] {
            let found = verified(&admin, unit, "2024-01");
            assert_eq!(found["equal"], false);
            let codes: Vec<&Value> = found["differing"].as_array().unwrap().iter().map(|unit| &unit["code"]).collect();
            assert_eq!(codes, ["A"]);
        }
        let figures = |side: &str| verified(&admin, "A", "2024-01")[side]["submitted"][0]["value"].clone();
        assert_eq!((figures("kept"), figures("folded")), (json!(4), json!(3)));
        for (unit, period) in [("B", "2024-01"), ("A1", "2024-01"), ("T", "2024-Q1"), ("T", "2024-02")] {
            let found = verified(&admin, unit, period);
            assert_eq!((&found["equal"], &found["differing"]), (&json!(true), &json!([])), "{unit} {period}");
        }
    }

    fn the_command_names_each_wrong_row_and_fails(backend) {
        let (server, admin) = town_with_a_wrong_row(backend);
        let output = tonghop_verify(&server);
        assert!(!output.status.success());
        let told = String::from_utf8(output.stdout).unwrap();
        let lines: Vec<&str> = told.lines().collect();
        // A month, its quarter, half and nine months, and the year.
        assert_eq!(lines, ["test: m 2024-01 A Xã A differs", "test: 5 periods folded anew", "test: 0 releases compared with their hashes"]);
        // A correction goes up as a change: the wrong row stays wrong.
        Report::of(&admin, "m", "2024-01").submit("A1", &[value("x", 5)]);
        assert!(!tonghop_verify(&server).status.success());
    }

    fn an_upgrade_makes_totals_anew_once_where_units_have_successors(backend) {
        let (server, admin) = town_with_a_wrong_row(backend);
        // On one map the rows of before are those of now.
        server.write_beside(TOTALS_OF_BEFORE);
        assert!(!tonghop_verify(&server).status.success());
        let hamlet = |code: &str| json!({"unit": {"code": code, "name": code, "level": "hamlet", "parent": "code:A"}});
        let split = json!({"op": "split", "from": "code:A1", "into": [hamlet("A3"), hamlet("A4")]});
        let document = json!({"effective": "2024-03-01", "legal_basis": "Nghị quyết", "steps": [split]});
        admin.post_json("/v1/reorganisations", &document).expect_status(201);
        assert!(!tonghop_verify(&server).status.success(), "the upgrade was before");
        // A command does it.
        server.write_beside(TOTALS_OF_BEFORE);
        let output = tonghop_verify(&server);
        assert!(output.status.success(), "{output:?}");
        server.write_beside(WRONG_ROW);
        assert!(!tonghop_verify(&server).status.success(), "it is done once");
        // So does a server, before anybody reads from it or adds to a total.
        server.write_beside(TOTALS_OF_BEFORE);
        let program = Program::serve(&server.database);
        let client = program.sign_in("test", "admin");
        assert_eq!(verified(&client, "T", "2024-01")["equal"], true);
        let report = Report::of(&client, "m", "2024-01");
        assert_eq!((report.figure("A", "x"), report.figure("T", "x")), ("3 2/3".to_owned(), "7 3/5".to_owned()));
        report.submit("A1", &[value("x", 5)]);
        assert_eq!(report.figure("A", "x"), "7 2/3");
        assert!(tonghop_verify(&server).status.success());
    }

    fn what_is_too_large_to_be_held_at_once_is_compared_in_parts(backend) {
        let server = Server::with_tenant(backend);
        let admin = server.sign_in("test", "admin");
        let mut units = "code,name,level,parent_code\nT,T,town,\nA,A,commune,T\nB,B,commune,T\n".to_owned();
        for commune in ["A", "B"] {
            units.extend((1..=600).map(|number| format!("{commune}{number},H,hamlet,{commune}\n")));
        }
        admin.post_csv("/v1/units/import", &units).expect_status(200);
        admin.add_indicators(&[("x", "sum")]);
        admin.put("/v1/forms/f", &form(&["x"])).expect_status(201);
        for (unit, number) in [("A1", 1), ("A600", 2), ("B1", 4), ("B", 8)] {
            Report::new(&admin, "f").submit(unit, &[value("x", number)]);
        }
        assert!(tonghop_verify(&server).status.success());
        let verified = |unit: &str| {
            Report::new(&admin, "f").verify(unit)
        };
        let found = verified("T");
        assert_eq!((&found["equal"], &found["compared"]), (&json!(true), &json!(1203)));
        assert_eq!(found["folded"]["submitted"][0]["value"], 15);
        for (unit, other) in [("A", "B"), ("T", "A")] {
            server.write_beside(&format!(
                "UPDATE rollup SET cells = \
                   (SELECT other.cells FROM rollup AS other \
                    JOIN unit_fact ON unit_fact.unit_id = other.unit_id WHERE unit_fact.code = '{other}') \
                 WHERE unit_id = (SELECT unit_id FROM unit_fact WHERE code = '{unit}')",
            ));
        }
        let output = tonghop_verify(&server);
        assert!(!output.status.success());
        let told = String::from_utf8(output.stdout).unwrap();
        let lines: Vec<&str> = told.lines().collect();
        assert_eq!(lines, ["test: f 2024 T T differs", "test: f 2024 A A differs", "test: 1 periods folded anew", "test: 0 releases compared with their hashes"]);
        let found = verified("T");
        let figures = ["kept", "folded"].map(|side| found[side]["submitted"][0]["value"].clone());
        assert_eq!(figures, [json!(12), json!(15)]);
        assert_eq!(verified("B")["equal"], true);
    }
}
