//! The commands of `docs/sheets.md` work as they are printed, and answer what it shows.

use std::collections::BTreeSet;
use std::io::Cursor;

use tonghop::spreadsheet::Workbook;

use crate::harness::guide::{Guide, shown};
use crate::harness::sheet::filled;

const GUIDE: &str = include_str!("../../docs/sheets.md");

/// The heading after which the sheet has been filled in by hand.
const SEND_BACK: &str = "## Send it back";

#[test]
fn the_commands_of_the_guide_to_sheets_work_as_printed() {
    let (get, send_back) = GUIDE.split_once(SEND_BACK).unwrap();
    let guide = Guide::follow_on_demo(get);
    assert!(guide.said.contains(r#""fields":["#), "{}", guide.said);
    let sheet = std::fs::read(guide.path("mttq.annual-2024-30388.xlsx")).unwrap();
    // The commune and its seven hamlets.
    assert_eq!(units_of(&sheet).len(), 8);

    for (file, cells) in [
        (
            "tan-an.xlsx",
            [("I39", "186.850.000"), ("I66", "ước 1.345")],
        ),
        ("wrong.xlsx", [("I39", "nhiều"), ("I66", "1,345")]),
    ] {
        let by_hand = format!("`{}` into {}", cells[0].1, cells[0].0);
        assert!(GUIDE.contains(&by_hand), "{by_hand}");
        std::fs::write(guide.path(file), filled(&sheet, &cells)).unwrap();
    }
    let said = guide.go_on(send_back);
    for line in shown(send_back) {
        assert!(said.lines().any(|said| said == line), "{line}\n{said}");
    }
}

/// The codes of the units of a sheet.
fn units_of(file: &[u8]) -> BTreeSet<String> {
    let mut workbook = Workbook::open(Cursor::new(file)).unwrap();
    let sheet = workbook.sheets()[0].clone();
    let mut rows = workbook.rows(&sheet).unwrap();
    let mut units = BTreeSet::new();
    while let Some(row) = rows.next_row().unwrap() {
        if row.number > 4 {
            units.insert(row.cells[0].content.shown());
        }
    }
    units
}
