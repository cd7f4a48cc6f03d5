//! The files that a manifest names, with the part of an entry that each must match.

use crate::{
    AotFile, Digest, HealthEntry, Kernel, MAX_AOT_BYTES, MAX_HEALTH_BYTES, MAX_MODULE_BYTES, Manifest, ModuleFacts,
    ModuleRef, PackSize, Rejected,
};

/// A file that a manifest names for one of its kernels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Part<'a> {
    /// The kernel.
    pub kernel: &'a Kernel,
    /// The kind of the file.
    pub kind: PartKind<'a>,
}

/// The kind of a kernel's file, with the part of the kernel's entry that names it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum PartKind<'a> {
    /// A module: the kernel's own, or one for a single engine.
    Module(ModuleRef<'a>),
    /// A module that was compiled ahead of time.
    Native(&'a AotFile),
    /// A health vector.
    Vector(&'a HealthEntry),
}

impl<'a> Part<'a> {
    /// Returns the file, relative to the pack.
    pub fn path(&self) -> &'a str {
        match self.kind {
            PartKind::Module(module) => module.path,
            PartKind::Native(file) => &file.path,
            PartKind::Vector(entry) => &entry.path,
        }
    }

    /// Returns the digest of the file's bytes.
    pub fn hash(&self) -> Digest {
        match self.kind {
            PartKind::Module(module) => module.hash,
            PartKind::Native(file) => file.hash,
            PartKind::Vector(entry) => entry.hash,
        }
    }

    /// Returns the most bytes that the file may have.
    pub fn max_bytes(&self) -> usize {
        match self.kind {
            PartKind::Module(_) => MAX_MODULE_BYTES,
            PartKind::Native(_) => MAX_AOT_BYTES,
            PartKind::Vector(_) => MAX_HEALTH_BYTES,
        }
    }

    /// Checks that these are the bytes that the manifest was made for.
    ///
    /// # Errors
    /// [`Rejected::HashMismatch`] or, for a health vector, [`Rejected::VectorMismatch`].
    pub fn check_digest(&self, bytes: &[u8]) -> Result<(), Rejected> {
        let (expected, actual) = (self.hash(), Digest::of(bytes));
        if actual == expected {
            return Ok(());
        }
        let (kernel, path) = (self.kernel.id.clone(), self.path().to_owned());
        Err(match self.kind {
            PartKind::Vector(_) => Rejected::VectorMismatch { kernel, path, expected, actual },
            PartKind::Module(_) | PartKind::Native(_) => Rejected::HashMismatch { kernel, path, expected, actual },
        })
    }

    /// Checks that the content of the file matches its entry in this manifest, whatever its digest is. For a module,
    /// returns its facts.
    ///
    /// # Errors
    /// [`Rejected::Module`], [`Rejected::Variant`], [`Rejected::Aot`] or [`Rejected::Vector`], or an error of the entry
    /// itself.
    pub fn check_content(&self, manifest: &Manifest, bytes: &[u8]) -> Result<Option<ModuleFacts>, Rejected> {
        match self.kind {
            PartKind::Module(module) => module.check(bytes, &self.kernel.to_spec(&manifest.fallbacks)?).map(Some),
            PartKind::Native(file) => self.kernel.parse_aot(file, bytes).map(|_| None),
            PartKind::Vector(entry) => self.kernel.parse_vector(entry, bytes).map(|_| None),
        }
    }

    /// Checks the digest and the content of the file, and adds it to the size of its pack.
    ///
    /// # Errors
    /// Those of [`check_digest`](Self::check_digest), [`check_content`](Self::check_content) and [`PackSize`].
    pub fn check(&self, manifest: &Manifest, bytes: &[u8], size: &mut PackSize) -> Result<(), Rejected> {
        if let PartKind::Vector(_) = self.kind {
            size.add_vector(bytes.len())?;
        }
        self.check_digest(bytes)?;
        match self.check_content(manifest, bytes)? {
            Some(facts) => size.add(&self.kernel.id, bytes.len(), &facts),
            None => Ok(()),
        }
    }
}

impl Kernel {
    /// Returns the kernel's files: its modules, then those compiled ahead of time, then its health vectors.
    pub fn parts(&self) -> impl Iterator<Item = Part<'_>> {
        let modules = self.modules().map(PartKind::Module);
        let native = self.aot_files().map(PartKind::Native);
        let kinds = modules.chain(native).chain(self.health.iter().map(PartKind::Vector));
        kinds.map(|kind| Part { kernel: self, kind })
    }

    /// Returns the module that the engine of this name loads.
    pub fn part_for(&self, engine: &str) -> Part<'_> {
        Part { kernel: self, kind: PartKind::Module(self.module_for(engine)) }
    }
}

impl Manifest {
    /// Returns the files of all kernels, in the order in which hosts check them: all modules, then all that was
    /// compiled ahead of time, then all health vectors.
    pub fn parts(&self) -> impl Iterator<Item = Part<'_>> {
        let of = |wanted: fn(&PartKind<'_>) -> bool| {
            self.kernels.iter().flat_map(Kernel::parts).filter(move |part| wanted(&part.kind))
        };
        of(|kind| matches!(kind, PartKind::Module(_)))
            .chain(of(|kind| matches!(kind, PartKind::Native(_))))
            .chain(of(|kind| matches!(kind, PartKind::Vector(_))))
    }
}

#[cfg(test)]
mod tests;
