//! The workload of a measurement: shapes, tensors, and the amount of work.

use kernelpack_host::{
    DynKernel,
    abi::{Dim, ParamType, ParamValue, Role, Shape, SignatureBuf, TensorSpecBuf},
};

use super::{
    family::Family,
    shape_arg::ShapeArg,
    tensor::{Content, Tensor},
};

/// The limit of a workload's tensors in bytes unless a shape is given: about what the caches of a core hold.
const MAX_BYTES: u64 = 8 << 20;
/// The values per row of usual workloads.
const WIDTH: u32 = 4096;
/// The bytes of the largest tensor in the usual workload that exceeds all caches, to within a row.
const LARGEST: u64 = 256 << 20;
/// The number of bytes from which on the bandwidth of main memory limits the speed of a workload.
const IN_MEMORY: u64 = 128 << 20;

/// Tensors and scalars for one call.
#[derive(Debug)]
pub(crate) struct Workload {
    /// The workload's extents, which name it in reports.
    pub(crate) shape: ShapeArg,
    /// Every symbol of the signature and its value.
    symbols: Vec<(String, u32)>,
    /// The tensors that the call reads, including initial values of in-out tensors and all optional inputs.
    tensors: Vec<Tensor>,
    /// The tensors that the call writes, except for in-out tensors.
    outputs: Vec<(String, Shape)>,
    /// Values of the scalars that have no default.
    pub(crate) params: Vec<(String, ParamValue)>,
    /// Bytes of the inputs and the outputs; in-out tensors count twice.
    pub(crate) bytes: u64,
    /// The number of floating-point operations, if it is known.
    pub(crate) flops: Option<u64>,
}

impl Workload {
    /// Returns the usual shapes for a kernel; with `large`, also one that exceeds all caches, if the kernel is known.
    pub(crate) fn usual(kernel: &DynKernel, large: bool) -> Vec<ShapeArg> {
        let signature = kernel.signature();
        let Some(family) = Family::of(kernel.id(), &signature.symbols) else { return vec![usual_shape(signature)] };
        // The shapes are: a minimal one (16 values, or a block), which shows the cost of the call itself; one row, as
        // when a model generates text; and 64 rows, as when it reads a prompt.
        let least = [16, 32].into_iter().find(|&width| sizes(signature, family, 1, width).is_some());
        let mut shapes: Vec<_> = least.map(|width| family.shape(1, width)).into_iter().collect();
        shapes.extend([1, 64].map(|rows| family.shape(rows, WIDTH)));
        shapes.extend(large.then(|| largest_shape(signature, family)).flatten());
        shapes
    }

    /// Returns the workload of a kernel at a shape.
    ///
    /// # Errors
    /// The shape does not fit the kernel, or there is not enough memory for it.
    pub(crate) fn of(kernel: &DynKernel, shape: &ShapeArg) -> Result<Self, String> {
        let signature = kernel.signature();
        Self::new(kernel.id(), signature, Family::of(kernel.id(), &signature.symbols), shape)
    }

    fn new(id: &str, signature: &SignatureBuf, family: Option<Family>, shape: &ShapeArg) -> Result<Self, String> {
        let names = &signature.symbols;
        let values = match (family.and_then(|family| family.values(names, &shape.0)), shape.0.len()) {
            (Some(values), _) => values,
            (None, len) if len == names.len() => shape.0.clone(),
            _ => {
                let axes = family.map(|family| format!("{} or ", family.axes().join("x"))).unwrap_or_default();
                let names = if names.is_empty() { "no extents".to_owned() } else { names.join("x") };
                return Err(format!("kernel {id:?} takes the shape {axes}{names}, not {shape}"));
            }
        };
        let misfit = |tensor: &TensorSpecBuf| {
            format!(
                "kernel {id:?} cannot be measured at {shape}, where its {} {:?} has no shape",
                tensor.role.name(),
                tensor.name
            )
        };
        let (mut tensors, mut outputs, mut bytes) = (Vec::new(), Vec::new(), 0);
        for (seed, spec) in (1..).zip(&signature.tensors) {
            if spec.role == Role::Scratch {
                continue;
            }
            let extents = tensor_shape(&spec.dims, &values).ok_or_else(|| misfit(spec))?;
            let size = extents.bytes(spec.dtype);
            bytes += if spec.role == Role::InOut { 2 * size } else { size };
            if spec.role == Role::Out {
                outputs.push((spec.name.clone(), extents));
            } else {
                let content = family.map_or(Content::Noise(1.0), |family| family.content(&spec.name, spec.dtype));
                let tensor = Tensor::new(&spec.name, spec.dtype, extents, content, seed);
                tensors.push(tensor.map_err(|error| error.to_string())?);
            }
        }
        let symbols: Vec<_> = names.iter().cloned().zip(values).collect();
        let flops = family.map(|family| family.flops(&symbols));
        Ok(Self { shape: shape.clone(), tensors, outputs, params: params(signature), bytes, flops, symbols })
    }

    /// Returns the name of the measurement in a manifest: `rows_64_dim_4096`.
    pub(crate) fn name(&self) -> String {
        let symbols: Vec<_> = self.symbols.iter().map(|(name, value)| format!("{name}_{value}")).collect();
        if symbols.is_empty() { "fixed".to_owned() } else { symbols.join("_") }
    }

    /// Returns the tensor of this name.
    pub(crate) fn tensor(&self, name: &str) -> Option<&Tensor> {
        self.tensors.iter().find(|tensor| tensor.name == name)
    }

    /// Returns the tensors that a call reads.
    pub(crate) fn tensors(&self) -> &[Tensor] {
        &self.tensors
    }

    /// Returns the shape of the output of this name.
    pub(crate) fn output(&self, name: &str) -> Option<Shape> {
        self.outputs.iter().find(|(output, _)| output == name).map(|(_, shape)| *shape)
    }

    /// Returns the values of the first tensor.
    pub(crate) fn elements(&self) -> u64 {
        self.tensors.first().map_or(0, Tensor::values)
    }

    /// Returns whether the workload is far larger than caches.
    pub(crate) fn is_in_memory(&self) -> bool {
        self.bytes >= IN_MEMORY
    }
}

/// Returns the shape of a tensor if symbols have these values; `None` if there is no such shape.
fn tensor_shape(dims: &[Dim], values: &[u32]) -> Option<Shape> {
    let value = |symbol: u8| values.get(usize::from(symbol)).copied();
    let extents = dims.iter().map(|dim| {
        Some(match *dim {
            Dim::Fixed(extent) => extent,
            Dim::Symbol(symbol) => value(symbol)?,
            Dim::Div(symbol, by) => value(symbol).filter(|value| by > 0 && value % by == 0)? / by,
            Dim::Mul(symbol, by) => value(symbol)?.checked_mul(by)?,
        } as usize)
    });
    Shape::new(&extents.collect::<Option<Vec<_>>>()?).ok()
}

/// Returns the bytes of each tensor except scratch, at `rows` rows of `width` values; `None` if there is no such shape.
fn sizes(signature: &SignatureBuf, family: Family, rows: u32, width: u32) -> Option<Vec<u64>> {
    let values = family.values(&signature.symbols, &family.shape(rows, width).0)?;
    let tensors = signature.tensors.iter().filter(|tensor| tensor.role != Role::Scratch);
    let size = |tensor: &TensorSpecBuf| Some(tensor_shape(&tensor.dims, &values)?.bytes(tensor.dtype));
    tensors.map(|tensor| size(tensor).filter(|&bytes| bytes > 0)).collect()
}

/// Returns the shape with enough rows that the largest tensor has [`LARGEST`] bytes.
fn largest_shape(signature: &SignatureBuf, family: Family) -> Option<ShapeArg> {
    let [one, two] = [1, 2].map(|rows| sizes(signature, family, rows, WIDTH));
    // Not every tensor grows with the rows.
    let row = two?.into_iter().zip(one?).map(|(two, one)| two - one).max()?;
    Some(family.shape(u32::try_from(LARGEST.checked_div(row)?).ok()?, WIDTH))
}

/// Returns the shape for an unknown kernel: 4096 for the innermost symbol of its first tensor and 64 for every other
/// symbol, each rounded up to a multiple of its divisors, and then the greatest one halved until all tensors fit.
fn usual_shape(signature: &SignatureBuf) -> ShapeArg {
    let innermost = signature.tensors.first().and_then(|tensor| match *tensor.dims.last()? {
        Dim::Symbol(symbol) | Dim::Div(symbol, _) | Dim::Mul(symbol, _) => Some(usize::from(symbol)),
        Dim::Fixed(_) => None,
    });
    let dims = || signature.tensors.iter().flat_map(|tensor| &tensor.dims);
    let step = |symbol: usize| {
        let by = dims().map(|dim| match *dim {
            Dim::Div(divided, by) if usize::from(divided) == symbol => by.max(1),
            _ => 1,
        });
        by.fold(1, least_common_multiple)
    };
    let steps: Vec<u32> = (0..signature.symbols.len()).map(step).collect();
    let first = |(symbol, &step): (usize, &u32)| {
        let wanted = if Some(symbol) == innermost { 4096u32 } else { 64 };
        wanted.checked_next_multiple_of(step).unwrap_or(step)
    };
    let mut values: Vec<u32> = steps.iter().enumerate().map(first).collect();
    let bytes = |values: &[u32]| {
        let size = |tensor: &TensorSpecBuf| tensor_shape(&tensor.dims, values).map(|shape| shape.bytes(tensor.dtype));
        signature.tensors.iter().map(size).try_fold(0u64, |sum, size| sum.checked_add(size?))
    };
    while bytes(&values).is_none_or(|bytes| bytes > MAX_BYTES) {
        let halved = |symbol: usize| (values[symbol] / 2).max(1).next_multiple_of(steps[symbol]);
        let shrinking = (0..values.len()).filter(|&symbol| halved(symbol) < values[symbol]);
        let Some(greatest) = shrinking.max_by_key(|&symbol| values[symbol]) else { break };
        values[greatest] = halved(greatest);
    }
    ShapeArg(values)
}

fn least_common_multiple(a: u32, b: u32) -> u32 {
    let (mut gcd, mut rest) = (a, b);
    while rest != 0 {
        (gcd, rest) = (rest, gcd % rest);
    }
    a.saturating_mul(b / gcd)
}

/// Returns values for the scalars that have no default: one, or false.
fn params(signature: &SignatureBuf) -> Vec<(String, ParamValue)> {
    let value = |ty| match ty {
        ParamType::F32 => ParamValue::F32(1.0),
        ParamType::U32 => ParamValue::U32(1),
        ParamType::I32 => ParamValue::I32(1),
        ParamType::Bool => ParamValue::Bool(false),
    };
    let required = signature.params.iter().filter(|param| param.default.is_none());
    required.map(|param| (param.name.clone(), value(param.ty))).collect()
}

#[cfg(test)]
mod tests;
