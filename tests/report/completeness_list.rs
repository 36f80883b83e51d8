//! Completeness unit by unit: who is missing, late or returned, and whom to call. The list counts from
//! what is kept where the map stood still, the whole answer by submission: both must agree.

use std::time::Instant;

use serde_json::{Value, json};

use crate::harness::decree::{commune, merge};
use crate::harness::report::{Report, value};
use crate::harness::town::{Town, form};
use crate::harness::{Backend, Client, Server};
use crate::round::tasks::{day, key, window, windowed};
use crate::store::statements;

const COMMUNES: [&str; 14] = [
    "C01", "C02", "C03", "C04", "C05", "C06", "C07", "C08", "C09", "C10", "C11", "C12", "C13",
    "C14",
];

/// A town with fourteen communes, each with a clerk, and a form that they submit.
fn fourteen_communes(backend: Backend) -> (Server, Client, Report) {
    let communes = COMMUNES.map(|code| format!("{code},Xã {code},commune,T\n"));
    let units = format!("P,Tỉnh,province,\nT,Thị xã,town,P\n{}", communes.concat());
    let mut body = windowed(&[window("a", (-30, -10), Some(-5))]);
    body["submitted_by"] = json!(["commune"]);
    let (server, admin, report) = Town::of(backend, &units)
        .indicators(&[("x", "sum")])
        .own_form("f", body)
        .build_for(&key("a", -30));
    for code in COMMUNES {
        let clerk = json!({
            "login": format!("clerk-{code}"), "name": format!("Chị {code}"),
            "telephone": format!("0912 {}", &code[1..]),
            "grants": [{"role": "reporter", "unit": format!("code:{code}")}]
        });
        admin.post_json("/v1/accounts", &clerk).expect_status(201);
    }
    (server, admin, report)
}

fn path(form: &str, period: &str, unit: &str) -> String {
    format!("/v1/forms/{form}/periods/{period}/units/code:{unit}/completeness")
}

#[track_caller]
fn read(client: &Client, query: &str) -> Value {
    let answer = client.get(&format!("{}{query}", path("f", &key("a", -30), "T")));
    answer.expect_status(200).json()
}

/// The units of a list, each with whom to call: `C03 Chị C03 0912 03`.
fn called(answer: &Value) -> Vec<String> {
    let items = answer["items"].as_array().unwrap().iter();
    items
        .map(|item| {
            let contacts = item["contacts"].as_array().unwrap().iter();
            let contacts = contacts.map(|contact| {
                let text = |field: &str| contact[field].as_str().unwrap();
                format!(" {} {}", text("name"), text("telephone"))
            });
            let contacts: String = contacts.collect();
            format!("{}{contacts}", item["unit"]["code"].as_str().unwrap())
        })
        .collect()
}

/// `expected submitted approved returned late missing overdue`.
fn counts(progress: &Value) -> String {
    let fields = [
        "expected",
        "submitted",
        "approved",
        "returned",
        "late",
        "missing",
        "overdue",
    ];
    fields.map(|field| progress[field].to_string()).join(" ")
}

/// What the list tells of each child is what the whole answer does.
#[track_caller]
fn expect_same_children(admin: &Client, path: &str) {
    let whole = admin.get(path).expect_status(200).json();
    let listed = admin.get(&format!("{path}?of=children&limit=1000"));
    let listed = listed.expect_status(200).json();
    for field in [
        "form",
        "period",
        "unit",
        "rev",
        "map",
        "total",
        "own",
        "release",
        "own_periods",
        "periods",
    ] {
        assert_eq!(listed[field], whole[field], "{field}");
    }
    assert_eq!(listed["children"], json!([]));
    let children = whole["children"].as_array().unwrap();
    let items = listed["items"].as_array().unwrap();
    assert_eq!(items.len(), children.len());
    for (item, child) in items.iter().zip(children) {
        for field in [
            "unit",
            "not_divided",
            "total",
            "own",
            "release",
            "own_periods",
        ] {
            assert_eq!(
                item[field], child[field],
                "{field} of {}",
                child["unit"]["code"]
            );
        }
    }
}

on_both_backends! {
    fn the_list_of_the_missing_names_former_units_too(backend) {
        let (server, admin, report) = Town::new(backend)
            .indicators(&[("x", "sum")])
            .own_form("f", windowed(&[window("a", (-30, -10), Some(-5))]))
            .build_for(&key("a", -30));
        let head = json!({
            "login": "head", "name": "Chị Hoa", "telephone": "0912",
            "grants": [{"role": "approver", "unit": "code:T"}]
        });
        admin.post_json("/v1/accounts", &head).expect_status(201);
        let hamlet = |code: &str, parent: &str| json!({
            "code": code, "name": "Ấp Mới", "level": "hamlet", "parent": format!("code:{parent}")
        });
        // After the period A1 is divided over two communes, and nobody knows in which shares.
        admin.reorganise(&day(-5).to_string(), &json!([{"op": "split", "from": "code:A1", "into": [
            {"unit": hamlet("A3", "A")}, {"unit": hamlet("B3", "B")}]}]));
        report.submit("A", &[value("x", 1)]);
        let base = path("f", &key("a", -30), "T");
        let today = day(0);
        let listed = |rest: &str| admin.get(&format!("{base}?as_of={today}&{rest}")).expect_status(200).json();
        let told = |answer: &Value| -> Vec<String> {
            let items = answer["items"].as_array().unwrap().iter();
            items
                .map(|item| {
                    let left = if item["not_divided"] == true { " left" } else { "" };
                    format!("{}{left} {}", item["unit"]["code"].as_str().unwrap(), item["total"]["missing"])
                })
                .collect()
        };
        let children = listed("of=children&status=missing");
        assert_eq!(told(&children), ["A 1", "B 2", "A1 left 1"]);
        assert_eq!(children["total"]["missing"], 4);
        let hamlets = listed("of=level:hamlet&status=missing");
        assert_eq!(told(&hamlets), ["A2 1", "B1 1", "A1 left 1"]);
        // Nobody has a duty on it any more; somebody above has.
        let left = &hamlets["items"][2];
        assert_eq!((&left["contacts_of"]["code"], &left["contacts"][0]["name"]), (&json!("T"), &json!("Chị Hoa")));
        // In pages the same, and nothing twice.
        let (mut paged, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = listed(&format!("of=level:hamlet&status=missing&limit=1{cursor}"));
            paged.extend(told(&page));
            let Some(next) = page["next"].as_str() else { break };
            cursor = format!("&cursor={next}");
        }
        assert_eq!(paged, told(&hamlets));
        expect_same_children(&admin, &base);
        // It can still be entered, for the period in which it stood.
        report.submit("A1", &[value("x", 1)]);
        assert_eq!(told(&listed("of=level:hamlet&status=missing")), ["A2 1", "B1 1"]);
        drop(server);
    }

    fn four_of_fourteen_communes_are_missing_with_their_names_and_numbers(backend) {
        let (server, admin, report) = fourteen_communes(backend);
        for code in COMMUNES.iter().filter(|code| !["C03", "C07", "C08", "C14"].contains(code)) {
            report.submit(code, &[value("x", 1)]);
        }
        report.step("C01", "approve").expect_status(200);
        report.give_back("C02", &json!({"reason": "Sai"})).expect_status(200);
        report.submit("C02", &[value("x", 2)]);
        report.submit("C14", &[value("x", 3)]);
        report.give_back("C14", &json!({"reason": "Thiếu"})).expect_status(200);
        server.create_account("test", "officer", &["viewer@code:T"]);
        let officer = server.sign_in("test", "officer");
        let missing = read(&officer, "?of=level:commune&status=missing");
        let expected = ["C03 Chị C03 0912 03", "C07 Chị C07 0912 07", "C08 Chị C08 0912 08", "C14 Chị C14 0912 14"];
        assert_eq!(called(&missing), expected);
        assert_eq!(counts(&missing["total"]), "14 10 1 1 10 4 4");
        assert_eq!(counts(&missing["items"][3]["total"]), "1 0 0 1 0 1 1");
        assert_eq!(missing["items"][0]["above"]["code"], "T");
        assert_eq!(missing["items"][3]["own"]["status"], "returned");
        assert_eq!((&missing["children"], &missing["next"]), (&json!([]), &Value::Null));
        for (status, number) in [("expected", 14), ("submitted", 10), ("waiting", 9), ("approved", 1), ("returned", 1), ("late", 10), ("missing", 4)] {
            let listed = read(&officer, &format!("?status={status}"));
            assert_eq!(listed["items"].as_array().unwrap().len(), number, "{status}");
        }
        // Who has sent is not to be called.
        assert_eq!(called(&read(&officer, "?status=submitted"))[0], "C01");
        expect_same_children(&admin, &path("f", &key("a", -30), "T"));
        assert_eq!(read(&officer, "")["items"], Value::Null);

        // In pages.
        let mut paged = Vec::new();
        let mut query = "?status=missing&limit=3".to_owned();
        loop {
            let answer = officer.get(&format!("{}{query}", path("f", &key("a", -30), "T")));
            paged.extend(called(&answer.json()));
            let Some(next) = answer.json()["next"].as_str().map(str::to_owned) else { break };
            assert!(answer.header("link").unwrap().contains(&format!("cursor={next}")));
            query = format!("?status=missing&limit=3&cursor={next}");
        }
        assert_eq!(paged, expected);

        for (query, code) in [("?of=none", "INVALID_PARAMETER"), ("?of=level:none", "INVALID_PARAMETER"), ("?of=children&cursor=x", "INVALID_PARAMETER"), ("?status=none", "INVALID_PARAMETER"), ("?of=children&limit=0", "INVALID_PARAMETER")] {
            officer.get(&format!("{}{query}", path("f", &key("a", -30), "T"))).expect_problem(400, code);
        }
        server.create_account("test", "clerk", &["reporter@code:C01"]);
        let clerk = server.sign_in("test", "clerk");
        clerk.get(&format!("{}?of=children", path("f", &key("a", -30), "T"))).expect_problem(403, "NOT_ALLOWED");
    }

    /// Hamlets were due long ago, communes have time: what is overdue is told by level.
    fn levels_have_deadlines_of_their_own(backend) {
        let mut body = windowed(&[window("a", (-30, -20), None)]);
        body["deadlines"] = json!({"hamlet": 1, "commune": 100});
        let (_server, admin, report) = Town::new(backend)
            .indicators(&[("x", "sum")])
            .own_form("f", body)
            .build_for(&key("a", -30));
        let listed = |of: &str| {
            let listed = read(&admin, &format!("?of={of}"));
            let items = listed["items"].as_array().unwrap().iter();
            items.map(|item| counts(&item["total"])).collect::<Vec<_>>()
        };
        assert_eq!(listed("children"), ["3 0 0 0 0 3 2", "2 0 0 0 0 2 1"]);
        report.submit("A1", &[value("x", 1)]);
        report.submit("B", &[value("x", 1)]);
        assert_eq!(listed("children"), ["3 1 0 0 1 2 1", "2 1 0 0 0 1 1"]);
        assert_eq!(listed("level:hamlet"), ["1 1 0 0 1 0 0", "1 0 0 0 0 1 1", "1 0 0 0 0 1 1"]);
        assert_eq!(listed("level:town"), ["5 2 0 0 1 3 2"]);
        assert_eq!(listed("level:province"), [""; 0]);
        for unit in ["T", "A", "B", "A1"] {
            expect_same_children(&admin, &path("f", &key("a", -30), unit));
        }
        // Hamlets that are added afterwards are expected too.
        for (code, parent) in [("A8", "A"), ("B1-1", "B")] {
            let hamlet = json!({"code": code, "name": "Ấp Mới", "level": "hamlet", "parent": format!("code:{parent}")});
            admin.post_json("/v1/units", &hamlet).expect_status(201);
        }
        expect_same_children(&admin, &path("f", &key("a", -30), "T"));
        assert_eq!(listed("children"), ["4 1 0 0 1 3 2", "3 1 0 0 0 2 2"]);
    }

    /// The commune enters for a hamlet without an account: its people are called.
    fn where_nobody_is_to_call_it_is_the_nearest_above(backend) {
        let (server, admin, _report) = Town::new(backend)
            .indicators(&[("x", "sum")])
            .own_form("f", windowed(&[window("a", (-30, -20), None)]))
            .build_for(&key("a", -30));
        for (login, unit) in [("a", "A"), ("a1", "A1")] {
            let clerk = json!({
                "login": login, "name": format!("Chị {unit}"), "telephone": "0912",
                "grants": [{"role": "reporter", "unit": format!("code:{unit}")}]
            });
            admin.post_json("/v1/accounts", &clerk).expect_status(201);
        }
        server.create_account("test", "officer", &["viewer@code:T"]);
        let officer = server.sign_in("test", "officer");
        let told = |client: &Client| {
            let listed = read(client, "?of=level:hamlet&status=missing");
            let of = listed["items"].as_array().unwrap().iter();
            let of = of.map(|item| item["contacts_of"]["code"].as_str().unwrap_or("-").to_owned());
            (called(&listed), of.collect::<Vec<_>>().join(" "))
        };
        let (people, of) = told(&officer);
        assert_eq!(people, ["A1 Chị A1 0912", "A2 Chị A 0912", "B1"]);
        assert_eq!(of, "A1 A -");
        // Whoever no longer has the commune below hears nothing of its people, though the report is of
        // a time when it was there.
        admin.post_json("/v1/units", &json!({"code": "U", "name": "Thị xã khác", "level": "town", "parent": null}))
            .expect_status(201);
        let moved = json!([{"op": "move", "unit": "code:A", "parent": "code:U"}]);
        admin.reorganise(&day(-5).to_string(), &moved);
        assert_eq!(told(&officer), (["A1", "A2", "B1"].map(str::to_owned).to_vec(), "- - -".to_owned()));
        assert_eq!(told(&admin).1, "A1 A -");
    }

    fn who_was_given_more_time_is_neither_late_nor_overdue_in_lists_either(backend) {
        // With the deadline of communes open, and over: A has A1 and A2, B has B1.
        for (communes, before, after) in [
            (100, ["3 1 0 0 1 2 1", "2 0 0 0 0 2 1"], ["3 1 0 0 0 2 0", "2 0 0 0 0 2 1"]),
            (1, ["3 1 0 0 1 2 2", "2 0 0 0 0 2 2"], ["3 1 0 0 0 2 1", "2 0 0 0 0 2 2"]),
        ] {
            let mut body = windowed(&[window("a", (-30, -20), None)]);
            body["deadlines"] = json!({"hamlet": 1, "commune": communes});
            let (_server, admin, report) = Town::new(backend)
                .indicators(&[("x", "sum")])
                .own_form("f", body)
                .build_for(&key("a", -30));
            report.submit("A1", &[value("x", 1)]);
            let listed = || {
                let listed = read(&admin, "?of=children");
                let items = listed["items"].as_array().unwrap().iter();
                items.map(|item| counts(&item["total"])).collect::<Vec<_>>()
            };
            assert_eq!(listed(), before);
            // A1 has sent, A2 still has time, the time of B1 is over again.
            for (unit, until) in [("A1", 3), ("A2", 3), ("B1", -1)] {
                let path = path("f", &key("a", -30), unit).replace("completeness", "extension");
                let given = json!({"until": day(until), "reason": "Lũ"});
                admin.put(&path, &given).expect_status(201);
            }
            assert_eq!(listed(), after);
            let late = read(&admin, "?of=level:hamlet&status=late");
            assert_eq!(called(&late), [""; 0]);
            for unit in ["T", "A", "B"] {
                expect_same_children(&admin, &path("f", &key("a", -30), unit));
            }
        }
    }

    fn longer_periods_and_later_maps_are_listed_too(backend) {
        let mut body = form(&["x"]);
        body["frequency"] = json!("month");
        body["deadlines"] = json!({"hamlet": 1});
        let (_server, admin, reports) = Town::new(backend)
            .indicators(&[("x", "sum")])
            .own_form("m", body)
            .build();
        for (unit, month) in [("A1", "2024-01"), ("A1", "2024-02"), ("A", "2024-01"), ("B1", "2024-03")] {
            reports.submit(unit, month, json!({"x": 1}));
        }
        expect_same_children(&admin, &path("m", "2024-Q1", "T"));
        expect_same_children(&admin, &path("m", "2024-01", "T"));
        let decree = merge(&["A", "B"], &commune("N", "T"));
        admin.reorganise("2024-02-20", &json!([decree]));
        for period in ["2024-Q1", "2024-01", "2024-02", "2024-03"] {
            expect_same_children(&admin, &path("m", period, "T"));
        }
        let restated = admin.get(&format!("{}?of=level:commune&as_of=2024-03-14", path("m", "2024-01", "T")));
        let restated = restated.expect_status(200).json();
        let items = restated["items"].as_array().unwrap();
        assert_eq!(items.len(), 1, "{restated}");
        assert_eq!(items[0]["unit"]["code"], "N");
        assert_eq!(counts(&items[0]["total"])[..5], *"5 2 0");
    }

    /// More units than a statement names: read from what is kept, in as many statements as for few.
    /// 510 are late; one came on paper in time, and one was given more time.
    fn where_most_are_late_the_few_in_time_are_told_apart(backend) {
        let (_server, admin, report) = Town::new(backend)
            .indicators(&[("x", "sum")])
            .own_form("f", windowed(&[window("a", (-30, -10), Some(-5))]))
            .build_for(&key("a", -30));
        let communes = (0..50).map(|number| format!("C{number:02},Xã,commune,T\n"));
        let hamlets = (0..2500).map(|number| format!("H{number:04},Ấp,hamlet,C{:02}\n", number % 50));
        let list: String = std::iter::once("code,name,level,parent_code\n".to_owned())
            .chain(communes)
            .chain(hamlets)
            .collect();
        admin.post_csv("/v1/units/import", &list).expect_status(200);
        let submitted = json!({"values": [value("x", 1)], "submit": true});
        for number in 0..510 {
            admin.create(&report.submission(&format!("H{number:04}")), &submitted).expect_status(201);
        }
        let mut paper = submitted.clone();
        paper["received_on"] = json!(day(-6));
        admin.create(&report.submission("H0510"), &paper).expect_status(201);
        let given = json!({"until": day(3), "reason": "Lũ"});
        let extension = report.submission("H0511").replace("/submission", "/extension");
        admin.put(&extension, &given).expect_status(201);
        admin.create(&report.submission("H0511"), &submitted).expect_status(201);

        let base = path("f", &key("a", -30), "T");
        for query in ["", "?of=children&status=late&limit=1000", "?of=children&limit=1000"] {
            let read = admin.get(&format!("{base}{query}")).expect_status(200).json();
            assert_eq!(counts(&read["total"]), "2555 512 0 0 510 2043 2043", "{query}");
            let listed = if query.is_empty() { &read["children"] } else { &read["items"] };
            let late: Vec<(&str, u64, u64)> = listed
                .as_array()
                .unwrap()
                .iter()
                .map(|item| {
                    let of = |field: &str| item["total"][field].as_u64().unwrap();
                    (item["unit"]["code"].as_str().unwrap(), of("submitted"), of("late"))
                })
                .filter(|(code, ..)| ["C09", "C10", "C11", "C12"].contains(code))
                .collect();
            assert_eq!(late, [("C09", 11, 11), ("C10", 11, 10), ("C11", 11, 10), ("C12", 10, 10)], "{query}");
        }
        let listed = admin.get(&format!("{base}?of=level:hamlet&status=late&limit=1000")).expect_status(200).json();
        let items = listed["items"].as_array().unwrap();
        assert_eq!((items.len(), &items[0]["unit"]["code"]), (510, &json!("H0000")));
        assert!(items.iter().all(|item| item["unit"]["code"].as_str().unwrap() < "H0510"));
    }

    fn a_large_unit_costs_as_few_statements_as_a_small_one(backend) {
        statements::record();
        let (server, admin, report) = Town::new(backend)
            .indicators(&[("x", "sum")])
            .own_form("f", windowed(&[window("a", (-30, -10), Some(-5))]))
            .build_for(&key("a", -30));
        let hamlets: Vec<String> = (0..3000).map(|number| format!("H{number:04}")).collect();
        let communes = (0..50).map(|number| format!("C{number:02},Xã,commune,T\n"));
        let list = hamlets.iter().zip(0..).map(|(code, number)| format!("{code},Ấp,hamlet,C{:02}\n", number % 50));
        let list: String = std::iter::once("code,name,level,parent_code\n".to_owned())
            .chain(communes)
            .chain(list)
            .collect();
        admin.post_csv("/v1/units/import", &list).expect_status(200);
        for unit in ["A1", "H0000", "H0001", "H2999", "C00"] {
            report.submit(unit, &[value("x", 1)]);
        }
        report.give_back("H0001", &json!({"reason": "Sai"})).expect_status(200);
        // Nor does more time for one of them change that.
        let given = json!({"until": day(3), "reason": "Lũ"});
        let extended = path("f", &key("a", -30), "H2998").replace("completeness", "extension");
        admin.put(&extended, &given).expect_status(201);
        let base = path("f", &key("a", -30), "T");
        let queries = ["", "?of=children", "?of=level:hamlet&status=missing", "?of=level:hamlet&status=returned", "?of=level:commune&status=submitted"];
        for query in queries {
            admin.get(&format!("{base}{query}")).expect_status(200);
            let started = Instant::now();
            let sent = statements::sent_during(&server, || {
                let read = admin.get(&format!("{base}{query}")).expect_status(200).json();
                assert_eq!(counts(&read["total"]), "3055 4 0 1 4 3051 3050", "{query}");
            });
            println!("{backend:?} {query:?}: {} statements, {:?}", sent.len(), started.elapsed());
            assert!(statements::about(&sent, "submission") <= 5, "{query}: {sent:#?}");
            assert!(statements::about(&sent, "rollup") <= 2, "{query}: {sent:#?}");
            assert!(sent.len() <= 17, "{query}: {sent:#?}");
        }
        let returned = read(&admin, "?of=level:hamlet&status=returned");
        assert_eq!(called(&returned), ["H0001"]);
        assert_eq!(read(&admin, "?of=level:commune&status=submitted")["items"].as_array().unwrap().len(), 3);
        expect_same_children(&admin, &base);
        expect_same_children(&admin, &path("f", &key("a", -30), "C00"));
    }
}
