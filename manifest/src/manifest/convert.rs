//! Converts a kernel's entry to its spec and back, without loss.
//!
//! [`Kernel::to_spec`] accepts exactly what the ABI allows. It is the only place that checks the rules about tensors,
//! parameters and symbols.

use std::collections::{BTreeMap, HashSet};

use kernelpack_abi::{
    Dim, KernelSpecBuf, Lifecycle, MAX_PARAMS, MAX_RANK, MAX_SYMBOLS, MAX_TENSORS, ParamSpecBuf, Role, SignatureBuf,
    TensorSpecBuf,
};

use crate::{
    Backward, Benchmark, Digest, Extent, Kernel, KernelFault, Length, Param, Platform, Rejected, Scratch, Step, Tensor,
    first_difference, pack::path::check_path, text::names::is_identifier,
};

impl Kernel {
    /// Converts the entry to a spec; `fallbacks` is the [manifest's](crate::Manifest::fallbacks).
    ///
    /// # Errors
    /// [`Rejected::Kernel`] or [`Rejected::UnsafePath`]: the entry contradicts itself or the ABI.
    pub fn to_spec(&self, fallbacks: &BTreeMap<String, String>) -> Result<KernelSpecBuf, Rejected> {
        self.modules().try_for_each(|module| check_path(module.path))?;
        self.check_entry().map_err(|fault| self.reject(fault))?;
        let forward = self.forward()?;
        let backward = self.backward.as_ref().map(|backward| PassRef::backward(backward).to_signature()).transpose();
        Ok(KernelSpecBuf {
            id: self.id.clone(),
            name: self.name.clone(),
            description: self.description.clone(),
            category: self.category.clone(),
            family: self.family().map_err(|fault| self.reject(fault))?.to_owned(),
            entry_point: self.entry_point.clone(),
            fallback: fallbacks.get(&self.id).cloned().unwrap_or_default(),
            limits: self.resource_limits,
            lifecycle: Lifecycle { init: self.init, cleanup: self.cleanup },
            split: self.split_symbols(&forward).map_err(|fault| self.reject(fault))?,
            forward,
            backward: backward.map_err(|fault| self.reject(KernelFault::Backward(Box::new(fault))))?,
        })
    }

    /// Returns the signature of the forward pass.
    ///
    /// # Errors
    /// [`Rejected::Kernel`]: the entry contradicts itself or the ABI.
    pub(crate) fn forward(&self) -> Result<SignatureBuf, Rejected> {
        PassRef::forward(self).to_signature().map_err(|fault| self.reject(fault))
    }

    /// Makes the entry of a kernel with this spec.
    ///
    /// The entry does not include the spec's `fallback`. If it is not empty, callers must add it to
    /// [`Manifest::fallbacks`](crate::Manifest::fallbacks).
    ///
    /// # Errors
    /// [`Rejected::Kernel`] or [`Rejected::UnsafePath`]: the entry would contradict itself or the ABI, or
    /// [`to_spec`](Self::to_spec) would return another spec.
    pub fn from_spec(
        spec: &KernelSpecBuf,
        hash: Digest,
        platforms: BTreeMap<String, Platform>,
        benchmarks: BTreeMap<String, Benchmark>,
    ) -> Result<Self, Rejected> {
        let reject = |fault| Rejected::Kernel { kernel: spec.id.clone(), fault };
        let forward = pass_of(&spec.forward).map_err(reject)?;
        let backward = spec.backward.as_ref().map(pass_of).transpose();
        let kernel = Self {
            id: spec.id.clone(),
            name: spec.name.clone(),
            description: spec.description.clone(),
            category: spec.category.clone(),
            path: format!("{}/{}.wasm", spec.family, spec.id),
            hash,
            entry_point: spec.entry_point.clone(),
            inputs: forward.inputs,
            outputs: forward.outputs,
            scratch: forward.scratch,
            params: forward.params,
            init: spec.lifecycle.init,
            cleanup: spec.lifecycle.cleanup,
            backward: backward.map_err(|fault| reject(KernelFault::Backward(Box::new(fault))))?,
            split: split_names(spec).map_err(reject)?,
            resource_limits: spec.limits,
            platforms,
            benchmarks,
            health: Vec::new(),
        };
        let mut fallbacks = BTreeMap::new();
        if !spec.fallback.is_empty() {
            fallbacks.insert(spec.id.clone(), spec.fallback.clone());
        }
        match first_difference(spec, &kernel.to_spec(&fallbacks)?) {
            None => Ok(kernel),
            Some(difference) => Err(reject(KernelFault::Inexpressible { difference })),
        }
    }

    /// Returns the indices of the symbols that calls may be split over.
    fn split_symbols(&self, forward: &SignatureBuf) -> Result<Vec<u8>, KernelFault> {
        let mut symbols = Vec::new();
        for name in &self.split {
            let unknown = || KernelFault::UnknownSplit { symbol: name.clone() };
            // There are at most `MAX_SYMBOLS`.
            let index = forward.symbols.iter().position(|symbol| symbol == name).ok_or_else(unknown)? as u8;
            if symbols.contains(&index) {
                return Err(KernelFault::DuplicateName { name: name.clone() });
            }
            forward.with(|signature| signature.is_split_by(index)).map_err(|row| match row {
                Some(row) => KernelFault::BadSplit { symbol: name.clone(), tensor: forward.tensors[row].name.clone() },
                None => unknown(),
            })?;
            symbols.push(index);
        }
        Ok(symbols)
    }

    /// Returns the folder of the kernel's module.
    pub(crate) fn family(&self) -> Result<&str, KernelFault> {
        kernelpack_verify::family_of(&self.path, &self.id)
            .ok_or_else(|| KernelFault::PathDisagrees { path: self.path.clone(), id: self.id.clone() })
    }

    pub(crate) fn reject(&self, fault: KernelFault) -> Rejected {
        Rejected::Kernel { kernel: self.id.clone(), fault }
    }
}

/// The parts of an entry that describe one pass.
struct PassRef<'a> {
    inputs: &'a [Tensor],
    outputs: &'a [Tensor],
    scratch: &'a [Scratch],
    params: &'a BTreeMap<String, Param>,
}

impl<'a> PassRef<'a> {
    fn forward(kernel: &'a Kernel) -> Self {
        let Kernel { inputs, outputs, scratch, params, .. } = kernel;
        Self { inputs, outputs, scratch, params }
    }

    fn backward(backward: &'a Backward) -> Self {
        let Backward { inputs, outputs, scratch, params } = backward;
        Self { inputs, outputs, scratch, params }
    }

    fn to_signature(&self) -> Result<SignatureBuf, KernelFault> {
        self.check_counts()?;
        let rows = self.rows()?;
        let symbols = symbols(&rows)?;
        let signature = SignatureBuf {
            tensors: rows.iter().map(|row| row.to_spec(&symbols)).collect::<Result<_, _>>()?,
            params: self.param_specs()?,
            symbols,
        };
        check_names(&signature)?;
        Ok(signature)
    }

    /// Checks the lengths of all lists. Before this check, a list may be as long as the file allows, so nothing may
    /// visit an item more than once.
    fn check_counts(&self) -> Result<(), KernelFault> {
        let rows = self.count();
        let longest = rows.max(self.outputs.len());
        if longest > MAX_TENSORS {
            return Err(KernelFault::too_many("tensors", longest));
        }
        if self.params.len() > MAX_PARAMS {
            return Err(KernelFault::too_many("parameters", self.params.len()));
        }
        let mut tensors = self.inputs.iter().chain(self.outputs);
        match tensors.find(|tensor| tensor.shape.len() > MAX_RANK) {
            Some(tensor) => Err(KernelFault::too_many("axes", tensor.shape.len())),
            None => Ok(()),
        }
    }

    /// Returns the number of rows in the tensor table.
    fn count(&self) -> usize {
        self.inputs.len() + self.outputs.iter().filter(|tensor| !tensor.inout).count() + self.scratch.len()
    }

    /// Returns the rows of the tensor table, in order.
    fn rows(&self) -> Result<Vec<Row<'a>>, KernelFault> {
        let inout = |tensor: &&Tensor| tensor.inout;
        for tensor in self.inputs.iter().chain(self.outputs).filter(inout) {
            let same = |list: &[Tensor]| list.iter().filter(|other| *other == tensor).count() == 1;
            if !same(self.inputs) || !same(self.outputs) {
                return Err(KernelFault::InOutDisagrees { name: tensor.name.clone() });
            }
        }
        let count = self.count();
        let mut rows = Vec::new();
        rows.resize_with(count, || None);
        let mut place = |name: &str, index: u32, row| match rows.get_mut(index as usize) {
            Some(slot @ None) => {
                *slot = Some(row);
                Ok(())
            }
            _ => Err(KernelFault::BadIndex { what: "tensor", name: name.to_owned(), index, count }),
        };
        for tensor in self.inputs {
            let role = if tensor.inout { Role::InOut } else { Role::In };
            place(&tensor.name, tensor.index, Row::Tensor(tensor, role))?;
        }
        for tensor in self.outputs.iter().filter(|tensor| !tensor.inout) {
            place(&tensor.name, tensor.index, Row::Tensor(tensor, Role::Out))?;
        }
        for scratch in self.scratch {
            place(&scratch.name, scratch.index, Row::Scratch(scratch))?;
        }
        // There were as many rows as slots, and each row found a free slot, so every slot is taken.
        Ok(rows.into_iter().flatten().collect())
    }

    fn param_specs(&self) -> Result<Vec<ParamSpecBuf>, KernelFault> {
        let count = self.params.len();
        let mut specs = vec![None; count];
        for (name, param) in self.params {
            let finite = match param.default {
                Some(kernelpack_abi::ParamValue::F32(value)) => value.is_finite(),
                _ => true,
            };
            if !finite || param.default.is_some_and(|value| value.ty() != param.ty) {
                return Err(KernelFault::BadDefault { name: name.clone(), ty: param.ty.name() });
            }
            match specs.get_mut(param.index as usize) {
                Some(slot @ None) => {
                    *slot = Some(ParamSpecBuf { name: name.clone(), ty: param.ty, default: param.default });
                }
                _ => {
                    let (what, name, index) = ("parameter", name.clone(), param.index);
                    return Err(KernelFault::BadIndex { what, name, index, count });
                }
            }
        }
        Ok(specs.into_iter().flatten().collect())
    }
}

/// A row of the tensor table.
enum Row<'a> {
    Tensor(&'a Tensor, Role),
    Scratch(&'a Scratch),
}

impl Row<'_> {
    fn to_spec(&self, symbols: &[String]) -> Result<TensorSpecBuf, KernelFault> {
        // There are at most `MAX_SYMBOLS`.
        let index = |name: &str| symbols.iter().position(|symbol| symbol == name).map(|index| index as u8);
        match *self {
            Self::Tensor(tensor, role) => {
                let name = tensor.name.clone();
                if tensor.optional && role != Role::In {
                    return Err(KernelFault::OptionalOutput { name });
                }
                let dims = tensor.shape.iter().map(|extent| {
                    Some(match extent {
                        Extent::Fixed(extent) => Dim::Fixed(*extent),
                        Extent::Symbol(symbol) => Dim::Symbol(index(symbol)?),
                        Extent::Div(symbol, by) => Dim::Div(index(symbol)?, Some(*by).filter(|&by| by > 0)?),
                        Extent::Mul(symbol, by) => Dim::Mul(index(symbol)?, Some(*by).filter(|&by| by > 0)?),
                    })
                });
                // Every symbol is known, since `symbols` was collected from these shapes; only a zero factor fails.
                let dims = dims.collect::<Option<_>>().ok_or_else(|| KernelFault::ZeroFactor { name: name.clone() })?;
                let (dtype, optional) = (tensor.dtype, tensor.optional);
                Ok(TensorSpecBuf { name, dtype, role, optional, dims, len: Vec::new() })
            }
            Self::Scratch(scratch) => {
                let name = scratch.name.clone();
                // The conversion to the ABI's form fails only if a symbol is unknown.
                let unknown = |step: &Step| KernelFault::UnknownSymbol {
                    name: scratch.name.clone(),
                    symbol: if let Step::Symbol(symbol) = step { symbol.clone() } else { String::new() },
                };
                let ops = scratch.len.steps().iter().map(|step| step.to_op(index).ok_or_else(|| unknown(step)));
                let (dtype, role) = (scratch.dtype, Role::Scratch);
                Ok(TensorSpecBuf {
                    name,
                    dtype,
                    role,
                    optional: false,
                    dims: Vec::new(),
                    len: ops.collect::<Result<_, _>>()?,
                })
            }
        }
    }
}

/// Returns the symbols of all shapes, in the order of their first appearance. `check_counts` has limited rows and axes,
/// so there are at most 128 extents to look through.
fn symbols(rows: &[Row<'_>]) -> Result<Vec<String>, KernelFault> {
    let mut symbols: Vec<String> = Vec::new();
    for row in rows {
        let Row::Tensor(tensor, _) = row else { continue };
        for symbol in tensor.shape.iter().filter_map(Extent::symbol) {
            if !symbols.iter().any(|known| known == symbol) {
                symbols.push(symbol.to_owned());
            }
        }
    }
    if symbols.len() > MAX_SYMBOLS { Err(KernelFault::too_many("symbols", symbols.len())) } else { Ok(symbols) }
}

fn check_names(signature: &SignatureBuf) -> Result<(), KernelFault> {
    let tensors = signature.tensors.iter().map(|tensor| ("tensor", &tensor.name));
    let params = signature.params.iter().map(|param| ("parameter", &param.name));
    let symbols = signature.symbols.iter().map(|symbol| ("symbol", symbol));
    let mut seen = HashSet::new();
    for (what, name) in tensors.chain(params).chain(symbols) {
        if !is_identifier(name) {
            return Err(KernelFault::BadName { what, name: name.clone() });
        }
        if !seen.insert(name) {
            return Err(KernelFault::DuplicateName { name: name.clone() });
        }
    }
    Ok(())
}

fn split_names(spec: &KernelSpecBuf) -> Result<Vec<String>, KernelFault> {
    let name = |&index: &u8| {
        let name = spec.forward.symbols.get(usize::from(index)).cloned();
        name.ok_or_else(|| KernelFault::UnknownSplit { symbol: format!("symbol {index}") })
    };
    spec.split.iter().map(name).collect()
}

fn pass_of(signature: &SignatureBuf) -> Result<Backward, KernelFault> {
    let mut pass = Backward::default();
    for (index, spec) in (0..).zip(&signature.tensors) {
        let name = spec.name.clone();
        let undeclared = |index| KernelFault::UndeclaredSymbol { name: spec.name.clone(), index };
        if spec.role == Role::Scratch {
            let step = |op| {
                Step::from_op(op, &signature.symbols).ok_or_else(|| match op {
                    kernelpack_abi::Op::Symbol(index) => undeclared(index),
                    _ => undeclared(u8::MAX),
                })
            };
            let steps = spec.len.iter().copied().map(step).collect::<Result<_, _>>()?;
            let len = Length::new(steps).map_err(|error| KernelFault::BadLength { name: name.clone(), error })?;
            pass.scratch.push(Scratch { name, dtype: spec.dtype, len, index });
            continue;
        }
        let symbol = |index: u8| signature.symbols.get(usize::from(index)).cloned().ok_or_else(|| undeclared(index));
        let extent = |dim: &Dim| {
            Ok(match *dim {
                Dim::Fixed(extent) => Extent::Fixed(extent),
                Dim::Symbol(index) => Extent::Symbol(symbol(index)?),
                Dim::Div(index, by) => Extent::Div(symbol(index)?, by),
                Dim::Mul(index, by) => Extent::Mul(symbol(index)?, by),
            })
        };
        let shape = spec.dims.iter().map(extent).collect::<Result<_, _>>()?;
        let (inout, optional) = (spec.role == Role::InOut, spec.optional);
        let tensor = Tensor { name, dtype: spec.dtype, shape, index, optional, inout };
        match spec.role {
            Role::In => pass.inputs.push(tensor),
            Role::Out => pass.outputs.push(tensor),
            _ => {
                pass.inputs.push(tensor.clone());
                pass.outputs.push(tensor);
            }
        }
    }
    for (index, spec) in (0..).zip(&signature.params) {
        let param = Param { ty: spec.ty, default: spec.default, index };
        if pass.params.insert(spec.name.clone(), param).is_some() {
            return Err(KernelFault::DuplicateName { name: spec.name.clone() });
        }
    }
    Ok(pass)
}

#[cfg(test)]
mod tests;
