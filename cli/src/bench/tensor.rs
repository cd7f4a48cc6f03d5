//! Tensors of generated values, which are the same in each run.

use half::f16;
use kernelpack_host::{
    Error, Tensor as HostTensor,
    abi::{DType, Element, Shape, TensorView},
    tensor::DynView,
};
use zerocopy::FromBytes;

/// A tensor that a call reads, in pages of its own that a kernel can use in place.
#[derive(Debug)]
pub(crate) struct Tensor {
    /// The parameter's name.
    pub(crate) name: String,
    dtype: DType,
    shape: Shape,
    bytes: HostTensor<u8>,
}

/// The values to fill a tensor with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Content {
    /// Floats spread evenly over this distance on both sides of zero, blocks of about such values, and integers from 0
    /// to 7, which may serve as indices.
    Noise(f32),
    /// The angles of a rotary embedding: pair i of row s has the angle s · 10000^(-i / pairs). Floats only.
    Angles,
}

impl Tensor {
    /// Makes a tensor of this content; other seeds give other noise.
    ///
    /// # Errors
    /// There is not enough memory for it.
    pub(crate) fn new(name: &str, dtype: DType, shape: Shape, content: Content, seed: u64) -> Result<Self, Error> {
        let mut memory = HostTensor::zeros(&[shape.bytes(dtype) as usize])?;
        let bytes = memory.as_mut_slice();
        match content {
            Content::Noise(amplitude) => fill(dtype, bytes, &mut Noise { state: seed, amplitude }),
            Content::Angles => angles(bytes, shape.dims().last().map_or(1, |&pairs| pairs as usize)),
        }
        Ok(Self { name: name.to_owned(), dtype, shape, bytes: memory })
    }

    /// Returns a view for calls with named arguments.
    pub(crate) fn dynamic(&self) -> DynView<'_> {
        DynView { dtype: self.dtype, shape: self.shape, bytes: self.bytes() }
    }

    /// Returns a view for calls with typed arguments; `None` if the elements have another type.
    pub(crate) fn view<T: Element>(&self) -> Option<TensorView<'_, T>> {
        let dims: Vec<usize> = self.shape.dims().iter().map(|&dim| dim as usize).collect();
        let data = <[T]>::ref_from_bytes(self.bytes()).ok().filter(|_| self.dtype == T::DTYPE)?;
        TensorView::new(data, &dims).ok()
    }

    /// Returns the number of values; a block has several.
    pub(crate) fn values(&self) -> u64 {
        self.shape.elements() * u64::from(self.dtype.values())
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        self.bytes.as_slice()
    }
}

fn fill(dtype: DType, bytes: &mut [u8], noise: &mut Noise) {
    for element in bytes.chunks_exact_mut(dtype.size() as usize) {
        match dtype {
            DType::F32 => element.copy_from_slice(&noise.float().to_le_bytes()),
            DType::F16 => element.copy_from_slice(&f16::from_f32(noise.float()).to_le_bytes()),
            DType::I8 | DType::U8 | DType::I32 | DType::U32 => element[0] = (noise.bits() & 7) as u8,
            DType::Q8_0 | DType::Q4_0 => {
                let (scale, values) = element.split_at_mut(2);
                let largest = if dtype == DType::Q8_0 { 127.0 } else { 8.0 };
                let d = noise.amplitude * (0.75 + 0.25 * noise.unit()) / largest;
                scale.copy_from_slice(&f16::from_f32(d).to_le_bytes());
                values.fill_with(|| noise.bits() as u8);
            }
        }
    }
}

fn angles(bytes: &mut [u8], pairs: usize) {
    for (index, element) in bytes.chunks_exact_mut(4).enumerate() {
        let (position, pair) = (index / pairs.max(1), index % pairs.max(1));
        let angle = position as f64 * 10000f64.powf(-(pair as f64) / pairs as f64);
        element.copy_from_slice(&(angle as f32).to_le_bytes());
    }
}

/// SplitMix64 (Steele, Lea and Flood, 2014).
struct Noise {
    state: u64,
    amplitude: f32,
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

    fn float(&mut self) -> f32 {
        self.amplitude * self.unit()
    }
}

#[cfg(test)]
mod tests;
