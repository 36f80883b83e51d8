//! Lists of units as the General Statistics Office gives them: what becomes of their rows over HTTP and
//! on the command line, from CSV and from workbooks, and what is refused.

use std::collections::BTreeMap;
use std::io::Write as _;

use rust_xlsxwriter::{Format, Workbook, Worksheet};
use serde_json::{Value, json};

use super::imports::{file, import};
use crate::harness::client::Answer;
use crate::harness::{Client, Server};

const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

/// All units of before July 2025: two provinces, a district without communes.
const ALL: &str = "\
Tỉnh Thành Phố,Mã TP,Quận Huyện,Mã QH,Phường Xã,Mã PX,Cấp,Tên Tiếng Anh
Thành phố Hà Nội,01,Quận Ba Đình,001,Phường Phúc Xá,00001,Phường,Phuc Xa Ward
Thành phố Hà Nội,01,Quận Ba Đình,001,Phường 1,00004,Phường,Ward 1
Thành phố Hà Nội,01,Thị xã Sơn Tây,269,Xã Đường Lâm,09604,Xã,
Tỉnh An Giang,89,Thị xã Tân Châu,887,Thị Trấn Óc Eo,30688,Thị trấn,
Tỉnh An Giang,89,Huyện Côn Đảo,755,,,Huyện,Con Dao District
";

/// What becomes of them: code, kind, name, level, code of the unit above.
const UNITS: [&str; 10] = [
    "00001 phường|Phúc Xá commune 001",
    "00004 phường|1 commune 001",
    "001 quận|Ba Đình town 01",
    "01 thành phố|Hà Nội province -",
    "09604 xã|Đường Lâm commune 269",
    "269 thị xã|Sơn Tây town 01",
    "30688 thị trấn|Óc Eo commune 887",
    "755 huyện|Côn Đảo town 89",
    "887 thị xã|Tân Châu town 89",
    "89 tỉnh|An Giang province -",
];

/// All units since July 2025.
const ALL_OF_TWO_LEVELS: &str = "\
Tỉnh Thành Phố,Mã TP,Phường Xã,Mã PX,Cấp,Tên Tiếng Anh
Thành phố Hà Nội,01,Phường Ba Đình,00004,Phường,
Tỉnh An Giang,91,Xã Tân An,30388,Xã,
Tỉnh An Giang,91,Đặc khu Phú Quốc,31078,Đặc khu,
";

const OF_TWO_LEVELS: [&str; 5] = [
    "00004 phường|Ba Đình commune 01",
    "01 thành phố|Hà Nội province -",
    "30388 xã|Tân An commune 91",
    "31078 đặc khu|Phú Quốc commune 91",
    "91 tỉnh|An Giang province -",
];

fn post(client: &Client, query: &str, list: &[u8]) -> Answer {
    let media_type = if list.starts_with(b"PK") {
        XLSX
    } else {
        "text/csv"
    };
    let path = format!("/v1/units/import{query}");
    client.send("POST", &path, Some(media_type), list)
}

/// All units of a day, in the order of their codes, as `code kind|name level parent`.
fn units(client: &Client, day: &str) -> Vec<String> {
    let (mut items, mut next) = (Vec::new(), String::new());
    loop {
        let path = format!("/v1/units?limit=1000&as_of={day}{next}");
        let page = client.get(&path).expect_status(200).json();
        items.extend(page["items"].as_array().unwrap().iter().cloned());
        match page["next"].as_str() {
            Some(cursor) => next = format!("&cursor={cursor}"),
            None => break,
        }
    }
    let text = |item: &Value, field: &str| item[field].as_str().unwrap_or("-").to_owned();
    let codes: BTreeMap<String, String> = items
        .iter()
        .map(|item| (text(item, "id"), text(item, "code")))
        .collect();
    let mut told: Vec<String> = items
        .iter()
        .map(|item| {
            let above = text(item, "parent");
            format!(
                "{} {}|{} {} {}",
                text(item, "code"),
                text(item, "kind"),
                text(item, "name"),
                text(item, "level"),
                codes.get(&above).unwrap_or(&above)
            )
        })
        .collect();
    told.sort();
    told
}

/// The faults of a refused list, as `pointer code` with the sentence of each.
fn faults(answer: Answer) -> Vec<(String, String)> {
    let problem = answer.json();
    let faults = problem["errors"].as_array().unwrap().iter();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    faults
        .map(|fault| {
            let place = format!("{} {}", text(&fault["pointer"]), text(&fault["code"]));
            (place, text(&fault["detail"]))
        })
        .collect()
}

/// Writes a list into a sheet; codes are texts.
fn write(sheet: &mut Worksheet, list: &str) {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .from_reader(list.as_bytes());
    for (row, record) in (0..).zip(reader.records()) {
        for (column, text) in (0..).zip(record.unwrap().iter()) {
            sheet.write_string(row, column, text).unwrap();
        }
    }
}

fn workbook(list: &str, change: impl FnOnce(&mut Workbook)) -> Vec<u8> {
    let mut workbook = Workbook::new();
    write(workbook.add_worksheet().set_name("Danh mục").unwrap(), list);
    change(&mut workbook);
    workbook.save_to_buffer().unwrap()
}

on_both_backends! {
    fn a_list_of_all_units_is_read_as_the_office_gives_it(backend) {
        let server = Server::with_tenant(backend);
        let admin = server.sign_in("test", "admin");
        let checked = post(&admin, "?dry_run=true", ALL.as_bytes()).expect_status(200).json();
        assert_eq!((&checked["created"], &checked["warnings"]), (&json!(10), &json!([])));
        assert_eq!(units(&admin, "2025-01-01"), [""; 0]);
        let done = post(&admin, "", ALL.as_bytes()).expect_status(200).json();
        assert_eq!((&done["created"], &done["unchanged"]), (&json!(10), &json!(0)));
        assert_eq!(units(&admin, "2025-01-01"), UNITS);
        // The marks and encodings of spreadsheet programs.
        let utf16: Vec<u8> = format!("\u{feff}{}", ALL.replace(',', "\t")).encode_utf16().flat_map(u16::to_le_bytes).collect();
        for same in [ALL.replace(',', ";").into_bytes(), format!("\u{feff}{ALL}").into_bytes(), utf16] {
            let again = post(&admin, "", &same).expect_status(200).json();
            assert_eq!((&again["created"], &again["unchanged"]), (&json!(0), &json!(10)));
        }
    }

    fn lists_of_one_level_give_the_same_units(backend) {
        let server = Server::with_tenant(backend);
        let admin = server.sign_in("test", "admin");
        let provinces = "Mã,Tên,Tên Tiếng Anh,Cấp\n01,Thành phố Hà Nội,Ha Noi,Thành phố Trung ương\n89,An Giang,,Tỉnh\n";
        let districts = "Mã,Tên,Tên Tiếng Anh,Cấp,Mã TP,Tỉnh / Thành Phố\n001,Quận Ba Đình,,Quận,01,Thành phố Hà Nội\n\
            269,Sơn Tây,,Thị xã,01,Thành phố Hà Nội\n755,Huyện Côn Đảo,,Huyện,89,Tỉnh An Giang\n887,Thị xã Tân Châu,,Thị xã,89,Tỉnh An Giang\n";
        let communes = "Mã,Tên,Tên Tiếng Anh,Cấp,Mã QH,Quận Huyện,Mã TP,Tỉnh / Thành Phố\n\
            00001,Phường Phúc Xá,,Phường,001,Quận Ba Đình,01,Thành phố Hà Nội\n00004,Phường 1,,,001,Quận Ba Đình,01,Thành phố Hà Nội\n\
            09604,Đường Lâm,,Xã,269,Thị xã Sơn Tây,01,Thành phố Hà Nội\n30688,Thị trấn Óc Eo,,Thị trấn,887,Thị xã Tân Châu,89,Tỉnh An Giang\n";
        let english = admin.with("Accept-Language", "en");
        let early = faults(post(&english, "", districts.as_bytes()).expect_status(422));
        assert_eq!(early.len(), 4, "{early:?}");
        assert_eq!(early[0].0, "/0/Mã TP UNKNOWN_UNIT");
        assert!(early[0].1.starts_with("Line 2, column Mã TP: There is no unit above with the code \"01\". Import the statistics office's list of the level above first"), "{early:?}");
        for list in [provinces, districts, communes] {
            post(&admin, "", list.as_bytes()).expect_status(200);
        }
        assert_eq!(units(&admin, "2025-01-01"), UNITS);
        let all = post(&admin, "", ALL.as_bytes()).expect_status(200).json();
        assert_eq!(all["unchanged"], 10);
    }

    fn since_july_2025_communes_lie_below_provinces(backend) {
        let server = Server::with_tenant(backend);
        let admin = server.sign_in("test", "admin");
        let step = json!({"op": "abolish_level", "level": "town"});
        let decree = json!({"effective": "2025-07-01", "legal_basis": "NQ 203", "steps": [step]});
        admin.post_json("/v1/reorganisations", &decree).expect_status(201);
        // No town on this day.
        let refused = faults(post(&admin, "?valid_from=2025-07-01", ALL.as_bytes()).expect_status(422));
        assert_eq!(refused[0].0, "/0/Cấp UNKNOWN_LEVEL", "{refused:?}");
        let done = post(&admin, "?valid_from=2025-07-01", ALL_OF_TWO_LEVELS.as_bytes()).expect_status(200);
        assert_eq!(done.json()["created"], 5);
        assert_eq!(units(&admin, "2025-07-01"), OF_TWO_LEVELS);
        let empty = ALL_OF_TWO_LEVELS.replace(",Phường Xã,", ",Quận Huyện,Mã QH,Phường Xã,").replace(",01,", ",01,,,").replace(",91,", ",91,,,");
        let communes = "Mã,Tên,Tên Tiếng Anh,Cấp,Mã TP,Tỉnh / Thành Phố\n00004,Phường Ba Đình,,Phường,01,Hà Nội\n\
            30388,Tân An,,Xã,91,Tỉnh An Giang\n31078,Đặc khu Phú Quốc,,Đặc khu,91,Tỉnh An Giang\n";
        for (same, unchanged) in [(empty.as_str(), 5), (communes, 3)] {
            let again = post(&admin, "?valid_from=2025-07-01", same.as_bytes()).expect_status(200).json();
            assert_eq!((&again["created"], &again["unchanged"]), (&json!(0), &json!(unchanged)), "{same}");
        }
    }

    fn codes_that_lost_their_zeros_are_refused_with_the_cure(backend) {
        let server = Server::with_tenant(backend);
        let admin = server.sign_in("test", "admin");
        let list = ALL.replace(",01,", ",1,").replace(",00001,", ",1,").replace(",001,", ",1,");
        let english = admin.with("Accept-Language", "en");
        let refused = faults(post(&english, "", list.as_bytes()).expect_status(422));
        let places: Vec<&str> = refused.iter().map(|(place, _)| place.as_str()).collect();
        assert_eq!(places, ["/0/Mã TP INVALID_CODE", "/0/Mã QH INVALID_CODE", "/0/Mã PX INVALID_CODE"]);
        assert!(refused[0].1.starts_with("Line 2, column Mã TP: The statistics office writes the code of a province with 2 digits, and here it is \"1\". Spreadsheets drop zeros"), "{refused:?}");
        let vietnamese = faults(post(&admin, "", list.as_bytes()));
        assert!(vietnamese[2].1.starts_with("Dòng 2, cột Mã PX: Cơ quan thống kê ghi mã phường, xã bằng 5 chữ số, còn ở đây là \"1\"."), "{vietnamese:?}");
        let districts = "Mã,Tên,Cấp,Mã TP\n1,Quận Ba Đình,Quận,1\n";
        let refused = faults(post(&admin, "", districts.as_bytes()).expect_status(422));
        let places: Vec<&str> = refused.iter().map(|(place, _)| place.as_str()).collect();
        assert_eq!(places, ["/0/Mã TP INVALID_CODE", "/0/Mã INVALID_CODE"]);
        assert_eq!(units(&admin, "2025-01-01"), [""; 0]);
    }

    fn rows_that_contradict_each_other_or_lack_something_are_told(backend) {
        let server = Server::with_tenant(backend);
        let admin = server.sign_in("test", "admin");
        let english = admin.with("Accept-Language", "en");
        let told = |list: &str| {
            let answer = post(&english, "", list.as_bytes());
            assert!([400, 422].contains(&answer.status), "{}", answer.text);
            faults(answer)
        };
        let list = ALL.replace("Thành phố Hà Nội,01,Thị xã Sơn Tây", "Hà Nội,01,Thị xã Sơn Tây");
        let other_name = told(&list);
        assert_eq!(other_name.len(), 1, "{other_name:?}");
        assert!(other_name[0].1.starts_with("Line 4, column Tỉnh Thành Phố: The code \"01\" has the name \"Thành phố Hà Nội\" on line 2, and here \"Hà Nội\". "), "{other_name:?}");
        let list = ALL.replace("Quận Ba Đình,001,Phường 1", "Thị xã Tân Châu,887,Phường 1");
        let other_parent = told(&list);
        assert!(other_parent[0].1.starts_with("Line 5, column Mã TP: The unit \"887\" stands below \"01\" on line 3, and here below \"89\". "), "{other_parent:?}");
        let twice = told(&ALL.replace("00004", "00001"));
        assert!(twice[0].1.starts_with("Line 3, column Mã PX: The code 00001 stands on two lines. "), "{twice:?}");
        let unnamed = told(&ALL.replace("Phường Phúc Xá", ""));
        assert!(unnamed[0].1.starts_with("Line 2, column Phường Xã: "), "{unnamed:?}");
        let no_kind = told("Mã,Tên,Cấp,Mã TP\n001,Ba Đình,,01\n");
        assert!(no_kind[0].1.starts_with("Line 2, column Cấp: Neither Cấp nor Tên says whether the unit is a district or a commune. "), "{no_kind:?}");
        let no_column = told("Mã,Tên,Mã TP\n001,Ba Đình,01\n");
        assert!(no_column[0].1.starts_with("Line 1 lacks the columns Cấp. "), "{no_column:?}");
        let no_row = told("Mã,Tên,Cấp\n");
        assert!(no_row[0].1.starts_with("The list has no rows below its headings. "), "{no_row:?}");
        assert_eq!(units(&admin, "2025-01-01"), [""; 0]);
    }

    fn a_workbook_is_read_like_a_text(backend) {
        let server = Server::with_tenant(backend);
        let admin = server.sign_in("test", "admin");
        let plain = workbook(ALL, |_| {});
        let done = post(&admin, "", &plain).expect_status(200).json();
        assert_eq!(done["created"], 10);
        assert_eq!(units(&admin, "2025-01-01"), UNITS);
        let is_same = |file: &[u8]| {
            let again = post(&admin, "", file).expect_status(200).json();
            assert_eq!((&again["created"], &again["unchanged"]), (&json!(0), &json!(10)));
        };
        // Hidden rows are rows; a hidden sheet and an empty one are no lists.
        is_same(&workbook(ALL, |workbook| {
            workbook.worksheet_from_index(0).unwrap().set_row_hidden(3).unwrap();
            workbook.add_worksheet().set_hidden(true).write_string(0, 0, "ghi chú").unwrap();
            workbook.add_worksheet();
        }));
        let english = admin.with("Accept-Language", "en");
        let refused = |file: &[u8]| {
            let problem = post(&english, "", file).expect_status(400).json();
            assert_eq!(problem["code"], "MALFORMED_SPREADSHEET");
            problem["detail"].as_str().unwrap().to_owned()
        };
        let two = refused(&workbook(ALL, |workbook| {
            workbook.add_worksheet().set_name("Ghi chú").unwrap().write_string(0, 0, "x").unwrap();
        }));
        assert!(two.starts_with("The sheets \"Danh mục\" and \"Ghi chú\" both have cells"), "{two}");
        let merged = refused(&workbook(ALL, |workbook| {
            let sheet = workbook.worksheet_from_index(0).unwrap();
            sheet.merge_range(1, 0, 3, 0, "Thành phố Hà Nội", &Format::new()).unwrap();
        }));
        assert!(merged.starts_with("Cells are merged from A2 on"), "{merged}");
        let broken = refused(&workbook(ALL, |workbook| {
            let sheet = workbook.worksheet_from_index(0).unwrap();
            let formula = rust_xlsxwriter::Formula::new("=A99").set_result("#REF!");
            sheet.write_formula(2, 5, formula).unwrap();
        }));
        assert!(broken.starts_with("The cell F3 shows an error"), "{broken}");
        // As a number, a code has lost its zeros.
        let numbers = workbook(ALL, |workbook| {
            let sheet = workbook.worksheet_from_index(0).unwrap();
            sheet.write_number(1, 5, 1.0).unwrap();
            sheet.write_number(5, 3, 755.0).unwrap();
        });
        let lost = faults(post(&admin, "", &numbers).expect_status(422));
        assert_eq!(lost.iter().map(|(place, _)| place.as_str()).collect::<Vec<_>>(), ["/0/Mã PX INVALID_CODE"]);
    }

    fn the_command_line_reads_the_same_lists(backend) {
        let server = Server::with_tenant(backend);
        let admin = server.sign_in("test", "admin");
        let lost = ALL.replace(",00001,", ",1,");
        file(&server, "lost.csv", &lost);
        let refused = import(&server, "units", &["lost.csv"]);
        assert!(!refused.success && refused.err.contains("lost.csv: Line 2, column Mã PX: The statistics office writes"), "{}", refused.err);
        let path = server.database.directory.path().join("all.xlsx");
        std::fs::write(path, workbook(ALL, |_| {})).unwrap();
        let done = import(&server, "units", &["all.xlsx", "--country", "Việt Nam"]);
        assert!(done.success, "{}", done.err);
        let rows = ["country", "province", "town", "commune", "all"].map(|level| done.row(level).remove(1));
        assert_eq!(rows, ["1", "2", "4", "4", "11"]);
        let below_country = UNITS.map(|unit| unit.replace("province -", "province VN"));
        assert_eq!(units(&admin, "2025-01-01")[..10], below_country);
        // A list with this service's own columns is read from a workbook too.
        let own = "code,name,level,parent_code,kind\n00001-01,Một,hamlet,00001,tổ\n";
        let path = server.database.directory.path().join("own.xlsx");
        std::fs::write(path, workbook(own, |_| {})).unwrap();
        let done = import(&server, "units", &["own.xlsx"]);
        assert!(done.success, "{}", done.err);
        admin.get("/v1/units/code:00001-01").expect_status(200);
    }

    fn the_country_is_the_same_from_each_of_the_offices_lists(backend) {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/data/units_2024.csv");
        let Ok(list) = std::fs::read_to_string(path) else {
            let _ = writeln!(std::io::stderr(), "the real list is not there: nothing was tried");
            return;
        };
        let country = Country::read(&list);
        assert_eq!(country.units.len(), 10_794);
        let server = Server::with_tenant(backend);
        let admin = server.sign_in("test", "admin");
        file(&server, "all.csv", &country.all());
        let done = import(&server, "units", &["all.csv"]);
        assert!(done.success, "{}", done.err);
        assert_eq!(done.row("all").remove(1), "10794");
        assert_eq!(units(&admin, "2025-01-01"), country.expected());
        let [provinces, districts, communes] = country.levels();
        for (name, list, unchanged) in [
            ("plain.csv", country.plain(), 10_794),
            ("provinces.csv", provinces, 63),
            ("districts.csv", districts, 696),
            ("communes.csv", communes, 10_035),
        ] {
            file(&server, name, &list);
            let again = import(&server, "units", &[name, "--dry-run", "--json"]);
            assert!(again.success, "{}", again.err);
            let again: Value = serde_json::from_str(again.out.lines().next().unwrap()).unwrap();
            assert_eq!((&again["created"], &again["unchanged"]), (&json!([]), &json!(unchanged)), "{name}");
        }
    }
}

/// A unit of the real list.
struct Unit {
    code: String,
    /// With the kind.
    full_name: String,
    kind: String,
    name: String,
    level: String,
    parent: String,
}

/// The real list, and the shapes of it.
struct Country {
    units: Vec<Unit>,
}

const KINDS: [&str; 9] = [
    "thành phố",
    "thị xã",
    "thị trấn",
    "đặc khu",
    "tỉnh",
    "quận",
    "huyện",
    "phường",
    "xã",
];

impl Country {
    fn read(list: &str) -> Country {
        let mut reader = csv::Reader::from_reader(list.as_bytes());
        let units = reader.records().map(|record| {
            let record = record.unwrap();
            let full_name = record[1].to_owned();
            let small = full_name.to_lowercase();
            let is_kind = |kind: &&&str| small.starts_with(&format!("{kind} "));
            let kind = (*KINDS.iter().find(is_kind).unwrap()).to_owned();
            let name: String = full_name.chars().skip(kind.chars().count() + 1).collect();
            let level = record[2].replace("district", "town");
            let (code, parent) = (record[0].to_owned(), record[3].to_owned());
            Unit {
                code,
                full_name,
                kind,
                name,
                level,
                parent,
            }
        });
        Country {
            units: units.collect(),
        }
    }

    fn of(&self, code: &str) -> &Unit {
        self.units.iter().find(|unit| unit.code == code).unwrap()
    }

    fn of_level(&self, level: &str) -> impl Iterator<Item = &Unit> {
        self.units.iter().filter(move |unit| unit.level == level)
    }

    /// As the test reads them back.
    fn expected(&self) -> Vec<String> {
        let mut told: Vec<String> = self
            .units
            .iter()
            .map(|unit| {
                let parent = if unit.parent.is_empty() {
                    "-"
                } else {
                    &unit.parent
                };
                let Unit {
                    code,
                    kind,
                    name,
                    level,
                    ..
                } = unit;
                format!("{code} {kind}|{name} {level} {parent}")
            })
            .collect();
        told.sort();
        told
    }

    /// With the columns of this service.
    fn plain(&self) -> String {
        let rows = self.units.iter().map(|unit| {
            [
                &unit.code,
                &unit.name,
                &unit.level,
                &unit.parent,
                &unit.kind,
            ]
            .map(String::as_str)
        });
        table("code,name,level,parent_code,kind", rows)
    }

    fn all(&self) -> String {
        let mut rows = Vec::new();
        for district in self.of_level("town") {
            let province = self.of(&district.parent);
            let above = [
                &province.full_name,
                &province.code,
                &district.full_name,
                &district.code,
            ];
            let above = above.map(String::as_str);
            let communes: Vec<&Unit> = self
                .of_level("commune")
                .filter(|unit| unit.parent == district.code)
                .collect();
            let told = communes
                .iter()
                .map(|unit| [unit.full_name.as_str(), &unit.code, &unit.kind]);
            let alone = communes
                .is_empty()
                .then_some(["", "", district.kind.as_str()]);
            let told = told.chain(alone);
            rows.extend(told.map(|[name, code, kind]| {
                let [province, province_code, district, district_code] = above;
                [
                    province,
                    province_code,
                    district,
                    district_code,
                    name,
                    code,
                    kind,
                    "",
                ]
            }));
        }
        table(
            "Tỉnh Thành Phố,Mã TP,Quận Huyện,Mã QH,Phường Xã,Mã PX,Cấp,Tên Tiếng Anh",
            rows,
        )
    }

    /// A list of each level.
    fn levels(&self) -> [String; 3] {
        let provinces = self.of_level("province").map(|unit| {
            let kind = unit.kind.replace("thành phố", "Thành phố Trung ương");
            [
                unit.code.clone(),
                unit.full_name.clone(),
                String::new(),
                kind,
            ]
        });
        let districts = self.of_level("town").map(|unit| {
            let above = self.of(&unit.parent);
            [
                &unit.code,
                &unit.full_name,
                "",
                &unit.kind,
                &above.code,
                &above.full_name,
            ]
            .map(str::to_owned)
        });
        let communes = self.of_level("commune").map(|unit| {
            let district = self.of(&unit.parent);
            let province = self.of(&district.parent);
            [
                &unit.code,
                &unit.full_name,
                "",
                &unit.kind,
                &district.code,
                &district.full_name,
                &province.code,
                &province.full_name,
            ]
            .map(str::to_owned)
        });
        [
            table("Mã,Tên,Tên Tiếng Anh,Cấp", provinces),
            table("Mã,Tên,Tên Tiếng Anh,Cấp,Mã TP,Tỉnh / Thành Phố", districts),
            table(
                "Mã,Tên,Tên Tiếng Anh,Cấp,Mã QH,Quận Huyện,Mã TP,Tỉnh / Thành Phố",
                communes,
            ),
        ]
    }
}

fn table<const COLUMNS: usize, T: AsRef<[u8]>>(
    heading: &str,
    rows: impl IntoIterator<Item = [T; COLUMNS]>,
) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(heading.split(',')).unwrap();
    for row in rows {
        writer.write_record(row).unwrap();
    }
    String::from_utf8(writer.into_inner().unwrap()).unwrap()
}
