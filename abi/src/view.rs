//! Borrowed tensors: a slice with a shape.

use core::fmt;

use crate::{Element, Shape, ShapeError};

/// A borrowed, contiguous, row-major tensor.
///
/// # Example: two rows of three
/// ```
/// use kernelpack_abi::TensorView;
///
/// let data = [1.0f32, 2.0, 3.0, 4.0, 5.0, 6.0];
/// let view = TensorView::new(&data, &[2, 3]).unwrap();
/// assert_eq!(view.shape().to_string(), "2x3");
/// let wrong = TensorView::new(&data, &[2, 4]).unwrap_err();
/// assert_eq!(wrong.to_string(), "a 2x4 tensor has 8 elements, but the slice given has 6");
/// ```
#[derive(Clone, Copy, Debug)]
pub struct TensorView<'a, T> {
    data: &'a [T],
    shape: Shape,
}

/// Views `data` as a tensor with these extents, outermost first; a short form of [`TensorView::new`].
///
/// # Errors
/// See [`TensorView::new`].
///
/// # Example: one row of three
/// ```
/// use kernelpack_abi::view;
///
/// let row = view(&[1.0_f32, 2.0, 3.0], [1, 3])?;
/// assert_eq!(row.shape().dims(), [1, 3]);
/// # Ok::<(), kernelpack_abi::ViewError>(())
/// ```
pub fn view<T: Element, const RANK: usize>(data: &[T], dims: [usize; RANK]) -> Result<TensorView<'_, T>, ViewError> {
    TensorView::new(data, &dims)
}

/// Views `data` as a tensor that a kernel may write to, with these extents, outermost first; a short form of
/// [`TensorViewMut::new`].
///
/// # Errors
/// See [`TensorViewMut::new`].
pub fn view_mut<T: Element, const RANK: usize>(
    data: &mut [T],
    dims: [usize; RANK],
) -> Result<TensorViewMut<'_, T>, ViewError> {
    TensorViewMut::new(data, &dims)
}

impl<'a, T: Element> TensorView<'a, T> {
    /// Views `data` with these extents, outermost first.
    ///
    /// # Errors
    /// The extents are not a [`Shape`], or their product is not `data.len()`.
    pub fn new(data: &'a [T], dims: &[usize]) -> Result<Self, ViewError> {
        Ok(Self { shape: shape_of(data.len(), dims)?, data })
    }

    /// Views `data`, which should have as many elements as the shape. Code that relies on this must check it again.
    #[doc(hidden)]
    #[inline]
    pub fn of_shape(data: &'a [T], shape: Shape) -> Self {
        Self { data, shape }
    }

    /// Returns the elements, row-major.
    pub fn data(&self) -> &'a [T] {
        self.data
    }

    /// Returns the view's shape.
    pub fn shape(&self) -> Shape {
        self.shape
    }
}

/// A mutably borrowed, contiguous, row-major tensor.
///
/// # Example: a tensor to write to
/// ```
/// use kernelpack_abi::TensorViewMut;
///
/// let mut data = [0.0f32; 6];
/// let view = TensorViewMut::new(&mut data, &[2, 3])?;
/// assert_eq!(view.shape().dims(), [2, 3]);
/// view.into_data()[3] = 1.0;
/// assert_eq!(data, [0.0, 0.0, 0.0, 1.0, 0.0, 0.0]);
/// # Ok::<(), kernelpack_abi::ViewError>(())
/// ```
#[derive(Debug)]
pub struct TensorViewMut<'a, T> {
    data: &'a mut [T],
    shape: Shape,
}

impl<'a, T: Element> TensorViewMut<'a, T> {
    /// Views `data` with these extents, outermost first.
    ///
    /// # Errors
    /// The extents are not a [`Shape`], or their product is not `data.len()`.
    pub fn new(data: &'a mut [T], dims: &[usize]) -> Result<Self, ViewError> {
        Ok(Self { shape: shape_of(data.len(), dims)?, data })
    }

    /// Views `data`, which should have as many elements as the shape. Code that relies on this must check it again.
    #[doc(hidden)]
    #[inline]
    pub fn of_shape(data: &'a mut [T], shape: Shape) -> Self {
        Self { data, shape }
    }

    /// Returns the elements, row-major, with the view's full lifetime.
    pub fn into_data(self) -> &'a mut [T] {
        self.data
    }

    /// Reborrows the view for a shorter lifetime, so that it can be passed on and used again.
    pub fn reborrow(&mut self) -> TensorViewMut<'_, T> {
        TensorViewMut { data: self.data, shape: self.shape }
    }

    /// Returns the view's shape.
    pub fn shape(&self) -> Shape {
        self.shape
    }
}

fn shape_of(len: usize, dims: &[usize]) -> Result<Shape, ViewError> {
    let shape = Shape::new(dims).map_err(ViewError::Shape)?;
    if shape.elements() == len as u64 { Ok(shape) } else { Err(ViewError::Length { shape, len }) }
}

/// The reason why a slice and extents do not form a tensor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ViewError {
    /// The extents do not form a valid shape.
    Shape(ShapeError),
    /// The slice is shorter or longer than the shape.
    Length {
        /// The shape asked for.
        shape: Shape,
        /// The elements of the slice.
        len: usize,
    },
}

impl fmt::Display for ViewError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shape(error) => error.fmt(f),
            Self::Length { shape, len } => {
                write!(f, "a {shape} tensor has {} elements, but the slice given has {len}", shape.elements())
            }
        }
    }
}

impl core::error::Error for ViewError {}
