//! An engine's requirements for running a kernel, and the files that it loads.

use crate::{
    Digest, Engine, File, JsonFault, MAX_NAME_BYTES, Refused, Version,
    names::{is_path, is_word, variant_of},
    scan::{Field, Scanner},
    value::{digest, text, version},
};

const FIELDS: &[Field] =
    &[("min_version", true), ("features", false), ("aot_available", false), ("module", false), ("aot", false)];
const FILE: &[Field] = &[("path", true), ("hash", true)];
const AOT: &[Field] =
    &[("path", true), ("hash", true), ("source", true), ("target", true), ("version", true), ("options", true)];

/// The checks that native code must contain, since no sandbox confines it.
const CHECKS: [&str; 3] = ["bounds-checks", "stack-checks", "termination-checks"];

/// The machines that code can be compiled for.
const TARGETS: [&str; 4] = ["x86_64", "aarch64", "thumbv7em", "thumbv7"];
/// The most options that one file may have.
const MAX_OPTIONS: usize = 32;

/// A kernel's platform entry for one engine.
#[derive(Clone, Copy)]
pub(crate) struct Platform<'m> {
    min_version: Version<'m>,
    features: Option<Scanner<'m>>,
    module: Option<File<'m>>,
    aot: Option<Scanner<'m>>,
}

impl<'m> Platform<'m> {
    pub(crate) fn read(scanner: &mut Scanner<'m>) -> Result<Self, Refused> {
        let start = scanner.at();
        let (mut min_version, mut features, mut module, mut aot) = (None, None, None, None);
        scanner.fields(FIELDS, |value, index| {
            match index {
                0 => min_version = Some(version(value, "min_version")?),
                1 => features = Some(words(value, "features", is_word)?),
                2 => value.bool().map(|_| ())?,
                3 => module = Some(read_file(value)?),
                _ => aot = Some(read_aot(value)?),
            }
            Ok(())
        })?;
        let min_version = min_version.ok_or(Refused::Missing { at: start, field: "min_version" })?;
        Ok(Self { min_version, features, module, aot })
    }

    pub(crate) fn each_file(&self, read: &mut dyn FnMut(&'m str) -> Result<(), Refused>) -> Result<(), Refused> {
        if let Some(module) = self.module {
            read(module.path)?;
        }
        self.each_aot(&mut |aot| read(aot.file.path))
    }

    fn each_aot(&self, read: &mut dyn FnMut(Aot<'m>) -> Result<(), Refused>) -> Result<(), Refused> {
        let Some(mut list) = self.aot else { return Ok(()) };
        list.array(|value| read(Aot::read(value)?))
    }

    /// Checks that the names of the files derive from the kernel's own, and that the code was compiled from a module
    /// that the entry names.
    pub(crate) fn check_files(&self, own: File<'_>, at: usize) -> Result<(), Refused> {
        if self.module.is_some_and(|module| !variant_of(module.path, own.path).is_some_and(is_word)) {
            return Err(Refused::Bad { at, field: "module" });
        }
        let stem = own.path.strip_suffix(".wasm");
        self.each_aot(&mut |aot| {
            let ending =
                stem.and_then(|stem| aot.file.path.strip_prefix(stem)?.strip_prefix('.')?.strip_suffix(".aot"));
            let sources = [Some(own.hash), self.module.map(|module| module.hash)];
            if ending != Some(aot.target) || !sources.contains(&Some(aot.source)) {
                return Err(Refused::Bad { at, field: "aot" });
            }
            Ok(())
        })
    }

    /// Checks that the engine is new enough and has the features that the module uses.
    pub(crate) fn check(&self, engine: &Engine<'_>) -> Result<(), Refused> {
        if engine.version.cmp_precedence(&self.min_version).is_lt() {
            return Err(Refused::EngineTooOld);
        }
        let Some(mut features) = self.features else { return Ok(()) };
        features.array(
            |value| {
                if engine.features.contains(&value.plain()?) { Ok(()) } else { Err(Refused::MissingFeature) }
            },
        )
    }

    /// Returns the module that this engine loads in place of the kernel's own.
    pub(crate) fn module(&self) -> Option<File<'m>> {
        self.module
    }

    /// Returns the code for a target, which must have been compiled for exactly this version of the engine.
    pub(crate) fn code(&self, target: &str, engine: &Engine<'_>) -> Result<File<'m>, Refused> {
        let mut found = None;
        self.each_aot(&mut |aot| {
            if aot.target == target {
                found = Some(aot);
            }
            Ok(())
        })?;
        let aot = found.ok_or(Refused::NoCode)?;
        if aot.version == engine.version { Ok(aot.file) } else { Err(Refused::CodeVersion) }
    }
}

/// Native code of a kernel.
#[derive(Clone, Copy)]
struct Aot<'m> {
    file: File<'m>,
    /// The digest of the module that the code was compiled from.
    source: Digest,
    target: &'m str,
    version: Version<'m>,
}

impl<'m> Aot<'m> {
    fn read(scanner: &mut Scanner<'m>) -> Result<Self, Refused> {
        let start = scanner.at();
        let (mut path, mut hash, mut source, mut target, mut compiler) = (None, None, None, None, None);
        scanner.fields(AOT, |value, index| {
            match index {
                0 => path = Some(text(value, "path", is_path)?),
                1 => hash = Some(digest(value)?),
                2 => source = Some(digest(value)?),
                3 => target = Some(text(value, "target", |target| TARGETS.contains(&target))?),
                4 => compiler = Some(version(value, "version")?),
                _ => {
                    let options = words(value, "options", is_option)?;
                    let (mut list, mut count) = (options, 0);
                    list.array(|option| {
                        count += 1;
                        option.plain().map(|_| ())
                    })?;
                    if count > MAX_OPTIONS || !CHECKS.iter().all(|check| place(options, check).is_some()) {
                        return Err(Refused::Bad { at: value.at(), field: "options" });
                    }
                }
            }
            Ok(())
        })?;
        let missing = |field| Refused::Missing { at: start, field };
        Ok(Self {
            file: File { path: path.ok_or(missing("path"))?, hash: hash.ok_or(missing("hash"))? },
            source: source.ok_or(missing("source"))?,
            target: target.ok_or(missing("target"))?,
            version: compiler.ok_or(missing("version"))?,
        })
    }
}

fn read_file<'m>(value: &mut Scanner<'m>) -> Result<File<'m>, Refused> {
    let start = value.at();
    let (mut path, mut hash) = (None, None);
    value.fields(FILE, |value, index| {
        match index {
            0 => path = Some(text(value, "path", is_path)?),
            _ => hash = Some(digest(value)?),
        }
        Ok(())
    })?;
    let missing = |field| Refused::Missing { at: start, field };
    Ok(File { path: path.ok_or(missing("path"))?, hash: hash.ok_or(missing("hash"))? })
}

/// Reads a list of distinct words.
fn words<'m>(value: &mut Scanner<'m>, field: &'static str, fits: fn(&str) -> bool) -> Result<Scanner<'m>, Refused> {
    let (list, mut count) = (*value, 0);
    value.array(|value| {
        let word = text(value, field, fits)?;
        if place(list, word) != Some(count) {
            return Err(Refused::Bad { at: value.at(), field });
        }
        count += 1;
        Ok(())
    })?;
    Ok(list)
}

/// Returns the index of this word in a list that may have been read only partially.
fn place(mut list: Scanner<'_>, word: &str) -> Option<usize> {
    let (mut count, mut found) = (0, None);
    let _ = list.array(|value| {
        if value.plain()? == word {
            found = Some(count);
            // Stops the search here, since the rest of the list may not have been checked yet.
            return Err(value.refuse(JsonFault::Syntax));
        }
        count += 1;
        Ok(())
    });
    found
}

fn is_option(text: &str) -> bool {
    let word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-=.".contains(&byte);
    !text.is_empty() && text.len() <= MAX_NAME_BYTES && text.bytes().all(word)
}

/// Reads a list of native code with at most one item per target.
fn read_aot<'m>(value: &mut Scanner<'m>) -> Result<Scanner<'m>, Refused> {
    let list = *value;
    value.array(|value| Aot::read(value).map(|_| ()))?;
    let at = value.at();
    let mut outer = list;
    outer.array(|value| {
        let target = Aot::read(value)?.target;
        let (mut inner, mut count) = (list, 0);
        inner.array(|value| {
            count += u32::from(Aot::read(value)?.target == target);
            Ok(())
        })?;
        if count == 1 { Ok(()) } else { Err(Refused::Bad { at, field: "target" }) }
    })?;
    Ok(list)
}
