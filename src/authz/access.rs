//! Decides what an account's grants allow on a tree.

use std::sync::Arc;

use chrono::NaiveDate;

use super::denied::{Cause, Denied};
use super::operation::{Audience, Operation};
use super::policy::{Action, Extent, Grant, Reach, Role, extent};
use crate::authn::Identity;
use crate::domain::hierarchy::{Hierarchy, Line, Place, Tree};
use crate::domain::id::{AccountId, UnitId};
use crate::domain::unit::{UnitFact, Validity};

/// The rights of a signed-in account: its id and its grants.
#[derive(Debug, Clone)]
pub struct Access {
    account: AccountId,
    grants: Arc<[Grant]>,
}

/// Proof that an action is allowed at a place. Only this module makes one, so a function that takes
/// it need not check again.
#[derive(Debug)]
#[must_use]
pub struct Permit {
    account: AccountId,
}

impl Permit {
    /// Permits the holder of an account's invitation or refresh token what these are for. The caller
    /// has checked them.
    pub(crate) fn of_holder(account: AccountId) -> Permit {
        Permit { account }
    }

    /// Returns the account that was given permission.
    pub fn account(&self) -> AccountId {
        self.account
    }
}

impl Access {
    /// Pairs an identity with those of its account's grants that hold on a day.
    pub fn new(identity: &Identity, grants: &[Grant], day: NaiveDate) -> Access {
        let holding = grants.iter().filter(|grant| grant.days.contains(day));
        Access {
            account: identity.account(),
            grants: holding.cloned().collect(),
        }
    }

    /// Returns the rights of an operator at the command line: everything in the tenant. The operator
    /// has no account; what it changes is recorded as the operator's.
    pub fn of_operator() -> Access {
        Access {
            account: AccountId::new(),
            grants: Arc::new([Grant {
                role: Role::TenantAdmin,
                reach: Reach::Tenant,
                days: Validity::ALWAYS,
            }]),
        }
    }

    pub fn account(&self) -> AccountId {
        self.account
    }

    pub fn grants(&self) -> &[Grant] {
        &self.grants
    }

    /// Permits an action on a unit.
    ///
    /// # Errors
    /// [`Denied`] where no grant allows it.
    pub fn to_unit(&self, action: Action, tree: &Tree, place: Place<'_>) -> Result<Permit, Denied> {
        let standing = Standing::At(tree, place);
        if self.allows(action, standing) {
            return Ok(self.permit());
        }
        let cause = self.cause(action, standing);
        Err(self.denied(action, cause, standing, Some(place.fact())))
    }

    /// Returns true if a grant on this very unit allows an action, and not only one on a unit above or
    /// on the tenant.
    pub fn has_own(&self, action: Action, unit: UnitId) -> bool {
        let mut grants = self.grants.iter();
        grants
            .any(|grant| grant.unit() == Some(unit) && extent(grant.role, action) != Extent::Never)
    }

    /// Permits an action that holds on all of `days`. Asks on each day on which the unit exists, at
    /// the place the unit has on that day.
    ///
    /// For example, commune 30388 is below town 887 until 2025 and below town 886 from 2026 on. A
    /// grant on 886 does not cover an action that holds from 2015 on, and neither does a grant on
    /// 887.
    ///
    /// # Errors
    /// [`Denied`] where no grant allows it on one of the days.
    pub fn to_unit_throughout(
        &self,
        action: Action,
        hierarchy: &Hierarchy,
        unit: UnitId,
        days: Validity,
    ) -> Result<Permit, Denied> {
        if self.tops(action).is_none() {
            return Ok(self.permit());
        }
        let lines = hierarchy.lines_of(unit, days);
        if !lines.is_empty() && lines.iter().all(|line| self.allows_on(action, line)) {
            return Ok(self.permit());
        }
        let Some(line) = lines.last() else {
            return Err(Denied::on_unit(action, Cause::OtherUnits));
        };
        let standing = Standing::EndOf(line);
        let cause = match self.latest_days(action, hierarchy, unit, days) {
            Some(days) => Cause::OtherDays(days),
            None => self.cause(action, standing),
        };
        let mut facts = hierarchy.facts_of(unit).iter();
        let fact = facts.find(|fact| fact.validity.contains(line.days.from));
        Err(self.denied(action, cause, standing, fact))
    }

    /// Finds the reason for which no grant allows an action on a unit.
    fn cause(&self, action: Action, standing: Standing<'_>) -> Cause {
        let allowing = || {
            let grants = self.grants.iter();
            grants.map(|grant| (grant, extent(grant.role, action)))
        };
        if allowing().all(|(_, extent)| extent == Extent::Never) {
            Cause::NoRole
        } else if allowing()
            .any(|(grant, extent)| extent == Extent::Below && standing.is_covered_by(grant))
        {
            Cause::OwnUnit
        } else {
            Cause::OtherUnits
        }
    }

    /// Denies an action on a unit, which is named only to those who may read it.
    fn denied(
        &self,
        action: Action,
        cause: Cause,
        standing: Standing<'_>,
        fact: Option<&UnitFact>,
    ) -> Denied {
        let denied = Denied::on_unit(action, cause);
        match fact {
            Some(fact) if self.allows(Action::ReadUnits, standing) => denied.naming(fact),
            _ => denied,
        }
    }

    /// Returns the latest unbroken run of `days` on which an action is allowed at a unit.
    pub fn latest_days(
        &self,
        action: Action,
        hierarchy: &Hierarchy,
        unit: UnitId,
        days: Validity,
    ) -> Option<Validity> {
        let mut lines = hierarchy.lines_of(unit, days);
        lines.retain(|line| self.allows_on(action, line));
        let mut lines = lines.into_iter().rev().map(|line| line.days);
        let mut latest = lines.next()?;
        for earlier in lines {
            if earlier.to.and_then(|to| to.succ_opt()) != Some(latest.from) {
                break;
            }
            latest.from = earlier.from;
        }
        Some(latest)
    }

    fn allows_on(&self, action: Action, line: &Line) -> bool {
        self.allows(action, Standing::EndOf(line))
    }

    fn allows(&self, action: Action, standing: Standing<'_>) -> bool {
        let mut grants = self.grants.iter();
        grants.any(|grant| match extent(grant.role, action) {
            Extent::Never => false,
            Extent::Everywhere => true,
            Extent::Covered => standing.is_covered_by(grant),
            Extent::CoveredAndAbove => standing.is_covered_by(grant) || standing.is_above(grant),
            Extent::Below => standing.is_below(grant),
        })
    }

    /// Permits an action on something that belongs to the whole tenant.
    ///
    /// # Errors
    /// [`Denied`] where no grant allows it.
    pub fn to_tenant(&self, action: Action) -> Result<Permit, Denied> {
        let allowed = self
            .grants
            .iter()
            .any(|grant| extent(grant.role, action) == Extent::Everywhere);
        match allowed {
            true => Ok(self.permit()),
            false => Err(Denied::on_system(action)),
        }
    }

    /// Permits an action on something that concerns every unit of the tenant.
    ///
    /// # Errors
    /// [`Denied`] where no grant allows it everywhere.
    pub fn to_all_units(&self, action: Action) -> Result<Permit, Denied> {
        match self.tops(action) {
            None => Ok(self.permit()),
            Some(_) => Err(Denied::on_system(action)),
        }
    }

    /// Refuses an action that the account may do nowhere. Passing does not permit the action at any
    /// particular place: the use case still has to ask for that, if there is one.
    ///
    /// # Errors
    /// [`Denied`] where no grant allows it anywhere.
    pub fn somewhere(&self, action: Action) -> Result<Permit, Denied> {
        let mut grants = self.grants.iter();
        match grants.any(|grant| extent(grant.role, action) != Extent::Never) {
            true => Ok(self.permit()),
            false => Err(Denied::on_unit(action, Cause::NoRole)),
        }
    }

    /// Permits what every signed-in account may do with itself.
    pub fn to_oneself(&self) -> Permit {
        self.permit()
    }

    /// Refuses an operation that the account may do nowhere. Passing does not permit the operation
    /// at any particular place.
    ///
    /// # Errors
    /// [`Denied`] where no grant allows it anywhere.
    pub fn to_attempt(&self, operation: Operation) -> Result<(), Denied> {
        let audience = operation.audience();
        let mut grants = self.grants.iter();
        if grants.any(|grant| audience.extent(grant.role) != Extent::Never) {
            return Ok(());
        }
        match audience {
            Audience::Public | Audience::SignedIn | Audience::Person => Ok(()),
            Audience::Needs(action) => Err(Denied::on_system(action)),
            Audience::NeedsOn(action) => Err(Denied::on_unit(action, Cause::NoRole)),
        }
    }

    /// Permits giving a program an operation at a place by a role: nobody gives more than the account
    /// has there itself.
    ///
    /// For example, an approver of commune 30388 decides for the hamlets below it. A program may get
    /// that too, as an approver of the same commune, but not as one of the town above.
    ///
    /// # Errors
    /// [`Denied`] where no grant allows as much.
    pub fn to_pass_on(
        &self,
        operation: Operation,
        role: Role,
        tree: &Tree,
        place: Place<'_>,
    ) -> Result<Permit, Denied> {
        let audience = operation.audience();
        let Some(action) = audience.action() else {
            return Ok(self.to_oneself());
        };
        let standing = Standing::At(tree, place);
        let given = audience.extent(role);
        let mut grants = self.grants.iter();
        let is_had = grants.any(|grant| match (audience.extent(grant.role), given) {
            (Extent::Everywhere, _) | (_, Extent::Never) => true,
            (Extent::Never, _)
            | (Extent::Covered | Extent::CoveredAndAbove | Extent::Below, Extent::Everywhere)
            | (Extent::Covered | Extent::Below, Extent::CoveredAndAbove) => false,
            (Extent::Covered, Extent::Covered | Extent::Below)
            | (
                Extent::CoveredAndAbove,
                Extent::Covered | Extent::CoveredAndAbove | Extent::Below,
            )
            | (Extent::Below, Extent::Below) => standing.is_covered_by(grant),
            (Extent::Below, Extent::Covered) => standing.is_below(grant),
        });
        match is_had {
            true => Ok(self.permit()),
            false => {
                let cause = self.cause(action, standing);
                Err(self.denied(action, cause, standing, Some(place.fact())))
            }
        }
    }

    fn permit(&self) -> Permit {
        Permit {
            account: self.account,
        }
    }

    /// Returns the tops of the subtrees in which an action is allowed; `None` means everywhere.
    pub fn tops(&self, action: Action) -> Option<Vec<UnitId>> {
        let mut tops = Vec::new();
        for grant in self.grants.iter() {
            match (extent(grant.role, action), grant.reach) {
                (Extent::Everywhere, _)
                | (Extent::Covered | Extent::CoveredAndAbove | Extent::Below, Reach::Tenant) => {
                    return None;
                }
                (
                    Extent::Covered | Extent::CoveredAndAbove | Extent::Below,
                    Reach::Subtree(unit),
                ) => tops.push(unit),
                (Extent::Never, _) => {}
            }
        }
        Some(tops)
    }
}

/// A unit's place on a day, in the terms that a grant's reach is checked by.
#[derive(Clone, Copy)]
enum Standing<'s> {
    At(&'s Tree, Place<'s>),
    /// The first unit of a line.
    EndOf(&'s Line),
}

impl Standing<'_> {
    fn is_unit(self, unit: UnitId) -> bool {
        match self {
            Standing::At(_, place) => place.unit() == unit,
            Standing::EndOf(line) => line.units.first() == Some(&unit),
        }
    }

    fn is_root(self) -> bool {
        match self {
            Standing::At(_, place) => place.parent().is_none(),
            Standing::EndOf(line) => line.units.len() == 1,
        }
    }

    /// Returns true if the unit is `top` or lies below it.
    fn is_within(self, top: UnitId) -> bool {
        match self {
            Standing::At(tree, place) => tree.by_id(top).is_some_and(|top| top.covers(place)),
            Standing::EndOf(line) => line.units.contains(&top),
        }
    }

    fn is_covered_by(self, grant: &Grant) -> bool {
        match grant.reach {
            Reach::Tenant => true,
            Reach::Subtree(top) => self.is_within(top),
        }
    }

    /// Returns true if the grant's unit lies below the unit. The end of a line says nothing of what is
    /// below it.
    fn is_above(self, grant: &Grant) -> bool {
        match (self, grant.reach) {
            (Standing::At(tree, place), Reach::Subtree(top)) => {
                tree.by_id(top).is_some_and(|top| place.covers(top))
            }
            (Standing::At(..), Reach::Tenant) | (Standing::EndOf(_), _) => false,
        }
    }

    fn is_below(self, grant: &Grant) -> bool {
        match grant.reach {
            Reach::Subtree(top) if self.is_unit(top) => self.is_root(),
            Reach::Tenant | Reach::Subtree(_) => self.is_covered_by(grant),
        }
    }
}
