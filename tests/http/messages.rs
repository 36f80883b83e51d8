//! Messages for people: they use the names that a clerk knows, with the code beside, and say what
//! to do next before anything that only a program needs.

use serde_json::{Value, json};

use crate::harness::report::{Report, value};
use crate::harness::town::{Town, broken_down, form};
use crate::harness::{Answer, Backend, Client, Server};

/// The sentence of an answer that is refused, in both languages.
fn details(ask: impl Fn(&Client) -> Answer, client: &Client) -> [String; 2] {
    ["vi", "en"].map(|language| {
        let problem = ask(&client.with("Accept-Language", language)).json();
        problem["detail"].as_str().unwrap().to_owned()
    })
}

/// The sentence of each fault of an answer, by its place.
fn faults(ask: impl Fn(&Client) -> Answer, client: &Client) -> [Vec<String>; 2] {
    ["vi", "en"].map(|language| {
        let problem = ask(&client.with("Accept-Language", language)).json();
        let errors = problem["errors"].as_array().unwrap().iter();
        let details = errors.map(|error| error["detail"].as_str().unwrap().to_owned());
        details.collect()
    })
}

#[track_caller]
fn expect_all(found: &[Vec<String>; 2], vi: &[&str], en: &[&str]) {
    for (found, expected) in found.iter().zip([vi, en]) {
        for (found, expected) in found.iter().zip(expected) {
            assert!(found.starts_with(expected), "{found:?} for {expected:?}");
        }
        assert_eq!(found.len(), expected.len(), "{found:#?}");
    }
}

fn submission(form: &str, period: &str, unit: &str) -> String {
    format!("/v1/forms/{form}/periods/{period}/units/code:{unit}/submission")
}

on_both_backends! {
    fn faults_of_values_call_indicators_options_and_levels_by_name(backend) {
        let server = Server::with_demo(backend);
        let admin = server.sign_in("mttq-an-giang", "admin@demo");
        let path = submission("mttq.annual", "2025", "30388-01");
        let body = json!({"submit": true, "narrative": [{"section": "V", "text": "Lời"}], "values": [
            value("fund.spent", 1),
            value("households.cultural_rate", 1),
            {"indicator": "hamlet_boards.members", "option": "chief", "value": 1},
            {"indicator": "fund.raised", "option": "cash", "value": 1},
            value("fund.given", 1),
            value("households.total", 1),
            value("households.total", 2)
        ]});
        let found = faults(|client| client.create(&path, &body), &admin);
        expect_all(&found, &[
            "Chỉ tiêu Chi Quỹ \"Vì người nghèo\" (fund.spent) không thu thập ở cấp ấp (chỉ ở cấp: xã).",
            "Chỉ tiêu Tỷ lệ hộ đăng ký gia đình văn hóa (households.cultural_rate) do hệ thống tự tính.",
            "Chỉ tiêu Thành viên Ban Công tác Mặt trận (hamlet_boards.members) không có phân tổ \"chief\". Hãy dùng một trong: Trưởng ban (head), ",
            "Chỉ tiêu Vận động Quỹ \"Vì người nghèo\" (fund.raised) không chia theo phân tổ",
            "Mẫu Báo cáo năm về công tác Mặt trận (mttq.annual) không có chỉ tiêu \"fund.given\".",
            "Chỉ tiêu Tổng số hộ (households.total) được nhập hai lần.",
            "Mẫu Báo cáo năm về công tác Mặt trận (mttq.annual) không nhận phần lời văn ở mục \"V\". Các mục có lời văn: ",
        ], &[
            "Spent from the Fund for the Poor (fund.spent) is not collected at the level hamlet, only at: commune.",
            "Share of households registered (households.cultural_rate) is computed",
            "Hamlet board members (hamlet_boards.members) has no option \"chief\". Use one of these: Heads (head), ",
            "Raised for the Fund for the Poor (fund.raised) has no options",
            "The form Annual report on the work of the Front (mttq.annual) has no indicator \"fund.given\".",
            "Households (households.total) is entered twice.",
            "The form Annual report on the work of the Front (mttq.annual) takes no prose in a section \"V\". The sections ",
        ]);
        // What is missing is looked for where all else is well.
        let body = json!({"submit": true, "values": [
            value("households.total", 1),
            {"indicator": "hamlet_boards.members", "option": "head", "value": 1},
            {"indicator": "hamlet_boards.members", "option": "deputy", "value": 1}
        ]});
        let found = faults(|client| client.create(&path, &body), &admin);
        expect_all(&found, &[
            "Thiếu chỉ tiêu bắt buộc Dân số (population.total).",
            "Thành viên Ban Công tác Mặt trận (hamlet_boards.members) còn thiếu phân tổ Thành viên (member).",
        ], &[
            "The required Population (population.total) is missing.",
            "Hamlet board members (hamlet_boards.members) lacks its option Members (member).",
        ]);
    }

    fn totals_that_differ_name_the_options_that_were_added_up(backend) {
        let (_server, admin) = Server::with_town(backend);
        admin.put("/v1/indicators/docs", &broken_down(true, &["plan", "letter"])).expect_status(201);
        admin.put("/v1/forms/f", &form(&["docs"])).expect_status(201);
        let body = json!({"submit": true, "values": [
            value("docs", 5),
            {"indicator": "docs", "option": "plan", "value": 1},
            {"indicator": "docs", "option": "letter", "value": 2}
        ]});
        let found = faults(|client| client.create(&submission("f", "2024", "A1"), &body), &admin);
        expect_all(
            &found,
            &["Chỉ tiêu (docs): các phân tổ (plan (plan), letter (letter)) cộng lại là 3, tổng số là 5."],
            &["Indicator (docs): its options (plan (plan), letter (letter)) add up to 3, and the total is 5."],
        );
    }

    fn conditions_are_told_in_words_before_headers(backend) {
        let (_server, admin, _) = Town::new(backend).indicators(&[("x", "sum")]).form("f", "year").build();
        let path = submission("f", "2024", "A1");
        let body = json!({"values": [value("x", 1)], "submit": true});
        let ask = |condition: Option<(&'static str, &'static str)>| {
            let (path, body) = (path.clone(), body.clone());
            details(
                move |client| match condition {
                    Some((name, value)) => client.with(name, value).put(&path, &body),
                    None => client.put(&path, &body),
                },
                &admin,
            )
        };
        let nothing_there = ask(Some(("If-Match", "\"7\"")));
        assert!(nothing_there[0].starts_with("Ở đây chưa có gì để sửa. Hãy tạo mới."), "{nothing_there:?}");
        assert!(nothing_there[1].starts_with("There is nothing here yet to change: make it new."));
        admin.create(&path, &body).expect_status(201);
        let stale = ask(Some(("If-Match", "\"7\"")));
        assert!(stale[0].starts_with("Đã có người thay đổi nội dung này từ lần bạn đọc. Hãy tải lại"), "{stale:?}");
        assert!(stale[1].starts_with("Somebody has changed this since you read it: load it again"), "{stale:?}");
        let there = ask(Some(("If-None-Match", "*")));
        assert!(there[0].starts_with("Đã có người tạo nội dung này trước. Hãy tải về"), "{there:?}");
        assert!(there[1].starts_with("Somebody has made this already: load it"), "{there:?}");
        let missing = ask(None);
        assert!(missing[0].starts_with("Hãy tải nội dung đang có rồi sửa trên đó"), "{missing:?}");
        assert!(missing[1].starts_with("Load what is there and change that"), "{missing:?}");
        // The header is for programs, and named to them.
        for told in [&nothing_there, &stale, &there, &missing] {
            assert!(told[1].contains("Programs send If-"), "{told:?}");
        }
    }

    fn withdrawing_is_spoken_of_where_something_was_sent(backend) {
        let (_server, admin, report) = Town::new(backend).indicators(&[("x", "sum")]).form("f", "year").build_for("2024");
        let withdraw = || {
            let path = format!("{}/withdraw", submission("f", "2024", "A1"));
            details(|client| client.with("If-Match", "*").post(&path), &admin)
        };
        let [vi, en] = withdraw();
        assert_eq!(vi, "Đơn vị chưa nhập số liệu cho kỳ này.");
        assert_eq!(en, "The unit has entered nothing for this period yet.");
        report.put("A1", &json!({"values": [value("x", 1)]})).expect_status(201);
        let [vi, en] = withdraw();
        assert!(vi.starts_with("Số liệu đang ở tình trạng «bản nháp». Chưa gửi gì"), "{vi}");
        assert!(en.starts_with("The status of the submission is “draft”. Nothing of it was sent"), "{en}");
        assert!(!vi.contains("rút") && !en.contains("withdraw"), "{vi} {en}");
        report.submit("A1", &[value("x", 1)]);
        report.step("A1", "withdraw").expect_status(200);
        let [vi, en] = withdraw();
        assert!(vi.starts_with("Số liệu đang ở tình trạng «đã rút». Đã rút rồi"), "{vi}");
        assert!(en.starts_with("The status of the submission is “withdrawn”. There is nothing to do"), "{en}");
    }

    fn before_a_unit_s_first_day_that_day_is_told_to_who_may_see_the_unit(backend) {
        let (server, admin, _) = Town::new(backend).indicators(&[("x", "sum")]).form("f", "year").build();
        let unit = json!({
            "code": "A3", "name": "Tân Hòa A", "kind": "ấp", "level": "hamlet", "parent": "code:A",
            "valid_from": "2025-03-01"
        });
        let id = admin.post_json("/v1/units", &unit).expect_status(201).json()["id"].clone();
        let paths = [
            submission("f", "2024", "A3"),
            "/v1/forms/f/periods/2024/units/code:A3/rollup".to_owned(),
            format!("/v1/forms/f/periods/2024/units/{}/rollup", id.as_str().unwrap()),
            "/v1/units/code:A3?as_of=2024-12-14".to_owned(),
        ];
        server.create_account("test", "b", &["viewer@code:B"]);
        let elsewhere = server.sign_in("test", "b");
        for path in paths {
            admin.get(&path).expect_problem(404, "UNIT_NOT_FOUND");
            let [vi, en] = details(|client| client.get(&path), &admin);
            assert!(vi.starts_with("Ấp Tân Hòa A (A3) có từ ngày 01/03/2025, ngày 14/12/2024 chưa có."), "{vi}");
            assert!(en.starts_with("Ấp Tân Hòa A (A3) stands from 2025-03-01 on, and not yet on 2024-12-14."), "{en}");
            let [hidden, _] = details(|client| client.get(&path), &elsewhere);
            assert!(!hidden.contains("Tân Hòa A") && !hidden.contains("01/03/2025"), "{hidden}");
        }
        // The same of a form, and of a unit to be put below one that is not there yet.
        let mut later = form(&["x"]);
        later["valid_from"] = json!("2025-01-01");
        admin.put("/v1/forms/later", &later).expect_status(201);
        let path = "/v1/forms/later/periods/2024/units/code:A1/rollup";
        let [vi, _] = details(|client| client.get(path), &admin);
        assert!(vi.starts_with("Mẫu Mẫu (later), áp dụng từ ngày 01/01/2025, không có kỳ \"2024\". Hãy chọn trong danh sách kỳ của mẫu (/v1/forms/later/periods?year=2024)."), "{vi}");
        let below = json!({"code": "A31", "name": "Tổ", "level": "hamlet", "parent": "code:A3"});
        let [vi, _] = faults(|client| client.post_json("/v1/units", &below), &admin);
        assert!(vi[0].starts_with("Ấp Tân Hòa A (A3) có từ ngày 01/03/2025"), "{vi:?}");
    }

    fn an_empty_submission_is_taken_with_a_warning(backend) {
        let (_server, admin, _) = Town::new(backend).indicators(&[("x", "sum")]).form("f", "year").build();
        let mut prose = form(&[]);
        prose["rules"] = json!([]);
        admin.put("/v1/forms/prose", &prose).expect_status(201);
        let codes = |answer: &Value| -> Vec<String> {
            let warnings = answer["warnings"].as_array().unwrap().iter();
            warnings.map(|one| one["code"].as_str().unwrap().to_owned()).collect()
        };
        let empty = |submit: bool| json!({"values": [], "submit": submit});
        let path = submission("f", "2024", "A1");
        let sent = admin.create(&path, &empty(true)).expect_status(201).json();
        assert_eq!(codes(&sent), ["EMPTY_SUBMISSION"]);
        assert_eq!(sent["warnings"][0]["expression"], Value::Null);
        assert_eq!(codes(&admin.get(&path).json()), ["EMPTY_SUBMISSION"]);
        let message = sent["warnings"][0]["message"].as_str().unwrap();
        assert!(message.contains("không có giá trị nào") && message.contains("nhập 0"), "{message}");
        // A zero is a value, a draft may be empty, and who is asked for nothing has nothing to enter.
        let report = Report::new(&admin, "f");
        report.submit("A1", &[value("x", 0)]);
        assert!(codes(&admin.get(&path).json()).is_empty());
        let draft = admin.create(&submission("f", "2024", "A2"), &empty(false)).expect_status(201);
        assert!(codes(&draft.json()).is_empty());
        let text = json!({"values": [], "narrative": [{"section": "I", "text": "Lời"}], "submit": true});
        let prose = admin.create(&submission("prose", "2024", "A1"), &text).expect_status(201);
        assert!(codes(&prose.json()).is_empty());
    }

    fn what_a_unit_a_level_and_a_period_are_is_said_in_words(backend) {
        let (_server, admin, _) = Town::new(backend).indicators(&[("x", "sum")]).form("m", "month").with("submitted_by", json!(["hamlet"])).build();
        let body = json!({"values": [value("x", 1)], "submit": true});
        let told = |path: String| details(|client| client.create(&path, &body), &admin);
        let [vi, en] = told(submission("m", "2024-06", "A"));
        assert!(vi.starts_with("Cấp xã không gửi mẫu Mẫu (m). Hãy chọn đơn vị thuộc cấp được giao gửi: ấp."), "{vi}");
        assert!(en.starts_with("Units of the level commune do not submit Form (m)."), "{en}");
        let [vi, en] = told(submission("m", "2024-Q2", "A1"));
        assert!(vi.starts_with("Kỳ quý II/2024 (2024-Q2) của mẫu Mẫu (m) được tổng hợp từ các kỳ ngắn hơn."), "{vi}");
        assert!(vi.ends_with("tháng 4/2024 (2024-04) – tháng 6/2024 (2024-06)."), "{vi}");
        assert!(en.contains("month 4 of 2024 (2024-04) to month 6 of 2024 (2024-06)"), "{en}");
        let [vi, _] = told(submission("m", "2198-12", "A1"));
        assert!(vi.starts_with("Chưa đến ngày nhập: kỳ tháng 12/2198 (2198-12) mở nhập từ ngày 15/11/2198."), "{vi}");

        // A list of units, with the levels that there are.
        let list = "code,name,level,parent_code\nC,Xã C,village,T\nD,Xã D,town,A\n";
        let [vi, en] = faults(|client| client.post_csv("/v1/units/import", list), &admin);
        assert!(vi[0].contains("không có cấp \"village\". Hãy dùng một trong các cấp: tỉnh (province), huyện (town), xã (commune), ấp (hamlet)."), "{vi:?}");
        assert!(vi[1].contains("Đơn vị cấp huyện không thể trực thuộc Xã A (A) (cấp xã)."), "{vi:?}");
        assert!(en[1].contains("A unit of the level town cannot be part of Xã A (A) (level commune)."), "{en:?}");

        // A document that reorganises.
        let document = json!({"effective": "2025-07-01", "legal_basis": "NQ", "steps": [
            {"op": "abolish", "unit": "code:A"}, {"op": "abolish_level", "level": "hamlet"}
        ]});
        let [vi, en] = faults(|client| client.post_json("/v1/reorganisations", &document), &admin);
        assert!(vi[0].starts_with("Xã A (A) còn 2 đơn vị trực thuộc (Ấp Một (A1), Ấp Hai (A2))."), "{vi:?}");
        assert!(vi[1].starts_with("Còn 3 đơn vị thuộc cấp ấp ("), "{vi:?}");
        assert!(en[1].starts_with("The level hamlet still has 3 units ("), "{en:?}");
    }
}

#[test]
fn the_address_in_an_invitation_says_where_to_enter_the_code() {
    let server = Server::with_tenant(Backend::Sqlite);
    let page = server.anonymous().get("/").expect_status(200);
    assert_eq!(
        page.header("content-type"),
        Some("text/html; charset=utf-8")
    );
    for expected in [
        "hãy nhập mã ở cuối đường dẫn",
        "enter the code at the end of the link",
    ] {
        assert!(page.text.contains(expected), "{}", page.text);
    }
}
