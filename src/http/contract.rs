//! Checks requests against the OpenAPI document: paths, methods, query parameters, content types,
//! and the shape of JSON bodies. Adds no rule that the document does not state.
//!
//! The document is made from the list of routes, so requests are checked against what the handlers
//! expect.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::{self, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage, HttpRequest, web};
use itertools::Itertools;
use matchit::Router;
use serde_json::{Map, Value};
use utoipa::openapi::OpenApi;

use super::parameter::{Necessity, Parameter};
use super::problem::Problem;
use super::schema::{BodySchema, Schemas};
use super::violation::listed;
use crate::authz::Operation;
use crate::error::{Code, Fault, MOST_FAULTS};
use crate::message;

/// The OpenAPI document's rules, by request path. A path without names is meant before one with
/// names, as OpenAPI has it.
pub struct Contract {
    paths: Router<PathRules>,
    operations: HashSet<Operation>,
}

struct PathRules {
    operations: Vec<(Method, Arc<OperationRules>)>,
}

/// The rules of one operation.
pub struct OperationRules {
    operation: Operation,
    parameters: BTreeMap<String, Parameter>,
    media_types: Vec<String>,
    body: Option<BodySchema>,
    body_necessity: Necessity,
}

/// The operation that a request matched, kept in the request's extensions.
#[derive(Clone)]
pub struct Matched(pub Arc<OperationRules>);

/// The mark of a HEAD request, kept in the request's extensions, since its handler is given a GET.
struct HeadAsked;

/// Tells whether a request asks for the headers of an answer only.
pub fn asks_for_head(request: &HttpRequest) -> bool {
    request.extensions().get::<HeadAsked>().is_some()
}

/// The reasons for which requests cannot be held to a document.
#[derive(Debug, thiserror::Error)]
pub enum ContractError {
    #[error("the OpenAPI document cannot be written: {0}")]
    Malformed(#[from] serde_json::Error),
    #[error(
        "the OpenAPI document has the operation {0:?}, which is not in the table of operations"
    )]
    Unknown(String),
    #[error("the table of operations has {0:?}, which is not in the OpenAPI document")]
    Missing(&'static str),
    #[error("the OpenAPI document has a path that cannot be told from the others: {0}")]
    Ambiguous(#[from] matchit::InsertError),
}

impl Contract {
    /// Reads the document once. The server's threads share the result.
    ///
    /// # Errors
    /// The document is malformed, or its operations are not those of the table in `authz`.
    pub fn new(document: &OpenApi) -> Result<Contract, ContractError> {
        let contract = Contract::read(document)?;
        let mut all = Operation::ALL.iter();
        match all.find(|operation| !contract.operations.contains(operation)) {
            Some(missing) => Err(ContractError::Missing(missing.id())),
            None => Ok(contract),
        }
    }

    /// Reads a document, whichever operations of the table it has.
    fn read(document: &OpenApi) -> Result<Contract, ContractError> {
        let document = serde_json::to_value(document)?;
        let no_paths = Map::new();
        let paths = document.get("paths").and_then(Value::as_object);
        let paths = paths.unwrap_or(&no_paths).iter();
        let operations = paths
            .clone()
            .flat_map(|(_, item)| item.as_object())
            .flat_map(Map::values);
        let bodies = operations.filter_map(|operation| {
            let schema = operation.pointer(JSON_BODY)?;
            Some((id_of(operation).to_owned(), schema.clone()))
        });
        let components = document.get("components").unwrap_or(&Value::Null);
        let schemas = Arc::new(Schemas::new(&bodies.collect(), components));
        let mut contract = Contract {
            paths: Router::new(),
            operations: HashSet::new(),
        };
        for (template, item) in paths {
            let rules = PathRules::new(item, &schemas)?;
            let operations = rules.operations.iter().map(|(_, rules)| rules.operation);
            contract.operations.extend(operations);
            contract.paths.insert(template, rules)?;
        }
        Ok(contract)
    }

    /// Finds a request's operation and checks the path and the query against it. `None` if the
    /// document does not know the path. `path` is as the router sees it.
    ///
    /// # Errors
    /// A path that is not text, a method that the path does not allow, or invalid query parameters.
    pub fn check(
        &self,
        method: &Method,
        path: &str,
        query: &str,
    ) -> Result<Option<&Arc<OperationRules>>, Problem> {
        if !is_text(path) {
            return Err(Problem::route_not_found());
        }
        let Some(rules) = self.at(path) else {
            return Ok(None);
        };
        let Some(operation) = rules.operation(method) else {
            return Err(method_not_allowed(method, rules.methods()));
        };
        operation.check_query(query)?;
        Ok(Some(operation))
    }

    /// Finds the operation that a method and a path are for.
    pub fn find(&self, method: &Method, path: &str) -> Option<&Arc<OperationRules>> {
        self.at(path)?.operation(method)
    }

    fn at(&self, path: &str) -> Option<&PathRules> {
        let found = self.paths.at(path).ok();
        found.map(|found| found.value)
    }
}

impl PathRules {
    fn new(item: &Value, schemas: &Arc<Schemas>) -> Result<PathRules, ContractError> {
        let no_operations = Map::new();
        let operations = item.as_object().unwrap_or(&no_operations).iter();
        let operations = operations
            .filter_map(|(name, operation)| Some((method_named(name)?, operation)))
            .map(|(method, operation)| {
                let rules = OperationRules::new(operation, schemas)?;
                Ok((method, Arc::new(rules)))
            });
        Ok(PathRules {
            operations: operations.collect::<Result<_, ContractError>>()?,
        })
    }

    fn operation(&self, method: &Method) -> Option<&Arc<OperationRules>> {
        let asked = if method == Method::HEAD {
            &Method::GET
        } else {
            method
        };
        let found = self.operations.iter().find(|(method, _)| method == asked);
        found.map(|(_, rules)| rules)
    }

    /// Lists the allowed methods. HEAD is answered wherever GET is.
    fn methods(&self) -> impl Iterator<Item = &str> {
        let methods = self.operations.iter().map(|(method, _)| method.as_str());
        let has_get = self.operation(&Method::GET).is_some();
        methods.chain(has_get.then_some("HEAD"))
    }
}

/// Returns the method of a path item's member, if the member is an operation.
fn method_named(name: &str) -> Option<Method> {
    match name {
        "get" => Some(Method::GET),
        "put" => Some(Method::PUT),
        "post" => Some(Method::POST),
        "delete" => Some(Method::DELETE),
        "patch" => Some(Method::PATCH),
        _ => None,
    }
}

/// Returns true if no name in the path has invalid UTF-8 or a NUL. Such a name cannot exist, and
/// the database would answer with an error. The router has decoded everything but `%`, `/` and `+`,
/// and put U+FFFD for invalid bytes.
fn is_text(path: &str) -> bool {
    !path.contains(['\0', char::REPLACEMENT_CHARACTER])
}

fn method_not_allowed<'rules>(
    method: &Method,
    allowed: impl Iterator<Item = &'rules str>,
) -> Problem {
    let allowed = allowed.sorted_unstable().dedup().join(", ");
    let problem = Problem::new(
        Code::MethodNotAllowed,
        message!("contract-method-not-allowed", method, allowed),
    );
    match HeaderValue::from_str(&allowed) {
        Ok(value) => problem.with_header(header::ALLOW, value),
        Err(_) => problem,
    }
}

/// The place of the schema of an operation's JSON body.
const JSON_BODY: &str = "/requestBody/content/application~1json/schema";

/// Tells whether a request may leave out the body that the operation describes.
fn body_necessity(operation: &Value) -> Necessity {
    match operation.pointer("/requestBody/required") {
        Some(Value::Bool(true)) => Necessity::Required,
        _ => Necessity::Optional,
    }
}

fn id_of(operation: &Value) -> &str {
    let id = operation.get("operationId").and_then(Value::as_str);
    id.unwrap_or_default()
}

impl OperationRules {
    fn new(operation: &Value, schemas: &Arc<Schemas>) -> Result<OperationRules, ContractError> {
        let id = id_of(operation);
        let known = id.parse();
        let content = operation
            .pointer("/requestBody/content")
            .and_then(Value::as_object);
        let schema = operation.pointer(JSON_BODY);
        Ok(OperationRules {
            operation: known.map_err(|_| ContractError::Unknown(id.to_owned()))?,
            parameters: query_parameters(operation),
            media_types: content
                .map(|content| content.keys().cloned().collect())
                .unwrap_or_default(),
            body: schema.map(|_| BodySchema::of(id, schemas)),
            body_necessity: body_necessity(operation),
        })
    }

    pub fn operation(&self) -> Operation {
        self.operation
    }

    /// Returns true if the document describes a body.
    pub fn takes_body(&self) -> bool {
        !self.media_types.is_empty()
    }

    /// Returns the faults of a well-formed JSON body against the document; empty if the document
    /// has no schema for it.
    pub fn faults(&self, body: &[u8]) -> Vec<Fault> {
        let faults = self.body.as_ref().map(|schema| schema.faults(body));
        faults.unwrap_or_default()
    }

    fn check_query(&self, query: &str) -> Result<(), Problem> {
        let given = query_pairs(query)?;
        let names = given.iter().map(|(name, _)| name.as_str());
        let unknown = names.clone().filter(|name| !self.knows(name)).unique();
        let faults = unknown.map(|name| self.unknown_parameter(name));
        let faults = faults.take(MOST_FAULTS).collect_vec();
        if !faults.is_empty() {
            return Err(wrong_query(Code::UnknownParameter, faults));
        }
        let twice = names.clone().duplicates().map(parameter_twice);
        let no_text = given.iter().filter(|(_, value)| value.contains('\0'));
        let no_text = no_text.map(|(name, _)| parameter_with_nul(name));
        let missing = self.required().filter(|name| !names.clone().contains(name));
        let missing = missing.map(missing_parameter);
        let wrong = given
            .iter()
            .filter_map(|(name, value)| self.parameters.get(name)?.fault(name, value));
        let faults = twice.chain(no_text).chain(missing).chain(wrong);
        let faults = faults.take(MOST_FAULTS).collect_vec();
        if faults.is_empty() {
            Ok(())
        } else {
            Err(wrong_query(Code::InvalidParameter, faults))
        }
    }

    fn knows(&self, parameter: &str) -> bool {
        self.parameters.contains_key(parameter)
    }

    fn required(&self) -> impl Iterator<Item = &str> {
        let required = self.parameters.iter();
        let required = required.filter(|(_, known)| known.necessity == Necessity::Required);
        required.map(|(name, _)| name.as_str())
    }

    fn unknown_parameter(&self, name: &str) -> Fault {
        let message = match listed(self.parameters.keys()) {
            Some(allowed) => message!("contract-unknown-parameter", name, allowed),
            None => message!("contract-unknown-parameter-none-like-it", name),
        };
        Fault::in_parameter(name, Code::UnknownParameter, message)
    }

    /// Checks that a body's content type is one of the document's. A request without a content type
    /// is left to whoever reads its body.
    fn check_content_type(&self, request: &ServiceRequest) -> Result<(), Problem> {
        let has_type = request.headers().contains_key(header::CONTENT_TYPE);
        let is_named = match self.body_necessity {
            Necessity::Required => has_type || has_body(request),
            // Some clients name a type when they send nothing, and some none when they send a body.
            Necessity::Optional => has_type && has_body(request),
        };
        let is_checked = self.takes_body() && is_named;
        if !is_checked || self.takes_content_type(request) {
            return Ok(());
        }
        Err(wrong_content_type(&self.media_types.join(", ")))
    }

    fn takes_content_type(&self, request: &ServiceRequest) -> bool {
        let Ok(Some(given)) = request.mime_type() else {
            return false;
        };
        self.media_types.iter().any(|taken| {
            let is_like_json = given.suffix().is_some_and(|suffix| suffix == "json");
            given.essence_str().eq_ignore_ascii_case(taken)
                || taken == "application/json" && is_like_json
        })
    }
}

fn has_body(request: &ServiceRequest) -> bool {
    let headers = request.headers();
    let length = headers.get(header::CONTENT_LENGTH);
    headers.contains_key(header::TRANSFER_ENCODING) || length.is_some_and(|length| length != "0")
}

fn query_parameters(operation: &Value) -> BTreeMap<String, Parameter> {
    let no_parameters = Vec::new();
    let parameters = operation.get("parameters").and_then(Value::as_array);
    let parameters = parameters.unwrap_or(&no_parameters).iter();
    parameters
        .filter(|parameter| parameter.get("in").is_some_and(|place| place == "query"))
        .filter_map(|parameter| {
            let name = parameter.get("name")?.as_str()?;
            Some((name.to_owned(), Parameter::new(parameter)))
        })
        .collect()
}

fn query_pairs(query: &str) -> Result<Vec<(String, String)>, Problem> {
    let pairs = web::Query::<Vec<(String, String)>>::from_query(query);
    pairs
        .map(web::Query::into_inner)
        .map_err(|_| Problem::new(Code::InvalidParameter, message!("contract-query-pairs")))
}

fn parameter_twice(name: &str) -> Fault {
    let message = message!("contract-parameter-twice", name);
    Fault::in_parameter(name, Code::InvalidParameter, message)
}

fn parameter_with_nul(name: &str) -> Fault {
    let message = message!("contract-parameter-with-nul", name);
    Fault::in_parameter(name, Code::InvalidParameter, message)
}

fn missing_parameter(name: &str) -> Fault {
    let message = message!("contract-missing-parameter", name);
    Fault::in_parameter(name, Code::InvalidParameter, message)
}

/// Builds the answer to an invalid query. Its sentence is that of the first fault.
pub(super) fn wrong_query(code: Code, faults: Vec<Fault>) -> Problem {
    let message = faults.first().map(|fault| fault.message.clone());
    let message = message.unwrap_or_else(|| message!("contract-wrong-query"));
    Problem::new(code, message).with_faults(faults)
}

/// The middleware that admits only what the document describes. Leaves unknown paths to other
/// handlers.
///
/// # Errors
/// The errors of the services inside.
pub async fn hold<B: MessageBody>(
    contract: web::Data<Contract>,
    mut request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, Error> {
    match admit(&contract, &request) {
        Ok(Some(matched)) => {
            request.extensions_mut().insert(matched);
        }
        Ok(None) => {}
        Err(problem) => return Ok(request.error_response(problem).map_into_right_body()),
    }
    // Routes exist for GET only. The server omits the body of the answer to a HEAD request.
    if request.method() == Method::HEAD {
        request.extensions_mut().insert(HeadAsked);
        request.head_mut().method = Method::GET;
    }
    let response = next.call(request).await?;
    Ok(response.map_into_left_body())
}

fn admit(contract: &Contract, request: &ServiceRequest) -> Result<Option<Matched>, Problem> {
    let path = request.match_info().as_str();
    let found = contract.check(request.method(), path, request.query_string())?;
    let Some(rules) = found else {
        return Ok(None);
    };
    rules.check_content_type(request)?;
    Ok(Some(Matched(Arc::clone(rules))))
}

/// Makes the answer to a body of a type that the operation does not take.
pub(super) fn wrong_content_type(taken: &str) -> Problem {
    let message = message!("contract-wrong-content-type", taken);
    Problem::new(Code::UnsupportedMediaType, message)
}

#[cfg(test)]
mod tests {
    use actix_web::ResponseError;
    use serde_json::json;

    use super::*;

    fn document() -> OpenApi {
        let name = json!({
            "type": "object", "required": ["vi"], "additionalProperties": false,
            "properties": {"vi": {"type": "string"}, "en": {"type": ["string", "null"]}}
        });
        let step = json!({"oneOf": [
            {"type": "object", "required": ["op", "unit"],
             "properties": {"op": {"type": "string", "enum": ["move"]}, "unit": {"type": "string"}}},
            {"type": "object", "required": ["op"],
             "properties": {"op": {"type": "string", "enum": ["abolish"]}}}
        ]});
        let thing = json!({
            "type": "object", "required": ["name"], "additionalProperties": false,
            "properties": {
                "name": {"$ref": "#/components/schemas/Name"},
                "short": {"oneOf": [{"type": "null"}, {"$ref": "#/components/schemas/Name"}]},
                "step": {"$ref": "#/components/schemas/Step"},
                "value": {"oneOf": [{"type": "number"}, {"type": "string"}]}
            }
        });
        let parameter = |name: &str, place: &str, required: bool| json!({"name": name, "in": place, "required": required});
        let body = json!({"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}}});
        let document = json!({
            "openapi": "3.1.0", "info": {"title": "", "version": ""},
            "paths": {"/things/{thing}": {
                "get": {"operationId": "get_unit", "responses": {}, "parameters": [
                    parameter("thing", "path", true), parameter("from", "query", true), parameter("to", "query", false)
                ]},
                "put": {"operationId": "put_level", "responses": {}, "requestBody": body}
            }, "/things/import": {"post": {"operationId": "import_units", "responses": {}}}},
            "components": {"schemas": {"Name": name, "Step": step, "Thing": thing}}
        });
        serde_json::from_value(document).unwrap()
    }

    fn checked(method: &str, path: &str, query: &str) -> String {
        let contract = Contract::read(&document()).unwrap();
        let method = method.parse().unwrap();
        match contract.check(&method, path, query) {
            Ok(found) => found
                .map_or("unknown", |rules| rules.operation().id())
                .to_owned(),
            Err(problem) => format!("{} {problem}", problem.status_code().as_u16()),
        }
    }

    #[test]
    fn requests_are_held_to_paths_methods_and_parameters() {
        let get = |query| checked("GET", "/things/1", query);
        assert_eq!(get("from=1&to=%20"), "get_unit");
        assert_eq!(checked("HEAD", "/things/1", "from=1"), "get_unit");
        assert_eq!(checked("GET", "/other", "from=1"), "unknown");
        assert_eq!(checked("POST", "/things/import", ""), "import_units");
        let read = checked("GET", "/things/import", "from=1");
        assert!(read.starts_with("405 METHOD_NOT_ALLOWED"), "{read}");
        assert_eq!(
            get("form=1"),
            "400 UNKNOWN_PARAMETER: There is no parameter form. Those taken are: from, to."
        );
        assert_eq!(
            get("from=1&from=2"),
            "400 INVALID_PARAMETER: The parameter from may be given once."
        );
        assert_eq!(
            get("from=%00"),
            "400 INVALID_PARAMETER: The parameter from holds a NUL character."
        );
        assert_eq!(
            get(""),
            "400 INVALID_PARAMETER: The parameter from is missing."
        );
        assert_eq!(
            checked("DELETE", "/things/1", ""),
            "405 METHOD_NOT_ALLOWED: This path does not take DELETE, only GET, HEAD, PUT."
        );
        assert!(checked("GET", "/things/\0", "from=1").starts_with("404 ROUTE_NOT_FOUND"));
    }

    fn faults(body: Value) -> Vec<String> {
        let contract = Contract::read(&document()).unwrap();
        let found = contract.check(&Method::PUT, "/things/1", "").ok().flatten();
        let body = body.to_string();
        let faults = found.unwrap().faults(body.as_bytes()).into_iter();
        let lines = faults.map(
            |Fault {
                 place,
                 code,
                 message,
             }| {
                let crate::error::FaultPlace::Body(path) = place else {
                    panic!("a fault of a body lies in it")
                };
                let pointer = crate::pointer::pointer_to(&path);
                format!("{pointer} {} {}", code.as_str(), message.en)
            },
        );
        lines.sorted().collect()
    }

    #[test]
    fn all_faults_of_a_body_are_found_at_once() {
        let body = json!({"nam/e": 1, "short": {"vi": 1, "fr": ""}, "value": true, "step": 5});
        let expected = [
            "/name MISSING_FIELD The field name is missing.",
            "/nam~1e UNKNOWN_FIELD There is no field nam/e. Those taken are: name, short, step, value.",
            "/short/fr UNKNOWN_FIELD There is no field fr. Those taken are: en, vi.",
            "/short/vi WRONG_TYPE The value must be a string.",
            "/step WRONG_TYPE The value must be an object.",
            "/value WRONG_TYPE The value must be a number or a string.",
        ];
        assert_eq!(faults(body), expected);
    }

    #[test]
    fn a_large_body_is_told_as_a_small_one_is_and_up_to_a_limit() {
        let mut name = json!({"vi": "x".repeat(9000), "fr": 1});
        name["en"] = json!(["y".repeat(9000)]);
        let body = json!({"name": name, "short": 5, "step": {"op": "move"}, "more": 1});
        let expected = [
            "/more UNKNOWN_FIELD There is no field more. Those taken are: name, short, step, value.",
            "/name/fr UNKNOWN_FIELD There is no field fr. Those taken are: en, vi.",
            "/short WRONG_TYPE The value must be null or an object.",
            "/step/unit MISSING_FIELD The field unit is missing.",
        ];
        assert_eq!(faults(body), expected);
        let many = (0..9000).map(|field| (format!("f{field}"), json!(1)));
        assert_eq!(faults(many.collect()).len(), MOST_FAULTS);
    }

    #[test]
    fn of_several_forms_the_tag_tells_which_was_meant() {
        let step = |step: Value| faults(json!({"name": {"vi": ""}, "step": step}));
        let missing = ["/step/unit MISSING_FIELD The field unit is missing."];
        assert_eq!(step(json!({"op": "move"})), missing);
        let unknown = ["/step/op WRONG_TYPE The value must be one of: \"move\", \"abolish\"."];
        assert_eq!(step(json!({"op": "fly"})), unknown);
        let untagged = ["/step/op MISSING_FIELD The field op is missing."];
        assert_eq!(step(json!({"unit": "a"})), untagged);
    }

    #[test]
    fn a_document_has_the_operations_of_the_table_and_no_others() {
        let refusal = |document: &OpenApi| Contract::new(document).err().unwrap().to_string();
        let whole = crate::http::openapi::document();
        assert!(Contract::new(&whole).is_ok());

        let mut longer = whole.clone();
        let me = longer.paths.paths["/v1/me"].clone();
        let path = longer.paths.paths.entry("/v1/you".to_owned());
        let path = path.or_insert(me);
        path.get.as_mut().unwrap().operation_id = Some("get_you".to_owned());
        assert_eq!(
            refusal(&longer),
            "the OpenAPI document has the operation \"get_you\", which is not in the table of operations"
        );

        let mut shorter = whole;
        shorter.paths.paths.remove("/v1/me");
        assert_eq!(
            refusal(&shorter),
            "the table of operations has \"get_me\", which is not in the OpenAPI document"
        );
    }
}
