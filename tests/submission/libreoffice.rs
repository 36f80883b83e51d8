//! Sheets in a real spreadsheet program: LibreOffice opens and saves one, and fills one in. Without it
//! on the machine these tests say so and check nothing, unless `TONGHOP_TEST_SOFFICE=required`.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use tonghop::spreadsheet::SheetVisibility;

use super::sheet::{World, cells_of, path, reporting, rows_of};
use super::sheet_back::send_back;
use crate::harness::Backend;
use crate::harness::report::{option, value};

fn program() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut programs = std::env::split_paths(&path).map(|directory| directory.join("soffice"));
    let found = programs.find(|program| program.is_file());
    let is_required = std::env::var("TONGHOP_TEST_SOFFICE").is_ok_and(|value| value == "required");
    assert!(found.is_some() || !is_required, "there is no LibreOffice");
    if found.is_none() {
        eprintln!("LEFT OUT: there is no LibreOffice on this machine");
    }
    found
}

/// Lets LibreOffice open a file, with these options, and save it as XLSX.
fn saved(program: &Path, file: &[u8], name: &str, options: &[&str]) -> Vec<u8> {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    std::fs::write(at(name), file).unwrap();
    let home = format!("-env:UserInstallation=file://{}", at("home").display());
    let output = Command::new(program)
        .args([home.as_str(), "--headless", "--norestore"])
        .args(options)
        .args(["--convert-to", "xlsx", "--outdir"])
        .arg(at("saved"))
        .arg(at(name))
        .env("HOME", directory.path())
        .output()
        .unwrap();
    let name = Path::new(name).with_extension("xlsx");
    std::fs::read(at("saved").join(name)).unwrap_or_else(|error| panic!("{error}: {output:?}"))
}

/// The clerk of the tests: a macro that types texts into cells of the first sheet, and saves.
const TYPING: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE script:module PUBLIC "-//OpenOffice.org//DTD OfficeDocument 1.0//EN" "module.dtd">
<script:module xmlns:script="http://openoffice.org/2000/script" script:name="Module1" script:language="StarBasic">
Sub TypeInto(file As String, entries As String)
  Dim unseen(0) As New com.sun.star.beans.PropertyValue
  unseen(0).Name = "Hidden"
  unseen(0).Value = True
  document = StarDesktop.loadComponentFromURL(file, "_blank", 0, unseen())
  sheet = document.Sheets.getByIndex(0)
  For Each entry In Split(entries, "|")
    parts = Split(entry, ":")
    sheet.getCellRangeByName(parts(0)).FormulaLocal = parts(1)
  Next
  document.store()
  document.close(True)
End Sub
</script:module>
"#;

/// Lets LibreOffice open a workbook, type `I9:5|I10:trên 800` into its cells, and save it.
fn typed_into(program: &Path, file: &[u8], entries: &str) -> Vec<u8> {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    let address = |name: &str| format!("file://{}", at(name).display());
    std::fs::write(at("sheet.xlsx"), file).unwrap();
    let run = |argument: &str| {
        let ran = Command::new(program)
            .arg(format!("-env:UserInstallation={}", address("home")))
            .args(["--headless", "--norestore", argument])
            .env("HOME", directory.path())
            .output();
        assert!(ran.unwrap().status.success());
    };
    // The first start makes a home with an empty module.
    run("--terminate_after_init");
    std::fs::write(at("home/user/basic/Standard/Module1.xba"), TYPING).unwrap();
    let file = address("sheet.xlsx");
    run(&format!(
        "macro:///Standard.Module1.TypeInto(\"{file}\",\"{entries}\")"
    ));
    std::fs::read(at("sheet.xlsx")).unwrap()
}

#[test]
fn a_sheet_that_libreoffice_filled_in_is_entered_and_unfilled_changes_nothing() {
    let Some(program) = program() else { return };
    let (_server, admin, reports) = reporting(Backend::Sqlite);
    let june = reports.of("2024-06");
    let letters = [option("docs", "plan", 1), option("docs", "letter", 2)];
    june.submit("A1", &[&[value("x", 5)], letters.as_slice()].concat());
    june.submit("A2", &[value("x", 7)]);
    let sheet = admin.get(&path("A", "sheet")).expect_status(200).bytes;
    // Saved by it, the cells without a value are still empty.
    let unfilled = saved(&program, &sheet, "sheet.xlsx", &[]);
    for query in ["", "&submit=true", "&mode=replace&submit=true"] {
        let told = send_back(&admin, query, &unfilled)
            .expect_status(200)
            .json();
        assert_eq!(told["left"], 2, "{told}");
        assert_eq!(told["rev"], Value::Null);
    }
    // The rows 5 to 8 are A's, 9 to 12 A1's, 13 to 16 A2's.
    let entries = "I5:1562410000|I9:trên 800|I11:4|I13:xóa|I14:=3+4";
    let filled = typed_into(&program, &sheet, entries);
    let told = send_back(&admin, "&submit=true", &filled);
    let told = told.expect_status(200).json();
    assert_eq!([&told["created"], &told["changed"]], [1, 2], "{told}");
    assert_eq!(june.figure("T", "x"), "1562410800 at_least 2/5");
    assert_eq!(june.figure("A1", "docs"), "6 1/1");
    assert_eq!(june.figure("A2", "rate"), "7 1/1");
    // Of the state of then, and nothing of it is there any more.
    let stale = send_back(&admin, "&submit=true", &unfilled);
    assert_eq!(
        stale.expect_problem(422, "INVALID_SUBMISSION"),
        [
            "/sheets/Nhập liệu/I13 PRECONDITION_FAILED",
            "/sheets/Nhập liệu/I9 PRECONDITION_FAILED",
        ]
    );
}

#[test]
fn a_sheet_that_libreoffice_saved_says_what_it_said() {
    let Some(program) = program() else { return };
    let (_server, admin, reports) = reporting(Backend::Sqlite);
    reports.submit(
        "A1",
        "2024-05",
        json!({"x": 7, "rate": 93.64, "docs/plan": 1, "docs/letter": 2}),
    );
    let mut about = value("x", 800);
    about["qualifier"] = json!("at_least");
    let values = [
        about,
        value("rate", 1234.5),
        option("docs", "plan", 0),
        option("docs", "letter", 3),
    ];
    reports.of("2024-06").submit("A1", &values);
    let file = admin.get(&path("A", "sheet")).expect_status(200).bytes;
    let again = saved(&program, &file, "sheet.xlsx", &[]);
    assert_eq!(rows_of(&again), rows_of(&file));
    assert!(rows_of(&again).contains(&"A1 x 7 trên 800".to_owned()));
    let hidden = |file| cells_of(file, SheetVisibility::Hidden);
    assert_eq!(hidden(&again), hidden(&file));
}

#[test]
fn a_sheet_that_libreoffice_filled_in_is_read_cell_by_cell() {
    let Some(program) = program() else { return };
    let world = World::new();
    let filled = "Mã đơn vị;Mã số liệu;Số liệu\n\
        A1;x;1.562.410.000\nA1;docs[plan];93,64\nA1;docs[letter];50%\n\
        A1;same.one;1/5/2024\nA1;same.two;trên 800\n001;x;=2+3\n";
    // Semicolons, quotation marks, UTF-8, from the first line, Vietnamese, recognised as it is typed.
    let options =
        ["--infilter=CSV:59,34,76,1,1/2/2/2/3/1,1066,false,true,false,false,false,-1,true"];
    let file = saved(&program, filled.as_bytes(), "filled.csv", &options);
    let (cells, faults) = world.read(&file);
    assert_eq!(
        cells,
        [
            "A1 x C2=1562410000",
            "A1 docs[plan] C3=93.64",
            "A1 docs[letter] C4=50%",
            "A1 same.one C5=45413",
            "A1 same.two C6=trên 800",
            "001 x C7=5",
        ]
    );
    assert_eq!(faults, [""; 0]);
}
