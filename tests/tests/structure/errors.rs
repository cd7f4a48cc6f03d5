//! Errors say everything once: a message includes its cause, so `source()` does not return that cause as well.
//!
//! Most programs print an error with `{error}` alone, and would lose a cause that only `source()` tells. Programs that
//! print the whole chain would print a cause twice that is in both. Causes stay in public fields, to be matched.

use std::collections::BTreeSet;

use proc_macro2::{TokenStream, TokenTree};
use syn::{
    Attribute, Field, Fields, ImplItem, Item, ItemEnum, ItemImpl, ItemStruct, Type,
    visit::{self, Visit},
};

use crate::{tree::for_tests, workspace};

#[test]
fn a_message_includes_its_cause_and_source_does_not_return_it_again() {
    let sources: Vec<(String, syn::File)> = workspace::crates()
        .into_iter()
        .flat_map(|krate| {
            let folder = krate.folder;
            krate.sources.into_iter().map(move |(file, source)| (format!("{folder}/{file}"), source))
        })
        .map(|(file, source)| (file, syn::parse_file(&source).unwrap()))
        .collect();
    let mut errors = Errors::default();
    sources.iter().for_each(|(_, file)| errors.visit_file(file));
    assert!(errors.0.len() > 40, "found {} types of errors", errors.0.len());
    let mut faults = Vec::new();
    for (name, file) in &sources {
        faults.extend(faults_in(file, &errors).into_iter().map(|fault| format!("{name}: {fault}")));
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

fn faults_in(file: &syn::File, errors: &Errors) -> Vec<String> {
    let mut visitor = Faults { errors, found: Vec::new() };
    visitor.visit_file(file);
    visitor.found
}

/// The names of the workspace's types of errors.
#[derive(Default)]
struct Errors(BTreeSet<String>);

impl Errors {
    /// Returns whether a field of this type is a cause: an error of the workspace or of the system, or any error, boxed
    /// or not.
    fn is_cause(&self, field: &Field) -> bool {
        fn last(ty: &Type) -> Option<&syn::PathSegment> {
            match ty {
                Type::Path(path) => path.path.segments.last(),
                _ => None,
            }
        }
        let Some(outer) = last(&field.ty) else { return false };
        let mut name = outer.ident.to_string();
        if name == "Box"
            && let syn::PathArguments::AngleBracketed(arguments) = &outer.arguments
            && let Some(syn::GenericArgument::Type(inner)) = arguments.args.first()
        {
            match last(inner) {
                Some(inner) => name = inner.ident.to_string(),
                None => return matches!(inner, Type::TraitObject(_)),
            }
        }
        self.0.contains(&name) || ["Error", "Inner"].contains(&name.as_str())
    }
}

impl<'ast> Visit<'ast> for Errors {
    fn visit_item_enum(&mut self, item: &'ast ItemEnum) {
        if derives_error(&item.attrs) {
            self.0.insert(item.ident.to_string());
        }
    }

    fn visit_item_struct(&mut self, item: &'ast ItemStruct) {
        if derives_error(&item.attrs) {
            self.0.insert(item.ident.to_string());
        }
    }

    fn visit_item_impl(&mut self, item: &'ast ItemImpl) {
        if is_error(item)
            && let Type::Path(path) = &*item.self_ty
            && let Some(last) = path.path.segments.last()
        {
            self.0.insert(last.ident.to_string());
        }
    }
}

fn derives_error(attributes: &[Attribute]) -> bool {
    let mut derives = attributes.iter().filter(|attribute| attribute.path().is_ident("derive"));
    derives.any(|derive| idents(&derive.meta.require_list().unwrap().tokens).contains("thiserror"))
}

/// Returns whether this is an `impl Error for ...`.
fn is_error(item: &ItemImpl) -> bool {
    let path = item.trait_.as_ref().map(|(path, ..)| path);
    path.is_some_and(|path| path.segments.last().is_some_and(|last| last.ident == "Error"))
}

struct Faults<'a> {
    errors: &'a Errors,
    found: Vec<String>,
}

impl Faults<'_> {
    /// Checks what is printed of the fields of a variant or struct.
    fn check(&mut self, name: &str, attributes: &[Attribute], fields: &Fields) {
        let Some(error) = attributes.iter().find(|attribute| attribute.path().is_ident("error")) else { return };
        let tokens = &error.meta.require_list().unwrap().tokens;
        let mentioned = mentioned(tokens);
        let transparent = idents(tokens).contains("transparent");
        for (index, field) in fields.iter().enumerate() {
            let field_name = field.ident.as_ref().map_or(index.to_string(), ToString::to_string);
            let returned = field_name == "source"
                || field
                    .attrs
                    .iter()
                    .any(|attribute| ["source", "from"].iter().any(|name| attribute.path().is_ident(name)));
            if returned && !transparent {
                self.found.push(format!(
                    "{name}: source() returns {field_name:?}; print it in the message, and remove #[source] or #[from] (or \
                     rename the field)"
                ));
            }
            if !transparent && self.errors.is_cause(field) && !mentioned.contains(&field_name) {
                self.found.push(format!("{name}: the message does not say the cause {field_name:?}; print it"));
            }
        }
    }
}

impl<'ast> Visit<'ast> for Faults<'_> {
    fn visit_item(&mut self, item: &'ast Item) {
        if !matches!(item, Item::Mod(module) if for_tests(&module.attrs)) {
            visit::visit_item(self, item);
        }
    }

    fn visit_item_enum(&mut self, item: &'ast ItemEnum) {
        for variant in &item.variants {
            self.check(&format!("{}::{}", item.ident, variant.ident), &variant.attrs, &variant.fields);
        }
    }

    fn visit_item_struct(&mut self, item: &'ast ItemStruct) {
        self.check(&item.ident.to_string(), &item.attrs, &item.fields);
    }

    fn visit_item_impl(&mut self, item: &'ast ItemImpl) {
        let source = |item: &ImplItem| matches!(item, ImplItem::Fn(function) if function.sig.ident == "source");
        if is_error(item) && item.items.iter().any(source) {
            self.found.push("an error has a source() of its own; print the cause in the message only".to_owned());
        }
        visit::visit_item_impl(self, item);
    }
}

/// Returns the names and numbers of fields that the arguments of `#[error(...)]` use: inside the braces of the text,
/// and as arguments after it.
fn mentioned(tokens: &TokenStream) -> BTreeSet<String> {
    let mut found = idents(tokens);
    for token in tokens.clone() {
        let TokenTree::Literal(literal) = token else { continue };
        let text = literal.to_string().replace("{{", "");
        let holes = text.split('{').skip(1).filter_map(|hole| hole.split(['}', ':']).next());
        found.extend(holes.map(str::to_owned));
    }
    found
}

/// Returns the identifiers and numbers among tokens, also inside groups.
fn idents(tokens: &TokenStream) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for token in tokens.clone() {
        match token {
            TokenTree::Group(group) => found.append(&mut idents(&group.stream())),
            TokenTree::Ident(ident) => _ = found.insert(ident.to_string()),
            TokenTree::Literal(literal) => _ = found.insert(literal.to_string()),
            TokenTree::Punct(_) => {}
        }
    }
    found
}

#[test]
fn causes_that_are_returned_or_lost_are_noticed() {
    let faults = |item: &str| {
        let source = format!("{item} impl std::error::Error for Cause {{}}");
        let file = syn::parse_file(&source).unwrap();
        let mut errors = Errors::default();
        errors.visit_file(&file);
        faults_in(&file, &errors).len()
    };
    for twice in [
        r#"enum E { #[error("no: {0}")] A(#[source] Cause) }"#,
        r#"enum E { #[error("no: {0}")] A(#[from] Box<Cause>) }"#,
        r#"enum E { #[error("no: {source}")] A { source: io::Error } }"#,
        r#"#[error("no: {}", told(.fault))] struct E { #[source] fault: Cause }"#,
        "impl std::error::Error for E { fn source(&self) -> Option<&(dyn Error + 'static)> { None } }",
    ] {
        assert_eq!(faults(twice), 1, "{twice}");
    }
    for lost in [
        r#"enum E { #[error("no")] A(Cause) }"#,
        r#"enum E { #[error("no {path}")] A { path: String, error: io::Error } }"#,
        r#"#[error("no {{fault}}")] struct E { fault: Box<Cause> }"#,
        r#"enum E { #[error("no")] A(Box<dyn Error + Send>) }"#,
    ] {
        assert_eq!(faults(lost), 1, "{lost}");
    }
    for good in [
        r#"enum E { #[error(transparent)] A(#[from] Cause), #[error("no: {0}")] B(Box<Cause>) }"#,
        r#"#[error("no: {}", told(.fault))] struct E { fault: Cause, path: PathBuf }"#,
        r#"enum E { #[error("no: {error:#}")] A { error: io::Error } }"#,
    ] {
        assert_eq!(faults(good), 0, "{good}");
    }
}
