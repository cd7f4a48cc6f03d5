//! Generated calls: small, the same each time, and based on nothing but the kernel's signature.

use half::f16;
use kernelpack_abi::{
    DType, Dim, MAX_SYMBOLS, ParamSpecBuf, ParamType, ParamValue, Role, Shape, Signature, SignatureBuf, TensorSpec,
};
use kernelpack_manifest::{HealthVector, MAX_HEALTH_BYTES, NamedTensor};

/// A generated call.
#[derive(Debug)]
pub(super) struct Asked<'a> {
    /// The call; its expected results are zeros.
    pub(super) vector: HealthVector,
    pub(super) inputs: Vec<NamedTensor>,
    /// The scalars that have no default, or a value other than their default.
    pub(super) params: Vec<(&'a str, ParamValue)>,
}

/// The settings for generating a call. A kernel may refuse values or extents that its signature allows, so there are
/// several attempts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Attempt {
    /// The smallest extent of axes that are innermost in some tensor, where loops are unrolled and vectorized, and of
    /// other axes.
    extents: (u32, u32),
    /// Whether extents are powers of two, rather than different from each other.
    powers: bool,
    /// The most bytes that all tensors together may have.
    budget: u64,
    /// Integers are below this number, since they may be indices.
    integers: u32,
    /// Whether floats may be negative.
    negative: bool,
    /// The value of scalars without a default.
    scalar: u32,
    /// Whether scalars with a default get another value.
    other_scalars: bool,
}

impl Attempt {
    /// All attempts, from the one that is most likely to reveal an error to the one that makes the fewest demands on
    /// the kernel.
    pub(super) const ALL: [Self; 4] = [
        Self {
            extents: (161, 2),
            powers: false,
            budget: 1 << 16,
            integers: 8,
            negative: true,
            scalar: 1,
            other_scalars: false,
        },
        Self {
            extents: (41, 2),
            powers: false,
            budget: 1 << 16,
            integers: 8,
            negative: true,
            scalar: 1,
            other_scalars: false,
        },
        Self {
            extents: (64, 2),
            powers: true,
            budget: 1 << 18,
            integers: 2,
            negative: true,
            scalar: 1,
            other_scalars: false,
        },
        Self {
            extents: (2, 2),
            powers: false,
            budget: MAX_HEALTH_BYTES as u64 / 2,
            integers: 2,
            negative: false,
            scalar: 0,
            other_scalars: false,
        },
    ];

    /// Calls that differ from those above in extents, values and scalars, and whose results do not matter.
    const OTHERS: [Self; 2] = [
        Self { extents: (96, 5), negative: false, other_scalars: false, ..Self::ALL[1] },
        Self { scalar: 2, other_scalars: true, ..Self::ALL[2] },
    ];
}

/// Generates calls of a kernel with this signature that are made before another call, whose result they must not
/// change.
pub(super) fn others(signature: &SignatureBuf) -> impl Iterator<Item = HealthVector> {
    Attempt::OTHERS.into_iter().filter_map(|attempt| Some(make(signature, attempt, false)?.vector))
}

/// Generates a call of a kernel with this signature; `None` if it would be larger than the attempt allows.
pub(super) fn make(signature: &SignatureBuf, attempt: Attempt, with_optional: bool) -> Option<Asked<'_>> {
    let value = |param: &ParamSpecBuf| match param.default {
        None => Some(scalar(param.ty, attempt.scalar)),
        Some(default) => attempt.other_scalars.then(|| other(default)),
    };
    let params = signature.params.iter().filter_map(|param| Some((param.name.as_str(), value(param)?)));
    let params: Vec<_> = params.collect();
    signature.with(|signature| {
        let symbols = symbols(signature, attempt)?;
        let (mut inputs, mut expected, mut total) = (Vec::new(), Vec::new(), 0);
        for (index, spec) in (0..).zip(signature.tensors) {
            if spec.role == Role::Scratch || spec.optional && !with_optional {
                continue;
            }
            let shape = shape(spec, &symbols)?;
            total += shape.bytes(spec.dtype);
            if total > attempt.budget {
                return None;
            }
            let bytes = || vec![0; shape.bytes(spec.dtype) as usize];
            let tensor = |bytes| NamedTensor { name: spec.name.to_owned(), dtype: spec.dtype, shape, bytes };
            if spec.role != Role::Out {
                let mut bytes = bytes();
                fill(spec.dtype, &mut bytes, attempt, &mut Noise { state: index });
                inputs.push(tensor(bytes));
            }
            if spec.role != Role::In {
                expected.push(tensor(bytes()));
            }
        }
        let vector = HealthVector::new(signature, inputs.clone(), expected, &params).ok()?;
        Some(Asked { vector, inputs, params: params.clone() })
    })
}

fn scalar(ty: ParamType, value: u32) -> ParamValue {
    match ty {
        ParamType::F32 => ParamValue::F32(value as f32),
        ParamType::U32 => ParamValue::U32(value),
        ParamType::I32 => ParamValue::I32(value.cast_signed()),
        ParamType::Bool => ParamValue::Bool(value != 0),
    }
}

fn other(value: ParamValue) -> ParamValue {
    match value {
        ParamValue::F32(value) => ParamValue::F32(1.5 * value + 0.25),
        ParamValue::U32(value) => ParamValue::U32(value ^ 1),
        ParamValue::I32(value) => ParamValue::I32(value ^ 1),
        ParamValue::Bool(value) => ParamValue::Bool(!value),
    }
}

/// Chooses a value for each symbol: the smallest multiple of its divisors, from the attempt's extent up, that no other
/// symbol has, so that a kernel that mixes up two symbols is detected.
fn symbols(signature: &Signature<'_>, attempt: Attempt) -> Option<Vec<u32>> {
    let (inner, outer) = attempt.extents;
    let mut values = Vec::with_capacity(MAX_SYMBOLS);
    for symbol in (0..).take(signature.symbols.len()) {
        let mut divisor = 1u32;
        let mut innermost = Vec::new();
        for spec in signature.tensors {
            for (axis, dim) in spec.dims.iter().enumerate() {
                let times = match *dim {
                    Dim::Div(of, by) if of == symbol => {
                        divisor = lcm(divisor, by)?;
                        1
                    }
                    Dim::Symbol(of) if of == symbol => 1,
                    Dim::Mul(of, by) if of == symbol => by,
                    _ => continue,
                };
                if axis + 1 == spec.dims.len() && axis > 0 {
                    innermost.push(inner.div_ceil(times.max(1)));
                }
            }
        }
        let least = innermost.into_iter().min().unwrap_or(outer).max(outer);
        let mut value = least.checked_next_multiple_of(divisor)?;
        if attempt.powers {
            value = value.max(least.checked_next_power_of_two()?.checked_next_multiple_of(divisor)?);
        } else {
            while values.contains(&value) {
                value = value.checked_add(divisor)?;
            }
        }
        values.push(value);
    }
    Some(values)
}

fn lcm(a: u32, b: u32) -> Option<u32> {
    let (mut x, mut y) = (a, b);
    while y != 0 {
        (x, y) = (y, x % y);
    }
    (a / x.max(1)).checked_mul(b)
}

fn shape(spec: &TensorSpec<'_>, symbols: &[u32]) -> Option<Shape> {
    let value = |symbol: u8| symbols.get(usize::from(symbol)).copied();
    let extents = spec.dims.iter().map(|dim| match *dim {
        Dim::Fixed(extent) => Some(extent),
        Dim::Symbol(symbol) => value(symbol),
        Dim::Div(symbol, by) => value(symbol)?.checked_div(by),
        Dim::Mul(symbol, by) => value(symbol)?.checked_mul(by),
    });
    let extents: Vec<usize> = extents.map(|extent| extent.map(|extent| extent as usize)).collect::<Option<_>>()?;
    Shape::new(&extents).ok()
}

/// Fills a tensor: with floats from -1 to 1 including zeros, with blocks of about such values, or with small integers.
fn fill(dtype: DType, bytes: &mut [u8], attempt: Attempt, noise: &mut Noise) {
    for (index, element) in bytes.chunks_exact_mut(dtype.size() as usize).enumerate() {
        let mut float = || {
            let float = noise.unit();
            let float = if attempt.negative { float } else { float.abs() };
            if index % 13 == 5 { 0.0 } else { float }
        };
        match dtype {
            DType::F32 => element.copy_from_slice(&float().to_le_bytes()),
            DType::F16 => element.copy_from_slice(&f16::from_f32(float()).to_le_bytes()),
            DType::U8 | DType::I32 | DType::U32 => element[0] = (noise.bits() % attempt.integers) as u8,
            DType::I8 => {
                let low = if attempt.negative { attempt.integers / 2 } else { 0 };
                element[0] = ((noise.bits() % attempt.integers) as u8).wrapping_sub(low as u8);
            }
            DType::Q8_0 | DType::Q4_0 => {
                let (scale, values) = element.split_at_mut(2);
                let largest = if dtype == DType::Q8_0 { 127.0 } else { 8.0 };
                scale.copy_from_slice(&f16::from_f32((0.75 + 0.25 * noise.unit()) / largest).to_le_bytes());
                values.fill_with(|| noise.bits() as u8);
            }
        }
    }
}

/// SplitMix64 (Steele, Lea and Flood, 2014).
struct Noise {
    state: u64,
}

impl Noise {
    /// Returns the high half of the next number, which has better randomness.
    fn bits(&mut self) -> u32 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.state;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((bits ^ (bits >> 31)) >> 32) as u32
    }

    /// Returns a number from -1 to below 1.
    fn unit(&mut self) -> f32 {
        (self.bits() >> 8) as f32 / (1 << 23) as f32 - 1.0
    }
}
