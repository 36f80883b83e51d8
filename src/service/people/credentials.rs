//! Checks logins and passwords, wherever they are given.

use crate::authn::password;
use crate::domain::fault::FieldPath;
use crate::domain::text::is_invisible;
use crate::error::{Code, Fault};
use crate::message;

/// Builds the fault of a text that is no valid login.
pub(in crate::service) fn wrong_login(at: FieldPath, text: &str) -> Fault {
    let message = if text.chars().any(is_invisible) {
        message!("credentials-wrong-login")
    } else {
        message!("credentials-login-length")
    };
    Fault::in_body(at, Code::InvalidValue, message)
}

pub(in crate::service) fn check_password(password: &str, at: &FieldPath, faults: &mut Vec<Fault>) {
    if !password::is_acceptable(password) {
        let (shortest, longest) = (password::SHORTEST, password::LONGEST);
        let message = message!("credentials-password-length", shortest, longest);
        faults.push(Fault::in_body(at.clone(), Code::InvalidValue, message));
    } else if password::is_common(password) {
        let message = message!("credentials-password-common");
        faults.push(Fault::in_body(at.clone(), Code::InvalidValue, message));
    }
}
