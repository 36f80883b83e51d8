//! Places and faults: where in a document something is wrong, and how much of it is kept. Never what
//! is wrong, which is each noun's own, and never a sentence or a JSON pointer.

use std::fmt;

/// The most faults of one document that are kept: nobody reads more, and a document that is faulty
/// throughout must not take many times its own memory.
pub const MOST_FAULTS: usize = 200;

/// One step of the way to a part of a document.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Segment {
    /// A field that the program knows.
    Field(&'static str),
    /// An item of a list, from 0.
    Index(usize),
    /// A key that the sender chose.
    Key(String),
}

impl From<&'static str> for Segment {
    fn from(field: &'static str) -> Segment {
        Segment::Field(field)
    }
}

impl From<usize> for Segment {
    fn from(index: usize) -> Segment {
        Segment::Index(index)
    }
}

impl From<String> for Segment {
    fn from(key: String) -> Segment {
        Segment::Key(key)
    }
}

impl fmt::Display for Segment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Segment::Field(field) => field.fmt(f),
            Segment::Index(index) => index.fmt(f),
            Segment::Key(key) => key.fmt(f),
        }
    }
}

/// The way from a document to a part of it; without a segment it is the whole document. The edge
/// writes it down as its format wants it: a JSON pointer, a line of a table.
///
/// [`path!`](crate::path) makes one: `path!["steps", 3, "unit"]`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct FieldPath(Vec<Segment>);

/// Makes a [`FieldPath`](crate::domain::fault::FieldPath) of fields, indices and keys. A text that
/// is written out is a field, a `String` a key.
#[macro_export]
macro_rules! path {
    ($($segment:expr),* $(,)?) => {
        $crate::domain::fault::FieldPath::of([
            $( $crate::domain::fault::Segment::from($segment), )*
        ])
    };
}

impl FieldPath {
    pub fn of(segments: impl IntoIterator<Item = Segment>) -> FieldPath {
        FieldPath(segments.into_iter().collect())
    }

    pub fn segments(&self) -> &[Segment] {
        &self.0
    }

    /// The path to a part of what lies here.
    #[must_use]
    pub fn below(&self, segment: impl Into<Segment>) -> FieldPath {
        let mut segments = Vec::with_capacity(self.0.len() + 1);
        segments.extend_from_slice(&self.0);
        segments.push(segment.into());
        FieldPath(segments)
    }

    /// The path to what lies at `rest`, seen from here.
    #[must_use]
    pub fn joined(&self, rest: &FieldPath) -> FieldPath {
        FieldPath::of(self.0.iter().chain(&rest.0).cloned())
    }

    /// The row that the path begins with, where the document is a table.
    pub fn row(&self) -> Option<usize> {
        match self.0.first()? {
            Segment::Index(index) => Some(*index),
            Segment::Field(_) | Segment::Key(_) => None,
        }
    }

    /// The column of the row, where the document is a table.
    pub fn column(&self) -> Option<&'static str> {
        match self.0.as_slice() {
            [Segment::Index(_), Segment::Field(column)] => Some(column),
            _ => None,
        }
    }
}

/// A fault and its place in the document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FaultAt<F> {
    pub path: FieldPath,
    pub fault: F,
}

impl<F> FaultAt<F> {
    pub fn new(path: FieldPath, fault: F) -> FaultAt<F> {
        FaultAt { path, fault }
    }
}

/// The faults of one document, of which the first [`MOST_FAULTS`] are kept and all are counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Faults<F> {
    kept: Vec<FaultAt<F>>,
    count: usize,
}

impl<F> Default for Faults<F> {
    fn default() -> Faults<F> {
        Faults {
            kept: Vec::new(),
            count: 0,
        }
    }
}

impl<F> Faults<F> {
    /// Counts the fault, and keeps it as long as there is room.
    pub fn push(&mut self, path: FieldPath, fault: F) {
        self.extend([FaultAt { path, fault }]);
    }

    /// Takes up the faults of another part of the document.
    pub fn append(&mut self, other: Faults<F>) {
        let dropped = other.count - other.kept.len();
        self.extend(other.kept);
        self.count += dropped;
    }

    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The number of all that were found.
    pub fn count(&self) -> usize {
        self.count
    }

    /// `read`, where nothing is wrong.
    ///
    /// # Errors
    /// The faults, where there are any.
    pub fn or<T>(self, read: T) -> Result<T, Faults<F>> {
        if self.is_empty() { Ok(read) } else { Err(self) }
    }
}

impl<F> Extend<FaultAt<F>> for Faults<F> {
    fn extend<I: IntoIterator<Item = FaultAt<F>>>(&mut self, found: I) {
        for fault in found {
            self.count += 1;
            if self.kept.len() < MOST_FAULTS {
                self.kept.push(fault);
            }
        }
    }
}

impl<F> FromIterator<FaultAt<F>> for Faults<F> {
    fn from_iter<I: IntoIterator<Item = FaultAt<F>>>(found: I) -> Faults<F> {
        let mut faults = Faults::default();
        faults.extend(found);
        faults
    }
}

impl<F> From<FaultAt<F>> for Faults<F> {
    fn from(found: FaultAt<F>) -> Faults<F> {
        Faults::from_iter([found])
    }
}

impl<F> IntoIterator for Faults<F> {
    type Item = FaultAt<F>;
    type IntoIter = std::vec::IntoIter<FaultAt<F>>;

    fn into_iter(self) -> Self::IntoIter {
        self.kept.into_iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_leads_from_the_whole_to_a_part() {
        let step = path!["steps", 3];
        assert_eq!(step.below("unit"), path!["steps", 3, "unit"]);
        assert_eq!(path![].joined(&step), step);
        assert_eq!(step.row(), None);
        assert_eq!(path![3, "unit"].row(), Some(3));
        assert_eq!(path!["7".to_owned()].row(), None);
    }

    #[test]
    fn of_many_faults_the_first_are_kept_and_all_are_counted() {
        let mut faults = Faults::default();
        for index in 0..3 * MOST_FAULTS {
            faults.push(path![index], index);
        }
        faults.append(faults.clone());
        assert_eq!(faults.count(), 6 * MOST_FAULTS);
        let kept: Vec<usize> = faults.into_iter().map(|found| found.fault).collect();
        assert_eq!(kept, (0..MOST_FAULTS).collect::<Vec<_>>());
    }
}
