//! A kernel, as a device's engine sees it.

use kernelpack_abi::ResourceLimits;

use crate::{Digest, Engine, File, Refused, entry::Entry, platform::Platform};

/// A kernel that an engine can run.
#[derive(Clone, Copy)]
pub struct Kernel<'m> {
    entry: Entry<'m>,
    platform: Option<Platform<'m>>,
    native: bool,
}

impl<'m> Kernel<'m> {
    pub(crate) fn of(entry: Entry<'m>, engine: &Engine<'_>, native: bool) -> Result<Self, Refused> {
        let (mut platform, mut listed) = (None, false);
        entry.each_platform(&mut |name, of_name| {
            listed = true;
            if name.is(engine.name) {
                platform = Some(of_name);
            }
            Ok(())
        })?;
        match &platform {
            Some(platform) => platform.check(engine)?,
            None if listed => return Err(Refused::UnsupportedEngine),
            // A kernel that lists no engine runs on any.
            None => {}
        }
        Ok(Self { entry, platform, native })
    }

    /// Returns the kernel's name.
    pub fn id(&self) -> &'m str {
        self.entry.id
    }

    /// Returns the alias under which the module exports `kernel_forward`.
    pub fn entry_point(&self) -> &'m str {
        self.entry.entry_point
    }

    /// Returns what an instance may use.
    pub fn limits(&self) -> ResourceLimits {
        self.entry.limits
    }

    /// Returns the module that the engine must load; it must not load any other module of the kernel.
    pub fn module(&self) -> File<'m> {
        self.platform.as_ref().and_then(Platform::module).unwrap_or(self.entry.module)
    }

    /// Returns the native code that the engine may load in place of the module.
    ///
    /// # Errors
    /// [`Refused::NotForNative`] if the key that signed is not trusted for native code, [`Refused::NoCode`] or
    /// [`Refused::CodeVersion`].
    pub fn code(&self, target: &str, engine: &Engine<'_>) -> Result<File<'m>, Refused> {
        if !self.native {
            return Err(Refused::NotForNative);
        }
        self.platform.as_ref().ok_or(Refused::NoCode)?.code(target, engine)
    }

    /// Checks that these bytes are the kernel's [module](Self::module).
    ///
    /// # Errors
    /// [`Refused::HashMismatch`].
    pub fn verify_module<'b>(&self, bytes: &'b [u8]) -> Result<VerifiedModule<'b>, Refused> {
        let hash = self.module().check(bytes)?;
        Ok(VerifiedModule { bytes, hash })
    }

    /// Checks that these bytes are the kernel's native [code](Self::code).
    ///
    /// # Errors
    /// The errors of [`code`](Self::code), and [`Refused::HashMismatch`].
    pub fn verify_code<'b>(
        &self,
        target: &str,
        engine: &Engine<'_>,
        bytes: &'b [u8],
    ) -> Result<VerifiedCode<'b>, Refused> {
        let hash = self.code(target, engine)?.check(bytes)?;
        Ok(VerifiedCode { bytes, hash })
    }
}

/// A module whose digest is in a signed manifest.
///
/// Only the digest has been checked. The engine finds out whether the bytes are a module, and must offer it no imports.
#[derive(Clone, Copy)]
pub struct VerifiedModule<'b> {
    bytes: &'b [u8],
    hash: Digest,
}

impl<'b> VerifiedModule<'b> {
    /// Returns the module.
    pub fn bytes(&self) -> &'b [u8] {
        self.bytes
    }

    /// Returns the module's digest.
    pub fn hash(&self) -> Digest {
        self.hash
    }
}

/// Native code whose digest is in a manifest, signed by a key that is trusted for native code.
#[derive(Clone, Copy)]
pub struct VerifiedCode<'b> {
    bytes: &'b [u8],
    hash: Digest,
}

impl<'b> VerifiedCode<'b> {
    /// Returns the file's bytes.
    pub fn bytes(&self) -> &'b [u8] {
        self.bytes
    }

    /// Returns the file's digest.
    pub fn hash(&self) -> Digest {
        self.hash
    }
}
