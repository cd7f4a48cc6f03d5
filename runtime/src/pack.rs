//! Packs: verified on disk, then loaded into an engine.

pub(crate) mod files;
mod id;
pub(crate) mod verified;

use std::{collections::BTreeMap, sync::Arc};

use kernelpack_abi::{Kernel, KernelSpecBuf};
use kernelpack_manifest::{Manifest, PublicKey, Signer, VerifiedVector};

pub use files::{check_pack_files, read_pack_file};
pub use id::PackId;
pub use verified::{VerifiedKernel, VerifiedPack, read_manifest};

use crate::{
    BadCall, CacheOutcome, DynKernel, Error, Occupancy, TypedKernel, dispatcher::Dispatcher,
    recovery::interface_difference,
};

/// A pack whose kernels can be called.
///
/// Cheap to clone; clones share the compiled modules and their instances.
///
/// # Example: what a pack has, and a call of it
/// ```no_run
/// use kernelpack_host::{Error, Pack, Tensor};
///
/// fn first(pack: &Pack, x: &Tensor<f32>, weight: &Tensor<f32>) -> Result<Vec<f32>, Error> {
///     println!("{} {}, signed by {}", pack.manifest().name, pack.manifest().version, pack.signed_by().id());
///     for id in pack.kernel_ids() {
///         println!("{id}: {} inputs", pack.kernel_named(id)?.signature().tensors.len());
///     }
///     let rmsnorm = pack.kernel_named("rmsnorm_f32")?;
///     rmsnorm.run(&[("x", x.into()), ("weight", weight.into())], &[])?[0].to_vec()
/// }
/// ```
#[derive(Clone)]
pub struct Pack {
    content: Arc<Content>,
}

struct Content {
    manifest: Manifest,
    signer: Signer,
    kernels: BTreeMap<String, Arc<Dispatcher>>,
    vectors: Vec<VerifiedVector>,
}

impl Pack {
    pub(crate) fn new(
        manifest: Manifest,
        signer: Signer,
        kernels: BTreeMap<String, Arc<Dispatcher>>,
        vectors: Vec<VerifiedVector>,
    ) -> Self {
        Self { content: Arc::new(Content { manifest, signer, kernels, vectors }) }
    }

    /// Returns the manifest that a trusted key signed.
    pub fn manifest(&self) -> &Manifest {
        &self.content.manifest
    }

    /// Returns the trusted key that signed the pack.
    pub fn signed_by(&self) -> &PublicKey {
        &self.content.signer.key
    }

    /// Returns the signer as it was when the pack was opened: its key and, if that came from a trust store, the key's
    /// id there.
    pub fn signer(&self) -> &Signer {
        &self.content.signer
    }

    /// Returns the ids of the kernels, sorted.
    pub fn kernel_ids(&self) -> impl Iterator<Item = &str> {
        self.content.kernels.keys().map(String::as_str)
    }

    /// Returns where the code of each kernel came from, with the kernel's id.
    ///
    /// [`CacheOutcome::Replaced`] may mean that somebody tampered with the compile cache.
    pub fn cache_outcomes(&self) -> impl Iterator<Item = (&str, CacheOutcome)> {
        self.content.kernels.iter().map(|(id, kernel)| (id.as_str(), kernel.loaded.cache_outcome()))
    }

    /// Returns the kernel that a typed stub describes.
    ///
    /// Call this once and keep the result: it compares the stub with the manifest, so that calls need not.
    ///
    /// # Errors
    /// The pack has no such kernel, or the stub was made from another version of it.
    pub fn kernel<K: Kernel>(&self) -> Result<TypedKernel<K>, Error> {
        self.dispatcher_like(KernelSpecBuf::from(&K::SPEC)).map(|kernel| TypedKernel::new(kernel.clone()))
    }

    /// Returns the kernel with this id, to be called with named arguments.
    ///
    /// # Errors
    /// The pack has no such kernel.
    pub fn kernel_named(&self, id: &str) -> Result<DynKernel, Error> {
        self.dispatcher(id).map(|kernel| DynKernel::new(kernel.clone()))
    }

    /// Returns the kernel with the id of `stub`, if it can be called in the same way. `stub` may come from another
    /// version of the kernel.
    ///
    /// # Errors
    /// The pack has no such kernel, or its tensors or parameters differ from the spec's.
    pub fn kernel_like(&self, stub: KernelSpecBuf) -> Result<DynKernel, Error> {
        self.dispatcher_like(stub).map(|kernel| DynKernel::new(kernel.clone()))
    }

    fn dispatcher_like(&self, stub: KernelSpecBuf) -> Result<&Arc<Dispatcher>, Error> {
        let kernel = self.dispatcher(&stub.id)?;
        let id = stub.id.clone();
        match interface_difference(stub, &kernel.loaded.spec) {
            None => Ok(kernel),
            Some(difference) => Err(BadCall::StubDisagrees { kernel: id, difference }.into()),
        }
    }

    /// Returns the health vectors, in the manifest's order.
    pub(crate) fn vectors(&self) -> &[VerifiedVector] {
        &self.content.vectors
    }

    /// Drops the instances that are idle now, which frees their memory, and returns their number.
    ///
    /// Later calls make new ones. All cleanups of a kernel together get 100 ms.
    pub fn trim(&self) -> u32 {
        self.content.kernels.values().map(|kernel| kernel.loaded.trim()).sum()
    }

    /// Returns how many instances each kernel has, with the kernel's id.
    pub fn occupancy(&self) -> impl Iterator<Item = (&str, Occupancy)> {
        self.content.kernels.iter().map(|(id, kernel)| (id.as_str(), kernel.loaded.occupancy()))
    }

    pub(crate) fn dispatcher(&self, id: &str) -> Result<&Arc<Dispatcher>, Error> {
        self.content.kernels.get(id).ok_or_else(|| {
            let known = self.kernel_ids().map(str::to_owned).collect();
            BadCall::UnknownKernel { name: id.to_owned(), known }.into()
        })
    }
}

impl std::fmt::Debug for Pack {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Manifest { name, version, .. } = self.manifest();
        f.debug_struct("Pack").field("name", name).field("version", &version.to_string()).finish_non_exhaustive()
    }
}
