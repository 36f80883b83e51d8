//! Checks logins and passwords, wherever they are given.

use crate::authn::password;
use crate::domain::text::is_invisible;
use crate::error::{Code, Fault};
use crate::message;

/// Builds the fault of a text that is no valid login.
pub(in crate::service) fn wrong_login(parameter: &str, text: &str) -> Fault {
    let message = if text.chars().any(is_invisible) {
        message!(
            "Tên đăng nhập có ký tự không nhìn thấy được. Hãy gõ lại thay vì dán.",
            "The login holds a character that nobody sees. Type it instead of pasting it."
        )
    } else {
        message!(
            "Tên đăng nhập có 1 đến 120 ký tự, không có dấu cách.",
            "A login has 1 to 120 characters and no spaces."
        )
    };
    Fault::in_parameter(parameter, Code::InvalidValue, message)
}

pub(in crate::service) fn check_password(password: &str, faults: &mut Vec<Fault>) {
    if !password::is_acceptable(password) {
        let (shortest, longest) = (password::SHORTEST, password::LONGEST);
        faults.push(Fault::in_parameter(
            "password",
            Code::InvalidValue,
            message!(
                "Mật khẩu có từ {shortest} đến {longest} ký tự.",
                "A password has {shortest} to {longest} characters."
            ),
        ));
    }
}
