//! Sheets in a real spreadsheet program: LibreOffice opens and saves one, and fills one in. Without it
//! on the machine these tests say so and check nothing, unless `TONGHOP_TEST_SOFFICE=required`.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::json;
use tonghop::spreadsheet::SheetVisibility;

use super::sheet::{World, cells_of, path, reporting, rows_of};
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
