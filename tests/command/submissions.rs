//! Submissions at the command line: `tonghop import submissions`.

use std::process::{Command, Output};
use std::thread::sleep;
use std::time::Duration;

use rand::RngExt;
use serde_json::Value;

use crate::harness::program::{run_with_line, start_with_line, tonghop_on};
use crate::harness::report::{Report, value};
use crate::harness::server::PASSWORD;
use crate::harness::sheet::filled;
use crate::harness::town::Town;
use crate::harness::{Backend, Client, Server};

const HAMLETS: usize = 600;

/// A commune with hamlets that report `x` and `rate` of 2024, and its administrator.
fn reporting(backend: Backend) -> (Server, Client, Report) {
    let hamlets = (1..=HAMLETS).map(|number| format!("H{number},Ấp {number},hamlet,A\n"));
    let units = format!(
        "T,Thị xã,town,\nA,Xã A,commune,T\n{}",
        hamlets.collect::<String>()
    );
    Town::of(backend, &units)
        .indicators(&[("x", "sum"), ("y", "sum")])
        .form("f", "year")
        .build_for("2024")
}

/// `tonghop import submissions` of a file with this content.
fn import(server: &Server, name: &str, file: &[u8], flags: &[&str]) -> Command {
    std::fs::write(server.database.directory.path().join(name), file).unwrap();
    let arguments = [
        "import",
        "submissions",
        "--tenant",
        "test",
        "--login",
        "admin",
        "--form",
        "f",
        "--period",
        "2024",
        name,
    ];
    tonghop_on(&server.database, &[arguments.as_slice(), flags].concat())
}

fn run(server: &Server, name: &str, file: &[u8], flags: &[&str]) -> Output {
    run_with_line(&mut import(server, name, file, flags), PASSWORD)
}

#[track_caller]
fn said(output: &Output) -> String {
    let (said, complained) = (&output.stdout, String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{complained}");
    String::from_utf8(said.clone()).unwrap().trim().to_owned()
}

fn list() -> String {
    let rows = (1..=HAMLETS).map(|number| format!("H{number},x,{number}\n"));
    format!("unit,indicator,value\n{}", rows.collect::<String>())
}

on_both_backends! {
    fn a_list_and_a_sheet_are_entered_by_the_operator_as_over_http(backend) {
        let (server, admin, report) = reporting(backend);
        report.submit("H1", &[value("x", 1)]);
        report.submit("H2", &[value("x", 1), value("y", 9)]);
        let list = "unit;indicator;value\nH1;x;1\nH2;x;1.562\nH3;x;trên 3\n";
        let shown = run(&server, "list.csv", list.as_bytes(), &["--submit", "--dry-run"]);
        assert_eq!(said(&shown), "It would enter: new 1, changed 1, there already 1");
        assert_eq!(report.figure("T", "x"), format!("2 2/{}", HAMLETS + 1));
        let done = run(&server, "list.csv", list.as_bytes(), &["--submit", "--json"]);
        let done: Value = serde_json::from_str(&said(&done)).unwrap();
        assert_eq!([&done["created"], &done["changed"], &done["left"]], [1, 1, 1]);
        assert_eq!(report.figure("T", "x"), format!("1566 at_least 3/{}", HAMLETS + 1));
        assert_eq!(report.figure("T", "y"), format!("9 1/{}", HAMLETS + 1));
        // A sheet; without --submit a draft, which counts nowhere; with --replace y is gone.
        let path = "/v1/forms/f/periods/2024/units/code:H2/sheet";
        let sheet = admin.get(path).expect_status(200).bytes;
        let draft = run(&server, "sheet.xlsx", &filled(&sheet, &[("I5", "5")]), &[]);
        assert_eq!(said(&draft), "Done: new 0, changed 1, there already 0");
        assert_eq!(report.get("H2")["status"], "draft");
        let replaced = run(&server, "list.csv", b"unit,indicator,value\nH2,x,6\n", &["--submit", "--replace"]);
        assert_eq!(said(&replaced), "Done: new 0, changed 1, there already 0");
        assert_eq!(report.get("H2")["values"].as_array().unwrap().len(), 1);
        assert_eq!(report.verify("T")["equal"], true);
    }

    fn a_faulty_file_is_refused_with_its_name_and_every_place(backend) {
        let (server, _admin, report) = reporting(backend);
        let list = "unit,indicator,value\nH1,x,1\nH2,z,1\nH3,x,\"1,5\"\nH4,x,1,5\n";
        let refused = run(&server, "list.csv", list.as_bytes(), &["--submit"]);
        assert!(!refused.status.success());
        let told = String::from_utf8(refused.stderr).unwrap();
        let lines: Vec<&str> = told.lines().collect();
        assert_eq!(lines[0], "tonghop: nothing was written; 3 faults", "{told}");
        for (line, place) in lines[1..].iter().zip(["Line 3", "Line 4", "Line 5"]) {
            assert!(line.starts_with(&format!("list.csv: {place}")), "{told}");
        }
        assert_eq!(report.figure("T", "x"), format!("null 0/{}", HAMLETS + 1));
    }

    fn a_killed_import_has_entered_all_or_nothing_and_again_enters_the_rest(backend) {
        let (server, _admin, report) = reporting(backend);
        let list = list();
        let mut importing = start_with_line(&mut import(&server, "list.csv", list.as_bytes(), &["--submit"]), PASSWORD);
        sleep(Duration::from_millis(rand::rng().random_range(50..2_000)));
        importing.kill().unwrap();
        importing.wait().unwrap();
        let before = report.cell("T", "x")["reported"].as_u64().unwrap();
        let again = run(&server, "list.csv", list.as_bytes(), &["--submit"]);
        let expected = match before {
            0 => format!("Done: new {HAMLETS}, changed 0, there already 0"),
            _ => format!("Done: new 0, changed 0, there already {HAMLETS}"),
        };
        assert_eq!(said(&again), expected);
        let total = HAMLETS * (HAMLETS + 1) / 2;
        assert_eq!(report.figure("T", "x"), format!("{total} {HAMLETS}/{}", HAMLETS + 1));
        assert_eq!(report.get("H1")["revision"], 1);
        assert_eq!(report.verify("T")["equal"], true);
    }
}
