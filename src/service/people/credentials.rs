//! Checks logins and passwords, wherever they are given.

use crate::authn::password;
use crate::domain::text::is_invisible;
use crate::error::{Code, Fault};
use crate::message;

/// Builds the fault of a text that is no valid login.
pub(in crate::service) fn wrong_login(parameter: &str, text: &str) -> Fault {
    let message = if text.chars().any(is_invisible) {
        message!("credentials-wrong-login")
    } else {
        message!("credentials-login-length")
    };
    Fault::in_parameter(parameter, Code::InvalidValue, message)
}

pub(in crate::service) fn check_password(password: &str, faults: &mut Vec<Fault>) {
    if !password::is_acceptable(password) {
        let (shortest, longest) = (password::SHORTEST, password::LONGEST);
        faults.push(Fault::in_parameter(
            "password",
            Code::InvalidValue,
            message!("credentials-password-length", shortest, longest),
        ));
    }
}
