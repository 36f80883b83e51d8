//! Sheets and templates: what units get to fill in, and how a sheet reads that comes back.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Cursor;
use std::sync::Arc;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use rust_xlsxwriter::{Format, Workbook as Writer, Worksheet};
use serde_json::{Value, json};
use tonghop::domain::catalogue::Catalogue;
use tonghop::domain::form::Form;
use tonghop::domain::hierarchy::{Hierarchy, Tree};
use tonghop::domain::id::{FormNumber, IndicatorNumber, OptionNumber, UnitId};
use tonghop::domain::indicator::Indicator;
use tonghop::domain::quantity::{Decimal, Decimals, Qualifier};
use tonghop::domain::succession::Successions;
use tonghop::domain::unit::{BEGINNING, UnitFact, Validity};
use tonghop::domain::written::{Scale, read_written};
use tonghop::service::submission::sheet::{MadeFrom, ReadSheet, SheetOf, read_sheet};
use tonghop::spreadsheet::{Content, SheetVisibility, SpreadsheetFault, Workbook};

use crate::harness::report::{Reports, option, value};
use crate::harness::town::{Town, broken_down, form, indicator};
use crate::harness::{Backend, Client, Server};

/// The town with a monthly form `f` of hamlets and communes: `x`, `rate` with two decimals, and `docs`
/// with a closed breakdown.
pub(super) fn reporting(backend: Backend) -> (Server, Client, Reports) {
    let mut rate = indicator("average");
    rate["decimals"] = json!(2);
    rate["unit_of_measure"] = json!("%");
    let mut body = form(&["x", "rate", "docs"]);
    body["frequency"] = json!("month");
    Town::new(backend)
        .indicators(&[("x", "sum")])
        .indicator("rate", &rate)
        .indicator("docs", &broken_down(true, &["plan", "letter"]))
        .own_form("f", body)
        .build()
}

pub(super) fn path(unit: &str, what: &str) -> String {
    format!("/v1/forms/f/periods/2024-06/units/code:{unit}/{what}")
}

/// The cells of a workbook's sheet, by their places.
pub(super) fn cells_of(file: &[u8], wanted: SheetVisibility) -> BTreeMap<String, Content> {
    let mut workbook = Workbook::open(Cursor::new(file)).unwrap();
    let sheets = workbook.sheets().to_vec();
    let sheet = sheets.iter().find(|sheet| sheet.visibility == wanted);
    let mut rows = workbook.rows(sheet.unwrap()).unwrap();
    let mut cells = BTreeMap::new();
    while let Some(row) = rows.next_row().unwrap() {
        for cell in row.cells {
            cells.insert(format!("{}{}", cell.column, row.number), cell.content);
        }
    }
    cells
}

/// The rows below the headings: `A1 x 7 -`, with the period before and the value.
pub(super) fn rows_of(file: &[u8]) -> Vec<String> {
    let cells = cells_of(file, SheetVisibility::Shown);
    let shown = |column: &str, row: u32| {
        let cell = cells.get(&format!("{column}{row}"));
        cell.map_or_else(|| "-".to_owned(), Content::shown)
    };
    let rows = (5..).take_while(|row| cells.contains_key(&format!("A{row}")));
    rows.map(|row| {
        ["A", "C", "H", "I"]
            .map(|column| shown(column, row))
            .join(" ")
    })
    .collect()
}

fn sheet(client: &Client, unit: &str) -> Vec<u8> {
    client.get(&path(unit, "sheet")).expect_status(200).bytes
}

on_both_backends! {
    fn a_sheet_has_what_is_asked_of_a_unit_and_of_all_below_it(backend) {
        let (_server, admin, reports) = reporting(backend);
        reports.submit("A1", "2024-05", json!({"x": 7, "rate": 93.64, "docs/plan": 1, "docs/letter": 2}));
        reports.of("2024-06").submit("A2", &[value("x", 5), option("docs", "plan", 0), option("docs", "letter", 3)]);
        let file = sheet(&admin, "A");
        assert_eq!(rows_of(&file), [
            "A x - -", "A rate - -", "A docs[plan] - -", "A docs[letter] - -",
            "A1 x 7 -", "A1 rate 93.64 -", "A1 docs[plan] 1 -", "A1 docs[letter] 2 -",
            "A2 x - 5", "A2 rate - -", "A2 docs[plan] - 0", "A2 docs[letter] - 3",
        ]);
        let hidden = cells_of(&file, SheetVisibility::Hidden);
        let shown = |place: &str| hidden.get(place).map_or_else(String::new, Content::shown);
        assert_eq!([shown("B1"), shown("B2")], ["f", "2024-06"]);
        assert_eq!([shown("C3"), shown("C4"), shown("C5")], ["0", "0", "1"]);
        // A hamlet has its own figures only, and nobody enters for those that are not asked.
        assert_eq!(rows_of(&sheet(&admin, "A1")).len(), 4);
        assert_eq!(rows_of(&sheet(&admin, "T")).len(), 20);
    }

    fn a_sheet_is_the_same_file_until_something_changes(backend) {
        let (_server, admin, reports) = reporting(backend);
        let first = admin.get(&path("A", "sheet")).expect_status(200);
        let name = first.header("content-disposition").unwrap();
        assert_eq!(name, "attachment; filename=\"f-2024-06-A.xlsx\"");
        let again = admin.with("If-None-Match", first.etag()).get(&path("A", "sheet"));
        assert_eq!(again.status, 304);
        reports.submit("A1", "2024-06", json!({"x": 7, "docs/plan": 1, "docs/letter": 2}));
        let changed = admin.with("If-None-Match", first.etag()).get(&path("A", "sheet"));
        changed.expect_status(200);
    }

    fn a_template_has_the_fields_with_what_was_sent_before(backend) {
        let (_server, admin, reports) = reporting(backend);
        reports.submit("A1", "2024-05", json!({"x": 7, "docs/plan": 1, "docs/letter": 2}));
        let june = reports.of("2024-06");
        june.submit("A1", &[value("x", 8), option("docs", "plan", 1), option("docs", "letter", 2)]);
        june.give_back("A1", &json!({"reason": "Xem lại", "values": [{"indicator": "x", "reason": "Cao"}]}));
        let template = admin.get(&path("A1", "submission/template")).expect_status(200).json();
        assert_eq!(template["status"], "returned");
        assert_eq!(template["revision"], 2);
        assert_eq!(template["last_return"]["text"], "Xem lại");
        assert_eq!(template["last_return"]["values"][0]["reason"], "Cao");
        assert_eq!(template["previous_period"]["key"], "2024-05");
        let fields = template["fields"].as_array().unwrap();
        let told: Vec<String> = fields.iter().map(|field| {
            format!("{} {} {} {}", field["indicator"], field["option"], field["previous"]["value"], field["entered"]["value"])
        }).collect();
        assert_eq!(told, [
            "\"x\" null 7 8", "\"rate\" null null null", "\"docs\" \"plan\" 1 1", "\"docs\" \"letter\" 2 2",
        ]);
        let alone = admin.get(&path("A1", "submission/template?format=xlsx")).expect_status(200);
        assert_eq!(rows_of(&alone.bytes), [
            "A1 x 7 8", "A1 rate - -", "A1 docs[plan] 1 1", "A1 docs[letter] 2 2",
        ]);
        let xlsx = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
        let accepted = admin.with("Accept", xlsx).get(&path("A1", "submission/template"));
        assert_eq!(accepted.expect_status(200).bytes, alone.bytes);
    }

    fn who_is_not_asked_has_neither_sheet_nor_template(backend) {
        let (_server, admin, _reports) = reporting(backend);
        let mut body = form(&["x"]);
        body["submitted_by"] = json!(["commune"]);
        admin.put("/v1/forms/g", &body).expect_status(201);
        let path = |what: &str| format!("/v1/forms/g/periods/2024/units/code:A1/{what}");
        for what in ["sheet", "submission/template", "submission/template?format=xlsx"] {
            admin.get(&path(what)).expect_problem(422, "UNIT_DOES_NOT_SUBMIT");
        }
    }
}

#[test]
fn whatever_was_entered_is_in_the_sheet_as_it_is_read_again() {
    let (_server, admin, reports) = reporting(Backend::Sqlite);
    let june = reports.of("2024-06");
    let qualifiers = ["exact", "at_least", "at_most", "estimate"];
    let amounts = (
        any::<i64>(),
        -1_999_999..2_000_000_i64,
        0..4_usize,
        any::<bool>(),
    );
    let mut runner = TestRunner::new(Config::with_cases(24));
    runner
        .run(&amounts, |(large, small, qualifier, is_large)| {
            let mantissa = if is_large { large } else { small };
            let rate = Decimal::new(mantissa, 2);
            let mut sent = value("rate", rate.as_str());
            sent["qualifier"] = json!(qualifiers[qualifier]);
            june.put("A1", &json!({"values": [sent]}));
            let cells = cells_of(&sheet(&admin, "A1"), SheetVisibility::Shown);
            let scale = Scale {
                decimals: Decimals::new(2).unwrap(),
                unit_of_measure: "%",
            };
            let expected: Qualifier = serde_json::from_value(json!(qualifiers[qualifier])).unwrap();
            let read = match &cells["I6"] {
                Content::Number(number) => (number.clone(), Qualifier::Exact),
                Content::Text(text) => {
                    let read = read_written(text, scale).unwrap();
                    let number = Decimal::new(read.mantissa, 2);
                    (number.to_string(), read.qualifier)
                }
                other => panic!("{other:?}"),
            };
            prop_assert_eq!(read, (rate.to_string(), expected));
            Ok(())
        })
        .unwrap();
}

#[test]
fn no_text_of_a_sheet_can_be_read_as_a_formula() {
    let mut named = indicator("sum");
    named["name"] = json!({"vi": "=cmd|'/c calc'!A0", "en": "@SUM(A1)"});
    let town = Town::of(Backend::Sqlite, "T,=HYPERLINK(1),town,\nA,+1,commune,T\n");
    let (_server, admin, _reports) = town.indicator("x", &named).form("f", "month").build();
    let file = sheet(&admin, "T");
    for wanted in [SheetVisibility::Shown, SheetVisibility::Hidden] {
        for (place, content) in cells_of(&file, wanted) {
            assert!(
                matches!(content, Content::Text(_) | Content::Number(_)),
                "{place}"
            );
        }
    }
}

/// A form and units to read sheets for, without a server.
pub(super) struct World {
    catalogue: Catalogue,
    tree: Arc<Tree>,
}

impl World {
    /// The form `f` for 2024 of `x` (Dân số), and of `docs` (Văn bản) with the options `plan` and
    /// `letter`; two indicators are called Trùng. The units `001` and `A1`.
    pub(super) fn new() -> World {
        let indicator = |number: u32, code: &str, name: &str, breakdowns: Value| {
            let definition = json!({
                "name": {"vi": name, "en": null}, "unit_of_measure": "người", "decimals": 0,
                "measure": {"collected": {
                    "across_units": "sum", "across_time": "sum", "breakdowns": breakdowns,
                }},
            });
            let options = [("plan", 1), ("letter", 2)].into_iter();
            let options = options.filter(|_| breakdowns != json!([]));
            Indicator {
                number: IndicatorNumber::new(number),
                code: code.parse().unwrap(),
                options: options
                    .map(|(code, number)| (code.parse().unwrap(), OptionNumber::new(number)))
                    .collect(),
                versions: [(BEGINNING, serde_json::from_value(definition).unwrap())].into(),
            }
        };
        let breakdown = json!([{"code": "kind", "kind": "closed", "options": [
            {"code": "plan", "name": {"vi": "Kế hoạch"}}, {"code": "letter", "name": {"vi": "Công văn"}},
        ]}]);
        let items: Vec<Value> = ["x", "docs", "same.one", "same.two"]
            .iter()
            .map(|code| {
                json!({"indicator": code, "collected_at": null, "need": "optional", "show": "total"})
            })
            .collect();
        let form = json!({
            "name": {"vi": "Mẫu"}, "calendar": "civil", "frequency": "year",
            "submitted_by": ["hamlet"], "deadlines": {}, "late": "accept",
            "four_eyes": "not_required", "rules": [],
            "outline": [{"number": "I", "title": {"vi": "Mục"}, "narrative": "not_taken", "items": items, "sections": []}],
        });
        let catalogue = Catalogue::new(
            vec![
                indicator(1, "x", "Dân số", json!([])),
                indicator(2, "docs", "Văn bản", breakdown),
                indicator(3, "same.one", "Trùng", json!([])),
                indicator(4, "same.two", "Trùng", json!([])),
            ],
            vec![Form {
                number: FormNumber::new(1),
                code: "f".parse().unwrap(),
                versions: [(BEGINNING, serde_json::from_value(form).unwrap())].into(),
            }],
        );
        let facts = ["001", "A1"].map(|code| UnitFact {
            unit: UnitId::new(),
            validity: Validity::ALWAYS,
            code: code.parse().unwrap(),
            name: code.to_owned(),
            kind: None,
            level: "hamlet".parse().unwrap(),
            parent: None,
        });
        let hierarchy = Hierarchy::new(Vec::new(), facts.to_vec(), Successions::default());
        World {
            catalogue,
            tree: hierarchy.tree_on(BEGINNING),
        }
    }

    fn id(&self, code: &str) -> String {
        let place = self.tree.by_code(&code.parse().unwrap()).unwrap();
        place.unit().to_string()
    }

    fn try_read(&self, file: &[u8]) -> Result<ReadSheet, SpreadsheetFault> {
        let form = self.catalogue.form(&"f".parse().unwrap()).unwrap();
        let in_force = self
            .catalogue
            .in_force(form.period("2024".parse().unwrap()).unwrap());
        let asked = SheetOf {
            in_force: &in_force,
            tree: &self.tree,
        };
        read_sheet(Cursor::new(file), asked)
    }

    /// What a sheet says: `A1 x C2=5`, and its faults.
    pub(super) fn read(&self, file: &[u8]) -> (Vec<String>, Vec<String>) {
        let read = self.try_read(file).unwrap();
        let mut cells = Vec::new();
        for unit in &read.units {
            let code = &self.tree.by_id(unit.unit).unwrap().fact().code;
            for cell in &unit.cells {
                let option = cell.option.as_ref();
                let option = option.map_or_else(String::new, |option| format!("[{option}]"));
                let (indicator, place) = (&cell.indicator, &cell.place);
                cells.push(format!(
                    "{code} {indicator}{option} {place}={}",
                    cell.content.shown()
                ));
            }
        }
        let faults = read.faults.iter().map(|fault| fault.told().1.en);
        (cells, faults.collect())
    }
}

/// A workbook with one sheet, which is filled by `fill`.
fn made(fill: impl FnOnce(&mut Worksheet)) -> Vec<u8> {
    let mut writer = Writer::new();
    fill(writer.add_worksheet());
    writer.save_to_buffer().unwrap()
}

/// A workbook with one sheet of texts; what can be a number is one.
fn sheet_with(rows: &[&[&str]]) -> Vec<u8> {
    made(|sheet| write(sheet, rows))
}

fn write(sheet: &mut Worksheet, rows: &[&[&str]]) {
    for (row, cells) in rows.iter().enumerate() {
        for (column, text) in cells.iter().enumerate() {
            let (row, column) = (u32::try_from(row).unwrap(), u16::try_from(column).unwrap());
            match text.parse::<f64>() {
                _ if text.is_empty() => {}
                Ok(number) if !text.starts_with('0') || text.len() == 1 => {
                    sheet.write_number(row, column, number).unwrap();
                }
                _ => drop(sheet.write_string(row, column, *text).unwrap()),
            }
        }
    }
}

#[test]
fn columns_may_be_in_another_order_and_headings_in_either_language() {
    let world = World::new();
    let file = sheet_with(&[
        &["Bảng nhập"],
        &[],
        &["Số liệu", "ghi chú", "MÃ  ĐƠN VỊ", "Ma so lieu"],
        &["5", "x", "A1", "x"],
        &["trên 7", "", "001", "docs[plan]"],
        &["", "", "001", "docs[letter]"],
    ]);
    let (cells, faults) = world.read(&file);
    assert_eq!(cells, ["A1 x A4=5", "001 docs[plan] A5=trên 7"]);
    assert_eq!(faults, [""; 0]);
    let file = sheet_with(&[&["Unit code", "Figure code", "Value"], &["A1", "x", "5"]]);
    assert_eq!(world.read(&file).0, ["A1 x C2=5"]);
}

#[test]
fn without_codes_a_figure_is_found_by_its_names_if_they_are_of_one_alone() {
    let world = World::new();
    let file = sheet_with(&[
        &["Mã đơn vị", "Chỉ tiêu", "Phân tổ", "Số liệu"],
        &["A1", "dân số", "", "5"],
        &["A1", "Văn bản", "Công văn", "6"],
        &["A1", "Trùng", "", "7"],
        &["A1", "Khác", "", "8"],
        &["A1", "", "", "9"],
    ]);
    let (cells, faults) = world.read(&file);
    assert_eq!(cells, ["A1 x D2=5", "A1 docs[letter] D3=6"]);
    assert_eq!(
        faults,
        [
            "Cell B4 (sheet Sheet1): Several indicators are called Trùng. Write the figure code into the column of codes.",
            "Cell B5 (sheet Sheet1): Mẫu (f) has no figure Khác. Check the figure code.",
            "Cell B6 (sheet Sheet1): The row has a value, and neither a figure code nor an indicator. Write the figure code, or delete the row.",
        ]
    );
}

#[test]
fn every_fault_is_told_at_its_cell() {
    let world = World::new();
    let file = sheet_with(&[
        &["Mã đơn vị", "Mã số liệu", "Số liệu"],
        &["1", "x", "5"],
        &["B7", "x", "5"],
        &["", "x", "5"],
        &["A1", "y", "5"],
        &["A1", "docs[other]", "5"],
        &["A1", "x", "5"],
        &["A1", "x", "6"],
    ]);
    let (cells, faults) = world.read(&file);
    assert_eq!(cells, ["A1 x C7=5"]);
    let told: Vec<&str> = faults
        .iter()
        .map(|fault| fault.split_once(": ").unwrap().1)
        .collect();
    assert_eq!(
        told,
        [
            "No unit has the code 1, but one has 001: zeros at the beginning may have been lost. If this is the unit, make the cell a text and write 001.",
            "No unit has the code B7. Check the unit code.",
            "The row has no unit code. Write it, or delete the row.",
            "Mẫu (f) has no figure y. Check the figure code.",
            "Mẫu (f) has no figure docs[other]. Check the figure code.",
            "Dân số (x) of this unit stands in the cell C7 (sheet Sheet1) already. Leave one of the two out.",
        ]
    );
    let places: BTreeSet<&str> = faults
        .iter()
        .filter_map(|fault| fault.split(' ').nth(1))
        .collect();
    assert_eq!(places, ["A2", "A3", "A4", "B5", "B6", "C8"].into());
}

#[test]
fn a_renamed_heading_is_told_and_a_file_without_headings_too() {
    let world = World::new();
    let file = sheet_with(&[&["Mã đơn vị", "Mã số liệu", "Kết quả"], &["A1", "x", "5"]]);
    let (cells, faults) = world.read(&file);
    assert_eq!((cells.len(), faults.len()), (0, 1));
    assert!(faults[0].contains("lack the column Value"), "{faults:?}");
    let file = sheet_with(&[&["a", "b", "c"], &["A1", "x", "5"]]);
    let (_, faults) = world.read(&file);
    assert!(
        faults[0].starts_with("No sheet of the file has a row of headings"),
        "{faults:?}"
    );
}

#[test]
fn the_hidden_sheet_tells_a_stale_sheet_and_one_of_another_form_or_period() {
    let world = World::new();
    let file_of = |form: &str, period: &str, revision: &str| {
        let mut writer = Writer::new();
        let rows: [&[&str]; 2] = [&["Mã đơn vị", "Mã số liệu", "Số liệu"], &["A1", "x", "5"]];
        write(writer.add_worksheet(), &rows);
        let hidden = writer.add_worksheet().set_name("tonghop").unwrap();
        let id = world.id("A1");
        let rows = [
            ["form", form, ""],
            ["period", period, ""],
            ["unit", &id, revision],
        ];
        for (row, cells) in (0..).zip(rows) {
            for (column, text) in (0..).zip(cells) {
                hidden.write_string(row, column, text).unwrap();
            }
        }
        hidden.set_very_hidden(true);
        writer.save_to_buffer().unwrap()
    };
    let made_from = |revision: &str| {
        let read = world.try_read(&file_of("f", "2024", revision)).unwrap();
        read.units[0].made_from
    };
    assert_eq!(made_from("0"), MadeFrom::Nothing);
    assert!(matches!(made_from("3"), MadeFrom::Revision(revision) if revision.get() == 3));
    assert_eq!(made_from("x"), MadeFrom::Unknown);
    let (cells, faults) = world.read(&file_of("g", "2024", "0"));
    assert!(
        cells.is_empty() && faults[0].contains("made for the form g"),
        "{faults:?}"
    );
    let (cells, faults) = world.read(&file_of("f", "2023", "0"));
    assert!(
        cells.is_empty() && faults[0].contains("made for the period 2023"),
        "{faults:?}"
    );
}

#[test]
fn merged_values_are_refused_and_hidden_rows_are_read() {
    let world = World::new();
    let file = made(|sheet| {
        let rows: [&[&str]; 4] = [
            &["Mã đơn vị", "Mã số liệu", "Số liệu"],
            &["A1", "x", "5"],
            &["A1", "docs[plan]", ""],
            &["001", "x", "7"],
        ];
        write(sheet, &rows);
        sheet.merge_range(1, 2, 2, 2, "5", &Format::new()).unwrap();
        sheet.set_row_hidden(3).unwrap();
    });
    let (cells, faults) = world.read(&file);
    assert_eq!(cells, ["A1 x C2=5", "001 x C4=7"]);
    assert_eq!(faults.len(), 1);
    assert!(
        faults[0].starts_with("Cell C2 (sheet Sheet1): The cell is merged"),
        "{faults:?}"
    );
}
