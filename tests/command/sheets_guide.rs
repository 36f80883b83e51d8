//! The commands of `docs/sheets.md` work as they are printed.

use std::io::Cursor;

use tonghop::spreadsheet::Workbook;

use crate::harness::guide::Guide;

const GUIDE: &str = include_str!("../../docs/sheets.md");

#[test]
fn the_commands_of_the_guide_to_sheets_work_as_printed() {
    let guide = Guide::follow_on_demo(GUIDE);
    assert!(guide.said.contains(r#""fields":["#), "{}", guide.said);
    let file = std::fs::read(guide.path("mttq.annual-2024-30388.xlsx")).unwrap();
    let mut workbook = Workbook::open(Cursor::new(file)).unwrap();
    let sheet = workbook.sheets()[0].clone();
    let mut rows = workbook.rows(&sheet).unwrap();
    let mut units = std::collections::BTreeSet::new();
    while let Some(row) = rows.next_row().unwrap() {
        if row.number > 4 {
            units.insert(row.cells[0].content.shown());
        }
    }
    // The commune and its seven hamlets.
    assert_eq!(units.len(), 8, "{units:?}");
}
