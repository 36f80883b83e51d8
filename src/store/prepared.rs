//! PostgreSQL statements that are written by hand. Each connection prepares one once: a batch of few
//! submissions would otherwise spend more on planning its statements than on running them.

use std::borrow::Cow;

use diesel::pg::{Pg, PgConnection};
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::result::QueryResult;
use diesel::serialize::ToSql;
use diesel::sql_types::{HasSqlType, Untyped};
use diesel::{QueryableByName, RunQueryDsl};

/// A statement of a fixed text, in which `$1` to `$9` and on with `$a` stand for its values in their
/// order. The text must not depend on what is asked for: every text is kept as long as the
/// connection.
pub(super) struct Prepared<'q> {
    text: Cow<'static, str>,
    values: Vec<Box<dyn Value + 'q>>,
}

impl<'q> Prepared<'q> {
    pub fn new(text: impl Into<Cow<'static, str>>) -> Prepared<'q> {
        Prepared {
            text: text.into(),
            values: Vec::new(),
        }
    }

    /// Binds the next value.
    #[must_use]
    pub fn bind<T: 'q, U: ToSql<T, Pg> + 'q>(mut self, value: U) -> Prepared<'q>
    where
        Pg: HasSqlType<T>,
    {
        self.values.push(Box::new(Bound {
            value,
            sql_type: std::marker::PhantomData::<T>,
        }));
        self
    }

    pub fn load<R: QueryableByName<Pg> + 'static>(
        self,
        connection: &mut PgConnection,
    ) -> QueryResult<Vec<R>> {
        RunQueryDsl::load(self, connection)
    }

    pub fn execute(self, connection: &mut PgConnection) -> QueryResult<usize> {
        RunQueryDsl::execute(self, connection)
    }
}

/// The base of the numbers of values, so that each is one character.
const NUMERALS: u32 = 36;

/// Collects one column of many rows, to be bound as an array.
pub(super) fn column<'r, R, T>(rows: &'r [R], value: impl Fn(&'r R) -> T) -> Vec<T> {
    rows.iter().map(value).collect()
}

/// A value that can be bound.
trait Value {
    fn push<'b>(&'b self, out: AstPass<'_, 'b, Pg>) -> QueryResult<()>;
}

struct Bound<T, U> {
    value: U,
    sql_type: std::marker::PhantomData<T>,
}

impl<T, U: ToSql<T, Pg>> Value for Bound<T, U>
where
    Pg: HasSqlType<T>,
{
    fn push<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_bind_param::<T, U>(&self.value)
    }
}

impl QueryFragment<Pg> for Prepared<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        let mut parts = self.text.split('$');
        out.push_sql(parts.next().unwrap_or_default());
        for part in parts {
            let (number, text) = part.split_at_checked(1).unwrap_or((part, ""));
            let number = usize::from_str_radix(number, NUMERALS).ok();
            let value = number.and_then(|number| self.values.get(number.checked_sub(1)?));
            let value = value.ok_or_else(|| unbound(part))?;
            value.push(out.reborrow())?;
            out.push_sql(text);
        }
        Ok(())
    }
}

fn unbound(part: &str) -> diesel::result::Error {
    let message = format!("no value is bound to ${part}");
    diesel::result::Error::QueryBuilderError(message.into())
}

/// Without a static id, diesel keeps a prepared statement by its text.
impl QueryId for Prepared<'_> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl Query for Prepared<'_> {
    type SqlType = Untyped;
}

impl RunQueryDsl<PgConnection> for Prepared<'_> {}
