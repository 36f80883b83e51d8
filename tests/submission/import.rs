//! Submissions of many units from one file: what is read, what is told, and that all or nothing is
//! entered.

use rust_xlsxwriter::{Format, Formula, Workbook};
use serde_json::{Value, json};

use crate::harness::report::{Report, option, value};
use crate::harness::town::{Town, broken_down};
use crate::harness::{Answer, Backend, Client, Server};

const HAMLETS: usize = 5;

fn units(hamlets: usize) -> String {
    let hamlets = (1..=hamlets).map(|number| format!("0{number},Ấp {number},hamlet,A\n"));
    let communes = "T,Thị xã,town,\nA,Xã A,commune,T\nB,Xã B,commune,T\nB1,Ấp B,hamlet,B\n";
    format!("{communes}{}", hamlets.collect::<String>())
}

/// A clerk of commune `A` with its hamlets `01` and on; `x` is whole, `rate` has two decimals, `docs`
/// has options.
struct World {
    server: Server,
    admin: Client,
    clerk: Client,
    report: Report,
}

impl World {
    fn new(backend: Backend, hamlets: usize) -> World {
        let rate = json!({"name": {"vi": "Tỷ lệ"}, "unit_of_measure": "%", "decimals": 2,
                          "across_units": "average", "across_time": "last"});
        let (server, admin, report) = Town::of(backend, &units(hamlets))
            .indicators(&[("x", "sum"), ("y", "sum")])
            .indicator("rate", &rate)
            .indicator("docs", &broken_down(false, &["plan", "letter"]))
            .form("f", "year")
            .build_for("2024");
        server.create_account("test", "clerk", &["reporter@code:A"]);
        let clerk = server.sign_in("test", "clerk");
        World {
            server,
            admin,
            clerk,
            report,
        }
    }

    fn import(&self, query: &str, list: &str) -> Answer {
        import(&self.clerk, query, list)
    }

    /// The rev of the last commit.
    fn rev(&self) -> i64 {
        let changes = self.admin.get("/v1/changes?limit=1000").json();
        let last = changes["items"].as_array().unwrap().last();
        last.unwrap()["rev"].as_i64().unwrap()
    }

    /// A unit's values as `indicator[/option] value`, with the qualifier if it is not exact.
    fn values(&self, unit: &str) -> Vec<String> {
        let submission = self.report.get(unit);
        let values = submission["values"].as_array().unwrap().iter();
        let told = values.map(|value| {
            let option = value["option"].as_str().map(|option| format!("/{option}"));
            let name = format!(
                "{}{}",
                value["indicator"].as_str().unwrap(),
                option.unwrap_or_default()
            );
            match value["qualifier"].as_str().unwrap() {
                "exact" => format!("{name} {}", value["value"]),
                other => format!("{name} {} {other}", value["value"]),
            }
        });
        told.collect()
    }
}

fn import(client: &Client, query: &str, list: &str) -> Answer {
    let path = format!("/v1/submissions/import?form=f&period=2024{query}");
    client.post_csv(&path, list)
}

/// What somebody entered into a cell of a sheet.
enum Filled {
    Text(&'static str),
    Number(f64),
    Percent(f64),
    Day(f64),
    Yes,
    /// A formula and the value that the program last showed.
    Computed(&'static str),
}

/// A sheet with a row for each value, as it comes back: the unit's code, the figure's code, what was
/// entered. `made_from` has the id and the revision of each unit of which it was made.
fn sheet(rows: &[(&str, &str, Filled)], made_from: &[(String, i32)]) -> Vec<u8> {
    let mut workbook = Workbook::new();
    let cells = workbook.add_worksheet().set_name("Nhập liệu").unwrap();
    for (column, heading) in (0..).zip(["Mã đơn vị", "Mã số liệu", "Số liệu"]) {
        cells.write_string(0, column, heading).unwrap();
    }
    for (row, (unit, figure, filled)) in (1..).zip(rows) {
        cells.write_string(row, 0, *unit).unwrap();
        cells.write_string(row, 1, *figure).unwrap();
        match filled {
            Filled::Text(text) => cells.write_string(row, 2, *text),
            Filled::Number(number) => cells.write_number(row, 2, *number),
            Filled::Percent(number) => {
                let format = Format::new().set_num_format("0.00%");
                cells.write_number_with_format(row, 2, *number, &format)
            }
            Filled::Day(number) => {
                let format = Format::new().set_num_format("dd/mm/yyyy");
                cells.write_number_with_format(row, 2, *number, &format)
            }
            Filled::Yes => cells.write_boolean(row, 2, true),
            Filled::Computed(value) => {
                cells.write_formula(row, 2, Formula::new("=1+1").set_result(*value))
            }
        }
        .unwrap();
    }
    let origin = workbook.add_worksheet().set_name("tonghop").unwrap();
    origin.set_hidden(true);
    for (row, (name, value)) in (0..).zip([("form", "f"), ("period", "2024")]) {
        origin.write_string(row, 0, name).unwrap();
        origin.write_string(row, 1, value).unwrap();
    }
    for (row, (unit, revision)) in (2..).zip(made_from) {
        origin.write_string(row, 0, "unit").unwrap();
        origin.write_string(row, 1, unit).unwrap();
        origin.write_number(row, 2, *revision).unwrap();
    }
    workbook.save_to_buffer().unwrap()
}

fn import_sheet(client: &Client, query: &str, sheet: &[u8]) -> Answer {
    let path = format!("/v1/submissions/import?form=f&period=2024{query}");
    let media_type = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
    client.send("POST", &path, Some(media_type), sheet)
}

/// The units of an answer as `row code effect status`.
fn told(answer: &Value) -> Vec<String> {
    let units = answer["units"].as_array().unwrap().iter();
    let told = units.map(|unit| {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        format!(
            "{} {} {} {}",
            unit["row"],
            text(&unit["unit"]["code"]),
            text(&unit["effect"]),
            text(&unit["status"])
        )
    });
    told.collect()
}

on_both_backends! {
    fn a_file_enters_units_as_single_calls_would_and_tells_what_it_did(backend) {
        let world = World::new(backend, HAMLETS);
        world.report.submit("02", &[value("x", 2), value("y", 7), option("docs", "plan", 1), value("docs", 5)]);
        world.report.submit("03", &[value("x", 3)]);
        let list = "\u{feff}indicator;unit;value;option;qualifier\n\
                    x;01;1.562.410;;\n\
                    rate;code:01;93,64;;\n\
                    docs;01;trên 12;;\n\
                    x;02;20;;at_most\n\
                    docs;02;3;plan;\n\
                    y;02;;;\n\
                    x;03;3;;\n\
                    x;A;xóa;;\n";
        let dry = world.import("&submit=true&dry_run=true", list).expect_status(200).json();
        assert_eq!(dry["rev"], Value::Null);
        assert_eq!(dry["dry_run"], true);
        assert_eq!(world.report.figure("T", "x"), "5 2/8");
        let before = world.rev();
        let done = world.import("&submit=true", list).expect_status(200).json();
        let expected = ["2 01 created submitted", "5 02 changed submitted", "8 03 left submitted", "9 A created submitted"];
        assert_eq!(told(&done), expected);
        assert_eq!(told(&dry), expected);
        assert_eq!([&done["created"], &done["changed"], &done["left"]], [2, 1, 1]);
        assert_eq!(done["rev"], before + 1);
        // The file's cells over what was there.
        assert_eq!(world.values("01"), ["x 1562410", "rate 93.64", "docs 12 at_least"]);
        assert_eq!(world.values("02"), ["x 20 at_most", "y 7", "docs 5", "docs/plan 3"]);
        assert_eq!(world.values("A"), [""; 0]);
        assert_eq!(world.report.get("03")["revision"], 1);
        assert_eq!(world.report.figure("T", "x"), "1562433 at_most 3/8");
        assert_eq!(world.report.verify("T")["equal"], true);
        // The totals above that the clerk may read, and how numbers were read.
        let totals = json!([{"unit": done["totals"][0]["unit"], "figures": [
            {"indicator": "x", "option": null, "before": 5, "after": 1_562_433},
            {"indicator": "rate", "option": null, "before": null, "after": done["totals"][0]["figures"][1]["after"]},
            {"indicator": "docs", "option": null, "before": 5, "after": 17},
            {"indicator": "docs", "option": "plan", "before": 1, "after": 3},
        ]}]);
        assert_eq!(done["totals"], totals);
        assert_eq!(done["totals"][0]["unit"]["code"], "A");
        assert_eq!(dry["totals"], done["totals"]);
        let numbers = done["numbers"].as_array().unwrap().iter();
        let numbers: Vec<String> = numbers
            .map(|number| format!("{} {} {} {}", number["row"], number["text"], number["value"], number["qualifier"]))
            .collect();
        assert_eq!(
            numbers,
            ["2 \"1.562.410\" 1562410 \"exact\"", "3 \"93,64\" 93.64 \"exact\"", "4 \"trên 12\" 12 \"at_least\""]
        );
        // One item of the feed each, and a receipt.
        let changes = world.admin.get(&format!("/v1/changes?limit=1000&after={before}")).json();
        assert_eq!(changes["items"].as_array().unwrap().len(), 3);
        let receipt = done["units"][1]["receipt"].as_str().unwrap();
        let receipt = world.clerk.get(&format!("/v1/receipts/{receipt}")).expect_status(200).json();
        assert_eq!(receipt["unit"]["code"], "02");
        // Sent again, everything is there already.
        let again = world.import("&submit=true", list).expect_status(200).json();
        assert_eq!(again["left"], 4);
        assert_eq!(again["rev"], Value::Null);
    }

    fn replacing_removes_what_the_file_does_not_name_of_its_units_alone(backend) {
        let world = World::new(backend, HAMLETS);
        for unit in ["01", "02"] {
            let body = json!({"values": [value("x", 1), value("y", 2)], "submit": true,
                              "narrative": [{"section": "I", "text": "Lời"}]});
            world.report.put(unit, &body).expect_status(201);
        }
        let done = world.import("&mode=replace&submit=true", "unit,indicator,value\n01,x,5\n").expect_status(200).json();
        assert_eq!(told(&done), ["2 01 changed submitted"]);
        assert_eq!(world.values("01"), ["x 5"]);
        assert_eq!(world.report.get("01")["narrative"][0]["text"], "Lời");
        assert_eq!(world.values("02"), ["x 1", "y 2"]);
        // Without being submitted it is a draft over what counts.
        let draft = world.import("", "unit,indicator,value\n01,y,9\n").expect_status(200).json();
        assert_eq!(told(&draft), ["2 01 changed draft"]);
        assert_eq!(world.report.figure("T", "x"), "6 2/8");
        let merged = world.import("&mode=merge&submit=true", "unit,indicator,value\n01,x,clear\n").expect_status(200).json();
        assert_eq!(told(&merged), ["2 01 changed submitted"]);
        assert_eq!(world.values("01"), ["y 9"]);
    }

    fn every_fault_is_found_at_its_cell_and_nothing_is_written(backend) {
        let world = World::new(backend, HAMLETS);
        world.report.submit("05", &[value("x", 5)]);
        world.report.step("05", "approve").expect_status(200);
        let before = world.rev();
        let list = "unit,indicator,option,value,qualifier\n\
                    01,x,,1,\n\
                    1,x,,1,\n\
                    nowhere,x,,1,\n\
                    B1,x,,1,\n\
                    ,x,,1,\n\
                    \n\
                    02,z,,1,\n\
                    02,,,1,\n\
                    02,docs,memo,1,\n\
                    02,x,,\"1,5\",\n\
                    02,rate,,1.562,\n\
                    02,x,,#REF!,\n\
                    03,x,,1,maybe\n\
                    03,x,,trên 1,at_most\n\
                    03,docs,plan,4,\n\
                    04,x,,1,\n\
                    04,x,,2,\n\
                    05,x,,6,\n\
                    A,docs,,1,\n\
                    A,docs,plan,2,\n";
        let refused = world.import("&submit=true", list);
        let sentences: Vec<String> = refused.json()["errors"].as_array().unwrap().iter()
            .map(|fault| fault["detail"].as_str().unwrap().to_owned()).collect();
        let faults = refused.expect_problem(422, "INVALID_SUBMISSION");
        let mut expected = [
            "/rows/3/unit UNKNOWN_UNIT",
            "/rows/4/unit UNKNOWN_UNIT",
            "/rows/5/unit NOT_ALLOWED",
            "/rows/6/unit MISSING_FIELD",
            "/rows/8/indicator UNKNOWN_INDICATOR",
            "/rows/9/indicator MISSING_FIELD",
            "/rows/10/option UNKNOWN_OPTION",
            "/rows/11/value TOO_MANY_DECIMALS",
            "/rows/12/value INVALID_NUMBER",
            "/rows/13/value INVALID_NUMBER",
            "/rows/14/qualifier INVALID_VALUE",
            "/rows/15/qualifier INVALID_VALUE",
            "/rows/18 DUPLICATE",
            "/rows/19/unit SUBMISSION_APPROVED",
            "/rows/20 OPTIONS_EXCEED_TOTAL",
        ];
        expected.sort_unstable();
        assert_eq!(faults, expected);
        let of_row = |row: &str| sentences.iter().find(|text| text.starts_with(&format!("Dòng {row}"))).unwrap();
        // A code without its zeros is a hint and no guess; a number of two readings has both.
        assert!(of_row("3, cột unit").contains("Nếu muốn ghi 01"), "{sentences:?}");
        assert!(of_row("12, cột value").contains("1562"), "{sentences:?}");
        assert_eq!(world.rev(), before);
        assert_eq!(world.report.figure("T", "x"), "5 1/8");
    }

    fn a_sheet_that_comes_back_is_entered_cell_by_cell(backend) {
        let world = World::new(backend, HAMLETS);
        world.report.submit("02", &[value("x", 2), value("y", 7)]);
        let filled = sheet(&[
            ("01", "x", Filled::Number(1_562_410.0)),
            ("01", "rate", Filled::Percent(0.9364)),
            ("01", "docs[plan]", Filled::Text("trên 3")),
            ("02", "x", Filled::Computed("20")),
            ("02", "y", Filled::Text("")),
            ("03", "x", Filled::Text("1.562")),
        ], &[]);
        let done = import_sheet(&world.clerk, "", &filled).expect_status(200).json();
        assert_eq!(told(&done), ["2 01 created draft", "5 02 changed draft", "7 03 created draft"]);
        assert_eq!(done["units"][0]["sheet"], "Nhập liệu");
        assert_eq!(world.values("01"), ["x 1562410", "rate 93.64", "docs/plan 3 at_least"]);
        assert_eq!(world.values("02"), ["x 20", "y 7"]);
        assert_eq!(world.values("03"), ["x 1562"]);
        let numbers = done["numbers"].as_array().unwrap().iter();
        let numbers: Vec<String> = numbers.map(|number| format!("{} {}", number["row"], number["text"])).collect();
        assert_eq!(numbers, ["4 \"trên 3\"", "5 \"20\"", "7 \"1.562\""]);
    }

    fn every_fault_of_a_sheet_is_found_at_its_cell(backend) {
        let world = World::new(backend, HAMLETS);
        world.report.submit("05", &[value("x", 5)]);
        let id = world.report.get("05")["unit"]["id"].as_str().unwrap().to_owned();
        let fresh = sheet(&[("05", "x", Filled::Number(6.0))], &[(id.clone(), 1)]);
        let before = world.rev();
        import_sheet(&world.clerk, "&submit=true&dry_run=true", &fresh).expect_status(200);
        assert_eq!(world.rev(), before);
        world.report.submit("05", &[value("x", 7)]);
        let before = world.rev();
        let filled = sheet(&[
            ("01", "x", Filled::Number(1.5)),
            ("01", "docs", Filled::Day(45_000.0)),
            ("02", "x", Filled::Percent(0.5)),
            ("02", "y", Filled::Yes),
            ("03", "rate", Filled::Text("1.562")),
            ("B1", "x", Filled::Number(1.0)),
            ("3", "x", Filled::Number(1.0)),
            ("04", "z", Filled::Number(1.0)),
            ("05", "x", Filled::Number(6.0)),
        ], &[(id, 1)]);
        let faults = import_sheet(&world.clerk, "&submit=true", &filled).expect_problem(422, "INVALID_SUBMISSION");
        assert_eq!(
            faults,
            [
                "/sheets/Nhập liệu/A8 UNKNOWN_UNIT",
                "/sheets/Nhập liệu/B9 UNKNOWN_INDICATOR",
                "/sheets/Nhập liệu/C10 PRECONDITION_FAILED",
                "/sheets/Nhập liệu/C2 TOO_MANY_DECIMALS",
                "/sheets/Nhập liệu/C3 INVALID_NUMBER",
                "/sheets/Nhập liệu/C4 INVALID_NUMBER",
                "/sheets/Nhập liệu/C5 INVALID_NUMBER",
                "/sheets/Nhập liệu/C6 INVALID_NUMBER",
                "/sheets/Nhập liệu/C7 NOT_ALLOWED",
            ]
        );
        assert_eq!(world.rev(), before);
        let other = b"PK\x03\x04 no workbook";
        import_sheet(&world.clerk, "", other).expect_problem(400, "MALFORMED_SPREADSHEET");
    }

    fn a_number_that_a_comma_cuts_is_refused_and_never_read_as_its_beginning(backend) {
        let world = World::new(backend, HAMLETS);
        let refused = world.import("&submit=true", "unit,indicator,value\n01,x,1\n02,rate,93,64\n");
        assert!(refused.text.contains("ngoài các cột của dòng tiêu đề: 64."), "{}", refused.text);
        assert_eq!(refused.expect_problem(422, "INVALID_SUBMISSION"), ["/rows/3 MALFORMED_CSV"]);
        world.import("", "unit,indicator,value\n01,x,1,,\n02,rate,\"93,64\"\n").expect_status(200);
        assert_eq!(world.values("02"), ["rate 93.64"]);
        world.import("", "unit;indicator;value\n03;rate;93,65\n").expect_status(200);
        assert_eq!(world.values("03"), ["rate 93.65"]);
    }

    fn nothing_is_entered_for_a_unit_whose_cells_are_all_empty(backend) {
        let world = World::new(backend, HAMLETS);
        world.report.submit("02", &[value("x", 2)]);
        let list = "unit,indicator,value\n01,x,\n01,y,\n02,x,\n03,x,3\n";
        for mode in ["merge", "replace"] {
            let query = format!("&submit=true&mode={mode}");
            let done = world.import(&query, list).expect_status(200).json();
            let told = told(&done);
            assert!(matches!(told.as_slice(), [one] if one.starts_with("5 03 ")), "{told:?}");
        }
        assert_eq!(world.values("02"), ["x 2"]);
        assert_eq!(world.report.figure("T", "x"), "5 2/8");
        let faults = world.import("", "unit,indicator,value\n01,x,\n").expect_problem(422, "INVALID_SUBMISSION");
        assert_eq!(faults, [" MALFORMED_CSV"]);
    }

    fn a_repeated_answer_is_for_those_alone_who_may_still_enter_for_each_unit(backend) {
        let world = World::new(backend, HAMLETS);
        let keyed = world.clerk.with("Idempotency-Key", "once");
        let list = "unit,indicator,value\n01,x,1\n02,x,2\n";
        let filled = sheet(&[("03", "x", Filled::Number(3.0))], &[]);
        let sheet_keyed = world.clerk.with("Idempotency-Key", "sheet");
        let first = import(&keyed, "&submit=true", list).expect_status(200);
        import_sheet(&sheet_keyed, "&submit=true", &filled).expect_status(200);
        let grants = json!([{"role": "reporter", "unit": "code:01"}]);
        let accounts = world.admin.get("/v1/accounts").json();
        let mut accounts = accounts["items"].as_array().unwrap().iter();
        let id = accounts.find(|account| account["login"] == "clerk").unwrap()["id"].as_str().unwrap();
        world.admin.with("If-Match", "*").put(&format!("/v1/accounts/{id}/grants"), &grants).expect_status(200);
        let faults = import(&keyed, "&submit=true", list).expect_problem(422, "INVALID_SUBMISSION");
        assert_eq!(faults, ["/rows/3/unit NOT_ALLOWED"]);
        let faults = import_sheet(&sheet_keyed, "&submit=true", &filled).expect_problem(422, "INVALID_SUBMISSION");
        assert_eq!(faults, ["/sheets/Nhập liệu/C2 NOT_ALLOWED"]);
        let grants = json!([{"role": "reporter", "unit": "code:A"}]);
        world.admin.with("If-Match", "*").put(&format!("/v1/accounts/{id}/grants"), &grants).expect_status(200);
        let again = import(&keyed, "&submit=true", list).expect_status(200);
        assert_eq!((again.text.as_str(), again.header("idempotency-replayed")), (first.text.as_str(), Some("true")));
    }

    fn a_file_that_is_no_list_is_refused_with_what_to_do(backend) {
        let world = World::new(backend, 1);
        for (list, faults) in [
            ("", " MALFORMED_CSV"),
            ("unit,indicator,value\n", " MALFORMED_CSV"),
            ("unit,indicator\n01,x\n", "/rows/1 MALFORMED_CSV"),
            ("unit,indicator,value,qualifer\n01,x,1,at_least\n", "/rows/1 MALFORMED_CSV"),
        ] {
            let refused = world.import("", list).expect_problem(422, "INVALID_SUBMISSION");
            assert_eq!(refused, [faults], "{list}");
        }
        let list = "unit,indicator,value\n01,x,1\n";
        let path = "/v1/submissions/import?period=2024";
        world.clerk.post_csv(&format!("{path}&form=g"), list).expect_problem(404, "FORM_NOT_FOUND");
        world.clerk.post_csv(path, list).expect_status(400);
        world.server.create_account("test", "reader", &["viewer@code:A"]);
        let reader = world.server.sign_in("test", "reader");
        import(&reader, "", list).expect_problem(403, "NOT_ALLOWED");
    }

    fn the_same_key_has_one_effect(backend) {
        let world = World::new(backend, 300);
        let rows = (1..=300).map(|number| format!("0{number},x,{number}\n"));
        let list = format!("unit,indicator,value\n{}", rows.collect::<String>());
        let keyed = world.clerk.with("Idempotency-Key", "sheet-1");
        let first = import(&keyed, "&submit=true", &list).expect_status(200);
        assert_eq!(first.json()["created"], 300);
        let before = world.rev();
        let again = import(&keyed, "&submit=true", &list).expect_status(200);
        assert_eq!(again.text, first.text);
        assert_eq!(again.header("idempotency-replayed"), Some("true"));
        import(&keyed, "", &list).expect_problem(422, "IDEMPOTENCY_KEY_REUSED");
        assert_eq!(world.rev(), before);
        assert_eq!(world.report.figure("T", "x"), "45150 300/303");
        assert_eq!(world.report.verify("T")["equal"], true);
        // One wrong row of the last chunk keeps all out.
        let wrong = list.replace(",x,", ",y,").replace("0300,y,300", "0300,rate,1.562");
        let faults = world.import("&submit=true", &wrong).expect_problem(422, "INVALID_SUBMISSION");
        assert_eq!(faults, ["/rows/301/value INVALID_NUMBER"]);
        assert_eq!(world.rev(), before);
    }
}
