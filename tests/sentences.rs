//! The sentences of `locales/`: every language has each of them, with the same arguments, and each
//! is said in the file whose section it is in.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use fluent_syntax::ast::{Entry, Expression, InlineExpression, Pattern, PatternElement};
use fluent_syntax::parser::parse;

/// The sentences of a language, by their keys.
type Sentences = BTreeMap<String, Sentence>;

struct Sentence {
    /// The heading above it: a source file of `src/`, without its ending.
    section: String,
    arguments: BTreeSet<String>,
    /// The arguments by which it chooses among its variants.
    selectors: BTreeSet<String>,
}

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
    let mut section = String::new();
    for entry in resource.body {
        match entry {
            Entry::GroupComment(comment) => section = comment.content.concat(),
            Entry::Message(message) => {
                let mut sentence = Sentence {
                    section: section.clone(),
                    arguments: BTreeSet::new(),
                    selectors: BTreeSet::new(),
                };
                sentence.collect(&message.value.expect("a sentence"));
                let before = sentences.insert(message.id.name.clone(), sentence);
                assert!(before.is_none(), "{file:?} has {} twice", message.id.name);
            }
            _ => (),
        }
    }
    sentences
}

impl Sentence {
    fn collect(&mut self, pattern: &Pattern<String>) {
        for element in &pattern.elements {
            match element {
                PatternElement::Placeable {
                    expression: Expression::Inline(inline),
                } => collect_inline(inline, &mut self.arguments),
                PatternElement::Placeable {
                    expression: Expression::Select { selector, variants },
                } => {
                    collect_inline(selector, &mut self.arguments);
                    collect_inline(selector, &mut self.selectors);
                    for variant in variants {
                        self.collect(&variant.value);
                    }
                }
                PatternElement::TextElement { .. } => (),
            }
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

/// A place where the program says a sentence.
struct Saying {
    file: PathBuf,
    key: String,
    /// The rest of the call, as it is written.
    arguments: String,
}

fn sayings() -> Vec<Saying> {
    let mut sayings = Vec::new();
    for file in sources(&project().join("src")) {
        let text = std::fs::read_to_string(&file).unwrap();
        for call in text.split("message!(").skip(1) {
            let call = up_to_its_end(call).trim_start();
            let key = call.strip_prefix('"').and_then(|rest| rest.split_once('"'));
            sayings.extend(key.map(|(key, arguments)| Saying {
                file: file.clone(),
                key: key.to_owned(),
                arguments: arguments.to_owned(),
            }));
        }
    }
    sayings
}

/// The text before the parenthesis that closes one opened before the text.
fn up_to_its_end(text: &str) -> &str {
    let mut open = 1;
    let end = text.find(|letter| {
        open += match letter {
            '(' => 1,
            ')' => -1,
            _ => 0,
        };
        open == 0
    });
    &text[..end.unwrap_or(text.len())]
}

/// The names of a call's arguments: `count = Count(of, all), day` has `count` and `day`.
fn names_of(arguments: &str) -> BTreeSet<String> {
    let mut open = 0;
    let given = arguments.split(|letter| {
        open += match letter {
            '(' | '[' | '{' => 1,
            ')' | ']' | '}' => -1,
            _ => 0,
        };
        letter == ',' && open == 0
    });
    let names = given.filter_map(|one| one.split('=').next());
    let names = names.map(|name| name.trim().to_owned());
    names.filter(|name| !name.is_empty()).collect()
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
        for (key, sentence) in sentences {
            let expected = (&vietnamese[key].section, &vietnamese[key].arguments);
            let found = (&sentence.section, &sentence.arguments);
            assert_eq!(found, expected, "{key} in {language}");
        }
    }
}

#[test]
fn every_sentence_is_said_in_the_file_of_its_section() {
    let said: BTreeSet<(PathBuf, String)> = sayings()
        .into_iter()
        .map(|saying| (saying.file, saying.key))
        .collect();
    let languages = languages();
    assert!(!languages["vi"].is_empty());
    let mut faults = Vec::new();
    for (key, Sentence { section, .. }) in &languages["vi"] {
        let source = project().join("src").join(section);
        let files = [source.with_extension("rs"), source.join("mod.rs")];
        let Some(file) = files.into_iter().find(|file| file.is_file()) else {
            faults.push(format!("{key}: there is no source file {section}"));
            continue;
        };
        if !said.contains(&(file, key.clone())) {
            faults.push(format!("{key}: {section} does not say it"));
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
}

/// Text never matches a form of a noun: *1 faults* would be said.
#[test]
fn what_a_sentence_chooses_by_is_given_as_a_count() {
    let languages = languages();
    let mut checked = 0;
    for saying in sayings() {
        let sentences = languages.values().filter_map(|all| all.get(&saying.key));
        for selector in sentences.flat_map(|sentence| &sentence.selectors) {
            let counted = format!("{selector} = Count(");
            assert!(
                saying.arguments.contains(&counted),
                "{} in {:?}: {selector} is no Count",
                saying.key,
                saying.file
            );
            checked += 1;
        }
    }
    assert!(checked > 0);
}

/// The compiler takes a call that lacks an argument, and people would read its name.
#[test]
fn a_sentence_is_given_all_of_its_arguments_and_no_other() {
    let vietnamese = &languages()["vi"];
    let mut checked = 0;
    for saying in sayings() {
        let Some(sentence) = vietnamese.get(&saying.key) else {
            continue;
        };
        let given = names_of(&saying.arguments);
        let (key, file) = (&saying.key, &saying.file);
        assert_eq!(given, sentence.arguments, "{key} in {file:?}");
        checked += 1;
    }
    assert!(checked > 0);
}
