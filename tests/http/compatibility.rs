//! The document is compatible with the last released one: whoever generated a client from
//! `openapi/released.json` goes on with it. `docs/compatibility.md` has the rules.
//!
//! A release copies `openapi/openapi.json` to `openapi/released.json`.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::openapi::document;

/// The side of an exchange on which a schema stands.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Side {
    Request,
    Answer,
}

/// A comparison of the released document with the present one.
struct Comparison<'d> {
    released: &'d Value,
    now: &'d Value,
    breaks: Vec<String>,
    /// The pairs of named schemas that were compared already.
    compared: BTreeSet<(Side, String, String)>,
}

fn breaks(released: &Value, now: &Value) -> Vec<String> {
    let mut comparison = Comparison {
        released,
        now,
        breaks: Vec::new(),
        compared: BTreeSet::new(),
    };
    comparison.compare_operations();
    comparison.breaks
}

fn object<'v>(value: &'v Value, name: &str) -> impl Iterator<Item = (&'v String, &'v Value)> {
    value[name].as_object().into_iter().flatten()
}

fn texts(value: &Value) -> BTreeSet<&str> {
    let items = value.as_array().into_iter().flatten();
    items.filter_map(Value::as_str).collect()
}

/// The types of a schema, whether it names one or several.
fn types(schema: &Value) -> BTreeSet<&str> {
    match &schema["type"] {
        Value::String(one) => BTreeSet::from([one.as_str()]),
        several => texts(several),
    }
}

/// Tells whether a whole number fitted 32 bits by its bounds, and now its format says so. Every
/// value that could be sent can still be sent.
fn is_only_narrowed(before: &Value, after: &Value) -> bool {
    let fits = |bound: &str| {
        let (before, after) = (before[bound].as_i64(), after[bound].as_i64());
        before == after && before.is_some_and(|bound| i32::try_from(bound).is_ok())
    };
    before["format"] == "int64" && after["format"] == "int32" && fits("minimum") && fits("maximum")
}

fn resolved<'d>(document: &'d Value, schema: &'d Value) -> &'d Value {
    match schema["$ref"].as_str() {
        Some(reference) => document.pointer(&reference[1..]).unwrap(),
        None => schema,
    }
}

/// The fields of a schema, those of its parts too.
fn fields<'d>(document: &'d Value, schema: &'d Value) -> Vec<(&'d String, &'d Value)> {
    let schema = resolved(document, schema);
    let parts = schema["allOf"].as_array().into_iter().flatten();
    let of_parts = parts.flat_map(|part| fields(document, part));
    object(schema, "properties").chain(of_parts).collect()
}

fn required<'d>(document: &'d Value, schema: &'d Value) -> BTreeSet<&'d str> {
    let schema = resolved(document, schema);
    let parts = schema["allOf"].as_array().into_iter().flatten();
    let of_parts = parts.flat_map(|part| required(document, part));
    texts(&schema["required"])
        .into_iter()
        .chain(of_parts)
        .collect()
}

fn operations(document: &Value) -> impl Iterator<Item = (String, &Value)> {
    object(document, "paths").flat_map(|(path, item)| {
        let operations = item.as_object().unwrap().iter();
        operations.map(move |(method, operation)| (format!("{method} {path}"), operation))
    })
}

impl Comparison<'_> {
    fn say(&mut self, what: String) {
        self.breaks.push(what);
    }

    fn compare_operations(&mut self) {
        let (released, now) = (self.released, self.now);
        for (name, before) in operations(released) {
            let Some((_, after)) = operations(now).find(|(other, _)| *other == name) else {
                self.say(format!("{name} is gone"));
                continue;
            };
            if before["operationId"] != after["operationId"] {
                self.say(format!("{name} has another operationId"));
            }
            self.compare_parameters(&name, before, after);
            self.compare_body(&name, before, after);
            self.compare_answers(&name, before, after);
        }
    }

    fn compare_parameters(&mut self, name: &str, before: &Value, after: &Value) {
        let all = |operation: &Value| operation["parameters"].as_array().unwrap().clone();
        let same = |a: &Value, b: &Value| a["name"] == b["name"] && a["in"] == b["in"];
        let (before, after) = (all(before), all(after));
        for parameter in &before {
            let what = format!("{name}: the parameter {}", parameter["name"]);
            match after.iter().find(|other| same(parameter, other)) {
                None => self.say(format!("{what} is gone")),
                Some(other) => {
                    if other["required"] == true && parameter["required"] != true {
                        self.say(format!("{what} became required"));
                    }
                    self.compare(Side::Request, &what, &parameter["schema"], &other["schema"]);
                }
            }
        }
        for parameter in after.iter().filter(|other| other["required"] == true) {
            if !before.iter().any(|known| same(parameter, known)) {
                let what = &parameter["name"];
                self.say(format!("{name}: the required parameter {what} is new"));
            }
        }
    }

    fn compare_body(&mut self, name: &str, before: &Value, after: &Value) {
        let (before, after) = (&before["requestBody"], &after["requestBody"]);
        if before.is_null() && after["required"] == true {
            self.say(format!("{name} needs a body"));
        }
        for (media_type, content) in object(before, "content") {
            let what = format!("{name}: the body in {media_type}");
            match after["content"].get(media_type) {
                None => self.say(format!("{what} is not taken any more")),
                Some(other) => {
                    self.compare(Side::Request, &what, &content["schema"], &other["schema"]);
                }
            }
        }
    }

    fn compare_answers(&mut self, name: &str, before: &Value, after: &Value) {
        for (status, answer) in object(before, "responses") {
            // A refusal that cannot come any more troubles nobody.
            if !status.starts_with('2') && after["responses"].get(status).is_none() {
                continue;
            }
            let what = format!("{name}: the answer {status}");
            let Some(other) = after["responses"].get(status) else {
                self.say(format!("{what} is gone"));
                continue;
            };
            for (header, _) in object(answer, "headers") {
                if other["headers"].get(header).is_none() {
                    self.say(format!("{what} has no header {header} any more"));
                }
            }
            for (media_type, content) in object(answer, "content") {
                match other["content"].get(media_type) {
                    None => self.say(format!("{what} in {media_type} is gone")),
                    Some(other) => {
                        self.compare(Side::Answer, &what, &content["schema"], &other["schema"]);
                    }
                }
            }
        }
        let news = object(after, "responses").map(|(status, _)| status);
        let new = news.filter(|status| {
            status.starts_with('2') && before["responses"].get(status.as_str()).is_none()
        });
        for status in new {
            self.say(format!("{name}: the answer {status} is new"));
        }
    }

    fn compare(&mut self, side: Side, what: &str, before: &Value, after: &Value) {
        if let (Some(before), Some(after)) = (before["$ref"].as_str(), after["$ref"].as_str())
            && !self
                .compared
                .insert((side, before.to_owned(), after.to_owned()))
        {
            return;
        }
        let before = resolved(self.released, before);
        let after = resolved(self.now, after);
        self.compare_values(side, what, before, after);
        self.compare_fields(side, what, before, after);
        if before["items"].is_object() {
            let what = format!("an item of {what}");
            self.compare(side, &what, &before["items"], &after["items"]);
        }
        if before["additionalProperties"].is_object() {
            let what = format!("a value of {what}");
            let (before, after) = (
                &before["additionalProperties"],
                &after["additionalProperties"],
            );
            self.compare(side, &what, before, after);
        }
        self.compare_forms(side, what, before, after);
    }

    /// A request may say what it could say; an answer says nothing that it could not say.
    fn compare_values(&mut self, side: Side, what: &str, before: &Value, after: &Value) {
        let (wider, narrower) = match side {
            Side::Request => (after, before),
            Side::Answer => (before, after),
        };
        if !types(narrower).is_subset(&types(wider)) && !types(wider).is_empty() {
            self.say(format!("{what} has another type"));
        }
        let is_narrowed = side == Side::Request && is_only_narrowed(before, after);
        if before["format"] != after["format"] && !is_narrowed {
            self.say(format!("{what} has another format"));
        }
        let values = |schema: &Value| -> BTreeSet<String> {
            let values = schema["enum"].as_array().into_iter().flatten();
            values.map(Value::to_string).collect()
        };
        let (wider, narrower) = (values(wider), values(narrower));
        if !wider.is_empty() && (narrower.is_empty() || !narrower.is_subset(&wider)) {
            self.say(format!("{what} has other values"));
        }
    }

    fn compare_fields(&mut self, side: Side, what: &str, before: &Value, after: &Value) {
        let (released, now) = (self.released, self.now);
        let (known, present) = (fields(released, before), fields(now, after));
        for (name, field) in known {
            let what = format!("{what}: the field {name}");
            match present.iter().find(|(other, _)| *other == name) {
                None => self.say(format!("{what} is gone")),
                Some((_, other)) => self.compare(side, &what, field, other),
            }
        }
        let (before, after) = (required(released, before), required(now, after));
        let changed: Vec<&str> = match side {
            Side::Request => after.difference(&before).copied().collect(),
            Side::Answer => before.difference(&after).copied().collect(),
        };
        for name in changed {
            let how = match side {
                Side::Request => "became required",
                Side::Answer => "may be missing",
            };
            self.say(format!("{what}: the field {name} {how}"));
        }
    }

    fn compare_forms(&mut self, side: Side, what: &str, before: &Value, after: &Value) {
        let forms = |schema: &Value| schema["oneOf"].as_array().cloned().unwrap_or_default();
        let (before, after) = (forms(before), forms(after));
        let (fewer, more) = match side {
            Side::Request => (&before, &after),
            Side::Answer => (&after, &before),
        };
        let same = |a: &Value, b: &Value| {
            a["$ref"] == b["$ref"] && (a["$ref"].is_string() || a["type"] == b["type"])
        };
        for form in fewer {
            if !more.iter().any(|other| same(form, other)) {
                self.say(format!("{what} has other forms"));
            }
        }
        for form in &before {
            if let Some(other) = after.iter().find(|other| same(form, other)) {
                self.compare(side, what, form, other);
            }
        }
    }
}

fn released() -> Value {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi/released.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

#[test]
fn whoever_has_a_client_of_the_last_release_goes_on_with_it() {
    let breaks = breaks(&released(), &document());
    assert!(
        breaks.is_empty(),
        "not compatible (docs/compatibility.md): {breaks:#?}"
    );
}

/// Changes the document at a place, and tells what that breaks.
fn breaks_by(change: impl FnOnce(&mut Value)) -> Vec<String> {
    let released = document();
    let mut now = released.clone();
    change(&mut now);
    breaks(&released, &now)
}

fn fields_of<'d>(document: &'d mut Value, schema: &str) -> &'d mut Map<String, Value> {
    let schema = &mut document["components"]["schemas"][schema];
    schema["properties"].as_object_mut().unwrap()
}

#[test]
fn what_a_client_relies_on_cannot_be_taken_away() {
    let told = |change: fn(&mut Value), expected: &str| {
        let breaks = breaks_by(change);
        assert!(
            breaks.iter().any(|line| line.contains(expected)),
            "{expected}: {breaks:?}"
        );
    };
    told(
        |now| {
            now["paths"].as_object_mut().unwrap().remove("/v1/me");
        },
        "get /v1/me is gone",
    );
    told(
        |now| {
            fields_of(now, "UnitView").remove("name");
        },
        "the field name is gone",
    );
    told(
        |now| fields_of(now, "UnitView")["name"]["type"] = json!("integer"),
        "the field name has another type",
    );
    // Whoever reads the changes sends numbers that need more than 32 bits.
    told(
        |now| {
            let parameters = now["paths"]["/v1/changes"]["get"]["parameters"].as_array_mut();
            let mut parameters = parameters.unwrap().iter_mut();
            let after = parameters.find(|parameter| parameter["name"] == "after");
            after.unwrap()["schema"]["format"] = json!("int32");
        },
        "has another format",
    );
    told(
        |now| now["components"]["schemas"]["UnitView"]["required"] = json!(["id"]),
        "the field code may be missing",
    );
    told(
        |now| {
            let body = &mut now["components"]["schemas"]["SubmissionBody"];
            body["required"] = json!(["values", "narrative"]);
        },
        "the field narrative became required",
    );
    told(
        |now| now["components"]["schemas"]["Role"]["enum"] = json!(["reporter", "approver"]),
        "has other values",
    );
    told(
        |now| {
            let parameters = &mut now["paths"]["/v1/units"]["get"]["parameters"];
            parameters.as_array_mut().unwrap().remove(0);
        },
        "is gone",
    );
    told(
        |now| now["paths"]["/v1/units"]["get"]["parameters"][0]["required"] = json!(true),
        "became required",
    );
    told(
        |now| {
            let responses = &mut now["paths"]["/v1/units"]["get"]["responses"];
            let headers = responses["200"]["headers"].as_object_mut().unwrap();
            headers.remove("ETag");
        },
        "has no header ETag any more",
    );
    told(
        |now| {
            let put = &mut now["paths"]["/v1/levels/{level}"]["put"]["responses"];
            put["202"] = put["200"].clone();
        },
        "the answer 202 is new",
    );
}

#[test]
fn what_is_added_breaks_no_client() {
    assert_eq!(breaks_by(|_| {}), Vec::<String>::new());
    let added = breaks_by(|now| {
        let me = now["paths"]["/v1/me"].clone();
        now["paths"]["/v1/you"] = me;
        fields_of(now, "UnitView").insert("colour".to_owned(), json!({"type": "string"}));
        fields_of(now, "UnitBody").insert("colour".to_owned(), json!({"type": "string"}));
        let kinds = &mut now["components"]["schemas"]["ChangeKind"]["x-extensible-enum"];
        kinds.as_array_mut().unwrap().push(json!("of.tomorrow"));
        let parameters = &mut now["paths"]["/v1/units"]["get"]["parameters"];
        let parameter = json!({"name": "colour", "in": "query", "required": false});
        parameters.as_array_mut().unwrap().push(parameter);
    });
    assert_eq!(added, Vec::<String>::new());
}
