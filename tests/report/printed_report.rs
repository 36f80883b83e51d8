//! `tonghop report`: a unit's report of any tenant, printed as an official reads it.

use serde_json::json;

use crate::harness::program::tonghop_on;
use crate::harness::report::{Report, value};
use crate::harness::town::{broken_down, form, indicator};
use crate::harness::{Client, Server};

/// The form `f` with text under a heading of its own, and what the town's units sent for 2023 and
/// 2024.
fn reported_town(admin: &Client) {
    let mut money = indicator("sum");
    money["name"] = json!({"vi": "Vận động Quỹ", "en": "Raised"});
    money["unit_of_measure"] = json!("đồng");
    let mut rate = json!({
        "name": {"vi": "Tỷ lệ hộ"}, "unit_of_measure": "%", "decimals": 2, "formula": "100 * homes / all"
    });
    rate["name"]["en"] = json!("Rate");
    let mut docs = broken_down(false, &["plan", "letter"]);
    docs["name"] = json!({"vi": "Văn bản"});
    for (code, body) in [
        ("money", money),
        ("homes", indicator("sum")),
        ("all", indicator("sum")),
        ("rate", rate),
        ("docs", docs),
    ] {
        admin
            .put(&format!("/v1/indicators/{code}"), &body)
            .expect_status(201);
    }
    let mut outlined = form(&["money", "homes", "all", "rate"]);
    outlined["name"] = json!({"vi": "Báo cáo năm"});
    outlined["deadlines"] = json!({"hamlet": 5, "commune": 10});
    let sections = outlined["outline"].as_array_mut().unwrap();
    sections.push(
        json!({"number": "II", "title": {"vi": "Phong trào"}, "narrative": true, "items": []}),
    );
    sections.push(
        json!({"number": "III", "title": {"vi": "Điều hành"}, "items": [{"indicator": "docs"}]}),
    );
    admin.put("/v1/forms/f", &outlined).expect_status(201);
    let before = Report::of(admin, "f", "2023");
    before.submit("A1", &[value("money", 1_200_000)]);
    let report = Report::new(admin, "f");
    report.submit(
        "A1",
        &[
            value("money", 1_500_000),
            value("homes", 2),
            value("all", 3),
        ],
    );
    let text = json!({
        "values": [
            value("money", 500_000), value("docs", 7),
            {"indicator": "docs", "option": "plan", "value": 4}
        ],
        "narrative": [{"section": "II", "text": "Các ấp cùng làm."}], "submit": true
    });
    report.put("A", &text).expect_status(201);
    let target = "/v1/forms/f/periods/2024/units/code:A/targets/money";
    admin
        .put(target, &json!({"value": 2_500_000}))
        .expect_status(201);
}

#[track_caller]
fn printed(server: &Server, arguments: &[&str]) -> String {
    let report = ["report", "--tenant", "test", "--form", "f"];
    let output = tonghop_on(&server.database, &[&report, arguments].concat())
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// The words of the line that holds a text, with one space between them.
#[track_caller]
fn line(page: &str, text: &str) -> String {
    let found = page.lines().find(|line| line.contains(text));
    let found = found.unwrap_or_else(|| panic!("{text} is not in:\n{page}"));
    found.split_whitespace().collect::<Vec<_>>().join(" ")
}

on_both_backends! {
    fn a_report_is_printed_with_plan_share_and_the_year_before(backend) {
        let (server, admin) = Server::with_town(backend);
        reported_town(&admin);
        let page = printed(&server, &["--period", "2024", "--unit", "A"]);
        let heading: Vec<&str> = page.lines().take(7).collect();
        assert_eq!(heading, [
            "BÁO CÁO NĂM",
            "Xã A (A)",
            "Trực thuộc: Thị xã",
            "Kỳ: Năm 2024, từ ngày 15/12/2023 đến ngày 14/12/2024",
            "Hạn gửi: ấp 20/12/2024; xã 27/12/2024",
            "Đã nhận 2/3 báo cáo: 2 gửi muộn, 0 đã duyệt. Còn thiếu 1, trong đó 1 quá hạn. Chưa gửi: Ấp Hai.",
            "",
        ]);
        // Done, planned, its share, the year before, who has a figure of who is to have one.
        assert_eq!(line(&page, "Vận động Quỹ"), "1 Vận động Quỹ đồng 2.500.000 2.000.000 80% 1.200.000 2/3");
        assert_eq!(line(&page, "Tỷ lệ hộ"), "4 Tỷ lệ hộ % 66,67% – 1/3");
        assert_eq!(line(&page, "Văn bản"), "5 Văn bản cái 7 – 1/3");
        assert_eq!(line(&page, " plan"), "5.1 plan cái 4 – 1/3");
        // A heading without figures has its text under it.
        let under: Vec<&str> = page.lines().skip_while(|line| *line != "II. PHONG TRÀO").take(3).collect();
        assert_eq!(under, ["II. PHONG TRÀO", "    Các ấp cùng làm.", "III. ĐIỀU HÀNH"]);
        assert!(page.contains("\nSố đơn vị có số liệu: "), "{page}");
        for line in page.lines() {
            assert!(line.chars().count() <= 100, "{line}");
        }
    }

    fn a_report_has_no_column_for_which_there_is_nothing_and_leaves_nothing_behind(backend) {
        let (server, admin) = Server::with_town(backend);
        reported_town(&admin);
        let keys = server.database.directory.path().join("no-keys");
        let arguments = ["report", "--tenant", "test", "--form", "f", "--period", "2023", "--unit", "A1"];
        let output = tonghop_on(&server.database, &arguments).env("TONGHOP_KEYS", &keys).output().unwrap();
        assert!(output.status.success() && !keys.exists(), "{output:?}");
        let page = printed(&server, &["--period", "2023", "--unit", "code:A1"]);
        for absent in ["Kế hoạch", "Cùng kỳ", "Trực thuộc: Thị xã"] {
            assert!(!page.contains(absent), "{absent} is in:\n{page}");
        }
        assert!(page.contains("Ấp Một (A1)\nTrực thuộc: Xã A, Thị xã\n"), "{page}");
        assert_eq!(line(&page, "Vận động Quỹ"), "1 Vận động Quỹ đồng 1.200.000 1/1");
    }

    fn what_cannot_be_printed_is_told_by_name(backend) {
        let (server, admin) = Server::with_town(backend);
        reported_town(&admin);
        for (tenant, form, period, unit, about) in [
            ("other", "f", "2024", "A", "other"),
            ("test", "g", "2024", "A", "\"g\""),
            ("test", "f", "2024-13", "A", "Báo cáo năm (f) has no period \"2024-13\""),
            ("test", "f", "2024", "Z", "code:Z"),
        ] {
            let arguments = ["report", "--tenant", tenant, "--form", form, "--period", period, "--unit", unit];
            let output = tonghop_on(&server.database, &arguments).output().unwrap();
            let told = String::from_utf8(output.stderr).unwrap();
            assert!(!output.status.success() && told.contains(about), "{told}");
            assert_eq!(told.lines().count(), 1, "{told}");
        }
    }
}
