//! The commands of `docs/dashboards.md` work as they are printed, on the demo.

use serde_json::{Value, json};

use crate::harness::guide::Guide;

#[test]
fn the_commands_of_the_guide_on_dashboards_work_as_printed() {
    let guide = Guide::follow_on_demo(include_str!("../../docs/dashboards.md"));
    let lines: Vec<&str> = guide.said.lines().collect();
    for expected in [
        "communes: new",
        "months: new",
        "communes: unchanged",
        "months: unchanged",
    ] {
        assert!(lines.contains(&expected), "{expected}: {}", guide.said);
    }
    let kept = std::fs::read_to_string(guide.path("communes.json")).unwrap();
    let table: Value = serde_json::from_str(&kept).unwrap();
    let rows = table["rows"].as_array().unwrap();
    let commune = rows.iter().find(|row| row["unit"]["code"] == "30388");
    let figures = &commune.unwrap()["values"];
    assert_eq!(
        (&figures[0], &figures[1], &figures[2]),
        (
            &json!(1_562_410_000),
            &json!(1_381_000_000),
            &json!(1_600_000_000)
        )
    );
    let months = std::fs::read_to_string(guide.path("months.json")).unwrap();
    let months: Value = serde_json::from_str(&months).unwrap();
    assert_eq!(months["columns"].as_array().unwrap().len(), 12);
    assert!(
        std::fs::metadata(guide.path("communes.xlsx"))
            .unwrap()
            .len()
            > 1000
    );
    // The last line of CSV is the commune's own.
    let total = lines.iter().find(|line| line.contains("toàn đơn vị"));
    assert!(
        total.is_some_and(|line| line.contains("1562410000")),
        "{}",
        guide.said
    );
}
