//! Wrong requests: the answer lists every fault with its place, in the reader's language, and shows
//! nothing of the program's inside.

use serde_json::{Value, json};

use crate::harness::report::{Report, option, value};
use crate::harness::server::BODY_LIMIT;
use crate::harness::town::{broken_down, form, indicator};
use crate::harness::{Answer, Backend, Client, Server};

/// A form `f`: `x` of both levels, `rate` of one decimal, `docs` closed, `half` derived, `own` of
/// communes alone; prose under `I` and not under `II`.
fn add_form(admin: &Client) {
    admin.add_indicators(&[("x", "sum"), ("own", "none")]);
    let mut rate = indicator("average");
    rate["decimals"] = json!(2);
    let half = json!({
        "name": {"vi": "Nửa"}, "unit_of_measure": "cái", "decimals": 1, "formula": "x / 2"
    });
    let closed = broken_down(true, &["plan", "letter"]);
    for (code, body) in [("rate", rate), ("half", half), ("docs", closed)] {
        let path = format!("/v1/indicators/{code}");
        admin.put(&path, &body).expect_status(201);
    }
    let mut of_all = form(&["x", "rate", "docs", "half"]);
    let only_communes = json!({
        "number": "II", "title": {"vi": "Mục hai"},
        "items": [{"indicator": "own", "collected_at": ["commune"]}]
    });
    of_all["outline"]
        .as_array_mut()
        .unwrap()
        .push(only_communes);
    admin.put("/v1/forms/f", &of_all).expect_status(201);
}

/// Holds an answer to what every problem must be.
#[track_caller]
fn expect_sound_problem(answer: &Answer) {
    let body = answer.json();
    assert_eq!(body["status"], answer.status, "{}", answer.text);
    assert_eq!(body["request_id"], *answer.header("x-request-id").unwrap());
    let problem_type = body["type"].as_str().unwrap();
    assert!(problem_type.starts_with("urn:tonghop:problem:"));
    for field in ["title", "detail", "code"] {
        assert!(!body[field].as_str().unwrap().is_empty(), "{}", answer.text);
    }
    assert!(body["errors"].is_array());
    assert!(matches!(
        answer.header("content-language"),
        Some("vi" | "en")
    ));
    expect_no_internals(&answer.text);
}

/// Neither the database's language, nor the program's, nor its files.
#[track_caller]
fn expect_no_internals(text: &str) {
    let internals = [
        "SELECT ",
        "INSERT ",
        "UPDATE ",
        "sqlite",
        "postgres",
        "diesel",
        "serde",
        "actix",
        "::",
        ".rs",
        "panick",
        "/src/",
        "tenant_id",
        "struct ",
        "u8",
        "u16",
        "u32",
        "u64",
        "i32",
        "i64",
        "usize",
        "NaiveDate",
        "Option<",
    ];
    for internal in internals {
        assert!(!text.contains(internal), "{internal:?} in {text}");
    }
}

on_both_backends! {
    fn all_faults_of_a_submission_come_at_once_and_nothing_is_written(backend) {
        let (_server, admin) = Server::with_town(backend);
        add_form(&admin);
        let report = Report::new(&admin, "f");
        let body = json!({
            "values": [
                value("nothing", 1),
                option("docs", "poem", 1),
                value("x", json!(1.5)),
                value("x", "9223372036854775808"),
                value("x", "một"),
                value("own", 1),
                value("x", 1),
                value("x", 2),
                value("half", 1),
                value("rate", json!(0.125)),
                option("x", "plan", 1),
                value("X\u{0}", 1)
            ],
            "narrative": [
                {"section": "I", "text": "a\u{0}b"},
                {"section": "IX", "text": "Không có mục này"},
                {"section": "II", "text": "Mục này không nhận lời"},
                {"section": "I", "text": "Một"},
                {"section": "I", "text": "Hai"}
            ],
            "submit": true
        });
        let answer = report.put("A1", &body);
        expect_sound_problem(&answer);
        let faults = answer.expect_problem(422, "INVALID_SUBMISSION");
        assert_eq!(
            faults,
            [
                "/narrative/0/text INVALID_TEXT",
                "/narrative/1/section UNKNOWN_SECTION",
                "/narrative/2/section UNKNOWN_SECTION",
                "/narrative/4 DUPLICATE",
                "/values/0/indicator UNKNOWN_INDICATOR",
                "/values/1/option UNKNOWN_OPTION",
                "/values/10/option UNKNOWN_OPTION",
                "/values/11/indicator UNKNOWN_INDICATOR",
                "/values/2/value TOO_MANY_DECIMALS",
                "/values/3/value VALUE_OUT_OF_RANGE",
                "/values/4/value INVALID_NUMBER",
                "/values/5/indicator NOT_COLLECTED_HERE",
                "/values/7 DUPLICATE",
                "/values/8/indicator DERIVED_INDICATOR",
                "/values/9/value TOO_MANY_DECIMALS",
            ]
        );
        admin
            .get(&report.submission("A1"))
            .expect_problem(404, "SUBMISSION_NOT_FOUND");
        assert_eq!(report.read("T/rollup")["rev"], 0);

        report.submit("A1", &[value("x", 1)]);
        let reason = json!({
            "reason": " ",
            "values": [
                {"indicator": "nothing", "reason": "?"},
                {"indicator": "docs", "option": "poem", "reason": "?"},
                {"indicator": "x", "reason": ""},
                {"indicator": "own", "reason": "A1 enters no such figure"}
            ]
        });
        let faults = report
            .give_back("A1", &reason)
            .expect_problem(422, "INVALID_SUBMISSION");
        assert_eq!(
            faults,
            [
                "/reason INVALID_TEXT",
                "/values/0/indicator UNKNOWN_INDICATOR",
                "/values/1/option UNKNOWN_OPTION",
                "/values/2/reason INVALID_TEXT",
                "/values/3/indicator NOT_COLLECTED_HERE",
            ]
        );
        assert_eq!(report.get("A1")["status"], "submitted");
    }

    fn numbers_are_exact_to_the_digit_however_they_are_written(backend) {
        let (_server, admin) = Server::with_town(backend);
        add_form(&admin);
        let report = Report::new(&admin, "f");
        let raw = |unit: &str, indicator: &str, number: &str| {
            let body = format!(
                r#"{{"values":[{{"indicator":"{indicator}","value":{number}}}],"submit":true}}"#
            );
            let path = report.submission(unit);
            let client = match admin.get(&path).header("etag") {
                None => admin.with("If-None-Match", "*"),
                Some(etag) => admin.with("If-Match", etag),
            };
            client.send("PUT", &path, Some("application/json"), body.as_bytes())
        };
        let kept = |indicator: &str, number: &str| {
            let answer = raw("A1", indicator, number);
            assert!(
                matches!(answer.status, 200 | 201),
                "{number}: {}",
                answer.text
            );
            let submitted = answer.json()["values"][0]["value"].to_string();
            assert_eq!(
                report.get("A1")["values"][0]["value"].to_string(),
                submitted
            );
            assert_eq!(
                report.cell("A1", indicator)["own"]["value"].to_string(),
                submitted
            );
            submitted
        };
        let whole = [
            ("1e3", "1000"),
            ("5.0", "5"),
            ("-0", "0"),
            ("\"12\"", "12"),
            ("\" 12 \"", "12"),
            ("1.50e1", "15"),
            ("9007199254740993", "9007199254740993"),
            ("9223372036854775807", "9223372036854775807"),
            ("\"-9223372036854775808\"", "-9223372036854775808"),
        ];
        for (number, expected) in whole {
            assert_eq!(kept("x", number), expected);
        }
        let broken = [
            ("93.640", "93.64"),
            ("\"93.64\"", "93.64"),
            ("0.10", "0.1"),
            ("92233720368547758.07", "92233720368547758.07"),
        ];
        for (number, expected) in broken {
            assert_eq!(kept("rate", number), expected);
        }
        let refused = [
            ("1e400", "VALUE_OUT_OF_RANGE"),
            ("1e-9", "TOO_MANY_DECIMALS"),
            ("\"\"", "INVALID_NUMBER"),
            ("\"1,5\"", "INVALID_NUMBER"),
            ("\"NaN\"", "INVALID_NUMBER"),
            ("\"1 1\"", "INVALID_NUMBER"),
            ("1.000", "TOO_MANY_DECIMALS"),
            ("9223372036854775808", "VALUE_OUT_OF_RANGE"),
        ];
        for (number, code) in refused {
            let faults = raw("A1", "x", number).expect_problem(422, "INVALID_SUBMISSION");
            assert_eq!(faults, [format!("/values/0/value {code}")], "{number}");
        }

        raw("A1", "x", "9223372036854775807").expect_status(200);
        raw("A2", "x", "9223372036854775807").expect_status(201);
        raw("B1", "x", "9223372036854775807").expect_status(201);
        assert_eq!(
            report.cell("A", "x")["value"].to_string(),
            "18446744073709551614"
        );
        assert_eq!(
            report.cell("T", "x")["value"].to_string(),
            "27670116110564327421"
        );
        assert_eq!(
            report.cell("T", "half")["value"].to_string(),
            "13835058055282163710.5"
        );
        // What is beyond every single value comes down again to the digit.
        raw("A2", "x", "-9223372036854775808").expect_status(200);
        assert_eq!(report.cell("A", "x")["value"].to_string(), "-1");
        assert_eq!(
            report.cell("T", "x")["value"].to_string(),
            "9223372036854775806"
        );
    }

    fn what_is_not_there_is_404_and_what_one_may_not_do_is_403(backend) {
        let (server, admin) = Server::with_town(backend);
        add_form(&admin);
        server.create_account("test", "hamlet", &["reporter@code:A1"]);
        server.create_tenant("other");
        let other = server.sign_in("other", "admin");
        let theirs = json!({"code": "Z", "name": "Xã Z", "level": "commune"});
        let theirs = other
            .post_json("/v1/units", &theirs)
            .expect_status(201)
            .json();
        let theirs = theirs["id"].as_str().unwrap();
        let ours = admin.get("/v1/units/code:A2").expect_status(200).json();
        let ours = ours["id"].as_str().unwrap();

        let in_period = |unit: &str| format!("/v1/forms/f/periods/2024/units/{unit}/rollup");
        let missing = [
            (
                "/v1/forms/g/periods/2024/units/code:A/rollup".to_owned(),
                "FORM_NOT_FOUND",
                "form",
            ),
            (
                "/v1/forms/f/periods/2024-Q1/units/code:A/rollup".to_owned(),
                "PERIOD_NOT_FOUND",
                "period",
            ),
            (
                "/v1/forms/f/periods/24/units/code:A/rollup".to_owned(),
                "PERIOD_NOT_FOUND",
                "period",
            ),
            (in_period("code:Q"), "UNIT_NOT_FOUND", "unit"),
            (in_period("A"), "UNIT_NOT_FOUND", "unit"),
            (in_period("code:Z"), "UNIT_NOT_FOUND", "unit"),
            (in_period(theirs), "UNIT_NOT_FOUND", "unit"),
            (format!("/v1/units/{theirs}"), "UNIT_NOT_FOUND", "unit"),
        ];
        for (path, code, parameter) in missing {
            let answer = admin.get(&path);
            expect_sound_problem(&answer);
            let expected = [format!("{parameter} {code}")];
            assert_eq!(answer.expect_problem(404, code), expected, "{path}");
        }
        other
            .get(&format!("/v1/units/{ours}"))
            .expect_problem(404, "UNIT_NOT_FOUND");
        other
            .get(&in_period("code:A"))
            .expect_problem(404, "FORM_NOT_FOUND");
        let later = json!({
            "code": "A9", "name": "Ấp", "level": "hamlet", "parent": "code:A",
            "valid_from": "2024-12-15"
        });
        admin.post_json("/v1/units", &later).expect_status(201);
        admin
            .get(&in_period("code:A9"))
            .expect_problem(404, "UNIT_NOT_FOUND");

        let hamlet = server.sign_in("test", "hamlet");
        for unit in ["code:A2", "code:A", ours] {
            let answer = hamlet.get(&in_period(unit));
            expect_sound_problem(&answer);
            answer.expect_problem(403, "NOT_ALLOWED");
        }
        hamlet
            .put("/v1/indicators/y", &indicator("sum"))
            .expect_problem(403, "NOT_ALLOWED");
        hamlet
            .post_csv("/v1/units/import", "code,name,level,parent_code\nN,N,hamlet,A\n")
            .expect_problem(403, "NOT_ALLOWED");
        let unknown = json!({"code": "n", "name": "n", "level": "hamlet", "parent": "code:A"});
        hamlet
            .post_json("/v1/units", &unknown)
            .expect_problem(403, "NOT_ALLOWED");
    }
}

#[test]
fn a_body_of_another_shape_is_told_every_place_at_once() {
    let (_server, admin) = Server::with_town(Backend::Sqlite);
    add_form(&admin);
    let path = Report::new(&admin, "f").submission("A1");
    let new = admin.with("If-None-Match", "*");

    let wrong = json!({
        "valuse": [], "submit": "yes",
        "values": [
            {"indicator": 1, "value": true},
            {"indicator": "x", "value": 1, "qualifer": "exact"},
            {"value": null, "qualifier": "about"}
        ],
        "narrative": [{"section": "I", "text": "a", "a/b~c": 1}]
    });
    let answer = new.put(&path, &wrong);
    expect_sound_problem(&answer);
    assert_eq!(
        answer.expect_problem(400, "INVALID_BODY"),
        [
            "/narrative/0/a~1b~0c UNKNOWN_FIELD",
            "/submit WRONG_TYPE",
            "/values/0/indicator WRONG_TYPE",
            "/values/0/value WRONG_TYPE",
            "/values/1/qualifer UNKNOWN_FIELD",
            "/values/2/indicator MISSING_FIELD",
            "/values/2/qualifier WRONG_TYPE",
            "/values/2/value WRONG_TYPE",
            "/valuse UNKNOWN_FIELD",
        ]
    );
    assert_eq!(
        new.put(&path, &json!([]))
            .expect_problem(400, "INVALID_BODY"),
        [" WRONG_TYPE"]
    );
    let wrong_form = json!({
        "name": {"vi": "a", "fr": "b"}, "calendar": "lunar", "frequency": "year",
        "submitted_by": "hamlet", "deadlines": {"hamlet": -1},
        "outline": [{
            "number": "I", "title": {"vi": "a"}, "sections": [{"number": "I.1", "items": [{}]}]
        }]
    });
    assert_eq!(
        admin
            .put("/v1/forms/g", &wrong_form)
            .expect_problem(400, "INVALID_BODY"),
        [
            "/calendar WRONG_TYPE",
            "/deadlines/hamlet INVALID_BODY",
            "/name/fr UNKNOWN_FIELD",
            "/outline/0/sections/0/items/0/indicator MISSING_FIELD",
            "/outline/0/sections/0/title MISSING_FIELD",
            "/submitted_by WRONG_TYPE",
        ]
    );
}

#[test]
fn a_request_that_cannot_be_read_says_why() {
    let (_server, admin) = Server::with_town(Backend::Sqlite);
    add_form(&admin);
    let path = Report::new(&admin, "f").submission("A1");
    let new = admin.with("If-None-Match", "*");
    let send = |content_type: Option<&str>, body: &[u8]| {
        let answer = new.send("PUT", &path, content_type, body);
        expect_sound_problem(&answer);
        answer
    };
    let json_type = Some("application/json");
    let broken = send(json_type, b"{\"values\": [}");
    assert!(broken.text.contains("dòng 1"), "{}", broken.text);
    broken.expect_problem(400, "MALFORMED_JSON");
    send(json_type, b"{\"values\": []} {}").expect_problem(400, "MALFORMED_JSON");
    send(json_type, b"{\"values\": [], \"values\": []}").expect_problem(400, "INVALID_BODY");
    send(json_type, b"\xff\xfe").expect_problem(400, "MALFORMED_JSON");
    send(json_type, "[".repeat(10_000).as_bytes()).expect_problem(400, "MALFORMED_JSON");
    send(json_type, b"").expect_problem(400, "MALFORMED_JSON");
    send(None, b"{}").expect_problem(415, "UNSUPPORTED_MEDIA_TYPE");
    send(Some("text/plain"), b"{}").expect_problem(415, "UNSUPPORTED_MEDIA_TYPE");
    let latin = Some("application/json; charset=iso-8859-1");
    send(latin, b"{}").expect_problem(415, "UNSUPPORTED_MEDIA_TYPE");
    let mut large = vec![b' '; BODY_LIMIT];
    large.extend_from_slice(b"{}");
    send(json_type, &large).expect_problem(413, "BODY_TOO_LARGE");
    admin
        .send("POST", "/v1/units/import", json_type, b"{}")
        .expect_problem(415, "UNSUPPORTED_MEDIA_TYPE");
    let unread = admin.post_csv("/v1/units/import", "a,b\n1,2\n");
    expect_sound_problem(&unread);
    unread.expect_problem(400, "MALFORMED_CSV");
    let unneeded = new.post_json(&format!("{path}/submit"), &json!({"a": 1}));
    unneeded.expect_problem(400, "INVALID_BODY");
}

#[test]
fn paths_methods_and_parameters_that_do_not_exist_are_told() {
    let (_server, admin) = Server::with_town(Backend::Sqlite);
    let get = |path: &str| {
        let answer = admin.get(path);
        expect_sound_problem(&answer);
        answer
    };
    for path in [
        "/v1",
        "/v1/nothing",
        "/v2/units",
        "/v1/units/code:A/",
        "/v1/units/a%00b",
    ] {
        get(path).expect_problem(404, "ROUTE_NOT_FOUND");
    }
    let wrong_method = admin.send("DELETE", "/v1/units", None, b"");
    expect_sound_problem(&wrong_method);
    assert_eq!(wrong_method.header("allow"), Some("GET, HEAD, POST"));
    wrong_method.expect_problem(405, "METHOD_NOT_ALLOWED");
    let posted = admin.post("/v1/me");
    assert_eq!(posted.header("allow"), Some("GET, HEAD"));
    posted.expect_problem(405, "METHOD_NOT_ALLOWED");

    assert_eq!(
        get("/v1/units?levle=commune&form=1").expect_problem(400, "UNKNOWN_PARAMETER"),
        ["form UNKNOWN_PARAMETER", "levle UNKNOWN_PARAMETER"]
    );
    let wrong = [
        ("/v1/units?level=a&level=b", "level"),
        ("/v1/units?limit=0", "limit"),
        ("/v1/units?limit=1001", "limit"),
        ("/v1/units?limit=-1", "limit"),
        ("/v1/units?limit=99999999999999999999", "limit"),
        ("/v1/units?as_of=2024-02-30", "as_of"),
        ("/v1/units?as_of=h%C3%B4m+nay", "as_of"),
        ("/v1/units?q=%00", "q"),
        ("/v1/forms/f/periods", "year"),
        ("/v1/forms/f/periods?year=x", "year"),
        (
            "/v1/forms/f/periods/2024/units/code:A/rollup?stage=draft",
            "stage",
        ),
        (
            "/v1/forms/f/periods/2024/units/code:A/rollup?include=all",
            "include",
        ),
    ];
    for (path, parameter) in wrong {
        let faults = get(path).expect_problem(400, "INVALID_PARAMETER");
        assert_eq!(faults, [format!("{parameter} INVALID_PARAMETER")], "{path}");
    }
}

#[test]
fn a_value_that_the_document_allows_and_no_type_holds_is_told_in_words() {
    let (_server, admin) = Server::with_town(Backend::Sqlite);
    add_form(&admin);
    let mut late = form(&["x"]);
    late["deadlines"] = json!({"hamlet": 70_000});
    let mut undated = form(&["x"]);
    undated["valid_from"] = json!("2024-13-01");
    let mut high = indicator("sum");
    high["decimals"] = json!(300);
    let level = json!({"name": {"vi": "Tổ"}, "rank": 3_000_000_000_u64});
    for (path, body, pointer) in [
        ("/v1/forms/g", &late, "/deadlines/hamlet"),
        ("/v1/forms/g", &undated, "/valid_from"),
        ("/v1/indicators/g", &high, "/decimals"),
        ("/v1/levels/g", &level, "/rank"),
    ] {
        let answer = admin.put(path, body);
        expect_sound_problem(&answer);
        let faults = answer.expect_problem(400, "INVALID_BODY");
        assert_eq!(faults.len(), 1, "{faults:?}");
        assert!(faults[0].starts_with(&format!("{pointer} ")), "{faults:?}");
    }
}

#[test]
fn a_problem_speaks_vietnamese_unless_english_is_preferred() {
    let server = Server::start(Backend::Sqlite);
    let client = server.anonymous();
    let language = |accept: &str| {
        let answer = client.with("Accept-Language", accept).get("/v1/me");
        expect_sound_problem(&answer);
        let detail = answer.json()["detail"].as_str().unwrap().to_owned();
        let language = answer.header("content-language").unwrap().to_owned();
        answer.expect_problem(401, "NOT_SIGNED_IN");
        (language, detail.starts_with("You are not signed in"))
    };
    let plain = client.get("/v1/me");
    assert_eq!(plain.header("content-language"), Some("vi"));
    assert!(
        plain.json()["detail"]
            .as_str()
            .unwrap()
            .starts_with("Bạn chưa đăng nhập")
    );
    assert_eq!(plain.json()["title"], "Chưa đăng nhập");
    assert_eq!(plain.header("www-authenticate"), Some("Bearer"));
    for english in ["en", "en-US,en;q=0.9", "fr, en;q=0.5, vi;q=0.2"] {
        assert_eq!(language(english), ("en".to_owned(), true), "{english}");
    }
    for vietnamese in ["vi", "vi,en;q=0.9", "fr", "", "en;q=0", "*"] {
        assert_eq!(
            language(vietnamese),
            ("vi".to_owned(), false),
            "{vietnamese}"
        );
    }
    // Both languages know every code alike: the code is what programs read.
    let ids: Vec<Value> = (0..2)
        .map(|_| client.get("/v1/me").json()["request_id"].clone())
        .collect();
    assert_ne!(ids[0], ids[1]);
}
