//! People at the command line: importing them, inviting them, and their passwords.

use std::io::{Read, Write as _};
use std::process::{Command, Output, Stdio};

use crate::harness::program::{run_with_line, tonghop, tonghop_on};
use crate::harness::server::{PASSWORD, now};
use crate::harness::{Backend, Server, expect_in_time};

/// The import of `units.csv` as the administrator of the tenant `test`.
const IMPORT_UNITS: [&str; 7] = [
    "import",
    "units",
    "--tenant",
    "test",
    "--login",
    "admin",
    "units.csv",
];

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Imports a list of people as the administrator of a tenant.
fn import(server: &Server, tenant: &str, list: &str) -> Output {
    let directory = server.database.directory.path();
    std::fs::write(directory.join("people.csv"), list).unwrap();
    let arguments = [
        "import",
        "people",
        "--tenant",
        tenant,
        "--login",
        "admin",
        "people.csv",
        "--invitations",
        "invitations.csv",
    ];
    run_with_line(&mut tonghop_on(&server.database, &arguments), PASSWORD)
}

/// A time as a clerk reads it: 2026-12-06 08:26.
fn is_local_time(text: &str) -> bool {
    let shape = |letter: char| if letter.is_ascii_digit() { '9' } else { letter };
    text.chars().map(shape).collect::<String>() == "9999-99-99 99:99"
}

/// The hour in Viet Nam a week from now, or from a little before.
fn hours_of_expiry() -> [String; 2] {
    let week = now() + chrono::TimeDelta::days(7);
    [week, week - chrono::TimeDelta::minutes(5)].map(|at| {
        let here = at.with_timezone(&chrono_tz::Asia::Ho_Chi_Minh);
        here.format("%Y-%m-%d %H:").to_string()
    })
}

on_both_backends! {
    fn each_fault_of_a_list_of_people_is_told_with_its_line_and_column(backend) {
        let (server, _admin) = Server::with_town(backend);
        let list = "login,name,telephone,role,unit_code\n\
            admin,Quản trị,,reporter,A\n\nx,,call,chief,A\ny,Y,,reporter,NOWHERE\n\
            z,Z,,viewer,A\nz,Z,,viewer,\nz,Z,,viewer,A\n";
        let refused = import(&server, "test", list);
        let err = text(&refused.stderr);
        let mut lines = err.lines();
        assert_eq!(lines.next(), Some("tonghop: nothing was written; 7 faults"), "{err}");
        for (told, expected) in lines.zip([
            "Line 2, column login: There is an account with the login admin already. ",
            "Line 4, column role: There is no role \"chief\". Write reporter, ",
            "Line 4, column name: ",
            "Line 4, column telephone: ",
            "Line 5, column unit_code: There is no unit with the code \"NOWHERE\" today. Write the code ",
            "Line 7, column unit_code: The role viewer needs a unit. Write the code ",
            "Line 8: The role viewer is given twice ",
        ]) {
            assert!(told.starts_with(&format!("people.csv: {expected}")), "{told}");
            assert!(!told.contains(" code:"), "{told}");
        }
    }

    fn a_tenant_that_is_not_there_is_told_at_the_command_line_and_not_over_http(backend) {
        let (server, _admin) = Server::with_town(backend);
        let refused = import(&server, "tset", "login,name,telephone,role,unit_code\n");
        let told = text(&refused.stderr);
        assert!(told.starts_with("tonghop: There is no tenant \"tset\". "), "{told}");
        let sign_in = |tenant: &str, password: &str| {
            let form = format!("grant_type=password&tenant={tenant}&username=admin&password={password}");
            let refused = server.anonymous().post_form("/v1/auth/token", &form);
            let detail = refused.json()["detail"].clone();
            refused.expect_problem(400, "INVALID_CREDENTIALS");
            detail
        };
        assert_eq!(sign_in("tset", PASSWORD), sign_in("test", "wrong"));
    }

    fn a_login_that_is_spelt_in_two_ways_is_one_person(backend) {
        let (server, _admin) = Server::with_town(backend);
        // An accented letter of one sign, and of a letter and a mark.
        let list = "login,name,telephone,role,unit_code\n\
            \u{e1}nh,\u{c1}nh,,reporter,A\na\u{301}nh,A\u{301}nh,,reporter,B\n";
        let done = import(&server, "test", list);
        assert!(done.status.success(), "{done:?}");
        let path = server.database.directory.path().join("invitations.csv");
        assert_eq!(std::fs::read_to_string(path).unwrap().lines().count(), 2);
    }

    fn an_invitation_s_last_minute_is_told_as_the_tenant_s_clock_shows_it(backend) {
        let (server, _admin) = Server::with_town(backend);
        let done = import(&server, "test", "login,name,telephone,role,unit_code\nan,An,,reporter,A\n");
        assert!(done.status.success(), "{done:?}");
        let directory = server.database.directory.path();
        let invitations = std::fs::read_to_string(directory.join("invitations.csv")).unwrap();
        let until = invitations.trim_end().rsplit(',').next().unwrap();
        // For the programs that read the file: in full, with the offset.
        chrono::DateTime::parse_from_rfc3339(until).unwrap();
        assert!(until.ends_with("+07:00"), "{invitations}");
        let until = until.replace('T', " ");
        assert!(hours_of_expiry().iter().any(|hour| until.starts_with(hour)), "{invitations}");
        let invited = tonghop_on(&server.database, &["account", "invite", "--tenant", "test", "--login", "an"]);
        let told = text(&{ invited }.output().unwrap().stdout);
        let until = told.lines().find_map(|line| line.strip_prefix("good until: ")).unwrap();
        assert!(is_local_time(until), "{told}");
        assert!(hours_of_expiry().iter().any(|hour| until.starts_with(hour)), "{told}");
    }
}

#[test]
fn a_list_is_read_whatever_a_spreadsheet_made_of_its_heading_and_all_faults_are_told() {
    let (server, _admin) = Server::with_town(Backend::Sqlite);
    let told = |list: &str| text(&import(&server, "test", list).stderr);
    let short = told(
        "login,name,telephone,role,unit_code\nx,X\ny,Y,,reporter,NOWHERE\nz,Z,,viewer,A,more\n",
    );
    for expected in [
        "nothing was written; 3 faults",
        "people.csv: Line 2 lacks the columns telephone, role, unit_code. ",
        "people.csv: Line 3, column unit_code: There is no unit with the code \"NOWHERE\" today. ",
        "people.csv: Line 4 does not have the columns ",
    ] {
        assert!(short.contains(expected), "{expected}: {short}");
    }
    let lacking = told("login,name,role,unit_code\nx,X,reporter,A\n");
    assert!(
        lacking.contains("Line 1 lacks the columns telephone. "),
        "{lacking}"
    );
    let done = import(
        &server,
        "test",
        "Login;NAME;Telephone;Role;Unit_code\nx;X;;reporter;A\n",
    );
    assert!(done.status.success(), "{done:?}");

    let units = |list: &[u8]| {
        let directory = server.database.directory.path();
        std::fs::write(directory.join("units.csv"), list).unwrap();
        run_with_line(&mut tonghop_on(&server.database, &IMPORT_UNITS), PASSWORD)
    };
    let wrong = text(
        &units(b"Code;Name;Level;Parent_code\nN1;Xa;commune\nN2;;hamlet;A\nN3;Ap;hamlet;N1\n")
            .stderr,
    );
    for expected in [
        "2 faults",
        "Line 2 lacks the columns parent_code. ",
        "Line 3, column name: ",
    ] {
        assert!(wrong.contains(expected), "{expected}: {wrong}");
    }
    let utf16: Vec<u8> = "\u{feff}code,name"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    for (list, expected) in [
        (
            &b"PK\x03\x04\xff\xfe"[..],
            "The file is no spreadsheet, or it is damaged. ",
        ),
        (&utf16[..], "Line 1 lacks the columns level, parent_code. "),
    ] {
        let told = text(&units(list).stderr);
        assert!(told.contains(expected), "{told}");
    }
}

#[test]
fn a_role_that_an_account_does_not_have_cannot_end() {
    let (server, _admin) = Server::with_town(Backend::Sqlite);
    server.create_account("test", "an", &["reporter@code:A"]);
    let end = |role: &str| {
        let arguments = [
            "account", "grant", "--tenant", "test", "--login", "an", "--end", role,
        ];
        tonghop_on(&server.database, &arguments).output().unwrap()
    };
    let refused = end("viewer@code:A");
    assert!(!refused.status.success(), "{refused:?}");
    assert_eq!(
        text(&refused.stderr),
        "tonghop: The account does not have the role viewer@code:A, so it cannot end. It has reporter@code:A.\n"
    );
    assert!(end("reporter@code:A").status.success());
    assert!(text(&end("viewer@code:A").stderr).contains("It has no role."));
}

#[test]
fn a_password_that_was_not_given_is_no_failed_sign_in() {
    let (server, admin) = Server::with_town(Backend::Sqlite);
    let attempts = || admin.get("/v1/sign-ins").expect_status(200).json()["items"].clone();
    let before = attempts();
    let directory = server.database.directory.path();
    std::fs::write(directory.join("units.csv"), "code,name,level,parent_code\n").unwrap();
    let refused = tonghop_on(&server.database, &IMPORT_UNITS)
        .output()
        .unwrap();
    let told = text(&refused.stderr);
    assert!(told.starts_with("tonghop: no password was given"), "{told}");
    assert_eq!(attempts(), before);
}

/// Reads what a program shows until it shows this.
fn read_until(source: &mut impl Read, end: &str) -> String {
    let mut shown = Vec::new();
    let mut byte = [0];
    while !shown.ends_with(end.as_bytes()) && source.read(&mut byte).unwrap() > 0 {
        shown.extend(byte);
    }
    text(&shown)
}

/// Whether the terminal that a process made for its child shows nothing of what is typed.
fn is_hiding(maker: u32) -> bool {
    let children = std::fs::read_to_string(format!("/proc/{maker}/task/{maker}/children"));
    let children = children.unwrap();
    let child = children.split_whitespace().next().unwrap();
    let terminal = std::fs::read_link(format!("/proc/{child}/fd/0")).unwrap();
    let state = Command::new("stty")
        .arg("-aF")
        .arg(terminal)
        .output()
        .unwrap();
    text(&state.stdout)
        .split_whitespace()
        .any(|word| word == "-echo")
}

/// Creates a tenant at a terminal, which is made by `script`: every Linux has it. Types each answer
/// once it is asked for, and gives all that was shown.
fn create_tenant_at_a_terminal(server: &Server, answers: [&str; 2]) -> String {
    let program = env!("CARGO_BIN_EXE_tonghop");
    let create = format!("{program} tenant create --slug term --name Term --admin boss");
    let own = tonghop_on(&server.database, &[]);
    let settings = own
        .get_envs()
        .filter_map(|(name, value)| Some((name, value?)));
    let mut terminal = Command::new("script")
        .args(["-qec", &create, "/dev/null"])
        .current_dir(server.database.directory.path())
        .envs(settings)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut keyboard = terminal.stdin.take().unwrap();
    let mut screen = terminal.stdout.take().unwrap();
    let mut shown = String::new();
    for answer in answers {
        shown.push_str(&read_until(&mut screen, ": "));
        expect_in_time("nothing typed is shown", || is_hiding(terminal.id()));
        writeln!(keyboard, "{answer}").unwrap();
    }
    screen.read_to_string(&mut shown).unwrap();
    terminal.wait().unwrap();
    shown
}

#[test]
fn a_password_is_asked_for_twice_at_a_terminal_and_not_shown() {
    let server = Server::start(Backend::Sqlite);
    let [right, wrong] = ["gà gáy bên sông Tiền", "gà gáy bên sông Hậu"];
    let differing = create_tenant_at_a_terminal(&server, [right, wrong]);
    assert!(differing.contains("New password of boss"), "{differing}");
    assert!(
        differing.contains("the two passwords differ"),
        "{differing}"
    );
    let done = create_tenant_at_a_terminal(&server, [right, right]);
    assert!(
        done.contains("The same again: ") && done.contains("term "),
        "{done}"
    );
    assert!(
        !done.contains("Tiền") && !differing.contains("Hậu"),
        "{done}{differing}"
    );
    server
        .anonymous()
        .sign_in("term", "boss", &right.replace(' ', "+"));
}

#[test]
fn the_help_says_what_each_argument_is() {
    for command in [
        &["tenant", "create"][..],
        &["account", "list"],
        &["account", "create"],
        &["account", "grant"],
        &["import", "units"],
        &["import", "people"],
        &["import", "reorganisation"],
        &["verify"],
        &["report"],
        &["backup"],
        &["demo"],
    ] {
        let arguments: Vec<&str> = command.iter().copied().chain(["-h"]).collect();
        let help = text(&tonghop(&arguments).output().unwrap().stdout);
        let (_, rest) = help.split_once("\n\n").unwrap();
        let lines = rest.lines().map(str::trim);
        for line in lines.filter(|line| line.starts_with(['-', '<'])) {
            assert!(
                line.contains("  "),
                "{command:?} does not say what this is: {line}"
            );
        }
    }
}
