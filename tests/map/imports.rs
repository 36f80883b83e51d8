//! `tonghop import`: what it shows before it writes, what it writes, and where it says that a fault
//! is.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use tonghop::store::DatabaseUrl;

use crate::harness::report::Report;
use crate::harness::server::PASSWORD;
use crate::harness::town::Town;
use crate::harness::{Backend, Server};

const HEADING: &str = "code,name,level,parent_code,kind\n";

/// What the command said: on standard output, on standard error, and whether it succeeded.
pub(super) struct Said {
    pub out: String,
    pub err: String,
    pub success: bool,
}

impl Said {
    /// The cells of the row of a table that begins with these.
    #[track_caller]
    pub fn row(&self, first: &str) -> Vec<String> {
        let cells = |line: &str| -> Vec<String> {
            let parts = line.split(['│', '┆']).map(str::trim);
            parts
                .filter(|cell| !cell.is_empty())
                .map(str::to_owned)
                .collect()
        };
        let mut rows = self.out.lines().map(cells);
        let found = rows.find(|row| row.len() > 1 && row[0] == first);
        found.unwrap_or_else(|| panic!("no row {first}: {}", self.out))
    }
}

pub(super) fn file(server: &Server, name: &str, content: &str) -> PathBuf {
    let path = server.database.directory.path().join(name);
    std::fs::write(&path, content).unwrap();
    path
}

pub(super) fn import(server: &Server, what: &str, arguments: &[&str]) -> Said {
    let url = match &server.database.server {
        DatabaseUrl::Sqlite { path } => format!("sqlite:{path}"),
        DatabaseUrl::Postgresql { url } => url.clone(),
    };
    let directory = server.database.directory.path();
    let mut child = Command::new(env!("CARGO_BIN_EXE_tonghop"))
        .args(["import", what, "--tenant", "test", "--login", "admin"])
        .args(arguments)
        .current_dir(directory)
        .env_clear()
        .env("DATABASE_URL", url)
        .env("TONGHOP_KEYS", directory.join("keys"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    writeln!(stdin, "{PASSWORD}").unwrap();
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    Said {
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
        success: output.status.success(),
    }
}

/// The town with figures of August, which the reform of July comes too late for.
fn town_with_figures(backend: Backend) -> (Server, crate::harness::Client) {
    let (server, admin, m) = Town::new(backend)
        .indicators(&[("x", "sum")])
        .form("m", "month")
        .build();
    for (unit, number) in [("A", 10), ("B", 4), ("A1", 3)] {
        m.submit(unit, "2025-08", json!({"x": number}));
    }
    server.create_account("test", "clerk", &["reporter@code:B"]);
    (server, admin)
}

fn merge() -> Value {
    let into = json!({"code": "A", "name": "Xã A", "level": "commune", "parent": "code:T"});
    json!({"effective": "2025-07-01", "legal_basis": "Nghị quyết 1", "steps": [
        {"op": "merge", "from": ["code:A", "code:B"], "into": into}]})
}

on_both_backends! {
    fn a_list_is_summed_up_by_level_and_then_added(backend) {
        let (server, admin) = Server::with_town(backend);
        file(&server, "more.csv", &format!("{HEADING}C,Xã C,commune,T,xã\nC1,Ấp C,hamlet,C,ấp\nC2,Ấp D,hamlet,C,ấp\nA,Xã A,commune,T,\n"));
        let checked = import(&server, "units", &["more.csv", "--dry-run"]);
        assert!(checked.success, "{}", checked.err);
        let rows = ["commune", "hamlet", "all"].map(|level| checked.row(level).remove(1));
        assert_eq!(rows, ["1", "2", "3"]);
        assert!(checked.out.ends_with("just as the list has them: 1\n"), "{}", checked.out);
        admin.get("/v1/units/code:C").expect_status(404);
        let done = import(&server, "units", &["more.csv"]);
        assert_eq!((done.success, done.row("all").remove(1)), (true, "3".to_owned()), "{}", done.err);
        assert!(done.out.ends_with("Done.\n"), "{}", done.out);
        admin.get("/v1/units/code:C2").expect_status(200);
        let again = import(&server, "units", &["more.csv", "--json"]);
        let answers: Vec<Value> = again.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!((&answers[0], &answers[1]["unchanged"]), (&json!({"created": [], "unchanged": 4, "warnings": []}), &json!(4)));
    }

    fn each_fault_of_a_list_is_told_with_its_line(backend) {
        let (server, admin) = Server::with_town(backend);
        // A spreadsheet counts the heading and the empty line.
        let list = format!("{HEADING}C,Xã C,commune,T,xã\n\nD,,commune,T,xã\nE,Xã E,commune,Q,xã\nC,Xã C,commune,T,xã\n");
        file(&server, "wrong.csv", &list);
        for arguments in [vec!["wrong.csv"], vec!["wrong.csv", "--dry-run", "--json"]] {
            let refused = import(&server, "units", &arguments);
            assert!(!refused.success);
            assert_eq!(refused.out, "");
            let mut lines: Vec<&str> = refused.err.lines().collect();
            assert_eq!(lines.remove(0), "tonghop: nothing was written; 3 faults");
            let places: Vec<&str> = lines.iter().map(|line| &line[..line.match_indices(": ").nth(1).unwrap().0]).collect();
            let expected = ["4, column name", "5, column parent_code", "6, column code"].map(|place| format!("wrong.csv: Line {place}"));
            assert_eq!(places, expected, "{}", refused.err);
        }
        admin.get("/v1/units/code:C").expect_status(404);
        file(&server, "columns.csv", "code,name\nC,Xã C\n");
        let refused = import(&server, "units", &["columns.csv"]);
        assert!(refused.err.contains("columns.csv: Line 1 lacks the columns level, parent_code. "), "{}", refused.err);
        // The same over HTTP, where the pointer goes on counting rows from 0.
        let problem = admin.with("Accept-Language", "en").post_csv("/v1/units/import", &list).expect_status(422).json();
        let faults: Vec<String> = problem["errors"].as_array().unwrap().iter()
            .map(|fault| format!("{} {}", fault["pointer"].as_str().unwrap(), &fault["detail"].as_str().unwrap()[..6])).collect();
        assert!(faults.contains(&"/2/parent_code Line 5".to_owned()), "{problem}");
        let vietnamese = admin.post_csv("/v1/units/import", &list).json();
        assert!(vietnamese["errors"][0]["detail"].as_str().unwrap().starts_with("Dòng "), "{vietnamese}");
    }

    fn a_reorganisation_is_summed_up_and_then_carried_out(backend) {
        let (server, admin) = town_with_figures(backend);
        file(&server, "merge.json", &merge().to_string());
        let shown = import(&server, "reorganisation", &["merge.json", "--dry-run"]);
        assert!(shown.success, "{}", shown.err);
        assert!(shown.out.starts_with("Nghị quyết 1, from 2025-07-01 on\n"), "{}", shown.out);
        // Opened, changed, closed.
        assert_eq!(shown.row("commune"), ["commune", "0", "0", "1"]);
        for line in [
            "Submissions of units that end: 1, of which 1 count",
            "  m 2025-08 Xã B (B) stays",
            "Grants on units that end: 1",
            "  clerk (clerk), reporter of Xã B (B): reaches nothing",
            "Units divided by known shares (sums are apportioned): 0",
        ] {
            assert!(shown.out.lines().any(|found| found == line), "{line}: {}", shown.out);
        }
        // Below the one town; the unit, sent of expected, and the sum, each before and after.
        assert_eq!(shown.row("Xã A"), ["Xã A", "2/3", "2/4", "13", "17"]);
        assert_eq!(shown.row("all"), ["all", "0", "1", "1"]);
        assert_eq!(admin.get("/v1/reorganisations").json()["items"], json!([]));
        let done = import(&server, "reorganisation", &["merge.json"]);
        assert!(done.success && done.out.contains("\nDone: /v1/reorganisations/"), "{} {}", done.out, done.err);
        assert_eq!(Report::of(&admin, "m", "2025-08").figure("A", "x"), "17 2/4");
        let again = import(&server, "reorganisation", &["merge.json"]);
        assert!(!again.success);
        assert!(again.err.contains("\nmerge.json: /steps/0/from/1: "), "{}", again.err);
    }

    fn each_fault_of_a_document_is_told_with_its_pointer(backend) {
        let (server, admin) = town_with_figures(backend);
        let mut wrong = merge();
        wrong["steps"][0]["from"] = json!(["code:Q", "code:R"]);
        file(&server, "wrong.json", &wrong.to_string());
        let refused = import(&server, "reorganisation", &["wrong.json"]);
        assert!(!refused.success);
        let faults: Vec<&str> = refused.err.lines().skip(1).collect();
        assert!(faults[0].starts_with("wrong.json: /steps/0/from/0: "), "{}", refused.err);
        assert!(faults[1].starts_with("wrong.json: /steps/0/from/1: "), "{}", refused.err);
        let shown = import(&server, "reorganisation", &["wrong.json", "--dry-run", "--json"]);
        let preview: Value = serde_json::from_str(&shown.out).unwrap();
        assert_eq!((shown.success, &preview["possible"]), (false, &json!(false)));
        assert_eq!(admin.get("/v1/reorganisations").json()["items"], json!([]));
    }

    fn each_fault_of_tables_is_told_with_its_file_and_line(backend) {
        let (server, admin) = town_with_figures(backend);
        let tables = ["mapping.csv", "--after", "after.csv", "--effective", "2025-07-01", "--legal-basis", "Nghị quyết 2"];
        let after = format!("{HEADING}T,Thị xã,town,,\nA,Xã A,commune,T,\nA1,Ấp Một,hamlet,A,\nA2,Ấp Hai,hamlet,A,\nB1,Ấp Ba,hamlet,A,\n");
        file(&server, "after.csv", &after);
        file(&server, "mapping.csv", "old_code,new_code\nA,A\nB,Z\nQ,A\nB1,Y\n");
        let refused = import(&server, "reorganisation", &tables);
        let told: Vec<&str> = refused.err.lines().collect();
        assert_eq!(told.len(), 3, "{}", refused.err);
        assert!(told[1].starts_with("mapping.csv: Line 3: The new code Z "), "{}", refused.err);
        assert!(told[2].starts_with("mapping.csv: Line 5: The new code Y "), "{}", refused.err);
        file(&server, "mapping.csv", "old_code,new_code\nA,A\n\nQ,A\nB,A\n");
        let refused = import(&server, "reorganisation", &tables);
        assert!(refused.err.lines().any(|line| line.starts_with("mapping.csv: Line 4: ")), "{}", refused.err);
        file(&server, "mapping.csv", "old_code,new_code\nA,A\nB,A\n");
        file(&server, "after.csv", &after.replace("B1,Ấp Ba,hamlet,A,", "B1,Ấp Ba,hamlet,A,\nB2,Ấp Tư,village,A,"));
        let refused = import(&server, "reorganisation", &tables);
        assert!(refused.err.lines().any(|line| line.starts_with("after.csv: Line 7: ")), "{}", refused.err);
        file(&server, "after.csv", &after);
        let done = import(&server, "reorganisation", &tables);
        assert!(done.success, "{}", done.err);
        assert_eq!(Report::of(&admin, "m", "2025-08").figure("A", "x"), "17 2/4");
    }

    fn a_unit_that_neither_table_names_is_a_fault_or_is_told(backend) {
        let (server, admin) = town_with_figures(backend);
        let tables = ["mapping.csv", "--after", "after.csv", "--effective", "2025-07-01", "--legal-basis", "Nghị quyết 3"];
        let kept: Vec<&str> = tables.into_iter().chain(["--keep-unlisted"]).collect();
        file(&server, "mapping.csv", "old_code,new_code\nA,A\nB,A\n");
        // The one unit above all others needs no line.
        file(&server, "after.csv", &format!("{HEADING}A,Xã A,commune,,\nA1,Ấp Một,hamlet,A,\n"));
        for arguments in [tables.to_vec(), tables.into_iter().chain(["--print"]).collect()] {
            let refused = import(&server, "reorganisation", &arguments);
            let told: Vec<&str> = refused.err.lines().skip(1).collect();
            assert_eq!((refused.success, told.len()), (false, 2), "{}", refused.err);
            assert!(told[0].starts_with("after.csv: Ấp Hai (A2, hamlet) stands and is in neither table."), "{}", refused.err);
            assert!(told[1].starts_with("after.csv: Ấp Ba (B1, hamlet) stands and is in neither table."), "{}", refused.err);
        }
        assert_eq!(admin.get("/v1/reorganisations").json()["items"], json!([]));
        let lines = ["Ấp Hai (A2, hamlet)", "Ấp Ba (B1, hamlet)"]
            .map(|unit| format!("Goes on, though neither table names it: {unit}"));
        let shown = import(&server, "reorganisation", &[&kept[..], &["--dry-run"]].concat());
        let told: Vec<&str> = shown.out.lines().filter(|line| line.starts_with("Goes on")).collect();
        assert_eq!((shown.success, told), (true, lines.each_ref().map(String::as_str).to_vec()), "{}", shown.err);
        // Standard output is JSON alone.
        let done = import(&server, "reorganisation", &[&kept[..], &["--json"]].concat());
        assert!(done.success, "{}", done.err);
        for line in done.out.lines() {
            serde_json::from_str::<Value>(line).unwrap();
        }
        assert!(lines.iter().all(|line| done.err.lines().any(|told| told == line)), "{}", done.err);
        for code in ["A2", "B1"] {
            admin.get(&format!("/v1/units/code:{code}?as_of=2025-07-01")).expect_status(200);
        }
    }

    fn tables_that_contradict_each_other_are_refused(backend) {
        let (server, admin) = town_with_figures(backend);
        let tables = ["mapping.csv", "--after", "after.csv", "--effective", "2025-07-01", "--legal-basis", "Nghị quyết 4"];
        file(&server, "mapping.csv", "old_code,new_code\nA,A\nB,A\nB1,\n");
        let after = "A,Xã A,commune,T,\nA1,Ấp Một,commune,T,\nA2,Ấp Hai,hamlet,A,\nA2,Ấp Tư,hamlet,A,\n\
            B,Xã B,commune,T,\nB1,Ấp Ba,hamlet,A,\n";
        file(&server, "after.csv", &format!("{HEADING}{after}"));
        let refused = import(&server, "reorganisation", &tables);
        let told: Vec<&str> = refused.err.lines().skip(1).collect();
        let expected = [
            "after.csv: Line 3: Ấp Một (A1) stands at the level hamlet, and the list has commune.",
            "after.csv: Line 5: The code A2 stands on line 4 already.",
            "after.csv: Line 6: The mapping has Xã B (B) end, and the list of units after has it.",
            "after.csv: Line 7: The mapping has Ấp Ba (B1) end, and the list of units after has it.",
        ];
        assert_eq!(told.len(), expected.len(), "{}", refused.err);
        for (told, expected) in told.iter().zip(expected) {
            assert!(told.starts_with(expected), "{}", refused.err);
        }
        assert_eq!(admin.get("/v1/reorganisations").json()["items"], json!([]));
    }

    fn what_a_spreadsheet_leaves_in_a_table_is_passed_over(backend) {
        let (server, admin) = town_with_figures(backend);
        let list = "code;name;level;parent_code;;;\n;;;;;;\nC;Xã C, mới;commune;T;;;\n;;;;;;\n";
        let done = admin.post_csv("/v1/units/import", list).expect_status(200).json();
        assert_eq!(done["created"], 1);
        assert_eq!(admin.get("/v1/units/code:C").json()["name"], "Xã C, mới");
        let list = "code\tname\tlevel\tparent_code\nC\tXã C, mới\tcommune\tT\n";
        assert_eq!(admin.post_csv("/v1/units/import", list).expect_status(200).json()["unchanged"], 1);
        // Commas too, in a list over HTTP and from a file.
        let list = "code,name,level,parent_code,,,\n,,,,,,\nC,\"Xã C, mới\",commune,T,,,\n,,,,,,\n";
        assert_eq!(admin.post_csv("/v1/units/import", list).expect_status(200).json()["unchanged"], 1);
        file(&server, "units.csv", list);
        let checked = import(&server, "units", &["units.csv"]);
        assert!(checked.success, "{}", checked.err);
        file(&server, "mapping.csv", "old_code,new_code,,\nA,A,,\nB,A,,\n,,,\n");
        file(&server, "after.csv", "code;name;level;parent_code;\nT;Thị xã;town;;\nA;Xã A;commune;T;\n;;;;\nC;Xã C, mới;commune;T;\nA1;Ấp Một;hamlet;A;\nA2;Ấp Hai;hamlet;A;\nB1;Ấp Ba;hamlet;A;\n");
        let tables = ["mapping.csv", "--after", "after.csv", "--effective", "2025-07-01", "--legal-basis", "Nghị quyết 2"];
        let done = import(&server, "reorganisation", &tables);
        assert!(done.success, "{}", done.err);
    }

    fn a_unit_above_that_is_missing_is_told_why(backend) {
        let (_server, admin) = Server::with_town(backend);
        let later = format!("{HEADING}L,Xã L,commune,T,xã\n");
        admin.post_csv("/v1/units/import?valid_from=2025-07-01", &later).expect_status(200);
        let list = format!("{HEADING}01,Tỉnh Một,province,,\nT1,Thị xã,town,1,\nX,Ấp X,hamlet,L,\nY,Xã Y,commune,Z,\nZ,Xã Z,commune,T,\nV,Ấp V,hamlet,Q,\n");
        let english = admin.with("Accept-Language", "en");
        let problem = english.post_csv("/v1/units/import", &list).expect_status(422).json();
        let told: Vec<&str> = problem["errors"].as_array().unwrap().iter().map(|fault| fault["detail"].as_str().unwrap()).collect();
        for (told, reason) in told.iter().zip([
            "Line 3, column parent_code: There is no unit above with the code 1, but there is 01. ",
            "Line 4, column parent_code: The unit above, Xã L (L), stands from 2025-07-01 on, and the list begins on 1900-01-01. ",
            "Line 5, column parent_code: The unit above, Z, stands in the list at the level commune, which is not above the level commune. ",
            "Line 7, column parent_code: There is no unit above with the code \"Q\", ",
        ]) {
            assert!(told.starts_with(reason), "{told} {reason}");
        }
        assert_eq!(told.len(), 4);
    }

    fn a_code_that_is_taken_is_told_what_differs(backend) {
        let (_server, admin) = Server::with_town(backend);
        let english = admin.with("Accept-Language", "en");
        let detail = |answer: crate::harness::client::Answer| {
            let problem = answer.expect_status(422).json();
            assert_eq!(problem["errors"][0]["code"], "CODE_TAKEN");
            problem["errors"][0]["detail"].as_str().unwrap().to_owned()
        };
        let list = format!("{HEADING}A1,Ấp Mới,hamlet,A,\n");
        let renamed = detail(english.post_csv("/v1/units/import", &list));
        assert!(renamed.contains("the name (it is \"Ấp Một\", entered \"Ấp Mới\")") && renamed.contains("rename"), "{renamed}");
        assert!(!renamed.contains("the kind") && !renamed.contains("the unit above;"), "{renamed}");
        let moved = json!({"code": "A1", "name": "Ấp Một", "level": "hamlet", "parent": "code:B", "kind": "ấp"});
        let moved = detail(english.post_json("/v1/units", &moved));
        assert!(moved.contains("the kind (it is \"\", entered \"ấp\"); the unit above."), "{moved}");
    }

    fn a_day_on_the_command_line_is_written_in_one_way(backend) {
        let (server, _admin) = Server::with_town(backend);
        file(&server, "more.csv", &format!("{HEADING}C,Xã C,commune,T,xã\n"));
        for day in ["26-1-2", " 2026-01-02", "+10000-01-01", "2200-01-01"] {
            let refused = import(&server, "units", &["more.csv", "--valid-from", day]);
            assert!(!refused.success && refused.err.contains("YYYY-MM-DD"), "{day} {}", refused.err);
        }
        let looks = format!("{HEADING}C,Xã C,commune,T,xã\nD,XÃ C,commune,T,xã\n");
        file(&server, "more.csv", &looks);
        let shown = import(&server, "units", &["more.csv", "--dry-run", "--valid-from", "2026-01-02"]);
        assert!(shown.out.contains("\nLook again: XÃ C (D) looks the same as Xã C (C) beside it."), "{}", shown.out);
    }
}
