//! Tables: each cell is the rollup's of its unit, a table of children, of a level or of everything below; in
//! one period or in several; as a document or as a file. What does not add up is said.

use std::io::{Cursor, Read};

use calamine::{Data, Range, Reader, Xlsx};
use serde_json::{Value, json};
use zip::ZipArchive;

use crate::harness::decree::{commune, merge, split};
use crate::harness::report::value;
use crate::harness::table::TableCheck;
use crate::harness::town::{Town, form, formula, indicator};
use crate::harness::{Answer, Backend, Client, Server};

const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

fn demo(backend: Backend) -> (Server, Client) {
    let server = Server::with_demo(backend);
    let admin = server.sign_in("mttq-an-giang", "admin@demo");
    (server, admin)
}

fn path(form: &str, unit: &str, query: &str) -> String {
    format!("/v1/forms/{form}/units/{unit}/table?{query}")
}

#[track_caller]
fn read(client: &Client, form: &str, unit: &str, query: &str) -> Value {
    client
        .get(&path(form, unit, query))
        .expect_status(200)
        .json()
}

fn check<'c>(client: &'c Client, form: &'c str, reading: &str) -> TableCheck<'c> {
    TableCheck {
        client,
        form,
        reading: reading.to_owned(),
    }
}

fn row<'t>(table: &'t Value, code: &str) -> &'t Value {
    let mut rows = table["rows"].as_array().unwrap().iter();
    let found = rows.find(|row| row["unit"]["code"] == code);
    found.unwrap_or_else(|| panic!("no row {code}: {table}"))
}

fn codes(table: &Value) -> Vec<&str> {
    let rows = table["rows"].as_array().unwrap().iter();
    rows.map(|row| row["unit"]["code"].as_str().unwrap())
        .collect()
}

/// The differences as `period unit reason`.
fn differences(table: &Value) -> Vec<String> {
    let all = table["differences"].as_array().unwrap().iter();
    let words = all.map(|difference| {
        let [period, reason] =
            ["period", "reason"].map(|field| difference[field].as_str().unwrap());
        format!(
            "{period} {} {reason}",
            difference["unit"]["code"].as_str().unwrap()
        )
    });
    words.collect()
}

/// The first sheet of a file.
fn sheet(bytes: &[u8]) -> Range<Data> {
    let mut book = Xlsx::new(Cursor::new(bytes.to_vec())).unwrap();
    book.worksheet_range_at(0).unwrap().unwrap()
}

/// The rows of a sheet below its headings, the total last.
fn rows_of_sheet(sheet: &Range<Data>) -> Vec<Vec<Data>> {
    let mut rows = sheet.rows();
    rows.find(|row| row[0] == Data::String("Mã đơn vị".to_owned()))
        .expect("headings");
    rows.skip(2).map(<[Data]>::to_vec).collect()
}

/// A file inside an XLSX file.
fn part(bytes: &[u8], name: &str) -> String {
    let mut archive = ZipArchive::new(Cursor::new(bytes.to_vec())).unwrap();
    let mut text = String::new();
    let mut part = archive.by_name(name).unwrap();
    part.read_to_string(&mut text).unwrap();
    text
}

fn csv_rows(answer: &Answer) -> Vec<Vec<String>> {
    let text = answer.text.trim_start_matches('\u{feff}');
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .from_reader(text.as_bytes());
    let rows = reader.records();
    rows.map(|row| row.unwrap().iter().map(str::to_owned).collect())
        .collect()
}

/// A cell of JSON as CSV has it.
fn plain(value: &Value) -> String {
    if value.is_null() {
        String::new()
    } else {
        value.to_string()
    }
}

on_both_backends! {
    fn each_cell_is_what_the_rollup_of_its_unit_shows(backend) {
        let (_server, admin) = demo(backend);
        for stage in ["", "&stage=approved"] {
            for rows in ["children", "subtree", "level:hamlet", "level:commune"] {
                let query = format!("period=2024&rows={rows}&include=previous,target");
                check(&admin, "mttq.annual", stage).expect_rollups("code:30388", &query);
            }
        }
        let query = "period=2024-Q4&rows=children&include=previous,target";
        check(&admin, "mttq.monthly", "").expect_rollups("code:89", query);
        let query = "period=2024&rows=children&include=previous,target";
        check(&admin, "mttq.annual", "&as_of=2025-07-01").expect_rollups("code:91", query);
        check(&admin, "mttq.monthly", "&as_of=2025-07-01").expect_rollups("code:91", "period=2024&rows=subtree");
    }

    fn twelve_months_of_all_children_are_one_request(backend) {
        let (_server, admin) = demo(backend);
        let indicators = admin.get("/v1/forms/mttq.monthly").expect_status(200).json();
        let first = indicators["outline"][0]["items"][0]["indicator"].as_str().unwrap().to_owned();
        let query = format!("from=2024-01&to=2024-12&indicator={first}&rows=children&include=previous");
        let table = check(&admin, "mttq.monthly", "").expect_rollups("code:30388", &query);
        let columns = table["columns"].as_array().unwrap();
        assert_eq!(columns.len(), 24);
        assert_eq!(columns[2]["period"]["key"], "2024-02");
        assert_eq!(columns[2]["period_name"], "tháng 2/2024");
        assert_eq!(columns[3]["period"]["key"], "2023-02");
        assert_eq!(columns[3]["measure"], "previous");
        // The year's map is not that of before the reform.
        let query = format!("from=2025-05&to=2025-08&indicator={first}&rows=children");
        check(&admin, "mttq.monthly", "").expect_rollups("code:91", &query);
        check(&admin, "mttq.monthly", "&as_of=2026-01-01").expect_rollups("code:91", &query);
    }

    fn a_commune_s_hamlets_stand_beside_the_year_before_and_who_has_reported(backend) {
        let (_server, admin) = demo(backend);
        let query = "period=2024&rows=children&indicators=fund.raised&include=previous,target,completeness";
        let table = read(&admin, "mttq.annual", "code:30388", query);
        let columns = table["columns"].as_array().unwrap();
        let measures: Vec<&Value> = columns.iter().map(|column| &column["measure"]).collect();
        assert_eq!(measures, ["value", "previous", "target"]);
        assert_eq!(columns[0]["unit_of_measure"], "đồng");
        assert_eq!(columns[0]["across_units"], "sum");
        let total = &table["total"];
        assert_eq!(total["values"], json!([1_562_410_000, 1_381_000_000, 1_600_000_000]));
        assert_eq!(total["reported"], json!([8, 8, 0]));
        assert_eq!(total["expected"], json!([8, 8, 0]));
        assert_eq!(table["rows"].as_array().unwrap().len(), 7);

        let progress = admin.get("/v1/forms/mttq.annual/periods/2024/units/code:30388/completeness");
        let progress = progress.expect_status(200).json();
        let children = progress["children"].as_array().unwrap().iter().map(|child| &child["total"]);
        let rows = table["rows"].as_array().unwrap().iter().chain([total]);
        for (row, expected) in rows.zip(children.chain([&progress["total"]])) {
            for field in ["expected", "submitted", "approved", "late"] {
                assert_eq!(row["completeness"][field], expected[field], "{}", row["unit"]);
            }
        }
        let without = read(&admin, "mttq.annual", "code:30388", "period=2024&indicators=fund.raised");
        assert_eq!(without["total"]["completeness"], Value::Null);
        assert_eq!(without["columns"].as_array().unwrap().len(), 1);
    }

    fn names_are_in_the_reader_s_language(backend) {
        let (_server, admin) = demo(backend);
        let query = path("mttq.annual", "code:30388", "period=2024&indicators=docs.issued,docs.issued[plan]");
        let vietnamese = admin.get(&query).expect_status(200);
        let english = admin.with("Accept-Language", "en").get(&query).expect_status(200);
        let name = |answer: &Answer, column: usize| answer.json()["columns"][column]["name"].clone();
        assert_ne!(name(&vietnamese, 0), name(&english, 0));
        assert!(name(&english, 1).as_str().unwrap().starts_with(name(&english, 0).as_str().unwrap()));
        assert_ne!(vietnamese.etag(), english.etag());
        let vary = vietnamese.headers.get_all("vary").iter();
        let vary: Vec<&str> = vary.map(|value| value.to_str().unwrap()).collect();
        assert!(vary.join(",").contains("Accept-Language"), "{vary:?}");
    }

    fn an_answer_that_a_reader_has_is_not_sent_again(backend) {
        let (_server, admin, report) = Town::new(backend).indicators(&[("x", "sum")]).form("m", "month").build_for("2024-01");
        report.submit("A1", &[value("x", 5)]);
        for format in ["json", "csv", "xlsx"] {
            let path = path("m", "code:T", &format!("period=2024-01&include=completeness&format={format}"));
            let first = admin.get(&path).expect_status(200);
            let again = admin.with("If-None-Match", first.etag()).get(&path);
            assert_eq!((again.status, again.bytes.len()), (304, 0), "{format}");
            assert_eq!(again.etag(), first.etag());
            // The same bytes, also when they are made anew.
            report.submit("B1", &[value("x", 1)]);
            let changed = admin.with("If-None-Match", first.etag()).get(&path).expect_status(200);
            assert_ne!(changed.etag(), first.etag());
            report.step("B1", "withdraw").expect_status(200);
            let back = admin.get(&path).expect_status(200);
            if format != "json" {
                assert_eq!(back.bytes, first.bytes, "{format}");
                assert_eq!(back.etag(), first.etag(), "{format}");
            }
        }
        let of = |format: &str| {
            let path = path("m", "code:T", &format!("period=2024-01&format={format}"));
            admin.get(&path).expect_status(200).etag().to_owned()
        };
        let tags = [of("json"), of("csv"), of("xlsx"), of("csv&bom=true")];
        for (number, tag) in tags.iter().enumerate() {
            assert!(!tags[..number].contains(tag));
        }
    }

    fn a_reader_sees_what_its_grants_cover_on_each_day(backend) {
        let units = "P,Tỉnh,province,\nT,Thị xã,town,P\nU,Huyện,town,P\nA,Xã A,commune,T\nB,Xã B,commune,U\n\
            A1,Ấp Một,hamlet,A\nB1,Ấp Ba,hamlet,B\n";
        let (server, admin, reports) = Town::of(backend, units).indicators(&[("x", "sum")]).form("m", "month").build();
        for month in ["2024-01", "2025-01"] {
            reports.submit("A1", month, json!({"x": 5}));
            reports.submit("B1", month, json!({"x": 3}));
        }
        admin.reorganise("2025-01-01", &json!([{"op": "move", "unit": "code:A", "parent": "code:U"}]));
        server.create_account("test", "u", &["viewer@code:U"]);
        server.create_account("test", "a1", &["reporter@code:A1"]);
        let viewer = server.sign_in("test", "u");
        let query = "period=2025-01&rows=children&include=previous";
        let own = check(&viewer, "m", "").expect_rollups("code:U", query);
        assert_eq!(row(&own, "A")["values"], json!([5, null]));
        assert_eq!(own["total"]["values"], json!([8, 3]));
        let all = check(&admin, "m", "").expect_rollups("code:U", query);
        assert_eq!(row(&all, "A")["values"], json!([5, 5]));
        // A was not below U a year before: its 5 of then are not in U's 3.
        assert_eq!(differences(&all), ["2024-01 A not_below"]);
        assert_eq!(all["adds_up"], false);
        viewer.get(&path("m", "code:P", "period=2025-01")).expect_problem(403, "NOT_ALLOWED");
        viewer.get(&path("m", "code:A1", "period=2024-01")).expect_problem(403, "NOT_ALLOWED");
        let hamlet = server.sign_in("test", "a1");
        hamlet.get(&path("m", "code:A1", "period=2025-01")).expect_status(200);
        hamlet.get(&path("m", "code:A", "period=2025-01")).expect_problem(403, "NOT_ALLOWED");
        server.anonymous().get(&path("m", "code:A", "period=2025-01")).expect_status(401);
    }

    fn a_table_says_where_its_total_is_not_the_sum_of_its_rows(backend) {
        let units = "P,Tỉnh,province,\nT,Thị xã,town,P\nA,Xã A,commune,T\nA1,Ấp Một,hamlet,A\nD,Xã D,commune,P\nD1,Ấp D,hamlet,D\n";
        let (_server, admin, reports) = Town::of(backend, units).indicators(&[("x", "sum")]).form("m", "month").build();
        reports.submit("A1", "2025-01", json!({"x": 1}));
        let adds_up = |rows: &str| {
            let table = check(&admin, "m", "").expect_rollups("code:P", &format!("period=2025-01&rows={rows}"));
            (table["adds_up"] == true, differences(&table), table)
        };
        assert!(adds_up("level:town").0);
        // A commune that has no town above it, and one with values of its own.
        reports.submit("D1", "2025-01", json!({"x": 10}));
        reports.submit("A", "2025-01", json!({"x": 100}));
        assert_eq!(adds_up("level:town").1, ["2025-01 D level_skipped"]);
        assert_eq!(adds_up("level:hamlet").1, ["2025-01 A own_values"]);
        assert_eq!(adds_up("children").1, Vec::<String>::new());
        assert_eq!(adds_up("level:commune").1, Vec::<String>::new());
        let (is_sum, none, table) = adds_up("subtree");
        assert_eq!((is_sum, none), (false, vec![]));
        assert_eq!(codes(&table), ["D", "D1", "T", "A", "A1"]);
        assert_eq!(table["total"]["values"], json!([111]));
    }

    fn an_undivided_part_is_a_row_of_its_own_or_is_said_to_be_missing(backend) {
        let units = "T,Thị xã,town,\nA,Xã A,commune,T\nB,Xã B,commune,T\n";
        let (_server, admin, reports) = Town::of(backend, units)
            .over_time(&[("x", "sum", "sum"), ("mean", "average", "average")])
            .form("m", "month")
            .build();
        reports.submit("A", "2025-01", json!({"x": 10, "mean": 4}));
        reports.submit("B", "2025-01", json!({"x": 3, "mean": 2}));
        let halves = [(commune("C", "T"), "1/2"), (commune("D", "T"), "1/2")];
        admin.reorganise("2025-07-01", &json!([split("A", &halves)]));
        let check = check(&admin, "m", "&as_of=2025-07-01");
        let children = check.expect_rollups("code:T", "period=2025-01&rows=children");
        let rows = children["rows"].as_array().unwrap();
        let last = rows.last().unwrap();
        assert_eq!((&last["unit"]["code"], &last["not_divided"]), (&json!("A"), &json!(true)));
        assert_eq!(row(&children, "C")["values"], json!([5, null]));
        assert_eq!(children["adds_up"], true);
        let level = check.expect_rollups("code:T", "period=2025-01&rows=level:commune");
        assert_eq!(codes(&level), ["B", "C", "D"]);
        assert_eq!(differences(&level), ["2025-01 A not_divided"]);
        assert_eq!(level["map"]["not_divided"][0]["unit"]["code"], "A");
        // As it was, nothing was divided yet.
        let before = read(&admin, "m", "code:T", "period=2025-01&rows=level:commune&as_of=2025-01-31");
        assert_eq!(codes(&before), ["A", "B"]);
    }

    fn a_merged_commune_s_row_has_the_figures_of_all_that_it_took_over(backend) {
        let (_server, admin, reports) = Town::new(backend).indicators(&[("x", "sum")]).form("m", "month").build();
        for (unit, number) in [("A1", 1), ("A2", 2), ("B1", 4)] {
            reports.submit(unit, "2025-01", json!({"x": number}));
        }
        admin.reorganise("2025-07-01", &json!([merge(&["A", "B"], &commune("N", "T"))]));
        reports.submit("A1", "2025-08", json!({"x": 8}));
        let query = "from=2025-01&to=2025-08&indicator=x&rows=children";
        let restated = check(&admin, "m", "&as_of=2025-08-31").expect_rollups("code:T", query);
        assert_eq!(codes(&restated), ["N"]);
        assert_eq!(row(&restated, "N")["values"][0], 7);
        assert_eq!(row(&restated, "N")["values"][7], 8);
        // Without it each month is as it was: N was not there in January.
        let as_it_was = check(&admin, "m", "").expect_rollups("code:T", query);
        assert_eq!(row(&as_it_was, "N")["values"][0], Value::Null);
        assert_eq!(as_it_was["total"]["values"][0], 7);
        assert_eq!(as_it_was["adds_up"], false);
        assert!(differences(&as_it_was).contains(&"2025-01 A level_skipped".to_owned()));
    }

    fn files_have_the_figures_of_the_document(backend) {
        let (_server, admin) = demo(backend);
        let query = "period=2024&rows=children&include=previous,target,completeness";
        let path = path("mttq.annual", "code:30388", query);
        let document = admin.get(&path).expect_status(200).json();
        let columns = document["columns"].as_array().unwrap();
        let rows: Vec<&Value> = document["rows"].as_array().unwrap().iter().chain([&document["total"]]).collect();

        let answer = admin.with("Accept", "text/csv").get(&path).expect_status(200);
        assert_eq!(answer.header("content-type"), Some("text/csv; charset=utf-8"));
        let disposition = answer.header("content-disposition").unwrap();
        assert_eq!(disposition, "attachment; filename=\"mttq.annual-2024-30388.csv\"");
        let lines = csv_rows(&answer);
        assert_eq!(lines.len(), rows.len() + 1);
        assert_eq!(lines[0][..5], ["Mã đơn vị", "Đơn vị", "Loại", "Mã cấp", "Dòng"]);
        for (line, row) in lines[1..].iter().zip(&rows) {
            let mut fields = line.iter();
            let mut next = || fields.next().unwrap().clone();
            for field in ["code", "name", "kind", "level"] {
                assert_eq!(next(), row["unit"][field].as_str().unwrap_or(""));
            }
            assert_eq!(next() == "toàn đơn vị", row["unit"] == document["unit"]);
            for field in ["expected", "submitted", "approved", "late"] {
                assert_eq!(next(), row["completeness"][field].to_string());
            }
            for (number, column) in columns.iter().enumerate() {
                assert_eq!(next(), plain(&row["values"][number]), "{column}");
                if column["measure"] != "target" {
                    let word = match row["qualifiers"][number].as_str().unwrap() {
                        "at_least" => "trên",
                        "at_most" => "dưới",
                        "estimate" => "ước",
                        _ => "",
                    };
                    assert_eq!(next(), word, "{column}");
                }
            }
            assert_eq!(fields.next(), None);
        }

        let answer = admin.get(&format!("{path}&format=xlsx")).expect_status(200);
        assert_eq!(answer.header("content-type"), Some(XLSX));
        let sheet = sheet(&answer.bytes);
        assert_eq!(sheet.get((0, 0)), Some(&Data::String(document["title"].as_str().unwrap().to_owned())));
        let lines = rows_of_sheet(&sheet);
        assert_eq!(lines.len(), rows.len());
        for (line, row) in lines.iter().zip(&rows) {
            assert_eq!(line[0], Data::String(row["unit"]["code"].as_str().unwrap().to_owned()));
            for (number, column) in columns.iter().enumerate() {
                let expected = match row["values"][number].as_f64() {
                    Some(number) => Data::Float(number),
                    None => Data::Empty,
                };
                assert_eq!(line[6 + number], expected, "{column}");
            }
        }
    }

    fn a_large_table_is_whole_and_one_that_is_too_large_is_refused(backend) {
        let hamlets: Vec<String> = (0..2100).map(|number| format!("H{number:04},Ấp {number},hamlet,C\n")).collect();
        let units = format!("T,Thị xã,town,\nC,Xã,commune,T\n{}", hamlets.concat());
        let (_server, admin, report) = Town::of(backend, &units).indicators(&[("x", "sum")]).form("m", "month").build_for("2024-01");
        for (unit, number) in [("H0000", 1), ("H0999", 2), ("H1000", 4), ("H2099", 8)] {
            report.submit(unit, &[value("x", number)]);
        }
        let table = read(&admin, "m", "code:C", "period=2024-01&include=completeness");
        let rows = table["rows"].as_array().unwrap();
        assert_eq!(rows.len(), 2100);
        let sum: i64 = rows.iter().filter_map(|row| row["values"][0].as_i64()).sum();
        assert_eq!((sum, &table["total"]["values"][0]), (15, &json!(15)));
        assert_eq!(row(&table, "H1000")["values"], json!([4]));
        assert_eq!(table["total"]["completeness"]["submitted"], 4);
        let query = "from=2005-01&to=2024-12&indicator=x&include=previous,target";
        let refused = admin.get(&path("m", "code:C", query)).expect_problem(400, "INVALID_PARAMETER");
        assert_eq!(refused, ["rows INVALID_PARAMETER"]);
    }

    fn exact_numbers_are_text_for_those_who_prefer_it(backend) {
        let (_server, admin, report) = Town::new(backend).indicators(&[("x", "sum")]).form("m", "month").build_for("2024-01");
        report.submit("A1", &[value("x", 9_007_199_254_740_993_i64)]);
        let path = path("m", "code:T", "period=2024-01");
        let text = admin.with("Prefer", "numbers=text").get(&path).expect_status(200);
        assert_eq!(text.json()["total"]["values"], json!(["9007199254740993"]));
        assert_eq!(text.json()["total"]["reported"], json!([1]));
    }
}

#[test]
fn a_file_shows_how_sure_a_figure_is_and_keeps_every_digit() {
    let mut decimal = indicator("sum");
    decimal["decimals"] = json!(2);
    let (_server, admin, report) = Town::new(Backend::Sqlite)
        .indicators(&[("x", "sum"), ("big", "sum")])
        .indicator("d", &decimal)
        .indicator("rate", &formula("100 * x / big", 2))
        .form("m", "month")
        .build_for("2024-01");
    let big = 1_234_567_890_123_456_789_i64;
    let mut inexact = value("x", 800);
    inexact["qualifier"] = json!("at_least");
    let mut about = value("d", json!(93.64));
    about["qualifier"] = json!("estimate");
    report.submit("A1", &[inexact, value("big", big), about]);
    let path = path("m", "code:T", "period=2024-01&rows=level:hamlet");
    let answer = admin.get(&format!("{path}&format=xlsx")).expect_status(200);
    let sheet = sheet(&answer.bytes);
    let rows = rows_of_sheet(&sheet);
    let [first, total] = [&rows[0], rows.last().unwrap()];
    for row in [first, total] {
        assert_eq!(row[2], Data::Float(800.0));
        assert_eq!(row[3], Data::String(big.to_string()));
        assert_eq!(row[4], Data::Float(93.64));
    }
    let note = "Số có hơn 15 chữ số được ghi dưới dạng văn bản";
    assert!(sheet.rows().any(|row| row[0].to_string().starts_with(note)));
    let styles = part(&answer.bytes, "xl/styles.xml");
    for format in ["&quot;trên &quot;#,##0\"", "&quot;ước &quot;#,##0.00\""] {
        assert!(styles.contains(format), "{format}: {styles}");
    }
    let written = part(&answer.bytes, "xl/worksheets/sheet1.xml");
    assert!(!written.contains("<f>"), "a formula");
    assert!(
        written.contains("state=\"frozen\""),
        "headings that go away"
    );

    let english = admin
        .with("Accept-Language", "en")
        .get(&format!("{path}&format=xlsx"));
    assert!(part(&english.bytes, "xl/styles.xml").contains("&quot;at least &quot;#,##0\""));
    let csv = admin
        .get(&format!("{path}&format=csv&bom=true"))
        .expect_status(200);
    assert!(csv.bytes.starts_with("\u{feff}".as_bytes()));
    let lines = csv_rows(&csv);
    let line = &lines[1];
    assert_eq!(
        line[5..11],
        ["800", "trên", &big.to_string(), "", "93.64", "ước"]
    );
    assert!(
        lines[0][5].contains("tháng 1/2024") && lines[0][5].contains("cái"),
        "{:?}",
        lines[0]
    );
}

#[test]
fn no_cell_of_a_file_can_be_read_as_a_formula() {
    let town = Town::of(
        Backend::Sqlite,
        "T,=cmd|' /C calc'!A0,town,\nA,\"=HYPERLINK(\"\"http://x\"\",\"\"y\"\")\",commune,T\nB,-2+3,commune,T\nC,\"Xã \"\"C\"\", a\",commune,T\n",
    );
    let mut evil = indicator("sum");
    evil["name"] = json!({"vi": "=1+1", "en": "@evil"});
    evil["unit_of_measure"] = json!("+cái");
    let (_server, admin, report) = town
        .indicator("x", &evil)
        .form("m", "month")
        .build_for("2024-01");
    report.submit("A", &[value("x", -5)]);
    let path = path("m", "code:T", "period=2024-01");
    let csv = admin.get(&format!("{path}&format=csv")).expect_status(200);
    for field in csv_rows(&csv).iter().flatten() {
        let is_number = field.parse::<i64>().is_ok();
        let is_formula = field.starts_with(['=', '+', '-', '@', '\t', '\r']);
        assert!(is_number || !is_formula, "{field}");
    }
    let rows = csv_rows(&csv);
    assert_eq!(rows[1][1], "'=HYPERLINK(\"http://x\",\"y\")");
    assert_eq!(rows[1][5], "-5");
    assert_eq!(rows[2][1], "'-2+3");
    assert_eq!(rows[3][1], "Xã \"C\", a");
    let xlsx = admin.get(&format!("{path}&format=xlsx")).expect_status(200);
    assert!(!part(&xlsx.bytes, "xl/worksheets/sheet1.xml").contains("<f>"));
    let lines = rows_of_sheet(&sheet(&xlsx.bytes));
    assert_eq!(
        lines[0][1],
        Data::String("=HYPERLINK(\"http://x\",\"y\")".to_owned())
    );
}

#[test]
fn what_is_asked_wrongly_is_said() {
    let (_server, admin) = Server::with_town(Backend::Sqlite);
    admin.add_indicators(&[("x", "sum")]);
    admin.put("/v1/forms/m", &{
        let mut body = form(&["x"]);
        body["frequency"] = json!("month");
        body
    });
    let get = |query: &str| admin.get(&path("m", "code:T", query));
    for (query, status, code, faults) in [
        (
            "period=2024-01&indicators=x,y",
            422,
            "UNKNOWN_INDICATOR",
            vec!["indicators UNKNOWN_INDICATOR"],
        ),
        (
            "period=2024-01&indicators=x[plan]",
            422,
            "UNKNOWN_INDICATOR",
            vec!["indicators UNKNOWN_INDICATOR"],
        ),
        (
            "from=2024-01&to=2024-02&indicator=y",
            422,
            "UNKNOWN_INDICATOR",
            vec!["indicator UNKNOWN_INDICATOR"],
        ),
        (
            "period=2024-01&rows=level:village",
            400,
            "INVALID_PARAMETER",
            vec!["rows INVALID_PARAMETER"],
        ),
        (
            "period=2024-01&rows=all",
            400,
            "INVALID_PARAMETER",
            vec!["rows INVALID_PARAMETER"],
        ),
        (
            "period=2024-01&include=plan",
            400,
            "INVALID_PARAMETER",
            vec!["include INVALID_PARAMETER"],
        ),
        (
            "period=2024-01&format=pdf",
            400,
            "INVALID_PARAMETER",
            vec!["format INVALID_PARAMETER"],
        ),
        (
            "from=2024-03&to=2024-02&indicator=x",
            400,
            "INVALID_PARAMETER",
            vec!["to INVALID_PARAMETER"],
        ),
        (
            "from=2024&to=2024-02&indicator=x",
            400,
            "INVALID_PARAMETER",
            vec!["to INVALID_PARAMETER"],
        ),
        (
            "period=2024-01&from=2024-01&to=2024-02&indicator=x",
            400,
            "INVALID_PARAMETER",
            vec![],
        ),
        ("from=2024-01&to=2024-02", 400, "INVALID_PARAMETER", vec![]),
        ("", 400, "INVALID_PARAMETER", vec![]),
        (
            "period=2024-13",
            404,
            "PERIOD_NOT_FOUND",
            vec!["period PERIOD_NOT_FOUND"],
        ),
        (
            "period=2024-02&as_of=2024-01-01",
            400,
            "INVALID_PARAMETER",
            vec!["as_of INVALID_PARAMETER"],
        ),
    ] {
        assert_eq!(get(query).expect_problem(status, code), faults, "{query}");
    }
    admin
        .get(&path("m", "code:Z", "period=2024-01"))
        .expect_problem(404, "UNIT_NOT_FOUND");
    admin
        .get(&path("no", "code:T", "period=2024-01"))
        .expect_problem(404, "FORM_NOT_FOUND");
}
