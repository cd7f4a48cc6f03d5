//! Owned specs, for readers of a custom section or a manifest.

use alloc::{string::String, vec::Vec};

use crate::{
    DType, Dim, Expr, KernelSpec, Lifecycle, MAX_PARAMS, MAX_SYMBOLS, MAX_TENSORS, Op, ParamSpec, ParamType,
    ParamValue, ResourceLimits, Role, Signature, TensorSpec,
};

/// An owned [`KernelSpec`].
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "each field is documented at KernelSpec")]
pub struct KernelSpecBuf {
    pub id: String,
    pub name: String,
    pub description: String,
    pub category: String,
    pub family: String,
    pub entry_point: String,
    pub fallback: String,
    pub limits: ResourceLimits,
    pub lifecycle: Lifecycle,
    pub forward: SignatureBuf,
    pub backward: Option<SignatureBuf>,
    pub split: Vec<u8>,
}

/// An owned [`Signature`].
#[derive(Clone, Debug, Default, PartialEq)]
#[expect(missing_docs, reason = "each field is documented at Signature")]
pub struct SignatureBuf {
    pub symbols: Vec<String>,
    pub tensors: Vec<TensorSpecBuf>,
    pub params: Vec<ParamSpecBuf>,
}

/// An owned [`TensorSpec`].
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "each field is documented at TensorSpec")]
pub struct TensorSpecBuf {
    pub name: String,
    pub dtype: DType,
    pub role: Role,
    pub optional: bool,
    pub dims: Vec<Dim>,
    pub len: Vec<Op>,
}

/// An owned [`ParamSpec`].
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "each field is documented at ParamSpec")]
pub struct ParamSpecBuf {
    pub name: String,
    pub ty: ParamType,
    pub default: Option<ParamValue>,
}

impl KernelSpecBuf {
    /// Calls `f` with the spec in its borrowed form.
    pub fn with<R>(&self, f: impl FnOnce(&KernelSpec<'_>) -> R) -> R {
        self.forward.with(|forward| {
            let lend = |backward: Option<Signature<'_>>| {
                f(&KernelSpec {
                    id: &self.id,
                    name: &self.name,
                    description: &self.description,
                    category: &self.category,
                    family: &self.family,
                    entry_point: &self.entry_point,
                    fallback: &self.fallback,
                    limits: self.limits,
                    lifecycle: self.lifecycle,
                    forward: *forward,
                    backward,
                    split: &self.split,
                })
            };
            match &self.backward {
                None => lend(None),
                Some(backward) => backward.with(|backward| lend(Some(*backward))),
            }
        })
    }
}

impl SignatureBuf {
    /// Calls `f` with the signature in its borrowed form, without allocating.
    pub fn with<R>(&self, f: impl FnOnce(&Signature<'_>) -> R) -> R {
        const NO_TENSOR: TensorSpec<'_> =
            TensorSpec { name: "", dtype: DType::F32, role: Role::In, optional: false, dims: &[], len: Expr(&[]) };
        const NO_PARAM: ParamSpec<'_> = ParamSpec { name: "", ty: ParamType::U32, default: None };

        let mut symbols = [""; MAX_SYMBOLS];
        let mut tensors = [NO_TENSOR; MAX_TENSORS];
        let mut params = [NO_PARAM; MAX_PARAMS];
        for (to, from) in symbols.iter_mut().zip(&self.symbols) {
            *to = from;
        }
        for (to, from) in tensors.iter_mut().zip(&self.tensors) {
            *to = TensorSpec {
                name: &from.name,
                dtype: from.dtype,
                role: from.role,
                optional: from.optional,
                dims: &from.dims,
                len: Expr(&from.len),
            };
        }
        for (to, from) in params.iter_mut().zip(&self.params) {
            *to = ParamSpec { name: &from.name, ty: from.ty, default: from.default };
        }
        f(&Signature {
            symbols: &symbols[..self.symbols.len().min(MAX_SYMBOLS)],
            tensors: &tensors[..self.tensors.len().min(MAX_TENSORS)],
            params: &params[..self.params.len().min(MAX_PARAMS)],
        })
    }
}

impl From<&KernelSpec<'_>> for KernelSpecBuf {
    fn from(spec: &KernelSpec<'_>) -> Self {
        Self {
            id: spec.id.into(),
            name: spec.name.into(),
            description: spec.description.into(),
            category: spec.category.into(),
            family: spec.family.into(),
            entry_point: spec.entry_point.into(),
            fallback: spec.fallback.into(),
            limits: spec.limits,
            lifecycle: spec.lifecycle,
            forward: (&spec.forward).into(),
            backward: spec.backward.as_ref().map(Into::into),
            split: spec.split.into(),
        }
    }
}

impl From<&Signature<'_>> for SignatureBuf {
    fn from(signature: &Signature<'_>) -> Self {
        Self {
            symbols: signature.symbols.iter().map(|&symbol| symbol.into()).collect(),
            tensors: signature
                .tensors
                .iter()
                .map(|tensor| TensorSpecBuf {
                    name: tensor.name.into(),
                    dtype: tensor.dtype,
                    role: tensor.role,
                    optional: tensor.optional,
                    dims: tensor.dims.into(),
                    len: tensor.len.0.into(),
                })
                .collect(),
            params: signature
                .params
                .iter()
                .map(|param| ParamSpecBuf { name: param.name.into(), ty: param.ty, default: param.default })
                .collect(),
        }
    }
}
