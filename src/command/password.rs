//! Passwords at the command line. They are never arguments, which every process on the machine can
//! read. At a terminal they are asked for and not shown; otherwise the first line of standard input
//! is taken.

use std::io::{BufRead, IsTerminal, stdin};

use rpassword::prompt_password;
use tonghop::authn::password::SHORTEST;

use crate::Failure;

/// Takes the password with which an account signs in.
pub fn enter_password(login: &str) -> Result<String, Failure> {
    match stdin().is_terminal() {
        true => given(prompt_password(format!("Password of {login}: "))?),
        false => first_line(),
    }
}

/// Takes the first password of a new account. At a terminal it is asked for twice, since nobody
/// sees what was typed.
pub fn choose_password(login: &str) -> Result<String, Failure> {
    if !stdin().is_terminal() {
        return first_line();
    }
    let asked = format!("New password of {login} ({SHORTEST} characters or more): ");
    let chosen = given(prompt_password(asked)?)?;
    match prompt_password("The same again: ")? == chosen {
        true => Ok(chosen),
        false => Err("the two passwords differ; nothing was written, try again".into()),
    }
}

fn first_line() -> Result<String, Failure> {
    let mut line = String::new();
    stdin().lock().read_line(&mut line)?;
    given(line.trim_end_matches(['\r', '\n']).to_owned())
}

fn given(password: String) -> Result<String, Failure> {
    match password.is_empty() {
        true => Err(
            "no password was given: type it when it is asked for, or write it into the first line \
             of standard input"
                .into(),
        ),
        false => Ok(password),
    }
}
