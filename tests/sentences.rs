//! The sentences of `locales/`: every language has each of them, with the same arguments, and each
//! is said somewhere.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use fluent_syntax::ast::{Entry, Expression, InlineExpression, Pattern, PatternElement};
use fluent_syntax::parser::parse;

/// The arguments of each sentence, by its key.
type Sentences = BTreeMap<String, BTreeSet<String>>;

fn project() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn languages() -> BTreeMap<String, Sentences> {
    let folders = std::fs::read_dir(project().join("locales")).unwrap();
    let folders = folders.map(|folder| folder.unwrap().path());
    folders
        .map(|folder| {
            let language = folder.file_name().unwrap().to_str().unwrap().to_owned();
            (language, sentences(&folder.join("tonghop.ftl")))
        })
        .collect()
}

fn sentences(file: &Path) -> Sentences {
    let text = std::fs::read_to_string(file).unwrap();
    let resource = parse(text).unwrap_or_else(|(_, errors)| panic!("{file:?}: {errors:?}"));
    let mut sentences = Sentences::new();
    for entry in resource.body {
        if let Entry::Message(message) = entry {
            let mut arguments = BTreeSet::new();
            collect(&message.value.expect("a sentence"), &mut arguments);
            let before = sentences.insert(message.id.name.clone(), arguments);
            assert!(before.is_none(), "{file:?} has {} twice", message.id.name);
        }
    }
    sentences
}

fn collect(pattern: &Pattern<String>, arguments: &mut BTreeSet<String>) {
    for element in &pattern.elements {
        match element {
            PatternElement::Placeable {
                expression: Expression::Inline(inline),
            } => collect_inline(inline, arguments),
            PatternElement::Placeable {
                expression: Expression::Select { selector, variants },
            } => {
                collect_inline(selector, arguments);
                for variant in variants {
                    collect(&variant.value, arguments);
                }
            }
            PatternElement::TextElement { .. } => (),
        }
    }
}

fn collect_inline(inline: &InlineExpression<String>, arguments: &mut BTreeSet<String>) {
    if let InlineExpression::VariableReference { id } = inline {
        arguments.insert(id.name.clone());
    }
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    paths
        .flat_map(|path| match path.is_dir() {
            true => sources(&path),
            false => vec![path],
        })
        .collect()
}

/// The keys that the program names.
fn said() -> BTreeSet<String> {
    let mut said = BTreeSet::new();
    for path in sources(&project().join("src")) {
        let text = std::fs::read_to_string(path).unwrap();
        for call in text.split("message!(").skip(1) {
            let key = call.trim_start().strip_prefix('"');
            let key = key.and_then(|rest| rest.split('"').next());
            said.extend(key.map(str::to_owned));
        }
    }
    said
}

#[test]
fn every_language_has_each_sentence_with_the_same_arguments() {
    let languages = languages();
    assert!(languages.contains_key("vi") && languages.contains_key("en"));
    let vietnamese = &languages["vi"];
    for (language, sentences) in &languages {
        let missing: Vec<_> = vietnamese
            .keys()
            .filter(|key| !sentences.contains_key(*key))
            .collect();
        assert!(missing.is_empty(), "{language} lacks {missing:?}");
        let of_their_own: Vec<_> = sentences
            .keys()
            .filter(|key| !vietnamese.contains_key(*key))
            .collect();
        assert!(
            of_their_own.is_empty(),
            "only {language} has {of_their_own:?}"
        );
        for (key, arguments) in sentences {
            assert_eq!(arguments, &vietnamese[key], "{key} in {language}");
        }
    }
}

#[test]
fn every_sentence_is_said_somewhere() {
    let said = said();
    let known: BTreeSet<String> = languages()["vi"].keys().cloned().collect();
    assert!(!known.is_empty());
    let unused: Vec<_> = known.difference(&said).collect();
    assert!(unused.is_empty(), "nobody says {unused:?}");
}
