//! The operations of a program's key: some named ones, and words for all of a kind. Says which roles
//! allow them, from the policy table.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use super::operation::{Operation, OperationKind};
use super::policy::{Extent, Reach, Role};

/// An entry of a key's list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum KeyOperation {
    /// Every operation that reads.
    Read,
    /// Every operation by which a reporter submits.
    Submit,
    One(Operation),
}

/// A text that is no entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RefusedOperation {
    #[error("no operation has this name")]
    Unknown,
    #[error("the operation is not for programs")]
    NotForPrograms,
}

impl KeyOperation {
    fn as_str(self) -> &'static str {
        match self {
            KeyOperation::Read => "read",
            KeyOperation::Submit => "submit",
            KeyOperation::One(operation) => operation.id(),
        }
    }

    fn includes(self, operation: Operation) -> bool {
        match self {
            KeyOperation::Read => operation.kind() == OperationKind::Read,
            KeyOperation::Submit => operation.kind() == OperationKind::Submit,
            KeyOperation::One(one) => operation == one,
        }
    }
}

impl FromStr for KeyOperation {
    type Err = RefusedOperation;

    fn from_str(text: &str) -> Result<KeyOperation, RefusedOperation> {
        for word in [KeyOperation::Read, KeyOperation::Submit] {
            if word.as_str() == text {
                return Ok(word);
            }
        }
        let operation: Operation = text.parse().map_err(|_| RefusedOperation::Unknown)?;
        if operation.is_for_programs() {
            Ok(KeyOperation::One(operation))
        } else {
            Err(RefusedOperation::NotForPrograms)
        }
    }
}

/// The operations of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyOperations(BTreeSet<KeyOperation>);

impl FromIterator<KeyOperation> for KeyOperations {
    fn from_iter<I: IntoIterator<Item = KeyOperation>>(entries: I) -> KeyOperations {
        KeyOperations(entries.into_iter().collect())
    }
}

impl KeyOperations {
    /// Reads a list as it is stored. An operation that is no more, or no more for programs, allows
    /// nothing.
    pub fn kept(text: &str) -> KeyOperations {
        let words = text.split(' ');
        words.filter_map(|word| word.parse().ok()).collect()
    }

    /// Writes the list for the database.
    pub fn to_kept(&self) -> String {
        self.words().collect::<Vec<_>>().join(" ")
    }

    /// Lists the operations as they were entered, each once.
    pub fn words(&self) -> impl Iterator<Item = &'static str> {
        self.0.iter().map(|entry| entry.as_str())
    }

    pub fn includes(&self, operation: Operation) -> bool {
        operation.is_for_programs() && self.0.iter().any(|entry| entry.includes(operation))
    }

    /// Lists every operation that the key allows.
    pub fn all(&self) -> impl Iterator<Item = Operation> {
        let all = Operation::ALL.iter().copied();
        all.filter(|operation| self.includes(*operation))
    }

    /// Returns the roles that allow the operations in a part of the tenant: of each operation's roles
    /// the one that allows least, unless another one is needed that allows the operation too. A word
    /// makes nobody administrator: what only an administrator may read must be named.
    ///
    /// # Errors
    /// A named operation that no role allows on a unit, since it is about the whole tenant.
    pub fn roles(&self, reach: Reach) -> Result<Vec<Role>, Operation> {
        let mut needed: Vec<(usize, Role, Operation)> = Vec::new();
        for entry in &self.0 {
            for operation in self.all().filter(|one| entry.includes(*one)) {
                let Some((power, role)) = least_role(operation) else {
                    continue;
                };
                match (role, entry, reach) {
                    (Role::TenantAdmin, KeyOperation::One(_), Reach::Subtree(_)) => {
                        return Err(operation);
                    }
                    (Role::TenantAdmin, KeyOperation::Read | KeyOperation::Submit, _) => {}
                    _ => needed.push((power, role, operation)),
                }
            }
        }
        needed.sort_by_key(|(power, ..)| std::cmp::Reverse(*power));
        let mut roles: Vec<Role> = Vec::new();
        for (_, role, operation) in needed {
            if !roles.iter().any(|taken| is_allowed(*taken, operation)) {
                roles.push(role);
            }
        }
        Ok(roles)
    }
}

impl fmt::Display for KeyOperations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words().collect::<Vec<_>>().join(", "))
    }
}

/// Finds the role that allows an operation and little else, with its power; `None` if no role is
/// needed.
fn least_role(operation: Operation) -> Option<(usize, Role)> {
    operation.audience().action()?;
    let roles = Role::ALL.into_iter();
    let allowing = roles.filter(|role| is_allowed(*role, operation));
    allowing.map(|role| (power(role), role)).min()
}

/// Counts the operations that a role allows.
fn power(role: Role) -> usize {
    let all = Operation::ALL.iter();
    all.filter(|operation| is_allowed(role, **operation))
        .count()
}

fn is_allowed(role: Role, operation: Operation) -> bool {
    operation.audience().extent(role) != Extent::Never
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::id::UnitId;

    fn of(words: &str) -> KeyOperations {
        words.split(' ').map(|word| word.parse().unwrap()).collect()
    }

    #[test]
    fn a_key_gets_the_least_roles_that_allow_its_operations() {
        let subtree = Reach::Subtree(UnitId::new());
        for (words, roles) in [
            ("get_me", vec![]),
            ("read", vec![Role::Viewer]),
            ("read submit", vec![Role::Reporter]),
            ("approve_submission read", vec![Role::Approver]),
            ("put_target submit", vec![Role::Approver, Role::Reporter]),
            ("create_unit", vec![Role::UnitAdmin]),
        ] {
            let mut got = of(words).roles(subtree).unwrap_or_default();
            got.sort();
            let mut expected = roles;
            expected.sort();
            assert_eq!(got, expected, "{words}");
        }
        let levels = of("read put_level");
        assert_eq!(levels.roles(subtree), Err(Operation::PutLevel));
        assert_eq!(levels.roles(Reach::Tenant), Ok(vec![Role::TenantAdmin]));
        assert_eq!(of("read").roles(Reach::Tenant), Ok(vec![Role::Viewer]));
    }

    #[test]
    fn no_key_allows_what_is_for_everybody_or_manages_people() {
        for refused in [
            "get_livez",
            "issue_token",
            "put_my_password",
            "list_my_sessions",
            "list_accounts",
            "create_key",
        ] {
            let error = Err(RefusedOperation::NotForPrograms);
            assert_eq!(refused.parse::<KeyOperation>(), error, "{refused}");
            let operation: Operation = refused.parse().unwrap();
            assert!(!of("read submit").includes(operation), "{refused}");
        }
        assert_eq!(
            "change".parse::<KeyOperation>(),
            Err(RefusedOperation::Unknown)
        );
        assert!(of("read").includes(Operation::GetMe));
        assert!(!of("read").includes(Operation::PutSubmission));
    }

    #[test]
    fn a_list_is_kept_as_it_was_entered() {
        let list = of("submit read approve_submission read");
        assert_eq!(list.to_kept(), "read submit approve_submission");
        assert_eq!(KeyOperations::kept(&list.to_kept()), list);
        assert_eq!(KeyOperations::kept("read no_more create_key"), of("read"));
    }
}
