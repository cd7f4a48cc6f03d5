use kernelpack_abi::{ParamType, ParamValue};

use super::*;
use crate::{AotFile, AotTarget, Digest, Extent, HealthEntry, Param, Scratch, Tensor, VectorFault, samples::manifest};

mod entry;
mod files;
mod long_lists;
mod pack;
mod pass;

/// Returns why the sample is refused after `change`, both by `validate` and, if JSON can express it, by `parse`.
#[track_caller]
fn refused(change: impl FnOnce(&mut Manifest)) -> Rejected {
    let mut manifest = manifest();
    assert_eq!(manifest.validate(), Ok(()));
    change(&mut manifest);
    let found = manifest.validate().unwrap_err();
    assert!(!found.to_string().is_empty());
    if serde_json::to_value(&manifest).is_ok_and(|json| !json.to_string().contains("null")) {
        assert!(Manifest::parse(&manifest.to_json()).is_err());
    }
    found
}

#[track_caller]
fn fault(change: impl FnOnce(&mut Kernel)) -> KernelFault {
    match refused(|manifest| change(&mut manifest.kernels[0])) {
        Rejected::Kernel { fault, .. } => fault,
        other => panic!("{other}"),
    }
}
