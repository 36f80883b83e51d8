//! `tonghop import`: reads lists and documents from files. Shows the effect first, then applies all
//! of it or nothing.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{BufReader, ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use tonghop::domain::fault::FieldPath;
use tonghop::path;
use tonghop::pointer::pointer_to;
use tonghop::service::application::name::UnitName;
use tonghop::service::map::import::{UnitList, add_units, check_units};

use clap::{Parser, Subcommand};
use serde::Serialize;
use tonghop::authn::Identity;
use tonghop::authz::Scope;
use tonghop::config::Settings;
use tonghop::domain::day::Day;
use tonghop::domain::reorganisation::ReorganisationDocument;
use tonghop::error::{Explain, Fault, FaultPlace};
use tonghop::service::Application;
use tonghop::service::application::call::Call;
use tonghop::service::application::idempotency::Reply;
use tonghop::service::application::import_mode::ImportMode;
use tonghop::service::map::mapping::{
    Mapping, MappingError, Table, TableDocument, TableFault, TableLine, Unlisted, table_document_of,
};
use tonghop::service::map::reorganisation::{create_reorganisation, preview_reorganisation};
use tonghop::service::people::import::{HandOut, PeopleImportResult, PeopleList, import_accounts};
use tonghop::service::people::tenant::find_tenant;
use tonghop::service::people::token::{Client, Credentials, issue_token};
use tonghop::service::submission::{Intent, SubmissionFile, Unnamed, import_submissions};

use super::bar::Bar;
use super::local_time::LocalTime;
use super::output::{print_line, print_note};
use super::password::enter_password;
use super::summary;
use crate::{Failure, explained, now, ready};

#[derive(Subcommand)]
pub enum ImportCommand {
    /// Add all units of a list, or none: CSV or XLSX with code,name,level,parent_code[,kind], or a
    /// list of the General Statistics Office as it is.
    Units(UnitsArguments),
    /// Create the accounts of all people of a list, or none: CSV with
    /// login,name,telephone,role,unit_code. Everybody is invited.
    People(PeopleArguments),
    /// Enter the submissions of many units, or none: CSV with
    /// unit,indicator,value[,option][,qualifier].
    Submissions(SubmissionsArguments),
    /// Change the map by one document: JSON, or two tables with --after.
    Reorganisation(ReorganisationArguments),
}

#[derive(Parser)]
pub struct UnitsArguments {
    #[command(flatten)]
    run: RunArguments,
    /// The file with the list.
    list: PathBuf,
    /// The first day of all units; without it they exist from the beginning.
    #[arg(long)]
    valid_from: Option<Day>,
    /// Put a unit of this name above all others if the list has several roots.
    #[arg(long, value_name = "NAME")]
    country: Option<String>,
}

#[derive(Parser)]
pub struct PeopleArguments {
    #[command(flatten)]
    run: RunArguments,
    /// The file with the list.
    list: PathBuf,
    /// The file to write the invitations to, which must not exist yet: CSV with
    /// login,name,telephone,unit_code,code,link,expires_at.
    #[arg(long, required_unless_present = "dry_run")]
    invitations: Option<PathBuf>,
}

#[derive(Parser)]
pub struct SubmissionsArguments {
    #[command(flatten)]
    run: RunArguments,
    /// The file with the values.
    list: PathBuf,
    /// The form's code.
    #[arg(long)]
    form: String,
    /// The key of a base period.
    #[arg(long)]
    period: String,
    /// Remove the values of the named units that the file does not name; without this flag they stay.
    #[arg(long)]
    replace: bool,
    /// Submit at once; without this flag drafts are kept, which count nowhere.
    #[arg(long)]
    submit: bool,
}

#[derive(Parser)]
pub struct ReorganisationArguments {
    #[command(flatten)]
    run: RunArguments,
    /// The document, as the API takes it; with --after, a table with old_code,new_code.
    document: PathBuf,
    /// The list of units afterwards: CSV with code,name,level,parent_code[,kind].
    #[arg(long, requires_all = ["effective", "legal_basis"])]
    after: Option<PathBuf>,
    /// The first day of the new map; tables do not contain it.
    #[arg(long)]
    effective: Option<Day>,
    /// The decision that orders the change; tables do not contain it.
    #[arg(long)]
    legal_basis: Option<String>,
    /// Print the document made from the tables, and do nothing.
    #[arg(long, requires = "after")]
    print: bool,
    /// Keep units that neither table names, and list each; without this flag each is an error.
    #[arg(long, requires = "after")]
    keep_unlisted: bool,
}

#[derive(Parser)]
struct RunArguments {
    /// The tenant's short name (slug).
    #[arg(long)]
    tenant: String,
    /// The login of an administrator of the tenant. The password is asked for, or is the first line
    /// of standard input.
    #[arg(long)]
    login: String,
    /// Show what would be changed, and change nothing.
    #[arg(long)]
    dry_run: bool,
    /// Answer in JSON as the API does: the expected effect, then the result.
    #[arg(long)]
    json: bool,
}

pub fn run(settings: &Settings, command: ImportCommand) -> Result<(), Failure> {
    let application = ready(settings)?;
    match command {
        ImportCommand::Units(units) => run_units(&application, &units),
        ImportCommand::People(people) => run_people(&application, &people),
        ImportCommand::Submissions(submissions) => run_submissions(&application, &submissions),
        ImportCommand::Reorganisation(reorganisation) => {
            run_reorganisation(&application, &reorganisation)
        }
    }
}

fn run_units(application: &Application, units: &UnitsArguments) -> Result<(), Failure> {
    let run = &units.run;
    let identity = run.sign_in(application)?;
    let list = UnitList {
        file: read_bytes(&units.list)?,
        valid_from: units.valid_from.map(Day::get),
        country: units.country.clone(),
        mode: ImportMode::DryRun,
    };
    let told = |error| in_file(&units.list, &error);
    let checked = check_units(application, &identity, &list, &Bar::new()?).map_err(told)?;
    run.show(&checked, || summary::of_units(&checked))?;
    if run.dry_run {
        return Ok(());
    }
    let call = Call::new(identity, now());
    let done = add_units(application, &call, &list, &Bar::new()?).map_err(told)?;
    run.show_done(&done)
}

fn run_people(application: &Application, people: &PeopleArguments) -> Result<(), Failure> {
    let run = &people.run;
    let call = Call::new(run.sign_in(application)?, now());
    let list = |mode| {
        let csv = read_text(&people.list)?;
        Ok::<_, Failure>(PeopleList { csv, mode })
    };
    let told = |error| in_file(&people.list, &error);
    let import = |mode| {
        let done = import_accounts(application, &call, &list(mode)?).map_err(told)?;
        Ok::<PeopleImportResult, Failure>(serde_json::from_str(&done.body)?)
    };
    let checked = import(ImportMode::DryRun)?;
    run.show(&checked, || format!("New accounts: {}", checked.created))?;
    let Some(path) = people.invitations.as_deref().filter(|_| !run.dry_run) else {
        return Ok(());
    };
    let clock = LocalTime::of(application, &Scope::of(&call.identity))?;
    // Made before anything is written: invitations are shown once.
    let mut file = new_file(path)?;
    let done = import(ImportMode::Write);
    if done.is_err() {
        std::fs::remove_file(path)?;
    }
    let done = done?;
    file.write_all(csv_of(&done.invitations, clock)?.as_slice())?;
    file.sync_all()?;
    print_line(format_args!(
        "Done. The invitations are in {}.",
        path.display()
    ))?;
    Ok(())
}

/// Enters submissions. The file is read once, and everything is decided in the commit: a dry run is
/// asked for, and not made before.
fn run_submissions(
    application: &Application,
    submissions: &SubmissionsArguments,
) -> Result<(), Failure> {
    let run = &submissions.run;
    let call = Call::new(run.sign_in(application)?, now());
    let path = &submissions.list;
    let opened = File::open(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let file = SubmissionFile {
        form: submissions.form.clone(),
        period: submissions.period.clone(),
        unnamed: match submissions.replace {
            true => Unnamed::Removed,
            false => Unnamed::Kept,
        },
        intent: match submissions.submit {
            true => Intent::Submit,
            false => Intent::KeepDraft,
        },
        mode: ImportMode::of_parameter(Some(run.dry_run)),
        file: BufReader::new(opened),
    };
    let told = |error| in_file(path, &error);
    let done = import_submissions(application, &call, file, &Bar::new()?).map_err(told)?;
    match run.json {
        true => print_line(&done.body)?,
        false => print_line(summary::of_submissions(&done)?)?,
    }
    Ok(())
}

/// Makes a file that only its owner can read, and that was not there before.
fn new_file(path: &Path) -> Result<File, Failure> {
    let mut options = OpenOptions::new();
    let made = options.write(true).create_new(true).mode(0o600).open(path);
    made.map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => format!(
            "{} exists already; name another file, nothing was written",
            path.display()
        )
        .into(),
        _ => format!("{}: {error}; nothing was written", path.display()).into(),
    })
}

/// Writes invitations as a list to hand out.
fn csv_of(invitations: &[HandOut], clock: LocalTime) -> Result<Vec<u8>, Failure> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record([
        "login",
        "name",
        "telephone",
        "unit_code",
        "code",
        "link",
        "expires_at",
    ])?;
    for hand_out in invitations {
        let invitation = &hand_out.invitation;
        writer.write_record([
            hand_out.login.as_str(),
            hand_out.name.as_str(),
            hand_out.telephone.as_deref().unwrap_or_default(),
            hand_out.unit_code.as_deref().unwrap_or_default(),
            invitation.code.as_deref().unwrap_or_default(),
            invitation.link.as_deref().unwrap_or_default(),
            clock.exact(invitation.expires_at).as_str(),
        ])?;
    }
    Ok(writer.into_inner()?)
}

fn run_reorganisation(
    application: &Application,
    arguments: &ReorganisationArguments,
) -> Result<(), Failure> {
    let run = &arguments.run;
    let identity = run.sign_in(application)?;
    let source = arguments.source(application, &identity)?;
    let document = source.document();
    if arguments.print {
        print_line(serde_json::to_string_pretty(document)?)?;
        arguments.tell_kept(source.kept())?;
        return Ok(());
    }
    let preview = preview_reorganisation(application, &identity, document, &Bar::new()?)
        .map_err(explained)?;
    run.show(&preview, || summary::of_reorganisation(&preview))?;
    arguments.tell_kept(source.kept())?;
    if !preview.possible {
        let faults = preview.faults.iter();
        let faults = faults.map(|fault| source.told(&fault.path, &fault.message_en));
        return Err(FileFaults {
            count: preview.fault_count,
            told: faults.collect(),
        }
        .into());
    }
    if run.dry_run {
        return Ok(());
    }
    let call = Call::new(identity, now());
    let done = create_reorganisation(application, &call, document, &Bar::new()?);
    // Somebody else may have changed the map since the preview.
    let done = done.map_err(|error| source.explained(error))?;
    run.show_done(&done)
}

impl RunArguments {
    fn sign_in(&self, application: &Application) -> Result<Identity, Failure> {
        // The operator may know which tenants there are; whoever signs in over HTTP may not.
        find_tenant(&application.database, &self.tenant).map_err(explained)?;
        let credentials = Credentials::Password {
            tenant: Some(self.tenant.clone()),
            username: self.login.clone(),
            password: enter_password(&self.login)?,
        };
        let token =
            issue_token(application, &credentials, &Client::default(), now()).map_err(explained)?;
        Ok(application.tokens.verify(&token.access_token, now())?)
    }

    fn show(&self, plan: &impl Serialize, summary: impl FnOnce() -> String) -> Result<(), Failure> {
        match self.json {
            true => print_line(serde_json::to_string(plan)?)?,
            false => print_line(summary())?,
        }
        Ok(())
    }

    fn show_done(&self, done: &Reply) -> Result<(), Failure> {
        match self.json {
            true => print_line(&done.body)?,
            false => print_line(summary::of_done(done))?,
        }
        Ok(())
    }
}

impl ReorganisationArguments {
    /// Lists the kept units, on standard error if standard output is to be JSON only.
    fn tell_kept(&self, kept: &[UnitName]) -> Result<(), Failure> {
        for unit in kept {
            let line = summary::of_kept(unit);
            match self.print || self.run.json {
                true => print_note(line),
                false => print_line(line)?,
            }
        }
        Ok(())
    }

    fn source(
        &self,
        application: &Application,
        identity: &Identity,
    ) -> Result<DocumentSource<'_>, Failure> {
        let text = read_text(&self.document)?;
        let tables = self.after.as_deref().zip(self.effective);
        let Some(((after, effective), legal_basis)) = tables.zip(self.legal_basis.clone()) else {
            let document = serde_json::from_str(&text)
                .map_err(|error| format!("{}: {error}", self.document.display()))?;
            let file = &self.document;
            return Ok(DocumentSource::Document { file, document });
        };
        let mapping = Mapping {
            mapping: text,
            after: read_text(after)?,
            effective,
            legal_basis,
            unlisted: match self.keep_unlisted {
                true => Unlisted::Keep,
                false => Unlisted::Refuse,
            },
        };
        let files = TableFiles {
            mapping: &self.document,
            after,
        };
        match table_document_of(application, identity, &mapping) {
            Ok(made) => Ok(DocumentSource::Tables { files, made }),
            Err(MappingError::Invalid(faults)) => {
                let faults = faults.iter();
                let told = faults.map(|fault| files.told_of(fault));
                Err(FileFaults::of(told).into())
            }
            Err(error) => Err(explained(error)),
        }
    }
}

/// The origin of a document.
enum DocumentSource<'a> {
    Document {
        file: &'a Path,
        document: ReorganisationDocument,
    },
    Tables {
        files: TableFiles<'a>,
        made: TableDocument,
    },
}

#[derive(Clone, Copy)]
struct TableFiles<'a> {
    mapping: &'a Path,
    after: &'a Path,
}

impl<'a> TableFiles<'a> {
    fn file(self, table: Table) -> &'a Path {
        match table {
            Table::Mapping => self.mapping,
            Table::After => self.after,
        }
    }

    fn told(self, at: TableLine, message: &str) -> String {
        let file = self.file(at.table).display();
        format!("{file}: Line {}: {message}", at.line)
    }

    fn told_of(self, fault: &TableFault) -> String {
        let (table, message) = (fault.table, &fault.message.en);
        match fault.line {
            Some(line) => self.told(TableLine { table, line }, message),
            None => format!("{}: {message}", self.file(table).display()),
        }
    }
}

impl DocumentSource<'_> {
    fn document(&self) -> &ReorganisationDocument {
        match self {
            DocumentSource::Document { document, .. } => document,
            DocumentSource::Tables { made, .. } => &made.document,
        }
    }

    /// Returns the units that are kept although neither table names them.
    fn kept(&self) -> &[UnitName] {
        match self {
            DocumentSource::Document { .. } => &[],
            DocumentSource::Tables { made, .. } => &made.kept,
        }
    }

    /// Formats a fault with its place in the file.
    fn told(&self, path: &FieldPath, message: &str) -> String {
        let pointer = pointer_to(path);
        match self {
            DocumentSource::Document { file, .. } => {
                format!("{}: {pointer}: {message}", file.display())
            }
            DocumentSource::Tables { files, made } => match made.line_of(path) {
                Some(line) => files.told(line, message),
                None => format!("{pointer} (of --print): {message}"),
            },
        }
    }

    fn explained(&self, error: impl Explain + 'static) -> Failure {
        let faults = error.explain().faults;
        if faults.is_empty() {
            return explained(error);
        }
        let told = faults.iter();
        let told = told.map(|fault| self.told(&place_of(fault), &fault.message.en));
        FileFaults::of(told).into()
    }
}

fn in_file(file: &Path, error: &(impl Explain + fmt::Display)) -> Failure {
    let faults = error.explain().faults;
    if faults.is_empty() {
        return format!("{}: {}", file.display(), crate::reason_of(error)).into();
    }
    let told = faults.iter();
    let told = told.map(|fault| format!("{}: {}", file.display(), fault.message.en));
    FileFaults::of(told).into()
}

fn place_of(fault: &Fault) -> FieldPath {
    match &fault.place {
        FaultPlace::Body(path) => path.clone(),
        FaultPlace::Parameter(name) => path![name.clone()],
    }
}

/// The faults of a file, each on a line of its own; of very many the first.
#[derive(Debug, thiserror::Error)]
struct FileFaults {
    told: Vec<String>,
    /// The number of all.
    count: usize,
}

impl FileFaults {
    fn of(told: impl Iterator<Item = String>) -> FileFaults {
        let told: Vec<String> = told.collect();
        let count = told.len();
        FileFaults { told, count }
    }
}

impl fmt::Display for FileFaults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let noun = if self.count == 1 { "fault" } else { "faults" };
        write!(f, "nothing was written; {} {noun}", self.count)?;
        self.told
            .iter()
            .try_for_each(|fault| write!(f, "\n{fault}"))
    }
}

fn read_bytes(path: &Path) -> Result<Vec<u8>, Failure> {
    std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()).into())
}

fn read_text(path: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(path).map_err(|error| match error.kind() {
        ErrorKind::InvalidData => format!(
            "{}: this is no text in UTF-8, as a workbook (.xlsx) is none. In Excel choose File, \
             Save As, CSV UTF-8 (Comma delimited), and import the file that this makes",
            path.display()
        )
        .into(),
        _ => format!("{}: {error}", path.display()).into(),
    })
}
