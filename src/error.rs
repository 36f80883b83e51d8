//! The one table of error codes: every stable code of the API, and the kind of failure that it is.
//!
//! Holds codes, kinds and two-language messages. `http::problem` turns a kind into a status. The
//! sentences are in `locales/`; `sentence` knows which tells a fault of the engine, a use case which
//! tells its own.

use std::collections::HashMap;

use crate::message;
use serde::Serialize;

pub use crate::domain::fault::MOST_FAULTS;
use crate::domain::fault::{FieldPath, Segment};

/// A sentence for people, in the two languages of the service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    pub vi: String,
    pub en: String,
}

/// The language that a caller asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Language {
    Vietnamese,
    English,
}

impl Message {
    pub fn in_language(&self, language: Language) -> &str {
        match language {
            Language::Vietnamese => &self.vi,
            Language::English => &self.en,
        }
    }
}

/// One thing that is wrong with a request, and its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    pub place: FaultPlace,
    pub code: Code,
    pub message: Message,
}

/// The place of a fault in a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FaultPlace {
    /// A part of the body, or the whole.
    Body(FieldPath),
    /// A parameter of the path or the query, by name.
    Parameter(String),
}

impl Fault {
    pub fn in_body(path: FieldPath, code: Code, message: Message) -> Fault {
        Fault {
            place: FaultPlace::Body(path),
            code,
            message,
        }
    }

    /// Moves the fault of a part to the whole body, in which the part is at `path`.
    #[must_use]
    pub fn below(self, path: &FieldPath) -> Fault {
        let place = match self.place {
            FaultPlace::Body(rest) => FaultPlace::Body(path.joined(&rest)),
            FaultPlace::Parameter(name) => FaultPlace::Parameter(name),
        };
        Fault { place, ..self }
    }

    /// Like [`Fault::below`], for an item of a body that could be a request of its own: the fields of
    /// the item are what the path and the query of that request would have.
    #[must_use]
    pub fn of_item(self, path: &FieldPath) -> Fault {
        let place = FaultPlace::Body(match self.place {
            FaultPlace::Body(rest) => path.joined(&rest),
            FaultPlace::Parameter(name) => path.below(Segment::Key(name)),
        });
        Fault { place, ..self }
    }

    /// Returns the row of a table that the fault is about, from 0.
    pub fn row(&self) -> Option<usize> {
        match &self.place {
            FaultPlace::Body(path) => path.row(),
            FaultPlace::Parameter(_) => None,
        }
    }

    /// Returns the column of a table that the fault is about.
    pub fn column(&self) -> Option<&'static str> {
        match &self.place {
            FaultPlace::Body(path) => path.column(),
            FaultPlace::Parameter(_) => None,
        }
    }

    /// Adds the line of the file, and the column, to the message of a table's fault. `lines` holds
    /// the line of each row: paths count rows from 0, spreadsheets count lines from 1, including the
    /// heading and empty lines.
    #[must_use]
    pub fn at_line_of(self, lines: &HashMap<usize, u64>) -> Fault {
        let Some(line) = self.row().and_then(|row| lines.get(&row).copied()) else {
            return self;
        };
        let sentence = self.message.clone();
        let message = match self.column() {
            Some(column) => message!("fault-in-cell", line, column, sentence),
            None => message!("fault-at-line", line, sentence),
        };
        Fault { message, ..self }
    }

    pub fn in_parameter(name: impl Into<String>, code: Code, message: Message) -> Fault {
        Fault {
            place: FaultPlace::Parameter(name.into()),
            code,
            message,
        }
    }
}

/// The faults of a request that are told, and how many were found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FaultList {
    pub faults: Vec<Fault>,
    pub count: usize,
}

impl FaultList {
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Takes up the faults of another part of the request.
    pub fn append(&mut self, other: FaultList) {
        let room = MOST_FAULTS.saturating_sub(self.faults.len());
        self.faults.extend(other.faults.into_iter().take(room));
        self.count += other.count;
    }
}

impl From<Vec<Fault>> for FaultList {
    fn from(faults: Vec<Fault>) -> FaultList {
        let count = faults.len();
        FaultList { faults, count }
    }
}

/// A kind of failure, independent of the protocol that reports it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The request cannot be read.
    Malformed,
    /// A password or a refresh token is wrong (RFC 6749, section 5.2).
    SignInFailed,
    /// Nobody is signed in.
    Unauthenticated,
    /// The caller is signed in but not allowed.
    Forbidden,
    NotFound,
    MethodNotAllowed,
    /// The current state does not allow it.
    Conflict,
    TooLarge,
    UnsupportedMediaType,
    /// The request is well-formed but breaks a rule of the domain.
    Invalid,
    /// The condition of the request no longer holds.
    Stale,
    /// The request must name the state that it builds on.
    ConditionRequired,
    /// The request did not finish in time.
    TooSlow,
    TooManyRequests,
    Internal,
    /// The service cannot answer now; the same request may succeed later.
    Unavailable,
}

/// The explanation of a failure for its caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    pub code: Code,
    /// Says what is wrong and what to do next.
    pub message: Message,
    /// Every single fault, if there is more to say than the message.
    pub faults: Vec<Fault>,
}

impl Explanation {
    /// Makes an explanation with a message and no single faults.
    pub fn new(code: Code, message: Message) -> Explanation {
        Explanation {
            code,
            message,
            faults: Vec::new(),
        }
    }

    /// Adds the single faults.
    #[must_use]
    pub fn with_faults(self, faults: Vec<Fault>) -> Explanation {
        Explanation { faults, ..self }
    }

    /// An explanation that says the same of a parameter, as its one fault.
    #[must_use]
    pub fn of_parameter(self, name: &str) -> Explanation {
        let fault = Fault::in_parameter(name, self.code, self.message.clone());
        self.with_faults(vec![fault])
    }

    /// An explanation of what only the log may know.
    pub fn internal() -> Explanation {
        Explanation::new(Code::Internal, message!("error-internal"))
    }
}

/// A failure that a caller is told about: what the caller may know stands in the explanation, what
/// only the log may know stays in the type that implements this. Each type explains itself by one
/// match without a catch-all arm, so that a new variant is not told as another by accident.
pub trait Explain: std::error::Error {
    fn explain(&self) -> Explanation;
}

macro_rules! codes {
    ($( $(#[$doc:meta])* $variant:ident = $text:literal: $kind:ident; )+) => {
        /// The stable codes of the API. A published code keeps its meaning for ever.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
        pub enum Code {
            $( $(#[$doc])* #[serde(rename = $text)] $variant, )+
        }

        impl Code {
            pub const ALL: &'static [Code] = &[ $( Code::$variant, )+ ];

            pub fn as_str(self) -> &'static str {
                match self { $( Code::$variant => $text, )+ }
            }

            pub fn kind(self) -> Kind {
                match self { $( Code::$variant => Kind::$kind, )+ }
            }
        }
    };
}

codes! {
    // The request itself.
    MalformedJson = "MALFORMED_JSON": Malformed;
    MalformedCsv = "MALFORMED_CSV": Malformed;
    MalformedSpreadsheet = "MALFORMED_SPREADSHEET": Malformed;
    MalformedRequest = "MALFORMED_REQUEST": Malformed;
    InvalidBody = "INVALID_BODY": Malformed;
    MissingField = "MISSING_FIELD": Malformed;
    UnknownField = "UNKNOWN_FIELD": Malformed;
    WrongType = "WRONG_TYPE": Malformed;
    InvalidParameter = "INVALID_PARAMETER": Malformed;
    UnknownParameter = "UNKNOWN_PARAMETER": Malformed;
    InvalidHeader = "INVALID_HEADER": Malformed;
    BodyTooLarge = "BODY_TOO_LARGE": TooLarge;
    BodyTooSlow = "BODY_TOO_SLOW": TooSlow;
    UnsupportedMediaType = "UNSUPPORTED_MEDIA_TYPE": UnsupportedMediaType;
    MethodNotAllowed = "METHOD_NOT_ALLOWED": MethodNotAllowed;
    RouteNotFound = "ROUTE_NOT_FOUND": NotFound;

    // The caller and the caller's rights.
    NotSignedIn = "NOT_SIGNED_IN": Unauthenticated;
    InvalidToken = "INVALID_TOKEN": Unauthenticated;
    InvalidCredentials = "INVALID_CREDENTIALS": SignInFailed;
    InvalidClient = "INVALID_CLIENT": Unauthenticated;
    UnsupportedGrantType = "UNSUPPORTED_GRANT_TYPE": Malformed;
    TenantRequired = "TENANT_REQUIRED": Malformed;
    TooManySignIns = "TOO_MANY_SIGN_INS": TooManyRequests;
    RateLimited = "RATE_LIMITED": TooManyRequests;
    InvalidInvitation = "INVALID_INVITATION": Unauthenticated;
    NotAllowed = "NOT_ALLOWED": Forbidden;
    OutsideKey = "OUTSIDE_KEY": Forbidden;
    FourEyes = "FOUR_EYES": Forbidden;

    // Conditions and repetition.
    PreconditionRequired = "PRECONDITION_REQUIRED": ConditionRequired;
    PreconditionFailed = "PRECONDITION_FAILED": Stale;
    IdempotencyKeyReused = "IDEMPOTENCY_KEY_REUSED": Invalid;
    RequestInFlight = "REQUEST_IN_FLIGHT": Conflict;

    // Named things that do not exist.
    TenantNotFound = "TENANT_NOT_FOUND": NotFound;
    AccountNotFound = "ACCOUNT_NOT_FOUND": NotFound;
    SessionNotFound = "SESSION_NOT_FOUND": NotFound;
    KeyNotFound = "KEY_NOT_FOUND": NotFound;
    LevelNotFound = "LEVEL_NOT_FOUND": NotFound;
    UnitNotFound = "UNIT_NOT_FOUND": NotFound;
    UnitEnded = "UNIT_ENDED": NotFound;
    IndicatorNotFound = "INDICATOR_NOT_FOUND": NotFound;
    FormNotFound = "FORM_NOT_FOUND": NotFound;
    PeriodNotFound = "PERIOD_NOT_FOUND": NotFound;
    HolidaysNotFound = "HOLIDAYS_NOT_FOUND": NotFound;
    SubmissionNotFound = "SUBMISSION_NOT_FOUND": NotFound;
    ExtensionNotFound = "EXTENSION_NOT_FOUND": NotFound;
    SubtreeReportingNotFound = "SUBTREE_REPORTING_NOT_FOUND": NotFound;
    TargetNotFound = "TARGET_NOT_FOUND": NotFound;
    ReleaseNotFound = "RELEASE_NOT_FOUND": NotFound;
    ReceiptNotFound = "RECEIPT_NOT_FOUND": NotFound;
    ReorganisationNotFound = "REORGANISATION_NOT_FOUND": NotFound;

    // The rules of the domain.
    InvalidValue = "INVALID_VALUE": Invalid;
    InvalidText = "INVALID_TEXT": Invalid;
    InvalidCode = "INVALID_CODE": Invalid;
    InvalidNumber = "INVALID_NUMBER": Invalid;
    TooManyDecimals = "TOO_MANY_DECIMALS": Invalid;
    ValueOutOfRange = "VALUE_OUT_OF_RANGE": Invalid;
    UnknownForm = "UNKNOWN_FORM": Invalid;
    UnknownIndicator = "UNKNOWN_INDICATOR": Invalid;
    UnknownOption = "UNKNOWN_OPTION": Invalid;
    UnknownSection = "UNKNOWN_SECTION": Invalid;
    UnknownLevel = "UNKNOWN_LEVEL": Invalid;
    UnknownUnit = "UNKNOWN_UNIT": Invalid;
    UnknownOperation = "UNKNOWN_OPERATION": Invalid;
    NotCollectedHere = "NOT_COLLECTED_HERE": Invalid;
    DerivedIndicator = "DERIVED_INDICATOR": Invalid;
    TotalMissing = "TOTAL_MISSING": Invalid;
    TotalsDiffer = "TOTALS_DIFFER": Invalid;
    OptionMissing = "OPTION_MISSING": Invalid;
    OptionsExceedTotal = "OPTIONS_EXCEED_TOTAL": Invalid;
    Duplicate = "DUPLICATE": Invalid;
    RequiredMissing = "REQUIRED_MISSING": Invalid;
    NilWithoutFlows = "NIL_WITHOUT_FLOWS": Invalid;
    RuleBroken = "RULE_BROKEN": Invalid;
    InvalidFormula = "INVALID_FORMULA": Invalid;
    CircularFormula = "CIRCULAR_FORMULA": Invalid;
    CodeTaken = "CODE_TAKEN": Invalid;
    ParentAboveRequired = "PARENT_ABOVE_REQUIRED": Invalid;
    InvalidSubmission = "INVALID_SUBMISSION": Invalid;
    InvalidIndicator = "INVALID_INDICATOR": Invalid;
    InvalidForm = "INVALID_FORM": Invalid;
    InvalidExtension = "INVALID_EXTENSION": Invalid;
    InvalidSubtreeReporting = "INVALID_SUBTREE_REPORTING": Invalid;
    InvalidHolidays = "INVALID_HOLIDAYS": Invalid;
    InvalidUnit = "INVALID_UNIT": Invalid;
    InvalidLevel = "INVALID_LEVEL": Invalid;
    InvalidAccount = "INVALID_ACCOUNT": Invalid;
    InvalidKey = "INVALID_KEY": Invalid;
    InvalidTenant = "INVALID_TENANT": Invalid;
    InvalidReorganisation = "INVALID_REORGANISATION": Invalid;
    InvalidRelease = "INVALID_RELEASE": Invalid;
    AcceptanceRequired = "ACCEPTANCE_REQUIRED": Invalid;
    AcceptanceNotNeeded = "ACCEPTANCE_NOT_NEEDED": Invalid;
    InvalidShare = "INVALID_SHARE": Invalid;
    AmbiguousUnit = "AMBIGUOUS_UNIT": Invalid;
    UnitsBelow = "UNITS_BELOW": Invalid;
    ChildUnassigned = "CHILD_UNASSIGNED": Invalid;
    ChangedLater = "CHANGED_LATER": Invalid;
    UnitDoesNotSubmit = "UNIT_DOES_NOT_SUBMIT": Invalid;
    PeriodNotOpen = "PERIOD_NOT_OPEN": Invalid;
    PeriodClosed = "PERIOD_CLOSED": Invalid;
    FixedOnceUsed = "FIXED_ONCE_USED": Conflict;

    // The state of a submission.
    SubmissionApproved = "SUBMISSION_APPROVED": Conflict;
    WrongStatus = "WRONG_STATUS": Conflict;

    // The units that report for their subtrees.
    CoveredByUnit = "COVERED_BY_UNIT": Conflict;
    UnitBelowCovers = "UNIT_BELOW_COVERS": Conflict;
    AlreadyReported = "ALREADY_REPORTED": Conflict;

    // The state of a release.
    ReleaseWaits = "RELEASE_WAITS": Conflict;

    // The state of an account.
    OwnAccount = "OWN_ACCOUNT": Conflict;
    AccountDisabled = "ACCOUNT_DISABLED": Conflict;

    // The number of keys.
    TooManyKeys = "TOO_MANY_KEYS": Conflict;

    // The state of a reorganisation.
    ReorganisationUndone = "REORGANISATION_UNDONE": Conflict;
    ReorganisationBuiltOn = "REORGANISATION_BUILT_ON": Conflict;

    // The service.
    TooManyStreams = "TOO_MANY_STREAMS": TooManyRequests;
    Unavailable = "UNAVAILABLE": Unavailable;
    Overloaded = "OVERLOADED": Unavailable;
    ReadTooLong = "READ_TOO_LONG": Unavailable;
    StorageFull = "STORAGE_FULL": Unavailable;
    OutcomeUnknown = "OUTCOME_UNKNOWN": Unavailable;
    Internal = "INTERNAL": Internal;
}

/// The longest text of an answer, in characters. Sentences and pointers quote what was sent, which
/// may be as long as a body.
const LONGEST_TEXT: usize = 600;

/// Cuts a text at [`LONGEST_TEXT`].
pub fn shortened(text: &str) -> String {
    let end = text.char_indices().nth(LONGEST_TEXT);
    let start = end.and_then(|(end, _)| text.get(..end));
    start.map_or_else(|| text.to_owned(), |start| format!("{start}…"))
}
