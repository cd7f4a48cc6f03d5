//! A verified manifest, read in place.

use kernelpack_abi::ABI_VERSION;

use crate::{
    Digest, Engine, Kernel, MAX_KERNELS, Refused, SCHEMA, Text, Version,
    entry::Entry,
    names::is_printable,
    scan::{Field, Scanner},
    value::version,
};

const FIELDS: &[Field] = &[
    ("$schema", true),
    ("abi_version", true),
    ("name", true),
    ("version", true),
    ("min_runtime_version", true),
    ("max_runtime_version", true),
    ("kernels", true),
    // These fields are only checked to be JSON.
    ("description", true),
    ("created_at", true),
    ("author", true),
    ("fallbacks", false),
];

/// A manifest that a trusted key has signed, and that is well-formed in every part that a device reads.
#[derive(Clone, Copy)]
pub struct SignedManifest<'m> {
    signer: usize,
    native: bool,
    digest: Digest,
    name: Text<'m>,
    version: Version<'m>,
    min_runtime_version: Version<'m>,
    max_runtime_version: Version<'m>,
    kernels: Scanner<'m>,
}

impl<'m> SignedManifest<'m> {
    /// Reads a manifest. The caller must have checked the signature.
    pub(crate) fn read(bytes: &'m [u8], signer: usize, native: bool) -> Result<Self, Refused> {
        let text = str::from_utf8(bytes).map_err(|error| Refused::NotUtf8 { at: error.valid_up_to() })?;
        let mut scanner = Scanner::new(text);
        let start = scanner;
        let [mut pack_version, mut min, mut max] = [None; 3];
        let (mut name, mut kernels) = (None, None);
        scanner.fields(FIELDS, |value, index| {
            match index {
                0 if !value.string()?.is(SCHEMA) => return Err(Refused::Schema),
                0 => {}
                1 => match value.u32()? {
                    ABI_VERSION => {}
                    found => return Err(Refused::Abi { found }),
                },
                2 => name = Some(printable(value)?),
                3 => pack_version = Some(version(value, "version")?),
                4 => min = Some(version(value, "min_runtime_version")?),
                5 => max = Some(version(value, "max_runtime_version")?),
                6 => {
                    kernels = Some(*value);
                    let mut count = 0;
                    value.array(|entry| {
                        count += 1;
                        Entry::read(entry).map(|_| ())
                    })?;
                    if !(1..=MAX_KERNELS).contains(&count) {
                        return Err(Refused::KernelCount { count });
                    }
                }
                _ => value.value().map(|_| ())?,
            }
            Ok(())
        })?;
        scanner.end()?;
        let missing = |field| Refused::Missing { at: start.at(), field };
        let manifest = Self {
            signer,
            native,
            digest: Digest::of(bytes),
            name: name.ok_or(missing("name"))?,
            version: pack_version.ok_or(missing("version"))?,
            min_runtime_version: min.ok_or(missing("min_runtime_version"))?,
            max_runtime_version: max.ok_or(missing("max_runtime_version"))?,
            kernels: kernels.ok_or(missing("kernels"))?,
        };
        if manifest.min_runtime_version.cmp_precedence(&manifest.max_runtime_version).is_gt() {
            return Err(Refused::Bad { at: scanner.at(), field: "max_runtime_version" });
        }
        Ok(manifest)
    }

    /// Returns the index of the key that signed the manifest, among the device's keys.
    pub fn signer(&self) -> usize {
        self.signer
    }

    /// Returns the digest of the signed bytes, which cover everything in the pack.
    ///
    /// If another key signs the pack, its digest changes, since the manifest names the signer.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// Returns the pack's name.
    pub fn name(&self) -> Text<'m> {
        self.name
    }

    /// Returns the pack's version.
    pub fn version(&self) -> Version<'m> {
        self.version
    }

    /// Returns the oldest runtime that may load the pack.
    pub fn min_runtime_version(&self) -> Version<'m> {
        self.min_runtime_version
    }

    /// Returns the newest runtime that may load the pack.
    pub fn max_runtime_version(&self) -> Version<'m> {
        self.max_runtime_version
    }

    /// Checks that a runtime of this version may load the pack; bounds are inclusive.
    ///
    /// # Errors
    /// [`Refused::RuntimeTooOld`] or [`Refused::RuntimeTooNew`].
    pub fn check_runtime(&self, runtime: &Version<'_>) -> Result<(), Refused> {
        if runtime.cmp_precedence(&self.min_runtime_version).is_lt() {
            Err(Refused::RuntimeTooOld)
        } else if runtime.cmp_precedence(&self.max_runtime_version).is_gt() {
            Err(Refused::RuntimeTooNew)
        } else {
            Ok(())
        }
    }

    /// Returns the kernel with this id, for this engine.
    ///
    /// # Errors
    /// The pack has no such kernel or has it twice, the kernel shares a file with another one, or the engine cannot run
    /// it.
    pub fn kernel(&self, id: &str, engine: &Engine<'_>) -> Result<Kernel<'m>, Refused> {
        let mut found = None;
        self.each(|at, entry| {
            if entry.id != id {
                return Ok(());
            }
            match found.replace(entry) {
                Some(_) => Err(Refused::DuplicateKernel { at }),
                None => Ok(()),
            }
        })?;
        let found = found.ok_or(Refused::UnknownKernel)?;
        self.each(
            |at, entry| if found.shares_files_with(&entry)? { Err(Refused::DuplicateFile { at }) } else { Ok(()) },
        )?;
        Kernel::of(found, engine, self.native)
    }

    /// Reads each kernel's entry; the first argument of `read` is the place where the entry ends.
    fn each(&self, mut read: impl FnMut(usize, Entry<'m>) -> Result<(), Refused>) -> Result<(), Refused> {
        let mut kernels = self.kernels;
        kernels.array(|scanner| {
            let entry = Entry::read(scanner)?;
            read(scanner.at(), entry)
        })
    }
}

fn printable<'m>(value: &mut Scanner<'m>) -> Result<Text<'m>, Refused> {
    let text = value.string()?;
    if text.is("") || !text.chars().all(is_printable) {
        return Err(Refused::Bad { at: value.at(), field: "name" });
    }
    Ok(text)
}
