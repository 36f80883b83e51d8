//! JSON pointers (RFC 6901): write the place of something in a JSON document.

use crate::domain::fault::{FieldPath, Segment};

/// The pointer to a part of a document; empty for the whole.
pub fn pointer_to(path: &FieldPath) -> String {
    let mut pointer = String::new();
    for segment in path.segments() {
        pointer.push('/');
        match segment {
            Segment::Field(field) => pointer.push_str(&pointer_step(field)),
            Segment::Index(index) => pointer.push_str(&index.to_string()),
            Segment::Key(key) => pointer.push_str(&pointer_step(key)),
        }
    }
    pointer
}

/// The place that a pointer leads to. A step that is written as an index is taken for one.
pub fn path_at(pointer: &str) -> FieldPath {
    let steps = pointer.split('/').skip(1);
    FieldPath::of(steps.map(|step| match step.parse::<usize>() {
        Ok(index) if index.to_string() == step => Segment::Index(index),
        Ok(_) | Err(_) => Segment::Key(step.replace("~1", "/").replace("~0", "~")),
    }))
}

/// Escapes one step of a pointer (section 3).
pub fn pointer_step(step: &str) -> String {
    step.replace('~', "~0").replace('/', "~1")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::path;

    #[test]
    fn a_pointer_escapes_what_a_key_has_of_its_signs() {
        let path = path!["children", "code:a/b~c".to_owned(), 3_usize];
        assert_eq!(pointer_to(&path), "/children/code:a~1b~0c/3");
        assert_eq!(
            pointer_to(&path_at("/children/code:a~1b~0c/3")),
            "/children/code:a~1b~0c/3"
        );
        assert_eq!(pointer_to(&path![]), "");
        assert_eq!(path_at(""), path![]);
    }
}
