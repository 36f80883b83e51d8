//! What a page of a dashboard needs comes in few requests: chosen indicators of a rollup, several
//! indicators of a series, and units with their kinds.

use serde_json::{Value, json};

use crate::harness::{Client, Server};

const UNIT: &str = "/v1/forms/mttq.annual/periods/2024/units/code:30388";
const SERIES: &str = "/v1/forms/mttq.annual/units/code:30388/series?from=2023&to=2024";

fn read(client: &Client, path: &str) -> Value {
    client.get(path).expect_status(200).json()
}

fn indicators(cells: &Value) -> Vec<&str> {
    let cells = cells.as_array().unwrap().iter();
    let mut codes: Vec<&str> = cells
        .map(|cell| cell["indicator"].as_str().unwrap())
        .collect();
    codes.dedup();
    codes
}

on_both_backends! {
    fn a_rollup_shows_the_chosen_indicators_only(backend) {
        let server = Server::with_demo(backend);
        let admin = server.sign_in("mttq-an-giang", "admin@demo");
        let whole = read(&admin, &format!("{UNIT}/rollup?include=children"));
        let chosen = read(&admin, &format!("{UNIT}/rollup?include=children&indicators=docs.issued,fund.raised"));
        assert!(indicators(&whole["cells"]).len() > 2);
        let cells = whole["cells"].as_array().unwrap().iter();
        let expected: Vec<&Value> = cells
            .filter(|cell| cell["indicator"] == "docs.issued" || cell["indicator"] == "fund.raised")
            .collect();
        assert_eq!(chosen["cells"].as_array().unwrap().iter().collect::<Vec<_>>(), expected);
        assert_eq!(indicators(&chosen["children"][0]["cells"]).len(), 2);

        let unknown = admin.get(&format!("{UNIT}/rollup?indicators=docs.issued,nothing"));
        let faults = unknown.expect_problem(422, "UNKNOWN_INDICATOR");
        assert_eq!(faults, ["indicators UNKNOWN_INDICATOR"]);
    }

    fn a_series_of_several_indicators_is_that_of_each(backend) {
        let server = Server::with_demo(backend);
        let admin = server.sign_in("mttq-an-giang", "admin@demo");
        let both = read(&admin, &format!("{SERIES}&indicator=fund.raised,docs.issued"));
        let one = |code: &str| read(&admin, &format!("{SERIES}&indicator={code}"));
        let (first, second) = (one("fund.raised"), one("docs.issued"));
        assert_eq!((&both["indicator"], &both["items"]), (&first["indicator"], &first["items"]));
        let other = json!([{"indicator": "docs.issued", "items": second["items"]}]);
        assert_eq!(both["others"], other);
        assert_eq!(first["others"], json!([]));
    }

    fn a_unit_is_told_with_its_kind(backend) {
        let server = Server::with_demo(backend);
        let admin = server.sign_in("mttq-an-giang", "admin@demo");
        let kind = &read(&admin, "/v1/units/code:30388")["kind"];
        assert!(kind.is_string());
        for path in ["rollup", "completeness", "submission", "rollup/lineage?indicator=fund.raised"] {
            assert_eq!(&read(&admin, &format!("{UNIT}/{path}"))["unit"]["kind"], kind, "{path}");
        }
    }
}
