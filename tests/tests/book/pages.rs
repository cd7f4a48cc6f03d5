//! Checks pages against each other and against the sources: examples, links, names of tests.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use kernelpack_tests::pack::workspace;

fn read(path: impl AsRef<Path>) -> String {
    let path = workspace().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The files below a folder with this extension, except those that are built or fetched.
fn files(folder: &Path, ending: &str, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let name = entry.file_name().into_string().unwrap();
        if entry.file_type().unwrap().is_dir() {
            if name != "target" && !name.starts_with('.') {
                files(&entry.path(), ending, found);
            }
        } else if name.ends_with(ending) {
            found.push(entry.path());
        }
    }
}

/// The documentation pages, by their paths from the workspace's root.
fn pages() -> Vec<PathBuf> {
    let mut found = Vec::new();
    files(&workspace().join("docs"), ".md", &mut found);
    let root =
        ["README.md", "DESIGN.md", "CONTRIBUTING.md", "SECURITY.md", "examples/README.md", "tests/peers/README.md"];
    found.extend(root.map(|page| workspace().join(page)));
    found
}

/// The lines of a text without surrounding whitespace, so that examples may be indented.
fn trimmed(text: &str) -> String {
    text.lines().map(str::trim).collect::<Vec<_>>().join("\n")
}

/// The parts of a text between an opening and the closing that follows it.
fn between<'a>(text: &'a str, opening: &str, closing: &str) -> Vec<&'a str> {
    text.split(opening).skip(1).map(|rest| rest.split_once(closing).expect("what is opened is closed").0).collect()
}

#[test]
fn every_example_is_compiled() {
    for (page, source) in [("kernel-author.md", "kernels.rs"), ("engine-developer.md", "engine.rs")] {
        let source = trimmed(&read(Path::new("tests/tests/book").join(source)));
        let page = read(Path::new("docs/src").join(page));
        let examples = between(&page, "\n```rust\n", "\n```\n");
        assert!(examples.len() > 5);
        for example in examples {
            assert!(source.contains(&trimmed(example)), "this example is not in the sources:\n{example}");
        }
    }
    // Other pages contain no Rust, since it would not be compiled.
    for page in pages() {
        let text = fs::read_to_string(&page).unwrap();
        let is_compiled = ["README.md", "kernel-author.md", "engine-developer.md", "CONTRIBUTING.md"];
        if !is_compiled.iter().any(|name| page.ends_with(name)) {
            assert!(!text.contains("```rust"), "{} has Rust that is not compiled", page.display());
        }
    }
}

/// The anchor that Markdown renderers give a heading.
fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.map(|c| if c == ' ' { '-' } else { c.to_ascii_lowercase() }).collect()
}

/// What a page links to: `[text](link)`, and `[text]` with a line `[text]: link`.
fn links(page: &str) -> Vec<&str> {
    let defined = page.lines().filter_map(|line| line.strip_prefix('[')?.split_once("]: "));
    between(page, "](", ")").into_iter().chain(defined.map(|(_, link)| link)).collect()
}

/// Where a link of a page leads in this workspace, with a heading or ""; `None` for other sites.
fn target<'a>(page: &Path, link: &'a str) -> Option<(PathBuf, &'a str)> {
    let (path, fragment) = link.split_once('#').unwrap_or((link, ""));
    let here = concat!(env!("CARGO_PKG_REPOSITORY"), "/");
    let path = if let Some(file) = path.strip_prefix(here).and_then(|path| path.strip_prefix("blob/main/")) {
        workspace().join(file)
    } else if path.contains("://") {
        return None;
    } else if path.is_empty() {
        page.to_owned()
    } else {
        page.parent().unwrap().join(path)
    };
    Some((path, fragment))
}

#[test]
fn every_link_leads_somewhere() {
    for page in pages() {
        let text = fs::read_to_string(&page).unwrap();
        for link in links(&text) {
            let Some((target, fragment)) = target(&page, link) else { continue };
            assert!(target.exists(), "{}: {link} leads nowhere", page.display());
            if !fragment.is_empty() {
                let text = fs::read_to_string(target).unwrap();
                let mut headings = text.lines().filter(|line| line.starts_with('#'));
                let is_there = headings.any(|line| anchor(line.trim_start_matches('#').trim()) == fragment);
                assert!(is_there, "{}: {link} has no such heading", page.display());
            }
        }
    }
}

/// The built book has the pages in `docs/src` and nothing else of the repository.
#[test]
fn the_book_links_relatively_to_its_own_pages_only() {
    for page in pages().iter().filter(|page| page.starts_with(workspace().join("docs/src"))) {
        let text = fs::read_to_string(page).unwrap();
        for link in links(&text) {
            let leaves = link.starts_with("..") || link.starts_with('/');
            let here = env!("CARGO_PKG_REPOSITORY");
            assert!(!leaves, "{}: {link} leaves the book: write {here}/blob/main/PATH", page.display());
        }
    }
}

#[test]
fn a_link_is_found_and_followed_in_each_form() {
    let repository = env!("CARGO_PKG_REPOSITORY");
    let text = format!("[a](b.md#c) and [d]\n\n[d]: {repository}/blob/main/DESIGN.md#the-crates\n");
    let found = links(&text);
    assert_eq!(found, ["b.md#c", &format!("{repository}/blob/main/DESIGN.md#the-crates")]);
    let page = Path::new("docs/src/a.md");
    assert_eq!(target(page, found[0]), Some((PathBuf::from("docs/src/b.md"), "c")));
    assert_eq!(target(page, found[1]), Some((workspace().join("DESIGN.md"), "the-crates")));
    assert_eq!(target(page, "#c"), Some((page.to_owned(), "c")));
    assert_eq!(target(page, "https://rustup.rs"), None);
}

#[test]
fn the_book_lists_all_of_its_pages() {
    let summary = read("docs/src/SUMMARY.md");
    let listed: BTreeSet<&str> = between(&summary, "](", ")").into_iter().collect();
    let there = fs::read_dir(workspace().join("docs/src")).unwrap();
    let there: BTreeSet<String> = there.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    let there: BTreeSet<&str> = there.iter().map(String::as_str).filter(|&name| name != "SUMMARY.md").collect();
    assert_eq!(listed, there);
}

#[test]
fn the_readme_is_short() {
    let lines = read("README.md").lines().count();
    assert!(
        lines <= 200,
        "the README has {lines} lines, of which 200 are allowed: move what is for one reader to docs/"
    );
}

/// The names of all test functions in the sources.
fn tests() -> BTreeSet<String> {
    let mut sources = Vec::new();
    files(&workspace(), ".rs", &mut sources);
    let mut names = BTreeSet::new();
    for source in sources {
        let text = fs::read_to_string(source).unwrap();
        let mut is_test = false;
        for line in text.lines().map(str::trim) {
            if let Some((name, _)) = line.strip_prefix("fn ").and_then(|rest| rest.split_once('(')) {
                if is_test {
                    names.insert(name.to_owned());
                }
                is_test = false;
            } else if line.starts_with("#[test]") || line.starts_with("#[apply(on_") {
                is_test = true;
            } else if !line.starts_with("#[") && !line.starts_with("//") {
                is_test = false;
            }
        }
    }
    names
}

#[test]
fn every_test_that_the_security_page_names_exists() {
    let page = read("SECURITY.md");
    let (_, promises) = page.split_once("\n## What is promised, and which test holds it\n").unwrap();
    let (promises, _) = promises.split_once("\n## What is not promised\n").unwrap();
    let tests = tests();
    let mut promised = 0;
    for row in promises.lines().filter(|line| line.starts_with("| ") && *line != "| promise | tests |") {
        let (_, named) = row.trim_end_matches('|').trim_end().rsplit_once(" | ").expect("a row has two cells");
        let named = named.split(", ").map(|name| name.trim_matches('`'));
        for name in named {
            assert!(tests.contains(name), "SECURITY.md names the test {name:?}, which is not in the sources");
            promised += 1;
        }
    }
    assert!(promised > 100, "only {promised} names were found");
}
