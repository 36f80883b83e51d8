//! The table of operations: says for each operation of the API who may do it and what kind it is.
//!
//! The OpenAPI document and the early check of grants read it; a server whose document has other
//! operations does not start. A use case still asks [`super::Access`] for the action itself, at the
//! place that the request names.

use std::str::FromStr;

use super::policy::{Action, Extent, Role, extent};
use crate::domain::id::InvalidName;

/// Those who may do an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// Everybody, without signing in.
    Public,
    /// Every account, whatever its grants.
    SignedIn,
    /// Every person who is signed in, whatever the grants; no program.
    Person,
    /// Accounts with a grant that allows the action on what belongs to the tenant as a whole.
    Needs(Action),
    /// Accounts with a grant that allows the action on the unit that the request names.
    NeedsOn(Action),
}

impl Audience {
    /// Returns the action for which the use case asks.
    pub fn action(self) -> Option<Action> {
        match self {
            Audience::Public | Audience::SignedIn | Audience::Person => None,
            Audience::Needs(action) | Audience::NeedsOn(action) => Some(action),
        }
    }

    /// Looks up how far an account of a role belongs to the audience.
    pub fn extent(self, role: Role) -> Extent {
        match self {
            Audience::Public | Audience::SignedIn | Audience::Person => Extent::Everywhere,
            Audience::Needs(action) => match extent(role, action) {
                Extent::Everywhere => Extent::Everywhere,
                // A grant on units says nothing about the tenant.
                Extent::Never | Extent::Covered | Extent::CoveredAndAbove | Extent::Below => {
                    Extent::Never
                }
            },
            Audience::NeedsOn(action) => extent(role, action),
        }
    }
}

/// What an operation is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OperationKind {
    /// Shows something and changes nothing.
    Read,
    /// Brings a unit's submission forward, or takes it back: what programs do for a reporter.
    Submit,
    /// Makes any other change: decisions, targets, the catalogue, the map, signing in.
    Change,
}

macro_rules! operations {
    ($( $variant:ident = $id:literal: $kind:ident, $audience:expr; )+) => {
        /// An operation of the API.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Operation {
            $( $variant, )+
        }

        impl Operation {
            pub const ALL: &'static [Operation] = &[ $( Operation::$variant, )+ ];

            /// Returns the operationId.
            pub fn id(self) -> &'static str {
                match self { $( Operation::$variant => $id, )+ }
            }

            pub fn kind(self) -> OperationKind {
                match self { $( Operation::$variant => OperationKind::$kind, )+ }
            }

            /// Looks up who may do the operation. This is the table of operations.
            pub fn audience(self) -> Audience {
                use Action::{
                    ArrangeSubtreeReporting, ChangeCatalogue, ChangeForms, ChangeLevels, ChangeSubmissions, CreateUnits,
                    DecideSubmissions, GiveExtensions, ManageAccounts, ReadCatalogue, ReadLevels, ReadReleases,
                    ReadRollups, ReadSubmissions, ReadUnits, ReceiveReleases, Reorganise,
                    SendReleases, SetTargets,
                };
                use Audience::{Needs, NeedsOn, Person, Public, SignedIn};
                match self { $( Operation::$variant => $audience, )+ }
            }
        }
    };
}

operations! {
    GetLivez = "get_livez": Read, Public;
    GetReadyz = "get_readyz": Read, Public;
    GetMetrics = "get_metrics": Read, Public;
    GetJwks = "get_jwks": Read, Public;
    IssueToken = "issue_token": Change, Public;
    AcceptInvitation = "accept_invitation": Change, Public;
    GetMe = "get_me": Read, SignedIn;
    ListMyTasks = "list_my_tasks": Read, SignedIn;
    PutMyPassword = "put_my_password": Change, Person;
    ListMySessions = "list_my_sessions": Read, Person;
    EndMySession = "end_my_session": Change, Person;
    EndMySessions = "end_my_sessions": Change, Person;

    ListAccounts = "list_accounts": Read, NeedsOn(ManageAccounts);
    CreateAccount = "create_account": Change, NeedsOn(ManageAccounts);
    ImportAccounts = "import_accounts": Change, NeedsOn(ManageAccounts);
    GetAccount = "get_account": Read, NeedsOn(ManageAccounts);
    PutAccount = "put_account": Change, NeedsOn(ManageAccounts);
    PutGrants = "put_grants": Change, NeedsOn(ManageAccounts);
    InviteAccount = "invite_account": Change, NeedsOn(ManageAccounts);
    DisableAccount = "disable_account": Change, NeedsOn(ManageAccounts);
    EnableAccount = "enable_account": Change, NeedsOn(ManageAccounts);
    HandOverAccount = "hand_over_account": Change, NeedsOn(ManageAccounts);
    // Of all accounts, and of names that are none.
    ListSignIns = "list_sign_ins": Read, Needs(ManageAccounts);
    ListKeys = "list_keys": Read, NeedsOn(ManageAccounts);
    CreateKey = "create_key": Change, NeedsOn(ManageAccounts);
    GetKey = "get_key": Read, NeedsOn(ManageAccounts);
    DeleteKey = "delete_key": Change, NeedsOn(ManageAccounts);

    ListLevels = "list_levels": Read, Needs(ReadLevels);
    GetLevel = "get_level": Read, Needs(ReadLevels);
    PutLevel = "put_level": Change, Needs(ChangeLevels);
    ListUnits = "list_units": Read, NeedsOn(ReadUnits);
    CreateUnit = "create_unit": Change, NeedsOn(CreateUnits);
    // A list may hold units of any subtree.
    ImportUnits = "import_units": Change, Needs(CreateUnits);
    GetUnit = "get_unit": Read, NeedsOn(ReadUnits);
    ListReorganisations = "list_reorganisations": Read, Needs(Reorganise);
    CreateReorganisation = "create_reorganisation": Change, Needs(Reorganise);
    PreviewReorganisation = "preview_reorganisation": Read, Needs(Reorganise);
    GetReorganisation = "get_reorganisation": Read, Needs(Reorganise);
    UndoReorganisation = "undo_reorganisation": Change, Needs(Reorganise);

    ListIndicators = "list_indicators": Read, Needs(ReadCatalogue);
    GetIndicator = "get_indicator": Read, Needs(ReadCatalogue);
    PutIndicator = "put_indicator": Change, Needs(ChangeCatalogue);
    ListForms = "list_forms": Read, Needs(ReadCatalogue);
    GetForm = "get_form": Read, Needs(ReadCatalogue);
    // A form without an owner is of the whole tenant.
    PutForm = "put_form": Change, NeedsOn(ChangeForms);
    ListPeriods = "list_periods": Read, Needs(ReadCatalogue);
    GetHolidays = "get_holidays": Read, Needs(ReadCatalogue);
    PutHolidays = "put_holidays": Change, Needs(ChangeCatalogue);

    GetSubmission = "get_submission": Read, NeedsOn(ReadSubmissions);
    PutSubmission = "put_submission": Submit, NeedsOn(ChangeSubmissions);
    // Each item is of a unit of its own.
    BatchSubmissions = "batch_submissions": Submit, NeedsOn(ChangeSubmissions);
    ImportSubmissions = "import_submissions": Submit, NeedsOn(ChangeSubmissions);
    SubmitSubmission = "submit_submission": Submit, NeedsOn(ChangeSubmissions);
    WithdrawSubmission = "withdraw_submission": Submit, NeedsOn(ChangeSubmissions);
    DiscardSubmission = "discard_submission": Submit, NeedsOn(ChangeSubmissions);
    ApproveSubmission = "approve_submission": Change, NeedsOn(DecideSubmissions);
    // Each item is of a unit of its own.
    ApproveSubmissions = "approve_submissions": Change, NeedsOn(DecideSubmissions);
    ReturnSubmission = "return_submission": Change, NeedsOn(DecideSubmissions);
    ReopenSubmission = "reopen_submission": Change, NeedsOn(DecideSubmissions);
    ListRevisions = "list_revisions": Read, NeedsOn(ReadSubmissions);
    GetTemplate = "get_template": Read, NeedsOn(ReadSubmissions);
    GetSheet = "get_sheet": Read, NeedsOn(ReadSubmissions);
    GetExtension = "get_extension": Read, NeedsOn(ReadSubmissions);
    PutExtension = "put_extension": Change, NeedsOn(GiveExtensions);
    DeleteExtension = "delete_extension": Change, NeedsOn(GiveExtensions);
    GetSubtreeReporting = "get_subtree_reporting": Read, NeedsOn(ReadSubmissions);
    PutSubtreeReporting = "put_subtree_reporting": Change, NeedsOn(ArrangeSubtreeReporting);
    DeleteSubtreeReporting = "delete_subtree_reporting": Change, NeedsOn(ArrangeSubtreeReporting);

    GetRollup = "get_rollup": Read, NeedsOn(ReadRollups);
    // A POST because of its cost.
    VerifyRollup = "verify_rollup": Read, NeedsOn(ReadRollups);
    GetLineage = "get_lineage": Read, NeedsOn(ReadRollups);
    GetSeries = "get_series": Read, NeedsOn(ReadRollups);
    GetTable = "get_table": Read, NeedsOn(ReadRollups);
    GetTarget = "get_target": Read, NeedsOn(ReadRollups);
    PutTarget = "put_target": Change, NeedsOn(SetTargets);
    GetCompleteness = "get_completeness": Read, NeedsOn(ReadRollups);

    SendRelease = "send_release": Change, NeedsOn(SendReleases);
    ListReleases = "list_releases": Read, NeedsOn(ReadReleases);
    GetRelease = "get_release": Read, NeedsOn(ReadReleases);
    ReceiveRelease = "receive_release": Change, NeedsOn(ReceiveReleases);
    ReturnRelease = "return_release": Change, NeedsOn(ReceiveReleases);
    RecallRelease = "recall_release": Change, NeedsOn(SendReleases);

    // Whoever took the step reads it too.
    GetReceipt = "get_receipt": Read, NeedsOn(ReadSubmissions);

    // Each change is seen by those who may see what it is about.
    ListChanges = "list_changes": Read, Needs(ReadCatalogue);
}

impl Operation {
    /// Returns true if a program's key may allow the operation. What is for everybody needs no key,
    /// and programs manage no people.
    pub fn is_for_programs(self) -> bool {
        match self.audience() {
            Audience::Public | Audience::Person => false,
            Audience::SignedIn => true,
            Audience::Needs(action) | Audience::NeedsOn(action) => {
                !matches!(action, Action::ManageAccounts | Action::AppointManagers)
            }
        }
    }
}

impl FromStr for Operation {
    type Err = InvalidName;

    fn from_str(id: &str) -> Result<Operation, InvalidName> {
        let mut all = Operation::ALL.iter().copied();
        all.find(|operation| operation.id() == id)
            .ok_or(InvalidName("operation"))
    }
}
