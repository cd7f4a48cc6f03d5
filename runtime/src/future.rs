//! Calls that return futures, with the `async` feature.
//!
//! A call runs on a thread for blocking work, and also waits for an instance there, so it never blocks the thread that
//! polls the future, whichever executor that belongs to. Since a future can be leaked while its kernel runs, it cannot
//! borrow tensors from the caller: it owns them and returns them with the result.
//!
//! A call starts only when its future is polled. Dropping the future cancels a call that has not begun; a call that has
//! begun keeps running within its budget, and its data is dropped when it ends.

use kernelpack_abi::{Infer, Kernel, ParamValue, Pass};

use crate::{Bound, DynKernel, DynTensor, DynView, DynViewMut, Error, TypedKernel};

impl<K: Kernel> TypedKernel<K> {
    /// Like [`call`](Self::call), but does not block the executor's thread. `args` makes the arguments from `tensors`.
    ///
    /// The future returns `tensors` whether the call succeeds or fails. If `args` panics, awaiting the future panics.
    ///
    /// # Example: a kernel with an input and an output
    /// ```
    /// # use kernelpack_host::{Error, TypedKernel, abi::{Kernel, TensorBuf, TensorView, TensorViewMut}};
    /// # struct Args<'a>(TensorView<'a, f32>, TensorViewMut<'a, f32>);
    /// # impl<'a> Args<'a> {
    /// #     fn new(x: TensorView<'a, f32>, y: TensorViewMut<'a, f32>) -> Self { Self(x, y) }
    /// # }
    /// # async fn double<K>(kernel: &TypedKernel<K>, x: TensorBuf<f32>, y: TensorBuf<f32>) -> Result<TensorBuf<f32>, Error>
    /// # where
    /// #     K: for<'a> kernelpack_host::abi::Pass<Args<'a> = Args<'a>> + Kernel,
    /// # {
    /// let ((_x, y), called) = kernel.call_async((x, y), |(x, y)| Args::new(x.view(), y.view_mut())).await;
    /// called?;
    /// # Ok(y)
    /// # }
    /// ```
    pub fn call_async<T, F>(
        &self,
        tensors: T,
        args: F,
    ) -> impl Future<Output = (T, Result<(), Error>)> + Send + use<K, T, F>
    where
        T: Send + 'static,
        F: for<'a> FnOnce(&'a mut T) -> K::Args<'a> + Send + 'static,
    {
        self.job(tensors, |kernel, tensors| kernel.call(args(tensors)))
    }

    /// Like [`backward`](Self::backward), but does not block the executor's thread; takes its arguments like
    /// [`call_async`](Self::call_async).
    pub fn backward_async<T, F>(
        &self,
        tensors: T,
        args: F,
    ) -> impl Future<Output = (T, Result<(), Error>)> + Send + use<K, T, F>
    where
        T: Send + 'static,
        F: for<'a> FnOnce(&'a mut T) -> <K::Backward as Pass>::Args<'a> + Send + 'static,
    {
        self.job(tensors, |kernel, tensors| kernel.backward(args(tensors)))
    }

    /// Like [`run`](Self::run), but does not block the executor's thread. `inputs` makes the inputs from `tensors`,
    /// which the future returns with the results.
    pub fn run_async<T, F>(
        &self,
        tensors: T,
        inputs: F,
    ) -> impl Future<Output = (T, Result<K::Outputs, Error>)> + Send + use<K, T, F>
    where
        K: Infer<Outputs: Send>,
        T: Send + 'static,
        F: for<'a> FnOnce(&'a T) -> K::Inputs<'a> + Send + 'static,
    {
        self.job(tensors, |kernel, tensors| kernel.run(inputs(tensors)))
    }

    fn job<T: Send + 'static, R: Send + 'static, F>(
        &self,
        mut tensors: T,
        call: F,
    ) -> impl Future<Output = (T, R)> + Send + use<K, T, R, F>
    where
        F: FnOnce(&Self, &mut T) -> R + Send + 'static,
    {
        let kernel = self.clone();
        async move {
            blocking::unblock(move || {
                let result = call(&kernel, &mut tensors);
                (tensors, result)
            })
            .await
        }
    }
}

impl<K: Kernel> Bound<K> {
    /// Like [`call`](Self::call), but does not block the executor's thread. `args` makes the arguments from `tensors`,
    /// which are the bound tensors.
    ///
    /// The future owns the binding and the tensors while the kernel runs, and returns both, whether the call succeeds or
    /// fails. Moving a [`Tensor`](crate::Tensor) does not move its elements, so it stays bound. If `args` panics, awaiting
    /// the future panics.
    ///
    /// # Example: a step that does not block
    /// ```no_run
    /// use kernelpack_host::{Bound, Error, Tensor};
    /// use kernelpack_kernels::rmsnorm_f32::{Args, Kernel};
    ///
    /// type Tensors = (Tensor<f32>, Tensor<f32>, Tensor<f32>);
    ///
    /// async fn step(norm: Bound<Kernel>, tensors: Tensors) -> Result<(Bound<Kernel>, Tensors), Error> {
    ///     let (norm, tensors, called) = norm
    ///         .call_async(tensors, |(x, weight, y)| Args::new(x.view(), weight.view(), y.view_mut()))
    ///         .await;
    ///     called.map(|()| (norm, tensors))
    /// }
    /// ```
    pub async fn call_async<T, F>(mut self, mut tensors: T, args: F) -> (Self, T, Result<(), Error>)
    where
        T: Send + 'static,
        F: for<'a> FnOnce(&'a mut T) -> K::Args<'a> + Send + 'static,
    {
        blocking::unblock(move || {
            let result = self.call(args(&mut tensors));
            (self, tensors, result)
        })
        .await
    }
}

/// The results of a call with named arguments.
type Results = Result<Vec<DynTensor>, Error>;

/// A method that runs a pass with named arguments.
type DynCall = fn(&DynKernel, &[(&str, DynView<'_>)], &[(&str, ParamValue)]) -> Results;

impl DynKernel {
    /// Like [`run`](Self::run), but does not block the executor's thread. It takes owned inputs, which the future
    /// returns with the results.
    pub fn run_async(
        &self,
        inputs: Vec<DynTensor>,
        params: Vec<(String, ParamValue)>,
    ) -> impl Future<Output = (Vec<DynTensor>, Result<Vec<DynTensor>, Error>)> + Send + use<> {
        self.job(inputs, params, Self::run)
    }

    /// Like [`call`](Self::call), but does not block the executor's thread. It takes owned inputs and outputs; the
    /// future returns both, the outputs as the call left them.
    pub fn call_async(
        &self,
        inputs: Vec<DynTensor>,
        mut outputs: Vec<DynTensor>,
        params: Vec<(String, ParamValue)>,
    ) -> impl Future<Output = (Vec<DynTensor>, Vec<DynTensor>, Result<(), Error>)> + Send + use<> {
        let kernel = self.clone();
        async move {
            blocking::unblock(move || {
                let result = {
                    let inputs: Vec<_> = inputs.iter().map(|input| (input.name.as_str(), input.into())).collect();
                    let mut outputs: Vec<_> = outputs
                        .iter_mut()
                        .map(|DynTensor { name, dtype, shape, bytes }| {
                            (name.as_str(), DynViewMut { dtype: *dtype, shape: *shape, bytes })
                        })
                        .collect();
                    let params: Vec<_> = params.iter().map(|(name, value)| (name.as_str(), *value)).collect();
                    kernel.call(&inputs, &mut outputs, &params)
                };
                (inputs, outputs, result)
            })
            .await
        }
    }

    /// Like [`backward`](Self::backward), but does not block the executor's thread. It takes owned inputs, which the
    /// future returns with the results.
    pub fn backward_async(
        &self,
        inputs: Vec<DynTensor>,
        params: Vec<(String, ParamValue)>,
    ) -> impl Future<Output = (Vec<DynTensor>, Result<Vec<DynTensor>, Error>)> + Send + use<> {
        self.job(inputs, params, Self::backward)
    }

    fn job(
        &self,
        inputs: Vec<DynTensor>,
        params: Vec<(String, ParamValue)>,
        call: DynCall,
    ) -> impl Future<Output = (Vec<DynTensor>, Results)> + Send + use<> {
        let kernel = self.clone();
        async move {
            blocking::unblock(move || {
                let views: Vec<_> = inputs.iter().map(|input| (input.name.as_str(), input.into())).collect();
                let params: Vec<_> = params.iter().map(|(name, value)| (name.as_str(), *value)).collect();
                let result = call(&kernel, &views, &params);
                drop(views);
                (inputs, result)
            })
            .await
        }
    }
}
